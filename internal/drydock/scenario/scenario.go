// Package scenario is a language for stories about deploys: what an account
// holds, what happens to it day by day, and what is expected to come of it.
//
// [Read] reads a file of them, [Run] plays one on a drydock of its own. With
// the simulated runtime the calendar stands still but for what the steps take,
// so a month takes no time and the same file always tells the same story. The
// runner is a client like any other: it speaks to drydock over HTTP.
//
// docs/scenarios.md is the reference, [Schema] the JSON schema for editors.
package scenario

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/fleet"
	"github.com/plimsoll-ecs/plimsoll/internal/strictyaml"
)

// Scenario is one story.
type Scenario struct {
	strictyaml.Where
	File    string      `json:"-"`
	Name    string      `yaml:"name,required" doc:"What the story shows, in a sentence."`
	About   string      `yaml:"about" doc:"Why it is told; shown with --verbose."`
	Start   Date        `yaml:"start" doc:"When it begins; 2026-01-05 09:00 UTC, a Monday, when not given."`
	Runtime string      `yaml:"runtime" enum:"simulated,docker" doc:"What runs containers; simulated when not given. With docker the calendar is real time plus what the steps advance."`
	Seed    uint64      `yaml:"seed" doc:"Of made-up ids; the same seed gives the same ids."`
	Given   fleet.Fleet `yaml:"given" doc:"What is there when the story begins. Services have settled."`
	Steps   []Step      `yaml:"steps,required" doc:"What happens, in order."`
}

// Step is one step: exactly one of its members.
type Step struct {
	strictyaml.Where
	Note       *Note       `yaml:"note" doc:"A line of narration."`
	Push       *Push       `yaml:"push" doc:"Push images."`
	Tag        *Tag        `yaml:"tag" doc:"Give an image another tag, as PutImage with its manifest does."`
	Delete     *Delete     `yaml:"delete" doc:"Delete an image, as BatchDeleteImage does."`
	Policy     *Policy     `yaml:"policy" doc:"Put a lifecycle policy."`
	Mutability *Mutability `yaml:"mutability" doc:"Make the tags of a repository mutable or immutable."`
	Deploy     *Deploy     `yaml:"deploy" doc:"Register the service's task definition with another image and nothing else changed, update the service, and wait for what comes of it."`
	Scale      *Scale      `yaml:"scale" doc:"Change the desired count and wait until so many tasks run."`
	StopTask   *StopTask   `yaml:"stopTask" doc:"Stop tasks of a service, oldest first."`
	RunTask    *RunTask    `yaml:"runTask" doc:"Run tasks that belong to no service."`
	Retire     *Retire     `yaml:"retire" doc:"Announce that the tasks of a service retire (AWS_ECS_TASK_PATCHING_RETIREMENT)."`
	Behaviour  *Behaviour  `yaml:"behaviour" doc:"Change what the containers of an image do, from the next task on."`
	Advance    *fleet.Span `yaml:"advance" doc:"Let time pass; everything due happens on the way."`
	Until      *Until      `yaml:"until" doc:"Let time pass until what is expected holds."`
	Fault      *Fault      `yaml:"fault" doc:"Make calls fail, or stop doing so."`
	Call       *Call       `yaml:"call" doc:"Make any call of AWS's API."`
	Expect     *Expect     `yaml:"expect" doc:"Say what has come of it; the story ends here when it has not."`
}

// Union implements [strictyaml.Union].
func (*Step) Union() string { return "step" }

// Note is narration.
type Note string

// Refusal is what a step that is to be refused says.
type Refusal struct {
	Error Text `yaml:"error" doc:"The step is to be refused so: AWS's error code, or a part of the message."`
}

// Push pushes images.
type Push struct {
	strictyaml.Where
	Refusal
	Image     string            `yaml:"image,required" doc:"repository:tag; v1.0.{1..3} and {a,b} stand for several, pushed in order."`
	Labels    map[string]string `yaml:"labels" doc:"What its container does: {exit-after: 1m, exit-code: 1}, by the labels of the simulated runtime."`
	Platforms []string          `yaml:"platforms" doc:"Platforms, linux/amd64 when not given; several make a multi-arch index."`
	Content   string            `yaml:"content" doc:"Makes two pushes the same image; every push is another one when not given."`
	Tarball   string            `yaml:"tarball" doc:"A file of docker save to push instead."`
	Every     fleet.Span        `yaml:"every" doc:"Let so much time pass between two of several."`
	As        string            `yaml:"as" doc:"A name for the digest: $NAME stands for this image later, whatever becomes of its tag."`
}

