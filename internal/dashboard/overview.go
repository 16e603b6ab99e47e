package dashboard

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/listing"
	"github.com/plimsoll-ecs/plimsoll/internal/noun"
	"github.com/plimsoll-ecs/plimsoll/internal/panel"
)

// servicesShown is how many services a page of the fleet has.
const servicesShown = 50

// fleetView is the page of the fleet.
type fleetView struct {
	frame
	Asked   asked
	Verdict panel.Verdict
	Seen    []panel.Fact
	Tabs    []listing.Tab
	Rows    []serviceRow
	Pager   listing.Pager
	Several bool // places
}

// serviceRow is one service of the fleet.
type serviceRow struct {
	Link, Cluster, Name, Place string
	State                      audit.State
	Version, More              string // the tag that runs, and how many others beside it
	Running, Desired           int
	Says, When                 string
	Errors, Warnings, Notes    int
}

func (s *Server) overview(w http.ResponseWriter, r *http.Request) {
	f := s.frame("Fleet", "/")
	if f.seen == nil {
		s.draw(w, r, http.StatusOK, f, f.waiting())
		return
	}
	v := f.seen.overview(askedBy("/", r.URL.Query()))
	v.frame = f
	s.draw(w, r, http.StatusOK, f, v.content())
}

// overview is the fleet by restart safety, the worst first.
func (s *sight) overview(a asked) fleetView {
	v := fleetView{Asked: a, Verdict: panel.VerdictOf(s.report.Tally(), s.report.Horizon), Seen: panel.SeenOf(s.report.Seen), Several: len(s.fleet.Places) > 1}
	var counts [audit.Safe + 1]int
	var shown []int
	for _, i := range s.worst {
		service, state := &s.fleet.Services[i], s.standings[i].State
		version, _ := versionOf(service)
		if !a.matches(service.Cluster+"/"+service.Name, version, panel.Place(service.Place)) {
			continue
		}
		counts[state]++
		if a.Show == "" || a.Show == state.String() {
			shown = append(shown, i)
		}
	}
	all := 0
	for _, n := range counts {
		all += n
	}
	v.Tabs = append(v.Tabs, a.tab("all", "", "", all))
	for state, n := range counts {
		if name := audit.State(state).String(); n > 0 || a.Show == name {
			v.Tabs = append(v.Tabs, a.tab(stateWord(audit.State(state)), name, stateClass(audit.State(state)), n))
		}
	}
	shown, v.Pager = listing.Cut(shown, a.Page, servicesShown, a.page)
	for _, i := range shown {
		v.Rows = append(v.Rows, s.row(i))
	}
	return v
}

// firstScreen is how many rows a window shows before it is scrolled, and more: those
// after them are laid out when they come near, so that the first ones are painted
// sooner.
const firstScreen = 20

// screens are the rows, those of the first screen and the rest.
func (v fleetView) screens() [][]serviceRow {
	if len(v.Rows) <= firstScreen {
		return [][]serviceRow{v.Rows}
	}
	return [][]serviceRow{v.Rows[:firstScreen], v.Rows[firstScreen:]}
}

// row is a service in short.
func (s *sight) row(i int) serviceRow {
	service, standing := &s.fleet.Services[i], &s.standings[i]
	row := serviceRow{
		Link: serviceLink(service.Place, service.Cluster, service.Name), Cluster: service.Cluster, Name: service.Name, Place: panel.Place(service.Place),
		State: standing.State, Running: service.Running, Desired: service.Desired,
	}
	row.Version, row.More = versionOf(service)
	for _, n := range standing.Findings {
		f := &s.report.Findings[n]
		switch {
		case f.Accepted != "":
			continue
		case f.Severity == audit.Error:
			row.Errors++
		case f.Severity == audit.Warning:
			row.Warnings++
		default:
			row.Notes++
		}
		if row.Says == "" && f.Severity > audit.Note {
			row.Says = about(f)
		}
	}
	if standing.First != nil && standing.State == audit.Losing {
		dated := *standing.First
		dated.Pushes = 0 // said already
		row.When = dated.Words(s.report.At)
	}
	switch {
	case row.Says != "":
	case standing.State == audit.Unknown:
		row.Says = "something that it needs could not be read"
	case standing.State == audit.Safe && service.Desired == 0:
		row.Says = "stopped; could start at any time"
	case standing.State == audit.Safe:
		row.Says = "could restart at any time"
	default:
		row.Says = "accepted"
	}
	return row
}

// versionOf is the tag that a service runs, of the container of its own name,
// else of the first, and how many other images there are.
func versionOf(s *audit.Service) (version, more string) {
	if len(s.Runs) == 0 {
		return "", ""
	}
	containers := s.Runs[0].Containers
	if len(containers) == 0 {
		return "", ""
	}
	main := max(0, slices.IndexFunc(containers, func(c audit.Container) bool { return c.Name == s.Name }))
	if len(containers) > 1 {
		more = "+" + noun.Digits(len(containers)-1)
	}
	return tagOf(containers[main].Image), more
}

// tagOf is the tag of an image, or its digest where it has none.
func tagOf(name string) string {
	ref, err := image.Parse(name)
	switch {
	case err != nil:
		return name
	case ref.Tag != "":
		return ref.Tag
	case ref.Digest != "":
		return panel.ShortDigest(ref.Digest)
	}
	return "latest"
}

// worstFirst is the order in which services are shown: by state, then by the
// day on which they may be lost, then by what was found, then by name.
func (s *sight) worstFirst() []int {
	order := make([]int, len(s.standings))
	for i := range order {
		order[i] = i
	}
	weight := func(i int) (n int) {
		for _, k := range s.standings[i].Findings {
			if f := &s.report.Findings[k]; f.Accepted == "" {
				n = max(n, int(f.Severity))
			}
		}
		return n
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := &s.standings[a], &s.standings[b]
		return cmp.Or(cmp.Compare(x.State, y.State), sooner(x.First, y.First), cmp.Compare(weight(b), weight(a)),
			strings.Compare(s.fleet.Services[a].Cluster, s.fleet.Services[b].Cluster), strings.Compare(s.fleet.Services[a].Name, s.fleet.Services[b].Name))
	})
	return order
}

// sooner puts what may come first before what comes later, and that before what
// has no day.
func sooner(a, b *audit.When) int {
	switch {
	case a == nil || a.Earliest.IsZero():
		if b == nil || b.Earliest.IsZero() {
			return 0
		}
		return 1
	case b == nil || b.Earliest.IsZero():
		return -1
	}
	return a.Earliest.Compare(b.Earliest)
}
