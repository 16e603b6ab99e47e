package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/diagnose"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
	"github.com/plimsoll-ecs/plimsoll/internal/taskdef"
)

// Question is what [Diagnose] is asked.
type Question struct {
	Task  string        // by id, the beginning of one, or ARN; "" asks about the whole service
	Since time.Duration // so far back; 0 is to the last steady state, and an hour at least
}

// Report is what is wrong with a service. Its JSON form is what --output json
// prints; fields are only ever added.
type Report struct {
	Cluster        string          `json:"cluster"`
	Service        string          `json:"service"`
	At             time.Time       `json:"at"`
	Desired        int             `json:"desired"`
	Running        int             `json:"running"`
	Pending        int             `json:"pending"`
	TaskDefinition string          `json:"taskDefinition"` // family:revision
	Rolling        bool            `json:"rolling"`
	Healthy        bool            `json:"healthy"`          // nothing is wrong now
	Findings       []story.Finding `json:"findings"`         // the most telling first
	Unread         []string        `json:"unread,omitempty"` // actions that are not allowed, and would have told more
	Links          []story.Link    `json:"links,omitempty"`
}

// unknownID is of findings that no cause is known for.
const unknownID = "unknown"

// Diagnose finds out what is wrong with a service now: why tasks of it failed,
// what ECS complains about, and whether what runs could start again. It reads
// and changes nothing. A target that is not there comes back as
// [*PreflightError], a task that is not as [*UsageError].
func Diagnose(ctx context.Context, p Ports, t Target, ask Question) (Report, error) {
	j := begin(p, t, 0, func(story.Event) {})
	s, err := j.found(ctx)
	if err != nil {
		return Report{}, err
	}
	d := &diagnosis{inquiry: j.newInquiry(), service: s, ask: ask}
	d.patience = time.Minute // nobody waits for a verdict
	d.notBefore(s.times()...)
	if err := d.tasks(ctx); err != nil {
		return Report{}, err
	}
	if ask.Task == "" {
		d.events(ctx)
		d.rollout()
		d.images(ctx)
	}
	d.missing()
	report := Report{
		Cluster: t.Cluster, Service: t.Service, At: d.asOf, Desired: s.Desired, Running: s.Running, Pending: s.Pending,
		TaskDefinition: rollout.RevisionName(s.TaskDefinition), Rolling: s.Rolling(), Findings: d.ranked(), Unread: d.unread,
	}
	report.Healthy = !slices.ContainsFunc(report.Findings, func(f story.Finding) bool { return !f.Past })
	if p.Console {
		report.Links = consoleOf(s.ARN).service(t.Cluster, t.Service)
	}
	return report, nil
}

// diagnosis is one service being looked at.
type diagnosis struct {
	*inquiry
	service Service
	ask     Question
	found   []*finding
}

// finding is a [story.Finding] in the making.
type finding struct {
	story.Finding
	newest     time.Time
	conclusive int
	general    bool // any other says more
	normal     bool // no failure by itself
	now        bool // seen just now, whatever ECS said before
	seen       int
}

// add puts a piece of evidence to its cause. The finding is new when nothing
// was known of it before.
func (d *diagnosis) add(id, cause string, q story.Quote) (f *finding, isNew bool) {
	i := slices.IndexFunc(d.found, func(f *finding) bool { return f.ID == id && (id != unknownID || f.Evidence[0].Text == q.Text) })
	if i < 0 {
		f = &finding{Finding: story.Finding{ID: id, Cause: cause}}
		d.found, isNew = append(d.found, f), true
	} else {
		f = d.found[i]
	}
	f.seen++
	if q.At.After(f.newest) {
		f.newest = q.At
	}
	said := slices.IndexFunc(f.Evidence, func(o story.Quote) bool { return o.Text == q.Text })
	if said < 0 {
		f.Evidence = append(f.Evidence, q)
		return f, isNew
	}
	was := &f.Evidence[said]
	was.Count = max(was.Count, 1) + 1
	if q.At.After(was.At) {
		was.At, was.From = q.At, q.From
	}
	return f, isNew
}

func (f *finding) is(d diagnose.Diagnosis) {
	f.Cause, f.Check, f.Fix = d.Cause, d.Check, d.Fix
	f.conclusive, f.general, f.normal = d.Conclusive, d.General, d.Normal
}

// steady is when ECS last said that the service was in a steady state; zero
// when its events do not go back so far.
func (d *diagnosis) steady() time.Time {
	for _, e := range d.service.Events { // the newest first
		if strings.Contains(e.Message, "has reached a steady state") {
			return e.At
		}
	}
	return time.Time{}
}

// from is the time before which nothing is looked at.
func (d *diagnosis) from() time.Time {
	if d.ask.Since > 0 {
		return d.asOf.Add(-d.ask.Since)
	}
	from := d.asOf.Add(-time.Hour)
	if steady := d.steady(); steady.Before(from) && !d.content() {
		return steady
	}
	return from
}

// content reports whether ECS has the tasks that it wants.
func (d *diagnosis) content() bool {
	p, ok := d.service.Primary()
	return d.service.Running >= d.service.Desired && ok && p.RolloutState != "FAILED" && p.FailedTasks == 0
}

