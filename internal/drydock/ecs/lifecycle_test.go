package ecs

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// raw calls an operation with a document as it is, and returns the answer as
// it goes over the wire.
func (w *world) raw(op, body string) (string, error) {
	w.t.Helper()
	answer, err := w.Service().Operations[op](context.Background(), wire.Call{Operation: op, Body: []byte(body)})
	if err != nil {
		return "", err
	}
	doc, err := wire.Encode(answer)
	if err != nil {
		w.t.Fatalf("%s: %v", op, err)
	}
	return string(doc), nil
}

// accepted is raw for a call that must succeed.
func (w *world) accepted(op, body string) string {
	w.t.Helper()
	doc, err := w.raw(op, body)
	if err != nil {
		w.t.Fatalf("%s %s: %v", op, body, err)
	}
	return doc
}

const createAPI = `{"cluster":"prod","serviceName":"api","taskDefinition":"web","desiredCount":1,"launchType":"FARGATE",
	"networkConfiguration":{"awsvpcConfiguration":{"subnets":["subnet-1"]}}%s}`

func TestCreateServiceIsIdempotent(t *testing.T) {
	w := newWorld(t, store.Memory())
	w.register("v1")
	first := w.accepted("CreateService", fmt.Sprintf(createAPI, `,"clientToken":"a"`))
	if again := w.accepted("CreateService", fmt.Sprintf(createAPI, `,"clientToken":"b","role":null`)); again != first {
		t.Errorf("the same request again answered\n%s\nwant\n%s", again, first)
	}
	const refusal = "InvalidParameterException: Creation of service was not idempotent."
	if _, err := w.raw("CreateService", fmt.Sprintf(createAPI, `,"enableExecuteCommand":true`)); err == nil || err.Error() != refusal {
		t.Errorf("another request: %v", err)
	}
	w.accepted("UpdateService", `{"cluster":"prod","service":"api","desiredCount":2}`)
	if _, err := w.raw("CreateService", fmt.Sprintf(createAPI, "")); err == nil || err.Error() != refusal {
		t.Errorf("the first request once the service was updated: %v", err)
	}
}

