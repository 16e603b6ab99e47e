package audit

// State is whether a service could restart.
type State int

// The states, from the worst. Lost: a restart fails now. Losing: it may fail
// within the horizon, or before an image is back from the archive. Unknown:
// something that it needs could not be read.
const (
	Lost State = iota
	Losing
	Unknown
	Safe
)

// Standing is how a service stands, and what was found about it.
type Standing struct {
	Service  int // index of the fleet's services
	State    State
	First    *When // of the losses to come, the one that may come first; nil without one
	Findings []int // indexes of the report's findings on it, in their order
}

// Standings says of every service of the fleet how it stands by the report that
// was made of it, in the order of the fleet.
func Standings(fleet Fleet, r Report) []Standing {
	found := map[string][]int{}
	for i := range r.Findings {
		if o := &r.Findings[i].Object; o.Kind == ServiceObject {
			found[o.key()] = append(found[o.key()], i)
		}
	}
	blind := map[string]bool{}
	for _, u := range newJudge(&fleet, &Options{}).users {
		for i := range u.uses {
			if use := &u.uses[i]; use.release == 0 && use.standing == unseen {
				blind[u.object.key()] = true
			}
		}
	}
	list := make([]Standing, len(fleet.Services))
	for i := range fleet.Services {
		s := &fleet.Services[i]
		k := serviceObject(s.Place, s.Cluster, s.Name).key()
		list[i] = Standing{Service: i, State: Safe, Findings: found[k]}
		if blind[k] || len(s.Runs) == 0 {
			list[i].State = Unknown
		}
		for _, n := range found[k] {
			list[i].take(&r.Findings[n])
		}
	}
	return list
}

// take counts a finding in.
func (s *Standing) take(f *Finding) {
	switch {
	case f.Severity == Error && f.When == nil:
		s.State = Lost
	case f.loses():
		s.State = min(s.State, Losing)
	}
	if f.loses() && f.When != nil && (s.First == nil || f.When.Earliest.Before(s.First.Earliest)) {
		s.First = f.When
	}
}

// loses says whether a finding is about what a restart needs.
func (f *Finding) loses() bool {
	switch f.Code {
	case ImageGone, DigestGone, ImageArchived, ImageRestoring, IndexBroken, LostAtNextRun, Sinks:
		return true
	}
	return false
}

// String is the state as pages and filters write it.
func (s State) String() string {
	return [...]string{"lost", "losing", "unknown", "safe"}[s]
}