// Tag retags.
type Tag struct {
	strictyaml.Where
	Refusal
	Image string `yaml:"image,required" doc:"repository:tag, repository@digest or $NAME."`
	As    string `yaml:"as,required" doc:"The other tag."`
}

// Delete deletes.
type Delete struct {
	strictyaml.Where
	Refusal
	Image string `yaml:"image,required" doc:"repository:tag, repository@digest or $NAME."`
}

// Policy puts a lifecycle policy.
type Policy struct {
	strictyaml.Where
	Refusal
	Repository string       `yaml:"repository,required" doc:"Its repository."`
	Lifecycle  []fleet.Rule `yaml:"lifecycle" doc:"The policy in short: one rule, or a list of them by priority."`
	Document   any          `yaml:"document" doc:"The policy as ECR takes it: {rules: […]}."`
	File       string       `yaml:"file" doc:"A file with the policy as ECR takes it."`
}

// Mutability changes whether tags can be moved.
type Mutability struct {
	strictyaml.Where
	Refusal
	Repository string `yaml:"repository,required" doc:"The repository."`
	To         string `yaml:"to,required" enum:"MUTABLE,IMMUTABLE" doc:"MUTABLE or IMMUTABLE."`
}

// Deploy deploys.
type Deploy struct {
	strictyaml.Where
	Refusal
	Service   string     `yaml:"service,required" doc:"The service."`
	Cluster   string     `yaml:"cluster" doc:"Its cluster; not needed when the name is in one only."`
	Image     string     `yaml:"image" doc:"repository:tag, repository@digest or $NAME; the present one again, forced, when not given."`
	Container string     `yaml:"container" doc:"Which container, where there are several."`
	Desired   *int       `yaml:"desired" doc:"The desired count from here on."`
	Wait      *bool      `yaml:"wait" doc:"false goes on at once."`
	Outcome   string     `yaml:"outcome" enum:"SUCCESSFUL,STOPPED,ROLLBACK_SUCCESSFUL,ROLLBACK_FAILED,IN_PROGRESS" doc:"The status its service deployment is to come to; SUCCESSFUL when not given. A circuit breaker without a rollback comes to STOPPED; IN_PROGRESS is a rollout that has not ended within the time."`
	Within    fleet.Span `yaml:"within" doc:"How long to wait; 1h when not given."`
}

// Scale scales.
type Scale struct {
	strictyaml.Where
	Refusal
	Service string     `yaml:"service,required" doc:"The service."`
	Cluster string     `yaml:"cluster" doc:"Its cluster; not needed when the name is in one only."`
	Desired int        `yaml:"desired,required" doc:"How many tasks from here on."`
	Wait    *bool      `yaml:"wait" doc:"false goes on at once."`
	Within  fleet.Span `yaml:"within" doc:"How long to wait; 1h when not given."`
}

// StopTask stops tasks.
type StopTask struct {
	strictyaml.Where
	Service string `yaml:"service,required" doc:"The service."`
	Cluster string `yaml:"cluster" doc:"Its cluster; not needed when the name is in one only."`
	Count   int    `yaml:"count" doc:"How many; 1 when not given."`
	Reason  string `yaml:"reason" doc:"Why, for the stopped reason."`
}

// RunTask runs tasks.
type RunTask struct {
	strictyaml.Where
	Refusal
	Family  string `yaml:"family,required" doc:"family or family:revision of the task definition."`
	Cluster string `yaml:"cluster" doc:"The cluster; default when not given."`
	Count   int    `yaml:"count" doc:"How many; 1 when not given."`
}

// Retire announces a retirement.
type Retire struct {
	strictyaml.Where
	Refusal
	Service string      `yaml:"service,required" doc:"The service."`
	Cluster string      `yaml:"cluster" doc:"Its cluster; not needed when the name is in one only."`
	In      *fleet.Span `yaml:"in" doc:"How far ahead; the account's fargateTaskRetirementWaitPeriod, 7d, when not given."`
}

// Behaviour changes what containers do.
type Behaviour struct {
	strictyaml.Where
	Refusal
	Image  string            `yaml:"image,required" doc:"repository, repository:tag, repository@digest, a pattern with *, or $NAME."`
	Labels map[string]string `yaml:"labels" doc:"Labels laid over those of the image: {exit-after: 1m, exit-code: 1}. Without any the image's own hold again."`
}

