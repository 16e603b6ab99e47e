package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// Act is a use case about to be carried out on one service.
type Act func(ctx context.Context, tell story.Teller) (story.Verdict, error)

// Member is one service of several, and what is to be done to it.
type Member struct {
	Target
	Wave  int
	Check Act // finds out whether it can be done, and changes nothing; nil: there is nothing to find out
	Do    Act
}

// FleetRequest is the same thing to be done to several services.
type FleetRequest struct {
	Members     []Member // a wave begins when the one before it in this order has ended well
	MaxParallel int      // services at once; 0 means 8
	KeepGoing   bool     // go on with others when one fails
}

// defaultParallel is how many services are at work at once. More would not be
// faster: ECS takes one RegisterTaskDefinition a second.
const defaultParallel = 8

// Result is what became of one service.
type Result struct {
	Target
	Wave    int
	Verdict story.Verdict // its Outcome is never empty; Errored for Err
	Err     error         // what the use case returned, also beside a verdict
}

// Fleet does one thing to several services: first it checks all of them, and
// where one is refused nothing is changed at all; then it goes wave by wave.
// When a service fails, those that are at work come to their own verdicts, and
// the others are not begun, unless the request says to keep going. The error is
// what concerns all of them alike, such as missing credentials; then there are
// no results.
func Fleet(ctx context.Context, r FleetRequest, now func() time.Time, tell story.Teller) ([]Result, error) {
	f := &fleet{FleetRequest: r, tell: tell, now: now, results: make([]Result, len(r.Members))}
	for i, m := range r.Members {
		f.results[i] = Result{Target: m.Target, Wave: m.Wave}
	}
	if err := f.check(ctx); err != nil {
		return nil, err
	}
	if !f.failed.Load() {
		if err := f.sail(ctx); err != nil {
			return nil, err
		}
	}
	f.rest()
	return f.results, nil
}

// fleet is a request at work.
type fleet struct {
	FleetRequest
	tell    story.Teller
	now     func() time.Time
	results []Result
	failed  atomic.Bool
}

// each does something to some of the members, so many at once. It returns the
// first error that concerns all.
func (f *fleet) each(ctx context.Context, members []int, do func(ctx context.Context, i int) error) error {
	var group errgroup.Group
	group.SetLimit(cmp.Or(f.MaxParallel, defaultParallel))
	for _, i := range members {
		group.Go(func() error { return do(ctx, i) })
	}
	return group.Wait()
}

// check looks at all members; the news of it are told but for the verdicts of
// those that may go on.
func (f *fleet) check(ctx context.Context) error {
	var all []int
	for i, m := range f.Members {
		if m.Check != nil {
			all = append(all, i)
		}
	}
	if len(all) == 0 {
		return nil
	}
	f.say(story.Begin, story.Preflight, "checking %d services", len(all))
	var done atomic.Int64
	err := f.each(ctx, all, func(ctx context.Context, i int) error {
		v, err := f.Members[i].Check(ctx, func(e story.Event) {
			if e.Kind != story.Final || e.Verdict == nil || e.Verdict.ExitCode != 0 {
				f.tell(e)
			}
		})
		f.progress(story.Preflight, done.Add(1), len(all))
		if err == nil && v.ExitCode == 0 {
			return nil
		}
		return f.settle(i, v, err)
	})
	if err != nil {
		return err
	}
	if n := f.count(func(r Result) bool { return r.Verdict.Outcome != "" }); n > 0 {
		f.say(story.Failed, story.Preflight, "%d of %d services are refused: nothing was changed", n, len(all))
		return nil
	}
	f.say(story.End, story.Preflight, "%d services can go", len(all))
	return nil
}

// sail goes wave by wave.
func (f *fleet) sail(ctx context.Context) error {
	waves := f.waves()
	for n, members := range waves {
		name := fmt.Sprintf("%d of %d", n+1, len(waves))
		f.say(story.Begin, story.Wave, "%s: %s", name, f.names(members))
		var done atomic.Int64
		err := f.each(ctx, members, func(ctx context.Context, i int) error {
			if f.failed.Load() && !f.KeepGoing || ctx.Err() != nil {
				return nil
			}
			v, err := f.Members[i].Do(ctx, f.afterwards(f.Members[i]))
			f.progress(story.Wave, done.Add(1), len(members))
			return f.settle(i, v, err)
		})
		if err != nil {
			return err
		}
		bad := 0
		for _, i := range members {
			if f.results[i].Verdict.ExitCode != 0 || f.results[i].Verdict.Outcome == "" {
				bad++
			}
		}
		if bad > 0 {
			f.say(story.Failed, story.Wave, "%s: %d of %d did not get there", name, bad, len(members))
			if !f.KeepGoing {
				return nil
			}
			continue
		}
		f.say(story.End, story.Wave, "%s is done", name)
	}
	return nil
}

