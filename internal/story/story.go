// Package story is what a command tells while it works: one [Event] for each
// thing that a person or a machine following along should learn. Use cases
// tell; package term shows it on a terminal, as plain lines, or as JSON lines.
package story

import (
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/taskdef"
)

// Event is one piece of news. Its JSON form is what --output json prints, one
// object a line; fields are only ever added.
type Event struct {
	Time    time.Time     `json:"time"`
	Kind    Kind          `json:"kind"`
	Step    Step          `json:"step,omitempty"`
	Service string        `json:"service,omitempty"` // cluster/service, where the news is about one
	Message string        `json:"message,omitempty"` // lower case, no full stop
	Done    int64         `json:"done,omitempty"`    // Progress: so much of Total, in Unit
	Total   int64         `json:"total,omitempty"`   // 0: not known
	Unit    string        `json:"unit,omitempty"`    // "bytes", "steps", "layers"
	There   int64         `json:"there,omitempty"`   // bytes of Done that were there before, and went nowhere
	Layers  *Layers       `json:"layers,omitempty"`  // Progress of a push
	Rollout *rollout.View `json:"rollout,omitempty"` // Change during the watch step
	Failure *Failure      `json:"failure,omitempty"`
	// Container of an Output, where there are several.
	Container string   `json:"container,omitempty"`
	Verdict   *Verdict `json:"verdict,omitempty"`
	Checks    []Check  `json:"checks,omitempty"` // all of the preflight: with its End, or with the verdict where it refused
}

// Layers is how many layers of an image the registry has.
type Layers struct {
	Done  int `json:"done"`
	Total int `json:"total"`
}

// Kind says how an [Event] is to be taken.
type Kind string

// The kinds of news.
const (
	Begin    Kind = "begin"    // a step starts
	Progress Kind = "progress" // a step goes on: Done of Total
	Change   Kind = "change"   // something moved: Message, and Rollout while watching
	Note     Kind = "note"     // worth knowing, nothing to do
	Warning  Kind = "warning"  // worth acting on, not now
	Fault    Kind = "fault"    // stands in the way: the preflight refuses
	Failed   Kind = "failed"   // a task failed: Failure has the evidence; without one, the step itself failed, and is over
	Output   Kind = "output"   // a line that a one-off task wrote: Message
	End      Kind = "end"      // a step is done
	Final    Kind = "verdict"  // the last word: Verdict
)

// Step is a stage of the work.
type Step string

// The steps of a release, in order.
const (
	Build     Step = "build"
	Push      Step = "push"
	Preflight Step = "preflight"
	Register  Step = "register"
	Before    Step = "before" // the one-off tasks before the update
	Update    Step = "update"
	Watch     Step = "watch"
	After     Step = "after" // and those after it was stable
	Rollback  Step = "rollback"
	Pin       Step = "pin"  // what keeps the images in ECR
	Wave      Step = "wave" // of several services: those that go together

	Run Step = "run" // a one-off task, all by itself

	Survey Step = "survey" // of all that runs and all that ECR holds
)

// Check is what the preflight found of one thing.
type Check struct {
	Name  string     `json:"check"` // what was looked at: "image", "secrets"
	State CheckState `json:"state"`
	Why   string     `json:"why,omitempty"` // what was found
	Do    string     `json:"do,omitempty"`  // what to do about it
}

// CheckState says how a [Check] came out.
type CheckState string

// The states of a check.
const (
	CheckOK      CheckState = "ok"
	CheckFail    CheckState = "fail"    // a deploy is refused
	CheckWarn    CheckState = "warn"    // worth acting on; a deploy goes on
	CheckSkipped CheckState = "skipped" // no permission to look, or nothing to look at
)