// A client newer than this build gets back what it sent; instructions are not
// state, and what a later update says replaces what was kept.
func TestServiceKeepsWhatItDoesNotKnow(t *testing.T) {
	w := newWorld(t, store.Memory())
	w.register("v1")
	w.accepted("CreateService", fmt.Sprintf(createAPI, `,"clientToken":"a","sparkle":{"n":12345678901234567890},"monitoring":null,
		"deploymentConfiguration":{"maximumPercent":150,"future":[1]},"tags":[{"key":"a","value":"b","new":1}]`))
	describe := func(w *world) string {
		return w.accepted("DescribeServices", `{"cluster":"prod","services":["api"]}`)
	}
	got := describe(w)
	for _, want := range []string{`"sparkle":{"n":12345678901234567890}`, `"future":[1]`, `"maximumPercent":150`, `"assignPublicIp":"DISABLED"`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	for _, never := range []string{"clientToken", `"tags"`, `"new"`} {
		if strings.Contains(got, never) {
			t.Errorf("%s in %s", never, got)
		}
	}
	w.accepted("UpdateService", `{"cluster":"prod","service":"api","forceNewDeployment":true,"sparkle":2,"deploymentConfiguration":{"minimumHealthyPercent":50}}`)
	again := newBareWorld(t, w.Store, w.clock) // and it is stored
	if got := describe(again); !strings.Contains(got, `"sparkle":2`) || strings.Contains(got, "future") || strings.Contains(got, "forceNewDeployment") {
		t.Errorf("after an update: %s", got)
	}
	big := fmt.Sprintf(`{"cluster":"prod","service":"api","sparkle":%q}`, strings.Repeat("x", maxExtra))
	if _, err := w.raw("UpdateService", big); err == nil || !strings.Contains(err.Error(), "it keeps at most 65536") {
		t.Errorf("64 KiB of unknown members: %.200v", err)
	}
}

func TestDeletedServiceIsShownForADay(t *testing.T) {
	w := newWorld(t, store.Memory())
	w.register("v1")
	create := fmt.Sprintf(createAPI, "")
	w.accepted("CreateService", create)
	w.until("steady", 5*time.Minute, steady)
	first := *w.describe().Deployments[0].Id
	w.accepted("DeleteService", `{"cluster":"prod","service":"api","force":true}`)
	if _, err := w.raw("CreateService", create); err == nil || !strings.Contains(err.Error(), "Unable to Start a service that is still Draining.") {
		t.Errorf("create while the old one drains: %v", err)
	}
	if _, err := w.raw("UpdateService", `{"cluster":"prod","service":"api"}`); err == nil || !strings.HasPrefix(err.Error(), "ServiceNotActiveException") {
		t.Errorf("update while it drains: %v", err)
	}
	w.until("inactive", 5*time.Minute, func(s types.Service) bool { return *s.Status == "INACTIVE" && len(s.Deployments) == 0 })
	if _, err := w.raw("DeleteService", `{"cluster":"prod","service":"api"}`); err == nil || !strings.HasPrefix(err.Error(), "ServiceNotFoundException") {
		t.Errorf("delete of one that is gone: %v", err)
	}
	w.accepted("CreateService", create)
	w.clock.Advance(2 * inactiveVisible) // the alarm of the deleted one is not the new one's
	w.until("created again", 5*time.Minute, steady)
	if got := *w.describe().Deployments[0].Id; got == first {
		t.Errorf("the service created again has the old deployment %s", got)
	}

	w.accepted("DeleteService", `{"cluster":"prod","service":"api","force":true}`)
	w.clock.Advance(inactiveVisible - time.Hour)
	again := newBareWorld(t, w.Store, clock.Manual(w.clock.Now()))
	if got := again.accepted("DescribeServices", `{"cluster":"prod","services":["api"]}`); !strings.Contains(got, `"status":"INACTIVE"`) {
		t.Errorf("before the day is over: %s", got)
	}
	again.accepted("DeleteCluster", `{"cluster":"prod"}`)
	again.clock.Advance(2 * inactiveVisible)
	if len(again.services) != 0 || len(again.tasks) != 0 || len(again.byOwner) != 0 || len(again.clusters) != 0 {
		t.Errorf("left: services %v, tasks %v, owners %v, clusters %v", again.services, again.tasks, again.byOwner, again.clusters)
	}
	if err := w.Store.Load(bucketServices, func(key string, _ []byte) error { return fmt.Errorf("%s is stored still", key) }); err != nil {
		t.Error(err)
	}
}

func TestServiceDeploymentsAreForgottenAfter90Days(t *testing.T) {
	w := newWorld(t, store.Memory())
	w.create(w.register("v1"), 1, nil)
	for range 3 {
		w.clock.Advance(time.Hour)
		w.update(w.running())
	}
	w.clock.Advance(89 * 24 * time.Hour)
	if n := len(w.records()); n != 4 {
		t.Errorf("%d service deployments after 89 days", n)
	}
	w.clock.Advance(2 * 24 * time.Hour)
	records := w.records()
	if len(records) != 1 {
		t.Fatalf("%d service deployments after 91 days, want the current one", len(records))
	}
	if s := w.services["prod/api"]; len(s.Revisions) != 2 { // its own, and the one it names as its source
		t.Errorf("%d service revisions are left", len(s.Revisions))
	}
	stopOne(w)
	w.until("what is left still heals", 5*time.Minute, steady)
}

// A cleanup lists a page, deregisters all of it, and asks for the next.
func TestPagesOfAListThatShrinks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.IntRange(0, 25).Draw(t, "total")
		size := rapid.Int32Range(1, 7).Draw(t, "page")
		compare := compareRevisions
		if rapid.Bool().Draw(t, "descending") {
			compare = func(a, b string) int { return compareRevisions(b, a) }
		}
		var left []string
		for i := range total {
			left = append(left, fmt.Sprintf("arn:aws:ecs:r:a:task-definition/web:%d", i+1))
		}
		slices.SortFunc(left, compare)
		seen, token := 0, (*string)(nil)
		for {
			items, next, err := page(left, &size, token, 100, compare)
			if err != nil {
				t.Fatal(err)
			}
			seen += len(items)
			left = slices.DeleteFunc(left, func(arn string) bool { return slices.Contains(items, arn) })
			if token = next; token == nil {
				break
			}
		}
		if seen != total || len(left) != 0 {
			t.Fatalf("saw %d of %d revisions", seen, total)
		}
	})
}

