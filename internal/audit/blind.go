package audit

import (
	"fmt"
	"strings"
)

// foreigner is an image of another registry, and who needs it.
type foreigner struct {
	place Place // the first of those that need it
	by    []string
}

// meet notes an image of a registry that was not looked into.
func (j *judge) meet(image string, u *user) {
	f := j.foreigners[image]
	if f == nil {
		f = &foreigner{place: u.object.Place}
		j.foreigners[image] = f
	}
	f.by = append(f.by, u.object.Name)
	if p := u.object.Place; p.Account < f.place.Account || p.Account == f.place.Account && p.Region < f.place.Region {
		f.place = p
	}
}

// foreign says once of every such image that it was not judged.
func (j *judge) foreign() {
	for image, f := range j.foreigners {
		j.add(Finding{
			Code: OtherRegistry, Severity: Note, Object: Object{Kind: ImageObject, Place: f.place, Name: image}, Image: image,
			What: fmt.Sprintf("%s is of another registry, and whether it can be pulled was not judged", image),
			Why:  "needed by " + list(distinct(f.by)),
			Fix:  []Fix{{Say: "copy it into a repository of yours, or let the audit read the account and region that it is in"}},
		})
	}
}

// blind says what could not be seen, and which action would show it.
func (j *judge) blind() {
	for _, b := range j.fleet.Blind {
		f := Finding{
			Code: Unseen, Severity: Note, Object: Object{Kind: PlaceObject, Place: b.Place, Name: b.About}, Part: b.Action,
			What: b.About + " could not be seen",
			Why:  b.Action + ": " + b.Reason,
		}
		switch {
		case b.denied():
			f.Fix = []Fix{{Say: "allow " + b.Action + " to the role that runs the audit"}}
		case b.whole():
			f.Fix = []Fix{{Say: "check the account, the region and the role that accounts: of plimsoll.yaml names for it"}}
		}
		if b.whole() { // nothing of it is judged, and no finding there would say so
			f.Severity = Warning
		}
		j.add(f)
	}
}

// whole says whether it is all of an account and region: who asks was not even
// told who it is there.
func (b *Blind) whole() bool { return strings.HasPrefix(b.Action, "sts:") }

// denied says whether a read failed for want of a permission: AWS's services
// have several words for it, and the reason quotes them.
func (b *Blind) denied() bool {
	for _, word := range []string{"AccessDenied", "not authorized", "UnauthorizedOperation", "AuthorizationError"} {
		if strings.Contains(b.Reason, word) {
			return true
		}
	}
	return false
}

// definitionGone is a schedule that has no task definition to run.
func (j *judge) definitionGone(u *user, s *Schedule, r *Revision) {
	for _, b := range j.fleet.Blind {
		if r == nil && b.Place == s.Place && strings.HasSuffix(b.Action, "DescribeTaskDefinition") {
			u.blind = true
			return
		}
	}
	f := Finding{Code: DefinitionGone, Severity: Error, Object: u.object}
	if u.minor {
		f.Severity = Warning
	}
	name := shortARN(s.TaskDefinition)
	f.What = fmt.Sprintf("%s: its task definition %s is not there", u.cannot(), name)
	f.Why = "no ACTIVE revision of the family was found"
	if r != nil {
		f.What = fmt.Sprintf("%s: its task definition %s is deregistered", u.cannot(), name)
		f.Why = "RunTask refuses a revision that is INACTIVE"
	}
	f.Fix = []Fix{{Say: fmt.Sprintf("let the %s name family %s or a revision that is ACTIVE", s.Kind, familyOf(s.TaskDefinition))}}
	j.add(f)
}