// afterwards tells the news of a member but those of its second preflight,
// which it has had already; what warns is told again.
func (f *fleet) afterwards(m Member) story.Teller {
	if m.Check == nil {
		return f.tell
	}
	return func(e story.Event) {
		if e.Step != story.Preflight || e.Kind == story.Warning || e.Kind == story.Failed {
			f.tell(e)
		}
	}
}

// settle keeps what became of a member. An error that concerns all is
// returned.
func (f *fleet) settle(i int, v story.Verdict, err error) error {
	r := &f.results[i]
	r.Verdict, r.Err = v, err
	if v.Outcome == "" && err != nil {
		if errors.Is(err, Setup) {
			return err
		}
		r.Verdict = story.Verdict{Outcome: Errored, ExitCode: ExitCode(err, v), Summary: err.Error()}
		f.final(*r)
	}
	if r.Verdict.ExitCode != 0 {
		f.failed.Store(true)
	}
	return nil
}

// rest says of those that were not begun that they were not.
func (f *fleet) rest() {
	for i := range f.results {
		if r := &f.results[i]; r.Verdict.Outcome == "" {
			r.Verdict = story.Verdict{Outcome: NotBegun, ExitCode: exitCodeOf(NotBegun), Summary: "not begun; nothing was changed"}
			f.final(*r)
		}
	}
}

func (f *fleet) final(r Result) {
	f.tell(story.Event{Time: f.now(), Kind: story.Final, Service: r.Target.String(), Message: r.Verdict.Summary, Verdict: &r.Verdict})
}

func (f *fleet) say(kind story.Kind, step story.Step, format string, args ...any) {
	f.tell(story.Event{Time: f.now(), Kind: kind, Step: step, Message: fmt.Sprintf(format, args...)})
}

func (f *fleet) progress(step story.Step, done int64, total int) {
	f.tell(story.Event{Time: f.now(), Kind: story.Progress, Step: step, Done: done, Total: int64(total), Unit: "services"})
}

func (f *fleet) count(is func(Result) bool) int {
	n := 0
	for _, r := range f.results {
		if is(r) {
			n++
		}
	}
	return n
}

// waves are the members of each wave, in the order of the request.
func (f *fleet) waves() [][]int {
	var waves [][]int
	last := map[int]int{} // wave -> its place
	for i, m := range f.Members {
		at, known := last[m.Wave]
		if !known {
			at = len(waves)
			last[m.Wave] = at
			waves = append(waves, nil)
		}
		waves[at] = append(waves[at], i)
	}
	return waves
}

// names lists a few services.
func (f *fleet) names(members []int) string {
	const shown = 5
	var names []string
	for _, i := range members[:min(len(members), shown)] {
		names = append(names, f.Members[i].Service)
	}
	text := strings.Join(names, ", ")
	if more := len(members) - shown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// Sum is what several services came to together: the worst exit code of
// theirs, and how many came to what. Worst first: not back (5), unexpected (1),
// interrupted (130), timed out (7), rolled back (4), superseded (6), usage (2),
// refused or not begun (3).
func Sum(results []Result) story.Verdict {
	var sum story.Verdict
	counts := map[string]int{}
	for _, r := range results {
		v := r.Verdict
		counts[v.Outcome]++
		sum.Duration = max(sum.Duration, v.Duration)
		if sum.Outcome == "" || severity(v) > severity(sum) {
			sum.Outcome, sum.ExitCode = v.Outcome, v.ExitCode
		}
	}
	var parts []string
	for _, outcome := range slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	}) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[outcome], outcome))
	}
	sum.Summary = strings.Join(parts, ", ")
	return sum
}

// severity orders verdicts: by exit code, and among good ones a change is more
// than none.
func severity(v story.Verdict) int {
	if v.ExitCode == 0 && v.Outcome != Unchanged {
		return 1
	}
	return 2 * slices.Index([]int{0, 3, 2, 6, 4, 7, 130, 1, 5}, v.ExitCode)
}
