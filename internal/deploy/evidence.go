package deploy

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/diagnose"
	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
	"github.com/plimsoll-ecs/plimsoll/internal/taskdef"
)

// evidence is what is known of one failed task.
type evidence struct {
	failure      story.Failure
	cause        *rollout.Cause
	particular   bool // the cause is none of those that say little
	worthTelling bool // a new cause, or one of the first that none is known for
}

const (
	readLogs   = 5 // of so many failed tasks: any cause is proved by fewer
	logLines   = 20
	otherLines = 5 // of a container that failed beside the first
	tellMute   = 3 // so many tasks without a known cause are told in full
)

// examine collects the evidence of a failed task, once: ECS forgets a stopped
// task after about an hour.
func (w *watch) examine(ctx context.Context, t rollout.Task) *evidence {
	if e := w.evidence[t.ID]; e != nil {
		return e
	}
	e := &evidence{failure: failureOf(t)}
	doc, _ := w.document(ctx, t.TaskDefinition)
	var log []string
	if len(w.evidence) < readLogs {
		var err error
		if log, err = w.inquiry.readLog(ctx, doc, t, &e.failure); err != nil && !w.causes["log"] {
			w.causes["log"] = true
			w.say(story.Note, w.step, "the container's log cannot be read: %v", err)
		}
	}
	d, ok := w.diagnose(e.failure, log, nil)
	if like := w.likeness(e.failure); like != nil && len(log) == 0 && (!ok || d.General) {
		e.cause = like
	} else if ok {
		// Events lag: tasks are counted together by what is known of all of
		// them at once.
		e.cause = &rollout.Cause{ID: d.ID, Reason: d.Cause, Enough: d.Conclusive}
		e.particular = !d.General
		e.worthTelling = !w.causes["task "+d.ID]
		w.causes["task "+d.ID] = true
		d, _ = w.diagnose(e.failure, log, eventsAbout(w.last, t))
		w.causes[d.ID] = true
		explainedBy(&e.failure, d)
		if e.worthTelling {
			w.inquiry.complete(ctx, w.last, doc, t, &e.failure, d)
			w.tellUnread()
		}
	} else {
		e.worthTelling = len(w.evidence) < tellMute
	}
	w.evidence[t.ID] = e
	return e
}

// likeness is the particular cause of an earlier task that ended as this one
// did, which has no log to tell it by: not every log is read, and some arrive
// late.
func (w *watch) likeness(f story.Failure) *rollout.Cause {
	for _, e := range w.evidence {
		o := e.failure
		if e.particular && o.Container == f.Container && o.StopCode == f.StopCode && o.Reason == f.Reason &&
			o.ExitCode != nil && f.ExitCode != nil && *o.ExitCode == *f.ExitCode {
			return e.cause
		}
	}
	return nil
}

// failureOf is what ECS says of a failed task.
func failureOf(t rollout.Task) story.Failure {
	culprit := culpritOf(t)
	f := story.Failure{
		TaskID:        t.ID,
		StopCode:      t.StopCode,
		StoppedReason: t.StoppedReason,
		Container:     culprit.Name,
		ExitCode:      culprit.ExitCode,
		Reason:        culprit.Reason,
		ExitMeaning:   exitMeaning(t, culprit),
		Health:        known(culprit.Health),
		PullTime:      between(t.PullStarted, t.PullStopped),
		RunTime:       between(t.StartedAt, t.StoppedAt),
	}
	for _, c := range t.Containers {
		// 143 is the end of all that are stopped after the first.
		ended := c.ExitCode != nil && *c.ExitCode != 0 && *c.ExitCode != 143
		if c.Name != culprit.Name && (ended || c.Reason != "") {
			f.Others = append(f.Others, story.ContainerEnd{
				Name: c.Name, ExitCode: c.ExitCode, ExitMeaning: exitMeaning(t, c), Reason: c.Reason, Health: known(c.Health),
			})
		}
	}
	return f
}

// explainedBy puts the diagnosis into the evidence.
func explainedBy(f *story.Failure, d diagnose.Diagnosis) {
	f.CauseID, f.Cause, f.Check, f.Fix = d.ID, d.Cause, d.Check, d.Fix
}

func exitMeaning(t rollout.Task, c rollout.Container) string {
	return diagnose.Evidence{StopCode: t.StopCode, StoppedReason: t.StoppedReason, ContainerReason: c.Reason, ExitCode: c.ExitCode}.ExitMeaning()
}

