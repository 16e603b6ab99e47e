package deploy

import (
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

// plan reads everything a deploy depends on, in parallel, and decides what to
// do. Every fault found is in the *PreflightError; any other error means that
// it could not be found out. Nothing is changed.
func (j *job) plan(ctx context.Context, r Request) (*plan, error) {
	j.say(story.Begin, story.Preflight, "checking %s", j.target)
	var f faults
	p := &plan{image: r.Image, desired: r.Desired}
	var base reading[*taskdef.Document]
	var digest reading[string]
	var t target

	var wg sync.WaitGroup
	wg.Go(func() { t = j.readTarget(ctx) })
	wg.Go(func() { digest = read(j.AWS.Digest(ctx, r.Image)) })
	others := make([]reading[string], len(r.Others))
	for i, o := range r.Others {
		wg.Go(func() { others[i] = read(j.AWS.Digest(ctx, o.Image)) })
	}
	if name := baseName(r, ""); name != "" {
		wg.Go(func() { base = read(j.document(ctx, name)) })
	}
	wg.Wait()
	if err := cannotBegin(ctx, t.caller.err, t.cluster.err, t.service.err, digest.err, base.err); err != nil {
		return nil, err
	}

	f.add(j.judgeTarget(ctx, &t, r.TakeOver)...)
	if err := r.Policy.Check(r.Image.Tag); err != nil {
		f.add(Fault{"tag", err.Error(), "tag the build as the policy asks"})
	}
	f.add(judgeImage(digest, r.Image)...)
	p.digest = digest.value
	f.add(p.judgeOthers(r.Others, others)...)
	if errors.Is(digest.err, Unsupported) || errors.Is(digest.err, Denied) {
		j.say(story.Note, story.Preflight, "cannot tell whether the image exists: %v", digest.err)
	}
	p.service = t.service.value

	if t.service.err == nil {
		running := read(j.document(ctx, p.service.TaskDefinition))
		if running.err != nil {
			f.add(faultOf("running revision", running.err))
		}
		p.running = running.value
		if name := baseName(r, p.service.TaskDefinition); base.value == nil && base.err == nil {
			base = read(j.document(ctx, name))
		}
	}
	switch {
	case errors.Is(base.err, NotFound):
		f.add(j.unknownFamily(ctx, baseName(r, p.service.TaskDefinition)))
	case base.err != nil:
		f.add(faultOf("task definition", base.err))
	case base.value != nil:
		p.base = base.value
		f.add(p.prepare(r, j)...)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(f.list) > 0 {
		return nil, &PreflightError{Faults: f.list}
	}
	if err := j.compare(ctx, p, r.Container); err != nil {
		return nil, err
	}
	if r.Force && p.running.Status() != "ACTIVE" {
		p.same = false // ECS takes no revision that was deregistered: a copy has to be registered
	}
	p.again = !p.same && p.leftBehind()
	j.say(story.End, story.Preflight, "%s", p.summary())
	return p, nil
}

// reading is what a call brought: a value or an error.
type reading[T any] struct {
	value T
	err   error
}

func read[T any](value T, err error) reading[T] { return reading[T]{value, err} }

// faults is a list without repetitions: one cause (no credentials, say) can
// make every read fail in the same words.
type faults struct{ list []Fault }

func (f *faults) add(more ...Fault) {
	for _, fault := range more {
		if !slices.ContainsFunc(f.list, func(o Fault) bool { return o.What == fault.What }) {
			f.list = append(f.list, fault)
		}
	}
}

// ready is the service, or why it cannot be changed.
func (j *job) ready(ctx context.Context, takeOver bool) (Service, error) {
	t := j.readTarget(ctx)
	if err := cannotBegin(ctx, t.caller.err, t.cluster.err, t.service.err); err != nil {
		return Service{}, err
	}
	var f faults
	f.add(j.judgeTarget(ctx, &t, takeOver)...)
	if len(f.list) > 0 {
		return Service{}, &PreflightError{Faults: f.list}
	}
	return t.service.value, nil
}

// target is what every use case checks before it changes a service.
type target struct {
	caller  reading[Caller]
	cluster reading[Cluster]
	service reading[Service]
}

func (j *job) readTarget(ctx context.Context) target {
	var t target
	var wg sync.WaitGroup
	if j.target.Account != "" || j.target.Region != "" { // else nobody needs to know
		wg.Go(func() { t.caller = read(j.AWS.Caller(ctx)) })
	}
	wg.Go(func() { t.cluster = read(j.AWS.Cluster(ctx, j.target.Cluster)) })
	wg.Go(func() { t.service = read(j.AWS.Service(ctx, j.target.Cluster, j.target.Service)) })
	wg.Wait()
	return t
}

// cannotBegin is why no call can be made at all: interrupted, or not set up.
// That is an error of its own and no list of faults.
func cannotBegin(ctx context.Context, errs ...error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if i := slices.IndexFunc(errs, func(err error) bool { return errors.Is(err, Setup) }); i >= 0 {
		return errs[i]
	}
	return nil
}

// judgeTarget lists what is wrong with the account, the cluster and the
// service. The service of a cluster that is not there is not worth a fault of
// its own.
func (j *job) judgeTarget(ctx context.Context, t *target, takeOver bool) []Fault {
	list := judgeCaller(t.caller, j.target.Account, j.target.Region)
	if err := t.cluster.err; errors.Is(err, NotFound) {
		names, _ := j.AWS.ClusterNames(ctx) // only to be helpful
		return append(list, Fault{"cluster", fmt.Sprintf("there is no cluster %s", j.target.Cluster), didYouMean(j.target.Cluster, names)})
	} else if errors.Is(err, Denied) {
		j.say(story.Note, story.Preflight, "cannot look at the cluster: %v", err)
	} else if err != nil {
		list = append(list, faultOf("cluster", err))
	} else if s := t.cluster.value.Status; s != "ACTIVE" {
		list = append(list, Fault{"cluster", fmt.Sprintf("cluster %s is %s", j.target.Cluster, s), "choose an active cluster"})
	}

	if err := t.service.err; errors.Is(err, NotFound) {
		names, _ := j.AWS.ServiceNames(ctx, j.target.Cluster) // only to be helpful
		return append(list, Fault{"service", fmt.Sprintf("there is no service %s in cluster %s", j.target.Service, j.target.Cluster), didYouMean(j.target.Service, names)})
	} else if err != nil {
		return append(list, faultOf("service", err))
	}
	s := t.service.value
	switch {
	case s.Status != "ACTIVE":
		list = append(list, Fault{"service", fmt.Sprintf("service %s is %s", j.target.Service, s.Status), "it has been deleted; create it first"})
	case s.Controller != "ECS":
		list = append(list, Fault{"service", fmt.Sprintf("service %s is deployed by %s", j.target.Service, s.Controller), "only services with ECS's own deployment controller are supported"})
	case s.Rolling() && !takeOver:
		p, _ := s.Primary()
		list = append(list, Fault{"rollout", fmt.Sprintf("another rollout is under way: %s to %s", p.ID, rollout.RevisionName(p.TaskDefinition)),
			"wait for it with: " + j.command("wait") + "; or take over with --take-over"})
	}
	return list
}

func judgeCaller(caller reading[Caller], account, region string) []Fault {
	var list []Fault
	switch {
	case account == "" && region == "":
		return nil
	case caller.err != nil:
		return []Fault{faultOf("account", caller.err)}
	case account != "" && caller.value.Account != account:
		list = append(list, Fault{"account", fmt.Sprintf("the credentials are of account %s, expected is %s", caller.value.Account, account), "use the role of the right account"})
	}
	if region != "" && caller.value.Region != region {
		list = append(list, Fault{"region", fmt.Sprintf("the region is %s, expected is %s", caller.value.Region, region), "set AWS_REGION"})
	}
	return list
}

func judgeImage(digest reading[string], ref image.Reference) []Fault {
	switch {
	case digest.err == nil, errors.Is(digest.err, Unsupported), errors.Is(digest.err, Denied):
		return nil
	case errors.Is(digest.err, NotFound):
		return []Fault{{"image", fmt.Sprintf("there is no image %s", ref), "push it first, or check the tag and the repository"}}
	}
	return []Fault{faultOf("image", digest.err)}
}

// baseName is the name of the template: a family stands for its newest ACTIVE
// revision. It is "" when it depends on what runs, and that is not known.
func baseName(r Request, running string) string {
	family := r.Family
	if family == "" {
		family, _, _ = strings.Cut(rollout.RevisionName(running), ":")
	}
	switch {
	case r.Base == "running":
		return running
	case family == "", r.Base == "" || r.Base == "latest":
		return family
	}
	return family + ":" + r.Base
}

func (j *job) unknownFamily(ctx context.Context, name string) Fault {
	family, revision, exact := strings.Cut(name, ":")
	if _, err := strconv.Atoi(revision); exact && err != nil {
		return Fault{"task definition", fmt.Sprintf("base %q is not latest, running or a revision number", revision), ""}
	}
	names, _ := j.AWS.Families(ctx, family[:min(len(family), 3)]) // only to be helpful
	return Fault{"task definition", "there is no active task definition " + name, didYouMean(family, names)}
}

func didYouMean(name string, names []string) string {
	if best := near(name, names); len(best) > 0 {
		return "did you mean " + strings.Join(best, " or ") + "?"
	}
	return ""
}

// prepare makes the next revision of the template.
func (p *plan) prepare(r Request, j *job) []Fault {
	container, err := p.base.TargetContainer(r.Container)
	if err != nil {
		return []Fault{{"container", err.Error(), "name the container with --container"}}
	}
	next, err := p.base.SetImage(container.Name, r.Image.String())
	if err != nil {
		return []Fault{{"image", err.Error(), ""}}
	}
	if next, err = replaceOthers(next, r.Others); err != nil {
		return []Fault{{"container", err.Error(), "name the containers of the task definition in plimsoll.yaml"}}
	}
	next, err = next.SetTags(revisionTags(p.base, r.Image, p.digest, r.Provenance, j.Now()))
	if err != nil {
		return []Fault{{"tags", err.Error(), ""}}
	}
	p.next = next
	return nil
}

// compare tells how the next revision differs from what runs, and whether it
// does at all. What runs is the same only when ECS's task definition is, every
// running task has the digest that the tag stands for today, and the last
// rollout did not fail.
func (j *job) compare(ctx context.Context, p *plan, container string) error {
	p.fromTag = imageTagOf(p.running, container)
	for _, c := range taskdef.Diff(p.running, p.next) {
		if strings.HasSuffix(c.Path, ".image") {
			j.say(story.Change, story.Preflight, "%s: %s -> %s", c.Path, c.Before, c.After)
		} else {
			j.say(story.Note, story.Preflight, "the template %s differs from the running %s: %s: %s -> %s",
				revisionName(p.base), revisionName(p.running), c.Path, c.Before, c.After)
		}
	}
	if p.digest == "" || taskdef.Fingerprint(p.running) != taskdef.Fingerprint(p.next) {
		return nil
	}
	if d, ok := p.service.Primary(); !ok || d.RolloutState == "FAILED" || d.RolloutState == "IN_PROGRESS" {
		return nil
	}
	tasks, err := j.AWS.Tasks(ctx, j.target.Cluster, j.target.Service, false)
	if err != nil {
		if errors.Is(err, Denied) {
			return nil
		}
		return err
	}
	target, err := p.next.TargetContainer(container)
	if err != nil {
		return err
	}
	p.same = slices.ContainsFunc(tasks, func(t rollout.Task) bool { return t.TaskDefinition == p.running.ARN() }) ||
		p.running.Tags()[tagDigest] == p.digest
	for _, t := range tasks {
		for _, c := range t.Containers {
			if wanted, mine := p.wants(target.Name, c.Name); mine && c.Digest != wanted {
				p.same = false
			}
		}
	}
	return nil
}

// Check looks at the account, the cluster and the service, and nothing that
// needs an image: a wrong name should not cost a build and a push. What stands
// in the way comes back as [*PreflightError]; an empty verdict and no error is
// leave to go on.
func Check(ctx context.Context, p Ports, t Target, takeOver bool, tell story.Teller) (story.Verdict, error) {
	j := begin(p, t, 0, tell)
	if _, err := j.ready(ctx, takeOver); err != nil {
		return j.stop(err)
	}
	return story.Verdict{}, nil
}
