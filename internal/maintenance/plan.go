package maintenance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
)

// State is how it stands with a service whose tasks retire.
type State string

// The states.
const (
	// Ready: its tasks are still the old ones, and new ones would start.
	Ready State = "ready"
	// Losing: its tasks are still the old ones, and new ones would start now, but
	// not on the day that these retire.
	Losing State = "losing"
	// Lost: its tasks are still the old ones, and no new one would start.
	Lost State = "lost"
	// Replaced: its tasks started after the notice, or it has none.
	Replaced State = "replaced"
	// Gone: there is no such service any more.
	Gone State = "gone"
	// Elsewhere: it is in another region or account than this run.
	Elsewhere State = "elsewhere"
	// Alone: a task of no service. It ends, and nothing starts another one.
	Alone State = "alone"
)

// Item is a service whose tasks retire, or a task of its own.
type Item struct {
	audit.Place
	Cluster string    `json:"cluster"`
	Service string    `json:"service,omitempty"`
	Task    string    `json:"task,omitempty"` // ARN of a task of no service
	Wave    int       `json:"wave,omitempty"`
	Events  []string  `json:"events"`            // ARNs
	At      time.Time `json:"at,omitzero"`       // not before this
	Tasks   int       `json:"tasks"`             // that run
	Left    int       `json:"left"`              // of them, those that are to be replaced
	State   State     `json:"state"`             //
	Version string    `json:"version,omitempty"` // family:revision
	Why     []string  `json:"why,omitempty"`     // what stands behind the state
	Fix     []string  `json:"fix,omitempty"`     // what to do, in the order to be tried
	Failed  bool      `json:"failed,omitempty"`  // a redeploy for these events failed before
	Unsure  []string  `json:"unsure,omitempty"`  // what could not be found out
	Waits   time.Time `json:"waits,omitzero"`    // until when it is left alone; zero: not
	arn     string    // of the service
}

// Name is what to call it: "prod/api", or the id of a task.
func (i Item) Name() string {
	if i.Service == "" {
		return i.Cluster + "/" + i.Task[strings.LastIndexByte(i.Task, '/')+1:]
	}
	return i.Cluster + "/" + i.Service
}

func (i Item) target() deploy.Target { return deploy.Target{Cluster: i.Cluster, Service: i.Service} }

// Plan is what retires, the soonest first.
type Plan struct {
	TakenAt time.Time `json:"takenAt"`
	Items   []Item    `json:"items"`
}

// Lost reports whether there is a service that could not restart, now or on the
// day.
func (p Plan) Lost() bool {
	return slices.ContainsFunc(p.Items, func(i Item) bool { return i.State == Lost || i.State == Losing })
}

// atOnce is how many services are looked at together; the call budget is what
// sets the pace.
const atOnce = 8

// Foresee finds out what the notices mean for the services: which of their tasks
// are still the old ones, and whether new ones would start. wave says when a
// service has its turn; nil is all in wave 1. Nothing is changed.
func Foresee(ctx context.Context, p Ports, notices []Notice, wave func(cluster, service string) int) (Plan, error) {
	plan := Plan{TakenAt: asOf(notices, p.Deploy.Now()), Items: []Item{}}
	notices = slices.DeleteFunc(Merge(notices), func(n Notice) bool { return n.Over })
	if len(notices) == 0 {
		return plan, nil
	}
	here, err := p.Deploy.AWS.Caller(ctx)
	if err != nil {
		return plan, err
	}
	ours, others := partition(notices, here)
	ours, err = p.findServices(ctx, ours)
	if err != nil {
		return plan, err
	}
	groups := append(group(ours), group(others)...)
	items := make([]Item, len(groups))
	outer := ctx
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(atOnce)
	for i, g := range groups {
		work.Go(func() (err error) {
			items[i], err = p.look(ctx, g, here)
			if wave != nil && items[i].Service != "" {
				items[i].Wave = wave(g.Cluster, g.Service)
			}
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return plan, err
	}
	if err := p.foresee(outer, items); err != nil {
		return plan, err
	}
	slices.SortStableFunc(items, func(a, b Item) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Name(), b.Name()))
	})
	plan.Items = items
	return plan, nil
}

// asOf is now by AWS's calendar: this machine's clock, or what AWS said last,
// should that be ahead of it, as in a rehearsal.
func asOf(notices []Notice, now time.Time) time.Time {
	for _, n := range notices {
		if n.Updated.After(now) {
			now = n.Updated
		}
	}
	return now
}

// partition tells the notices about this account and region from others.
func partition(notices []Notice, here deploy.Caller) (ours, others []Notice) {
	for _, n := range notices {
		if n.Region != "" && n.Region != here.Region || n.Account != "" && n.Account != here.Account {
			others = append(others, n)
			continue
		}
		ours = append(ours, n)
	}
	return ours, others
}

// findServices says of tasks that a notice names which service they are of.
// Those that ECS does not know any more have ended.
func (p Ports) findServices(ctx context.Context, notices []Notice) ([]Notice, error) {
	byCluster := map[string][]string{}
	for _, n := range notices {
		if n.Service == "" {
			byCluster[n.Cluster] = append(byCluster[n.Cluster], n.Tasks...)
		}
	}
	known := map[string]Task{}
	for cluster, arns := range byCluster {
		tasks, err := p.Tasks.TasksByARN(ctx, cluster, arns)
		if err != nil && !errors.Is(err, deploy.NotFound) { // the whole cluster may be gone
			return nil, err
		}
		for _, t := range tasks {
			known[t.ARN] = t
		}
	}
	var found []Notice
	for _, n := range notices {
		if n.Service != "" {
			found = append(found, n)
			continue
		}
		for _, arn := range n.Tasks {
			if t, ok := known[arn]; ok && t.Running {
				one := n
				one.Tasks = []string{arn}
				one.Service, _ = strings.CutPrefix(t.Group, "service:")
				if one.Service == t.Group { // of no service
					one.Service = ""
				}
				found = append(found, one)
			}
		}
	}
	return found, nil
}

