package maintenance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// Waiting is the outcome of a service that has its turn later.
const Waiting = "waiting"

// RunRequest says how a plan is carried out.
type RunRequest struct {
	Windows Windows
	// Ahead leaves a service alone until so long before its retirement, since an
	// ordinary deploy may replace its tasks meanwhile; 0 is as soon as can be.
	// The last window before the retirement counts whatever this says.
	Ahead     time.Duration
	Waves     []int    // only the services of these; nil is all
	Only      []string // only these, "cluster/service" or the service alone; nil is all
	DryRun    bool
	KeepGoing bool // go on with others when a rollout fails
	Again     bool // try once more what failed before
	Timeout   time.Duration
	deploy.Watching
	// Replace replaces the tasks of a service; nil is [deploy.Redeploy].
	Replace func(t deploy.Target, dryRun bool) deploy.Act
}

// Outcome is what became of a plan.
type Outcome struct {
	Results []deploy.Result
	items   []Item // beside the results
	skipped []Item // that were not meant
}

// Sum is what all of it came to; see [deploy.Sum].
func (o Outcome) Sum() story.Verdict {
	if len(o.Results) == 0 {
		return story.Verdict{Outcome: deploy.Unchanged, Summary: "no task retires"}
	}
	return deploy.Sum(o.Results)
}

// Settled reports whether nothing is left to do about these events.
func (o Outcome) Settled(events []string) bool {
	about := func(i Item) bool {
		return slices.ContainsFunc(i.Events, func(e string) bool { return slices.Contains(events, e) })
	}
	for i, item := range o.items {
		if v := o.Results[i].Verdict; about(item) && (v.ExitCode != 0 || v.Outcome == Waiting) {
			return false
		}
	}
	return !slices.ContainsFunc(o.skipped, about)
}

// Run replaces the tasks of the services of a plan: wave by wave, one service
// after the other. A service that has new tasks already is left alone; one whose
// image is gone is refused, and the others go on. When a rollout fails it is put
// back and no other service is begun, unless the request says to keep going.
// With a deadline of ctx, no service is begun that has no time left to come to
// its verdict.
func Run(ctx context.Context, p Ports, plan Plan, r RunRequest, tell story.Teller) (Outcome, error) {
	if r.Replace == nil {
		r.Replace = p.redeploy(r)
	}
	w := &run{Ports: p, RunRequest: r, tell: tell}
	var out Outcome
	for _, item := range plan.Items {
		switch {
		case item.State == Gone || item.State == Alone:
			continue // nothing can be done, and nothing is left to do
		case !r.means(item):
			out.skipped = append(out.skipped, item)
			continue
		}
		out.items = append(out.items, item)
	}
	out.Results = make([]deploy.Result, len(out.items))
	var members []deploy.Member
	var places []int
	for i, item := range out.items {
		verdict, err := w.before(ctx, item)
		if errors.Is(err, deploy.Setup) || ctx.Err() != nil {
			return Outcome{}, cmp.Or(ctx.Err(), err)
		}
		if verdict.Outcome != "" {
			out.Results[i] = w.result(item, verdict, err)
			continue
		}
		members = append(members, deploy.Member{Target: item.target(), Wave: item.Wave, Do: w.act(item)})
		places = append(places, i)
	}
	if len(members) == 0 {
		return out, nil
	}
	order := make([]int, len(members))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(members[a].Wave, members[b].Wave) })
	fleet := deploy.FleetRequest{MaxParallel: 1, KeepGoing: r.KeepGoing}
	for _, i := range order {
		fleet.Members = append(fleet.Members, members[i])
	}
	results, err := deploy.Fleet(ctx, fleet, p.Deploy.Now, tell)
	if err != nil {
		return Outcome{}, err
	}
	for n, i := range order {
		out.Results[places[i]] = results[n]
	}
	return out, nil
}

// means reports whether a service is one of those that the request is about.
func (r RunRequest) means(i Item) bool {
	return (len(r.Waves) == 0 || slices.Contains(r.Waves, i.Wave)) &&
		(len(r.Only) == 0 || slices.Contains(r.Only, i.Service) || slices.Contains(r.Only, i.Name()))
}

// run is a plan being carried out.
type run struct {
	Ports
	RunRequest
	tell story.Teller
}

// redeploy replaces tasks by new ones of the same images.
func (p Ports) redeploy(r RunRequest) func(deploy.Target, bool) deploy.Act {
	return func(t deploy.Target, dryRun bool) deploy.Act {
		return func(ctx context.Context, tell story.Teller) (story.Verdict, error) {
			return deploy.Redeploy(ctx, p.Deploy, deploy.RedeployRequest{
				Target: t, DryRun: dryRun, Timeout: TimeLeft(ctx, p.Deploy.Now(), r.Timeout), Watching: r.Watching,
			}, tell)
		}
	}
}

