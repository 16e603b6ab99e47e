package scenario

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

func (w *world) expect(ctx context.Context, e *Expect) error {
	w.doing = "expect " + e.String()
	wrong, details, err := w.judge(ctx, e)
	if err != nil {
		return err
	}
	if len(wrong) > 0 {
		return &unexpected{wrong, details}
	}
	return nil
}

func (w *world) wait(ctx context.Context, u *Until) (string, error) {
	w.doing = "until " + u.String()
	began := w.clock.Now()
	var wrong []mismatch
	var details []string
	ok, err := w.until(ctx, within(u.Within), func() (bool, error) {
		var err error
		wrong, details, err = w.judge(ctx, &u.Expect)
		return err == nil && len(wrong) == 0, err
	})
	if err == nil && !ok {
		err = &unexpected{wrong, append([]string{fmt.Sprintf("so it was still after %s", round(w.clock.Now().Sub(began)))}, details...)}
	}
	return fmt.Sprintf("after %s", round(w.clock.Now().Sub(began))), err
}

// judge compares what is expected with what is, and finds what helps to see
// why it is not.
func (w *world) judge(ctx context.Context, e *Expect) ([]mismatch, []string, error) {
	switch {
	case e.Service != "":
		return w.judgeService(ctx, e)
	case e.Image != "":
		return w.judgeImage(ctx, e)
	case e.Tasks != "":
		return w.judgeTasks(ctx, e)
	case e.Events.Given():
		return w.judgeEvents(ctx, e)
	case e.Health != "":
		return w.judgeHealth(ctx, e)
	case e.Requests != "":
		return w.judgeRequests(ctx, e)
	}
	return w.judgeRepository(ctx, e)
}

// judged collects what is not as expected.
type judged struct {
	expect *Expect
	wrong  []mismatch
}

func (j *judged) miss(member, want, got string) {
	j.wrong = append(j.wrong, mismatch{j.expect.Of(member), member, want, got})
}

func (j *judged) count(member string, want Count, got int) {
	if want.Given() && !want.match(float64(got)) {
		j.miss(member, want.String(), fmt.Sprint(got))
	}
}

func (j *judged) text(member string, want Text, got ...string) {
	if !want.Given() || want.matchAny(got) {
		return
	}
	switch len(got) {
	case 0:
		j.miss(member, want.String(), "nothing")
	case 1:
		j.miss(member, want.String(), got[0])
	default:
		j.miss(member, want.String(), fmt.Sprintf("none of %d, the last of which is %s", len(got), got[0]))
	}
}

func (w *world) judgeService(ctx context.Context, e *Expect) ([]mismatch, []string, error) {
	cluster, err := w.service(ctx, e.Cluster, e.Service)
	if err != nil {
		return nil, nil, err
	}
	s, err := w.look(ctx, cluster, e.Service)
	if err != nil {
		return nil, nil, err
	}
	j := &judged{expect: e}
	primary := s.primary()
	j.count("desired", e.Desired, int(s.DesiredCount))
	j.count("running", e.Running, int(s.RunningCount))
	j.count("pending", e.Pending, int(s.PendingCount))
	j.text("rollout", e.Rollout, string(primary.RolloutState))
	j.count("deployments", e.Deployments, len(s.Deployments))
	j.count("failedTasks", e.FailedTasks, int(primary.FailedTasks))
	if e.Event.Given() {
		var messages []string
		for _, ev := range s.Events {
			messages = append(messages, aws.ToString(ev.Message))
		}
		j.text("event", e.Event, messages...)
	}
	if e.Outcome.Given() {
		if err := w.judgeOutcome(ctx, j, s); err != nil {
			return nil, nil, err
		}
	}
	if e.Image != "" {
		if err := w.judgeRuns(ctx, j, s); err != nil {
			return nil, nil, err
		}
	}
	if e.StoppedReason.Given() || e.Digest != "" {
		if err := w.judgeOwnTasks(ctx, j, cluster); err != nil {
			return nil, nil, err
		}
	}
	if len(j.wrong) == 0 {
		return nil, nil, nil
	}
	return j.wrong, w.lastEvents(s), nil
}

func (w *world) judgeOutcome(ctx context.Context, j *judged, s sight) error {
	out, err := w.client.ECS.DescribeServiceDeployments(ctx, &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: []string{aws.ToString(s.CurrentServiceDeployment)}})
	if err != nil {
		return err
	}
	for _, d := range out.ServiceDeployments {
		j.text("outcome", j.expect.Outcome, string(d.Status))
	}
	return nil
}

// judgeRuns compares the image of the service's task definition.
func (w *world) judgeRuns(ctx context.Context, j *judged, s sight) error {
	want, err := w.image(j.expect.Image)
	if err != nil {
		return err
	}
	out, err := w.client.ECS.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: s.TaskDefinition})
	if err != nil {
		return err
	}
	var got []string
	for _, c := range out.TaskDefinition.ContainerDefinitions {
		got = append(got, aws.ToString(c.Image))
	}
	if !slices.Contains(got, want.String()) {
		j.miss("image", w.plain(want.String()), w.plain(strings.Join(got, ", ")))
	}
	return nil
}

