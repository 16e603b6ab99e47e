package taskdef

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLimits(t *testing.T) {
	doc, err := Parse([]byte(`{"family":"web","cpu":"256","memory":512,"requiresCompatibilities":["EC2","FARGATE"],"containerDefinitions":[
		{"name":"web","image":"x","memory":400,"stopTimeout":5,"healthCheck":{"command":["CMD-SHELL","curl -f localhost"],"retries":5}},
		{"name":"side","image":"y","memory":"many","healthCheck":null}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]Limits{
		"web": {
			Memory: 400, TaskMemory: "512", TaskCPU: "256", StopTimeout: 5,
			Health: &HealthCheck{Command: []string{"CMD-SHELL", "curl -f localhost"}, Interval: 30, Timeout: 5, Retries: 5},
		},
		"side": {TaskMemory: "512", TaskCPU: "256"},
		"none": {},
	} {
		if diff := cmp.Diff(want, doc.Limits(name)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if !doc.NeedsFargate() {
		t.Error("it needs no Fargate")
	}
}
