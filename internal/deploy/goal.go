package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
	"github.com/plimsoll-ecs/plimsoll/internal/taskdef"
)

// goal is the revision that a rollback goes back to.
type goal struct {
	was     *taskdef.Document // what ran
	next    *taskdef.Document // the same, or what to register in its place: with digests where tags have moved
	digests map[string]string // what the containers will run, by name, as far as that is known
	leaves  string            // the id of ECS's record of what runs now
}

// pinned reports whether tags had to be replaced by digests.
func (g *goal) pinned() bool { return g.next != g.was }

func (g *goal) String() string {
	switch {
	case g.pinned():
		return revisionName(g.was) + ", as a copy that names the digest it ran"
	case g.was.Status() != "ACTIVE":
		return fmt.Sprintf("%s, as a copy: it is %s", revisionName(g.was), g.was.Status())
	}
	return revisionName(g.was)
}

// digest is what the container will run.
func (g *goal) digest(container string) string {
	if c, err := g.was.TargetContainer(container); err == nil {
		return g.digests[c.Name]
	}
	return g.was.Tags()[tagDigest]
}

// take is the ARN of a revision that ECS takes for the goal.
func (j *job) take(ctx context.Context, g *goal) (string, error) {
	if g.pinned() {
		return j.copied(ctx, g.was, g.next)
	}
	return j.usable(ctx, g.was.ARN())
}

// twins is how many revisions are looked at for one with the same content.
const twins = 20

// copied is the ARN of a revision with this content: an ACTIVE one that is
// there already, or a new one that says what it is a copy of.
func (j *job) copied(ctx context.Context, of, content *taskdef.Document) (string, error) {
	if twin := j.twin(ctx, content); twin != nil {
		j.say(story.Note, story.Rollback, "%s is the same as %s, and active", revisionName(twin), revisionName(of))
		return twin.ARN(), nil
	}
	if made, ok := j.copyOf(ctx, of); ok { // where revisions may not be listed
		return made, nil
	}
	tags := map[string]string{tagCopyOf: cmp.Or(of.Tags()[tagCopyOf], revisionName(of))}
	for _, key := range append(actTags(), tagWithdrawn) {
		if of.Tags()[key] != "" {
			tags[key] = "" // that was about the other one
		}
	}
	content, err := content.SetTags(tags)
	if err != nil {
		return "", fmt.Errorf("prepare a copy of %s: %w", revisionName(of), err)
	}
	registered, err := j.register(ctx, content)
	if err != nil {
		return "", err
	}
	why := "is " + of.Status()
	if of.Status() == "ACTIVE" {
		why = "names a tag that has moved"
	}
	j.say(story.Note, story.Rollback, "%s %s: registered a copy, %s", revisionName(of), why, revisionName(registered))
	return registered.ARN(), nil
}

// twin is the newest ACTIVE revision with the same content, nil when there is
// none or nobody may look. One that failed is no twin: its tags would say so
// of the rollback.
func (j *job) twin(ctx context.Context, doc *taskdef.Document) *taskdef.Document {
	arns, err := j.AWS.Revisions(ctx, doc.Family(), true, twins)
	if err != nil {
		return nil
	}
	want := taskdef.Fingerprint(doc)
	for _, arn := range arns {
		other, err := j.document(ctx, arn)
		if err == nil && other.Status() == "ACTIVE" && other.Tags()[tagVerdict] != "failed" && taskdef.Fingerprint(other) == want {
			return other
		}
	}
	return nil
}

// followECS follows a rollback that ECS is at already, when nobody has asked
// for a revision; followed is false when it is not.
func (j *job) followECS(ctx context.Context, s Service, r RollbackRequest) (v story.Verdict, followed bool, err error) {
	primary, ok := s.Primary()
	if !ok || r.To != "" || r.DryRun {
		return v, false, nil
	}
	failed, reason, err := j.rolledBack(ctx, s, primary, "")
	if err != nil {
		v, err = j.stop(err)
		return v, false, err
	}
	if failed == "" {
		return v, false, nil
	}
	start := rollout.Start{DeploymentID: primary.ID, TaskDefinition: primary.TaskDefinition, Answer: s.Service}
	v, err = j.followBack(ctx, j.newWatch(story.Watch, rollout.Follow(start), start), s, failed, reason)
	return v, true, err
}

// search looks for the goal of a rollback among the revisions of the past.
type search struct {
	*job
	request RollbackRequest
	running *taskdef.Document
	records []rollout.ServiceDeployment
	seen    []string // ARNs that are decided on
	left    []string // revisions that somebody rolled back from, by the name of the original
	passed  []Fault  // why revisions that fit were passed over
}

