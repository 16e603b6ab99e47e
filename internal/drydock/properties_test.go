package drydock

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/client"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/fleet"
)

// op is one thing that somebody does to a drydock: plain data, so that it can
// be done to another one just so.
type op struct {
	Kind    string
	Service string
	Tag     string
	N       int
	Of      time.Duration
}

func drawOp(t *rapid.T) op {
	return op{
		Kind: rapid.SampledFrom([]string{
			"register", "create", "update", "deploy", "deploy", "scale", "push", "push", "delete", "policy", "advance", "advance", "advance", "advance",
			"retire", "stop", "run", "fault", "behave", "forget", "describe",
		}).Draw(t, "kind"),
		Service: rapid.SampledFrom([]string{"web", "api"}).Draw(t, "service"),
		Tag:     rapid.SampledFrom([]string{"v1", "v2", "v3"}).Draw(t, "tag"),
		N:       rapid.IntRange(0, 4).Draw(t, "n"),
		Of:      rapid.SampledFrom([]time.Duration{time.Second, 17 * time.Second, time.Minute, 10 * time.Minute, 3 * time.Hour, 26 * time.Hour}).Draw(t, "of"),
	}
}

// subject is a drydock under test, on a calendar that only the test moves.
type subject struct {
	server   *Server
	client   *client.Client
	manifest string // of an image, to make others of
	pushes   int
}

const testRegistry = DefaultAccount + ".dkr.ecr." + DefaultRegion + ".amazonaws.com"

