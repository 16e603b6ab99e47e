package scenario_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/client"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/scenario"
	"github.com/plimsoll-ecs/plimsoll/internal/golden"
)

// files are the scenarios that the project keeps.
func files(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob("../../../testdata/scenarios/*.yaml")
	if err != nil || len(found) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	return found
}

func read(t *testing.T, file string) []*scenario.Scenario {
	t.Helper()
	all, err := scenario.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func parse(t *testing.T, text string) *scenario.Scenario {
	t.Helper()
	all, err := scenario.Parse("story.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return all[0]
}

// Every scenario comes out as expected, and the calendar makes no difference:
// in one jump or in many small steps it ends in the same state.
func TestScenarios(t *testing.T) {
	t.Parallel()
	for _, file := range files(t) {
		for i, s := range read(t, file) {
			t.Run(fmt.Sprintf("%s#%d", filepath.Base(file), i+1), func(t *testing.T) {
				t.Parallel()
				jumped := play(t, s, scenario.Options{})
				stepped := play(t, s, scenario.Options{Advance: inSteps(97 * time.Second)})
				if diff := cmp.Diff(jumped, stepped); diff != "" {
					t.Errorf("in small steps it ends differently:\n%s", diff)
				}
			})
		}
	}
}

// In real time, at a pace, a story ends as it does in jumps.
func TestScenarioInRealTime(t *testing.T) {
	t.Parallel()
	s := parse(t, `
name: A release, a crash and a count
given:
  repositories: {app: {images: [v1.0.0, v1.1.0, {tag: v1.2.0, labels: {exit-after: 1s, exit-code: 3}}]}}
  services: {web: {image: "app:v1.0.0", desired: 2, breaker: rollback}}
steps:
  - deploy: {service: web, image: "app:v1.1.0"}
  - deploy: {service: web, image: "app:v1.2.0", outcome: ROLLBACK_SUCCESSFUL}
  - scale: {service: web, desired: 3}
  - until: {service: web, running: 3, pending: 0, deployments: 1, rollout: COMPLETED}
`)
	const pace = 200
	real := play(t, s, scenario.Options{
		Clock: clock.Real(pace),
		Advance: func(d time.Duration, _ func(time.Duration) error) error {
			<-time.After(d / pace) // the one thing that is to be shown here is that time itself does it too
			return nil
		},
	})
	jumped := play(t, s, scenario.Options{})
	if diff := cmp.Diff(jumped, real); diff != "" {
		t.Errorf("in real time it ends differently:\n%s", diff)
	}
}

func inSteps(step time.Duration) scenario.AdvanceFunc {
	return func(d time.Duration, advance func(time.Duration) error) error {
		for ; d > 0; d -= step {
			if err := advance(min(d, step)); err != nil {
				return err
			}
		}
		return nil
	}
}

// end is what a story comes to: ids and times aside.
type end struct{ Services, Tasks, Images []string }

func play(t *testing.T, s *scenario.Scenario, o scenario.Options) end {
	t.Helper()
	var out end
	o.End = func(ctx context.Context, c *client.Client) error {
		var err error
		out, err = look(ctx, c, s)
		return err
	}
	var told []string
	o.Tell = func(e scenario.Event) {
		told = append(told, e.Text)
		if e.Failure != nil {
			told = append(told, e.Failure.Error())
			told = append(told, e.Failure.Details...)
		}
	}
	if err := scenario.Run(t.Context(), s, o); err != nil {
		t.Fatalf("%v\n%s", err, strings.Join(told, "\n"))
	}
	return out
}

func look(ctx context.Context, c *client.Client, s *scenario.Scenario) (end, error) {
	var out end
	for name, given := range s.Given.Services {
		services, err := c.ECS.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: aws.String(given.ClusterName()), Services: []string{name}})
		if err != nil {
			return out, err
		}
		v := services.Services[0]
		out.Services = append(out.Services, fmt.Sprint(name, v.DesiredCount, v.RunningCount, len(v.Deployments), v.Deployments[0].RolloutState, *v.TaskDefinition))
		tasks, err := c.ECS.ListTasks(ctx, &ecs.ListTasksInput{Cluster: aws.String(given.ClusterName()), ServiceName: &name})
		if err != nil {
			return out, err
		}
		if len(tasks.TaskArns) == 0 {
			continue
		}
		shown, err := c.ECS.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: aws.String(given.ClusterName()), Tasks: tasks.TaskArns})
		if err != nil {
			return out, err
		}
		for _, task := range shown.Tasks {
			out.Tasks = append(out.Tasks, fmt.Sprint(*task.LastStatus, *task.TaskDefinitionArn, aws.ToString(task.Containers[0].ImageDigest)))
		}
	}
	for name := range s.Given.Repositories {
		images, err := c.ECR.DescribeImages(ctx, &ecr.DescribeImagesInput{RepositoryName: &name})
		if err != nil {
			return out, err
		}
		for _, i := range images.ImageDetails {
			slices.Sort(i.ImageTags)
			out.Images = append(out.Images, fmt.Sprint(name, *i.ImageDigest, i.ImageTags))
		}
	}
	slices.Sort(out.Services)
	slices.Sort(out.Tasks)
	slices.Sort(out.Images)
	return out, nil
}

