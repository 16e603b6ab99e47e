package ecs

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

func TestRefusals(t *testing.T) {
	w := newWorld(t, store.Memory())
	arn := w.register("v1")
	w.create(arn, 0, nil)
	retired := w.register("v2")
	do[ecs.DeregisterTaskDefinitionOutput](w, "DeregisterTaskDefinition", &ecs.DeregisterTaskDefinitionInput{TaskDefinition: &retired})
	for _, tt := range []struct {
		op, in, want string
	}{
		{"DescribeServices", `{"cluster":"nope","services":["api"]}`, "ClusterNotFoundException: Cluster not found."},
		{"DescribeServices", `{"cluster":"prod","services":[]}`, "InvalidParameterException: Services cannot be empty."},
		{"DescribeServices", `{"cluster":"prod","services":["1","2","3","4","5","6","7","8","9","10","11"]}`, "InvalidParameterException: Services cannot have more than 10 elements."},
		{"DescribeServices", `{"cluster":"prod","services":"api"}`, "SerializationException: services must be a list, not a string"},
		{"UpdateService", `{"cluster":"prod","service":"nope"}`, "ServiceNotFoundException: Service not found."},
		{"UpdateService", `{"cluster":"prod","service":"api","taskDefinition":"web:2"}`, "ClientException: TaskDefinition is inactive"},
		{"UpdateService", `{"cluster":"prod","service":"api","taskDefinition":"web:9"}`, "ClientException: TaskDefinition not found."},
		{"UpdateService", `{"cluster":"prod","service":"api","desiredCount":-1}`, "InvalidParameterException: DesiredCount cannot be null or less than 0"},
		{"CreateService", `{"cluster":"prod","serviceName":"api","taskDefinition":"web","desiredCount":1,"launchType":"FARGATE","networkConfiguration":{"awsvpcConfiguration":{"subnets":["s"]}}}`, "InvalidParameterException: Creation of service was not idempotent."},
		{"CreateService", `{"cluster":"prod","serviceName":"b","taskDefinition":"web","desiredCount":1,"launchType":"FARGATE"}`, "InvalidParameterException: Network Configuration must be provided when networkMode 'awsvpc' is specified."},
		{"CreateService", `{"cluster":"prod","serviceName":"a b","taskDefinition":"web","desiredCount":1}`, "InvalidParameterException: The service name \"a b\" is not valid"},
		{"DescribeTaskDefinition", `{"taskDefinition":"nope"}`, "ClientException: Unable to describe task definition."},
		{"DeregisterTaskDefinition", `{"taskDefinition":"web"}`, "ClientException: Unable to describe task definition."},
		{"RegisterTaskDefinition", `{"family":"web"}`, "ClientException: Container list cannot be empty."},
		{"RegisterTaskDefinition", `{"family":"a b","containerDefinitions":[{"name":"a","image":"i"}]}`, "ClientException: Family contains invalid characters"},
		{"RegisterTaskDefinition", `{"family":"web","containerDefinitions":[{"name":"a","image":"i"},{"name":"a","image":"i"}]}`, "ClientException: Container list contains duplicate name: a."},
		{"RegisterTaskDefinition", `{"family":"web","containerDefinitions":[{"name":"a"}]}`, "ClientException: Container.image should not be null or empty."},
		{"RegisterTaskDefinition", `{"family":"web","containerDefinitions":[{"name":"a","image":"i","essential":false}]}`, "ClientException: At least one container in a task definition must be essential."},
		{"RegisterTaskDefinition", `{"family":"web","networkMode":"awsvpc","cpu":"300","memory":"512","requiresCompatibilities":["FARGATE"],"containerDefinitions":[{"name":"a","image":"i"}]}`, "ClientException: No Fargate configuration exists for given values."},
		{"StopTask", `{"cluster":"prod","task":"0123456789abcdef0123456789abcdef"}`, "InvalidParameterException: The referenced task was not found."},
		{"StopTask", `{"cluster":"prod","task":"nope"}`, "InvalidParameterException: taskId length should be one of [32,36]"},
		{"CreateService", `{"cluster":"prod","serviceName":"b","taskDefinition":"web","desiredCount":2147483647,"launchType":"FARGATE","networkConfiguration":{"awsvpcConfiguration":{"subnets":["s"]}}}`, "InvalidParameterException: The desired count of 2147483647 exceeds the quota"},
		{"UpdateService", `{"cluster":"prod","service":"api","healthCheckGracePeriodSeconds":-1}`, "InvalidParameterException: healthCheckGracePeriodSeconds"},
		{"UpdateService", `{"cluster":"prod","service":"api","deploymentConfiguration":{"deploymentCircuitBreaker":{"enable":true,"rollback":true,"thresholdConfiguration":{"type":"SOME","value":1}}}}`, "InvalidParameterException: 1 validation error detected: Value 'SOME' at 'deploymentConfiguration.deploymentCircuitBreaker.thresholdConfiguration.type'"},
		{"UpdateService", `{"cluster":"prod","service":"api","deploymentConfiguration":{"earlySuccessCriteria":{"enable":true}}}`, "InvalidParameterException: healthyPercent of earlySuccessCriteria"},
		{"RunTask", `{"cluster":"prod","taskDefinition":"web","count":11,"launchType":"FARGATE"}`, "InvalidParameterException: Count must be between 1 and 10."},
		{"RunTask", `{"cluster":"prod","taskDefinition":"web"}`, "InvalidParameterException: No Container Instances were found in your cluster."},
		{"RunTask", `{"cluster":"prod","taskDefinition":"web","launchType":"FARGATE","networkConfiguration":{"awsvpcConfiguration":{"subnets":["s"]}},"overrides":{"containerOverrides":[{"name":"x"}]}}`, "InvalidParameterException: Override for container named x is not a container in the TaskDefinition."},
		{"DeleteCluster", `{}`, "InvalidParameterException: Cluster can not be blank."},
		{"TagResource", `{"resourceArn":"arn:aws:ecs:ap-northeast-1:123456789012:cluster/prod","tags":[{"key":"aws:x","value":"b"}]}`, "InvalidParameterException: Tag keys that begin with aws: are reserved"},
		{"RegisterTaskDefinition", `{"family":"web","containerDefinitions":[{"name":"a","image":"i","healthCheck":{"command":["CMD"],"interval":-1}}]}`, "ClientException: Container 'a': the health check's interval must be between 5 and 300."},
		{"DescribeTasks", `{"cluster":"prod"}`, "InvalidParameterException: Tasks cannot be empty."},
		{"ListTasks", `{"cluster":"prod","maxResults":0}`, "InvalidParameterException: maxResults must be between 1 and 100."},
		{"ListTasks", `{"cluster":"prod","nextToken":"%%"}`, "InvalidParameterException: Invalid token in request."},
		{"DeleteCluster", `{"cluster":"prod"}`, "ClusterContainsServicesException"},
		{"DescribeServiceDeployments", `{}`, "InvalidParameterException: Service deployment arns cannot be empty."},
		{"DescribeServiceDeployments", `{"serviceDeploymentArns":[]}`, "InvalidParameterException: serviceDeploymentArns must have between 1 and 20 elements."},
		{"StopServiceDeployment", `{"serviceDeploymentArn":"arn:aws:ecs:ap-northeast-1:123456789012:service-deployment/prod/api/nope"}`, "ServiceDeploymentNotFoundException"},
		{"TagResource", `{"resourceArn":"web","tags":[{"key":"a","value":"b"}]}`, "InvalidParameterException: Invalid resource ARN"},
	} {
		_, err := w.Service().Operations[tt.op](context.Background(), wire.Call{Body: []byte(tt.in)})
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s %s\n got %v\nwant %s", tt.op, tt.in, err, tt.want)
		}
	}
}

