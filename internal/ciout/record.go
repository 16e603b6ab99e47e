package ciout

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// Record is what a command came to, as its story told it.
type Record struct {
	mu      sync.Mutex
	courses []*course
	urls    map[string]string // of services, by cluster/service
	tag     string            // of an image that was pushed, and no more than that
	digest  string
}

// course is the story of one service, or of none: what was built and pushed.
type course struct {
	service  string
	refusals []string
	warnings []string
	checks   []story.Check // of the preflight
	failures []story.Failure
	verdict  story.Verdict // without an outcome when there was none
	at       time.Time     // of the verdict
}

// mostFailures is how many failed tasks of a service are kept; those that failed
// alike are one.
const mostFailures = 3

// Hear keeps what is worth keeping of an event. [Log.Around] calls it; it is for
// events that go another way.
func (r *Record) Hear(e story.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.course(e.Service)
	if len(e.Checks) > 0 {
		c.checks = e.Checks
	}
	switch {
	case e.Kind == story.Warning && !slices.Contains(c.warnings, e.Message):
		c.warnings = append(c.warnings, e.Message)
	case e.Kind == story.Fault && !slices.Contains(c.refusals, e.Message):
		c.refusals = append(c.refusals, e.Message)
	case e.Kind == story.Failed && e.Failure != nil:
		alike := func(f story.Failure) bool {
			return f.CauseID == e.Failure.CauseID && f.Cause == e.Failure.Cause && f.StoppedReason == e.Failure.StoppedReason && f.Reason == e.Failure.Reason
		}
		if len(c.failures) < mostFailures && !slices.ContainsFunc(c.failures, alike) {
			c.failures = append(c.failures, *e.Failure)
		}
	case e.Kind == story.Final && e.Verdict != nil:
		c.verdict, c.at = *e.Verdict, e.Time
	}
}

func (r *Record) course(service string) *course {
	for _, c := range r.courses {
		if c.service == service {
			return c
		}
	}
	r.courses = append(r.courses, &course{service: service})
	return r.courses[len(r.courses)-1]
}

// URL notes where a service can be looked at.
func (r *Record) URL(service, url string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.urls == nil {
		r.urls = map[string]string{}
	}
	r.urls[service] = url
}

// Pushed notes an image that was pushed.
func (r *Record) Pushed(tag, digest string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tag, r.digest = tag, digest
}

// judged are the services with a verdict. The sum of several, which is told to
// machines only, is none of them.
func (r *Record) judged() []*course {
	var list, sum []*course
	for _, c := range r.courses {
		switch {
		case c.verdict.Outcome == "":
		case c.service == "":
			sum = append(sum, c)
		default:
			list = append(list, c)
		}
	}
	if len(list) == 0 {
		return sum
	}
	return list
}

// Empty reports whether there is no verdict and no image to tell of.
func (r *Record) Empty() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.judged()) == 0 && r.tag == ""
}

// Outcome is the record in a few values, for other jobs. What is not known is "".
type Outcome struct {
	ImageTag       string
	ImageDigest    string
	TaskDefinition string
	Verdict        string // of story.Verdict; Pushed, Errored or Unfinished
	URL            string
}

// The verdicts of commands that came to none.
const (
	Pushed      = "pushed"      // of push
	Errored     = "error"       // the log says what
	Interrupted = "interrupted" // before there was anything to leave behind
	Unfinished  = "unfinished"  // the command was killed
)

// Outcomes of services that say less than those of others beside them.
const (
	unchanged = "unchanged"
	notBegun  = "not-begun" // another one failed before
)

// Outcome is what a command that ends with the exit code came to. Of several
// services the verdict is that of the worst, and the other values are lists with
// commas, or nothing where such a list would be too long for a variable.
func (r *Record) Outcome(code int) Outcome {
	r.mu.Lock()
	defer r.mu.Unlock()
	var tags, digests, definitions, urls []string
	verdict := ""
	for _, c := range r.judged() {
		tags, digests = append(tags, c.verdict.ImageTag), append(digests, c.verdict.ImageDigest)
		definitions = append(definitions, c.verdict.TaskDefinition[strings.LastIndexByte(c.verdict.TaskDefinition, '/')+1:])
		urls = append(urls, r.urls[c.service])
		if c.verdict.ExitCode == code && (verdict == "" || verdict == unchanged || verdict == notBegun) {
			verdict = c.verdict.Outcome
		}
	}
	o := Outcome{
		ImageTag: cmp.Or(list(tags), r.tag), ImageDigest: cmp.Or(list(digests), r.digest),
		TaskDefinition: list(definitions), URL: list(urls), Verdict: verdict,
	}
	switch {
	case verdict != "":
	case code == 130:
		o.Verdict = Interrupted
	case code != 0:
		o.Verdict = Errored
	case r.tag != "":
		o.Verdict = Pushed
	}
	if strings.Contains(o.URL, ",") { // an environment has one address
		o.URL = ""
	}
	return o
}

// mostList is what a list may take of the 5 KB that GitLab reads of a dotenv
// report.
const mostList = 1000

// list is all values that differ, in their order.
func list(values []string) string {
	var all []string
	for _, v := range values {
		if v != "" && !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	if text := strings.Join(all, ","); len(text) <= mostList {
		return text
	}
	return ""
}

// Annotations are what is worth an annotation: why a verdict is not good, what
// stands in the way, and what the checks warn of.
func (r *Record) Annotations() []Annotation {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []Annotation
	for _, c := range r.courses {
		all = append(all, c.annotations()...)
	}
	return all
}

func (c *course) annotations() []Annotation {
	var all []Annotation
	told := map[string]bool{} // what checks say is told by itself too
	faults := 0
	for _, check := range c.checks {
		text := check.Name + ": " + check.Why
		if check.Do != "" {
			text += "; " + check.Do
		}
		told[text] = true
		level := Warning
		switch {
		case check.State == story.CheckFail:
			level = Error
			faults++
		case check.State != story.CheckWarn:
			continue
		}
		all = append(all, Annotation{Level: level, Title: title("preflight", c.service), Text: text})
	}
	for _, text := range c.refusals {
		if !told[text] {
			all = append(all, Annotation{Level: Error, Title: title("preflight", c.service), Text: text})
			faults++
		}
	}
	// The faults say it better, and of what was not begun the others do.
	if c.verdict.ExitCode != 0 && faults == 0 && c.verdict.Outcome != notBegun {
		all = append(all, c.bad())
	}
	for _, text := range c.warnings {
		if !told[text] {
			all = append(all, Annotation{Level: Warning, Title: c.service, Text: text})
		}
	}
	return all
}

// bad is why a verdict is not good, in so few lines that a page shows all.
func (c *course) bad() Annotation {
	text := c.verdict.Summary
	for _, f := range c.failures {
		if why := reason(f); !strings.Contains(text, why) {
			text += "\n" + why
		}
		if f.Fix != "" {
			text += "\nfix: " + f.Fix
		}
	}
	return Annotation{Level: Error, Title: title(c.verdict.Outcome, c.service), Text: text}
}

// title names what an annotation is about.
func title(words ...string) string {
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
}

// reason is why a task failed, in one sentence.
func reason(f story.Failure) string {
	return cmp.Or(f.Cause, f.Reason, f.StoppedReason, f.StopCode)
}
