package audit

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// Judge says what is wrong with a fleet, or will be. The order of what is in
// the fleet does not matter, and findings that a rule or the baseline accepts
// are still there, with the reason.
func Judge(fleet Fleet, o Options) Report {
	o.Now = later(o.Now, fleet.latest())
	j := newJudge(&fleet, &o)
	j.hits = j.retired()
	for _, hit := range j.hits { // the horizon reaches the day that a restart is sure to come
		if hit.user != nil {
			hit.user.until = later(hit.user.until, hit.retirement.At)
		}
	}
	var buffer []lifecycle.Image
	for _, r := range j.registries.all {
		buffer = r.doomed(&o, buffer)
	}
	for _, u := range j.users {
		j.judgeUser(u)
	}
	j.retirements()
	for _, r := range j.registries.all {
		j.repository(r)
	}
	j.roles()
	j.foreign()
	j.blind()
	j.acceptExpired()
	accept(j.findings, o)
	sortFindings(j.findings)
	return Report{At: o.Now, Horizon: o.Horizon, Findings: slices.Concat([]Finding{}, j.findings), Seen: j.seen(), Blind: fleet.Blind}
}

// latest is the latest time that AWS has reported as past.
func (f *Fleet) latest() time.Time {
	var latest time.Time
	for i := range f.Repositories {
		r := &f.Repositories[i]
		latest = later(latest, r.EvaluatedAt)
		for k := range r.Images {
			latest = later(latest, lastSign(&r.Images[k]))
		}
	}
	for i := range f.Services {
		for _, release := range f.Services[i].Runs {
			latest = later(latest, release.At)
		}
	}
	for i := range f.Tasks {
		latest = later(latest, f.Tasks[i].StartedAt)
	}
	return latest
}

// judge is the work on one fleet.
type judge struct {
	fleet      *Fleet
	o          *Options
	registries *registries
	newest     map[family]Revision
	users      []*user
	foreigners map[string]*foreigner
	hits       []retired
	regions    map[string]bool
	findings   []Finding
}

// add files a finding and says where it is.
func (j *judge) add(f Finding) int {
	j.findings = append(j.findings, f)
	return len(j.findings) - 1
}

// newJudge knows who uses which image of the fleet.
func newJudge(fleet *Fleet, o *Options) *judge {
	j := &judge{
		fleet: fleet, o: o, registries: indexRegistries(fleet), newest: newestRevisions(fleet.Definitions),
		foreigners: map[string]*foreigner{}, regions: map[string]bool{},
	}
	for _, p := range fleet.Places {
		j.regions[p.Region] = true
	}
	j.collect()
	return j
}

// judgeUser is everything that is said of one service, schedule or task.
func (j *judge) judgeUser(u *user) {
	u.until = later(u.until, j.o.Now.Add(j.o.Horizon))
	said := map[sameLoss]bool{} // while a rollout is under way two releases may share a loss
	for i := range u.uses {
		if use := &u.uses[i]; use.release == 0 {
			if same := (sameLoss{use.container.Name, use.container.Image, use.digest}); !said[same] {
				said[same] = true
				j.restart(u, use)
			}
		}
	}
	if u.svc != nil {
		j.rollbacks(u)
		j.growth(u)
	}
}

type sameLoss struct{ container, image, digest string }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (j *judge) seen() Seen {
	clusters := map[string]bool{}
	s := Seen{Services: len(j.fleet.Services), Tasks: len(j.fleet.Tasks), Schedules: len(j.fleet.Schedules), Repositories: len(j.fleet.Repositories)}
	for i := range j.fleet.Repositories {
		s.Images += len(j.fleet.Repositories[i].Images)
	}
	for _, service := range j.fleet.Services {
		clusters[service.Account+"\x00"+service.Region+"\x00"+service.Cluster] = true
	}
	for _, task := range j.fleet.Tasks {
		clusters[task.Account+"\x00"+task.Region+"\x00"+task.Cluster] = true
	}
	s.Clusters = len(clusters)
	for _, u := range j.users {
		if u.svc != nil && len(u.svc.Runs) > 0 && !u.blind && len(u.lost)+len(u.losing) == 0 {
			s.Safe++
		}
	}
	return s
}

func sortFindings(findings []Finding) {
	slices.SortFunc(findings, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(b.Severity, a.Severity), strings.Compare(string(a.Code), string(b.Code)), // losses have the lowest codes
			strings.Compare(a.Object.Account, b.Object.Account), strings.Compare(a.Object.Region, b.Object.Region),
			strings.Compare(string(a.Object.Kind), string(b.Object.Kind)), strings.Compare(a.Object.Name, b.Object.Name),
			strings.Compare(a.Container, b.Container), strings.Compare(a.Image, b.Image), strings.Compare(a.Digest, b.Digest),
			strings.Compare(a.Part, b.Part), strings.Compare(a.What, b.What),
		)
	})
}
