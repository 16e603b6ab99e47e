package awsapi

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

func TestPlatforms(t *testing.T) {
	blob := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/config" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, `{"architecture":"arm64","os":"linux","variant":"v8","config":{"Env":["SECRET=hunter2"]}}`)
	}))
	defer blob.Close()
	manifest := func(text string) answer { return answer{200, fmt.Sprintf(`{"images":[{"imageManifest":%q}]}`, text)} }
	for _, c := range []struct {
		name    string
		answers []answer
		want    []string
		failed  string
	}{
		{
			"an index, with BuildKit's attestations",
			[]answer{manifest(`{"manifests":[{"platform":{"os":"linux","architecture":"amd64"}},{"platform":{"os":"linux","architecture":"arm64","variant":"v8"}},
				{"platform":{"os":"unknown","architecture":"unknown"},"annotations":{"vnd.docker.reference.type":"attestation-manifest"}}]}`)},
			[]string{"linux/amd64", "linux/arm64/v8"}, "",
		},
		{
			"one image",
			[]answer{manifest(`{"config":{"digest":"sha256:1"}}`), {200, `{"downloadUrl":"` + blob.URL + `/config?X-Amz-Signature=hunter2"}`}},
			[]string{"linux/arm64/v8"}, "",
		},
		{"no such image", []answer{{200, `{"images":[],"failures":[{"failureCode":"ImageNotFound"}]}`}}, nil, "does not exist"},
		{"no manifest", []answer{manifest("<html>")}, nil, "its manifest"},
		{
			"the config is gone",
			[]answer{manifest(`{"config":{"digest":"sha256:1"}}`), {200, `{"downloadUrl":"` + blob.URL + `/gone?X-Amz-Signature=hunter2"}`}},
			nil, "404",
		},
		{
			"the address leads nowhere",
			[]answer{manifest(`{"config":{"digest":"sha256:1"}}`), {200, `{"downloadUrl":"http://127.0.0.1:1/x?X-Amz-Signature=hunter2"}`}},
			nil, "its config",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWire(t, c.answers...)
			got, err := client(t, w).Platforms(t.Context(), image.Reference{Registry: strings.TrimPrefix(w.URL, "http://"), Repository: "web", Tag: "v1"})
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			switch {
			case (err != nil) != (c.failed != ""):
				t.Errorf("error %v", err)
			case err != nil && (!strings.Contains(err.Error(), c.failed) || strings.Contains(err.Error(), "hunter2")):
				t.Errorf("error %v, want …%s…", err, c.failed)
			}
		})
	}
}

func TestShelved(t *testing.T) {
	w := newWire(t,
		answer{200, `{"imageDetails":[{"imageDigest":"sha256:1","imageTags":["v1"],"imagePushedAt":1760000000}],"nextToken":"x"}`},
		answer{200, `{"imageDetails":[{"imageDigest":"sha256:2","imageStatus":"ARCHIVED"}]}`})
	images, whole, err := client(t, w).Shelved(t.Context(), image.Reference{Registry: "123456789012.dkr.ecr.us-east-2.amazonaws.com", Repository: "web", Tag: "v1"})
	if err != nil || !whole || len(images) != 2 || images[0].Tags[0] != "v1" || images[0].PushedAt.Unix() != 1760000000 || images[1].Status != "ARCHIVED" {
		t.Errorf("%+v, %t, %v", images, whole, err)
	}
	if auth := w.got[0].header.Get("Authorization"); !strings.Contains(auth, "/us-east-2/ecr/") {
		t.Errorf("signed for %s", auth)
	}
}

func TestLifecyclePolicyThatIsNotThere(t *testing.T) {
	w := newWire(t, answer{400, `{"__type":"LifecyclePolicyNotFoundException","message":"Lifecycle policy does not exist"}`})
	_, err := client(t, w).LifecyclePolicy(t.Context(), image.Reference{Registry: strings.TrimPrefix(w.URL, "http://"), Repository: "web"})
	if !errors.Is(err, deploy.NotFound) {
		t.Errorf("error %v", err)
	}
}

