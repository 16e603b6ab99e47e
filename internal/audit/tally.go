package audit

// Tally is a report in numbers.
type Tally struct {
	Services int // that were judged
	Now      int // of them, those that could restart now
	Safe     int // and those that could at any time within the horizon

	Errors, Warnings, Notes int // findings that count
	Accepted                int // and those that do not
}

// Tally counts. A finding that is accepted mends no service: whether one could
// restart is what is so, and not what was agreed to.
func (r Report) Tally() Tally {
	lost := map[Object]bool{}
	t := Tally{Services: r.Seen.Services}
	for _, f := range r.Findings {
		if f.Severity == Error && f.When == nil && f.Object.Kind == ServiceObject {
			lost[f.Object] = true
		}
		switch {
		case f.Accepted != "":
			t.Accepted++
		case f.Severity == Error:
			t.Errors++
		case f.Severity == Warning:
			t.Warnings++
		default:
			t.Notes++
		}
	}
	t.Now = max(t.Services-len(lost), 0)
	t.Safe = min(r.Seen.Safe, t.Now)
	return t
}
