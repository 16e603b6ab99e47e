package scenario

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/client"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/fleet"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

// world is the drydock of one story, and what the story has to remember.
type world struct {
	scenario *Scenario
	options  Options
	server   *drydock.Server
	client   *client.Client
	registry string // host:port
	clock    *clock.Clock
	began    time.Time
	virtual  bool   // the calendar stands still between the steps
	running  func() // ends the running of a clock that goes by itself; nil for one that does not

	pushes  int                      // makes every image another one
	named   map[string]string        // $NAME: repository@digest
	waiting map[fleet.ServiceKey]int // services without a task, and their count to be
	doing   string                   // what the present step does
}

// defaultStart is a Monday morning.
func defaultStart() time.Time { return time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC) }

// tries is how often a call is made, as the SDKs do by default.
const tries = 3

func open(ctx context.Context, s *Scenario, o Options) (*world, error) {
	w := &world{
		scenario: s, options: o, named: map[string]string{}, waiting: map[fleet.ServiceKey]int{},
		began: time.Time(s.Start), virtual: s.Runtime != string(drydock.Docker),
	}
	settings := drydock.Options{Runtime: drydock.Simulated, Log: o.Log, Seed: s.Seed}
	if settings.Seed == 0 {
		settings.Seed = 1
	}
	if w.began.IsZero() {
		w.began = defaultStart()
	}
	switch {
	case o.Clock != nil:
		w.clock = o.Clock
		w.began = w.clock.Now()
	case w.virtual:
		w.clock = clock.Manual(w.began)
	default:
		w.clock = clock.Real(drydock.DefaultTimeScale)
		if ahead := time.Until(w.began); ahead > 0 && !time.Time(s.Start).IsZero() {
			w.clock.Advance(ahead)
		}
		w.began = w.clock.Now()
		settings.Runtime = drydock.Docker
	}
	settings.Clock = w.clock
	var err error
	if w.server, err = drydock.Start(ctx, settings); err != nil {
		return nil, err
	}
	if o.Clock != nil || !w.virtual {
		w.run()
	}
	w.registry = w.server.Addr
	w.client = client.New(w.server.Endpoint(), drydock.DefaultRegion, w.retryer)
	return w, nil
}

func (w *world) close() error {
	err := w.server.Close()
	if w.running != nil {
		w.running()
	}
	return err
}

// run has a clock that goes by itself call back: a drydock leaves that to who
// gave it the clock.
func (w *world) run() {
	ctx, stop := context.WithCancel(context.Background())
	var finished sync.WaitGroup
	finished.Go(func() { w.clock.Run(ctx) })
	w.running = func() {
		stop()
		finished.Wait()
	}
}

// retryer tries as the SDKs do, but waits on the calendar.
func (w *world) retryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = tries
		o.RateLimiter = ratelimit.None
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) {
			return 0, w.pass(time.Second << attempt)
		})
	})
}

func (w *world) elapsed() time.Duration { return w.clock.Now().Sub(w.began) }

// pass lets time pass.
func (w *world) pass(d time.Duration) error {
	if w.options.Advance != nil {
		return w.options.Advance(d, w.server.Advance)
	}
	return w.server.Advance(d)
}

// given makes what is there when the story begins, and lets it settle.
func (w *world) given(ctx context.Context) error {
	planter := fleet.Planter{Client: w.client, Registry: w.registry, Folder: w.scenario.folder()}
	planted, err := planter.Plant(ctx, w.scenario.Given)
	if err != nil {
		return err
	}
	w.waiting = planted.Waiting
	for _, name := range sortedKeys(w.scenario.Given.Services) {
		s := w.scenario.Given.Services[name]
		settled := func() (bool, error) {
			seen, err := w.look(ctx, s.ClusterName(), name)
			return err == nil && seen.settled(), err
		}
		ok, err := w.until(ctx, time.Hour, settled)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("the service %s did not settle", name)
		}
	}
	return nil
}

// until lets time pass until something holds, and says whether it did within
// the limit. It looks every 5 s at first, and less and less often in a long
// wait: every 2 % of the time that has passed.
func (w *world) until(ctx context.Context, limit time.Duration, holds func() (bool, error)) (bool, error) {
	began := w.clock.Now()
	for {
		ok, err := holds()
		if ok || err != nil {
			return ok, err
		}
		waited := w.clock.Now().Sub(began)
		if waited >= limit {
			return false, nil
		}
		if !w.virtual {
			if err := pause(ctx); err != nil {
				return false, err
			}
		}
		step := min(max(5*time.Second, (waited/50).Truncate(time.Second)), limit-waited)
		if !w.virtual { // containers take the time they take
			step = min(step, time.Second)
		}
		if err := w.pass(step); err != nil {
			return false, err
		}
	}
}

// pause waits for containers, which know no calendar.
func pause(ctx context.Context) error {
	timer := time.NewTimer(200 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func (w *world) control(ctx context.Context, path string, in, out any) error {
	return w.client.Control(ctx, http.MethodPost, path, in, out)
}

// image is what a reference of the story means: $NAME is the image that was
// pushed under that name.
func (w *world) image(text string) (image.Reference, error) {
	if name, isName := strings.CutPrefix(text, "$"); isName {
		pinned, ok := w.named[name]
		if !ok {
			return image.Reference{}, fmt.Errorf("no image was pushed as %q", name)
		}
		text = pinned
	}
	ref, err := image.Parse(text)
	if err != nil {
		return ref, err
	}
	if ref.Registry == "" {
		ref.Registry = w.registry
	}
	return ref, nil
}

// own is image for one of this registry: ECR's API knows no other.
func (w *world) own(text string) (image.Reference, error) {
	ref, err := w.image(text)
	if err == nil && ref.Registry != w.registry {
		err = fmt.Errorf("the image %s is not in drydock's registry", text)
	}
	if err == nil && ref.Tag == "" && ref.Digest == "" {
		err = fmt.Errorf("which image of %s? Give a tag or a digest", ref.Repository)
	}
	return ref, err
}

// service finds the cluster of a service that a step names.
func (w *world) service(ctx context.Context, cluster, name string) (string, error) {
	if cluster != "" {
		return cluster, nil
	}
	found := w.scenario.Given.Services[name]
	if found.Image != "" || found.Family != "" || found.Cluster != "" {
		return found.ClusterName(), nil
	}
	return "default", nil
}

// refused takes the outcome of a step that may be expected to be refused.
func refused(err error, wanted Text) error {
	switch {
	case !wanted.Given():
		return err
	case err == nil:
		return fmt.Errorf("want an error with %s, got none", wanted)
	case !wanted.match(err.Error()):
		return fmt.Errorf("want an error with %s, got: %w", wanted, err)
	}
	return errExpected
}

// errExpected says that a step was refused as the story wants it.
var errExpected = errors.New("refused as expected")
