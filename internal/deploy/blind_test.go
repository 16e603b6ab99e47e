package deploy

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// refusedKeys is credentials that have expired.
type refusedKeys struct{}

func (refusedKeys) Error() string        { return "ExpiredTokenException" }
func (refusedKeys) Hint() string         { return "take new ones" }
func (refusedKeys) Is(target error) bool { return target == Setup }

func TestAWatchThatCanLookNoMoreSaysHowToGoOn(t *testing.T) {
	for _, tc := range []struct {
		name string
		err  error
		most time.Duration // by when it has given up
		hint string
	}{
		{"credentials that expired", refusedKeys{}, time.Minute, "take new ones; then: plimsoll wait --cluster prod --service web --revision web:2"},
		{"a network that is gone", errors.New("no route to host"), 5 * time.Minute, "to see what becomes of it: plimsoll wait --cluster prod --service web --revision web:2"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, l := newHarbour(), &log{}
				h.onUpdate = func() { h.fail["Service"] = tc.err }
				began := time.Now()
				v, err := Deploy(t.Context(), ports(t, h), request("v1.1.0"), l.tell)
				var hinted interface{ Hint() string }
				if v.Outcome != "" || !errors.As(err, &hinted) || hinted.Hint() != tc.hint || ExitCode(err, v) != 1 {
					t.Errorf("%+v, %v (exit %d)", v, err, ExitCode(err, v))
				}
				if took := time.Since(began); took > tc.most {
					t.Errorf("gave up after %s", took)
				}
				told := 0
				for _, e := range l.kind(story.Note) {
					if strings.Contains(e.Message, "trying again: "+tc.err.Error()) {
						told++
					}
				}
				if told != 1 {
					t.Errorf("told %d times that it cannot look", told)
				}
			})
		})
	}
}

func TestAWatchOutlivesAShortSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarbour()
		h.onUpdate = func() {
			h.fail["Service"] = errors.New("no route to host")
			time.AfterFunc(20*time.Second, func() {
				defer h.lock()()
				delete(h.fail, "Service")
			})
		}
		if v, err := Deploy(t.Context(), ports(t, h), request("v1.1.0"), (&log{}).tell); err != nil || v.Outcome != Stable {
			t.Errorf("%+v, %v", v, err)
		}
	})
}
