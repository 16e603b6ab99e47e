package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"golang.org/x/sync/errgroup"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
)

// What part audit looks at: a large account, where every service was deployed
// twice.
const (
	auditServices     = 2000
	auditRepositories = 200
	auditImages       = 500 // of each repository
)

// audit measures one audit of a large account, and what of it is beyond the
// least that it takes: every call there has to be, and the pace that its half
// of ECS's throttle buckets allows.
func (b *bench) audit(ctx context.Context) (_ table, err error) {
	y, err := b.open(ctx, 1000, "--runtime", "simulated")
	if err != nil {
		return table{}, err
	}
	defer func() { err = errors.Join(err, y.close()) }()
	if err := y.account(ctx); err != nil {
		return table{}, err
	}
	before, err := y.requests(ctx, 0)
	if err != nil {
		return table{}, err
	}
	cmd := y.plimsoll(ctx, "audit", "--fail-on", "never", "--format", "json", "--out", filepath.Join(b.work, "audit.json"), "--save", filepath.Join(b.work, "fleet.json.gz"))
	took, err := clocked(cmd)
	if err != nil {
		return table{}, err
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return table{}, errors.New("the system does not say what a process used")
	}
	asked, err := y.requests(ctx, last(before))
	if err != nil {
		return table{}, err
	}
	least, pace := leastCalls(), leastTime(asked)
	return table{
		title: fmt.Sprintf("An audit of %d services and %d images in %d repositories", auditServices, auditRepositories*auditImages, auditRepositories),
		head:  []string{"", "", "the least", ""},
		rows: [][]string{
			{"CPU", seconds((cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()), "", ""},
			{"peak resident memory", megabytes(float64(usage.Maxrss) * 1024), "", ""},
			{"calls", fmt.Sprint(len(asked)), fmt.Sprint(least), fmt.Sprintf("%.2f×", float64(len(asked))/float64(least))},
			{"time", seconds(took), seconds(pace), fmt.Sprintf("%.2f×", took/pace)},
		},
	}, nil
}

// leastCalls is how many calls tell all that there is, with the largest pages
// and batches that AWS has.
func leastCalls() int {
	services := auditServices/100 + auditServices/10 // listed, described
	tasks := 2 * auditServices / 100
	history := auditServices + 2*auditServices/20 // listed one by one, their revisions
	definitions := auditServices
	repositories := 1 + auditRepositories*(1+(auditImages+999)/1000)
	const rest = 1 + 1 + 1 + 1 + 2 // who, clusters, autoscaling, health, schedules
	return services + tasks + history + definitions + repositories + rest
}

// leastTime is how long the fullest bucket takes for the calls that were made,
// at half of its burst and its rate. (Amazon ECS API reference, "Request
// throttling".)
func leastTime(asked []drydock.Request) float64 {
	count := map[string]float64{}
	for _, r := range asked {
		count[r.Operation]++
	}
	longest := 0.0
	for _, bucket := range []struct {
		calls, burst, rate float64
	}{
		{count["ListServiceDeployments"], 50, 20},
		{count["DescribeTaskDefinition"], 50, 20},
		{count["DescribeServiceRevisions"], 50, 20},
		{count["ListServices"] + count["DescribeServices"], 100, 20},
		{count["ListTasks"] + count["DescribeTasks"], 100, 20},
	} {
		longest = max(longest, (bucket.calls-bucket.burst/2)/(bucket.rate/2))
	}
	return longest
}

// last is the number of the newest request.
func last(requests []drydock.Request) int64 {
	if len(requests) == 0 {
		return 0
	}
	return requests[len(requests)-1].Number
}

// control asks the drydock's control API.
func (y *yard) control(ctx context.Context, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://"+y.addr+"/_drydock/"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		var why bytes.Buffer
		_, _ = why.ReadFrom(answer.Body) // the status says enough
		return fmt.Errorf("%s: %s: %.200s", path, answer.Status, why.String())
	}
	return json.NewDecoder(answer.Body).Decode(out)
}

