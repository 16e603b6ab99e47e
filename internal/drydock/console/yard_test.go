package console_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/plainbody"
)

// yard is a drydock whose time a test turns by hand.
type yard struct {
	*drydock.Server
	t *testing.T
}

func newYard(t *testing.T) yard {
	t.Helper()
	s, err := drydock.Start(t.Context(), drydock.Options{
		Runtime: drydock.Simulated, Clock: clock.Manual(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return yard{s, t}
}

// call sends a call to AWS's part, as any client does.
func (y yard) call(target, body string) {
	y.t.Helper()
	request, err := http.NewRequestWithContext(y.t.Context(), http.MethodPost, y.Endpoint(), bytes.NewReader([]byte(body)))
	if err != nil {
		y.t.Fatal(err)
	}
	request.Header.Set("X-Amz-Target", target)
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=drydock/20261121/ap-northeast-1/x/aws4_request, SignedHeaders=host, Signature=0")
	y.send(request)
}

func (y yard) send(request *http.Request) string {
	y.t.Helper()
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		y.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		y.t.Fatalf("%s: %s %s %v", request.Header.Get("X-Amz-Target"), answer.Status, text, err)
	}
	return string(text)
}

func (y yard) get(path string) string {
	y.t.Helper()
	request, err := http.NewRequestWithContext(y.t.Context(), http.MethodGet, y.Endpoint()+path, nil)
	if err != nil {
		y.t.Fatal(err)
	}
	return y.send(request)
}

func (y yard) control(path, body string) {
	y.t.Helper()
	request, err := http.NewRequestWithContext(y.t.Context(), http.MethodPost, y.Endpoint()+"/_drydock/"+path, bytes.NewReader([]byte(body)))
	if err != nil {
		y.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	y.send(request)
}

func (y yard) ecs(operation, format string, args ...any) {
	y.t.Helper()
	y.call("AmazonEC2ContainerServiceV20141113."+operation, fmt.Sprintf(format, args...))
}

func (y yard) ecr(operation, format string, args ...any) {
	y.t.Helper()
	y.call("AmazonEC2ContainerRegistry_V20150921."+operation, fmt.Sprintf(format, args...))
}

func (y yard) advance(d time.Duration) {
	y.t.Helper()
	if err := y.Advance(d); err != nil {
		y.t.Fatal(err)
	}
}

// token is a docker login.
func (y yard) token() string {
	y.t.Helper()
	out, err := ecr.New(ecr.Options{
		APIOptions: []func(*middleware.Stack) error{plainbody.Add}, Region: drydock.DefaultRegion, BaseEndpoint: aws.String(y.Endpoint()),
		Credentials: credentials.NewStaticCredentialsProvider("drydock", "drydock", ""),
	}).GetAuthorizationToken(y.t.Context(), nil)
	if err != nil {
		y.t.Fatal(err)
	}
	login, err := base64.StdEncoding.DecodeString(*out.AuthorizationData[0].AuthorizationToken)
	if err != nil {
		y.t.Fatal(err)
	}
	return strings.TrimPrefix(string(login), "AWS:")
}

// push pushes an image of some layers, with labels for the runtime.
func (y yard) push(repository, tag string, layers int64, labels map[string]string) {
	y.t.Helper()
	ref, err := name.ParseReference(y.Addr+"/"+repository+":"+tag, name.Insecure)
	if err != nil {
		y.t.Fatal(err)
	}
	config := map[string]string{"made": tag + time.Now().String(), "plimsoll.drydock.health": "healthy"}
	for k, v := range labels {
		config["plimsoll.drydock."+k] = v
	}
	image, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{
		OS: "linux", Architecture: "amd64", RootFS: v1.RootFS{Type: "layers"}, Config: v1.Config{Labels: config},
	})
	if err != nil {
		y.t.Fatal(err)
	}
	if layers > 0 {
		layer, err := random.Layer(layers, "application/vnd.docker.image.rootfs.diff.tar.gzip")
		if err != nil {
			y.t.Fatal(err)
		}
		if image, err = mutate.AppendLayers(image, layer); err != nil {
			y.t.Fatal(err)
		}
	}
	if err := remote.Write(ref, image, remote.WithAuth(&authn.Basic{Username: "AWS", Password: y.token()}), remote.WithContext(y.t.Context())); err != nil {
		y.t.Fatal(err)
	}
}

// define registers a task definition of one container.
func (y yard) define(family, image string) {
	y.t.Helper()
	y.ecs("RegisterTaskDefinition", `{"family":%q,"networkMode":"awsvpc","cpu":"256","memory":"512","requiresCompatibilities":["FARGATE"],
		"containerDefinitions":[{"name":"app","image":%q,"healthCheck":{"command":["CMD","true"]}}]}`, family, y.Addr+"/"+image)
}

const network = `"launchType":"FARGATE","networkConfiguration":{"awsvpcConfiguration":{"subnets":["subnet-a"]}},
	"deploymentConfiguration":{"minimumHealthyPercent":100,"maximumPercent":200,"deploymentCircuitBreaker":{"enable":true,"rollback":false}}`

func (y yard) serve(cluster, service, family string, count int) {
	y.t.Helper()
	y.ecs("CreateService", `{"cluster":%q,"serviceName":%q,"taskDefinition":%q,"desiredCount":%d,%s}`, cluster, service, family, count, network)
}

// busy is a yard in which much goes on: a rollout under way, one that has
// failed, a service that rests, images that a policy is about to take, a
// retirement and a fault.
func busy(t *testing.T) yard {
	t.Helper()
	y := newYard(t)
	y.ecs("CreateCluster", `{"clusterName":"prod"}`)
	for _, repository := range []string{"shop/web", "shop/worker"} {
		y.ecr("CreateRepository", `{"repositoryName":%q}`, repository)
	}
	y.push("shop/web", "v1.3.0", 9_400_000, nil)
	y.push("shop/worker", "v0.8.1", 5_100_000, nil)
	y.define("worker", "shop/worker:v0.8.1")
	y.serve("prod", "worker", "worker", 2)
	for _, tag := range []string{"v1.3.1", "v1.3.2", "v1.4.0"} {
		y.advance(26 * time.Hour)
		y.push("shop/web", tag, 9_600_000, nil)
	}
	y.define("web", "shop/web:v1.4.0")
	y.serve("prod", "web", "web", 6)
	y.define("mailer", "shop/web:v1.3.0")
	y.serve("prod", "mailer", "mailer", 1)
	y.advance(26 * time.Hour)
	y.push("shop/worker", "v0.9.0", 5_300_000, map[string]string{"exit-after": "2s", "exit-code": "1"})
	y.define("worker", "shop/worker:v0.9.0")
	y.ecs("UpdateService", `{"cluster":"prod","service":"worker","taskDefinition":"worker"}`)
	y.advance(30 * time.Minute)
	y.push("shop/web", "v1.5.0", 9_800_000, map[string]string{"health": "healthy-after=20s"})
	y.ecr("PutLifecyclePolicy", `{"repositoryName":"shop/web","lifecyclePolicyText":%q}`,
		`{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":3},"action":{"type":"expire"}}]}`)
	y.control("retire", `{"cluster":"prod","service":"mailer","seconds":604800}`)
	y.control("faults", `{"kind":"throttle","match":"ecs:DescribeServices","rate":0.2}`)
	y.define("web", "shop/web:v1.5.0")
	y.ecs("UpdateService", `{"cluster":"prod","service":"web","taskDefinition":"web"}`)
	y.advance(28 * time.Second)
	return y
}