// Fields that this build has never heard of come back as they went in.
func TestTaskDefinitionKeepsWhatItDoesNotKnow(t *testing.T) {
	w := newWorld(t, store.Memory())
	in := `{"family":"web","fancyNewThing":{"n":12345678901234567890},"containerDefinitions":[{"name":"a","image":"i","memory":64,"sparkle":[1.50]}],"tags":[{"key":"team","value":"a"}]}`
	if _, err := w.Service().Operations["RegisterTaskDefinition"](context.Background(), wire.Call{Body: []byte(in)}); err != nil {
		t.Fatal(err)
	}
	answer, err := w.Service().Operations["DescribeTaskDefinition"](context.Background(), wire.Call{Body: []byte(`{"taskDefinition":"web","include":["TAGS"]}`)})
	if err != nil {
		t.Fatal(err)
	}
	doc, err := wire.Encode(answer)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"fancyNewThing":{"n":12345678901234567890}`, `"sparkle":[1.50]`, `"revision":1`, `"status":"ACTIVE"`, `"tags":[{"key":"team","value":"a"}]`, `"essential":true`, `"portMappings":[]`} {
		if !strings.Contains(string(doc), want) {
			t.Errorf("no %s in %s", want, doc)
		}
	}
	if !json.Valid(doc) {
		t.Errorf("not JSON: %s", doc)
	}
}

func TestFamilyMeansItsNewestActiveRevision(t *testing.T) {
	w := newWorld(t, store.Memory())
	w.register("v1")
	w.register("v2")
	third := w.register("v3")
	do[ecs.DeregisterTaskDefinitionOutput](w, "DeregisterTaskDefinition", &ecs.DeregisterTaskDefinitionInput{TaskDefinition: &third})
	revision := func(id string) types.TaskDefinition {
		return *do[ecs.DescribeTaskDefinitionOutput](w, "DescribeTaskDefinition", &ecs.DescribeTaskDefinitionInput{TaskDefinition: &id}).TaskDefinition
	}
	if got := revision("web").Revision; got != 2 {
		t.Errorf("the family means revision %d, want the newest ACTIVE one, 2", got)
	}
	if got := revision(third); got.Status != types.TaskDefinitionStatusInactive || got.DeregisteredAt == nil {
		t.Errorf("a deregistered revision: %s", pretty(got))
	}
	list := do[ecs.ListTaskDefinitionsOutput](w, "ListTaskDefinitions", &ecs.ListTaskDefinitionsInput{FamilyPrefix: aws.String("web"), Sort: types.SortOrderDesc, MaxResults: aws.Int32(1)})
	if len(list.TaskDefinitionArns) != 1 || !strings.HasSuffix(list.TaskDefinitionArns[0], "web:2") || list.NextToken == nil {
		t.Fatalf("first page: %s", pretty(list))
	}
	list = do[ecs.ListTaskDefinitionsOutput](w, "ListTaskDefinitions", &ecs.ListTaskDefinitionsInput{FamilyPrefix: aws.String("web"), Sort: types.SortOrderDesc, NextToken: list.NextToken})
	if len(list.TaskDefinitionArns) != 1 || !strings.HasSuffix(list.TaskDefinitionArns[0], "web:1") || list.NextToken != nil {
		t.Errorf("second page: %s", pretty(list))
	}
}

func TestTags(t *testing.T) {
	w := newWorld(t, store.Memory())
	arn := w.register("v1")
	tag := func(k, v string) {
		do[ecs.TagResourceOutput](w, "TagResource", &ecs.TagResourceInput{ResourceArn: &arn, Tags: []types.Tag{{Key: &k, Value: &v}}})
	}
	tag("a", "1")
	tag("b", "2")
	tag("a", "3")
	do[ecs.UntagResourceOutput](w, "UntagResource", &ecs.UntagResourceInput{ResourceArn: &arn, TagKeys: []string{"b"}})
	got := do[ecs.ListTagsForResourceOutput](w, "ListTagsForResource", &ecs.ListTagsForResourceInput{ResourceArn: &arn}).Tags
	if len(got) != 1 || *got[0].Key != "a" || *got[0].Value != "3" {
		t.Errorf("tags %s", pretty(got))
	}
}

func TestDescribeMissesAreFailuresNotErrors(t *testing.T) {
	w := newWorld(t, store.Memory())
	services := do[ecs.DescribeServicesOutput](w, "DescribeServices", &ecs.DescribeServicesInput{Cluster: aws.String("prod"), Services: []string{"nope"}})
	if len(services.Failures) != 1 || *services.Failures[0].Reason != "MISSING" || *services.Failures[0].Arn != "arn:aws:ecs:ap-northeast-1:123456789012:service/prod/nope" {
		t.Errorf("%s", pretty(services))
	}
	clusters := do[ecs.DescribeClustersOutput](w, "DescribeClusters", &ecs.DescribeClustersInput{Clusters: []string{"nope"}})
	if len(clusters.Failures) != 1 || len(clusters.Clusters) != 0 {
		t.Errorf("%s", pretty(clusters))
	}
}
