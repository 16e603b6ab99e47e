package runtime_test

import (
	"strings"
	"testing"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/runtime"
)

func TestReady(t *testing.T) {
	var (
		waiting   = runtime.Progress{}
		running   = runtime.Progress{Started: true}
		healthy   = runtime.Progress{Started: true, Healthy: true}
		succeeded = runtime.Progress{Started: true, Ended: true}
		crashed   = runtime.Progress{Started: true, Ended: true, ExitCode: 1}
		failed    = runtime.Progress{Ended: true, Failed: true}
	)
	for _, test := range []struct {
		condition string
		on        runtime.Progress
		ready     bool
		never     string
	}{
		{"START", waiting, false, ""},
		{"START", running, true, ""},
		{"START", crashed, true, ""},
		{"START", failed, false, "did not start"},
		{"COMPLETE", running, false, ""},
		{"COMPLETE", crashed, true, ""},
		{"COMPLETE", failed, false, "did not start"},
		{"SUCCESS", running, false, ""},
		{"SUCCESS", succeeded, true, ""},
		{"SUCCESS", crashed, false, "did not exit successfully"},
		{"SUCCESS", failed, false, "did not exit successfully"},
		{"HEALTHY", running, false, ""},
		{"HEALTHY", healthy, true, ""},
		{"HEALTHY", succeeded, false, "did not become healthy"},
		{"SOON", running, false, "unknown condition"},
	} {
		c := runtime.Container{Name: "app", DependsOn: []runtime.Dependency{{Container: "init", Condition: test.condition}}}
		ready, err := runtime.Ready(c, func(name string) (runtime.Progress, bool) { return test.on, name == "init" })
		if ready != test.ready || (err != nil) != (test.never != "") || err != nil && !strings.Contains(err.Error(), test.never) {
			t.Errorf("%s of %+v: %v, %v", test.condition, test.on, ready, err)
		}
	}
	both := runtime.Container{Name: "app", DependsOn: []runtime.Dependency{{"a", "START"}, {"b", "START"}}}
	ready, err := runtime.Ready(both, func(name string) (runtime.Progress, bool) {
		return runtime.Progress{Started: name == "b"}, true
	})
	if ready || err != nil {
		t.Errorf("one of two: %v, %v", ready, err)
	}
	if _, err := runtime.Ready(both, func(string) (runtime.Progress, bool) { return waiting, false }); err == nil {
		t.Error("a dependency that is not in the task is no error")
	}
	if ready, err := runtime.Ready(runtime.Container{}, nil); !ready || err != nil {
		t.Errorf("no dependencies: %v, %v", ready, err)
	}
}