func (w *world) judgeOwnTasks(ctx context.Context, j *judged, cluster string) error {
	e := j.expect
	tasks, err := w.tasks(ctx, cluster, e.Service, both()...)
	if err != nil {
		return err
	}
	var stopped []string
	want, err := w.digest(e.Digest)
	if err != nil {
		return err
	}
	for _, t := range tasks {
		stopped = append(stopped, reasons(t)...)
		if got := digests(t); want != "" && aws.ToString(t.LastStatus) == "RUNNING" && !slices.Contains(got, want) {
			j.miss("digest", image.ShortDigest(want), shortened(got))
			want = "" // said once
		}
	}
	j.text("stoppedReason", e.StoppedReason, stopped...)
	return nil
}

func digests(t types.Task) []string {
	var out []string
	for _, c := range t.Containers {
		out = append(out, aws.ToString(c.ImageDigest))
	}
	return out
}

func shortened(digests []string) string {
	var out []string
	for _, d := range digests {
		out = append(out, image.ShortDigest(d))
	}
	return strings.Join(out, ", ")
}

// digest is a digest that a step names, as it is or as $NAME.
func (w *world) digest(text string) (string, error) {
	if !strings.HasPrefix(text, "$") {
		return text, nil
	}
	ref, err := w.image(text)
	return ref.Digest, err
}

func (w *world) judgeTasks(ctx context.Context, e *Expect) ([]mismatch, []string, error) {
	name, cluster := e.Tasks, e.Cluster
	var err error
	if name == "*" {
		name = ""
	} else if cluster, err = w.service(ctx, cluster, name); err != nil {
		return nil, nil, err
	}
	if cluster == "" {
		cluster = "default"
	}
	digest, err := w.digest(e.Digest)
	if err != nil {
		return nil, nil, err
	}
	tasks, err := w.tasks(ctx, cluster, name, both()...)
	if err != nil {
		return nil, nil, err
	}
	n := 0
	details := []string{"tasks there are:"}
	for _, t := range tasks {
		details = append(details, "  "+strings.TrimSpace(aws.ToString(t.LastStatus)+"  "+w.plain(strings.Join(reasons(t), "; "))))
		if e.matches(t, digest) {
			n++
		}
	}
	j := &judged{expect: e}
	j.count("count", e.Count.orOne(), n)
	return j.wrong, details, nil
}

func (e *Expect) matches(t types.Task, digest string) bool {
	exited := func(c types.Container) bool { return c.ExitCode != nil && e.ExitCode.match(float64(*c.ExitCode)) }
	switch {
	case e.Status.Given() && !e.Status.match(aws.ToString(t.LastStatus)):
	case e.StoppedReason.Given() && !e.StoppedReason.matchAny(reasons(t)):
	case digest != "" && !slices.Contains(digests(t), digest):
	case e.ExitCode.Given() && !slices.ContainsFunc(t.Containers, exited):
	default:
		return true
	}
	return false
}

func (w *world) judgeImage(ctx context.Context, e *Expect) ([]mismatch, []string, error) {
	ref, err := w.own(e.Image)
	if err != nil {
		return nil, nil, err
	}
	j := &judged{expect: e}
	out, err := w.client.ECR.DescribeImages(ctx, &ecr.DescribeImagesInput{
		RepositoryName: &ref.Repository, ImageIds: []ecrtypes.ImageIdentifier{identifier(ref)},
		Filter: &ecrtypes.DescribeImagesFilter{ImageStatus: ecrtypes.ImageStatusFilterAny},
	})
	state, tags := "gone", []string(nil)
	var missing *ecrtypes.ImageNotFoundException
	switch {
	case errors.As(err, &missing):
	case err != nil:
		return nil, nil, err
	case len(out.ImageDetails) > 0:
		state, tags = "there", out.ImageDetails[0].ImageTags
		if s := out.ImageDetails[0].ImageStatus; s != "" && s != ecrtypes.ImageStatusActive {
			state = "archived"
		}
	}
	if e.State != "" && e.State != state {
		j.miss("state", e.State, state)
	}
	for _, want := range e.Tags {
		j.text("tags", want, tags...)
	}
	return j.wrong, nil, nil
}

func (w *world) judgeRepository(ctx context.Context, e *Expect) ([]mismatch, []string, error) {
	pages := ecr.NewDescribeImagesPaginator(w.client.ECR, &ecr.DescribeImagesInput{RepositoryName: &e.Repository})
	n, untagged := 0, 0
	details := []string{"images there are:"}
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, nil, err
		}
		for _, i := range page.ImageDetails {
			n++
			if len(i.ImageTags) == 0 {
				untagged++
			}
			details = append(details, fmt.Sprintf("  %s  %s", image.ShortDigest(aws.ToString(i.ImageDigest)), strings.Join(i.ImageTags, ", ")))
		}
	}
	j := &judged{expect: e}
	j.count("images", e.Images, n)
	j.count("untagged", e.Untagged, untagged)
	return j.wrong, details, nil
}