func newSubject(t *rapid.T, seed uint64) *subject {
	server, err := Start(context.Background(), Options{
		Runtime: Simulated, Seed: seed, Clock: clock.Manual(time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)),
	})
	if err != nil {
		t.Fatal(err)
	}
	s := &subject{server: server, client: client.New(server.Endpoint(), DefaultRegion, nil)}
	planter := fleet.Planter{Client: s.client, Registry: server.Addr}
	_, err = planter.Plant(t.Context(), fleet.Fleet{
		Clusters:     []string{"default"},
		Repositories: map[string]fleet.Repository{"app": {Images: []fleet.Image{{Tag: "v1"}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.client.ECR.BatchGetImage(t.Context(), &ecr.BatchGetImageInput{RepositoryName: aws.String("app"), ImageIds: []ecrtypes.ImageIdentifier{{ImageTag: aws.String("v1")}}})
	if err != nil || len(got.Images) != 1 {
		t.Fatalf("%v, %v", got, err)
	}
	s.manifest = *got.Images[0].ImageManifest
	for _, name := range []string{"web", "api"} {
		if err := s.register(t.Context(), name, "v1"); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *subject) register(ctx context.Context, family, tag string) error {
	_, err := s.client.ECS.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
		Family: &family, NetworkMode: types.NetworkModeAwsvpc, Cpu: aws.String("256"), Memory: aws.String("512"),
		RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
		ExecutionRoleArn:        aws.String("arn:aws:iam::123456789012:role/execution"),
		ContainerDefinitions:    []types.ContainerDefinition{{Name: aws.String("app"), Image: aws.String(testRegistry + "/app:" + tag)}},
	})
	return err
}

// do does one thing. The error is AWS's, or the control API's, and part of the
// game.
func (s *subject) do(ctx context.Context, o op) error {
	service, family := &o.Service, &o.Service
	switch o.Kind {
	case "register":
		return s.register(ctx, o.Service, o.Tag)
	case "create":
		_, err := s.client.ECS.CreateService(ctx, &ecs.CreateServiceInput{
			ServiceName: service, TaskDefinition: family, DesiredCount: aws.Int32(int32(o.N)), LaunchType: types.LaunchTypeFargate, NetworkConfiguration: fleet.Network(),
			DeploymentConfiguration: &types.DeploymentConfiguration{DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{Enable: o.N > 0, Rollback: o.N > 1}},
		})
		return err
	case "update":
		_, err := s.client.ECS.UpdateService(ctx, &ecs.UpdateServiceInput{Service: service, ForceNewDeployment: true})
		return err
	case "deploy":
		if err := s.register(ctx, o.Service, o.Tag); err != nil {
			return err
		}
		_, err := s.client.ECS.UpdateService(ctx, &ecs.UpdateServiceInput{Service: service, TaskDefinition: family})
		return err
	case "scale":
		_, err := s.client.ECS.UpdateService(ctx, &ecs.UpdateServiceInput{Service: service, DesiredCount: aws.Int32(int32(o.N))})
		return err
	case "push":
		s.pushes++
		manifest := strings.TrimSuffix(strings.TrimSpace(s.manifest), "}") + fmt.Sprintf(`,"annotations":{"n":"%d"}}`, s.pushes)
		_, err := s.client.ECR.PutImage(ctx, &ecr.PutImageInput{RepositoryName: aws.String("app"), ImageTag: &o.Tag, ImageManifest: &manifest})
		return err
	case "delete":
		_, err := s.client.ECR.BatchDeleteImage(ctx, &ecr.BatchDeleteImageInput{RepositoryName: aws.String("app"), ImageIds: []ecrtypes.ImageIdentifier{{ImageTag: &o.Tag}}})
		return err
	case "policy":
		text, err := fleet.PolicyText([]fleet.Rule{{Keep: o.N}}, nil, "", "") // keep 0 is none of ECR's, and not sent
		if err != nil {
			return nil
		}
		_, err = s.client.ECR.PutLifecyclePolicy(ctx, &ecr.PutLifecyclePolicyInput{RepositoryName: aws.String("app"), LifecyclePolicyText: &text})
		return err
	case "advance":
		return s.control(ctx, "advance", map[string]any{"seconds": o.Of.Seconds()})
	case "retire":
		return s.control(ctx, "retire", map[string]any{"cluster": "default", "service": o.Service, "seconds": o.Of.Seconds()})
	case "stop":
		tasks, err := s.client.ECS.ListTasks(ctx, &ecs.ListTasksInput{})
		if err != nil || len(tasks.TaskArns) == 0 {
			return err
		}
		_, err = s.client.ECS.StopTask(ctx, &ecs.StopTaskInput{Task: &tasks.TaskArns[o.N%len(tasks.TaskArns)]})
		return err
	case "run":
		_, err := s.client.ECS.RunTask(ctx, &ecs.RunTaskInput{TaskDefinition: family, LaunchType: types.LaunchTypeFargate, NetworkConfiguration: fleet.Network()})
		return err
	case "fault":
		return s.control(ctx, "faults", map[string]any{"kind": "throttle", "match": "ec*:*e*", "count": 1, "skip": o.N})
	case "behave":
		return s.control(ctx, "behaviours", map[string]any{"image": "app:" + o.Tag, "labels": map[string]string{"exit-after": o.Of.String(), "exit-code": "1"}})
	case "forget":
		return s.client.Control(ctx, http.MethodDelete, "behaviours", nil, nil)
	}
	_, err := s.client.ECS.DescribeServices(ctx, &ecs.DescribeServicesInput{Services: []string{o.Service}})
	return err
}

func (s *subject) control(ctx context.Context, path string, in any) error {
	return s.client.Control(ctx, http.MethodPost, path, in, nil)
}

// shownState is everything that the API shows of a drydock.
type shownState struct {
	Services    []types.Service
	Tasks       []types.Task
	Definitions []string
	Images      []ecrtypes.ImageDetail
	Deployments []types.ServiceDeployment
	Revisions   []types.ServiceRevision
	Events      string
}

// dump reads the state past all faults.
func (s *subject) dump(t *rapid.T) shownState {
	ctx := t.Context()
	var faults json.RawMessage
	must := func(err error) {
		if err != nil {
			t.Fatalf("look at the state: %v", err)
		}
	}
	must(s.client.Control(ctx, http.MethodDelete, "faults", nil, &faults)) // those that wait would strike this
	var out shownState
	for _, name := range []string{"api", "web"} {
		services, err := s.client.ECS.DescribeServices(ctx, &ecs.DescribeServicesInput{Services: []string{name}})
		must(err)
		out.Services = append(out.Services, services.Services...)
		if len(services.Services) == 0 {
			continue
		}
		listed, err := s.client.ECS.ListServiceDeployments(ctx, &ecs.ListServiceDeploymentsInput{Service: &name, Cluster: aws.String("default")})
		must(err)
		var deployments, targets []string
		for _, d := range listed.ServiceDeployments {
			deployments, targets = append(deployments, *d.ServiceDeploymentArn), append(targets, *d.TargetServiceRevisionArn)
		}
		shown, err := s.client.ECS.DescribeServiceDeployments(ctx, &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: deployments})
		must(err)
		revisions, err := s.client.ECS.DescribeServiceRevisions(ctx, &ecs.DescribeServiceRevisionsInput{ServiceRevisionArns: targets})
		must(err)
		out.Deployments = append(out.Deployments, shown.ServiceDeployments...)
		out.Revisions = append(out.Revisions, revisions.ServiceRevisions...)
	}
	for _, status := range []types.DesiredStatus{types.DesiredStatusRunning, types.DesiredStatusStopped} {
		pages := ecs.NewListTasksPaginator(s.client.ECS, &ecs.ListTasksInput{DesiredStatus: status})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			must(err)
			if len(page.TaskArns) == 0 {
				continue
			}
			tasks, err := s.client.ECS.DescribeTasks(ctx, &ecs.DescribeTasksInput{Tasks: page.TaskArns})
			must(err)
			out.Tasks = append(out.Tasks, tasks.Tasks...)
		}
	}
	definitions, err := s.client.ECS.ListTaskDefinitions(ctx, &ecs.ListTaskDefinitionsInput{})
	must(err)
	out.Definitions = definitions.TaskDefinitionArns
	images, err := s.client.ECR.DescribeImages(ctx, &ecr.DescribeImagesInput{RepositoryName: aws.String("app"), MaxResults: aws.Int32(1000)})
	must(err)
	out.Images = images.ImageDetails
	var events []byte
	must(s.client.Control(ctx, http.MethodGet, "events", nil, &events))
	out.Events = string(events)
	return out
}

// text is the state to compare with another drydock's, which listens elsewhere.
func (s *subject) text(t *rapid.T, st shownState) string {
	doc, err := json.MarshalIndent(st, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(doc), s.server.Addr, "registry")
}

func (s *subject) close(t *rapid.T) {
	if err := s.server.Close(); err != nil {
		t.Error(err)
	}
}

// Whatever is done to a drydock, what holds on AWS holds; and a drydock of the
// same seed to which the same is done at the same times comes to the same
// state, ids included.
func TestAnySequenceOfOperations(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64Range(1, 1<<40).Draw(t, "seed")
		first := newSubject(t, seed)
		defer first.close(t)
		done := []op{{Kind: "create", Service: "web", Tag: "v1", N: 2}}
		for range rapid.IntRange(1, 8).Draw(t, "operations") {
			done = append(done, drawOp(t))
		}
		held := newInvariants()
		var answers []string
		for _, o := range done {
			err := first.do(t.Context(), o)
			checkError(t, o, err)
			answers = append(answers, fmt.Sprint(o, errorName(err)))
			held.check(t, o, first.dump(t), first.server.clock.Now())
		}

		second := newSubject(t, seed)
		defer second.close(t)
		for i, o := range done {
			if again := fmt.Sprint(o, errorName(second.do(t.Context(), o))); again != answers[i] {
				t.Fatalf("played again: %s, not %s", again, answers[i])
			}
			second.dump(t) // looking is part of what was done: it ends faults
		}
		if diff := cmp.Diff(first.text(t, first.dump(t)), second.text(t, second.dump(t))); diff != "" {
			t.Fatalf("the same on another drydock comes to something else:\n%s", diff)
		}
	})
}

