package drydock

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// dump is what GET state answers.
func dump(t *testing.T, s *Server) []byte {
	t.Helper()
	answer, err := http.Get(s.Endpoint() + "/_drydock/state")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	doc, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s %s %v", answer.Status, doc, err)
	}
	return doc
}

// The state is what the API answers, all of it, in one order.
func TestStateIsWhatTheAPIAnswers(t *testing.T) {
	s, operations := quay(t)
	call := func(op, body string) json.RawMessage {
		t.Helper()
		out, err := operations[op](t.Context(), wire.Call{Body: []byte(body)})
		if err != nil {
			t.Fatalf("%s: %v", op, err)
		}
		doc, err := wire.Encode(out)
		if err != nil {
			t.Fatal(err)
		}
		return doc
	}
	call("ECS.TagResource", `{"resourceArn":"arn:aws:ecs:ap-northeast-1:123456789012:service/prod/api","tags":[{"key":"team","value":"red"}]}`)
	call("ECR.PutLifecyclePolicy", `{"repositoryName":"web","lifecyclePolicyText":"{\"rules\":[{\"rulePriority\":1,\"selection\":{\"tagStatus\":\"any\",\"countType\":\"imageCountMoreThan\",\"countNumber\":3},\"action\":{\"type\":\"expire\"}}]}"}`)
	call("CloudWatch Logs.CreateLogGroup", `{"logGroupName":"/ecs/web"}`)
	for range 120 { // more than a page of anything
		call("ECS.RegisterTaskDefinition", definition)
		call("ECR.PutImage", `{"repositoryName":"web","imageTag":"t`+time.Now().Format("150405.000000000")+`","imageManifest":`+manifest(t, time.Now().String())+`}`)
	}
	call("ECS.DeregisterTaskDefinition", `{"taskDefinition":"web:3"}`)
	if err := s.Advance(time.Minute); err != nil {
		t.Fatal(err)
	}

	first := dump(t, s)
	if !bytes.Equal(first, dump(t, s)) {
		t.Error("two dumps without a change between them differ")
	}
	var doc map[string]json.RawMessage
	if err := json.Unmarshal(first, &doc); err != nil {
		t.Fatal(err)
	}
	if got := string(doc["format"]) + string(doc["now"]) + string(doc["account"]); got != `11795251660"123456789012"` {
		t.Errorf("it begins with %s", got)
	}
	list := func(name string) []json.RawMessage {
		t.Helper()
		var items []json.RawMessage
		if err := json.Unmarshal(doc[name], &items); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return items
	}
	var described struct{ Services []json.RawMessage }
	if err := json.Unmarshal(call("ECS.DescribeServices", `{"cluster":"prod","services":["api"],"include":["TAGS"]}`), &described); err != nil {
		t.Fatal(err)
	}
	if got := list("services"); len(got) != 1 || !bytes.Equal(got[0], described.Services[0]) || !bytes.Contains(got[0], []byte(`"team"`)) {
		t.Errorf("services are %s, the API has %s", got, described.Services)
	}
	if got := list("taskDefinitions"); len(got) != 121 || !bytes.Contains(got[120], []byte(`"revision":3,`)) || !bytes.Contains(got[120], []byte("INACTIVE")) {
		t.Errorf("%d task definitions, the last is %s", len(got), got[len(got)-1])
	}
	for name, want := range map[string]int{"clusters": 1, "serviceDeployments": 1, "serviceRevisions": 1, "logGroups": 1, "healthEvents": 0} {
		if got := list(name); len(got) != want {
			t.Errorf("%d %s, want %d", len(got), name, want)
		}
	}
	if got := list("tasks"); len(got) == 0 {
		t.Error("no task")
	}
	var repository struct {
		Repository          struct{ RepositoryName string }
		LifecyclePolicyText string
		Images              []struct{ ImageDigest string }
	}
	if err := json.Unmarshal(list("repositories")[0], &repository); err != nil {
		t.Fatal(err)
	}
	if repository.Repository.RepositoryName != "web" || repository.LifecyclePolicyText == "" || len(repository.Images) != 120 {
		t.Errorf("the repository is %s with %d images and the policy %q", repository.Repository.RepositoryName, len(repository.Images), repository.LifecyclePolicyText)
	}
}

// manifest is an index without children, as a JSON string: it needs no layer.
func manifest(t *testing.T, unlike string) string {
	t.Helper()
	inner, err := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []any{}, "annotations": map[string]string{"unlike": unlike},
	})
	if err != nil {
		t.Fatal(err)
	}
	doc, err := json.Marshal(string(inner))
	if err != nil {
		t.Fatal(err)
	}
	return string(doc)
}

// The sections are in the order that the documentation has.
func TestStateHasItsOrder(t *testing.T) {
	s, _ := quay(t)
	d := json.NewDecoder(bytes.NewReader(dump(t, s)))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	var names []string
	for d.More() {
		name, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		var skipped json.RawMessage
		if err := d.Decode(&skipped); err != nil {
			t.Fatal(err)
		}
		names = append(names, name.(string))
	}
	want := []string{"format", "now", "account", "region", "clusters", "taskDefinitions", "services", "serviceDeployments", "serviceRevisions", "tasks", "containerInstances", "loadBalancers", "listeners", "targetGroups", "scalableTargets", "scalingPolicies", "scheduledActions", "repositories", "logGroups", "eventBuses", "eventRules", "schedules", "queues", "topics", "subscriptions", "healthEvents"}
	if !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
}