// tasks explains the tasks that failed.
func (d *diagnosis) tasks(ctx context.Context) error {
	stopped, err := d.AWS.Tasks(ctx, d.target.Cluster, d.target.Service, true)
	if !d.can(err) && !errors.Is(err, Denied) {
		return err
	}
	slices.SortStableFunc(stopped, func(a, b rollout.Task) int { return b.StoppedAt.Compare(a.StoppedAt) })
	for _, t := range stopped {
		d.notBefore(t.StoppedAt)
	}
	if d.ask.Task != "" {
		return d.task(ctx, stopped)
	}
	logs := 0
	for _, t := range stopped {
		if !t.Failed() || t.StoppedAt.Before(d.from()) {
			continue
		}
		withLog := logs < readLogs
		if withLog {
			logs++
		}
		d.failed(ctx, t, withLog)
	}
	return nil
}

// task explains the one that is asked for, whether it failed or not.
func (d *diagnosis) task(ctx context.Context, stopped []rollout.Task) error {
	id := d.ask.Task[strings.LastIndexByte(d.ask.Task, '/')+1:]
	for _, t := range stopped {
		if strings.HasPrefix(t.ID, id) {
			d.failed(ctx, t, true)
			return nil
		}
	}
	running, err := d.AWS.Tasks(ctx, d.target.Cluster, d.target.Service, false)
	if !d.can(err) && !errors.Is(err, Denied) {
		return err
	}
	if slices.ContainsFunc(running, func(t rollout.Task) bool { return strings.HasPrefix(t.ID, id) }) {
		return nil
	}
	var ids []string
	for _, t := range slices.Concat(stopped, running) {
		ids = append(ids, t.ID[:min(len(t.ID), 8)])
	}
	e := &UsageError{What: fmt.Sprintf("%s has no task %s", d.target, id), Do: "ECS shows a stopped task for about an hour"}
	if len(ids) > 0 {
		e.Do += "; there are " + listOf(ids[:min(len(ids), 10)])
	}
	return e
}

// failed explains one task.
func (d *diagnosis) failed(ctx context.Context, t rollout.Task, withLog bool) {
	f := failureOf(t)
	doc, _ := d.document(ctx, t.TaskDefinition)
	var log []string
	if withLog {
		var err error
		log, err = d.readLog(ctx, doc, t, &f)
		d.can(err) // the reasons that ECS gives remain
	}
	quote := story.Quote{From: "task " + t.ID[:min(len(t.ID), 8)], At: t.StoppedAt, Text: wordsOf(f)}
	known, ok := d.diagnose(f, log, eventsAbout(d.service, t))
	if !ok {
		made, isNew := d.add(unknownID, "no cause is known for these words; they are ECS's own", quote)
		if isNew {
			made.Log, made.LogAt = f.Log, f.LogAt
		}
		return
	}
	made, isNew := d.add(known.ID, known.Cause, quote)
	if !isNew {
		return
	}
	made.is(known)
	made.Log, made.LogAt = f.Log, f.LogAt
	d.complete(ctx, d.service, doc, t, &f, known)
	made.Facts, made.Links = f.Facts, f.Links
}

// wordsOf is what ECS says of a task's end, the reason of its container too
// where that is another.
func wordsOf(f story.Failure) string {
	words := cmp.Or(f.StoppedReason, f.StopCode)
	if f.ExitCode != nil {
		words += fmt.Sprintf(" (%s: exit code %d", f.Container, *f.ExitCode)
		if f.ExitMeaning != "" {
			words += ", " + f.ExitMeaning
		}
		words += ")"
	}
	if f.Reason != "" && f.Reason != f.StoppedReason {
		words += " " + f.Container + ": " + f.Reason
	}
	return words
}

// events explains what ECS complains about.
func (d *diagnosis) events(ctx context.Context) {
	doc, _ := d.document(ctx, d.service.TaskDefinition)
	from := d.from()
	for _, e := range d.service.Events {
		if e.At.Before(from) {
			break
		}
		for _, known := range d.Knowledge.Diagnose(diagnose.Evidence{Events: []string{e.Message}}) {
			made, isNew := d.add(known.ID, known.Cause, story.Quote{From: "event", At: e.At, Text: e.Message})
			if !isNew {
				continue
			}
			made.is(known)
			if d.Clues == nil {
				continue
			}
			found := d.join(ctx, subject{service: d.service, doc: doc, diagnosis: known, words: e.Message})
			made.Facts = found.facts
			if d.Console {
				made.Links = found.links
			}
		}
	}
}

// rollout takes in that ECS gave the last deployment up.
func (d *diagnosis) rollout() {
	for _, p := range d.service.Deployments {
		if p.RolloutState != "FAILED" {
			continue
		}
		quote := story.Quote{From: "deployment " + rollout.RevisionName(p.TaskDefinition), At: p.UpdatedAt, Text: cmp.Or(p.RolloutReason, "rolloutState FAILED")}
		for _, known := range d.Knowledge.Diagnose(diagnose.Evidence{Events: []string{quote.Text}}) {
			if made, isNew := d.add(known.ID, known.Cause, quote); isNew {
				made.is(known)
			}
		}
	}
}