// goal finds the revision to go back to: one that is named, or the newest that
// really ran here and can run again.
func (j *job) goal(ctx context.Context, s Service, running *taskdef.Document, r RollbackRequest) (*goal, error) {
	if _, err := strconv.Atoi(r.To); err == nil {
		r.To = running.Family() + ":" + r.To
	}
	records, err := j.AWS.ServiceDeployments(ctx, j.target.Cluster, j.target.Service, historyDepth)
	recorded := !errors.Is(err, Unsupported)
	named := strings.Contains(r.To, ":")
	if err != nil && recorded && !(named && errors.Is(err, Denied)) {
		return nil, fmt.Errorf("read the history of %s: %w", j.target, err)
	}
	g, err := j.goalOf(ctx, s, running, r, records, recorded)
	if g != nil {
		g.leaves = newestRecord(records, s.TaskDefinition)
	}
	return g, err
}

func (j *job) goalOf(ctx context.Context, s Service, running *taskdef.Document, r RollbackRequest, records []rollout.ServiceDeployment, recorded bool) (*goal, error) {
	if strings.Contains(r.To, ":") {
		return j.named(ctx, records, running, r.To)
	}
	if r.To == "" && len(records) > 0 && strings.HasPrefix(records[0].Status, "ROLLBACK_") && records[0].TaskDefinition != s.TaskDefinition && !j.leftByHand(ctx, records[0]) {
		return nil, noTarget(fmt.Sprintf("ECS has already rolled %s back to %s", rollout.RevisionName(records[0].TaskDefinition), revisionName(running)),
			"to go back further, name the revision or tag with --to")
	}
	look := &search{job: j, request: r, running: running, records: records, seen: []string{s.TaskDefinition}}
	for _, record := range records {
		if record.Status != "SUCCESSFUL" || record.TaskDefinition == "" {
			continue
		}
		if g, err := look.recorded(ctx, record); g != nil || err != nil {
			return g, err
		}
	}
	if g, err := look.tagged(ctx, recorded); g != nil || err != nil {
		return g, err
	}
	if r.To != "" && hasTag(running, r.Container, r.To) {
		return &goal{was: running, next: running}, nil // a rollback that was cut short has brought it on its way
	}
	return nil, look.failed()
}

func noTarget(what, do string) error {
	return &PreflightError{Faults: []Fault{{"rollback target", what, do}}}
}

// failed is why the search found nothing.
func (l *search) failed() error {
	switch {
	case len(l.passed) > 0:
		return &PreflightError{Faults: l.passed}
	case l.request.To != "":
		return noTarget(fmt.Sprintf("no revision with image tag %s has been stable on this service", l.request.To), "name a revision with --to, or deploy the tag")
	}
	return noTarget("no earlier revision of this service is known to have been stable", "name one with --to")
}

// named is the revision that --to names, whatever became of it.
func (j *job) named(ctx context.Context, records []rollout.ServiceDeployment, running *taskdef.Document, name string) (*goal, error) {
	doc, err := j.document(ctx, name)
	if errors.Is(err, NotFound) {
		return nil, noTarget("there is no revision "+rollout.RevisionName(name), "list them with: aws ecs list-task-definitions --family-prefix "+running.Family())
	}
	if err != nil {
		return nil, err
	}
	var record rollout.ServiceDeployment
	if i := slices.IndexFunc(records, func(r rollout.ServiceDeployment) bool {
		return r.TaskDefinition == doc.ARN() && r.Status == "SUCCESSFUL"
	}); i >= 0 {
		record, _ = j.detailed(ctx, records[i])
	}
	g, faults := j.restored(ctx, doc, record.Digests)
	if len(faults) > 0 {
		return nil, &PreflightError{Faults: faults}
	}
	return g, nil
}

// recorded makes a goal of a rollout that ECS calls successful, nil when it is
// none.
func (l *search) recorded(ctx context.Context, record rollout.ServiceDeployment) (*goal, error) {
	doc, err := l.fitting(ctx, record.TaskDefinition)
	if doc == nil || err != nil {
		return nil, err
	}
	record, known := l.detailed(ctx, record)
	if known && record.Requested == 0 && len(record.Digests) == 0 && doc.Tags()[tagVerdict] != "stable" {
		return nil, nil // a rollout of no task is always successful; an older one of this revision may have had some
	}
	return l.chosen(ctx, doc, record.Digests)
}

