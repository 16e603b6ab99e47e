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
	p, checks, err := j.examine(ctx, r)
	if err != nil {
		return nil, err
	}
	if err := refusal(checks, r.Strict); err != nil {
		return nil, err
	}
	if err := j.compare(ctx, p, r.Container); err != nil {
		return nil, err
	}
	if r.Force && p.running.Status() != "ACTIVE" {
		p.same = false // ECS takes no revision that was deregistered: a copy has to be registered
	}
	p.again = !p.same && p.leftBehind()
	j.tellChecks(checks, p.summary())
	if r.spares() {
		j.say(story.Note, story.Preflight, "left out with --poll economical: the checks that need calls of their own (plimsoll check takes them)")
	}
	return p, nil
}

// examine takes all checks of a deploy. Where the image of a request is not
// given, they are those of what runs, as if it had to start again.
func (j *job) examine(ctx context.Context, r Request) (*plan, []story.Check, error) {
	p := &plan{image: r.Image, desired: r.Desired}
	var base reading[*taskdef.Document]
	var known digestsOf
	var t target

	var wg sync.WaitGroup
	wg.Go(func() { t = j.readTarget(ctx) })
	wg.Go(func() { known = j.lookUp(ctx, r.references()) })
	if name := baseName(r, ""); name != "" {
		wg.Go(func() { base = read(j.document(ctx, name)) })
	}
	wg.Wait()
	digest := known[r.Image.String()]
	if err := cannotBegin(ctx, t.caller.err, t.cluster.err, t.service.err, digest.err, base.err); err != nil {
		return nil, nil, err
	}
	checks := j.judgeTarget(ctx, &t, r.TakeOver)
	p.digest, p.service = digest.value, t.service.value

	if t.service.err == nil {
		running := read(j.document(ctx, p.service.TaskDefinition))
		if running.err != nil {
			checks = append(checks, failed("running revision", running.err))
		}
		p.running = running.value
		if name := baseName(r, p.service.TaskDefinition); base.value == nil && base.err == nil {
			base = read(j.document(ctx, name))
		}
	}
	switch {
	case errors.Is(base.err, NotFound):
		f := j.unknownFamily(ctx, baseName(r, p.service.TaskDefinition))
		checks = append(checks, checkFail(f.Check, f.What, f.Do))
	case base.err != nil:
		checks = append(checks, failed("task definition", base.err))
	case base.value != nil:
		p.base = base.value
		checks = append(checks, p.prepare(r, j, known)...)
		if p.rejoin = p.rejoins(r); p.rejoin {
			checks = rejoinCheck(checks, p.service)
		}
	}
	checks = append(checks, r.checkTags()...)
	for _, ref := range r.references() {
		checks = append(checks, j.checkImage(ctx, ref, known[ref.String()]))
	}
	if p.next != nil {
		checks = append(checks, j.examineRevision(ctx, p, t.caller.value, r, known)...)
	}
	return p, checks, ctx.Err()
}

// spares reports whether calls are worth more than checks: only those are taken that
// read nothing else than the deploy does.
func (r Request) spares() bool {
	return r.Poll == PollEconomical && !r.Strict && !r.CheckSecretKeys
}

// examineRevision takes the checks that the next revision is needed for.
func (j *job) examineRevision(ctx context.Context, p *plan, caller Caller, r Request, known digestsOf) []story.Check {
	var looks []look
	if !r.spares() {
		looks = j.revisionLooks(p, caller, r, known)
	}
	return lookAll(ctx, append(looks, j.drawnLooks(p, r)...)...)
}

// drawnLooks are drawn from what was read already.
func (j *job) drawnLooks(p *plan, r Request) []look {
	if p.running == nil {
		return nil
	}
	desired := p.service.Desired
	if r.Desired != nil {
		desired = *r.Desired
	}
	return []look{
		func(context.Context) []story.Check { return []story.Check{j.checkDrift(p.base, p.running, p.next)} },
		func(context.Context) []story.Check { return checkMovement(p.service, desired) },
		func(context.Context) []story.Check { return checkBreaker(p.service) },
		func(context.Context) []story.Check { return checkStrategy(p.service, r.Timeout) },
	}
}

// revisionLooks are the checks that have to read something.
func (j *job) revisionLooks(p *plan, caller Caller, r Request, known digestsOf) []look {
	looks := j.imageLooks(p.next, known)
	judged := r.references()
	if len(judged) == 0 {
		judged = imagesOf(p.next)
	}
	for _, ref := range judged {
		if known[ref.String()].err == nil { // else that is told already
			looks = append(looks, j.lookAtRepository(ref), j.lookAtLifecycle(ref, known[ref.String()].value, p.running))
		}
	}
	looks = append(looks, j.startLooks(p.next, caller, r.CheckSecretKeys)...)
	if p.running == nil {
		return looks
	}
	looks = append(looks,
		j.lookAtKeys(p.service, p.next),
		j.lookAtScaling(p.service, r.Desired),
		j.lookAtBalancers(p.service),
		j.lookAtWayBack(p.service, p.running))
	if r.Image.Repository == "" {
		looks = append(looks, j.lookAtPinned(p.service, p.running))
	}
	return looks
}