// Until advances until something holds.
type Until struct {
	Expect
	Within fleet.Span `yaml:"within" doc:"How long to wait at most; 1h when not given."`
}

// Fault makes calls fail.
type Fault struct {
	strictyaml.Where
	Clear   bool       `yaml:"clear" doc:"true ends all faults."`
	Kind    string     `yaml:"kind" enum:"buckets,throttle,error,latency,drop,lose" doc:"What becomes of the calls."`
	Match   string     `yaml:"match" with:"kind" doc:"Which calls: ecs:UpdateService, ecr:*, registry:GetBlob or *."`
	Skip    int        `yaml:"skip" with:"kind" doc:"Let so many pass first."`
	Count   int        `yaml:"count" with:"kind" doc:"Strike so many at most."`
	Rate    float64    `yaml:"rate" with:"kind" doc:"Strike this share of them."`
	Seed    uint64     `yaml:"seed" with:"rate" doc:"Which ones a rate strikes."`
	Status  int        `yaml:"status" with:"kind" doc:"error: HTTP status."`
	Code    string     `yaml:"code" with:"kind" doc:"error: AWS's error code."`
	Message string     `yaml:"message" with:"kind" doc:"error: its message."`
	Delay   fleet.Span `yaml:"delay" with:"kind" doc:"latency: how long a call waits, in real time."`
}

// Call makes a call.
type Call struct {
	strictyaml.Where
	Refusal
	Service   string `yaml:"service,required" doc:"As IAM actions begin: ecs, ecr, logs, sts …"`
	Operation string `yaml:"operation,required" doc:"The operation: UpdateService."`
	Input     any    `yaml:"input" doc:"Its input, as the API has it. $NAME and $REGISTRY in texts are filled in."`
	Output    any    `yaml:"output" doc:"What its output is to have: a part of it, with comparisons."`
}

// Expect says what has come of the story. What it is about is its first
// member; the others narrow it down or say what is to be.
type Expect struct {
	strictyaml.Where
	Service    string `yaml:"service" doc:"About a service."`
	Image      string `yaml:"image" doc:"About an image: repository:tag, repository@digest or $NAME. With service: what its newest deployment runs."`
	Tasks      string `yaml:"tasks" doc:"About the tasks of a service, or * for all of the cluster; those that match everything are counted."`
	Events     Text   `yaml:"events" doc:"About events of EventBridge, by their detail type."`
	Health     string `yaml:"health" doc:"About events of AWS Health, by their type code."`
	Requests   string `yaml:"requests" doc:"About requests so far: ecs:UpdateService, ecr:*."`
	Repository string `yaml:"repository" doc:"About a repository."`

	Cluster       string `yaml:"cluster" with:"service,tasks" doc:"The cluster; not needed when the name is in one only."`
	Desired       Count  `yaml:"desired" with:"service" doc:"Its desired count."`
	Running       Count  `yaml:"running" with:"service" doc:"How many tasks run."`
	Pending       Count  `yaml:"pending" with:"service" doc:"How many tasks are starting."`
	Rollout       Text   `yaml:"rollout" with:"service" doc:"The rollout state of its PRIMARY deployment: COMPLETED, IN_PROGRESS, FAILED."`
	Outcome       Text   `yaml:"outcome" with:"service" doc:"The status of its newest service deployment: SUCCESSFUL, ROLLBACK_SUCCESSFUL …"`
	Deployments   Count  `yaml:"deployments" with:"service" doc:"How many deployments it has, draining ones included."`
	FailedTasks   Count  `yaml:"failedTasks" with:"service" doc:"What its PRIMARY deployment counts as failed."`
	Event         Text   `yaml:"event" with:"service" doc:"What one of its last 100 events says."`
	StoppedReason Text   `yaml:"stoppedReason" with:"service,tasks" doc:"Why a task stopped, within the hour that it is shown."`
	Digest        string `yaml:"digest" with:"service,tasks" doc:"$NAME or a digest: what its running tasks are pinned to."`
	State         string `yaml:"state" with:"image" enum:"there,gone,archived" doc:"What has become of the image."`
	Tags          []Text `yaml:"tags" with:"image" doc:"Tags that it has."`
	Status        Text   `yaml:"status" with:"tasks,health" doc:"lastStatus of the tasks; upcoming, open or closed of a Health event."`
	ExitCode      Count  `yaml:"exitCode" with:"tasks" doc:"The exit code of a container."`
	Source        Text   `yaml:"source" with:"events" doc:"aws.ecs or aws.health."`
	Detail        any    `yaml:"detail" with:"events" doc:"What their detail has: a part of it, with comparisons."`
	Error         Text   `yaml:"error" with:"requests" doc:"The error code that they were answered with."`
	Images        Count  `yaml:"images" with:"repository" doc:"How many images it has."`
	Untagged      Count  `yaml:"untagged" with:"repository" doc:"How many of them have no tag."`
	Count         Count  `yaml:"count" with:"tasks,events,health,requests" doc:"How many there are; at least one when not given."`
}

