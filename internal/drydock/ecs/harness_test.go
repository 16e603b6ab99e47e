package ecs

import (
	"context"
	"log/slog"
	"maps"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/elb"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/events"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/logs"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/runtime/simulated"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

// shelf is the images of a test: what a tag stands for, and what is there by
// digest. Taking a digest away is what a lifecycle policy does.
type shelf struct {
	tags   map[string]string            // repository:tag → digest
	labels map[string]map[string]string // digest → labels
}

func (s shelf) Resolve(ref image.Reference) (string, error) {
	if d, ok := s.tags[ref.Repository+":"+ref.Tag]; ok {
		return d, nil
	}
	return "", &PullError{Retried: 7, Text: "pull image manifest has been retried 7 time(s): failed to resolve ref " + ref.String() + ": not found"}
}

func (s shelf) Pull(ref image.Reference, digest, _ string) (Image, error) {
	if digest == "" {
		var err error
		if digest, err = s.Resolve(ref); err != nil {
			return Image{}, err
		}
	}
	labels, ok := s.labels[digest]
	if !ok {
		ref.Digest = digest
		return Image{}, &PullError{Retried: 1, Text: "pull image manifest has been retried 1 time(s): failed to resolve ref " + ref.String() + ": not found"}
	}
	return Image{Digest: digest, Labels: labels}, nil
}

func (s shelf) put(tag, digest string, labels map[string]string) {
	s.tags["web:"+tag], s.labels[digest] = digest, maps.Clone(labels)
	if labels == nil {
		s.labels[digest] = map[string]string{}
	}
}

// world is an ECS on a clock that the test turns.
type world struct {
	t interface {
		Helper()
		Fatalf(string, ...any)
	}
	*ECS
	clock *clock.Clock
	shelf shelf
	logs  *logs.Logs

	elb     *elb.ELB
	stream  *events.Stream
	notices *notices
}

// notices are the retirements that the account was told of.
type notices []Retirement

func (n *notices) Notify(r Retirement) { *n = append(*n, r) }

const registryHost = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com"

func start() time.Time { return time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC) }

// newWorld has a cluster "prod", a log group and good images v1, v2 and v3.
func newWorld(t testing.TB, st *store.Store) *world {
	w := newBareWorld(t, st, clock.Manual(start()))
	do[ecs.CreateClusterOutput](w, "CreateCluster", &ecs.CreateClusterInput{ClusterName: aws.String("prod")})
	return w
}

func newBareWorld(t interface {
	Helper()
	Fatalf(string, ...any)
}, st *store.Store, c *clock.Clock) *world {
	w := &world{t: t, clock: c, shelf: shelf{tags: map[string]string{}, labels: map[string]map[string]string{}}}
	w.stream = events.New(events.Options{Account: "123456789012", Region: "ap-northeast-1", Seed: 1, Log: slog.New(slog.DiscardHandler)})
	w.notices = new(notices)
	for _, tag := range []string{"v1", "v2", "v3"} {
		w.shelf.put(tag, "sha256:"+tag, nil)
	}
	var err error
	w.logs, err = logs.New(logs.Options{Account: "123456789012", Region: "ap-northeast-1", Clock: c, Store: store.Memory()})
	if err != nil {
		t.Fatalf("logs: %v", err)
	}
	run := simulated.New(c)
	w.elb, err = elb.New(elb.Options{
		Account: "123456789012", Region: "ap-northeast-1", Clock: c, Store: st, Prober: run, Log: slog.New(slog.DiscardHandler), Seed: 1,
		Changed: func(task string) { w.TargetChanged(task) },
	})
	if err != nil {
		t.Fatalf("elb: %v", err)
	}
	w.ECS, err = New(Options{
		Account: "123456789012", Region: "ap-northeast-1", Clock: c, Store: st,
		Runtime: run, Balancer: w.elb, Images: w.shelf, Logs: w.logs, Log: slog.New(slog.DiscardHandler), Seed: 1,
		Events: w.stream.From("aws.ecs"), Notices: w.notices,
	})
	if err != nil {
		t.Fatalf("ecs: %v", err)
	}
	return w
}

// try calls an operation as a client does, through the wire's encoding.
func try[Out any](w *world, op string, in any) (*Out, error) {
	body, err := wire.Encode(in)
	if err != nil {
		w.t.Fatalf("%s: %v", op, err)
	}
	answer, err := w.Service().Operations[op](context.Background(), wire.Call{Operation: op, Body: body})
	if err != nil {
		return nil, err
	}
	doc, err := wire.Encode(answer)
	if err != nil {
		w.t.Fatalf("%s: %v", op, err)
	}
	out := new(Out)
	if err := wire.Decode(doc, out); err != nil {
		w.t.Fatalf("%s: %v", op, err)
	}
	return out, nil
}