// known leaves out the state of a container without a health check.
func known(health string) string {
	if health == "UNKNOWN" {
		return ""
	}
	return health
}

func between(from, to time.Time) time.Duration {
	if from.IsZero() || to.Before(from) {
		return 0
	}
	return to.Sub(from)
}

// complete adds what can be found out beside, and where to look on.
func (q *inquiry) complete(ctx context.Context, s Service, doc *taskdef.Document, t rollout.Task, f *story.Failure, d diagnose.Diagnosis) {
	links := consoleOf(s.ARN)
	if !q.Console {
		links = console{}
	}
	f.Links = append(f.Links, links.task(q.target.Cluster, t.ID)...)
	if from, ok := logOf(doc, f.Container, t.ID); ok && f.ExitCode != nil {
		if from.Region != "" && links.region != "" {
			links.host = strings.Replace(links.host, links.region, from.Region, 1)
			links.region = from.Region
		}
		f.Links = append(f.Links, links.log(from.Group, from.Stream)...)
	}
	if q.Clues == nil {
		return
	}
	found := q.join(ctx, subject{
		service: s, doc: doc, task: t, container: f.Container, diagnosis: d, words: f.StoppedReason + " " + f.Reason,
	})
	f.Facts = found.facts
	if q.Console {
		f.Links = append(f.Links, found.links...)
	}
}

// tellUnread says once of each action that it would have told more.
func (w *watch) tellUnread() {
	for _, action := range w.inquiry.unread {
		if told := "unread " + action; !w.causes[told] {
			w.causes[told] = true
			w.say(story.Note, w.step, "more could be told with %s, which the role that runs this is not allowed", action)
		}
	}
}

// culpritOf is the container that brought a task down: one that could not
// start, else the first that ended with an error.
func culpritOf(t rollout.Task) rollout.Container {
	for _, guilty := range []func(rollout.Container) bool{
		func(c rollout.Container) bool { return c.ExitCode == nil && c.Reason != "" },
		func(c rollout.Container) bool { return c.ExitCode != nil && *c.ExitCode != 0 && *c.ExitCode != 143 }, // 143: SIGTERM, the others are stopped after the first
		func(c rollout.Container) bool { return c.ExitCode != nil },
	} {
		if i := slices.IndexFunc(t.Containers, guilty); i >= 0 {
			return t.Containers[i]
		}
	}
	return rollout.Container{}
}

// readLog reads the last lines of the container that brought the task down,
// where the task definition sends them to CloudWatch, and says where they are
// where it does not; a few lines of the others that failed too. What is shown
// is masked; what comes back is not, for the patterns of the causes. Not having
// it is no news: the reasons that ECS gives remain.
func (q *inquiry) readLog(ctx context.Context, doc *taskdef.Document, t rollout.Task, f *story.Failure) ([]string, error) {
	if doc == nil {
		return nil, nil
	}
	for i := range f.Others {
		if from, ok := logOf(doc, f.Others[i].Name, t.ID); ok && f.Others[i].ExitCode != nil {
			lines, _ := q.AWS.Tail(ctx, from, otherLines) // the first container's log tells whether logs can be read
			f.Others[i].Log = diagnose.MaskLines(lines)
		}
	}
	if f.ExitCode == nil { // what never ran wrote nothing
		return nil, nil
	}
	i := slices.IndexFunc(doc.Containers(), func(c taskdef.Container) bool { return c.Name == f.Container })
	if i < 0 {
		return nil, nil
	}
	f.LogAt = logPlace(doc.Containers()[i].Log, f.Container, t.ID)
	from, ok := streamOf(doc.Containers()[i].Log, f.Container, t.ID)
	if !ok {
		return nil, nil
	}
	lines, err := q.AWS.Tail(ctx, from, logLines)
	f.Log = diagnose.MaskLines(lines)
	return lines, err
}

// logOf is the stream that a container wrote to.
func logOf(doc *taskdef.Document, container, taskID string) (LogStream, bool) {
	if doc == nil {
		return LogStream{}, false
	}
	for _, c := range doc.Containers() {
		if c.Name == container {
			return streamOf(c.Log, container, taskID)
		}
	}
	return LogStream{}, false
}

