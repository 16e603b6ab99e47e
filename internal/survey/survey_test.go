package survey_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/awsapi"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/client"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/fleet"
	"github.com/plimsoll-ecs/plimsoll/internal/survey"
)

// yard is a drydock with a fleet.
type yard struct {
	*drydock.Server
	client *client.Client
	reader *awsapi.Client
}

func open(t *testing.T, f fleet.Fleet) yard {
	t.Helper()
	s, err := drydock.Start(t.Context(), drydock.Options{Runtime: drydock.Simulated, TimeScale: 1000})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	y := yard{Server: s, client: client.New(s.Endpoint(), drydock.DefaultRegion, nil)}
	if _, err := (fleet.Planter{Client: y.client, Registry: s.Addr}).Plant(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	y.reader, err = awsapi.New(t.Context(), awsapi.Options{
		Region: drydock.DefaultRegion, Endpoint: s.Endpoint(), Attempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKIDSURVEY", "x", ""),
	})
	if err != nil {
		t.Fatal(err)
	}
	y.settle(t)
	return y
}

// settle lets the scheduler get everything running.
func (y yard) settle(t *testing.T) {
	t.Helper()
	if err := y.Advance(10 * time.Minute); err != nil {
		t.Fatal(err)
	}
}

func (y yard) survey(t *testing.T, o survey.Options) audit.Fleet {
	t.Helper()
	f, err := survey.Survey(t.Context(), []survey.Spot{{AWS: y.reader}}, o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// redeploy registers a revision with another image and updates the service.
func (y yard) redeploy(t *testing.T, service, image string) {
	t.Helper()
	out, err := y.client.ECS.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: &service, NetworkMode: types.NetworkModeAwsvpc, Cpu: aws.String("256"), Memory: aws.String("512"),
		RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
		ExecutionRoleArn:        aws.String("arn:aws:iam::123456789012:role/execution"),
		ContainerDefinitions: []types.ContainerDefinition{{
			Name: &service, Image: aws.String(y.Addr + "/" + image), Essential: aws.Bool(true),
			Environment: []types.KeyValuePair{{Name: aws.String("PASSWORD"), Value: aws.String("hunter2-secret")}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	y.update(t, service, &ecs.UpdateServiceInput{TaskDefinition: out.TaskDefinition.TaskDefinitionArn})
}

func (y yard) update(t *testing.T, service string, in *ecs.UpdateServiceInput) {
	t.Helper()
	in.Cluster, in.Service = aws.String("prod"), &service
	if _, err := y.client.ECS.UpdateService(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	y.settle(t)
}

// asked counts the survey's requests by operation.
func (y yard) asked(t *testing.T) map[string]int {
	t.Helper()
	var log drydock.Requests
	if err := y.client.Control(t.Context(), http.MethodGet, "requests", nil, &log); err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, r := range log.Requests {
		if r.AccessKey == "AKIDSURVEY" {
			count[r.Service+":"+r.Operation]++
		}
	}
	return count
}

func find(t *testing.T, f audit.Fleet, name string) audit.Service {
	t.Helper()
	i := slices.IndexFunc(f.Services, func(s audit.Service) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("no service %s", name)
	}
	return f.Services[i]
}

// The whole life of a service is in the fleet: what it runs, by digest; what it
// could go back to, each release once; what comes back after a stop.
func TestService(t *testing.T) {
	y := open(t, fleet.Fleet{
		Repositories: map[string]fleet.Repository{"web": {Images: []fleet.Image{{Tag: "v1.0.{1..3}"}}}},
		Services:     map[string]fleet.Service{"web": {Cluster: "prod", Image: "web:v1.0.1", Desired: 2}},
	})
	y.redeploy(t, "web", "web:v1.0.2")
	y.update(t, "web", &ecs.UpdateServiceInput{ForceNewDeployment: true}) // a revision of the same content
	y.redeploy(t, "web", "web:v1.0.3")
	y.update(t, "web", &ecs.UpdateServiceInput{DesiredCount: aws.Int32(0)})

	f := y.survey(t, survey.Options{RollbackTargets: 3})
	web := find(t, f, "web")
	if web.Desired != 0 || web.Running != 0 || len(web.Runs) != 1 {
		t.Fatalf("web is %+v", web)
	}
	digest := map[string]string{}
	for _, i := range f.Repositories[0].Images {
		digest[i.Tags[0]] = i.Digest
	}
	if got := web.Runs[0].Containers[0].Digest; got != digest["v1.0.3"] {
		t.Errorf("comes back as %s, want v1.0.3", got)
	}
	var before []string
	for _, r := range web.Before {
		before = append(before, r.Containers[0].Digest)
	}
	if diff := cmp.Diff([]string{digest["v1.0.2"], digest["v1.0.1"]}, before); diff != "" {
		t.Errorf("goes back to (-want +got)\n%s", diff)
	}
	if len(f.Definitions) != 3 {
		t.Errorf("%d task definitions, want 3", len(f.Definitions))
	}
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "hunter2") {
		t.Error("the value of an environment variable is in the fleet")
	}
}

// A survey makes the fewest calls that can tell all this.
func TestCalls(t *testing.T) {
	f := fleet.Fleet{
		Repositories: map[string]fleet.Repository{
			"web":    {Images: []fleet.Image{{Tag: "v1.0.{1..3}"}}, Lifecycle: []fleet.Rule{{Keep: 50}}},
			"multi":  {Images: []fleet.Image{{Tag: "v1.0.0", On: []string{"linux/amd64", "linux/arm64"}}}},
			"unused": {Images: []fleet.Image{{Tag: "v1.0.0"}}},
		},
		Services: map[string]fleet.Service{"multi": {Cluster: "stage", Image: "multi:v1.0.0", Desired: 1}},
	}
	const services = 43
	for i := range services {
		f.Services[fmt.Sprintf("web-%02d", i)] = fleet.Service{Cluster: "prod", Image: "web:v1.0.1", Desired: 3}
	}
	y := open(t, f)
	y.redeploy(t, "web-07", "web:v1.0.2")
	y.survey(t, survey.Options{RollbackTargets: 3})
	want := map[string]int{
		"sts:GetCallerIdentity": 1,
		"ecs:ListClusters":      1,
		"ecs:ListServices":      2,
		"ecs:DescribeServices":  5 + 1,
		"ecs:ListTasks":         2 + 1, // 129 tasks of one cluster, 1 of the other
		"ecs:DescribeTasks":     2 + 1,
		// Only one has run anything before what it runs now.
		"ecs:ListServiceDeployments":                      1,
		"ecs:DescribeServiceRevisions":                    3, // of 45 revisions
		"ecs:DescribeTaskDefinition":                      services + 2,
		"application-autoscaling:DescribeScalableTargets": 1,
		"health:DescribeEvents":                           1,
		"ecr:DescribeRepositories":                        1,
		"ecr:GetLifecyclePolicy":                          2,
		"ecr:DescribeImages":                              2,
		"ecr:BatchGetImage":                               1,
	}
	got := y.asked(t)
	for operation := range got {
		if service, _, _ := strings.Cut(operation, ":"); service == "events" || service == "scheduler" {
			delete(got, operation)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("calls (-least +made)\n%s", diff)
	}
}

// Of services that are named nothing else is read but what they start from.
func TestSomeServices(t *testing.T) {
	f := fleet.Fleet{Repositories: map[string]fleet.Repository{}, Services: map[string]fleet.Service{}}
	for _, name := range []string{"api", "web", "job"} {
		f.Repositories[name] = fleet.Repository{Images: []fleet.Image{{Tag: "v1.0.0"}}}
		f.Services[name] = fleet.Service{Cluster: "prod", Image: name + ":v1.0.0", Desired: 1}
	}
	y := open(t, f)
	got := y.survey(t, survey.Options{Services: []string{"prod/api", "prod/web", "prod/none", "none/none"}})
	if len(got.Services) != 2 || len(got.Repositories) != 2 || len(got.Tasks) != 0 || got.Services[0].Name != "api" || got.Services[0].Runs[0].Containers[0].Digest == "" {
		t.Errorf("%+v", got)
	}
	want := map[string]int{
		"sts:GetCallerIdentity": 1, "ecs:DescribeServices": 2, "ecs:DescribeServiceRevisions": 1, "ecs:DescribeTaskDefinition": 2,
		"ecr:DescribeRepositories": 1, "ecr:GetLifecyclePolicy": 2, "ecr:DescribeImages": 2,
	}
	if diff := cmp.Diff(want, y.asked(t)); diff != "" {
		t.Errorf("calls (-least +made)\n%s", diff)
	}
}

// Two surveys of what has not changed are the same, whichever answer came
// first, and so is one that was kept in a file.
func TestTheSameFleet(t *testing.T) {
	f := fleet.Fleet{Repositories: map[string]fleet.Repository{}, Services: map[string]fleet.Service{}}
	for i := range 12 {
		name := fmt.Sprintf("app-%d", i)
		f.Repositories[name] = fleet.Repository{Images: []fleet.Image{{Tag: "v{1..4}.0.0", On: []string{"linux/amd64", "linux/arm64"}}}}
		f.Services[name] = fleet.Service{Cluster: fmt.Sprint("c", i%3), Image: name + ":v4.0.0", Desired: 2}
	}
	y := open(t, f)
	at := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	o := survey.Options{RollbackTargets: 3, AllRepositories: true, Now: func() time.Time { return at }}
	y.survey(t, o) // which ECR notes as pulls of the indexes in use
	first := y.survey(t, o)
	for range 5 {
		if diff := cmp.Diff(first, y.survey(t, o)); diff != "" {
			t.Fatalf("another fleet (-first +again)\n%s", diff)
		}
	}
	for _, name := range []string{"fleet.json", "fleet.json.gz"} {
		name = t.TempDir() + "/" + name
		if err := survey.WriteFleet(name, first); err != nil {
			t.Fatal(err)
		}
		kept, err := survey.ReadFleet(name)
		if err != nil {
			t.Fatal(err)
		}
		again, _ := json.Marshal(kept)
		before, _ := json.Marshal(first)
		if string(again) != string(before) {
			t.Errorf("%s holds another fleet", name)
		}
	}
}

// When nobody waits any more, a survey ends and says so.
func TestInterrupted(t *testing.T) {
	y := open(t, fleet.Fleet{Clusters: []string{"prod"}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := survey.Survey(ctx, []survey.Spot{{AWS: y.reader}}, survey.Options{}); err == nil || ctx.Err() == nil {
		t.Errorf("error is %v", err)
	}
}

func TestUnknownCluster(t *testing.T) {
	y := open(t, fleet.Fleet{Clusters: []string{"prod"}})
	_, err := survey.Survey(t.Context(), []survey.Spot{{AWS: y.reader}}, survey.Options{Clusters: []string{"prod", "prdo"}})
	if err == nil || err.Error() != "there is no cluster prdo" {
		t.Errorf("error is %v", err)
	}
}