func do[Out any](w *world, op string, in any) *Out {
	w.t.Helper()
	out, err := try[Out](w, op, in)
	if err != nil {
		w.t.Fatalf("%s: %v", op, err)
	}
	return out
}

// register registers family web with the image of that tag.
func (w *world) register(tag string) string {
	w.t.Helper()
	return *do[ecs.RegisterTaskDefinitionOutput](w, "RegisterTaskDefinition", definitionOf(tag)).TaskDefinition.TaskDefinitionArn
}

func definitionOf(tag string) *ecs.RegisterTaskDefinitionInput {
	return &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("web"), NetworkMode: types.NetworkModeAwsvpc, Cpu: aws.String("256"), Memory: aws.String("512"),
		RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate}, ExecutionRoleArn: aws.String("arn:aws:iam::123456789012:role/execution"),
		ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("web"), Image: aws.String(registryHost + "/web:" + tag),
		}},
	}
}

func network() *types.NetworkConfiguration {
	return &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}}
}

func (w *world) create(definition string, desired int, configuration *types.DeploymentConfiguration) types.Service {
	w.t.Helper()
	return *do[ecs.CreateServiceOutput](w, "CreateService", &ecs.CreateServiceInput{
		Cluster: aws.String("prod"), ServiceName: aws.String("api"), TaskDefinition: &definition, DesiredCount: aws.Int32(int32(desired)),
		LaunchType: types.LaunchTypeFargate, NetworkConfiguration: network(), DeploymentConfiguration: configuration,
	}).Service
}

// update deploys a definition and returns the id of the new deployment.
func (w *world) update(definition string) string {
	w.t.Helper()
	s := do[ecs.UpdateServiceOutput](w, "UpdateService", &ecs.UpdateServiceInput{
		Cluster: aws.String("prod"), Service: aws.String("api"), TaskDefinition: &definition, ForceNewDeployment: true,
	}).Service
	return *s.Deployments[0].Id
}

func (w *world) describe() types.Service {
	w.t.Helper()
	return do[ecs.DescribeServicesOutput](w, "DescribeServices", &ecs.DescribeServicesInput{Cluster: aws.String("prod"), Services: []string{"api"}}).Services[0]
}

// glance is describe without the way over the wire, which a test that looks
// every second for an hour spends nearly all of its time on.
func (w *world) glance() types.Service {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.showService(w.services["prod/api"], false).Value.(types.Service)
}

// tasksShown are the service's tasks that should run, or those that stopped.
func (w *world) tasksShown(desired types.DesiredStatus) []types.Task {
	w.t.Helper()
	list := do[ecs.ListTasksOutput](w, "ListTasks", &ecs.ListTasksInput{Cluster: aws.String("prod"), ServiceName: aws.String("api"), DesiredStatus: desired})
	if len(list.TaskArns) == 0 {
		return nil
	}
	return do[ecs.DescribeTasksOutput](w, "DescribeTasks", &ecs.DescribeTasksInput{Cluster: aws.String("prod"), Tasks: list.TaskArns}).Tasks
}

// records are the service deployments, the newest first.
func (w *world) records() []types.ServiceDeployment {
	w.t.Helper()
	var arns []string
	for _, d := range do[ecs.ListServiceDeploymentsOutput](w, "ListServiceDeployments", &ecs.ListServiceDeploymentsInput{Cluster: aws.String("prod"), Service: aws.String("api")}).ServiceDeployments {
		arns = append(arns, *d.ServiceDeploymentArn)
	}
	return do[ecs.DescribeServiceDeploymentsOutput](w, "DescribeServiceDeployments", &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: arns}).ServiceDeployments
}

// until advances second by second until the service looks right, and returns
// how long it took.
func (w *world) until(what string, most time.Duration, right func(types.Service) bool) time.Duration {
	w.t.Helper()
	for took := time.Duration(0); took <= most; took += time.Second {
		if right(w.glance()) {
			return took
		}
		w.clock.Advance(time.Second)
	}
	w.t.Fatalf("not within %v: %s; the service: %s", most, what, pretty(w.describe()))
	return 0
}

func pretty(v any) string {
	doc, err := wire.Encode(v)
	if err != nil {
		return err.Error()
	}
	return string(doc)
}

func steady(s types.Service) bool {
	return len(s.Deployments) == 1 && s.Deployments[0].RolloutState == types.DeploymentRolloutStateCompleted && s.RunningCount == s.DesiredCount
}
