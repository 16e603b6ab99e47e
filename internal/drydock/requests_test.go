package drydock

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/plainbody"
)

func control[Out any](t *testing.T, s *Server, method, path, body string) (status int, out Out) {
	t.Helper()
	status, text := exchange(t, method, s.Endpoint()+"/_drydock/"+path, body, map[string]string{"Content-Type": "application/json"})
	if status == http.StatusOK {
		if err := json.Unmarshal([]byte(text), &out); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	return status, out
}

func requestsOf(t *testing.T, s *Server, query string) []Request {
	t.Helper()
	status, answer := control[Requests](t, s, http.MethodGet, "requests"+query, "")
	if status != http.StatusOK {
		t.Fatalf("requests%s: %d", query, status)
	}
	return answer.Requests
}

func configOf(s *Server) aws.Config {
	return aws.Config{
		APIOptions: []func(*middleware.Stack) error{plainbody.Add},
		Region:     DefaultRegion, BaseEndpoint: aws.String(s.Endpoint()), Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "x", ""),
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	}
}

// Whatever a client asks of AWS's part is logged with the action that allows
// it, who asked, and what became of it.
func TestRequestsAreLogged(t *testing.T) {
	s := inMemory(t)
	config, before := configOf(s), time.Now()
	if _, err := ecs.NewFromConfig(config).ListClusters(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	_, refused := ecs.NewFromConfig(config).DescribeServices(t.Context(), &ecs.DescribeServicesInput{Services: []string{"a"}, Cluster: aws.String("nope")})
	_, missing := ecr.NewFromConfig(config).DescribeImages(t.Context(), &ecr.DescribeImagesInput{RepositoryName: aws.String("nope")})
	if refused == nil || missing == nil {
		t.Fatal("nothing is there, and found")
	}
	if _, err := sts.NewFromConfig(config).GetCallerIdentity(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := cloudwatchlogs.NewFromConfig(config).DescribeLogGroups(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	exchange(t, http.MethodPut, s.Endpoint()+"/v2/web/manifests/v1", "{}", nil)
	exchange(t, http.MethodPost, s.Endpoint(), "", map[string]string{"X-Amz-Target": "AmazonEC2ContainerServiceV20141113.CreateCluster"})
	exchange(t, http.MethodGet, s.Endpoint()+"/", "", nil)
	exchange(t, http.MethodGet, s.Endpoint()+"/", "", map[string]string{"Host": "evil.example"}) // was not for us

	got := requestsOf(t, s, "")
	for i := range got {
		if r := got[i]; r.Time.Before(before.Add(-time.Second)) || r.Time.After(time.Now()) || r.Millis <= 0 {
			t.Errorf("%+v: when, and how long?", r)
		}
		got[i].Time, got[i].Millis = time.Time{}, 0
	}
	const key, administrator = "AKIDEXAMPLE", "arn:aws:iam::123456789012:user/drydock"
	want := []Request{
		{Number: 1, Service: "ecs", Operation: "ListClusters", Action: "ecs:ListClusters", AccessKey: key, Principal: administrator, Status: 200},
		{Number: 2, Service: "ecs", Operation: "DescribeServices", Action: "ecs:DescribeServices", AccessKey: key, Principal: administrator, Status: 400, Error: "ClusterNotFoundException"},
		{Number: 3, Service: "ecr", Operation: "DescribeImages", Action: "ecr:DescribeImages", AccessKey: key, Principal: administrator, Status: 400, Error: "RepositoryNotFoundException"},
		{Number: 4, Service: "sts", Operation: "GetCallerIdentity", AccessKey: key, Principal: administrator, Status: 200},
		{Number: 5, Service: "logs", Operation: "DescribeLogGroups", Action: "logs:DescribeLogGroups", AccessKey: key, Principal: administrator, Status: 200},
		{Number: 6, Service: "registry", Operation: "PutManifest", Action: "ecr:PutImage", Status: 401, Error: "UNAUTHORIZED"},
		{Number: 7, Service: "ecs", Operation: "CreateCluster", Action: "ecs:CreateCluster", Status: 403, Error: "MissingAuthenticationTokenException"},
		{Number: 8, Status: 400, Error: "UnknownOperationException"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := requestsOf(t, s, "?after=6"); len(got) != 2 || got[0].Number != 7 {
		t.Errorf("after 6: %+v", got)
	}
	if got := requestsOf(t, s, "?limit=3"); len(got) != 3 || got[0].Number != 6 {
		t.Errorf("the last 3: %+v", got)
	}
	for _, query := range []string{"?after=x", "?limit=-1", "?after=99999999999999999999"} {
		if status, _ := control[Requests](t, s, http.MethodGet, "requests"+query, ""); status != http.StatusBadRequest {
			t.Errorf("%s: %d", query, status)
		}
	}
}

func TestRegistryActions(t *testing.T) {
	for request, want := range map[string]string{
		"GET /v2/":                         "registry:Ping ",
		"GET /v2/web/manifests/v1":         "registry:GetManifest ecr:BatchGetImage",
		"HEAD /v2/a/b/manifests/sha256:0":  "registry:HeadManifest ecr:BatchGetImage",
		"PUT /v2/web/manifests/v1":         "registry:PutManifest ecr:PutImage",
		"DELETE /v2/web/manifests/v1":      "registry:DeleteManifest ecr:BatchDeleteImage",
		"GET /v2/web/blobs/sha256:0":       "registry:GetBlob ecr:GetDownloadUrlForLayer",
		"HEAD /v2/web/blobs/sha256:0":      "registry:HeadBlob ecr:BatchCheckLayerAvailability",
		"POST /v2/web/blobs/uploads/":      "registry:StartUpload ecr:InitiateLayerUpload",
		"PATCH /v2/web/blobs/uploads/1":    "registry:UploadPart ecr:UploadLayerPart",
		"PUT /v2/web/blobs/uploads/1":      "registry:CompleteUpload ecr:CompleteLayerUpload",
		"GET /v2/web/tags/list":            "registry:ListTags ecr:ListImages",
		"GET /v2/_catalog":                 "registry:ListRepositories ecr:DescribeRepositories",
		"GET /v2/web/referrers/sha256:0":   "registry:ListReferrers ecr:BatchGetImage",
		"GET /v2/manifests/manifests/tags": "registry:GetManifest ecr:BatchGetImage",
	} {
		method, path, _ := strings.Cut(request, " ")
		c := identify(httptest.NewRequest(method, path, nil))
		if got := c.Service + ":" + c.Operation + " " + c.Action; got != want {
			t.Errorf("%s is %s, want %s", request, got, want)
		}
	}
}

func TestActionsThatAreNotNamedAsTheOperation(t *testing.T) {
	for operation, want := range map[string]string{
		"ecr:ListImageReferrers": "ecr:BatchGetImage", "sts:GetCallerIdentity": "", "sts:AssumeRole": "sts:AssumeRole", "sts:AssumeRoleWithWebIdentity": "",
		":ListClusters": "", "ecs:": "", "ecs:UpdateService": "ecs:UpdateService",
	} {
		service, name, _ := strings.Cut(operation, ":")
		if got := actionOf(service, name); got != want {
			t.Errorf("%s: %q, want %q", operation, got, want)
		}
	}
}

// The names in the log are the client's; they cannot make it grow.
func TestNamesAreShort(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	long := strings.Repeat("x", 10_000)
	r.Header.Set("X-Amz-Target", "Logs_20140328."+long)
	r.Header.Set("Authorization", "Credential="+long+"/20261121/r/logs/aws4_request")
	if c := identify(r); len(c.Operation) != longestName || len(c.AccessKey) != longestName || len(c.Action) > 2*longestName {
		t.Errorf("%+v", c)
	}
	query := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("Action="+long))
	if c := identify(query); len(c.Operation) != longestName {
		t.Errorf("%+v", c)
	}
}

// Reading a Query request's operation leaves its body as it was.
func TestQueryBodyIsPutBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := "Action=X&B=" + rapid.StringOfN(rapid.RuneFrom([]rune("ab&=%")), 0, 10_000, -1).Draw(t, "body")
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		c := identify(r)
		var read strings.Builder
		if _, err := io.Copy(&read, r.Body); err != nil || read.String() != body || c.Operation != "X" {
			t.Fatalf("%d of %d bytes, operation %q, %v", read.Len(), len(body), c.Operation, err)
		}
	})
}

// The log is as a list of which only the end is kept.
func TestRequestLogKeepsTheLast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 8).Draw(t, "size")
		l := newRequestLog(time.Now, size)
		var all []int64
		for range rapid.IntRange(0, 30).Draw(t, "requests") {
			l.add(Request{})
			all = append(all, int64(len(all)+1))
		}
		after := rapid.Int64Range(0, 40).Draw(t, "after")
		limit := rapid.IntRange(0, 40).Draw(t, "limit")
		want := all[max(0, len(all)-size):]
		want = slices.DeleteFunc(slices.Clone(want), func(n int64) bool { return n <= after })
		want = want[max(0, len(want)-limit):]
		got := []int64{}
		for _, r := range l.since(after, limit) {
			got = append(got, r.Number)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
	})
}
