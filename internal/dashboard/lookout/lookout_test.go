package lookout_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/lookout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// One watch for all who look, and none when nobody does.
func TestOneWatchWhileSomebodyLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var begun, under atomic.Int32
		l := lookout.New(func(ctx context.Context, service string, tell story.Teller) error {
			begun.Add(1)
			under.Add(1)
			defer under.Add(-1)
			tell(story.Event{Kind: story.Note, Message: service})
			<-ctx.Done()
			return ctx.Err()
		})
		seen, leaveFirst := l.Join("web")
		again, leaveSecond := l.Join("web")
		if _, leaveOther := l.Join("api"); true {
			defer leaveOther()
		}
		synctest.Wait()
		if told, ok := l.Seen("web"); !ok || len(told.Lines) != 1 {
			t.Errorf("seen so far: %+v", told)
		}
		if _, ok := l.Seen("other"); ok {
			t.Error("seen, though nobody looks")
		}
		if begun.Load() != 2 || seen != again {
			t.Errorf("%d watches of two services", begun.Load())
		}
		leaveFirst()
		leaveFirst() // twice is once
		time.Sleep(time.Hour)
		if under.Load() != 2 {
			t.Error("a watch ended though somebody looks")
		}
		leaveSecond()
		time.Sleep(time.Second)
		if back, leave := l.Join("web"); back != seen {
			t.Error("a page that was loaded again found nothing")
		} else {
			time.Sleep(time.Hour)
			if begun.Load() != 2 || under.Load() != 2 {
				t.Error("the watch ended under a page that came back")
			}
			leave()
		}
		time.Sleep(time.Hour)
		if under.Load() != 1 {
			t.Error("a watch goes on though nobody looks")
		}
		l.Close()
		if under.Load() != 0 {
			t.Error("a watch outlives the server")
		}
	})
}

// What cannot be watched says so, and the next one to look tries again.
func TestAWatchThatEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var begun atomic.Int32
		l := lookout.New(func(context.Context, string, story.Teller) error {
			begun.Add(1)
			return errors.New("access denied")
		})
		seen, leave := l.Join("web")
		synctest.Wait()
		if told, _ := seen.Told(); len(told.Lines) != 1 || !strings.Contains(told.Lines[0].Message, "access denied") {
			t.Errorf("%+v", told)
		}
		leave()
		_, leave = l.Join("web")
		synctest.Wait()
		if begun.Load() != 2 {
			t.Errorf("begun %d times", begun.Load())
		}
		leave()
		l.Close()
		time.Sleep(time.Hour)
	})
}