// account fills the drydock as exports of a large account would, and deploys
// every service once more.
func (y *yard) account(ctx context.Context) error {
	for i := range auditRepositories {
		if err := y.imported(ctx, repositoryExport(i)); err != nil {
			return err
		}
	}
	if err := y.imported(ctx, servicesExport()); err != nil {
		return err
	}
	if _, err := y.advance(ctx, 1); err != nil {
		return err
	}
	group, updating := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for i := range auditServices {
		group.Go(func() error {
			_, err := y.ecs.UpdateService(updating, &ecs.UpdateServiceInput{
				Cluster: aws.String(cluster), Service: aws.String(auditService(i)), ForceNewDeployment: true,
			})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	_, err := y.advance(ctx, 1)
	return err
}

func (y *yard) imported(ctx context.Context, documents ...any) error {
	type document struct {
		Name    string `json:"name"`
		Content any    `json:"content"`
	}
	var in struct {
		Documents []document `json:"documents"`
	}
	for i, d := range documents {
		in.Documents = append(in.Documents, document{fmt.Sprintf("%d.json", i), d})
	}
	return y.control(ctx, http.MethodPost, "import", in, new(drydock.Imported))
}

const auditAccount = "123456789012"

func auditService(i int) string { return fmt.Sprintf("service-%04d", i) }

func auditRepository(i int) string { return fmt.Sprintf("app-%03d", i%auditRepositories) }

// repositoryExport is a repository as the aws CLI describes it: an image a
// day.
func repositoryExport(i int) any {
	name, now := auditRepository(i), time.Now()
	var images []map[string]any
	for n := range auditImages {
		images = append(images, map[string]any{
			"repositoryName": name, "imageDigest": fmt.Sprintf("sha256:%x", sha256.Sum256(fmt.Appendf(nil, "%s %d", name, n))),
			"imageTags": []string{fmt.Sprintf("v1.0.%d", n)}, "imageSizeInBytes": 50_000_000,
			"imagePushedAt": now.Add(time.Duration(n-auditImages) * 24 * time.Hour).Format(time.RFC3339),
		})
	}
	return map[string]any{
		"repositories": []any{map[string]any{
			"repositoryName": name, "imageTagMutability": "MUTABLE",
			"repositoryArn": "arn:aws:ecr:" + drydock.DefaultRegion + ":" + auditAccount + ":repository/" + name,
		}},
		"imageDetails": images,
	}
}

// servicesExport is all services with their task definitions.
func servicesExport() any {
	prefix := "arn:aws:ecs:" + drydock.DefaultRegion + ":" + auditAccount + ":"
	var services, definitions []any
	for i := range auditServices {
		name := auditService(i)
		image := fmt.Sprintf("%s.dkr.ecr.%s.amazonaws.com/%s:v1.0.%d", auditAccount, drydock.DefaultRegion, auditRepository(i), auditImages-1-i%7)
		services = append(services, map[string]any{
			"serviceName": name, "serviceArn": prefix + "service/" + cluster + "/" + name, "clusterArn": prefix + "cluster/" + cluster,
			"status": "ACTIVE", "desiredCount": 2, "launchType": "FARGATE", "taskDefinition": prefix + "task-definition/" + name + ":1",
			"networkConfiguration": map[string]any{"awsvpcConfiguration": map[string]any{"subnets": []string{"subnet-1"}}},
		})
		definitions = append(definitions, map[string]any{
			"family": name, "taskDefinitionArn": prefix + "task-definition/" + name + ":1", "revision": 1, "status": "ACTIVE",
			"networkMode": "awsvpc", "requiresCompatibilities": []string{"FARGATE"}, "cpu": "256", "memory": "512",
			"executionRoleArn":     "arn:aws:iam::" + auditAccount + ":role/execution",
			"containerDefinitions": []any{map[string]any{"name": "app", "image": image, "essential": true}},
		})
	}
	return map[string]any{"services": services, "taskDefinitions": definitions}
}
