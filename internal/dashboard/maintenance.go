package dashboard

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/lapse"
	"github.com/plimsoll-ecs/plimsoll/internal/listing"
	"github.com/plimsoll-ecs/plimsoll/internal/maintenance"
	"github.com/plimsoll-ecs/plimsoll/internal/panel"
)

// maintenanceView is the page of what AWS is going to retire.
type maintenanceView struct {
	frame
	All    int        // that retire
	Items  []itemView // of the page
	Pager  listing.Pager
	Weeks  [][]dayView
	Opens  string // when services may be redeployed next; "" is any time
	Failed string // why the plan could not be made, and this is what the audit says
}

// itemsShown is how many services a page of what retires has.
const itemsShown = 50

// itemView is one service whose tasks retire.
type itemView struct {
	maintenance.Item
	Link, Place, Word, Class, When, Left string
}

// dayView is one day of the calendar.
type dayView struct {
	Date       time.Time
	Here, Past bool // today; before today
	First      bool // of its month, or of the calendar
	Items      []itemView
	More       int
	Class      string // of the worst
}

func (s *Server) maintenance(w http.ResponseWriter, r *http.Request) {
	f := s.frame("Maintenance", "/maintenance")
	if f.seen == nil {
		s.draw(w, r, http.StatusOK, f, f.waiting())
		return
	}
	v := maintenanceView{frame: f, All: len(f.seen.plan.Items)}
	now := f.seen.report.At
	var all []itemView
	for _, i := range f.seen.plan.Items {
		all = append(all, f.seen.item(i))
	}
	a := askedBy("/maintenance", r.URL.Query())
	v.Items, v.Pager = listing.Cut(all, a.Page, itemsShown, a.page)
	if f.seen.planErr != nil {
		v.Failed = f.seen.planErr.Error()
	}
	v.Weeks = weeksOf(all, now)
	if windows := s.options.Windows; len(windows) > 0 {
		if open := windows.Next(now); open.Equal(now) {
			v.Opens = "now"
		} else if !open.IsZero() {
			v.Opens = windows.Show(open)
		}
	}
	s.draw(w, r, http.StatusOK, f, v.content())
}

// item is one service of the plan.
func (s *sight) item(i maintenance.Item) itemView {
	v := itemView{Item: i, Place: panel.Place(i.Place), When: lapse.Until(s.report.At, i.At)}
	v.Word, v.Class = stateOfItem(i)
	if i.Service != "" {
		v.Link = s.objectLink(audit.Object{Kind: audit.ServiceObject, Place: i.Place, Name: i.Cluster + "/" + i.Service})
	}
	if i.Tasks > 0 {
		v.Left = strconv.Itoa(i.Left) + " of " + strconv.Itoa(i.Tasks)
	}
	return v
}

// stateOfItem is what a restart would come to, in a word or two, and its colour.
func stateOfItem(i maintenance.Item) (word, class string) {
	switch i.State {
	case maintenance.Ready:
		if len(i.Unsure) > 0 {
			return "not known", "off"
		}
		return "comes back", "good"
	case maintenance.Losing:
		return "not on the day", "bad"
	case maintenance.Lost:
		return "does not come back", "bad"
	case maintenance.Replaced:
		return "done", "off"
	case maintenance.Alone:
		return "ends for good", "warn"
	}
	return string(i.State), "off"
}

// planOf is a plan as far as the audit alone can make one.
func (s *sight) planOf() maintenance.Plan {
	plan := maintenance.Plan{TakenAt: s.report.At}
	at := map[string]int{}
	for _, r := range s.fleet.Retirements {
		item := maintenance.Item{Place: r.Place, Cluster: r.Cluster, Service: r.Service, Events: []string{r.Event}, At: r.At, State: maintenance.Ready, Tasks: len(r.Tasks), Left: len(r.Tasks)}
		if r.Service == "" {
			if len(r.Tasks) == 0 {
				continue
			}
			item.Task, item.State = r.Tasks[0], maintenance.Alone
		}
		key := panel.Place(r.Place) + " " + item.Name()
		if k, double := at[key]; double {
			plan.Items[k].Events = append(plan.Items[k].Events, r.Event)
			if r.At.Before(plan.Items[k].At) {
				plan.Items[k].At = r.At
			}
			continue
		}
		s.foresee(&item)
		at[key] = len(plan.Items)
		plan.Items = append(plan.Items, item)
	}
	slices.SortStableFunc(plan.Items, func(a, b maintenance.Item) int { return a.At.Compare(b.At) })
	return plan
}

// foresee takes in what the audit found of the restart.
func (s *sight) foresee(item *maintenance.Item) {
	i, known := s.byService[serviceKey{item.Place, item.Cluster, item.Service}]
	if !known {
		return
	}
	service := &s.fleet.Services[i]
	item.Tasks, item.Left = service.Running, service.Running
	for _, n := range s.standings[i].Findings {
		f := &s.report.Findings[n]
		why := strings.TrimPrefix(f.Why, "AWS retires tasks for maintenance of the hosts under them, and ")
		switch {
		case f.Code != audit.RetirementFails:
			continue
		case f.Severity < audit.Error: // it may, and may not
			item.Unsure = append(item.Unsure, why)
			continue
		}
		item.State = maintenance.Losing
		if s.standings[i].State == audit.Lost {
			item.State = maintenance.Lost
		}
		item.Why = append(item.Why, why)
		for _, fix := range f.Fix {
			item.Fix = append(item.Fix, strings.TrimSuffix(fix.Say+": "+fix.Command, ": "))
		}
	}
}

// weeksOf is the calendar from the Monday of this week to the last retirement,
// two weeks at least and eight at most.
func weeksOf(items []itemView, now time.Time) [][]dayView {
	if len(items) == 0 {
		return nil
	}
	const day, named, most = 24 * time.Hour, 3, 8
	today := now.UTC().Truncate(day)
	monday := today.AddDate(0, 0, -(int(today.Weekday())+6)%7)
	byDay := map[time.Time][]itemView{}
	last := monday.AddDate(0, 0, 13)
	for _, i := range items {
		at := i.At.UTC().Truncate(day)
		if at.Before(today) { // due: it may come at any moment
			at = today
		}
		byDay[at] = append(byDay[at], i)
		if at.After(last) {
			last = at
		}
	}
	var weeks [][]dayView
	for date := monday; !date.After(last) && len(weeks) < most; date = date.AddDate(0, 0, 7) {
		var week []dayView
		for n := range 7 {
			d := date.AddDate(0, 0, n)
			on := byDay[d]
			view := dayView{Date: d, Here: d.Equal(today), Past: d.Before(today), First: d.Day() == 1 || d.Equal(monday), Items: on[:min(len(on), named)], More: max(0, len(on)-named)}
			for _, i := range on {
				if view.Class == "" || i.Class == "bad" {
					view.Class = i.Class
				}
			}
			week = append(week, view)
		}
		weeks = append(weeks, week)
	}
	return weeks
}