// before decides on a service without changing it: a verdict where it is left
// alone, none where its tasks are to be replaced.
func (w *run) before(ctx context.Context, item Item) (story.Verdict, error) {
	switch item.State {
	case Replaced:
		return story.Verdict{Outcome: deploy.Unchanged, Summary: "its tasks started after the notice; nothing was changed"}, nil
	case Elsewhere:
		return story.Verdict{Outcome: deploy.Refused, ExitCode: refused, Summary: item.Why[0] + "; nothing was changed", Next: item.Fix}, nil
	}
	if item.State == Lost {
		faults := make([]deploy.Fault, len(item.Why))
		for i, why := range item.Why {
			faults[i] = deploy.Fault{Check: "image", What: why}
			if len(item.Fix) > 0 {
				faults[i].Do = item.Fix[min(i, len(item.Fix)-1)]
			}
		}
		err := &deploy.PreflightError{Faults: faults}
		return story.Verdict{Outcome: deploy.Refused, ExitCode: refused, Summary: "it could not restart; nothing was changed", Next: item.Fix}, err
	}
	if item.Failed && !w.Again {
		return story.Verdict{Outcome: deploy.Refused, ExitCode: refused, Summary: "a redeploy for this retirement has failed before, and is not tried again by itself; nothing was changed",
			Next: []string{"plimsoll diagnose --cluster " + item.Cluster + " --service " + item.Service, "plimsoll maintenance run --again --service " + item.Name()}}, nil
	}
	if verdict, waits := w.wait(item); waits {
		return verdict, nil
	}
	verdict, err := w.Replace(item.target(), true)(ctx, func(e story.Event) {
		if w.DryRun && e.Kind != story.Final && e.Kind != story.Begin { // else it is told when its turn comes
			w.tell(e)
		}
	})
	switch {
	case err != nil && verdict.Outcome == "" && !errors.Is(err, deploy.Setup):
		return story.Verdict{Outcome: deploy.Errored, ExitCode: deploy.ExitCode(err, verdict), Summary: err.Error()}, err
	case err != nil, verdict.ExitCode != 0, w.DryRun:
		return verdict, err
	}
	return story.Verdict{}, nil
}

// refused is the exit code of what is refused, as package deploy has it.
const refused = 3

// wait says whether a service has its turn later, and when.
func (w *run) wait(item Item) (story.Verdict, bool) {
	now := w.Deploy.Now()
	if !w.Windows.Open(now) {
		next := w.Windows.Next(now)
		switch {
		case next.IsZero():
			return story.Verdict{Outcome: deploy.Refused, ExitCode: refused, Summary: "no window opens within two weeks; nothing was changed"}, true
		case item.At.After(now) && !next.Before(item.At):
			return story.Verdict{Outcome: deploy.Refused, ExitCode: refused, Summary: fmt.Sprintf(
				"no window opens before its tasks retire on %s: the next one does on %s; nothing was changed", w.Windows.Show(item.At), w.Windows.Show(next)),
				Next: []string{"plimsoll maintenance run --any-time --service " + item.Name()}}, true
		}
		return story.Verdict{Outcome: Waiting, Summary: "the window opens on " + w.Windows.Show(next) + "; nothing was changed"}, true
	}
	from := item.At.Add(-w.Ahead)
	if w.Ahead > 0 && now.Before(from) && !w.Windows.lastBefore(now, item.At) {
		if open := w.Windows.Next(from); open.Before(item.At) && !open.IsZero() {
			from = open
		}
		return story.Verdict{Outcome: Waiting, Summary: "its turn comes on " + w.Windows.Show(from) + "; nothing was changed"}, true
	}
	return story.Verdict{}, false
}

// act replaces the tasks of a service, and notes on it that this is done.
func (w *run) act(item Item) deploy.Act {
	replace := w.Replace(item.target(), false)
	return func(ctx context.Context, tell story.Teller) (story.Verdict, error) {
		if left, limited := timeTo(ctx, w.Deploy.Now()); limited && left < leastTime {
			return story.Verdict{Outcome: Waiting, Summary: "no time is left for it in this run; nothing was changed"}, nil
		}
		say := func(kind story.Kind, format string, args ...any) {
			tell(story.Event{Time: w.Deploy.Now(), Kind: kind, Step: story.Preflight, Service: item.target().String(), Message: fmt.Sprintf(format, args...)})
		}
		if w.Pin != nil { // first: tonight's lifecycle run may take what has no tag
			w.Pin(ctx, item.target(), tell)
		}
		verdict, err := replace(ctx, tell)
		note := map[string]string{deploy.Stable: tagMaintained, deploy.RolledBack: tagFailed, deploy.Failed: tagFailed}[verdict.Outcome]
		if note != "" {
			if err := w.Deploy.AWS.Tag(context.WithoutCancel(ctx), item.arn, map[string]string{note: marker(item.Events)}); err != nil {
				say(story.Warning, "could not note on the service what became of this: %v", err)
			}
		}
		return verdict, err
	}
}

// A Lambda function is ended where it stands when its time is up, so a service
// is begun only with time enough for a usual rollout, and the watch ends a
// little before.
const (
	leastTime = 4 * time.Minute
	reserve   = 20 * time.Second
)

// timeTo is the time to the deadline of ctx, where it has one.
func timeTo(ctx context.Context, now time.Time) (time.Duration, bool) {
	deadline, limited := ctx.Deadline()
	return deadline.Sub(now), limited
}

// TimeLeft is the timeout of a rollout, cut to the deadline of ctx.
func TimeLeft(ctx context.Context, now time.Time, timeout time.Duration) time.Duration {
	left, limited := timeTo(ctx, now)
	if limited && (timeout == 0 || left-reserve < timeout) {
		return max(left-reserve, 1)
	}
	return timeout
}

// result keeps and tells what became of a service that was not begun.
func (w *run) result(item Item, v story.Verdict, err error) deploy.Result {
	w.tell(story.Event{Time: w.Deploy.Now(), Kind: story.Final, Service: item.target().String(), Message: v.Summary, Verdict: &v})
	return deploy.Result{Target: item.target(), Wave: item.Wave, Verdict: v, Err: err}
}

// WavesOf makes waves of patterns: a service is in the wave of the first one
// that "cluster/service", or the service's name alone, matches as path.Match has
// it, and after all of them where none does.
func WavesOf(patterns []string) func(cluster, service string) int {
	return func(cluster, service string) int {
		for i, pattern := range patterns {
			name := service
			if strings.Contains(pattern, "/") {
				name = cluster + "/" + service
			}
			if ok, _ := path.Match(pattern, name); ok {
				return i + 1
			}
		}
		return len(patterns) + 1
	}
}