// imageLooks are the looks at all images of a definition: whether those not
// looked up yet are there, and whether they run where the task does.
func (j *job) imageLooks(doc *taskdef.Document, known digestsOf) []look {
	var looks []look
	for _, ref := range imagesOf(doc) {
		looks = append(looks, func(ctx context.Context) []story.Check {
			digest, looked := known[ref.String()]
			var found []story.Check
			if !looked {
				digest = read(j.AWS.Digest(ctx, ref))
				found = append(found, j.checkImage(ctx, ref, digest))
			}
			if digest.err == nil {
				found = append(found, j.lookAtPlatform(doc, ref, digest.value)(ctx)...)
			}
			return found
		})
	}
	return looks
}

// examineStart takes the checks of what a revision needs besides its images
// when its tasks are to be started as it is: by a scale, a start or a rollback.
func (j *job) examineStart(ctx context.Context, doc *taskdef.Document, more ...look) []story.Check {
	return lookAll(ctx, slices.Concat(j.startLooks(doc, Caller{}, false), more)...)
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

func judgeImage(digest reading[string], ref image.Reference) []Fault {
	switch {
	case digest.err == nil, errors.Is(digest.err, Unsupported), errors.Is(digest.err, Denied):
		return nil
	case errors.Is(digest.err, NotFound):
		return []Fault{{"image", fmt.Sprintf("there is no image %s", ref), "push it first, or check the tag and the repository"}}
	}
	return []Fault{faultOf("image", digest.err)}
}

// ready is the service, or why it cannot be changed.
func (j *job) ready(ctx context.Context, takeOver bool) (Service, error) {
	t := j.readTarget(ctx)
	if err := cannotBegin(ctx, t.caller.err, t.cluster.err, t.service.err); err != nil {
		return Service{}, err
	}
	if err := refusal(j.judgeTarget(ctx, &t, takeOver), false); err != nil {
		return Service{}, err
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

// judgeTarget checks the account, the cluster and the service. The service of a
// cluster that is not there is not worth a fault of its own.
func (j *job) judgeTarget(ctx context.Context, t *target, takeOver bool) []story.Check {
	list := judgeCaller(t.caller, j.target.Account, j.target.Region)
	if err := t.cluster.err; errors.Is(err, NotFound) {
		names, _ := j.AWS.ClusterNames(ctx) // only to be helpful
		return append(list, checkFail("cluster", fmt.Sprintf("there is no cluster %s", j.target.Cluster), didYouMean(j.target.Cluster, names)))
	} else if errors.Is(err, Denied) {
		list = append(list, unseen("cluster", err))
	} else if err != nil {
		list = append(list, failed("cluster", err))
	} else if s := t.cluster.value.Status; s != "ACTIVE" {
		list = append(list, checkFail("cluster", fmt.Sprintf("cluster %s is %s", j.target.Cluster, s), "choose an active cluster"))
	} else {
		list = append(list, checkOK("cluster", "%s is active", t.cluster.value.Name))
	}

	if err := t.service.err; errors.Is(err, NotFound) {
		names, _ := j.AWS.ServiceNames(ctx, j.target.Cluster) // only to be helpful
		return append(list, checkFail("service", fmt.Sprintf("there is no service %s in cluster %s", j.target.Service, j.target.Cluster), didYouMean(j.target.Service, names)))
	} else if err != nil {
		return append(list, failed("service", err))
	}
	return append(list, j.judgeService(t.service.value, takeOver)...)
}

// rolloutCheck is the name of the check for a rollout that is in the way.
const rolloutCheck = "rollout"

// judgeService checks whether a service can be changed.
func (j *job) judgeService(s Service, takeOver bool) []story.Check {
	if s.Status != "ACTIVE" {
		return []story.Check{checkFail("service", fmt.Sprintf("service %s is %s", j.target.Service, s.Status), "it has been deleted; create it first")}
	}
	list := []story.Check{checkOK("service", "%s is active", s.Name)}
	switch s.Controller {
	case "ECS":
		list = append(list, checkOK("controller", "ECS"))
	case "CODE_DEPLOY":
		return append(list, checkFail("controller", fmt.Sprintf("service %s is deployed by CODE_DEPLOY", j.target.Service),
			"deploy it with CodeDeploy (aws deploy create-deployment), or move it to ECS's own controller, which has blue/green deployments too"))
	default:
		return append(list, checkFail("controller", fmt.Sprintf("service %s is deployed by %s", j.target.Service, s.Controller),
			"deploy it with the controller that owns its task sets; only services with ECS's own controller are supported"))
	}
	p, _ := s.Primary()
	switch {
	case s.Rolling() && !takeOver:
		list = append(list, checkFail(rolloutCheck, fmt.Sprintf("another rollout is under way: %s to %s", p.ID, rollout.RevisionName(p.TaskDefinition)),
			"wait for it with --wait-for-current or: "+j.command("wait")+"; or replace it with --supersede"))
	case s.Rolling():
		list = append(list, checkOK(rolloutCheck, "%s to %s is under way, and will be superseded", p.ID, rollout.RevisionName(p.TaskDefinition)))
	default:
		list = append(list, checkOK(rolloutCheck, "none under way"))
	}
	return list
}

func judgeCaller(caller reading[Caller], account, region string) []story.Check {
	switch {
	case account == "" && region == "":
		return nil
	case caller.err != nil:
		return []story.Check{failed("account", caller.err)}
	}
	var list []story.Check
	switch {
	case account == "":
	case caller.value.Account != account:
		list = append(list, checkFail("account", fmt.Sprintf("the credentials are of account %s, expected is %s", caller.value.Account, account), "use the role of the right account"))
	default:
		list = append(list, checkOK("account", "%s", account))
	}
	switch {
	case region == "":
	case caller.value.Region != region:
		list = append(list, checkFail("region", fmt.Sprintf("the region is %s, expected is %s", caller.value.Region, region), "set AWS_REGION"))
	default:
		list = append(list, checkOK("region", "%s", region))
	}
	return list
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

// references are the images that a request names, each once.
func (r Request) references() []image.Reference {
	var refs []image.Reference
	for _, c := range r.images() {
		if !slices.Contains(refs, c.Image) {
			refs = append(refs, c.Image)
		}
	}
	return refs
}

// images are what a request puts onto containers, the main one first.
func (r Request) images() []Replacement {
	if r.Image.Repository == "" {
		return nil
	}
	return append([]Replacement{{r.Container, r.Image}}, r.Others...)
}

// checkTags holds the tags to the policy. That of another container's image
// may look as its makers like, but it must not float.
func (r Request) checkTags() []story.Check {
	var list []story.Check
	for i, c := range r.images() {
		policy := r.Policy
		if i > 0 && c.Image.Tag != r.Image.Tag {
			anything, err := image.ParsePattern(".+")
			if err != nil {
				return []story.Check{failed("tag", err)}
			}
			policy = image.Policy{Allowed: []image.Pattern{anything}, Floating: r.Policy.Floating}
		}
		if err := policy.Check(c.Image.Tag); err != nil {
			list = append(list, checkFail("tag", err.Error(), "tag the build as the policy asks"))
		}
	}
	if len(list) == 0 && r.Image.Repository != "" {
		list = append(list, checkOK("tag", "%s is as the policy asks", r.Image.Tag))
	}
	return list
}

// prepare makes the next revision of the template.
func (p *plan) prepare(r Request, j *job, known digestsOf) []story.Check {
	p.digests = map[string]string{}
	next := p.base
	var names []string
	for _, c := range r.images() {
		container, err := next.TargetContainer(c.Container)
		if err != nil {
			return []story.Check{checkFail("container", err.Error(), "name the container with --container")}
		}
		if slices.Contains(names, container.Name) {
			return []story.Check{checkFail("container", "container "+container.Name+" is given two images", "name each container once")}
		}
		names = append(names, container.Name)
		p.digests[container.Name] = known[c.Image.String()].value
		if next, err = next.SetImage(container.Name, c.Image.String()); err != nil {
			return []story.Check{checkFail("image", err.Error(), "")}
		}
	}
	if len(names) == 0 { // nothing is deployed: what is there is looked at
		p.next = next
		return []story.Check{checkOK("task definition", "%s", revisionName(p.base))}
	}
	next, err := next.SetTags(revisionTags(p.base, r.Image, p.digest, r.Provenance, j.Now()))
	if err != nil {
		return []story.Check{checkFail("tags", err.Error(), "")}
	}
	p.next = next
	return []story.Check{
		checkOK("task definition", "%s is the template", revisionName(p.base)),
		checkOK("container", "%s of %s", strings.Join(names, ", "), p.base.Family()),
	}
}

// compare tells how the next revision differs from what runs, and whether it
// does at all. What runs is the same only when ECS's task definition is, every
// running task has the digest that the tag stands for today, and the last
// rollout did not fail.
func (j *job) compare(ctx context.Context, p *plan, container string) error {
	p.fromTag = imageTagOf(p.running, container)
	p.changes = taskdef.Diff(p.running, p.next)
	for _, c := range p.changes {
		if strings.HasSuffix(c.Path, ".image") {
			j.say(story.Change, story.Preflight, "%s: %s -> %s", c.Path, c.Before, c.After)
		}
	}
	if !p.known() || taskdef.Fingerprint(p.running) != taskdef.Fingerprint(p.next) {
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
	p.same = slices.ContainsFunc(tasks, func(t rollout.Task) bool { return t.TaskDefinition == p.running.ARN() }) ||
		p.running.Tags()[tagDigest] == p.digest && len(p.digests) == 1
	for _, t := range tasks {
		for _, c := range t.Containers {
			if want, deployed := p.digests[c.Name]; deployed && c.Digest != want {
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
