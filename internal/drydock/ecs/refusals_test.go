package ecs

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// harbourmaster takes requests over HTTP, as any client sends them.
type harbourmaster struct {
	t   *testing.T
	url string
}

func newHarbourmaster(t *testing.T, w *world) harbourmaster {
	server := httptest.NewServer(wire.NewMux(slog.New(slog.DiscardHandler), w.Service()))
	t.Cleanup(server.Close)
	return harbourmaster{t, server.URL}
}

// ask sends a document; of an error it is "Exception: message".
func (h harbourmaster) ask(operation, body string) (answer, refusal string) {
	h.t.Helper()
	request, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.url, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	request.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113."+operation)
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20261121/ap-northeast-1/ecs/aws4_request, SignedHeaders=host, Signature=0")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		h.t.Fatal(err)
	}
	defer response.Body.Close()
	doc, err := io.ReadAll(response.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	if response.StatusCode == http.StatusOK {
		return string(doc), ""
	}
	var e struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}
	if err := json.Unmarshal(doc, &e); err != nil || response.StatusCode >= 500 {
		h.t.Fatalf("%s %s: %d %s", operation, body, response.StatusCode, doc)
	}
	return "", e.Type + ": " + e.Message
}

func (h harbourmaster) refuses(operation, body, want string) {
	h.t.Helper()
	if answer, refusal := h.ask(operation, body); !strings.HasPrefix(refusal, want) {
		h.t.Errorf("%s %s\n got %s%s\nwant %s", operation, body, answer, refusal, want)
	}
}

// gives wants every part in the answer.
func (h harbourmaster) gives(operation, body string, parts ...string) string {
	h.t.Helper()
	answer, refusal := h.ask(operation, body)
	for _, part := range parts {
		if refusal != "" || !strings.Contains(answer, part) {
			h.t.Errorf("%s %s\n got %s%s\nwant %s", operation, body, answer, refusal, part)
		}
	}
	if refusal != "" {
		h.t.Errorf("%s %s: %s", operation, body, refusal)
	}
	return answer
}

// container renders a task definition for Fargate with one container that has
// these members too.
func fargateWith(members string) string {
	return `{"family":"f","networkMode":"awsvpc","cpu":"256","memory":"512","requiresCompatibilities":["FARGATE"],"executionRoleArn":"arn:aws:iam::123456789012:role/x","containerDefinitions":[{"name":"a","image":"i"` + members + `}]}`
}

func ec2With(members string) string {
	return `{"family":"f","containerDefinitions":[{"name":"a","image":"i","memory":64` + members + `}]}`
}

