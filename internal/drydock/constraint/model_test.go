package constraint_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/constraint"
)

func required(structure string) []string {
	switch structure {
	case "CreateServiceInput":
		return []string{"ServiceName"}
	case "Secret":
		return []string{"Name", "ValueFrom"}
	case "LogConfiguration":
		return []string{"LogDriver"}
	case "HealthCheck":
		return []string{"Command"}
	}
	return nil
}

func TestSentence(t *testing.T) {
	for _, test := range []struct {
		name string
		in   any
		want string
	}{
		{"an enumeration", &ecs.CreateServiceInput{ServiceName: aws.String("web"), LaunchType: "LAMBDA"},
			"1 validation error detected: Value 'LAMBDA' at 'launchType' failed to satisfy constraint: Member must satisfy enum value set: [EC2, FARGATE, EXTERNAL, MANAGED_INSTANCES]"},
		{"a required member", &ecs.CreateServiceInput{},
			"1 validation error detected: Value null at 'serviceName' failed to satisfy constraint: Member must not be null"},
		{"deep inside, and two of them", &ecs.RegisterTaskDefinitionInput{ContainerDefinitions: []types.ContainerDefinition{
			{}, {Secrets: []types.Secret{{Name: aws.String("A")}}, LogConfiguration: &types.LogConfiguration{}},
		}}, "2 validation errors detected: " +
			"Value null at 'containerDefinitions.2.member.logConfiguration.logDriver' failed to satisfy constraint: Member must not be null; " +
			"Value null at 'containerDefinitions.2.member.secrets.1.member.valueFrom' failed to satisfy constraint: Member must not be null"},
		{"a list of an enumeration", &ecs.DescribeServicesInput{Include: []types.ServiceField{"TAGS", "ALL"}},
			"1 validation error detected: Value 'ALL' at 'include.2.member' failed to satisfy constraint: Member must satisfy enum value set: [TAGS]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			found := constraint.Check(test.in, required)
			if len(found) == 0 {
				t.Fatal("nothing was found")
			}
			if got := constraint.Sentence(found); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestCheckLetsThroughWhatTheModelAllows(t *testing.T) {
	for _, in := range []any{
		&ecs.CreateServiceInput{ServiceName: aws.String(""), LaunchType: types.LaunchTypeFargate, DesiredCount: aws.Int32(0)},
		&ecs.RegisterTaskDefinitionInput{ContainerDefinitions: []types.ContainerDefinition{{HealthCheck: &types.HealthCheck{Command: []string{}}}}},
		&ecs.TagResourceInput{},
	} {
		if found := constraint.Check(in, required); len(found) > 0 {
			t.Errorf("%+v: %v", in, found)
		}
	}
}
