package deploy

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// Somebody else deploys, well and badly; who only looks on sees both, changes
// nothing, and asks for little while nothing moves.
func TestObserveSeesWhatOthersDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarbour()
		h.images[repo+":v1.2.0"] = digestOf("c")
		h.crash["v1.2.0"] = true
		var seen log
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- Observe(ctx, ports(t, h), request("").Target, seen.tell) }()

		time.Sleep(time.Minute)
		if rest := seen.kind(story.Change); len(rest) != 1 || rest[0].Rollout == nil || rest[0].Rollout.New.Running != 2 {
			t.Errorf("at rest it tells %+v", rest)
		}
		quiet := func(story.Event) {}
		if v, err := Deploy(ctx, ports(t, h), request("v1.1.0"), quiet); err != nil || v.Outcome != Stable {
			t.Fatal(v, err)
		}
		time.Sleep(restsEvery + slowest)
		views := seen.kind(story.Change)
		if i := slices.IndexFunc(views, func(e story.Event) bool { return len(e.Rollout.Old) > 0 && e.Rollout.New.ImageTag == "v1.1.0" }); i < 0 {
			t.Error("the rollout was not seen on its way")
		}
		if end := seen.kind(story.End); len(end) != 1 || end[0].Message != "web:2 is stable" {
			t.Errorf("the end: %+v", end)
		}
		before := len(h.calls)
		if v, err := Deploy(ctx, ports(t, h), request("v1.2.0"), quiet); err != nil || v.Outcome != RolledBack {
			t.Fatal(v, err)
		}
		mine := len(h.calls) - before
		time.Sleep(time.Minute)
		failed := seen.kind(story.Failed)
		if i := slices.IndexFunc(failed, func(e story.Event) bool { return e.Failure != nil && e.Failure.ExitCode != nil }); i < 0 {
			t.Errorf("the failed task is not told: %+v", failed)
		}
		if last := views[len(views)-1].Rollout; last.New.Running != 2 {
			t.Errorf("in the end %+v", last)
		}
		if len(h.calls) != before+mine {
			t.Errorf("who looks on has changed something: %v", h.calls)
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("it ends with %v", err)
		}
	})
}

func TestObserveOfWhatIsNotThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := Observe(t.Context(), ports(t, newHarbour()), Target{Cluster: "prod", Service: "wbe"}, func(story.Event) {})
		if refused, ok := errors.AsType[*PreflightError](err); !ok || !strings.Contains(refused.Error(), "did you mean web?") {
			t.Error(err)
		}
	})
}

// Reads may fail for a while; the looking goes on.
func TestObserveOutlivesThrottling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarbour()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		var seen log
		go func() { ended <- Observe(ctx, ports(t, h), request("").Target, seen.tell) }()
		time.Sleep(time.Second)
		failing := func(err error) {
			defer h.lock()()
			h.fail["Service"] = err
		}
		failing(Throttled)
		time.Sleep(30 * time.Second)
		failing(nil)
		time.Sleep(30 * time.Second)
		if _, err := Scale(ctx, ports(t, h), ScaleRequest{Target: request("").Target, Count: 3}, func(story.Event) {}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if views := seen.kind(story.Change); views[len(views)-1].Rollout.Desired != 3 {
			t.Errorf("%+v", views[len(views)-1])
		}
		failing(Denied)
		if err := <-ended; !errors.Is(err, Denied) {
			t.Errorf("it ends with %v", err)
		}
		cancel()
	})
}
