package ecs

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
)

// The document that is kept, with everything that ECS adds to it.
func TestDefaultsOfATaskDefinition(t *testing.T) {
	w := newWorld(t, store.Memory())
	h := newHarbourmaster(t, w)
	answer := h.gives("RegisterTaskDefinition", `{
		"family":"web","networkMode":"awsvpc","cpu":"0.5 vCPU","memory":"1GB","requiresCompatibilities":["FARGATE"],
		"executionRoleArn":"arn:aws:iam::123456789012:role/x","taskRoleArn":"arn:aws:iam::123456789012:role/y","aNewMember":{"n":1.50},
		"volumes":[{"name":"scratch"},{"name":"files","efsVolumeConfiguration":{"fileSystemId":"fs-1"}}],
		"containerDefinitions":[{"name":"web","image":"123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1",
			"portMappings":[{"containerPort":80},{"containerPort":81,"hostPort":0}],"healthCheck":{"command":["CMD","true"]},
			"secrets":[{"name":"A","valueFrom":"parameter"}],
			"logConfiguration":{"logDriver":"awslogs","options":{"awslogs-group":"g","awslogs-region":"r","awslogs-stream-prefix":"p"}}}]}`)
	var got struct{ TaskDefinition map[string]any }
	if err := json.Unmarshal([]byte(answer), &got); err != nil {
		t.Fatal(err)
	}
	var want map[string]any
	if err := json.Unmarshal([]byte(`{
		"taskDefinitionArn":"arn:aws:ecs:ap-northeast-1:123456789012:task-definition/web:1","family":"web","revision":1,"status":"ACTIVE",
		"networkMode":"awsvpc","cpu":"512","memory":"1024","requiresCompatibilities":["FARGATE"],"compatibilities":["EC2","FARGATE"],
		"executionRoleArn":"arn:aws:iam::123456789012:role/x","taskRoleArn":"arn:aws:iam::123456789012:role/y","aNewMember":{"n":1.5},
		"placementConstraints":[],
		"volumes":[{"name":"scratch","host":{}},{"name":"files","efsVolumeConfiguration":{"fileSystemId":"fs-1"}}],
		"registeredBy":"arn:aws:iam::123456789012:user/drydock",
		"requiresAttributes":[
			{"name":"com.amazonaws.ecs.capability.docker-remote-api.1.18"},{"name":"com.amazonaws.ecs.capability.docker-remote-api.1.19"},
			{"name":"com.amazonaws.ecs.capability.docker-remote-api.1.24"},{"name":"com.amazonaws.ecs.capability.ecr-auth"},
			{"name":"com.amazonaws.ecs.capability.logging-driver.awslogs"},{"name":"com.amazonaws.ecs.capability.task-iam-role"},
			{"name":"ecs.capability.container-health-check"},{"name":"ecs.capability.efs"},{"name":"ecs.capability.execution-role-awslogs"},
			{"name":"ecs.capability.execution-role-ecr-pull"},{"name":"ecs.capability.secrets.ssm.environment-variables"},{"name":"ecs.capability.task-eni"}],
		"containerDefinitions":[{"name":"web","image":"123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:1","cpu":0,"essential":true,
			"portMappings":[{"containerPort":80,"hostPort":80,"protocol":"tcp"},{"containerPort":81,"hostPort":81,"protocol":"tcp"}],
			"environment":[],"mountPoints":[],"volumesFrom":[],"systemControls":[],"healthCheck":{"command":["CMD","true"]},
			"secrets":[{"name":"A","valueFrom":"parameter"}],
			"logConfiguration":{"logDriver":"awslogs","options":{"awslogs-group":"g","awslogs-region":"r","awslogs-stream-prefix":"p"}}}]}`), &want); err != nil {
		t.Fatal(err)
	}
	delete(got.TaskDefinition, "registeredAt")
	if diff := cmp.Diff(want, got.TaskDefinition); diff != "" {
		t.Error(diff)
	}
	h.gives("RegisterTaskDefinition", `{"family":"box","containerDefinitions":[{"name":"a","image":"i","memory":64,"portMappings":[{"containerPort":80}]}]}`,
		`"hostPort":0`, `"compatibilities":["EXTERNAL","EC2"]`)
}

