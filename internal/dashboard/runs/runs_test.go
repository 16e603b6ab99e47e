package runs_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/runs"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// act is an order that does as it is told.
func act(service string, do func(context.Context, story.Teller) (story.Verdict, error)) runs.Order {
	return runs.Order{
		Cluster: "prod", Service: service, Verb: "deploy", Do: do,
		Code: func(v story.Verdict, err error) int {
			if err != nil && v.Outcome == "" {
				return 1
			}
			return v.ExitCode
		},
	}
}

func until(done <-chan struct{}) func(context.Context, story.Teller) (story.Verdict, error) {
	return func(ctx context.Context, tell story.Teller) (story.Verdict, error) {
		tell(story.Event{Kind: story.Begin, Message: "watching"})
		select {
		case <-done:
			return story.Verdict{Outcome: "stable", Summary: "it runs"}, nil
		case <-ctx.Done():
			return story.Verdict{Outcome: "interrupted", ExitCode: 130, Summary: "interrupted; the deployment goes on", Next: []string{"plimsoll wait"}}, nil
		}
	}
}

func TestOneActAtATimeOnEachService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := runs.New(time.Now)
		done := make(chan struct{})
		first, err := b.Begin(act("web", until(done)))
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.Begin(act("web", until(done)))
		if busy, ok := errors.AsType[*runs.BusyError](err); !ok || busy.Run != first {
			t.Errorf("a second one: %v", err)
		}
		if _, err := b.Begin(act("api", until(done))); err != nil {
			t.Errorf("another service: %v", err)
		}
		synctest.Wait()
		told, more := first.Told()
		if first.Over() || len(told.Lines) != 1 || told.Verdict != nil || b.Busy(audit.Place{}, "prod", "web") != first || b.Run(first.ID) != first {
			t.Errorf("under way: %+v", told)
		}
		close(done)
		<-more
		synctest.Wait()
		told, _ = first.Told()
		if !first.Over() || told.Verdict == nil || told.Verdict.Outcome != "stable" || b.Busy(audit.Place{}, "prod", "web") != nil {
			t.Errorf("at the end: %+v", told)
		}
		if _, err := b.Begin(act("web", until(done))); err != nil {
			t.Errorf("after it: %v", err)
		}
		if cut := b.Close(); len(cut) > 1 {
			t.Errorf("%d were cut short", len(cut))
		}
	})
}

// The end of the server is an interrupt: each run says how it is taken up.
func TestCloseLetsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := runs.New(time.Now)
		for _, service := range []string{"web", "api"} {
			if _, err := b.Begin(act(service, until(nil))); err != nil {
				t.Fatal(err)
			}
		}
		cut := b.Close()
		if len(cut) != 2 || cut[0].Service != "web" {
			t.Fatalf("cut short: %v", cut)
		}
		for _, r := range cut {
			told, _ := r.Told()
			if told.Verdict == nil || told.Verdict.ExitCode != 130 || len(told.Verdict.Next) != 1 || !r.Over() {
				t.Errorf("%s: %+v", r.Service, told.Verdict)
			}
		}
		if _, err := b.Begin(act("web", until(nil))); !errors.Is(err, runs.ErrClosed) {
			t.Errorf("after the end: %v", err)
		}
	})
}

type hinted struct{}

func (hinted) Error() string { return "no such tag\nin the second line" }
func (hinted) Hint() string  { return "push it first" }

// An error is a last word too.
func TestAnErrorIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := runs.New(time.Now)
		r, err := b.Begin(act("web", func(context.Context, story.Teller) (story.Verdict, error) {
			time.Sleep(time.Second)
			return story.Verdict{}, hinted{}
		}))
		if err != nil {
			t.Fatal(err)
		}
		b.Close()
		told, _ := r.Told()
		v := told.Verdict
		if v == nil || v.ExitCode != 1 || v.Summary != "no such tag" || len(v.Next) != 1 || v.Next[0] != "push it first" || v.Duration != time.Second {
			t.Errorf("%+v", v)
		}
	})
}

// Runs that are over are forgotten some day; one that goes on never is.
func TestOldRunsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := runs.New(time.Now)
		going, err := b.Begin(act("web", until(nil)))
		if err != nil {
			t.Fatal(err)
		}
		for range 300 {
			if _, err := b.Begin(act("api", func(context.Context, story.Teller) (story.Verdict, error) {
				return story.Verdict{Outcome: "stable"}, nil
			})); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if n := len(b.All()); n != 200 || b.Run(going.ID) == nil {
			t.Errorf("%d are kept, the one that goes on: %v", n, b.Run(going.ID) != nil)
		}
		b.Close()
	})
}
