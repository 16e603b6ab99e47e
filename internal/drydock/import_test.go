package drydock

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/account"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/behaviour"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/client"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/fleet"
)

// still is a drydock whose calendar only the test moves.
func still(t *testing.T, o Options) (*Server, *client.Client) {
	t.Helper()
	o.Runtime, o.Clock = Simulated, clock.Manual(time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC))
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	region := o.Region
	if region == "" {
		region = DefaultRegion
	}
	return s, client.New(s.Endpoint(), region, nil)
}

// describe is an account as the API describes it, one document a call.
func describe(t *testing.T, c *client.Client, services, families []string) []account.Document {
	t.Helper()
	var out []account.Document
	call := func(service, operation string, input map[string]any) map[string]any {
		answer, err := c.Call(t.Context(), service, operation, input)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(answer)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, account.Document{Name: operation, Content: raw})
		return answer.(map[string]any)
	}
	call("ecs", "DescribeClusters", map[string]any{"clusters": []string{"prod"}})
	call("ecs", "DescribeServices", map[string]any{"cluster": "prod", "services": services, "include": []string{"TAGS"}})
	for _, family := range families {
		call("ecs", "DescribeTaskDefinition", map[string]any{"taskDefinition": family, "include": []string{"TAGS"}})
	}
	tasks, err := c.ECS.ListTasks(t.Context(), &ecs.ListTasksInput{Cluster: aws.String("prod")})
	if err != nil {
		t.Fatal(err)
	}
	call("ecs", "DescribeTasks", map[string]any{"cluster": "prod", "tasks": tasks.TaskArns})
	call("ecr", "DescribeRepositories", nil)
	call("ecr", "DescribeImages", map[string]any{"repositoryName": "app"})
	call("ecr", "GetLifecyclePolicy", map[string]any{"repositoryName": "app"})
	return out
}

// outcome is what a fleet comes to, ids aside: what runs by which digest, and
// the images that are left.
func outcome(t *testing.T, c *client.Client) []string {
	t.Helper()
	var out []string
	tasks, err := c.ECS.ListTasks(t.Context(), &ecs.ListTasksInput{Cluster: aws.String("prod")})
	if err != nil {
		t.Fatal(err)
	}
	if len(tasks.TaskArns) > 0 {
		shown, err := c.ECS.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Cluster: aws.String("prod"), Tasks: tasks.TaskArns})
		if err != nil {
			t.Fatal(err)
		}
		for _, task := range shown.Tasks {
			out = append(out, fmt.Sprint(*task.Group, *task.LastStatus, (*task.TaskDefinitionArn)[strings.LastIndexByte(*task.TaskDefinitionArn, '/'):], aws.ToString(task.Containers[0].ImageDigest)))
		}
	}
	images, err := c.ECR.DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: aws.String("app")})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range images.ImageDetails {
		out = append(out, fmt.Sprint(*i.ImageDigest, i.ImageTags, i.ImagePushedAt.Unix(), *i.ImageSizeInBytes))
	}
	slices.Sort(out)
	return out
}