func TestTaskDefinitionsAreDeleted(t *testing.T) {
	w := newWorld(t, store.Memory())
	h := newHarbourmaster(t, w)
	used := w.register("v1")
	w.create(used, 1, nil)
	w.until("steady", 10*time.Minute, steady)
	w.register("v2")
	w.register("v3")
	h.gives("DeregisterTaskDefinition", `{"taskDefinition":"web:1"}`)
	h.gives("DeregisterTaskDefinition", `{"taskDefinition":"web:2"}`)
	h.gives("DeleteTaskDefinitions", `{"taskDefinitions":["`+used+`","web:2","web:3","web:9"]}`,
		`"revision":1`, `"revision":2`, `"status":"DELETE_IN_PROGRESS"`, `"deleteRequestedAt":`,
		`{"arn":"arn:aws:ecs:ap-northeast-1:123456789012:task-definition/web:3","reason":"The specified task definition is still in ACTIVE status. Please deregister the target and try again."}`,
		`{"arn":"arn:aws:ecs:ap-northeast-1:123456789012:task-definition/web:9","reason":"The specified task definition does not exist. Specify a valid account, family, revision and try again."}`)
	h.gives("DescribeTaskDefinition", `{"taskDefinition":"web:2"}`, `"status":"DELETE_IN_PROGRESS"`)
	h.gives("ListTaskDefinitions", `{"status":"DELETE_IN_PROGRESS"}`, `web:1","`, `web:2"`)
	h.refuses("UpdateService", `{"cluster":"prod","service":"api","taskDefinition":"web:2"}`, "ClientException: TaskDefinition is inactive")

	w.clock.Advance(2 * time.Hour)
	h.refuses("DescribeTaskDefinition", `{"taskDefinition":"web:2"}`, "ClientException: Unable to describe task definition.")
	h.gives("UpdateService", `{"cluster":"prod","service":"api","desiredCount":2}`, `"desiredCount":2`) // what is used goes on
	w.until("two tasks", 10*time.Minute, steady)

	again := newBareWorld(t, w.Store, clock.Manual(w.clock.Now()))
	h = newHarbourmaster(t, again)
	h.gives("DescribeTaskDefinition", `{"taskDefinition":"`+used+`"}`, `"status":"DELETE_IN_PROGRESS"`)
	h.gives("DeleteService", `{"cluster":"prod","service":"api","force":true}`)
	again.clock.Advance(2 * time.Hour)
	h.refuses("DescribeTaskDefinition", `{"taskDefinition":"`+used+`"}`, "ClientException: Unable to describe task definition.")
	h.gives("DeregisterTaskDefinition", `{"taskDefinition":"web:3"}`)
	h.gives("DeleteTaskDefinitions", `{"taskDefinitions":["web:3"]}`)
	h.gives("ListTaskDefinitionFamilies", `{}`, `"families":["web"]`)
	again.clock.Advance(2 * time.Hour)
	h.gives("ListTaskDefinitionFamilies", `{"status":"ALL"}`, `{"families":[]}`)
	if arn := again.register("v1"); !strings.HasSuffix(arn, "web:4") {
		t.Errorf("the number of a deleted revision was used again: %s", arn)
	}
}

