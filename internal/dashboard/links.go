package dashboard

import (
	"net/url"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/panel"
)

// serviceLink is the page of a service.
func serviceLink(p audit.Place, cluster, service string) string {
	return "/service/" + pathOf(p.Account, p.Region, cluster, service)
}

// repositoryLink is the page of a repository.
func repositoryLink(p audit.Place, name string) string {
	return "/repository/" + pathOf(p.Account, p.Region) + "/" + escaped(name)
}

func pathOf(parts ...string) string {
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}

// escaped is a name with slashes in a path.
func escaped(name string) string { return pathOf(strings.Split(name, "/")...) }

// objectLink is the page of what a finding is about; "" where there is none.
func (s *sight) objectLink(o audit.Object) string {
	switch o.Kind {
	case audit.ServiceObject:
		cluster, name, _ := strings.Cut(o.Name, "/")
		if _, known := s.byService[serviceKey{o.Place, cluster, name}]; known {
			return serviceLink(o.Place, cluster, name)
		}
	case audit.RepositoryObject:
		if _, known := s.byRepository[repositoryKey{o.Place, o.Name}]; known {
			return repositoryLink(o.Place, o.Name)
		}
	}
	return ""
}

// imageLink is the page of the repository that an image of a place is in; ""
// where it was not read.
func (s *sight) imageLink(at audit.Place, name string) string {
	i, known := s.repositoryOf(at, name)
	if !known {
		return ""
	}
	return repositoryLink(s.fleet.Repositories[i].Place, s.fleet.Repositories[i].Name)
}

// repositoryOf is the repository of the fleet that an image of a place is in.
func (s *sight) repositoryOf(at audit.Place, name string) (i int, known bool) {
	ref, err := image.Parse(name)
	if err != nil {
		return 0, false
	}
	if ecr, ok := image.ParseECRHost(ref.Registry); ok {
		at = audit.Place{Account: ecr.Account, Region: ecr.Region}
	}
	i, known = s.byRepository[repositoryKey{at, ref.Repository}]
	return i, known
}

// finding is a finding as a page shows it.
func (s *sight) finding(i int) panel.Finding {
	f := s.report.Findings[i]
	out := panel.FindingOf(f, "", s.report.At)
	if len(s.fleet.Places) < 2 {
		out.Place = ""
	}
	out.About, out.Explained = s.objectLink(f.Object), "/codes/"+string(f.Code)
	return out
}
