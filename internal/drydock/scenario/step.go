package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/client"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/faults"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/fleet"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/noun"
)

// step makes one step and tells of it. What a step does in words goes before
// it does it, for the story of one that fails.
func (w *world) step(ctx context.Context, s *Step) error {
	name, member := s.kind()
	w.doing = name
	var result string
	var err error
	wanted := Text{}
	switch m := member.(type) {
	case *Note:
		w.tell(Event{Kind: Noted, Line: s.At.Line, Text: string(*m)})
		return nil
	case *Push:
		wanted = m.Error
		result, err = w.push(ctx, m)
	case *Tag:
		wanted = m.Error
		err = w.tag(ctx, m)
	case *Delete:
		wanted = m.Error
		err = w.delete(ctx, m)
	case *Policy:
		wanted = m.Error
		err = w.policy(ctx, m)
	case *Mutability:
		wanted = m.Error
		w.doing = fmt.Sprintf("make the tags of %s %s", m.Repository, m.To)
		_, err = w.client.ECR.PutImageTagMutability(ctx, &ecr.PutImageTagMutabilityInput{RepositoryName: &m.Repository, ImageTagMutability: ecrtypes.ImageTagMutability(m.To)})
	case *Deploy:
		wanted = m.Error
		result, err = w.deploy(ctx, m)
	case *Scale:
		wanted = m.Error
		result, err = w.scale(ctx, m)
	case *StopTask:
		err = w.stopTasks(ctx, m)
	case *RunTask:
		wanted = m.Error
		err = w.runTask(ctx, m)
	case *Retire:
		wanted = m.Error
		result, err = w.retire(ctx, m)
	case *Behaviour:
		wanted = m.Error
		err = w.behaviour(ctx, m)
	case *fleet.Span:
		w.doing = "advance " + m.String()
		err = w.pass(m.Duration())
	case *Until:
		result, err = w.wait(ctx, m)
	case *Fault:
		err = w.fault(ctx, m)
	case *Call:
		wanted = m.Error
		err = w.call(ctx, m)
	case *Expect:
		err = w.expect(ctx, m)
	default:
		return fmt.Errorf("the step has no member")
	}
	if err := refused(err, wanted); errors.Is(err, errExpected) {
		result = "refused: " + wanted.String()
	} else if err != nil {
		return err
	}
	text := w.doing
	if result != "" {
		text += " → " + result
	}
	w.tell(Event{Kind: Done, Line: s.At.Line, Text: text})
	return nil
}

func (w *world) push(ctx context.Context, p *Push) (string, error) {
	w.doing = "push " + p.Image
	references, err := fleet.Expand(p.Image)
	if err != nil {
		return "", err
	}
	for i, reference := range references {
		if i > 0 && p.Every > 0 {
			if err := w.pass(p.Every.Duration()); err != nil {
				return "", err
			}
		}
		w.doing = "push " + reference
		if err := w.pushOne(ctx, p, reference); err != nil {
			return "", err
		}
	}
	w.doing = "push " + p.Image
	if len(references) > 1 && p.Every > 0 {
		w.doing += fmt.Sprintf(", one every %s", p.Every)
	}
	return "", nil
}

func (w *world) pushOne(ctx context.Context, p *Push, reference string) error {
	ref, err := image.Parse(reference)
	if err != nil {
		return err
	}
	w.pushes++
	i := client.Image{Labels: p.Labels, Platforms: p.Platforms, Content: p.Content}
	if i.Content == "" {
		i.Content = fmt.Sprintf("%s #%d", reference, w.pushes)
	}
	if p.Tarball != "" {
		i.Tarball = w.scenario.folder() + "/" + p.Tarball
	}
	digest, err := w.client.Push(ctx, w.registry, reference, i)
	if err != nil {
		return err
	}
	if p.As != "" {
		w.named[p.As] = ref.Repository + "@" + digest
	}
	return nil
}

// identifier is an image as ECR's API names it.
func identifier(ref image.Reference) ecrtypes.ImageIdentifier {
	if ref.Digest != "" {
		return ecrtypes.ImageIdentifier{ImageDigest: &ref.Digest}
	}
	return ecrtypes.ImageIdentifier{ImageTag: &ref.Tag}
}

