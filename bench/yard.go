package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
	"github.com/plimsoll-ecs/plimsoll/internal/plainbody"
)

// The names of the service that is deployed to.
const (
	cluster    = "prod"
	service    = "api"
	repository = "web"
)

// yard is a drydock in a process of its own, as anybody would start it.
type yard struct {
	bench  *bench
	addr   string
	scale  float64 // of its time
	took   float64 // seconds from the start of the process to its first answer
	ecs    *ecs.Client
	served *exec.Cmd
	ended  chan error
	images int // pushed so far
}

// open starts a drydock and waits for its first answer.
func (b *bench) open(ctx context.Context, scale float64, flags ...string) (*yard, error) {
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	y := &yard{bench: b, addr: addr, scale: scale, ended: make(chan error, 1)}
	endpoint := "http://" + addr
	y.ecs = ecs.New(ecs.Options{
		APIOptions: []func(*middleware.Stack) error{plainbody.Add},
		Region:     drydock.DefaultRegion, BaseEndpoint: &endpoint,
		Credentials: credentials.NewStaticCredentialsProvider("drydock", "drydock", ""),
	})
	y.served = exec.Command(b.plimsoll, append([]string{"drydock", "serve", "--listen", addr, "--time-scale", fmt.Sprint(scale)}, flags...)...)
	var said bytes.Buffer
	y.served.Stderr = &said
	start := time.Now()
	if err := y.served.Start(); err != nil {
		return nil, err
	}
	go func() { y.ended <- y.served.Wait() }()
	// Half a millisecond is fine enough to measure with, and leaves the cores
	// to the process that is measured.
	every := time.NewTicker(500 * time.Microsecond)
	defer every.Stop()
	for {
		if y.answers(ctx) {
			y.took = time.Since(start).Seconds()
			return y, nil
		}
		select {
		case err := <-y.ended:
			return nil, fmt.Errorf("drydock ended before it answered: %w\n%s", err, said.String())
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), y.close())
		case <-every.C:
		}
	}
}

// freeAddress is one that nothing listens on at the moment. It has to be known
// beforehand: to read it off drydock's output would measure the output too.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// answers posts a ListClusters that looks signed, on a connection of its own.
func (y *yard) answers(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+y.addr+"/", strings.NewReader("{}"))
	if err != nil {
		return false
	}
	request.Close = true
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	request.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.ListClusters")
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=drydock/20260101/"+drydock.DefaultRegion+"/ecs/aws4_request, SignedHeaders=host, Signature=00")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	var out struct{ ClusterArns []string }
	return answer.StatusCode == http.StatusOK && json.NewDecoder(answer.Body).Decode(&out) == nil
}

// close ends the drydock and waits until it is gone.
func (y *yard) close() error {
	if err := y.served.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	return <-y.ended
}

// environ is the environment of a pipeline that deploys to this drydock: the
// variables of the article, and nothing of this machine's AWS configuration.
func (y *yard) environ(more ...string) []string {
	var out []string
	path := os.Getenv("PATH")
	if y.bench.aws != "" {
		path = y.bench.aws + string(os.PathListSeparator) + path
	}
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "AWS_") {
			out = append(out, kv)
		}
	}
	out = append(out,
		"PATH="+path, "HOME="+y.bench.work, "AWS_PAGER=",
		"AWS_ENDPOINT_URL=http://"+y.addr, "AWS_REGION="+drydock.DefaultRegion, "AWS_DEFAULT_REGION="+drydock.DefaultRegion,
		"AWS_ACCESS_KEY_ID=drydock", "AWS_SECRET_ACCESS_KEY=drydock",
		"ECR_REGISTRY="+y.addr, "ECR_REPOSITORY="+repository,
		"ECS_CLUSTER="+cluster, "ECS_SERVICE="+service, "TASK_DEFINITION="+service,
		"NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1",
	)
	return append(out, more...)
}

// plimsoll is the binary under test, about this drydock.
func (y *yard) plimsoll(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, y.bench.plimsoll, args...)
	cmd.Env = y.environ()
	cmd.Dir = y.bench.work
	return cmd
}

// push puts an image on ECR that no run has deployed yet. It has no content:
// what is compared is the deploy, not the push. Labels tell the simulated
// runtime how its containers behave.
func (y *yard) push(ctx context.Context, labels map[string]string) (tag string, err error) {
	y.images++
	tag = fmt.Sprintf("v1.0.%d", y.images)
	image, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{
		OS: "linux", Architecture: "amd64", RootFS: v1.RootFS{Type: "layers"},
		Config: v1.Config{Labels: labels, Env: []string{"VERSION=" + tag}}, // makes every image another one
	})
	if err != nil {
		return "", err
	}
	reference, err := name.NewTag("bench:" + tag)
	if err != nil {
		return "", err
	}
	file := filepath.Join(y.bench.work, "image.tar")
	if err := tarball.WriteToFile(file, reference, image); err != nil {
		return "", err
	}
	_, err = clocked(y.plimsoll(ctx, "push", "--tag", tag, "--tarball", file))
	return tag, err
}

// steady waits until each of some services runs what it should with one
// completed deployment.
func (y *yard) steady(ctx context.Context, services ...string) error {
	every := time.NewTicker(20 * time.Millisecond)
	defer every.Stop()
	for len(services) > 0 {
		some := services[:min(10, len(services))] // DescribeServices takes ten
		out, err := y.ecs.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: aws.String(cluster), Services: some})
		if err != nil {
			return err
		}
		if allSteady(out.Services) && len(out.Services) == len(some) {
			services = services[len(some):]
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-every.C:
		}
	}
	return nil
}

func allSteady(services []types.Service) bool {
	for _, s := range services {
		if len(s.Deployments) != 1 || s.Deployments[0].RolloutState != types.DeploymentRolloutStateCompleted || s.RunningCount != s.DesiredCount {
			return false
		}
	}
	return true
}

// runs checks that the service has come to run a tag: a contender that is
// fast because it does nothing is none.
func (y *yard) runs(ctx context.Context, tag string) error {
	if err := y.steady(ctx, service); err != nil {
		return err
	}
	services, err := y.ecs.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: aws.String(cluster), Services: []string{service}})
	if err != nil {
		return err
	}
	out, err := y.ecs.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: services.Services[0].TaskDefinition})
	if err != nil {
		return err
	}
	want := y.addr + "/" + repository + ":" + tag
	if image := aws.ToString(out.TaskDefinition.ContainerDefinitions[0].Image); image != want || services.Services[0].RunningCount != 1 {
		return fmt.Errorf("%d tasks of %s run, want one of %s", services.Services[0].RunningCount, image, want)
	}
	return nil
}

// advance moves the drydock's calendar and says how long that took.
func (y *yard) advance(ctx context.Context, days int) (float64, error) {
	body := fmt.Sprintf(`{"seconds": %v}`, (time.Duration(days) * 24 * time.Hour).Seconds())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+y.addr+"/_drydock/advance", strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	start := time.Now()
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("advance: %s: %s", answer.Status, text)
	}
	return time.Since(start).Seconds(), err
}