// errorName is AWS's name of an error.
func errorName(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode()
	}
	if e, ok := errors.AsType[*client.ControlError](err); ok {
		return e.Text
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// checkError holds an error to being one of AWS.
func checkError(t *rapid.T, o op, err error) {
	if err == nil {
		return
	}
	if e, ok := errors.AsType[*client.ControlError](err); ok && e.Status == http.StatusBadRequest {
		return
	}
	e, ok := errors.AsType[smithy.APIError](err)
	if !ok || !regexp.MustCompile(`^[A-Z][A-Za-z]+Exception$`).MatchString(e.ErrorCode()) || e.ErrorCode() == "ServerException" {
		t.Fatalf("%+v: %v is no refusal of AWS's", o, err)
	}
}

// invariants is what was seen of a drydock so far.
type invariants struct {
	lives    map[string]int                 // how far a task has come
	pins     map[string]string              // of a service revision
	revision map[string]int                 // the newest of a family
	gone     map[string]bool                // digests that are in no repository
	looked   time.Time                      // when that was found
	most     map[string]int32               // the highest desired count of a service
	seen     map[string]map[string]struct{} // digests of the repository ever
}

func newInvariants() *invariants {
	return &invariants{
		lives: map[string]int{}, pins: map[string]string{}, revision: map[string]int{}, gone: map[string]bool{},
		most: map[string]int32{}, seen: map[string]map[string]struct{}{"app": {}},
	}
}

func life() []string {
	return []string{"PROVISIONING", "PENDING", "ACTIVATING", "RUNNING", "DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED"}
}

func (in *invariants) check(t *rapid.T, o op, s shownState, now time.Time) {
	for _, service := range s.Services {
		name := *service.ServiceName
		in.most[name] = max(in.most[name], service.DesiredCount)
		if n := service.RunningCount + service.PendingCount; n > 2*in.most[name] {
			t.Fatalf("%+v: %s has %d tasks with at most %d desired and a maximum of 200 percent", o, name, n, in.most[name])
		}
		if len(service.Deployments) == 0 && *service.Status == "ACTIVE" {
			t.Fatalf("%+v: %s has no deployment", o, name)
		}
	}
	here := map[string]bool{}
	for _, i := range s.Images {
		here[*i.ImageDigest] = true
	}
	for _, task := range s.Tasks {
		stage := slices.Index(life(), *task.LastStatus)
		if stage < in.lives[*task.TaskArn] {
			t.Fatalf("%+v: task %s went from %s back to %s", o, *task.TaskArn, life()[in.lives[*task.TaskArn]], *task.LastStatus)
		}
		in.lives[*task.TaskArn] = stage
		digest := aws.ToString(task.Containers[0].ImageDigest)
		if *task.LastStatus == "RUNNING" && digest == "" {
			t.Fatalf("%+v: a task runs that has no image", o)
		}
		stayedGone := in.gone[digest] && !here[digest]
		if stayedGone && task.StartedAt != nil && task.PullStartedAt.After(in.looked) {
			t.Fatalf("%+v: task %s started with %s, which was gone", o, *task.TaskArn, digest)
		}
	}
	in.notePins(t, o, s)
	for _, arn := range s.Definitions {
		family, number := familyOf(t, arn)
		in.revision[family] = max(in.revision[family], number)
	}
	if got, want := len(s.Definitions), in.revision["web"]+in.revision["api"]; got != want {
		t.Fatalf("%+v: %d revisions of both families, numbered up to %d together", o, got, want)
	}
	for digest := range here {
		in.seen["app"][digest] = struct{}{}
	}
	clear(in.gone)
	for digest := range maps.Keys(in.seen["app"]) {
		in.gone[digest] = !here[digest]
	}
	in.looked = now
}

func (in *invariants) notePins(t *rapid.T, o op, s shownState) {
	for _, r := range s.Revisions {
		for _, i := range r.ContainerImages {
			if i.ImageDigest == nil {
				continue
			}
			key := *r.ServiceRevisionArn + " " + *i.ContainerName
			if before, pinned := in.pins[key]; pinned && before != *i.ImageDigest {
				t.Fatalf("%+v: the service revision %s was pinned to %s and is to %s", o, key, before, *i.ImageDigest)
			}
			in.pins[key] = *i.ImageDigest
		}
	}
}

func familyOf(t *rapid.T, arn string) (family string, number int) {
	name := arn[strings.LastIndexByte(arn, '/')+1:]
	family, text, _ := strings.Cut(name, ":")
	if _, err := fmt.Sscan(text, &number); err != nil {
		t.Fatal(err)
	}
	return family, number
}
