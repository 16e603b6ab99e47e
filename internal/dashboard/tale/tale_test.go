package tale_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/tale"
	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

func TestWhatIsKept(t *testing.T) {
	var told tale.Tale
	told.Tell(story.Event{Kind: story.Begin, Message: "checking"})
	told.Tell(story.Event{Kind: story.Progress, Message: "half of it", Done: 1, Total: 2})
	told.Tell(story.Event{Kind: story.End, Message: "checked", Checks: []story.Check{{Name: "image"}}})
	told.Tell(story.Event{Kind: story.Change, Message: "1 of 2 running", Rollout: &rollout.View{Desired: 2}})
	told.Tell(story.Event{Kind: story.Change, Message: "1 of 2 running", Rollout: &rollout.View{Desired: 3}})
	for i := range tale.MaxFailures + 1 {
		told.Tell(story.Event{Kind: story.Failed, Message: "a task failed", Failure: &story.Failure{TaskID: fmt.Sprint(i)}})
	}
	told.Tell(story.Event{Kind: story.Final, Message: "it failed", Verdict: &story.Verdict{ExitCode: 4}})
	now, _ := told.Told()
	if len(now.Lines) != 5 || len(now.Checks) != 1 || now.Rollout.Desired != 3 || len(now.Failures) != tale.MaxFailures || now.Verdict.ExitCode != 4 {
		t.Errorf("%+v", now)
	}
}

func TestItStaysSmall(t *testing.T) {
	var told tale.Tale
	for i := range 2 * tale.MaxLines {
		told.Tell(story.Event{Kind: story.Note, Message: fmt.Sprint(i)})
	}
	now, _ := told.Told()
	if len(now.Lines) != tale.MaxLines || now.Dropped != tale.MaxLines || now.Lines[0].Message != fmt.Sprint(tale.MaxLines) {
		t.Errorf("%d lines, %d dropped", len(now.Lines), now.Dropped)
	}
}

// Who waits for the bell misses nothing, however many wait.
func TestTheBellRingsForAll(t *testing.T) {
	var told tale.Tale
	var readers sync.WaitGroup
	const lines = 100
	for range 4 {
		readers.Go(func() {
			for {
				now, more := told.Told()
				if len(now.Lines) == lines {
					return
				}
				<-more
			}
		})
	}
	for i := range lines {
		told.Tell(story.Event{Kind: story.Note, Message: fmt.Sprint(i)})
	}
	readers.Wait()
}