func (w *world) judgeEvents(ctx context.Context, e *Expect) ([]mismatch, []string, error) {
	var text []byte
	if err := w.client.Control(ctx, http.MethodGet, "events", nil, &text); err != nil {
		return nil, nil, err
	}
	n := 0
	nearest := ""
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var ev struct {
			DetailType string `json:"detail-type"`
			Source     string `json:"source"`
			Detail     any    `json:"detail"`
		}
		if err := json.Unmarshal(lines.Bytes(), &ev); err != nil {
			return nil, nil, fmt.Errorf("event: %w", err)
		}
		if !e.Events.match(ev.DetailType) || e.Source.Given() && !e.Source.match(ev.Source) {
			continue
		}
		if e.Detail != nil {
			if place, want, got := subset(e.Detail, ev.Detail, "detail"); place != "" {
				nearest = fmt.Sprintf("the last one of that type has %s: want %s, got %s", strings.TrimSpace(place), shown(want), shown(got))
				continue
			}
		}
		n++
	}
	if err := lines.Err(); err != nil {
		return nil, nil, err
	}
	j := &judged{expect: e}
	j.count("count", e.Count.orOne(), n)
	if nearest == "" {
		return j.wrong, nil, nil
	}
	return j.wrong, []string{nearest}, nil
}

func (w *world) judgeHealth(ctx context.Context, e *Expect) ([]mismatch, []string, error) {
	out, err := w.client.Call(ctx, "health", "DescribeEvents", map[string]any{"filter": map[string]any{"eventTypeCodes": []any{e.Health}}})
	if err != nil {
		return nil, nil, err
	}
	events, _ := out.(map[string]any)["events"].([]any)
	n := 0
	details := []string{"events there are:"}
	for _, ev := range events {
		members, _ := ev.(map[string]any)
		status := fmt.Sprint(members["statusCode"])
		details = append(details, fmt.Sprintf("  %v  %s", members["eventTypeCode"], status))
		if !e.Status.Given() || e.Status.match(status) {
			n++
		}
	}
	j := &judged{expect: e}
	j.count("count", e.Count.orOne(), n)
	return j.wrong, details, nil
}

func (w *world) judgeRequests(ctx context.Context, e *Expect) ([]mismatch, []string, error) {
	var log drydock.Requests
	if err := w.client.Control(ctx, http.MethodGet, "requests", nil, &log); err != nil {
		return nil, nil, err
	}
	n := 0
	for _, r := range log.Requests {
		matched, err := path.Match(strings.ToLower(e.Requests), strings.ToLower(r.Service+":"+r.Operation))
		if err != nil {
			return nil, nil, fmt.Errorf("requests: %q is no pattern of operations", e.Requests)
		}
		if matched && (!e.Error.Given() || e.Error.match(r.Error)) {
			n++
		}
	}
	j := &judged{expect: e}
	j.count("count", e.Count.orOne(), n)
	return j.wrong, nil, nil
}

// String is the expectation as the story tells it.
func (e *Expect) String() string {
	var out []string
	add := func(format string, given bool, v any) {
		if given {
			out = append(out, fmt.Sprintf(format, v))
		}
	}
	add("%s", e.Service != "", e.Service)
	add("image %s", e.Image != "", e.Image)
	add("tasks %s", e.Tasks != "", e.Tasks)
	add("events %s", e.Events.Given(), e.Events)
	add("health %s", e.Health != "", e.Health)
	add("requests %s", e.Requests != "", e.Requests)
	add("repository %s", e.Repository != "", e.Repository)
	add("desired %s", e.Desired.Given(), e.Desired)
	add("running %s", e.Running.Given(), e.Running)
	add("pending %s", e.Pending.Given(), e.Pending)
	add("rollout %s", e.Rollout.Given(), e.Rollout)
	add("outcome %s", e.Outcome.Given(), e.Outcome)
	add("deployments %s", e.Deployments.Given(), e.Deployments)
	add("failed tasks %s", e.FailedTasks.Given(), e.FailedTasks)
	add("event %q", e.Event.Given(), e.Event.String())
	add("stopped: %s", e.StoppedReason.Given(), e.StoppedReason)
	add("pinned to %s", e.Digest != "", e.Digest)
	add("%s", e.State != "", e.State)
	for _, t := range e.Tags {
		add("tag %s", true, t)
	}
	add("%s", e.Status.Given(), e.Status)
	add("exit code %s", e.ExitCode.Given(), e.ExitCode)
	add("from %s", e.Source.Given(), e.Source)
	add("with %s", e.Detail != nil, shown(e.Detail))
	add("answered %s", e.Error.Given(), e.Error)
	add("images %s", e.Images.Given(), e.Images)
	add("untagged %s", e.Untagged.Given(), e.Untagged)
	add("count %s", e.Count.Given(), e.Count)
	return strings.Join(out, ", ")
}