func TestListServicesHasTenOnAPage(t *testing.T) {
	w := newWorld(t, store.Memory())
	w.register("v1")
	for i := range 11 {
		w.accepted("CreateService", strings.Replace(fmt.Sprintf(createAPI, ""), `"api"`, fmt.Sprintf(`"s%d"`, i), 1))
	}
	list := do[ecs.ListServicesOutput](w, "ListServices", &ecs.ListServicesInput{Cluster: aws.String("prod")})
	if len(list.ServiceArns) != 10 || list.NextToken == nil {
		t.Errorf("%s", pretty(list))
	}
}

func TestTasksLookLikeFargates(t *testing.T) {
	w := newWorld(t, store.Memory())
	in := definitionOf("v1")
	in.TaskRoleArn = aws.String("arn:aws:iam::123456789012:role/task")
	do[ecs.RegisterTaskDefinitionOutput](w, "RegisterTaskDefinition", in)
	w.accepted("CreateService", fmt.Sprintf(createAPI, `,"tags":[{"key":"team","value":"a"}],"propagateTags":"SERVICE","enableECSManagedTags":true,"enableExecuteCommand":true`))
	w.clock.Advance(11 * time.Second)
	if got := w.tasksShown(types.DesiredStatusRunning)[0]; *got.Attachments[0].Status != "PRECREATED" || got.Connectivity != "" || got.HealthStatus != types.HealthStatusUnknown {
		t.Errorf("while it is provisioned: %s", pretty(got))
	}
	w.until("steady", 5*time.Minute, steady)
	task := w.tasksShown(types.DesiredStatusRunning)[0]
	got := w.accepted("DescribeTasks", fmt.Sprintf(`{"cluster":"prod","tasks":[%q],"include":["TAGS"]}`, *task.TaskArn))
	address := w.tasks[lastPart(*task.TaskArn)].address()
	for _, want := range []string{
		`"tags":[{"key":"aws:ecs:clusterName","value":"prod"},{"key":"aws:ecs:serviceName","value":"api"},{"key":"team","value":"a"}]`,
		`"group":"service:api"`, `"launchType":"FARGATE"`, `"platformVersion":"1.4.0"`, `"cpu":"256"`, `"memory":"512"`, `"enableExecuteCommand":true`,
		`"managedAgents":[{"lastStatus":"STOPPED","name":"ExecuteCommandAgent","reason":"drydock has no agent for ECS Exec."}]`,
		`"ephemeralStorage":{"sizeInGiB":20}`, `"connectivity":"CONNECTED"`, `"overrides":{"containerOverrides":[{"name":"web"}]`,
		`"type":"ElasticNetworkInterface"`, `"status":"ATTACHED"`, `{"name":"subnetId","value":"subnet-1"}`, `{"name":"privateIPv4Address","value":"` + address + `"}`,
		`"networkInterfaces":[{"attachmentId":"` + *task.Attachments[0].Id + `","privateIpv4Address":"` + address + `"}]`, `"healthStatus":"UNKNOWN"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	stopOne(w)
	w.clock.Advance(time.Minute)
	if got := w.tasksShown(types.DesiredStatusStopped)[0]; *got.Attachments[0].Status != "DELETED" {
		t.Errorf("when it has stopped: %s", pretty(got.Attachments))
	}
}

func TestTaskDefinitionTagsArePropagated(t *testing.T) {
	w := newWorld(t, store.Memory())
	in := definitionOf("v1")
	in.Tags = []types.Tag{{Key: aws.String("from"), Value: aws.String("definition")}}
	do[ecs.RegisterTaskDefinitionOutput](w, "RegisterTaskDefinition", in)
	w.accepted("CreateService", fmt.Sprintf(createAPI, `,"propagateTags":"TASK_DEFINITION"`))
	w.clock.Advance(11 * time.Second)
	for _, task := range w.tasks {
		if pretty(task.Tags.list()) != `[{"key":"from","value":"definition"}]` {
			t.Errorf("tags %s", pretty(task.Tags.list()))
		}
	}
}

func TestCapacityProvidersShowOnTasks(t *testing.T) {
	w := newWorld(t, store.Memory())
	w.accepted("DeleteCluster", `{"cluster":"prod"}`)
	got := w.accepted("CreateCluster", `{"clusterName":"prod","capacityProviders":["FARGATE","FARGATE_SPOT"],"defaultCapacityProviderStrategy":[{"capacityProvider":"FARGATE_SPOT","weight":1}]}`)
	if !strings.Contains(got, `"capacityProviders":["FARGATE","FARGATE_SPOT"]`) {
		t.Errorf("%s", got)
	}
	w.register("v1")
	w.accepted("CreateService", strings.Replace(fmt.Sprintf(createAPI, ""), `"launchType":"FARGATE",`, "", 1))
	w.until("steady", 5*time.Minute, steady)
	if got := w.tasksShown(types.DesiredStatusRunning)[0]; aws.ToString(got.CapacityProviderName) != "FARGATE_SPOT" {
		t.Errorf("%s", pretty(got))
	}
}

// The breaker's second stage: tasks that run but fail their health check.
func TestBreakerCountsFailedHealthChecks(t *testing.T) {
	w := newWorld(t, store.Memory())
	w.create(w.register("v1"), 1, breakerOn())
	w.until("steady", 5*time.Minute, steady)
	old := *w.describe().Deployments[0].Id
	w.shelf.put("v2", "sha256:v2", map[string]string{"plimsoll.drydock.health": "unhealthy"})
	in := definitionOf("v2")
	in.ContainerDefinitions[0].HealthCheck = &types.HealthCheck{Command: []string{"CMD", "true"}, Interval: aws.Int32(10), Retries: aws.Int32(2)}
	w.update(*do[ecs.RegisterTaskDefinitionOutput](w, "RegisterTaskDefinition", in).TaskDefinition.TaskDefinitionArn)
	w.until("rolled back", 15*time.Minute, func(s types.Service) bool { return *s.Deployments[0].Id == old && steady(s) })
	if got := eventsOf(w.describe()); !strings.Contains(got, "failed container health checks.") {
		t.Errorf("events:\n%s", got)
	}
}

// A task that fails for a superseded deployment is no failure of the new one.
func TestSupersededFailuresDoNotCount(t *testing.T) {
	w := newWorld(t, store.Memory())
	w.create(w.register("v1"), 1, breakerOn())
	w.until("steady", 5*time.Minute, steady)
	w.shelf.put("v2", "sha256:v2", crashing())
	w.update(w.register("v2"))
	w.until("a crashing task is on its way", 5*time.Minute, func(s types.Service) bool { return s.Deployments[0].PendingCount > 0 })
	w.update(w.register("v3"))
	w.until("the good one lands", 10*time.Minute, func(s types.Service) bool {
		if n := w.services["prod/api"].current().FailureCount; n != 0 {
			t.Fatalf("the new service deployment counts %d failures", n)
		}
		return steady(s)
	})
}

const runWeb = `{"cluster":"prod","taskDefinition":"web","launchType":"FARGATE","networkConfiguration":{"awsvpcConfiguration":{"subnets":["subnet-1"]}}%s}`

func TestRunTask(t *testing.T) {
	w := newWorld(t, store.Memory())
	w.shelf.put("v1", "sha256:v1", map[string]string{"plimsoll.drydock.exit-after": "1m", "plimsoll.drydock.exit-code": "3"})
	w.register("v1")
	first := w.accepted("RunTask", fmt.Sprintf(runWeb, `,"count":2,"startedBy":"me","clientToken":"x","tags":[{"key":"a","value":"b"}],"overrides":{"containerOverrides":[{"name":"web","command":["migrate"],"environment":[{"name":"A","value":"1"}]}]}`))
	for _, want := range []string{`"group":"family:web"`, `"startedBy":"me"`, `"command":["migrate"]`, `"tags":[{"key":"a","value":"b"}]`, `"lastStatus":"PROVISIONING"`, `"failures":[]`} {
		if !strings.Contains(first, want) {
			t.Errorf("no %s in %s", want, first)
		}
	}
	if again := w.accepted("RunTask", fmt.Sprintf(runWeb, `,"count":2,"startedBy":"me","clientToken":"x","tags":[{"key":"a","value":"b"}],"overrides":{"containerOverrides":[{"name":"web","command":["migrate"],"environment":[{"name":"A","value":"1"}]}]}`)); again != first {
		t.Errorf("the same call again started other tasks: %s", again)
	}
	if _, err := w.raw("RunTask", fmt.Sprintf(runWeb, `,"clientToken":"x"`)); err == nil || !strings.HasPrefix(err.Error(), "ConflictException") {
		t.Errorf("the same token for another call: %v", err)
	}
	list := func(filter string) []string {
		return do[ecs.ListTasksOutput](w, "ListTasks", &ecs.ListTasksInput{Cluster: aws.String("prod"), StartedBy: aws.String("me"), DesiredStatus: types.DesiredStatus(filter)}).TaskArns
	}
	if got := list("RUNNING"); len(got) != 2 {
		t.Fatalf("tasks %v", got)
	}
	stopped := list("RUNNING")[0]
	w.clock.Advance(45 * time.Second)
	w.accepted("StopTask", fmt.Sprintf(`{"cluster":"prod","task":%q,"reason":"enough"}`, stopped))
	w.clock.Advance(3 * time.Minute)
	if got := list("RUNNING"); len(got) != 0 {
		t.Errorf("tasks that ended were replaced: %v", got)
	}
	for _, task := range do[ecs.DescribeTasksOutput](w, "DescribeTasks", &ecs.DescribeTasksInput{Cluster: aws.String("prod"), Tasks: list("STOPPED")}).Tasks {
		code, exit := task.StopCode, *task.Containers[0].ExitCode
		if *task.TaskArn == stopped {
			if code != types.TaskStopCodeUserInitiated || *task.StoppedReason != "enough" {
				t.Errorf("the task that was stopped: %s", pretty(task))
			}
		} else if code != types.TaskStopCodeEssentialContainerExited || exit != 3 {
			t.Errorf("the task that ended by itself: %s", pretty(task))
		}
	}
	w.accepted("RunTask", fmt.Sprintf(runWeb, ""))
	again := newBareWorld(t, w.Store, clock.Manual(w.clock.Now())) // a restart ends it, and nothing replaces it
	again.clock.Advance(2 * time.Hour)
	if len(again.tasks) != 0 || len(again.byOwner) != 0 {
		t.Errorf("left: %v, %v", again.tasks, again.byOwner)
	}
}

func TestRunTaskOfAMissingImage(t *testing.T) {
	w := newWorld(t, store.Memory())
	w.register("v9")
	w.accepted("RunTask", fmt.Sprintf(runWeb, ""))
	w.clock.Advance(5 * time.Minute)
	for _, task := range w.tasks {
		if task.StopCode != "TaskFailedToStart" || !strings.HasPrefix(task.StoppedReason, "CannotPullContainerError") || task.LastStatus != statusStopped {
			t.Errorf("%+v", task)
		}
	}
}

// The variables and the command of an override go over the definition's.
func TestOverrides(t *testing.T) {
	c := types.ContainerDefinition{Command: []string{"serve"}, Environment: []types.KeyValuePair{{Name: aws.String("A"), Value: aws.String("1")}, {Name: aws.String("B"), Value: aws.String("2")}}}
	o := override{Command: []string{"migrate"}, Environment: []types.KeyValuePair{{Name: aws.String("A"), Value: aws.String("3")}}}
	if got := pretty(o.environment(c)) + pretty(o.command(c)); got != `[{"name":"B","value":"2"},{"name":"A","value":"3"}]["migrate"]` {
		t.Error(got)
	}
	if got := pretty(override{}.command(c)); got != `["serve"]` {
		t.Error(got)
	}
}

// Whenever the process is killed, a drydock over the same data goes on: the
// rollout that was under way lands, under the same deployment id. What a kill
// leaves is what was stored last, which is what the store holds here.
func TestRolloutGoesOnAfterAKillAtAnyMoment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		st := store.Memory()
		w := newBareWorld(t, st, clock.Manual(start()))
		do[ecs.CreateClusterOutput](w, "CreateCluster", &ecs.CreateClusterInput{ClusterName: aws.String("prod")})
		w.create(w.register("v1"), 2, breakerOn())
		w.until("steady", 5*time.Minute, steady)
		first := *w.describe().Deployments[0].Id
		bad := rapid.Bool().Draw(t, "bad")
		w.shelf.put("v2", "sha256:v2", nil)
		if bad {
			w.shelf.put("v2", "sha256:v2", crashing())
		}
		second := w.update(w.register("v2"))
		w.clock.Advance(time.Duration(rapid.IntRange(0, 300).Draw(t, "seconds")) * time.Second)
		again := newBareWorld(t, st, clock.Manual(w.clock.Now().Add(time.Duration(rapid.IntRange(0, 100_000).Draw(t, "downtime"))*time.Second)))
		want := second
		if bad {
			again.shelf.put("v2", "sha256:v2", crashing())
			want = first
		}
		again.until("it lands", time.Hour, func(s types.Service) bool { return steady(s) && *s.Deployments[0].Id == want && s.RunningCount == 2 })
	})
}
