package audit_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// What is foreseen is what happens. From a random repository that nobody
// pushes to any more, ECR's runs of every night are carried out, and the audit
// of the first day is held to them: an image that goes was named, with the day
// when an age rule takes it, and an image that was called lost is lost.
func TestWhatIsForeseenIsWhatHappens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const horizon = 14
		f := drawFleet(t)
		f.Retirements, f.Tasks, f.Schedules, f.Definitions = nil, nil, nil, nil
		for i := range f.Services {
			f.Services[i].Before = nil
		}
		r := audit.Judge(f, audit.Options{Now: now(), Horizon: horizon * 24 * time.Hour})
		foreseen := map[string]audit.Finding{} // by service and container
		for _, finding := range r.Findings {
			if finding.Object.Kind == audit.ServiceObject && slices.Contains(losses(), finding.Code) && finding.Container != "" {
				foreseen[finding.Object.Name+" "+finding.Container] = finding
			}
		}
		startable, first := could(f), f
		first.Repositories = slices.Clone(f.Repositories)
		for day := 0; day <= horizon; day++ {
			at := now().AddDate(0, 0, day)
			runAll(t, &f, at)
			for key, can := range could(f) {
				finding, said := foreseen[key]
				switch {
				case startable[key] && !can && !said:
					t.Fatalf("%s is lost on %s, and nobody said so:\n%v", key, date(at), shorts(r))
				case startable[key] && !can && finding.When == nil:
					t.Fatalf("%s is lost on %s, and %s has no date: %s", key, date(at), finding.Code, finding.What)
				case startable[key] && !can && finding.When.Earliest.After(at):
					t.Fatalf("%s is lost on %s, which is before %s: %s", key, date(at), date(finding.When.Earliest), finding.What)
				case can && said && finding.Severity == audit.Error && finding.When != nil && finding.When.Latest.Before(at.AddDate(0, 0, -held(first, finding.Digest))):
					t.Fatalf("%s is there on %s: %s", key, date(at), finding.What)
				}
			}
		}
		for key, can := range startable {
			if finding, said := foreseen[key]; !can && !said || can && said && finding.When == nil {
				t.Fatalf("%s can start now: %v, and the audit says %+v", key, can, finding)
			}
		}
	})
}

// could says of each container whether it could be started now, without any
// of the audit's code: by hand, for fleets of registries and repositories r0 to
// r2 as drawFleet makes them.
func could(f audit.Fleet) map[string]bool {
	can := map[string]bool{}
	for _, s := range f.Services {
		for _, c := range s.Runs[0].Containers {
			host, path, _ := strings.Cut(c.Image, "/")
			name, tag, _ := strings.Cut(path, ":")
			if host == "docker.io" || len(f.Blind) > 0 { // not judged
				continue
			}
			key := s.Cluster + "/" + s.Name + " " + c.Name
			can[key] = false
			for _, r := range f.Repositories {
				if r.Name != name {
					continue
				}
				for _, img := range r.Images {
					pinned := c.Digest != "" && !c.Unpinned
					if pinned && img.Digest == c.Digest || !pinned && slices.Contains(img.Tags, tag) {
						can[key] = img.Status == lifecycle.Active && whole(r, img)
					}
				}
			}
		}
	}
	return can
}

func whole(r audit.Repository, index audit.Image) bool {
	for _, child := range index.Children {
		if !slices.ContainsFunc(r.Images, func(img audit.Image) bool { return img.Digest == child && img.Status == lifecycle.Active }) {
			return false
		}
	}
	return true
}

// held is how many runs an image outlives its day because indexes of indexes
// hold it: what an index lists can go in the run after its own at the earliest.
func held(f audit.Fleet, child string) int {
	most := 0
	for _, r := range f.Repositories {
		for _, img := range r.Images {
			if slices.Contains(img.Children, child) {
				most = max(most, 1+held(audit.Fleet{Repositories: []audit.Repository{r}}, img.Digest))
			}
		}
	}
	return most
}

// runAll runs every policy as ECR does in one night.
func runAll(t *rapid.T, f *audit.Fleet, at time.Time) {
	for i := range f.Repositories {
		r := &f.Repositories[i]
		p, err := lifecycle.ParsePolicy([]byte(r.Policy))
		if err != nil {
			continue
		}
		var plain []lifecycle.Image
		for _, img := range r.Images {
			plain = append(plain, img.Image)
		}
		r.Images = nil
		for _, img := range lifecycle.Evaluate(p, plain, at, lifecycle.OneReading()).Apply(plain) {
			r.Images = append(r.Images, audit.Image{Image: img})
		}
	}
}