func TestAccountSettings(t *testing.T) {
	w := newWorld(t, store.Memory())
	h := newHarbourmaster(t, w)
	const root, user = "arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:user/ann"
	names := map[types.SettingName]string{}
	for _, s := range do[ecs.ListAccountSettingsOutput](w, "ListAccountSettings", &ecs.ListAccountSettingsInput{EffectiveSettings: true}).Settings {
		names[s.Name] = *s.Value
	}
	page := do[ecs.ListAccountSettingsOutput](w, "ListAccountSettings", &ecs.ListAccountSettingsInput{EffectiveSettings: true})
	rest := do[ecs.ListAccountSettingsOutput](w, "ListAccountSettings", &ecs.ListAccountSettingsInput{EffectiveSettings: true, NextToken: page.NextToken})
	if len(page.Settings)+len(rest.Settings) != len(types.SettingName("").Values()) || names[types.SettingNameDefaultLogDriverMode] != "non-blocking" {
		t.Errorf("%s %s", pretty(page), pretty(rest))
	}

	h.gives("PutAccountSettingDefault", `{"name":"containerInsights","value":"enhanced"}`, `"principalArn":"`+root+`"`)
	h.gives("CreateCluster", `{"clusterName":"seen"}`, `{"name":"containerInsights","value":"enhanced"}`)
	h.gives("CreateCluster", `{"clusterName":"unseen","settings":[{"name":"containerInsights","value":"disabled"}]}`, `{"name":"containerInsights","value":"disabled"}`)
	h.gives("PutAccountSetting", `{"name":"containerInsights","value":"enabled","principalArn":"`+user+`"}`, `"value":"enabled"`)
	h.gives("ListAccountSettings", `{"principalArn":"`+user+`"}`, `"settings":[{"name":"containerInsights","principalArn":"`+user+`","type":"user","value":"enabled"}]`)
	h.gives("ListAccountSettings", `{"name":"containerInsights","value":"disabled"}`, `{"settings":[]}`)
	h.gives("DeleteAccountSetting", `{"name":"containerInsights","principalArn":"`+user+`"}`, `"value":"enhanced"`)
	h.gives("ListAccountSettings", `{"principalArn":"`+user+`"}`, `{"settings":[]}`)
	h.gives("DeleteAccountSetting", `{"name":"containerInsights","principalArn":"`+root+`"}`, `"value":"disabled"`)

	again := newHarbourmaster(t, newBareWorld(t, w.Store, clock.Manual(w.clock.Now())))
	again.gives("ListAccountSettings", `{"name":"containerInsights","effectiveSettings":true}`, `"value":"disabled"`)
}

func TestExecuteCommand(t *testing.T) {
	w := newWorld(t, store.Memory())
	h := newHarbourmaster(t, w)
	w.register("v1")
	run := func(enabled bool) string {
		out := do[ecs.RunTaskOutput](w, "RunTask", &ecs.RunTaskInput{Cluster: aws.String("prod"), TaskDefinition: aws.String("web"), LaunchType: types.LaunchTypeFargate, NetworkConfiguration: network(), EnableExecuteCommand: enabled})
		w.clock.Advance(2 * time.Minute)
		return *out.Tasks[0].TaskArn
	}
	call := func(task, more string) string {
		return `{"cluster":"prod","task":"` + task + `","command":"sh","interactive":true` + more + `}`
	}
	h.refuses("ExecuteCommand", call(run(false), ``), "InvalidParameterException: The execute command failed because execute command was not enabled when the task was run or the execute command agent isn’t running. Wait and try again or run a new task with execute command enabled and try again.")
	enabled := run(true)
	h.refuses("ExecuteCommand", call(enabled, `,"container":"web"`), "TargetNotConnectedException: The execute command failed due to an internal error. Try again later.")
	h.refuses("ExecuteCommand", call(enabled, `,"container":"db"`), "InvalidParameterException: The specified container db is not in the task.")
}