// A story that does not come out says where, what was wanted and what was
// there, and what the service said last.
func TestFailure(t *testing.T) {
	t.Parallel()
	const given = `
name: x
given:
  repositories: {app: {images: [v1]}}
  services: {web: {image: "app:v1", desired: 1}}
steps:
`
	for _, test := range []struct{ steps, want, detail string }{
		{"  - expect: {service: web, desired: 1, running: '>= 3'}", "story.yaml:7:49: running: want >= 3, got 1", "has reached a steady state"},
		{"  - expect: {service: web, event: no such thing}", `story.yaml:7:35: event: want no such thing, got none of 3`, "steady"},
		{"  - until: {service: web, running: 2, within: 5m}", "story.yaml:7:36: running: want 2, got 1", "so it was still after 5m"},
		{"  - expect: {image: 'app:v1', state: gone}", "story.yaml:7:38: state: want gone, got there", ""},
		{"  - expect: {repository: app, images: 7}", "story.yaml:7:39: images: want 7, got 1", "v1"},
		{"  - expect: {tasks: web, status: STOPPED}", "story.yaml:7:14: count: want >= 1, got 0", "RUNNING"},
		{"  - expect: {requests: 'ecs:DeleteCluster'}", "count: want >= 1, got 0", ""},
		{"  - expect: {health: AWS_ECS_TASK_PATCHING_RETIREMENT}", "count: want >= 1, got 0", ""},
		{"  - expect: {events: ECS Task State Change, detail: {lastStatus: NEVER}}", "count: want >= 1, got 0", `detail.lastStatus: want "NEVER"`},
		{"  - deploy: {service: web, image: 'app:v2', within: 30m}", "outcome: want SUCCESSFUL, got IN_PROGRESS", "CannotPullContainerError"},
		{"  - deploy: {service: none}", "there is no service none in the cluster default", ""},
		{"  - delete: {image: 'app:v2'}", "ImageNotFound", ""},
		{"  - push: {image: 'nowhere:v1'}", "nowhere", ""},
		{"  - tag: {image: $never, as: x}", `no image was pushed as "never"`, ""},
		{"  - call: {service: ecs, operation: Nonsense}", "UnknownOperationException", ""},
		{"  - call: {service: ecs, operation: ListClusters, error: AccessDenied}", "want an error with AccessDenied, got none", ""},
		{"  - call: {service: ecs, operation: ListClusters, output: {clusterArns: [nope]}}", "output.clusterArns[0]: want", ""},
		{"  - behaviour: {image: app, labels: {exit-cod: 1}}", "no such label", ""},
		{"  - policy: {repository: app, lifecycle: {keep: 1, days: 2}}", "give keep or days", ""},
	} {
		var told *scenario.Failure
		err := scenario.Run(t.Context(), parse(t, given+test.steps+"\n"), scenario.Options{Tell: func(e scenario.Event) {
			if e.Failure != nil {
				told = e.Failure
			}
		}})
		failure, ok := errors.AsType[*scenario.Failure](err)
		switch {
		case !ok || told != failure:
			t.Errorf("%s: %v is no failure that was told", test.steps, err)
		case !strings.Contains(failure.Error(), test.want):
			t.Errorf("%s: %s\nwant %s", test.steps, failure, test.want)
		case !strings.Contains(strings.Join(failure.Details, "\n"), test.detail):
			t.Errorf("%s: %q\nwant %s", test.steps, failure.Details, test.detail)
		}
	}
}

