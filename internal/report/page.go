package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/noun"
	"github.com/plimsoll-ecs/plimsoll/internal/panel"
)

// page is all that the HTML report says, in the order in which it says it.
type page struct {
	At          time.Time
	Places      string
	Horizon     string // "14 days"
	Verdict     panel.Verdict
	Seen        []panel.Fact
	Severities  []severityGroup // of findings that count, the worst first
	LoadLines   []LoadLine
	Undrawn     int
	Retirements []retirement
	Accepted    []panel.Finding
	Blind       []audit.Blind
	Rules       []audit.Explanation // of the codes that occur
}

// severityGroup is the findings of one severity.
type severityGroup struct {
	Word  string // of the severity
	Title string
	Says  string
	Count int
	Codes []codeGroup
}

// codeGroup is the findings of one code. They are folded away where there are
// too many to read at once.
type codeGroup struct {
	Code  audit.Code
	Title string
	Open  bool
	Found []panel.Finding
}

// retirement is one announced end of tasks.
type retirement struct {
	What, Place, When string
	At                time.Time
	// Loss is the id of the finding that says that its restart fails, and Says
	// that in short; "" without one.
	Loss, Says string
}

// readable is how many findings of a code are shown at once.
const readable = 12

func (d Document) page() page {
	p := page{
		At: d.At.UTC(), Places: d.places(), Horizon: panel.Days(d.Horizon), Seen: panel.SeenOf(d.Report.Seen),
		LoadLines: d.LoadLines, Undrawn: d.Undrawn, Blind: d.Blind,
	}
	for _, s := range []audit.Severity{audit.Error, audit.Warning, audit.Note} {
		if group := d.severityGroup(s); group.Count > 0 {
			p.Severities = append(p.Severities, group)
		}
	}
	occurs := map[audit.Code]bool{}
	for _, f := range d.Findings {
		occurs[f.Code] = true
		if f.Accepted != "" {
			p.Accepted = append(p.Accepted, d.finding(f))
		}
	}
	for _, r := range d.rules() {
		if occurs[r.Code] && r.Means != "" {
			p.Rules = append(p.Rules, r)
		}
	}
	for _, r := range d.Retirements {
		p.Retirements = append(p.Retirements, d.retirement(r))
	}
	slices.SortStableFunc(p.Retirements, func(a, b retirement) int { return a.At.Compare(b.At) })
	p.Verdict = panel.VerdictOf(d.Tally(), d.Horizon)
	return p
}

func (d Document) severityGroup(s audit.Severity) severityGroup {
	group := severityGroup{Word: s.String()}
	switch s {
	case audit.Error:
		group.Title, group.Says = "Errors", "A restart fails now, or one that is sure to come will."
	case audit.Warning:
		group.Title, group.Says = "Warnings", "A restart may fail within "+panel.Days(d.Horizon)+", or a safeguard is missing."
	default:
		group.Title, group.Says = "Notes", "Worth knowing."
	}
	for _, f := range d.Findings {
		if f.Severity != s || f.Accepted != "" {
			continue
		}
		group.Count++
		i := slices.IndexFunc(group.Codes, func(c codeGroup) bool { return c.Code == f.Code })
		if i < 0 {
			i = len(group.Codes)
			group.Codes = append(group.Codes, codeGroup{Code: f.Code, Title: d.title(f.Code)})
		}
		group.Codes[i].Found = append(group.Codes[i].Found, d.finding(f))
	}
	for i, c := range group.Codes {
		group.Codes[i].Open = s != audit.Note && len(c.Found) <= readable
	}
	return group
}

func (d Document) finding(f audit.Finding) panel.Finding {
	return panel.FindingOf(f, "f-"+fingerprint(f)[:12], d.At)
}

// retirement finds out whether the restart that it brings fails.
func (d Document) retirement(r audit.Retirement) retirement {
	out := retirement{Place: panel.Place(r.Place), At: r.At.UTC(), When: audit.When{Likely: r.At}.Words(d.At.UTC())}
	switch {
	case r.Service != "":
		out.What = r.Cluster + "/" + r.Service
	default:
		out.What = noun.Count(len(r.Tasks), "task") + " of cluster " + r.Cluster
	}
	for _, f := range d.Findings {
		if r.Service == "" || f.Object.Kind != audit.ServiceObject || f.Object.Place != r.Place || f.Object.Name != out.What {
			continue
		}
		if says := atRestart(f, r.At); says != "" {
			out.Loss, out.Says = d.finding(f).ID, says+": "+string(f.Code)
			break
		}
	}
	return out
}

// atRestart is what a finding says of a restart at a time; "" is nothing.
func atRestart(f audit.Finding, at time.Time) string {
	switch {
	case f.When != nil && f.When.Earliest.After(at):
		return ""
	case f.Severity == audit.Error:
		return "would not come back"
	case f.Severity == audit.Warning && f.When != nil && !f.When.Earliest.IsZero():
		return "may not come back"
	}
	return ""
}

func (d Document) title(c audit.Code) string {
	for _, r := range d.Rules {
		if r.Code == c {
			return r.Title
		}
	}
	return ""
}

// places are the accounts and regions of all that was judged.
func (d Document) places() string {
	var all []string
	add := func(p audit.Place) {
		if text := panel.Place(p); text != "" && !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	for _, o := range d.Judged {
		add(o.Place)
	}
	for _, f := range d.Findings {
		add(f.Object.Place)
	}
	slices.Sort(all)
	const few = 3
	if len(all) > few {
		return strings.Join(all[:few], ", ") + " and " + strconv.Itoa(len(all)-few) + " more"
	}
	return strings.Join(all, ", ")
}

func title(c codeGroup) string { return cmp.Or(c.Title, fmt.Sprintf("Findings %s", c.Code)) }