// Lists, with the filters and failures that need no test of their own.
func TestListsAndFailures(t *testing.T) {
	w := newWorld(t, store.Memory())
	h := newHarbourmaster(t, w)
	arn := w.register("v1")
	w.create(arn, 1, nil)
	w.until("steady", 10*time.Minute, steady)
	h.gives("RunTask", `{"cluster":"prod","taskDefinition":"web","startedBy":"me","launchType":"FARGATE","networkConfiguration":{"awsvpcConfiguration":{"subnets":["s"]}},"overrides":{"cpu":".25 vCPU","memory":"1 GB"}}`,
		`"cpu":"256"`, `"memory":"1024"`)
	count := func(body string) int {
		var out struct{ TaskArns []string }
		if err := json.Unmarshal([]byte(h.gives("ListTasks", body)), &out); err != nil {
			t.Fatal(err)
		}
		return len(out.TaskArns)
	}
	for body, want := range map[string]int{
		`{"cluster":"prod"}`:                                            2,
		`{"cluster":"prod","serviceName":"api"}`:                        1,
		`{"cluster":"prod","serviceName":"api","family":"other"}`:       0,
		`{"cluster":"prod","family":"web","launchType":"FARGATE"}`:      2,
		`{"cluster":"prod","launchType":"EC2"}`:                         0,
		`{"cluster":"prod","startedBy":"me"}`:                           1,
		`{"cluster":"prod","startedBy":"me","desiredStatus":"STOPPED"}`: 0,
		`{"cluster":"prod","desiredStatus":"PENDING"}`:                  0,
		`{"cluster":"prod","containerInstance":"i"}`:                    0,
	} {
		if got := count(body); got != want {
			t.Errorf("%s: %d tasks, want %d", body, got, want)
		}
	}
	h.gives("ListServices", `{"cluster":"prod","launchType":"FARGATE","schedulingStrategy":"REPLICA"}`, `service/prod/api"]`)
	h.gives("ListServices", `{"cluster":"prod","launchType":"EC2"}`, `{"serviceArns":[]}`)
	h.gives("ListServices", `{"cluster":"prod","resourceManagementType":"ECS"}`, `{"serviceArns":[]}`)
	h.gives("ListServicesByNamespace", `{"namespace":"internal"}`, `{"serviceArns":[]}`)
	h.gives("ListAttributes", `{"cluster":"prod","targetType":"container-instance"}`, `{"attributes":[]}`)
	h.gives("StartTask", `{"cluster":"prod","taskDefinition":"web","containerInstances":["i-1"]}`,
		`"failures":[{"arn":"arn:aws:ecs:ap-northeast-1:123456789012:container-instance/prod/i-1","reason":"MISSING"}]`, `"tasks":[]`)
	h.gives("DescribeCapacityProviders", `{}`, `"name":"FARGATE"`, `"name":"FARGATE_SPOT"`, `"status":"ACTIVE"`)
	h.gives("DescribeCapacityProviders", `{"capacityProviders":["FARGATE_SPOT","mine"],"maxResults":1}`, `"name":"FARGATE_SPOT"`,
		`{"arn":"arn:aws:ecs:ap-northeast-1:123456789012:capacity-provider/mine","reason":"MISSING"}`)
	h.gives("DescribeCapacityProviders", `{"cluster":"prod"}`, `"capacityProviders":[]`)
	h.gives("ListTagsForResource", `{"resourceArn":"arn:aws:ecs:ap-northeast-1:123456789012:capacity-provider/FARGATE"}`, `{"tags":[]}`)
	h.gives("ListTagsForResource", `{"resourceArn":"arn:aws:ecs:ap-northeast-1:123456789012:service/api"}`, `{"tags":[]}`) // the format from before 2018
	h.gives("DescribeServices", `{"cluster":"prod","services":["arn:aws:ecs:ap-northeast-1:123456789012:service/api"]}`, `"serviceName":"api"`)
	h.gives("DeregisterTaskDefinition", `{"taskDefinition":"`+arn+`"}`)
	h.gives("ListTagsForResource", `{"resourceArn":"`+arn+`"}`, `{"tags":[]}`)
	h.gives("DescribeTaskDefinition", `{"taskDefinition":"`+arn+`"}`, `"status":"INACTIVE"`)
	h.gives("ListTaskDefinitionFamilies", `{"status":"INACTIVE","familyPrefix":"w"}`, `"families":["web"]`)
	h.gives("ListTaskDefinitionFamilies", `{"status":"ACTIVE"}`, `{"families":[]}`)
}