// images looks whether what the service is to run can be pulled: tasks that
// run do so until the first restart.
func (d *diagnosis) images(ctx context.Context) {
	p, ok := d.service.Primary()
	if !ok || d.Clues == nil || d.service.Desired == 0 {
		return
	}
	doc, err := d.document(ctx, p.TaskDefinition)
	if !d.can(err) {
		return
	}
	pinned := d.pinned(ctx, p)
	for _, c := range doc.Containers() {
		ref, err := image.Parse(c.Image)
		if err != nil {
			continue
		}
		digest := cmp.Or(ref.Digest, pinned[c.Name])
		asked := ref
		if digest != "" {
			asked = ref.WithDigest(digest)
		}
		if _, err := d.AWS.Digest(ctx, asked); errors.Is(err, NotFound) {
			d.cannotRestart(ctx, doc, c, asked, digest, err)
		} else {
			d.can(err)
		}
	}
}

// pinned are the digests that ECS starts, and no others, by container.
func (d *diagnosis) pinned(ctx context.Context, p rollout.Deployment) map[string]string {
	if d.service.Record != "" {
		record, err := d.AWS.ServiceDeployment(ctx, d.service.Record)
		switch {
		case d.can(err) && record.TaskDefinition == p.TaskDefinition:
			return record.Digests
		case !errors.Is(err, NotFound):
			return nil
		}
	} else {
		return nil // ECS keeps no records here, and may not pin digests either
	}
	// Of a deployment older than its records the tasks that run tell.
	running, err := d.AWS.Tasks(ctx, d.target.Cluster, d.target.Service, false)
	d.can(err)
	digests := map[string]string{}
	for _, t := range running {
		for _, c := range t.Containers {
			if t.TaskDefinition == p.TaskDefinition && c.Digest != "" {
				digests[c.Name] = c.Digest
			}
		}
	}
	return digests
}

func (d *diagnosis) cannotRestart(ctx context.Context, doc *taskdef.Document, c taskdef.Container, ref image.Reference, digest string, why error) {
	id := "image-not-found"
	if digest != "" {
		id = "digest-gone"
	}
	known, ok := d.Knowledge.ByID(id, map[string]string{"digest": digest, "image": ref.String()})
	if !ok {
		return
	}
	made, isNew := d.add(id, known.Cause, story.Quote{From: "ECR", Text: why.Error()})
	made.now = true
	if d.service.Running > 0 {
		fact := fmt.Sprintf("%d tasks still run with it; none of them could start again", d.service.Running)
		if d.service.Running == 1 {
			fact = "one task still runs with it, and could not start again"
		}
		made.Facts = append([]string{fact}, made.Facts...)
	}
	if !isNew {
		return
	}
	made.is(known)
	found := d.join(ctx, subject{service: d.service, doc: doc, container: c.Name, diagnosis: known, words: ref.String()})
	made.Facts = append(made.Facts, found.facts...)
	if d.Console {
		made.Links = found.links
	}
}

// missing makes sure that a service without its tasks has a finding.
func (d *diagnosis) missing() {
	if d.content() || len(d.found) > 0 || d.ask.Task != "" || d.service.Rolling() {
		return
	}
	text := fmt.Sprintf("%d of %d tasks run, %d pending", d.service.Running, d.service.Desired, d.service.Pending)
	f, _ := d.add("tasks-missing", "the service has not all its tasks, and ECS does not say why", story.Quote{From: "service", Text: text})
	f.Check = "the events of the service further back: --since 48h; tasks that stopped are shown for about an hour"
	f.Fix = "see what ECS says of the next try"
}

// ranked are the findings, the most telling first: what goes on before what is
// past, what no retry mends before what may pass, the particular before the
// general. What is no failure by itself is left out where nothing else is
// wrong, and what is general where something particular is known.
func (d *diagnosis) ranked() []story.Finding {
	steady, content := d.steady(), d.content()
	particular, wrong := false, false
	for _, f := range d.found {
		f.Past = content && !f.now && steady.After(f.newest)
		f.Certain = f.conclusive == 1 || f.conclusive > 1 && f.seen >= f.conclusive
		particular = particular || !f.general && !f.normal
		wrong = wrong || !f.normal
		slices.SortStableFunc(f.Evidence, func(a, b story.Quote) int { return b.At.Compare(a.At) })
	}
	order := func(f *finding) int {
		switch {
		case f.normal:
			return 4
		case f.general:
			return 3
		case f.conclusive == 1:
			return 0
		case f.conclusive > 1:
			return 1
		}
		return 2
	}
	past := func(f *finding) int {
		if f.Past {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(d.found, func(a, b *finding) int {
		return cmp.Or(past(a)-past(b), order(a)-order(b), b.seen-a.seen, b.newest.Compare(a.newest))
	})
	list := []story.Finding{}
	for _, f := range d.found {
		if f.general && particular || f.normal && !(wrong && !content) {
			continue
		}
		list = append(list, f.Finding)
	}
	return list
}