// tagged makes a goal of what plimsoll noted on the revisions of the family,
// where ECS's own records do not reach.
func (l *search) tagged(ctx context.Context, recorded bool) (*goal, error) {
	arns, err := l.family(ctx)
	if err != nil {
		l.say(story.Note, story.Preflight, "cannot look through the revisions of %s: %v", l.running.Family(), err)
		return nil, nil
	}
	for _, arn := range arns {
		doc, err := l.fitting(ctx, arn)
		if err != nil {
			return nil, err
		}
		if doc == nil || doc.Tags()[tagVerdict] != "stable" {
			continue
		}
		why := "ECS keeps no records of rollouts here"
		if recorded {
			why = "ECS's records name no such rollout"
		}
		l.say(story.Note, story.Preflight, "%s: going by the tags that plimsoll left on %s", why, revisionName(doc))
		if g, err := l.chosen(ctx, doc, nil); g != nil || err != nil {
			return g, err
		}
	}
	return nil, nil
}

// family lists the revisions of the family, ACTIVE or not, the newest first.
func (l *search) family(ctx context.Context) ([]string, error) {
	var all []string
	for _, active := range []bool{true, false} {
		arns, err := l.AWS.Revisions(ctx, l.running.Family(), active, historyDepth)
		if err != nil {
			return nil, err
		}
		all = append(all, arns...)
	}
	number := func(arn string) int {
		n, _ := strconv.Atoi(arn[strings.LastIndexByte(arn, ':')+1:])
		return n
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Compare(number(b), number(a)) })
	return all, nil
}

// fitting is the document of a revision that would do, nil otherwise.
func (l *search) fitting(ctx context.Context, arn string) (*taskdef.Document, error) {
	if slices.Contains(l.seen, arn) {
		return nil, nil
	}
	doc, err := l.document(ctx, arn)
	if errors.Is(err, NotFound) {
		return nil, nil // deleted: nothing to go back to
	}
	if err != nil {
		return nil, err
	}
	if l.request.To != "" && !hasTag(doc, l.request.Container, l.request.To) ||
		l.request.To == "" && (doc.Tags()[tagVerdict] == "failed" || original(doc) == original(l.running) || l.withdrawn(doc)) {
		l.seen = append(l.seen, arn)
		return nil, nil
	}
	return doc, nil
}

// noRecord is the id of a rollout that ECS keeps no record of.
const noRecord = "none"

// leftByHand reports whether it was a person who had ECS end a rollout, by rollback.
func (j *job) leftByHand(ctx context.Context, r rollout.ServiceDeployment) bool {
	doc, err := j.document(ctx, r.TaskDefinition)
	return err == nil && doc.Tags()[tagWithdrawn] == recordID(r)
}

// newestRecord is the id of the newest record of a revision's rollout.
func newestRecord(records []rollout.ServiceDeployment, arn string) string {
	for _, r := range records {
		if r.TaskDefinition == arn {
			return recordID(r)
		}
	}
	return noRecord
}

// withdrawn reports whether somebody rolled back from a revision, and it was not rolled
// out again since: going back there would bring back what they went away from.
func (l *search) withdrawn(doc *taskdef.Document) bool {
	of := original(doc)
	if slices.Contains(l.left, of) {
		return true
	}
	noted := doc.Tags()[tagWithdrawn]
	if now := newestRecord(l.records, doc.ARN()); noted == "" || now != noRecord && now != noted {
		return false
	}
	l.left = append(l.left, of)
	what := fmt.Sprintf("%s (%s) was rolled back from", revisionName(doc), cmp.Or(imageTagOf(doc, l.request.Container), "no version"))
	l.say(story.Note, story.Preflight, "passing over %s: %s", revisionName(doc), what)
	l.passed = append(l.passed, Fault{"rollback target", what, "to have it again: " + l.command("rollback", "--to", revisionName(doc))})
	return true
}

// original is the name of a revision, or of what it is a copy of.
func original(doc *taskdef.Document) string { return cmp.Or(doc.Tags()[tagCopyOf], revisionName(doc)) }

// hasTag reports whether a revision runs that version; without a container
// named, in any of them.
func hasTag(doc *taskdef.Document, container, tag string) bool {
	return imageTagOf(doc, container) == tag || container == "" && slices.ContainsFunc(doc.Containers(), func(c taskdef.Container) bool {
		ref, err := image.Parse(c.Image)
		return err == nil && ref.Tag == tag
	})
}

// chosen is the goal for a revision that fits, nil when its images are gone:
// that is said, and the search goes on.
func (l *search) chosen(ctx context.Context, doc *taskdef.Document, digests map[string]string) (*goal, error) {
	l.seen = append(l.seen, doc.ARN())
	g, faults := l.restored(ctx, doc, digests)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for _, f := range faults {
		l.say(story.Warning, story.Preflight, "passing over %s: %s", revisionName(doc), f.What)
	}
	l.passed = append(l.passed, faults...)
	if len(faults) > 0 {
		return nil, nil
	}
	return g, nil
}

