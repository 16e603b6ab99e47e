package survey

import (
	"cmp"
	"slices"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
)

func (s *survey) sortPlaces() {
	slices.SortFunc(s.places, func(a, b *place) int { return comparePlaces(a.Place, b.Place) })
}

func comparePlaces(a, b audit.Place) int {
	return cmp.Or(strings.Compare(a.Account, b.Account), strings.Compare(a.Region, b.Region))
}

// fleet puts together what was read, in an order that does not depend on which
// answer came first.
func (s *survey) fleet() audit.Fleet {
	f := audit.Fleet{
		TakenAt: s.taken.UTC(), Repositories: s.repos, Blind: s.blinds.fleet(),
		Definitions: map[string]audit.Revision{}, Roles: map[string]audit.Role{},
	}
	for _, p := range s.places {
		f.Places = append(f.Places, p.Place)
		f.Services = append(f.Services, p.services...)
		f.Tasks = append(f.Tasks, p.tasks...)
		f.Schedules = append(f.Schedules, p.schedules...)
		f.Retirements = append(f.Retirements, p.retirements...)
		for _, d := range p.definitions {
			if d.found {
				f.Definitions[d.revision.ARN] = d.revision
			}
		}
		for arn, role := range p.roles {
			f.Roles[arn] = role
		}
		f.Pipelines = append(f.Pipelines, p.pipelines...)
	}
	slices.Sort(f.Pipelines)
	f.Pipelines = slices.Compact(f.Pipelines) // an account has its roles once, whatever its regions
	slices.SortFunc(f.Services, func(a, b audit.Service) int {
		return cmp.Or(comparePlaces(a.Place, b.Place), strings.Compare(a.Cluster, b.Cluster), strings.Compare(a.Name, b.Name))
	})
	slices.SortFunc(f.Tasks, func(a, b audit.Task) int {
		return cmp.Or(comparePlaces(a.Place, b.Place), strings.Compare(a.Cluster, b.Cluster), strings.Compare(a.Group, b.Group), strings.Compare(a.ARN, b.ARN))
	})
	slices.SortFunc(f.Schedules, func(a, b audit.Schedule) int {
		return cmp.Or(comparePlaces(a.Place, b.Place), strings.Compare(a.Kind, b.Kind), strings.Compare(a.Name, b.Name), strings.Compare(a.TaskDefinition, b.TaskDefinition))
	})
	slices.SortFunc(f.Retirements, func(a, b audit.Retirement) int {
		return cmp.Or(comparePlaces(a.Place, b.Place), a.At.Compare(b.At), strings.Compare(a.Event, b.Event),
			strings.Compare(a.Cluster, b.Cluster), strings.Compare(a.Service, b.Service))
	})
	slices.SortFunc(f.Repositories, func(a, b audit.Repository) int {
		return cmp.Or(comparePlaces(a.Place, b.Place), strings.Compare(a.Name, b.Name))
	})
	for _, r := range f.Repositories {
		slices.SortFunc(r.Images, func(a, b audit.Image) int {
			return cmp.Or(b.PushedAt.Compare(a.PushedAt), strings.Compare(a.Digest, b.Digest))
		})
	}
	return f
}