func TestSecretIsItsMetadata(t *testing.T) {
	w := newWire(t, answer{200, `{"Name":"prod/db","DeletedDate":1760000000,"VersionIdsToStages":{"a":["AWSPREVIOUS"],"b":["AWSCURRENT"]}}`})
	got, err := client(t, w).Secret(t.Context(), "arn:aws:secretsmanager:us-east-2:123456789012:secret:prod/db-AbCdEf")
	if err != nil || got.Name != "prod/db" || got.Deleted.Unix() != 1760000000 || !got.HasCurrent {
		t.Errorf("%+v, %v", got, err)
	}
	if w.got[0].operation != "DescribeSecret" || !strings.Contains(w.got[0].header.Get("Authorization"), "/us-east-2/") {
		t.Errorf("sent %+v", w.got[0])
	}
}

func TestParameterByNameAndARN(t *testing.T) {
	for name, want := range map[string][]string{
		"/prod/token": {"/prod/token"},
		"token":       {"token"},
		"arn:aws:ssm:eu-west-1:123456789012:parameter/prod/token": {"/prod/token"},
		"arn:aws:ssm:eu-west-1:123456789012:parameter/token":      {"token", "/token"},
	} {
		if got := parameterNames(name); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	w := newWire(t, answer{200, `{"Parameters":[]}`})
	if there, err := client(t, w).Parameter(t.Context(), "/prod/token"); there || err != nil || w.got[0].operation != "DescribeParameters" {
		t.Errorf("%t, %v, %s", there, err, w.got[0].operation)
	}
}

func TestTrustPolicyIsDecoded(t *testing.T) {
	w := newWire(t, answer{200, `<GetRoleResponse><GetRoleResult><Role><AssumeRolePolicyDocument>%7B%22Statement%22%3A%5B%5D%7D</AssumeRolePolicyDocument></Role></GetRoleResult></GetRoleResponse>`})
	got, err := client(t, w).TrustPolicy(t.Context(), "arn:aws:iam::123456789012:role/path/exec")
	if err != nil || string(got) != `{"Statement":[]}` {
		t.Errorf("%s, %v", got, err)
	}
	if !strings.Contains(w.got[0].body, "RoleName=exec") {
		t.Errorf("sent %s", w.got[0].body)
	}
	w = newWire(t, answer{404, `<ErrorResponse><Error><Code>NoSuchEntity</Code><Message>no role</Message></Error></ErrorResponse>`})
	if _, err := client(t, w).TrustPolicy(t.Context(), "exec"); !errors.Is(err, deploy.NotFound) {
		t.Errorf("error %v", err)
	}
	w = newWire(t, answer{403, `<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>`})
	_, err = client(t, w).TrustPolicy(t.Context(), "exec")
	if e, ok := errors.AsType[*Error](err); !ok || e.Action != "iam:GetRole" || !errors.Is(err, deploy.Denied) {
		t.Errorf("error %v", err)
	}
}

func TestTargets(t *testing.T) {
	const arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/0123"
	w := newWire(t, answer{200, `<DescribeTargetGroupsResponse><DescribeTargetGroupsResult><TargetGroups><member><TargetGroupName>web</TargetGroupName>
		<HealthCheckProtocol>HTTP</HealthCheckProtocol><HealthCheckPort>traffic-port</HealthCheckPort><HealthCheckPath>/health</HealthCheckPath><Matcher><HttpCode>200</HttpCode></Matcher></member></TargetGroups></DescribeTargetGroupsResult></DescribeTargetGroupsResponse>`},
		answer{200, `<DescribeTargetHealthResponse><DescribeTargetHealthResult><TargetHealthDescriptions><member><Target><Id>10.0.1.5</Id><Port>8080</Port></Target>
		<TargetHealth><State>unhealthy</State><Reason>Target.ResponseCodeMismatch</Reason><Description>Health checks failed with these codes: [500]</Description></TargetHealth></member></TargetHealthDescriptions></DescribeTargetHealthResult></DescribeTargetHealthResponse>`})
	c := client(t, w)
	group, err := c.TargetGroup(t.Context(), arn)
	if diff := cmp.Diff(deploy.TargetGroup{Name: "web", Protocol: "HTTP", Port: "traffic-port", Path: "/health", Matcher: "200"}, group); diff != "" || err != nil {
		t.Error(diff, err)
	}
	targets, err := c.Targets(t.Context(), arn)
	want := []deploy.TargetState{{ID: "10.0.1.5", Port: 8080, State: "unhealthy", Reason: "Target.ResponseCodeMismatch", Description: "Health checks failed with these codes: [500]"}}
	if diff := cmp.Diff(want, targets); diff != "" || err != nil {
		t.Error(diff, err)
	}
}