// Date is a moment of the calendar.
type Date time.Time

// UnmarshalScalar implements [strictyaml.Scalar].
func (d *Date) UnmarshalScalar(text string) error {
	for _, layout := range []string{time.DateOnly, "2006-01-02 15:04", time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil && t.Year() >= 2000 && t.Year() < 2200 {
			*d = Date(t.UTC())
			return nil
		}
	}
	return fmt.Errorf("want %s", d.Describe())
}

// Describe implements [strictyaml.Described].
func (d *Date) Describe() string { return "a day such as 2026-01-05, or 2026-01-05 09:00" }

// Read reads a file of scenarios. What is wrong with it is a
// [*strictyaml.Error], or several joined.
func Read(file string) ([]*Scenario, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return Parse(file, text)
}

// Parse is Read of what was read already.
func Parse(file string, text []byte) ([]*Scenario, error) {
	docs, err := strictyaml.Documents(file, text)
	if err != nil {
		return nil, err
	}
	var out []*Scenario
	for _, d := range docs {
		s := &Scenario{File: file}
		if err := d.Decode(s); err != nil {
			return nil, err
		}
		if err := s.check(); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// folder is where the files are that a scenario names.
func (s *Scenario) folder() string { return filepath.Dir(s.File) }

func (s *Scenario) wrong(at strictyaml.Position, format string, args ...any) error {
	return &strictyaml.Error{File: s.File, Position: at, Text: fmt.Sprintf(format, args...)}
}

// check finds what the shape of a scenario does not show.
func (s *Scenario) check() error {
	for _, step := range s.Steps {
		e := step.Expect
		if step.Until != nil {
			e = &step.Until.Expect
		}
		if e != nil {
			if err := s.checkExpect(e); err != nil {
				return err
			}
		}
		if f := step.Fault; f != nil && f.Clear == (f.Kind != "") {
			return s.wrong(f.At, "a fault has a kind, or is clear: true")
		}
		if f := step.Fault; f != nil && f.Kind != "" && f.Match == "" {
			return s.wrong(f.At, "a fault needs match: which calls it strikes")
		}
		if p := step.Push; p != nil {
			if _, err := fleet.Expand(p.Image); err != nil {
				return s.wrong(p.Of("image"), "image: %v", err)
			}
		}
	}
	return nil
}

func (s *Scenario) checkExpect(e *Expect) error {
	about := 0
	for _, is := range []bool{e.Service != "", e.Image != "" && e.Service == "", e.Tasks != "", e.Events.Given(), e.Health != "", e.Requests != "", e.Repository != ""} {
		if is {
			about++
		}
	}
	if about != 1 {
		return s.wrong(e.At, "an expectation is about one of service, image, tasks, events, health, requests and repository, not about %d", about)
	}
	if e.Image != "" && e.Service == "" && e.State == "" && len(e.Tags) == 0 {
		return s.wrong(e.At, "what is expected of the image? Say state or tags")
	}
	return nil
}

// Schema is the JSON schema of scenario files, as docs/scenario.schema.json
// has it.
func Schema() ([]byte, error) {
	schema := strictyaml.Schema(new(Scenario), "https://plimsoll-ecs.github.io/plimsoll/scenario.schema.json", "A drydock scenario")
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(schema)
	return out.Bytes(), err
}

// kind is which member of a step is given, and its value.
func (s *Step) kind() (string, any) {
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Pointer && !f.IsNil() {
			return v.Type().Field(i).Tag.Get("yaml"), f.Interface()
		}
	}
	return "", nil
}
