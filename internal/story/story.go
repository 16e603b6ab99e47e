// Package story is what a command tells while it works: one [Event] for each
// thing that a person or a machine following along should learn. Use cases
// tell; package term shows it on a terminal, as plain lines, or as JSON lines.
package story

import (
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
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
	Rollout *rollout.View `json:"rollout,omitempty"` // Change during the watch step
	Failure *Failure      `json:"failure,omitempty"`
	Verdict *Verdict      `json:"verdict,omitempty"`
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
	Failed   Kind = "failed"   // a task failed: Failure has the evidence; without one, the step itself failed, and is over
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
	Update    Step = "update"
	Watch     Step = "watch"
	Rollback  Step = "rollback"
)

// Failure is the evidence of one failed task.
type Failure struct {
	TaskID        string   `json:"taskId"`
	StopCode      string   `json:"stopCode,omitempty"`
	StoppedReason string   `json:"stoppedReason,omitempty"`
	Container     string   `json:"container,omitempty"` // the one that brought the task down, where one can be named
	ExitCode      *int     `json:"exitCode,omitempty"`
	Reason        string   `json:"reason,omitempty"` // the container's own
	Log           []string `json:"log,omitempty"`    // its last lines
	Cause         string   `json:"cause,omitempty"`  // named cause, in one sentence
	Check         string   `json:"check,omitempty"`  // what to look at
	Fix           string   `json:"fix,omitempty"`    // what to do
}

// Verdict is what the command came to.
type Verdict struct {
	Outcome        string        `json:"outcome"` // stable, started, unchanged, failed, rolled-back, superseded, timeout, interrupted, refused
	ExitCode       int           `json:"exitCode"`
	Summary        string        `json:"summary"` // one sentence
	TaskDefinition string        `json:"taskDefinition,omitempty"`
	ImageTag       string        `json:"imageTag,omitempty"`
	ImageDigest    string        `json:"imageDigest,omitempty"`
	From           string        `json:"from,omitempty"` // the image tag that ran before
	Duration       time.Duration `json:"durationNs,omitempty"`
	Next           []string      `json:"next,omitempty"` // commands worth typing now
}

// Teller takes the news; it must be safe for use by several goroutines.
type Teller func(Event)