// A fleet that is described and imported elsewhere runs the same services by
// the same digests, and its lifecycle policy takes the same images; so it does
// once more.
func TestImportRoundTrip(t *testing.T) {
	first, there := still(t, Options{})
	_, err := fleet.Planter{Client: there, Registry: first.Addr}.Plant(t.Context(), fleet.Fleet{
		Repositories: map[string]fleet.Repository{"app": {Mutability: "IMMUTABLE", Images: []fleet.Image{{Tag: "v1.0.{0..4}"}}, Lifecycle: []fleet.Rule{{Keep: 3, Prefix: []string{"v"}}}}},
		Services: map[string]fleet.Service{
			"old": {Cluster: "prod", Image: "app:v1.0.0", Desired: 2, Breaker: "rollback"},
			"new": {Cluster: "prod", Image: "app:v1.0.4", Desired: 1},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	clients := []*client.Client{there}
	servers := []*Server{first}
	if err := first.Advance(time.Hour); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		next, c := still(t, Options{Account: "999999999999", Region: "eu-west-1"})
		done, err := next.Import(describe(t, clients[i], []string{"old", "new"}, []string{"old", "new"}))
		if err != nil {
			t.Fatal(err)
		}
		if len(done.Services) != 2 || done.Images != 5 || done.TaskDefinitions != 2 {
			t.Errorf("%+v", done)
		}
		if err := next.Advance(time.Hour); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(outcome(t, clients[i]), outcome(t, c)); diff != "" {
			t.Fatalf("import %d:\n%s", i+1, diff)
		}
		clients, servers = append(clients, c), append(servers, next)
	}
	for _, s := range servers {
		if err := s.Advance(25 * time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	want := outcome(t, clients[0])
	if len(want) != 3+3 {
		t.Errorf("3 tasks and 3 images are to be left: %v", want)
	}
	for _, c := range clients[1:] {
		if diff := cmp.Diff(want, outcome(t, c)); diff != "" {
			t.Errorf("after the lifecycle policy:\n%s", diff)
		}
	}
}

// A task that runs although its image is gone is imported as one that runs; its
// restart fails as it would there.
func TestImportOfWhatCannotRestart(t *testing.T) {
	first, there := still(t, Options{})
	_, err := fleet.Planter{Client: there, Registry: first.Addr}.Plant(t.Context(), fleet.Fleet{
		Repositories: map[string]fleet.Repository{"app": {Images: []fleet.Image{{Tag: "v1"}}, Lifecycle: []fleet.Rule{{Keep: 1}}}},
		Services:     map[string]fleet.Service{"web": {Cluster: "prod", Image: "app:v1", Desired: 2}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Advance(time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := there.ECR.BatchDeleteImage(t.Context(), &ecr.BatchDeleteImageInput{RepositoryName: aws.String("app"), ImageIds: []ecrtypes.ImageIdentifier{{ImageTag: aws.String("v1")}}}); err != nil {
		t.Fatal(err)
	}
	next, c := still(t, Options{})
	done, err := next.Import(describe(t, there, []string{"web"}, []string{"web"}))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(done.Notes, func(n string) bool { return strings.Contains(n, "no other one can start") }) {
		t.Errorf("notes %q", done.Notes)
	}
	running := func() int32 {
		t.Helper()
		if err := next.Advance(time.Hour); err != nil {
			t.Fatal(err)
		}
		out, err := c.ECS.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: aws.String("prod"), Services: []string{"web"}})
		if err != nil {
			t.Fatal(err)
		}
		return out.Services[0].RunningCount
	}
	if got := running(); got != 2 {
		t.Errorf("%d tasks run, want the 2 that ran there", got)
	}
	tasks, err := c.ECS.ListTasks(t.Context(), &ecs.ListTasksInput{Cluster: aws.String("prod")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.ECS.StopTask(t.Context(), &ecs.StopTaskInput{Cluster: aws.String("prod"), Task: &tasks.TaskArns[0]}); err != nil {
		t.Fatal(err)
	}
	if got := running(); got != 1 {
		t.Errorf("%d tasks run, want 1: the other has no image to start again from", got)
	}
}

// What is wrong with an export is listed as a whole, and nothing is imported.
func TestImportIsAllOrNothing(t *testing.T) {
	s, c := still(t, Options{})
	body := `{"documents":[
	  {"name":"a.json","content":{"format":1,
	    "clusters":[{"clusterName":"prod","clusterArn":"arn:aws:ecs:us-east-1:111111111111:cluster/prod","status":"ACTIVE"}],
	    "services":[{"serviceName":"web","serviceArn":"arn:aws:ecs:us-east-1:111111111111:service/prod/web","clusterArn":"arn:aws:ecs:us-east-1:111111111111:cluster/prod","desiredCount":1,"taskDefinition":"arn:aws:ecs:us-east-1:111111111111:task-definition/web:7"}],
	    "taskDefinitions":[{"taskDefinition":{"family":"api","revision":3,"containerDefinitions":[]}}],
	    "repositories":[{"repository":{"repositoryName":"app","imageTagMutability":"SOMETIMES"},"lifecyclePolicyText":"{}","images":[{"imageDigest":"sha256:x","imageTags":["a"]}]}]}}
	]}`
	status, text := exchange(t, http.MethodPost, s.Endpoint()+"/_drydock/import", body, map[string]string{"Content-Type": "application/json"})
	for _, want := range []string{"task-definition", "api:3", "app", "sha256:x", "lifecycle policy", "web:7"} {
		if status != http.StatusBadRequest || want != "task-definition" && !strings.Contains(text, want) {
			t.Errorf("%d %s: nothing of %s", status, text, want)
		}
	}
	clusters, err := c.ECS.ListClusters(t.Context(), nil)
	if err != nil || len(clusters.ClusterArns) != 0 {
		t.Errorf("%v, %v", clusters, err)
	}
	for _, body := range []string{``, `{}`, `[]`, `{"documents":[]}`, `{"documents":[{"content":1}]}`, `{"documents":[{"name":"x","content":{}}]}`,
		`{"documents":[{"content":{"format":2,"clusters":[]}}]}`, `{"documents":[{"content":{"services":{}}}]}`, `{"documents":[{"content":{"taskDefinitions":["arn"]}}]}`,
		`{"documents":[{"content":{"imageDetails":[{"repositoryName":"nope"}]}}]}`, `{"documents":[{"content":{"clusters":[{"clusterName":"a b"}]}}]}`} {
		if status, text := exchange(t, http.MethodPost, s.Endpoint()+"/_drydock/import", body, map[string]string{"Content-Type": "application/json"}); status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", body, status, text)
		}
	}
}

// An imported image can get another tag, and keeps its digest with it.
func TestImportedImageIsRetagged(t *testing.T) {
	s, c := still(t, Options{})
	digest := "sha256:" + strings.Repeat("ab", 32)
	_, err := s.Import([]account.Document{
		{Name: "r", Content: json.RawMessage(`{"repositories":[{"repositoryName":"app"}]}`)},
		{Name: "i", Content: json.RawMessage(`{"imageDetails":[{"repositoryName":"app","imageDigest":"` + digest + `","imageTags":["v1"],"imagePushedAt":"2025-12-01T10:00:00+09:00","imageSizeInBytes":123}]}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.ECR.BatchGetImage(t.Context(), &ecr.BatchGetImageInput{RepositoryName: aws.String("app"), ImageIds: []ecrtypes.ImageIdentifier{{ImageTag: aws.String("v1")}}})
	if err != nil || len(got.Images) != 1 {
		t.Fatal(got, err)
	}
	put, err := c.ECR.PutImage(t.Context(), &ecr.PutImageInput{RepositoryName: aws.String("app"), ImageTag: aws.String("pin"), ImageManifest: got.Images[0].ImageManifest, ImageDigest: &digest})
	if err != nil || *put.Image.ImageId.ImageDigest != digest {
		t.Errorf("%v, %v", put, err)
	}
	images, err := c.ECR.DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: aws.String("app")})
	if err != nil || len(images.ImageDetails) != 1 || len(images.ImageDetails[0].ImageTags) != 2 || *images.ImageDetails[0].ImageSizeInBytes != 123 ||
		!images.ImageDetails[0].ImagePushedAt.Equal(time.Date(2025, time.December, 1, 1, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v, %v", images, err)
	}
}

// A behaviour goes over the labels of an image from the next task on, and ends
// when it is taken away; it survives with the data.
func TestBehaviours(t *testing.T) {
	data := t.TempDir()
	s, err := Start(t.Context(), Options{Runtime: Simulated, Data: data})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{``, `{}`, `{"image":"app"}`, `{"image":"app","labels":{"exit-cod":"1"}}`, `{"image":"app","labels":{"exit-code":"300"}}`, `{"image":"a b","labels":{"exit-code":"1"}}`} {
		if status, _ := control[Behaviours](t, s, http.MethodPost, "behaviours", bad); status != http.StatusBadRequest {
			t.Errorf("%s: %d", bad, status)
		}
	}
	for _, good := range []string{`{"image":"app:v1*","labels":{"exit-code":"1"}}`, `{"image":"app","labels":{"log":"x"}}`, `{"image":"app:v1*","labels":{"exit-code":"2"}}`} {
		if status, _ := control[Behaviours](t, s, http.MethodPost, "behaviours", good); status != http.StatusOK {
			t.Errorf("%s: %d", good, status)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Start(t.Context(), Options{Runtime: Simulated, Data: data}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	want := []behaviour.Behaviour{{Image: "app", Labels: map[string]string{"log": "x"}}, {Image: "app:v1*", Labels: map[string]string{"exit-code": "2"}}}
	if _, got := control[Behaviours](t, s, http.MethodGet, "behaviours", ""); !cmp.Equal(got.Behaviours, want) {
		t.Error(cmp.Diff(want, got.Behaviours))
	}
	if status, _ := control[Behaviours](t, s, http.MethodDelete, "behaviours?image=nope", ""); status != http.StatusNotFound {
		t.Error(status)
	}
	if _, got := control[Behaviours](t, s, http.MethodDelete, "behaviours", ""); len(got.Behaviours) != 0 {
		t.Error(got)
	}
}