// detailed is a record with its digests and counts, where they can be read.
func (j *job) detailed(ctx context.Context, r rollout.ServiceDeployment) (rollout.ServiceDeployment, bool) {
	full, err := j.AWS.DescribeServiceDeployments(ctx, []string{r.ARN})
	if err != nil || len(full) == 0 {
		return r, false
	}
	return full[0], true
}

// restored makes a goal of a revision, or says what is gone of it. digests is
// what ECS fixed for its containers when it ran.
func (j *job) restored(ctx context.Context, doc *taskdef.Document, digests map[string]string) (*goal, []Fault) {
	g := &goal{was: doc, next: doc, digests: map[string]string{}}
	if noted := doc.Tags()[tagDigest]; len(digests) == 0 && noted != "" && len(doc.Containers()) == 1 {
		digests = map[string]string{doc.Containers()[0].Name: noted} // what it was when it was deployed
	}
	var f faults
	for _, c := range j.contents(ctx, doc, digests) {
		f.add(c.faults(j)...)
		g.digests[c.container] = cmp.Or(c.ran, c.now.value)
		if !c.moved() {
			continue
		}
		now := "no longer exists"
		if c.now.err == nil {
			now = "now stands for " + image.ShortDigest(c.now.value)
		}
		pinned := image.Reference{Registry: c.ref.Registry, Repository: c.ref.Repository, Digest: c.ran}
		next, err := g.next.SetImage(c.container, pinned.String())
		if err == nil && (len(doc.Containers()) == 1 || doc.Tags()[tagImageTag] == "") {
			next, err = next.SetTags(map[string]string{tagImageTag: c.ref.Tag, tagDigest: c.ran})
		}
		if err != nil {
			f.add(faultOf("image", err))
			continue
		}
		g.next = next
		j.say(story.Warning, story.Preflight, "the tag %s of container %s %s; %s ran %s, and goes back to that",
			c.ref.Tag, c.container, now, revisionName(doc), image.ShortDigest(c.ran))
	}
	return g, f.list
}

// content is what one container of a revision ran, and what ECR has of it.
type content struct {
	container string
	ref       image.Reference
	ran       string          // the digest that ECS fixed; "" when it is not known
	now       reading[string] // the digest that the reference stands for
	kept      reading[string] // what ran, where that is something else
}

// contents looks at the images of all containers.
func (j *job) contents(ctx context.Context, doc *taskdef.Document, digests map[string]string) []content {
	var list []content
	for _, c := range doc.Containers() {
		ref, err := image.Parse(c.Image)
		if err != nil {
			continue // ECS took it, so it is not for us to refuse
		}
		list = append(list, content{container: c.Name, ref: ref, ran: digests[c.Name]})
	}
	var wg sync.WaitGroup
	for i := range list {
		wg.Go(func() {
			c := &list[i]
			c.now = read(j.AWS.Digest(ctx, c.ref))
			if c.ran != "" && c.now.value != c.ran {
				c.kept = read(j.AWS.Digest(ctx, c.ref.WithDigest(c.ran)))
			}
		})
	}
	wg.Wait()
	return list
}

// unclear reports whether the reads say nothing: not an ECR, or not allowed.
func (c content) unclear() bool {
	return errors.Is(c.now.err, Unsupported) || errors.Is(c.now.err, Denied)
}

// moved reports whether the tag no longer stands for what ran, and that is
// still there.
func (c content) moved() bool {
	return c.ran != "" && c.ref.Digest == "" && !c.unclear() && c.now.value != c.ran && c.kept.err == nil
}

// faults are why the container cannot run what it ran.
func (c content) faults(j *job) []Fault {
	switch {
	case c.ran == "", c.unclear():
		return judgeImage(c.now, c.ref)
	case c.now.value == c.ran, c.kept.err == nil:
		return nil
	case errors.Is(c.kept.err, NotFound) && c.now.err == nil:
		return []Fault{{"image", fmt.Sprintf("what container %s ran, %s, is gone from ECR; the tag %s now stands for %s",
			c.container, image.ShortDigest(c.ran), c.ref.Tag, image.ShortDigest(c.now.value)),
			"to run what the tag stands for now: " + j.command("deploy", "--image-tag", c.ref.Tag)}}
	case errors.Is(c.kept.err, NotFound):
		return judgeImage(c.now, c.ref)
	}
	return []Fault{faultOf("image", c.kept.err)}
}
