package drydock

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// quay is a drydock for a test to send anything to, with a service in it, and
// all of its operations by name.
func quay(t testing.TB) (*Server, map[string]wire.Operation) {
	s, err := Start(context.Background(), Options{Runtime: Simulated, Clock: clock.Manual(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	operations := map[string]wire.Operation{}
	for _, service := range s.services {
		for name, op := range service.Operations {
			operations[service.Name+"."+name] = op
		}
	}
	for _, call := range []struct{ op, body string }{
		{"ECS.CreateCluster", `{"clusterName":"prod"}`},
		{"ECS.RegisterTaskDefinition", definition},
		{"ECS.CreateService", service},
		{"ECR.CreateRepository", `{"repositoryName":"web"}`},
		{"Secrets Manager.CreateSecret", `{"Name":"db","SecretString":"x"}`},
		{"Systems Manager.PutParameter", `{"Name":"db","Value":"x","Type":"String"}`},
	} {
		if _, err := operations[call.op](t.Context(), wire.Call{Body: []byte(call.body)}); err != nil {
			t.Fatalf("%s: %v", call.op, err)
		}
	}
	return s, operations
}

const (
	network    = `"launchType":"FARGATE","networkConfiguration":{"awsvpcConfiguration":{"subnets":["s"]}}`
	definition = `{"family":"web","networkMode":"awsvpc","cpu":"256","memory":"512","requiresCompatibilities":["FARGATE"],"containerDefinitions":[{"name":"web","image":"web:1"}]}`
	service    = `{"cluster":"prod","serviceName":"api","taskDefinition":"web","desiredCount":1,` + network + `}`
)

// memberNames are the request members that lead into the operations' depths.
func memberNames() []string {
	return strings.Fields(`cluster clusters clusterName capacityProviders capacityProviderStrategy defaultCapacityProviderStrategy
		settings configuration service services serviceName serviceArns taskDefinition family familyPrefix containerDefinitions
		networkMode requiresCompatibilities volumes placementConstraints placementStrategy runtimePlatform ephemeralStorage
		desiredCount count launchType networkConfiguration deploymentConfiguration deploymentController loadBalancers
		serviceRegistries serviceConnectConfiguration volumeConfigurations vpcLatticeConfigurations overrides group startedBy
		healthCheckGracePeriodSeconds tags tagKeys resourceArn task tasks reason include status desiredStatus maxResults nextToken
		serviceDeploymentArn serviceDeploymentArns serviceRevisionArns stopType createdAt clientToken force sort
		repositoryName repositoryNames imageIds imageTag imageManifest imageTagMutability layerDigests uploadId partFirstByte
		partLastByte layerPartBlob lifecyclePolicyText filter registryId logGroupName logStreamName logEvents startTime endTime limit
		filterPattern retentionInDays logStreamNames resourceArns
		imageId subjectId scanType rules policyText name value replicationConfiguration prefixes ecrRepositoryPrefixes
		SecretId SecretIdList SecretString SecretBinary VersionStage VersionStages VersionId ClientRequestToken MoveToVersionId
		RemoveFromVersionId RecoveryWindowInDays ForceDeleteWithoutRecovery Filters Tags TagKeys MaxResults NextToken SortBy
		Name Names Value Type Tier Overwrite AllowedPattern Policies ParameterFilters Path Labels ParameterVersion ResourceType ResourceId
		taskDefinitions protectionEnabled expiresInMinutes command interactive container containerInstances namespace
		attributes targetType attributeName attributeValue name value principalArn effectiveSettings capacityProvider
		capacityProviders autoScalingGroupProvider taskSet scale primaryTaskSet cpu memory taskRoleArn executionRoleArn`)
}

// Whatever an operation is sent, it answers as AWS does: with a success or an
// error of AWS's, never with a panic or a 500.
func TestOperationsSurviveAnything(t *testing.T) {
	_, operations := quay(t)
	bodies := []string{``, `{}`, `null`, `[]`, `"x"`, `0`, `{"`, `{} {}`, "\x00\xff", strings.Repeat(`{"a":`, 20000), strings.Repeat(`[`, 20000)}
	for _, value := range []string{`null`, `""`, `0`, `-1`, `2147483648`, `1e400`, `true`, `[]`, `{}`, `[null]`, `[{}]`, `[""]`, `{"":null}`, `"arn:"`, `"arn:aws:ecs:::"`, `"arn:aws:ecs:r:a:task/"`, `"a:b:c"`} {
		all := map[string]json.RawMessage{}
		for _, name := range memberNames() {
			all[name] = json.RawMessage(value)
			bodies = append(bodies, fmt.Sprintf(`{%q:%s}`, name, value))
		}
		body, err := json.Marshal(all)
		if err == nil {
			bodies = append(bodies, string(body))
		}
	}
	for _, member := range []string{
		`"Tags":[null]`, `"Tags":[{}]`, `"Filters":[null]`, `"Filters":[{"Key":"name"}]`, `"Filters":[{"Key":"","Values":[""]}]`, `"VersionStages":[""]`,
		`"ParameterFilters":[{"Key":"tag:"}]`, `"ParameterFilters":[{"Key":"Label","Values":[""]}]`, `"AllowedPattern":"("`, `"NextToken":"\u0000"`,
		`"VersionStage":"x","RemoveFromVersionId":"11111111-1111-4111-8111-111111111111"`, `"Labels":[""],"ParameterVersion":-1`,
	} {
		bodies = append(bodies, fmt.Sprintf(`{"SecretId":"db","Name":"db","Names":["db:"],"Path":"/","SecretString":"y","Value":"y","Overwrite":true,"ResourceType":"Parameter","ResourceId":"db","VersionStage":"AWSCURRENT",%s}`, member))
	}
	for _, member := range []string{`"imageId":{}`, `"imageId":{"imageTag":""}`, `"subjectId":{}`, `"rules":[{}]`, `"rules":[{"scanFrequency":"MANUAL","repositoryFilters":[{}]}]`, `"replicationConfiguration":{"rules":[{}]}`} {
		bodies = append(bodies, fmt.Sprintf(`{"repositoryName":"web",%s}`, member))
	}
	// What is right but for one member, or empty deep inside.
	for _, inner := range []string{`{}`, `{"awsvpcConfiguration":null}`, `{"awsvpcConfiguration":{}}`, `{"awsvpcConfiguration":{"subnets":[]}}`, `{"awsvpcConfiguration":{"subnets":[null]}}`} {
		for _, op := range []string{`"serviceName":"x"`, `"service":"api"`, `"count":1`} {
			bodies = append(bodies, fmt.Sprintf(`{"cluster":"prod","taskDefinition":"web","desiredCount":1,"launchType":"FARGATE",%s,"networkConfiguration":%s}`, op, inner))
		}
	}
	for _, member := range []string{
		`"overrides":{"containerOverrides":[null]}`, `"overrides":{"containerOverrides":[{"name":"web","environment":[null]}]}`,
		`"capacityProviderStrategy":[null]`, `"capacityProviderStrategy":[{"capacityProvider":"FARGATE","weight":-1}]`, `"tags":[null]`,
		`"deploymentConfiguration":{"deploymentCircuitBreaker":{}}`, `"deploymentConfiguration":{"maximumPercent":2147483647,"minimumHealthyPercent":0}`,
		`"placementConstraints":[null]`,
	} {
		for _, op := range []string{`"serviceName":"y"`, `"service":"api"`, `"startedBy":"y"`} {
			bodies = append(bodies, fmt.Sprintf(`{"cluster":"prod","taskDefinition":"web","desiredCount":1,"networkConfiguration":{"awsvpcConfiguration":{"subnets":["s"]}},%s,%s}`, op, member))
		}
	}
	for _, container := range []string{
		`null`, `{}`, `{"name":"a"}`, `{"name":"a","image":""}`, `{"name":"a","image":"i","dependsOn":[null]}`, `{"name":"a","image":"i","healthCheck":{}}`,
		`{"name":"a","image":"i","logConfiguration":{}}`, `{"name":"a","image":"i","portMappings":[null]}`, `{"name":"a","image":"i","environment":[null]}`,
		`{"name":"a","image":"::","secrets":[null]}`, `{"name":"a","image":"i","mountPoints":[null,{}]}`, `{"name":"a","image":"i","volumesFrom":[{}],"links":[":",""]}`,
		`{"name":"a","image":"i","dependsOn":[{"containerName":"a","condition":"START"}]}`, `{"name":"a","image":"i","ulimits":[null]}`,
		`{"name":"a","image":"i","linuxParameters":{},"environmentFiles":[null],"restartPolicy":{}}`, `{"name":"a","image":"i","portMappings":[{"containerPort":80,"hostPort":0}]}`,
	} {
		bodies = append(bodies, fmt.Sprintf(`{"family":"f","memory":"1 GB","containerDefinitions":[%s]}`, container),
			fmt.Sprintf(`{"family":"f","networkMode":"awsvpc","cpu":".25 vCPU","memory":"512","requiresCompatibilities":["FARGATE"],"volumes":[null,{}],"containerDefinitions":[%s,{"name":"z","image":"i"}]}`, container))
	}
	for _, name := range slices.Sorted(maps.Keys(operations)) {
		for _, body := range bodies {
			survives(t, name, operations[name], body)
		}
	}
}

// survives calls an operation as the mux does.
func survives(t *testing.T, name string, op wire.Operation, body string) {
	t.Helper()
	defer func() {
		if v := recover(); v != nil {
			t.Errorf("%s %.300s panics: %v", name, body, v)
		}
	}()
	answer, err := op(t.Context(), wire.Call{Operation: name, Region: DefaultRegion, Body: []byte(body)})
	if err != nil {
		if e, ok := errors.AsType[*wire.Error](err); !ok || e.Status >= 500 {
			t.Errorf("%s %.300s fails with what is no AWS error: %v", name, body, err)
		}
		return
	}
	if _, err := wire.Encode(answer); err != nil {
		t.Errorf("%s %.300s: the answer cannot be encoded: %v", name, body, err)
	}
}

// FuzzOperations sends anything to any operation, and lets the scheduler make
// of it what it can for an hour.
func FuzzOperations(f *testing.F) {
	for i, body := range []string{`{}`, definition, service, `{"cluster":"prod","taskDefinition":"web",` + network + `}`,
		`{"cluster":"prod","service":"api","desiredCount":2,"forceNewDeployment":true}`, `{"resourceArn":"arn:aws:ecs:r:a:cluster/prod","tags":[{"key":"a"}]}`} {
		f.Add(uint8(i), body)
	}
	f.Fuzz(func(t *testing.T, n uint8, body string) {
		s, operations := quay(t)
		names := slices.Sorted(maps.Keys(operations))
		name := names[int(n)%len(names)]
		survives(t, name, operations[name], body)
		if err := s.Advance(time.Hour); err != nil {
			t.Error(err)
		}
	})
}
