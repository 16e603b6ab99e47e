package audit

import "time"

// Code names a kind of finding. Codes are never reused: baselines, ignore rules
// and people's memories lean on them.
type Code string

// Severity is how bad a finding is.
type Severity int

// The severities. Error: a restart now, or one that is sure to come, fails.
// Warning: it may fail within the horizon, or a safeguard is missing. Note: worth
// knowing.
const (
	Note Severity = iota
	Warning
	Error
)

// ObjectKind is what a finding is about.
type ObjectKind string

// The kinds of object.
const (
	ServiceObject    ObjectKind = "service"
	ScheduleObject   ObjectKind = "schedule"
	TaskObject       ObjectKind = "task"
	RepositoryObject ObjectKind = "repository"
	ImageObject      ObjectKind = "image"
	RoleObject       ObjectKind = "role"
	// PlaceObject is what could not be read there; AcceptObject is a rule
	// that accepted findings.
	PlaceObject  ObjectKind = "place"
	AcceptObject ObjectKind = "accept"
)

// Object is the one thing that a finding is about.
type Object struct {
	Kind ObjectKind `json:"kind"`
	Place
	Name string `json:"name"` // "prod/web" for a service, the repository's name, …
	ARN  string `json:"arn,omitempty"`
}

// Finding is one result of an audit.
type Finding struct {
	Code      Code     `json:"code"`
	Severity  Severity `json:"severity"`
	Object    Object   `json:"object"`
	Container string   `json:"container,omitempty"`
	Image     string   `json:"image,omitempty"`  // reference, as a person would write it
	Digest    string   `json:"digest,omitempty"` // what would be pulled
	// Part is what of the object is meant where it may have several findings of
	// one code: the remark on a policy, the action that was denied.
	Part string `json:"part,omitempty"`
	What string `json:"what"`           // one sentence: "web cannot restart: its image is gone"
	Why  string `json:"why,omitempty"`  // the evidence, one or two sentences
	When *When  `json:"when,omitempty"` // nil for what is so now
	Fix  []Fix  `json:"fix,omitempty"`  // in the order to be tried
	// Accepted says why the finding does not count: a baseline or a rule of the
	// configuration accepts it. "" when it counts.
	Accepted string `json:"accepted,omitempty"`
}

// When is a time in the future with its uncertainty. For an age rule all are the
// same; for a count rule they come from how often images were pushed.
type When struct {
	Earliest time.Time `json:"earliest,omitzero"` // P10, or the sure time
	Likely   time.Time `json:"likely,omitzero"`   // P50
	Latest   time.Time `json:"latest,omitzero"`   // P90; zero when not within sight
	Pushes   int       `json:"pushes,omitempty"`  // so many more pushes do it; 0 for an age rule
	Rule     int       `json:"rule,omitempty"`    // priority of the lifecycle rule
}

// Fix is one way to mend it.
type Fix struct {
	Say     string `json:"say"`               // what it does: "pin the digest before tonight's run"
	Command string `json:"command,omitempty"` // a command to paste, complete
	Then    bool   `json:"then,omitempty"`    // the step after the fix before it, not another way
}

// Report is what an audit came to.
type Report struct {
	At       time.Time     `json:"at"`
	Horizon  time.Duration `json:"horizon"`
	Findings []Finding     `json:"findings"` // by severity, code, place, object
	Seen     Seen          `json:"seen"`
	Blind    []Blind       `json:"blind,omitempty"`
}

// Seen counts what was judged.
type Seen struct {
	Clusters     int `json:"clusters"`
	Services     int `json:"services"`
	Tasks        int `json:"tasks"`
	Schedules    int `json:"schedules"`
	Repositories int `json:"repositories"`
	Images       int `json:"images"`
	Safe         int `json:"safe"`            // services that could restart now and within the horizon
	Roles        int `json:"roles,omitempty"` // of an audit of roles alone
}