func (w *world) tag(ctx context.Context, t *Tag) error {
	w.doing = fmt.Sprintf("tag %s as %s", t.Image, t.As)
	ref, err := w.own(t.Image)
	if err != nil {
		return err
	}
	got, err := w.client.ECR.BatchGetImage(ctx, &ecr.BatchGetImageInput{RepositoryName: &ref.Repository, ImageIds: []ecrtypes.ImageIdentifier{identifier(ref)}})
	if err != nil {
		return err
	}
	if len(got.Images) == 0 {
		return fmt.Errorf("there is no image %s", t.Image)
	}
	_, err = w.client.ECR.PutImage(ctx, &ecr.PutImageInput{
		RepositoryName: &ref.Repository, ImageTag: &t.As, ImageManifest: got.Images[0].ImageManifest, ImageManifestMediaType: got.Images[0].ImageManifestMediaType,
	})
	return err
}

func (w *world) delete(ctx context.Context, d *Delete) error {
	w.doing = "delete " + d.Image
	ref, err := w.own(d.Image)
	if err != nil {
		return err
	}
	out, err := w.client.ECR.BatchDeleteImage(ctx, &ecr.BatchDeleteImageInput{RepositoryName: &ref.Repository, ImageIds: []ecrtypes.ImageIdentifier{identifier(ref)}})
	if err != nil {
		return err
	}
	for _, f := range out.Failures {
		return fmt.Errorf("%s: %s", f.FailureCode, aws.ToString(f.FailureReason))
	}
	return nil
}

func (w *world) policy(ctx context.Context, p *Policy) error {
	w.doing = "put a lifecycle policy on " + p.Repository
	text, err := fleet.PolicyText(p.Lifecycle, p.Document, p.File, w.scenario.folder())
	if err != nil {
		return err
	}
	if text == "" {
		return errors.New("give lifecycle, document or file")
	}
	_, err = w.client.ECR.PutLifecyclePolicy(ctx, &ecr.PutLifecyclePolicyInput{RepositoryName: &p.Repository, LifecyclePolicyText: &text})
	return err
}

func (w *world) scale(ctx context.Context, s *Scale) (string, error) {
	w.doing = fmt.Sprintf("scale %s to %d", s.Service, s.Desired)
	cluster, err := w.service(ctx, s.Cluster, s.Service)
	if err != nil {
		return "", err
	}
	delete(w.waiting, fleet.ServiceKey{Cluster: cluster, Service: s.Service})
	began := w.clock.Now()
	if _, err := w.client.ECS.UpdateService(ctx, &ecs.UpdateServiceInput{Cluster: &cluster, Service: &s.Service, DesiredCount: aws.Int32(int32(s.Desired))}); err != nil {
		return "", err
	}
	if s.Wait != nil && !*s.Wait {
		return "", nil
	}
	var last sight
	ok, err := w.until(ctx, within(s.Within), func() (bool, error) {
		var err error
		last, err = w.look(ctx, cluster, s.Service)
		return err == nil && int(last.RunningCount) == s.Desired && last.PendingCount == 0, err
	})
	if err == nil && !ok {
		err = &unexpected{[]mismatch{{s.At, "running", fmt.Sprint(s.Desired), fmt.Sprint(last.RunningCount)}}, w.lastEvents(last)}
	}
	return fmt.Sprintf("%d running after %s", s.Desired, round(w.clock.Now().Sub(began))), err
}