// streamOf is where the awslogs driver writes: with a stream prefix, which
// Fargate demands, the stream is prefix/container/task. Without one its name
// is the container's id, which ECS does not tell.
func streamOf(log taskdef.Log, container, taskID string) (LogStream, bool) {
	group, prefix := log.Options["awslogs-group"], log.Options["awslogs-stream-prefix"]
	if log.Driver != "awslogs" || group == "" || prefix == "" {
		return LogStream{}, false
	}
	return LogStream{Region: log.Options["awslogs-region"], Group: group, Stream: path.Join(prefix, container, taskID)}, true
}

// logPlace says where the output of a container is. Options that may hold a
// token are not named.
func logPlace(log taskdef.Log, container, taskID string) string {
	option := func(names ...string) string {
		for _, name := range names {
			if v := log.Options[name]; v != "" {
				return " at " + diagnose.Mask(v)
			}
		}
		return ""
	}
	switch log.Driver {
	case "":
		return "nowhere: " + container + " has no logConfiguration"
	case "awslogs":
		if from, ok := streamOf(log, container, taskID); ok {
			return "log group " + from.Group + ", stream " + from.Stream
		}
		return "log group " + log.Options["awslogs-group"] + "; without awslogs-stream-prefix the stream is named after the container's id"
	case "awsfirelens":
		to := log.Options["Name"]
		if to == "" {
			to = log.Options["@type"]
		}
		if to == "" {
			return "where the log router of the task sends it (awsfirelens)"
		}
		return "in " + to + option("Host", "host", "log_group_name", "delivery_stream", "stream", "bucket") + ", sent by the log router of the task (awsfirelens)"
	case "splunk":
		return "in Splunk" + option("splunk-url")
	case "fluentd":
		return "in fluentd" + option("fluentd-address")
	case "gelf":
		return "in Graylog" + option("gelf-address")
	case "syslog":
		return "in syslog" + option("syslog-address")
	case "json-file", "local", "journald":
		return "on the instance that the task ran on (" + log.Driver + ")"
	}
	return "where the log driver " + log.Driver + " sends it"
}

// eventsAbout are the messages of the service that name a task.
func eventsAbout(s Service, t rollout.Task) []string {
	var messages []string
	for _, e := range s.Events {
		if strings.Contains(e.Message, "(task "+t.ID+")") && !strings.Contains(e.Message, "has started") && !strings.Contains(e.Message, "has stopped") {
			messages = append(messages, e.Message)
		}
	}
	return messages
}

// diagnose names the cause of a task's failure by what ECS says, what the
// container wrote and what the service's events say about it. Nothing of a log
// gets into the diagnosis that is not masked.
func (j *job) diagnose(f story.Failure, log, events []string) (diagnose.Diagnosis, bool) {
	found := j.Knowledge.Diagnose(diagnose.Evidence{
		StopCode:        f.StopCode,
		StoppedReason:   f.StoppedReason,
		ContainerReason: f.Reason,
		ExitCode:        f.ExitCode,
		Log:             log,
		Events:          events,
	})
	if len(found) == 0 {
		return diagnose.Diagnosis{}, false
	}
	d := found[0]
	d.Cause, d.Check, d.Fix = diagnose.Mask(d.Cause), diagnose.Mask(d.Check), diagnose.Mask(d.Fix)
	return d, true
}

// explain adds what is known of an event in which ECS complains.
func (w *watch) explain(event string) {
	for _, d := range w.Knowledge.Diagnose(diagnose.Evidence{Events: []string{event}}) {
		if w.causes[d.ID] {
			continue
		}
		w.causes[d.ID] = true
		w.say(story.Warning, w.step, "%s; check: %s; fix: %s", d.Cause, d.Check, d.Fix)
	}
}

// headline is the evidence in one line.
func (e *evidence) headline() string {
	f := e.failure
	s := "task " + f.TaskID + " failed"
	if f.Container != "" && f.ExitCode != nil {
		s += fmt.Sprintf(": %s exited with %d", f.Container, *f.ExitCode)
		if f.ExitMeaning != "" && f.Cause == "" {
			s += " (" + f.ExitMeaning + ")"
		}
	} else if f.StoppedReason != "" {
		s += ": " + f.StoppedReason
	}
	if f.Cause != "" {
		s += " (" + f.Cause + ")"
	}
	return s
}