// Failure is the evidence of one failed task.
type Failure struct {
	TaskID        string         `json:"taskId"`
	StopCode      string         `json:"stopCode,omitempty"`
	StoppedReason string         `json:"stoppedReason,omitempty"`
	Container     string         `json:"container,omitempty"` // the one that brought the task down, where one can be named
	ExitCode      *int           `json:"exitCode,omitempty"`
	ExitMeaning   string         `json:"exitMeaning,omitempty"` // of the exit code, where it has one
	Reason        string         `json:"reason,omitempty"`      // the container's own
	Health        string         `json:"health,omitempty"`      // of its health check, where it has one
	Others        []ContainerEnd `json:"others,omitempty"`      // the task's other containers that did not end well
	PullTime      time.Duration  `json:"pullNs,omitempty"`      // that all images took
	RunTime       time.Duration  `json:"runNs,omitempty"`       // from RUNNING to the stop
	Log           []string       `json:"log,omitempty"`         // its last lines, what looks like a secret taken out
	LogAt         string         `json:"logAt,omitempty"`       // where the rest is, or all of it
	CauseID       string         `json:"causeId,omitempty"`     // as docs/diagnoses.md has it
	Cause         string         `json:"cause,omitempty"`       // named cause, in one sentence
	Facts         []string       `json:"facts,omitempty"`       // what was found out beside it, each by a read
	Check         string         `json:"check,omitempty"`       // what to look at
	Fix           string         `json:"fix,omitempty"`         // what to do
	Links         []Link         `json:"links,omitempty"`
}

// ContainerEnd is how one container of a task ended.
type ContainerEnd struct {
	Name        string   `json:"name"`
	ExitCode    *int     `json:"exitCode,omitempty"`
	ExitMeaning string   `json:"exitMeaning,omitempty"`
	Reason      string   `json:"reason,omitempty"`
	Health      string   `json:"health,omitempty"`
	Log         []string `json:"log,omitempty"` // as that of a Failure
}

// Link is a page of AWS's console.
type Link struct {
	Name string `json:"name"` // "task", "log", "images"
	URL  string `json:"url"`
}

// Finding is one thing that is wrong with a service, with what shows it.
type Finding struct {
	ID       string   `json:"id"` // as docs/diagnoses.md has it; "unknown" for what no cause is known for
	Cause    string   `json:"cause"`
	Certain  bool     `json:"certain"`        // no retry mends it
	Past     bool     `json:"past,omitempty"` // the service came to a steady state after it
	Evidence []Quote  `json:"evidence"`       // the newest first
	Facts    []string `json:"facts,omitempty"`
	Log      []string `json:"log,omitempty"` // last lines of the newest task, what looks like a secret taken out
	LogAt    string   `json:"logAt,omitempty"`
	Check    string   `json:"check,omitempty"`
	Fix      string   `json:"fix,omitempty"`
	Links    []Link   `json:"links,omitempty"`
}

// Quote is what somebody said, word for word.
type Quote struct {
	From  string    `json:"from"` // "task 0123abcd", "event", "deployment", "ecr"
	At    time.Time `json:"at,omitzero"`
	Text  string    `json:"text"`
	Count int       `json:"count,omitempty"` // said so often, where more than once; At is the last time
}

// Verdict is what the command came to.
type Verdict struct {
	Outcome        string        `json:"outcome"` // stable, started, unchanged, failed, rolled-back, superseded, timeout, interrupted, refused; of one-off tasks exited; of several services also not-begun, error
	ExitCode       int           `json:"exitCode"`
	Summary        string        `json:"summary"` // one sentence
	TaskDefinition string        `json:"taskDefinition,omitempty"`
	ImageTag       string        `json:"imageTag,omitempty"`
	ImageDigest    string        `json:"imageDigest,omitempty"`
	From           string        `json:"from,omitempty"` // the image tag that ran before
	Duration       time.Duration `json:"durationNs,omitempty"`
	Usual          time.Duration `json:"usualNs,omitempty"` // how long such rollouts took before, where that is known
	Next           []string      `json:"next,omitempty"`    // commands worth typing now
	// Changes are of the task definition, against what ran before.
	Changes []taskdef.Change `json:"changes,omitempty"`
}

// Teller takes the news; it must be safe for use by several goroutines.
type Teller func(Event)