func (w *world) stopTasks(ctx context.Context, s *StopTask) error {
	count := max(s.Count, 1)
	w.doing = fmt.Sprintf("stop %d of the tasks of %s", count, s.Service)
	cluster, err := w.service(ctx, s.Cluster, s.Service)
	if err != nil {
		return err
	}
	tasks, err := w.tasks(ctx, cluster, s.Service, types.DesiredStatusRunning)
	if err != nil {
		return err
	}
	if len(tasks) < count {
		return fmt.Errorf("the service %s has %d tasks to stop, not %d", s.Service, len(tasks), count)
	}
	for _, t := range tasks[:count] {
		in := &ecs.StopTaskInput{Cluster: &cluster, Task: t.TaskArn}
		if s.Reason != "" {
			in.Reason = &s.Reason
		}
		if _, err := w.client.ECS.StopTask(ctx, in); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) runTask(ctx context.Context, r *RunTask) error {
	count := max(r.Count, 1)
	w.doing = fmt.Sprintf("run %d of %s", count, r.Family)
	in := &ecs.RunTaskInput{TaskDefinition: &r.Family, Count: aws.Int32(int32(count)), LaunchType: types.LaunchTypeFargate, NetworkConfiguration: fleet.Network()}
	if r.Cluster != "" {
		in.Cluster = &r.Cluster
	}
	out, err := w.client.ECS.RunTask(ctx, in)
	if err != nil {
		return err
	}
	for _, f := range out.Failures {
		return fmt.Errorf("%s: %s", aws.ToString(f.Reason), aws.ToString(f.Detail))
	}
	return nil
}

func (w *world) retire(ctx context.Context, r *Retire) (string, error) {
	w.doing = "announce that the tasks of " + r.Service + " retire"
	cluster, err := w.service(ctx, r.Cluster, r.Service)
	if err != nil {
		return "", err
	}
	in := map[string]any{"cluster": cluster, "service": r.Service}
	if r.In != nil {
		w.doing += " in " + r.In.String()
		in["seconds"] = r.In.Duration().Seconds()
	}
	var announced struct {
		Tasks []string `json:"tasks"`
	}
	if err := w.control(ctx, "retire", in, &announced); err != nil {
		return "", err
	}
	return noun.Count(len(announced.Tasks), "task"), nil
}

func (w *world) behaviour(ctx context.Context, b *Behaviour) error {
	w.doing = "from now on " + b.Image + " behaves by its own labels"
	pattern := b.Image
	if strings.HasPrefix(pattern, "$") {
		ref, err := w.image(pattern)
		if err != nil {
			return err
		}
		pattern = ref.Repository + "@" + ref.Digest
	}
	if len(b.Labels) == 0 {
		return w.client.Control(ctx, http.MethodDelete, "behaviours?image="+url.QueryEscape(pattern), nil, nil)
	}
	var labels []string
	for _, name := range sortedKeys(b.Labels) {
		labels = append(labels, name+"="+b.Labels[name])
	}
	w.doing = fmt.Sprintf("from now on %s has %s", b.Image, strings.Join(labels, ", "))
	return w.control(ctx, "behaviours", map[string]any{"image": pattern, "labels": b.Labels}, nil)
}

func (w *world) fault(ctx context.Context, f *Fault) error {
	if f.Clear {
		w.doing = "all faults end"
		return w.client.Control(ctx, http.MethodDelete, "faults", nil, nil)
	}
	w.doing = fmt.Sprintf("fault: %s %s", f.Kind, f.Match)
	if f.Count > 0 {
		w.doing += fmt.Sprintf(", %d times", f.Count)
	}
	rule := faults.Rule{
		Kind: faults.Kind(f.Kind), Match: f.Match, Skip: f.Skip, Count: f.Count, Rate: f.Rate, Seed: f.Seed,
		Status: f.Status, Code: f.Code, Message: f.Message, DelaySeconds: f.Delay.Duration().Seconds(),
	}
	return w.control(ctx, "faults", rule, nil)
}

func (w *world) call(ctx context.Context, c *Call) error {
	w.doing = fmt.Sprintf("call %s:%s", c.Service, c.Operation)
	out, err := w.client.Call(ctx, c.Service, c.Operation, w.filledIn(c.Input))
	if err != nil || c.Output == nil {
		return err
	}
	if place, want, got := subset(c.Output, out, "output"); place != "" {
		return &unexpected{[]mismatch{{c.Of("output"), strings.TrimSpace(place), shown(want), shown(got)}}, nil}
	}
	return nil
}

// filledIn is an input with the names of the story filled in.
func (w *world) filledIn(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, member := range v {
			out[name] = w.filledIn(member)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = w.filledIn(item)
		}
		return out
	case string:
		v = strings.ReplaceAll(v, "$REGISTRY", w.registry)
		if pinned, ok := w.named[strings.TrimPrefix(v, "$")]; ok && strings.HasPrefix(v, "$") {
			_, digest, _ := strings.Cut(pinned, "@")
			return digest
		}
		return v
	}
	return v
}

// shown is a value of a document in an error.
func shown(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	const longest = 300
	if len(text) > longest {
		return string(text[:longest]) + "…"
	}
	return string(text)
}

// within is how long a step waits.
func within(s fleet.Span) time.Duration {
	if s == 0 {
		return time.Hour
	}
	return s.Duration()
}

func round(d time.Duration) fleet.Span { return fleet.Span(d.Round(time.Second)) }

// Elapsed is a moment of a story as it is told: days, then the time of day
// since it began.
func Elapsed(d time.Duration) string {
	d = d.Round(time.Second)
	days := d / (24 * time.Hour)
	d -= days * 24 * time.Hour
	return fmt.Sprintf("%dd %02d:%02d:%02d", days, d/time.Hour, d/time.Minute%60, d/time.Second%60)
}
