package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/story"
	"github.com/plimsoll-ecs/plimsoll/internal/taskdef"
)

// Target names a service.
type Target struct {
	Cluster string
	Service string
	Account string // the account that is expected; "" takes any
	Region  string // likewise
}

func (t Target) String() string { return t.Cluster + "/" + t.Service }

// defaultTimeout is how long a rollout may take when the request does not
// say. The slowest healthy ones known (a slow start behind a load balancer
// with a long drain) take six minutes.
const defaultTimeout = 15 * time.Minute

// job is one use case at work on one service.
type job struct {
	Ports
	target              Target
	timeout             time.Duration // of each rollout that is watched
	limited             bool          // the request says so
	patience            time.Duration // what the service's strategy takes by itself, on top of that
	watching            Watching
	putsBackInterrupted bool // what is being undone did not fail: it was interrupted
	began               time.Time
	tell                story.Teller
	refused             []story.Check        // all checks of a preflight that refused
	closing             func(outcome string) // what there is to do before the last word; nil for nothing
	settling            func()               // likewise, when that is that the service is stable

	mu        sync.Mutex
	documents map[string]*taskdef.Document // by ARN
}

func begin(p Ports, target Target, timeout time.Duration, tell story.Teller) *job {
	return &job{
		Ports:     p,
		target:    target,
		timeout:   cmp.Or(timeout, defaultTimeout),
		limited:   timeout > 0,
		began:     p.Now(),
		tell:      tell,
		documents: map[string]*taskdef.Document{},
	}
}

// settles has [Ports.Settled] called once the service is stable.
func (j *job) settles(ctx context.Context) {
	if j.Settled != nil {
		j.settling = func() { j.Settled(ctx, j.target, j.tell) }
	}
}

// say tells one piece of news about the service.
func (j *job) say(kind story.Kind, step story.Step, format string, args ...any) {
	j.news(story.Event{Kind: kind, Step: step, Message: fmt.Sprintf(format, args...)})
}

func (j *job) news(e story.Event) {
	e.Time, e.Service = j.Now(), j.target.String()
	j.tell(e)
}

// end is the last word: it completes the verdict and tells it.
func (j *job) end(v story.Verdict) story.Verdict {
	return j.endWith(v, exitCodeOf(v.Outcome))
}

// endWith is end with an exit code that the outcome does not say.
func (j *job) endWith(v story.Verdict, code int) story.Verdict {
	if j.closing != nil {
		j.closing(v.Outcome)
	}
	if j.settling != nil && v.Outcome == Stable {
		j.settling()
	}
	v.ExitCode = code
	v.Duration = j.Now().Sub(j.began)
	j.news(story.Event{Kind: story.Final, Verdict: &v, Message: v.Summary, Checks: j.refused})
	return v
}

// command is one that goes on from here, as it can be typed.
func (j *job) command(verb string, flags ...string) string {
	words := append([]string{"plimsoll", verb, "--cluster", j.target.Cluster, "--service", j.target.Service}, flags...)
	return strings.Join(words, " ")
}

// stop ends a job that came to an error: refused, interrupted before anything
// was changed, or unexpected, which leaves the verdict without an outcome.
func (j *job) stop(err error) (story.Verdict, error) {
	var preflight *PreflightError
	switch {
	case errors.As(err, &preflight):
		j.tellFaults(preflight)
		j.refused = preflight.Checks
		return j.end(story.Verdict{Outcome: Refused, Summary: "refused by preflight; nothing was changed"}), err
	case errors.Is(err, context.Canceled):
		return j.end(story.Verdict{Outcome: Interrupted, Summary: "interrupted; the service was not changed"}), err
	}
	return story.Verdict{}, err
}

// tellFaults tells what stands in the way.
func (j *job) tellFaults(e *PreflightError) {
	for _, f := range e.Faults {
		message := f.Check + ": " + f.What
		if f.Do != "" {
			message += "; " + f.Do
		}
		j.say(story.Fault, story.Preflight, "%s", message)
	}
}

// document reads a revision, once.
func (j *job) document(ctx context.Context, arn string) (*taskdef.Document, error) {
	j.mu.Lock()
	doc := j.documents[arn]
	j.mu.Unlock()
	if doc != nil {
		return doc, nil
	}
	raw, err := j.AWS.TaskDefinition(ctx, arn)
	if err != nil {
		return nil, err
	}
	doc, err = taskdef.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("task definition %s: %w", arn, err)
	}
	j.remember(doc)
	return doc, nil
}

func (j *job) remember(doc *taskdef.Document) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.documents[doc.ARN()] = doc
}

// register makes a new revision of a document.
func (j *job) register(ctx context.Context, doc *taskdef.Document) (*taskdef.Document, error) {
	body, err := doc.ForRegistration()
	if err != nil {
		return nil, fmt.Errorf("prepare task definition %s: %w", doc.Family(), err)
	}
	answer, err := j.AWS.Register(ctx, body.Bytes())
	if err != nil {
		return nil, err
	}
	registered, err := taskdef.Parse(answer)
	if err != nil {
		return nil, fmt.Errorf("read the registered task definition: %w", err)
	}
	if registered.ARN() == "" {
		return nil, fmt.Errorf("register %s: the answer names no revision", doc.Family())
	}
	j.remember(registered)
	return registered, nil
}
