package drydock

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/smithy-go/middleware"

	"github.com/plimsoll-ecs/plimsoll/internal/plainbody"
)

// A drydock over a data folder is killed in the middle of things and started
// again: what an answer had promised is there, the calendar has not gone back,
// and the service goes on.
func TestKilledProcessLosesNothing(t *testing.T) {
	data := t.TempDir()
	first := serveData(t, data)
	client := clientOf(first.endpoint)
	if _, err := client.CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: aws.String("prod")}); err != nil {
		t.Fatal(err)
	}
	for _, call := range []struct{ op, body string }{{"RegisterTaskDefinition", definition}, {"CreateService", service}} {
		if status := post(t, first.endpoint, call.op, call.body); status != http.StatusOK {
			t.Fatalf("%s: %d", call.op, status)
		}
	}
	advance(t, first.endpoint, 14*24*time.Hour)
	updated, err := client.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String("prod"), Service: aws.String("api"), ForceNewDeployment: true})
	if err != nil {
		t.Fatal(err)
	}
	first.kill()

	second := serveData(t, data)
	client = clientOf(second.endpoint)
	advance(t, second.endpoint, time.Minute)
	out, err := client.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Cluster: aws.String("prod"), Services: []string{"api"}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := *out.Services[0].Deployments[0].Id, *updated.Service.Deployments[0].Id; got != want {
		t.Errorf("deployment %s, want the one that was answered before the kill, %s", got, want)
	}
	newest := out.Services[0].Events[0]
	if newest.CreatedAt.Before(time.Now().Add(13 * 24 * time.Hour)) {
		t.Errorf("the newest event is of %v (%s): the calendar went back", newest.CreatedAt, *newest.Message)
	}
}

func clientOf(endpoint string) *ecs.Client {
	return ecs.New(ecs.Options{
		APIOptions: []func(*middleware.Stack) error{plainbody.Add},
		Region:     DefaultRegion, BaseEndpoint: &endpoint, Credentials: credentials.NewStaticCredentialsProvider("drydock", "drydock", ""),
	})
}

func post(t *testing.T, endpoint, op, body string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113."+op)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=drydock/20261121/"+DefaultRegion+"/ecs/aws4_request, SignedHeaders=host, Signature=0")
	return send(t, r)
}

func advance(t *testing.T, endpoint string, d time.Duration) {
	t.Helper()
	body, err := json.Marshal(map[string]float64{"seconds": d.Seconds()})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint+"/_drydock/advance", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if status := send(t, r); status != http.StatusOK {
		t.Fatalf("advance: %d", status)
	}
}

func send(t *testing.T, r *http.Request) int {
	t.Helper()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode
}

// serving is a drydock in a process of its own.
type serving struct {
	endpoint string
	kill     func()
}

// dataVariable tells the test binary to be that process.
const dataVariable = "DRYDOCK_TEST_DATA"

func serveData(t *testing.T, data string) serving {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context()) // whose end is SIGKILL
	child := exec.CommandContext(ctx, os.Args[0])
	child.Env = append(os.Environ(), dataVariable+"="+data)
	child.Stderr = os.Stderr
	if _, err := child.StdinPipe(); err != nil { // its end tells the process that this one is gone
		t.Fatal(err)
	}
	pipe, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	kill := func() {
		cancel()
		var killed *exec.ExitError
		if err := child.Wait(); err != nil && !errors.As(err, &killed) && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	var endpoint string
	if err := json.NewDecoder(pipe).Decode(&endpoint); err != nil {
		kill()
		t.Fatalf("drydock in %s did not start: %v", filepath.Base(data), err)
	}
	s := serving{endpoint: endpoint, kill: kill}
	t.Cleanup(cancel)
	return s
}

// TestMain lets this binary be the process that a test kills: with the
// variable set it serves that folder and runs no test.
func TestMain(m *testing.M) {
	data := os.Getenv(dataVariable)
	if data == "" {
		os.Exit(m.Run())
	}
	if err := serveUntilGone(data); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serveUntilGone serves until it is killed, or nobody is there to do it.
func serveUntilGone(data string) error {
	s, err := Start(context.Background(), Options{Runtime: Simulated, Data: data})
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(s.Endpoint()); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}