// What is wrong with a file is said with its place and what is allowed there.
func TestWrongFiles(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                     "s.yaml:1:1: the file is empty",
		"a: [":                                 "this is no YAML",
		"- 1":                                  "s.yaml:1:1: the document: want {name,",
		"name: x\nsteps: [{psuh: {image: a}}]": `s.yaml:2:10: unknown step "psuh" (did you mean "push"?); known are note, push`,
		"name: x\nsteps: [{push: {imgae: a}}]": `s.yaml:2:17: unknown member "imgae" (did you mean "image"?)`,
		"name: x\nsteps: [{push: {}}]":         `push needs "image"`,
		"name: x\nsteps: [{advance: 1d, note: x}]":                "one step is wanted here, not 2 (advance, note)",
		"name: x\nsteps: [{advance: soon}]":                       `s.yaml:2:19: advance: "soon": want a span of time`,
		"name: x\nsteps: [{advance: -1d}]":                        "want a span of time",
		"name: x\nsteps: [{advance: 99999d}]":                     "want a span of time",
		"name: x\nsteps: [{advance: }]":                           "advance has no value",
		"name: x\nsteps: &a [{advance: 1d}]":                      "anchors, aliases and tags",
		"name: x\nsteps: [{expect: {service: a, state: gone}}]":   `"state" goes with image`,
		"name: x\nsteps: [{expect: {running: 1}}]":                `"running" goes with service`,
		"name: x\nsteps: [{expect: {cluster: x}}]":                "goes with service or tasks",
		"name: x\nsteps: [{expect: {image: a, tasks: b}}]":        "about one of",
		"name: x\nsteps: [{expect: {image: a}}]":                  "Say state or tags",
		"name: x\nsteps: [{expect: {service: a, running: lots}}]": `want a number, or a comparison`,
		"name: x\nsteps: [{expect: {service: a, event: '/(/'}}]":  "missing closing )",
		"name: x\nsteps: [{fault: {kind: trottle, match: '*'}}]":  `"trottle" (did you mean "throttle"?): want buckets, throttle`,
		"name: x\nsteps: [{fault: {kind: throttle}}]":             "needs match",
		"name: x\nsteps: [{fault: {}}]":                           "a fault has a kind",
		"name: x\nsteps: [{push: {image: 'a:v{3..1}'}}]":          "does not count up",
		"name: x\nruntime: podman\nsteps: []":                     `"podman": want simulated, docker`,
		"name: x\nname: y\nsteps: []":                             "this is no YAML",
		"steps: []":                                               `needs "name"`,
	} {
		_, err := scenario.Parse("s.yaml", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "s.yaml:") {
			t.Errorf("%q: %v\nwant %s", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"name: x\nsteps: [{advance: 1d}]", "a: [", "- - - ? :", "name: |\n  x\nsteps:\n  - expect: {service: a, running: '>= 1'}", "--- !x &a\n*a"} {
		f.Add([]byte(seed))
	}
	kept, err := filepath.Glob("../../../testdata/scenarios/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range kept {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		all, err := scenario.Parse("s.yaml", text)
		if err != nil && !strings.Contains(err.Error(), "s.yaml:") {
			t.Errorf("%q: %v does not say where", text, err)
		}
		if err == nil && len(all) == 0 {
			t.Errorf("%q: neither a scenario nor an error", text)
		}
	})
}

// The published schema and reference are those of the language.
func TestDocs(t *testing.T) {
	t.Parallel()
	schema, err := scenario.Schema()
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(schema) {
		t.Fatal("the schema is no JSON")
	}
	golden.File(t, "../../../docs/scenario.schema.json", string(schema))
	golden.Section(t, "../../../docs/scenarios.md", "reference", scenario.Reference())
}