func TestTaskDefinitionsThatAreRefused(t *testing.T) {
	h := newHarbourmaster(t, newWorld(t, store.Memory()))
	for _, tt := range []struct{ in, want string }{
		{`{"containerDefinitions":[]}`, "ClientException: Family can not be blank."},
		{`{"family":"","containerDefinitions":[{"name":"a","image":"i"}]}`, "ClientException: Family can not be blank."},
		{`{"family":"a.b","containerDefinitions":[{"name":"a","image":"i"}]}`, "ClientException: Family contains invalid characters."},
		{`{"family":"` + strings.Repeat("f", 256) + `","containerDefinitions":[{"name":"a","image":"i"}]}`, "ClientException: Family contains invalid characters."},
		{`{"family":"f","containerDefinitions":[]}`, "ClientException: Container list cannot be empty."},
		{`{"family":"f","containerDefinitions":[` + strings.Repeat(`{},`, 10) + `{}]}`, "ClientException: Container list cannot have more than 10 elements."},
		{`{"family":"f","containerDefinitions":{}}`, "SerializationException: containerDefinitions must be a list"},
		{`{"family":"f","containerDefinitions":[{"name":"a","image":"i","cpu":"1"}]}`, "SerializationException: containerDefinitions[0].cpu must be an integer"},
		{`{"family":"f","x":"` + strings.Repeat("x", 64<<10) + `","containerDefinitions":[{"name":"a","image":"i"}]}`, "ClientException: Actual length: '"},
		{`{"family":"f","networkMode":"bus","containerDefinitions":[{"name":"a","image":"i"}]}`, "ClientException: 1 validation error detected: Value 'bus' at 'networkMode' failed to satisfy constraint: Member must satisfy enum value set: [bridge, host, awsvpc, none]"},
		{`{"family":"f","taskRoleArn":"arn:aws:s3:::b","containerDefinitions":[{"name":"a","image":"i","memory":64}]}`, "ClientException: Role is not valid"},
		{`{"family":"f","executionRoleArn":"arn:aws:iam::1:role/x","containerDefinitions":[{"name":"a","image":"i","memory":64}]}`, "ClientException: Role is not valid"},
		{`{"family":"f","cpu":"much","memory":"512","containerDefinitions":[{"name":"a","image":"i"}]}`, "ClientException: Invalid 'cpu' setting for task."},
		{`{"family":"f","cpu":"256","memory":"1 TB","containerDefinitions":[{"name":"a","image":"i"}]}`, "ClientException: Invalid 'memory' setting for task."},
		{`{"family":"f","memory":"512","ephemeralStorage":{"sizeInGiB":20},"containerDefinitions":[{"name":"a","image":"i"}]}`, "ClientException: The ephemeral storage size must be between 21 and 200 GiB."},
		{`{"family":"f","memory":"512","runtimePlatform":{"cpuArchitecture":"ARM64","operatingSystemFamily":"WINDOWS_SERVER_2022_CORE"},"containerDefinitions":[{"name":"a","image":"i"}]}`, "ClientException: The CPU architecture ARM64 is not supported"},
		{`{"family":"f","memory":"512","containerDefinitions":[{"name":"a","image":"i"}],"tags":[{"key":"aws:x","value":""}]}`, "InvalidParameterException: Tag keys that begin with aws: are reserved"},
		{`{"family":"f","memory":"512","containerDefinitions":[{"name":"a","image":"i"}],"tags":[{"key":"a","value":"b"},{"key":"a","value":"c"}]}`, "InvalidParameterException: Duplicate tag keys found"},
		{`{"family":"f","memory":"512","containerDefinitions":[{"name":"a","image":"i"}],"tags":[{"key":"a!","value":"b"}]}`, "InvalidParameterException: The tag \"a!\" has characters that are not allowed"},

		{`{"family":"f","containerDefinitions":[{"name":"a","image":"i"}]}`, "ClientException: Invalid setting for container 'a'. At least one of 'memory' or 'memoryReservation' must be specified."},
		{`{"family":"f","containerDefinitions":[{"name":"a","image":"i","memory":5}]}`, "ClientException: Invalid 'memory' setting for container 'a'."},
		{`{"family":"f","containerDefinitions":[{"name":"a","image":"i","memory":64,"memoryReservation":65}]}`, "ClientException: Invalid setting for container 'a'. 'memoryReservation'"},
		{`{"family":"f","memory":"512","containerDefinitions":[{"name":"a","image":"i","memory":513}]}`, "ClientException: Invalid 'memory' setting for container 'a'. It is greater"},
		{`{"family":"f","memory":"512","containerDefinitions":[{"name":"a","image":"i","memoryReservation":300},{"name":"b","image":"i","memoryReservation":300}]}`, "ClientException: The sum of all container 'memoryReservation' values"},
		{`{"family":"f","cpu":"256","memory":"512","containerDefinitions":[{"name":"a","image":"i","cpu":200},{"name":"b","image":"i","cpu":57}]}`, "ClientException: The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'."},

		{ec2With(`,"name":"a b"`), "ClientException: Container.name contains invalid characters or is blank: containerDefinitions[0]."},
		{ec2With(`,"image":" i"`), "ClientException: Container.image contains invalid characters."},
		{ec2With(`,"healthCheck":{}`), "ClientException: 1 validation error detected: Value null at 'containerDefinitions.1.member.healthCheck.command' failed to satisfy constraint: Member must not be null"},
		{ec2With(`,"healthCheck":{"command":["true"]}`), "ClientException: Container 'a': the health check command must start with CMD or CMD-SHELL."},
		{ec2With(`,"healthCheck":{"command":["CMD","x"],"timeout":61}`), "ClientException: Container 'a': the health check's timeout must be between 2 and 60."},
		{ec2With(`,"healthCheck":{"command":["CMD","x"],"retries":0}`), "ClientException: Container 'a': the health check's retries must be between 1 and 10."},
		{ec2With(`,"healthCheck":{"command":["CMD","x"],"startPeriod":301}`), "ClientException: Container 'a': the health check's startPeriod must be between 0 and 300."},
		{ec2With(`,"restartPolicy":{}`), "ClientException: 1 validation error detected: Value null at 'containerDefinitions.1.member.restartPolicy.enabled'"},
		{ec2With(`,"restartPolicy":{"enabled":true,"restartAttemptPeriod":59}`), "ClientException: Container 'a': the restart policy's restartAttemptPeriod must be between 60 and 1800."},
		{ec2With(`,"ulimits":[{"name":"nofile","softLimit":2,"hardLimit":1}]`), "ClientException: Container 'a': the soft limit of the ulimit nofile"},
		{ec2With(`,"ulimits":[{"name":"sails","softLimit":1,"hardLimit":1}]`), "ClientException: 1 validation error detected: Value 'sails' at 'containerDefinitions.1.member.ulimits.1.member.name'"},
		{ec2With(`,"portMappings":[{}]`), "ClientException: Invalid 'containerPort' setting for container 'a'."},
		{ec2With(`,"portMappings":[{"containerPort":65536}]`), "ClientException: Invalid 'containerPort' setting for container 'a'."},
		{ec2With(`,"portMappings":[{"containerPort":80,"hostPort":-1}]`), "ClientException: Invalid 'hostPort' setting for container 'a'."},
		{ec2With(`,"portMappings":[{"containerPort":80,"protocol":"quic"}]`), "ClientException: 1 validation error detected: Value 'quic'"},
		{ec2With(`,"portMappings":[{"containerPort":80,"name":"-x"}]`), "ClientException: Container 'a': the port mapping name \"-x\" is not valid"},
		{ec2With(`,"mountPoints":[{"containerPath":"/x"}]`), "ClientException: Unknown volume 'null'."},
		{ec2With(`,"mountPoints":[{"containerPath":"/x","sourceVolume":"v"}]`), "ClientException: Unknown volume 'v'."},
		{ec2With(`,"volumesFrom":[{"sourceContainer":"b"}]`), "ClientException: Container 'a' takes volumes from 'b'"},
		{ec2With(`,"links":["b:db"]`), "ClientException: Container 'a' links to 'b'"},
		{ec2With(`,"secrets":[{"name":"A","valueFrom":"p"}]`), "ClientException: When you are specifying container secrets, you must also specify a value for 'executionRoleArn'."},
		{ec2With(`,"secrets":[{"name":"A"}]`), "ClientException: 1 validation error detected: Value null at 'containerDefinitions.1.member.secrets.1.member.valueFrom'"},
		{ec2With(`,"environment":[{"name":"A","value":"b"}],"secrets":[{"name":"A","valueFrom":"p"}]`), "ClientException: The secret name must be unique and not shared with any new or existing environment variables set on the container, such as 'A'."},
		{ec2With(`,"environmentFiles":[{"type":"s3","value":"arn:aws:s3:::b/x.txt"}]`), "ClientException: Container 'a': an environment file must be"},
		{ec2With(`,"environmentFiles":[{"type":"s3","value":"arn:aws:s3:::b/x.env"}]`), "ClientException: When you are specifying container environment files"},
		{ec2With(`,"logConfiguration":{"logDriver":"awslogs","options":{"awslogs-group":"g"}}`), "ClientException: Log driver awslogs requires options: awslogs-region, awslogs-group"},
		{ec2With(`,"logConfiguration":{"logDriver":"paper"}`), "ClientException: 1 validation error detected: Value 'paper'"},
		{ec2With(`,"essential":false`), "ClientException: At least one container in a task definition must be essential."},
		{ec2With(`,"dependsOn":[{"containerName":"b","condition":"START"}]`), "ClientException: Container 'a' depends on 'b', which is not in the task definition."},
		{ec2With(`,"dependsOn":[{"containerName":"a","condition":"START"}]`), "ClientException: The dependencies of container 'a' form a cycle."},
		{ec2With(`,"dependsOn":[{"containerName":"b","condition":"HEALTHY"}]},{"name":"b","image":"i","memory":64`), "ClientException: Container 'a' depends on 'b' to be HEALTHY, which has no health check."},
		{ec2With(`,"dependsOn":[{"containerName":"b","condition":"SUCCESS"}]},{"name":"b","image":"i","memory":64`), "ClientException: A dependency container with SUCCESS or COMPLETE condition cannot be an essential container"},
		{ec2With(`,"dependsOn":[{"containerName":"b","condition":"START"}]},{"name":"b","image":"i","memory":64,"dependsOn":[{"containerName":"a","condition":"START"}]`), "ClientException: The dependencies of container 'a' form a cycle."},
		{`{"family":"f","memory":"512","volumes":[{"name":"v"},{"name":"v"}],"containerDefinitions":[{"name":"a","image":"i"}]}`, "ClientException: The volume name 'v' is not unique."},
		{`{"family":"f","memory":"512","volumes":[{}],"containerDefinitions":[{"name":"a","image":"i"}]}`, "ClientException: The volume name \"\" is not valid"},

		{strings.Replace(fargateWith(``), `"networkMode":"awsvpc",`, ``, 1), "ClientException: Fargate only supports network mode 'awsvpc'."},
		{strings.Replace(fargateWith(``), `"cpu":"256",`, ``, 1), "ClientException: Fargate requires that 'cpu' be defined at the task level."},
		{strings.Replace(fargateWith(``), `"256"`, `"512"`, 1), "ClientException: No Fargate configuration exists for given values."},
		{strings.Replace(fargateWith(``), `"family":"f"`, `"family":"f","pidMode":"host"`, 1), "ClientException: Fargate compatible task definitions do not support pidMode host"},
		{strings.Replace(fargateWith(``), `"family":"f"`, `"family":"f","volumes":[{"name":"v","host":{"sourcePath":"/"}}]`, 1), "ClientException: Fargate compatible task definitions do not support sourcePath"},
		{strings.Replace(fargateWith(``), `"family":"f"`, `"family":"f","runtimePlatform":{"operatingSystemFamily":"WINDOWS_SERVER_2022_CORE"}`, 1), "ClientException: No Fargate configuration exists"},
		{strings.Replace(fargateWith(``), `"image":"i"`, `"image":"123456789012.dkr.ecr.eu-west-1.amazonaws.com/a:1"`, 1), ""},
		{strings.Replace(strings.Replace(fargateWith(``), `"image":"i"`, `"image":"123456789012.dkr.ecr.eu-west-1.amazonaws.com/a:1"`, 1), `"executionRoleArn":"arn:aws:iam::123456789012:role/x",`, ``, 1), "ClientException: Fargate requires task definition to have execution role ARN to support ECR images."},
		{fargateWith(`,"portMappings":[{"containerPort":80,"hostPort":8080}]`), "ClientException: When networkMode=awsvpc, the host ports and container ports in port mappings must match."},
		{fargateWith(`,"portMappings":[{"containerPort":80},{"containerPort":80,"protocol":"tcp"}]`), "ClientException: Container 'a': the port 80/tcp is mapped twice."},
		{fargateWith(`,"links":["b"]`), "ClientException: Links are not supported when networkMode=awsvpc."},
		{fargateWith(`,"privileged":true`), "ClientException: Fargate compatible task definitions do not support privileged"},
		{fargateWith(`,"stopTimeout":121`), "ClientException: Container 'a': stopTimeout must be between 0 and 120 seconds."},
		{fargateWith(`,"logConfiguration":{"logDriver":"json-file"}`), "ClientException: Fargate compatible task definitions do not support log driver json-file"},
		{fargateWith(`,"logConfiguration":{"logDriver":"awslogs","options":{"awslogs-group":"g","awslogs-region":"r"}}`), "ClientException: Log driver awslogs requires options: awslogs-region, awslogs-group, awslogs-stream-prefix"},
		{strings.Replace(fargateWith(`,"logConfiguration":{"logDriver":"awslogs","options":{"awslogs-group":"g","awslogs-region":"r","awslogs-stream-prefix":"p"}}`), `"executionRoleArn":"arn:aws:iam::123456789012:role/x",`, ``, 1), "ClientException: Fargate requires task definition to have execution role ARN to support log driver awslogs."},
	} {
		if tt.want == "" {
			h.gives("RegisterTaskDefinition", tt.in)
			continue
		}
		h.refuses("RegisterTaskDefinition", tt.in, tt.want)
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	w := newWorld(t, store.Memory())
	h := newHarbourmaster(t, w)
	arn := w.register("v1")
	w.create(arn, 1, nil)
	h.gives("CreateCluster", `{"clusterName":"old"}`)
	h.gives("DeleteCluster", `{"cluster":"old"}`)
	h.gives("RegisterTaskDefinition", strings.Replace(fargateWith(``), `"family":"f"`, `"family":"gone"`, 1))
	h.gives("DeregisterTaskDefinition", `{"taskDefinition":"gone:1"}`, `"status":"INACTIVE"`)
	const (
		here    = "arn:aws:ecs:ap-northeast-1:123456789012:"
		network = `"launchType":"FARGATE","networkConfiguration":{"awsvpcConfiguration":{"subnets":["s"]}}`
		id      = "0123456789abcdef0123456789abcdef"
	)
	for _, tt := range []struct{ operation, in, want string }{
		// Identity.
		{"DescribeServices", `{"cluster":"` + here + `cluster/prod/x","services":["api"]}`, "InvalidParameterException: Invalid identifier: Unexpected number of separators"},
		{"DescribeServices", `{"cluster":"arn:aws:ecs:eu-west-1:123456789012:cluster/prod","services":["api"]}`, "InvalidParameterException: Invalid identifier: Identifier is for eu-west-1. Your region is ap-northeast-1"},
		{"DescribeServices", `{"cluster":"arn:aws:ecs:ap-northeast-1:999999999999:cluster/prod","services":["api"]}`, "InvalidParameterException: Invalid identifier: Identifier is for 999999999999. Your accountId is 123456789012"},
		{"DescribeServices", `{"cluster":"a b","services":["api"]}`, `InvalidParameterException: Cluster must match ^[a-zA-Z0-9\-_]{1,255}$, but was a b`},
		{"DescribeServices", `{"cluster":"prod","services":["` + here + `service/dev/api"]}`, "InvalidParameterException: Invalid identifier: Identifier is for cluster dev. Your cluster is prod"},
		{"DescribeServices", `{"cluster":"prod","services":["` + here + `task/prod/api"]}`, "InvalidParameterException: Invalid identifier: Identifier is for task."},
		{"UpdateService", `{"cluster":"prod","service":"` + here + `service/dev/api"}`, "InvalidParameterException: Invalid identifier: Identifier is for cluster dev. Your cluster is prod"},
		{"DescribeTasks", `{"cluster":"prod","tasks":["` + here + `task/dev/` + id + `"]}`, "InvalidParameterException: Invalid identifier: Identifier is for cluster dev. Your cluster is prod"},
		{"StopTask", `{"cluster":"prod","task":"arn:aws:ecs:us-east-1:123456789012:task/prod/` + id + `"}`, "InvalidParameterException: Invalid identifier: Identifier is for us-east-1."},
		{"DescribeTaskDefinition", `{"taskDefinition":"arn:aws:ecs:us-east-1:123456789012:task-definition/web:1"}`, "InvalidParameterException: Invalid identifier: Identifier is for us-east-1."},
		{"ListServices", `{"cluster":"old"}`, "ClusterNotFoundException: The referenced cluster was inactive."},
		{"DeleteCluster", `{"cluster":"old"}`, "ClusterNotFoundException: The referenced cluster was inactive."},
		{"ListTagsForResource", `{"resourceArn":"` + here + `cluster/old"}`, "InvalidParameterException: The specified cluster is inactive. Specify an active cluster and try again."},
		{"ListTagsForResource", `{"resourceArn":"` + here + `cluster/nope"}`, "ClusterNotFoundException: Cluster not found."},
		{"ListTagsForResource", `{"resourceArn":"` + here + `widget/x"}`, "InvalidParameterException: The specified resource was not found"},
		{"TagResource", `{"resourceArn":"` + here + `capacity-provider/FARGATE","tags":[{"key":"a","value":"b"}]}`, "InvalidParameterException: The capacity provider FARGATE is reserved"},
		{"TagResource", `{"resourceArn":"` + here + `cluster/prod"}`, "InvalidParameterException: Tags cannot be empty."},
		{"DescribeTaskDefinition", `{}`, "ClientException: Task definition can not be blank."},
		{"RunTask", `{"cluster":"prod","taskDefinition":"gone:1",` + network + `}`, "InvalidParameterException: TaskDefinition is inactive"},
		{"RunTask", `{"cluster":"prod","taskDefinition":"gone",` + network + `}`, "ClientException: TaskDefinition not found."},
		{"UpdateService", `{"cluster":"prod","service":"api","taskDefinition":"gone:1"}`, "ClientException: TaskDefinition is inactive"},
		{"CreateService", `{"cluster":"prod","serviceName":"b","taskDefinition":"gone:1","desiredCount":1,` + network + `}`, "ClientException: TaskDefinition is inactive"},
		{"UpdateService", `{"cluster":"prod","service":"api","enableExecuteCommand":true}`, "InvalidParameterException: The service couldn't be updated because a valid taskRoleArn is not being used."},
		{"CreateService", `{"cluster":"prod","serviceName":"b","taskDefinition":"web","desiredCount":1,"enableExecuteCommand":true,` + network + `}`, "InvalidParameterException: The service couldn't be created because a valid taskRoleArn is not being used."},
		{"CreateService", `{"cluster":"prod","serviceName":"b","taskDefinition":"web","desiredCount":1,"launchType":"LAMBDA"}`, "InvalidParameterException: 1 validation error detected: Value 'LAMBDA' at 'launchType'"},

		// Lists.
		{"ListTasks", `{"cluster":"prod","startedBy":"x","serviceName":"api"}`, "InvalidParameterException: cannot specify startedBy with any other filter."},
		{"ListTasks", `{"cluster":"prod","startedBy":"x","launchType":"FARGATE"}`, "InvalidParameterException: cannot specify startedBy with any other filter."},
		{"ListTasks", `{"cluster":"prod","serviceName":"nope"}`, "ServiceNotFoundException: Service not found."},
		{"ListTasks", `{"cluster":"prod","desiredStatus":"IDLE"}`, "InvalidParameterException: 1 validation error detected: Value 'IDLE' at 'desiredStatus'"},
		{"ListTaskDefinitions", `{"status":"OLD"}`, "InvalidParameterException: 1 validation error detected: Value 'OLD' at 'status'"},
		{"ListTaskDefinitions", `{"maxResults":101}`, "InvalidParameterException: maxResults must be between 1 and 100."},
		{"ListServicesByNamespace", `{}`, "InvalidParameterException: Namespace can not be blank."},
		{"ListAttributes", `{}`, "InvalidParameterException: Target type can not be blank."},
		{"ListAttributes", `{"cluster":"prod","targetType":"container-instance","attributeValue":"x"}`, "InvalidParameterException: You must specify an attribute name"},
		{"PutAttributes", `{"cluster":"prod","attributes":[{"name":"a","targetId":"i"}]}`, `TargetNotFoundException: The specified target "i" was not found.`},
		{"DeleteAttributes", `{"cluster":"prod","attributes":[]}`, "InvalidParameterException: Attributes must have between 1 and 10 elements."},
		{"DescribeCapacityProviders", `{"maxResults":11}`, "InvalidParameterException: maxResults must be between 1 and 10."},
		{"CreateCapacityProvider", `{"name":"fargate-x"}`, "InvalidParameterException: The specified capacity provider name is invalid."},
		{"CreateCapacityProvider", `{"name":"mine","autoScalingGroupProvider":{"autoScalingGroupArn":"arn:asg"}}`, "ClientException: The specified Auto Scaling group ARN arn:asg does not exist."},
		{"CreateCapacityProvider", `{"name":"mine"}`, "UnsupportedFeatureException: Capacity providers of managed instances"},
		{"DeleteCapacityProvider", `{"capacityProvider":"FARGATE_SPOT"}`, "InvalidParameterException: The capacity provider FARGATE_SPOT is reserved"},
		{"UpdateCapacityProvider", `{"name":"mine"}`, "ClientException: The specified capacity provider does not exist."},

		// Tasks.
		{"UpdateTaskProtection", `{"cluster":"prod","tasks":["` + id + `"]}`, "InvalidParameterException: Protection enabled can not be blank."},
		{"UpdateTaskProtection", `{"cluster":"prod","tasks":[],"protectionEnabled":true}`, "InvalidParameterException: Tasks must have between 1 and 10 elements."},
		{"UpdateTaskProtection", `{"cluster":"prod","tasks":["` + id + `"],"protectionEnabled":true,"expiresInMinutes":0}`, "InvalidParameterException: expiresInMinutes must be between 1 and 2880."},
		{"UpdateTaskProtection", `{"cluster":"prod","tasks":["` + id + `"],"protectionEnabled":true,"expiresInMinutes":2881}`, "InvalidParameterException: expiresInMinutes must be between 1 and 2880."},
		{"UpdateTaskProtection", `{"cluster":"nope","tasks":["` + id + `"],"protectionEnabled":true}`, "ClusterNotFoundException: Cluster not found."},
		{"GetTaskProtection", `{"cluster":"prod"}`, "InvalidParameterException: Tasks must have between 1 and 100 elements."},
		{"ExecuteCommand", `{"cluster":"prod","task":"` + id + `","command":"sh","interactive":true}`, "InvalidParameterException: The referenced task was not found."},
		{"ExecuteCommand", `{"cluster":"prod","task":"` + id + `","command":"sh"}`, "InvalidParameterException: Interactive must be true."},
		{"StartTask", `{"cluster":"prod","taskDefinition":"web"}`, "InvalidParameterException: Container instances cannot be empty."},
		{"StartTask", `{"cluster":"prod","taskDefinition":"gone:1","containerInstances":["i"]}`, "InvalidParameterException: TaskDefinition is inactive"},
		{"RunTask", `{"cluster":"prod","taskDefinition":"web",` + network + `,"overrides":{"cpu":"1 vCPU","memory":"512"}}`, "InvalidParameterException: No Fargate configuration exists for given values."},

		// Task sets.
		{"CreateTaskSet", `{"cluster":"prod","service":"api","taskDefinition":"web"}`, "InvalidParameterException: Amazon ECS only supports task set management on services with external deployment controllers."},
		{"DescribeTaskSets", `{"cluster":"prod","service":"nope"}`, "ServiceNotFoundException: Service not found."},
		{"DeleteTaskSet", `{"cluster":"prod","service":"api"}`, "InvalidParameterException: Task set can not be blank."},

		// Task definitions and settings.
		{"DeleteTaskDefinitions", `{"taskDefinitions":["web"]}`, "InvalidParameterException: The specified task definition \"web\" is not valid"},
		{"DeleteTaskDefinitions", `{"taskDefinitions":[]}`, "InvalidParameterException: Task definitions must have between 1 and 10 elements."},
		{"PutAccountSetting", `{"name":"sails","value":"enabled"}`, "InvalidParameterException: 1 validation error detected: Value 'sails' at 'name'"},
		{"PutAccountSetting", `{"name":"taskLongArnFormat","value":"disabled"}`, `InvalidParameterException: Invalid value "disabled" for the account setting taskLongArnFormat.`},
		{"PutAccountSetting", `{"name":"guardDutyActivate","value":"on"}`, "InvalidParameterException: The account setting guardDutyActivate is read-only."},
		{"PutAccountSetting", `{"name":"awsvpcTrunking","value":"enabled","principalArn":"arn:aws:iam::999999999999:root"}`, "InvalidParameterException: The principalArn"},
		{"PutAccountSettingDefault", `{"name":"awsvpcTrunking"}`, "InvalidParameterException: Value can not be blank."},
		{"ListAccountSettings", `{"value":"enabled"}`, "InvalidParameterException: You must specify an account setting name"},
		{"ListAccountSettings", `{"maxResults":11}`, "InvalidParameterException: maxResults must be between 1 and 10."},
		{"DeleteAccountSetting", `{}`, "InvalidParameterException: Name can not be blank."},
	} {
		h.refuses(tt.operation, tt.in, tt.want)
	}
}
