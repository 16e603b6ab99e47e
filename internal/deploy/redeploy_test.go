package deploy

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

func redeploy(t *testing.T, h *harbour) (story.Verdict, error) {
	t.Helper()
	return Redeploy(t.Context(), ports(t, h), RedeployRequest{Target: Target{Cluster: "prod", Service: "web"}}, func(story.Event) {})
}

func TestRedeployStartsWhatRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarbour()
		v, err := redeploy(t, h)
		if err != nil || v.Outcome != Stable || v.TaskDefinition != "web:1" || len(h.registered) > 0 {
			t.Errorf("%+v, %v; registered %d", v, err, len(h.registered))
		}
	})
}

func TestWhatCannotRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarbour()
		target := Target{Cluster: "prod", Service: "web"}
		r, err := CanRestart(t.Context(), ports(t, h), target)
		if err != nil || len(r.Faults) > 0 || len(r.Images) != 1 || r.TaskDefinition != "web:1" {
			t.Fatalf("%+v, %v", r, err)
		}
		delete(h.images, repo+":v1.0.0")
		r, err = CanRestart(t.Context(), ports(t, h), target)
		if err != nil || len(r.Faults) != 1 || !strings.Contains(r.Faults[0].What, "container web starts from") || len(h.calls) > 0 {
			t.Fatalf("%+v, %v, %v", r, err, h.calls)
		}
	})
}