// retiring is what all notices together say of one service.
type retiring struct {
	audit.Place
	Cluster, Service, Task string
	At, Announced          time.Time
	Events                 []string
}

// group makes one of all notices about the same service. It is to be replaced
// by the earliest date, and a task must be younger than the newest notice.
func group(notices []Notice) []retiring {
	type key struct{ region, account, cluster, service, task string }
	at := map[key]int{}
	var groups []retiring
	for _, n := range Merge(notices) {
		k := key{n.Region, n.Account, n.Cluster, n.Service, ""}
		if n.Service == "" {
			k.task = n.Tasks[0]
		}
		i, known := at[k]
		if !known {
			i = len(groups)
			at[k] = i
			groups = append(groups, retiring{Place: n.Place, Cluster: n.Cluster, Service: n.Service, Task: k.task})
		}
		g := &groups[i]
		g.At = earlier(g.At, n.At)
		if n.Announced.After(g.Announced) {
			g.Announced = n.Announced
		}
		if !slices.Contains(g.Events, n.Event) {
			g.Events = append(g.Events, n.Event)
		}
	}
	return groups
}

// look finds out how it stands with one service.
func (p Ports) look(ctx context.Context, g retiring, here deploy.Caller) (Item, error) {
	item := Item{Place: g.Place, Cluster: g.Cluster, Service: g.Service, Task: g.Task, Events: g.Events, At: g.At}
	if g.Region != "" && g.Region != here.Region || g.Account != "" && g.Account != here.Account {
		item.State = Elsewhere
		item.Why = []string{fmt.Sprintf("it is in %s of account %s, and this is %s of %s", g.Region, g.Account, here.Region, here.Account)}
		item.Fix = []string{"run the same there"}
		return item, nil
	}
	item.Place = audit.Place{Account: here.Account, Region: here.Region}
	if g.Service == "" {
		item.State, item.Tasks, item.Left = Alone, 1, 1
		item.Why = []string{"it is of no service: it is stopped, and nothing starts another one"}
		item.Fix = []string{"let it end before, or start it anew after"}
		return item, nil
	}
	s, err := p.Deploy.AWS.Service(ctx, g.Cluster, g.Service)
	if errors.Is(err, deploy.NotFound) || err == nil && s.Status == "INACTIVE" {
		item.State = Gone
		return item, nil
	}
	if err != nil {
		return item, err
	}
	item.arn, item.Version = s.ARN, rollout.RevisionName(s.TaskDefinition)
	if err := p.count(ctx, &item, s, g); err != nil {
		return item, err
	}
	if item.Left == 0 {
		item.State = Replaced
		return item, nil
	}
	restart, err := deploy.CanRestart(ctx, p.Deploy, item.target())
	if err != nil {
		return item, err
	}
	item.State, item.Failed = Ready, noted(s.Tags[tagFailed], g.Events)
	item.Unsure = append(item.Unsure, restart.Unsure...)
	item.fails(Lost, restart.Faults)
	return item, nil
}

// count counts the tasks that are still the old ones.
func (p Ports) count(ctx context.Context, item *Item, s deploy.Service, g retiring) error {
	item.Tasks, item.Left = s.Running, s.Running
	if noted(s.Tags[tagMaintained], g.Events) {
		item.Left = 0
		return nil
	}
	tasks, err := p.Deploy.AWS.Tasks(ctx, g.Cluster, g.Service, false)
	if errors.Is(err, deploy.Denied) {
		item.Unsure = append(item.Unsure, "which tasks are still the old ones: "+err.Error())
		return nil
	}
	if err != nil {
		return err
	}
	item.Tasks, item.Left = 0, 0
	for _, t := range tasks {
		if t.Stopping || t.LastStatus == "STOPPED" {
			continue
		}
		item.Tasks++
		began := t.StartedAt
		if began.IsZero() {
			began = t.CreatedAt
		}
		// Notices have whole seconds.
		if g.Announced.IsZero() || !began.Truncate(time.Second).After(g.Announced) {
			item.Left++
		}
	}
	return nil
}

// Tags of a service, with the retirements that it was last redeployed for, and
// those for which that failed. AWS Health's own word that one is over may come
// much later, and what failed must not be tried every half hour.
const (
	tagMaintained = "plimsoll:redeployed-for"
	tagFailed     = "plimsoll:redeploy-failed-for"
)

// marker is the value of the tag for some events: their ids, as many as fit into
// a tag's 256 characters.
func marker(events []string) string {
	var text string
	for _, id := range ids(events) {
		if longer := strings.TrimSpace(text + " " + id); len(longer) <= 256 {
			text = longer
		}
	}
	return text
}

// noted reports whether the tag names all of the events.
func noted(tag string, events []string) bool {
	done := strings.Fields(tag)
	return len(events) > 0 && !slices.ContainsFunc(ids(events), func(id string) bool { return !slices.Contains(done, id) })
}

// ids are what tells events apart: the ends of their ARNs.
func ids(events []string) []string {
	var list []string
	for _, e := range events {
		id := e[strings.LastIndexByte(e, '/')+1:]
		list = append(list, id[strings.LastIndexByte(id, '_')+1:])
	}
	slices.Sort(list)
	return list
}
