// Package seed plants in a drydock what teams have before their first deploy:
// a cluster, a repository, a log group, a task definition and a service with
// no task yet, as Terraform would leave them. It goes through the public API,
// as any client does.
package seed

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go/middleware"

	"github.com/plimsoll-ecs/plimsoll/internal/plainbody"
)

// Names are what to call things. All are required.
type Names struct {
	Cluster    string
	Service    string
	Family     string
	Container  string
	Repository string
}

// Planted is what is there now.
type Planted struct {
	Names
	Registry string // host of the repository
	LogGroup string
}

// Plant creates everything in the drydock behind endpoint. What is there
// already is an error of the operation that would create it.
func Plant(ctx context.Context, endpoint, region string, n Names) (Planted, error) {
	config := aws.Config{
		APIOptions: []func(*middleware.Stack) error{plainbody.Add},
		Region:     region, BaseEndpoint: &endpoint,
		Credentials: credentials.NewStaticCredentialsProvider("drydock", "drydock", ""),
	}
	images, tasks, logs := ecr.NewFromConfig(config), ecs.NewFromConfig(config), cloudwatchlogs.NewFromConfig(config)
	p := Planted{Names: n, LogGroup: "/ecs/" + n.Family}

	repository, err := images.CreateRepository(ctx, &ecr.CreateRepositoryInput{RepositoryName: &n.Repository})
	if err != nil {
		return p, fmt.Errorf("create repository %s: %w", n.Repository, err)
	}
	uri := *repository.Repository.RepositoryUri
	p.Registry = uri[:len(uri)-len(n.Repository)-1]
	if _, err := logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &p.LogGroup}); err != nil {
		return p, fmt.Errorf("create log group %s: %w", p.LogGroup, err)
	}
	if _, err := tasks.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: &n.Cluster}); err != nil {
		return p, fmt.Errorf("create cluster %s: %w", n.Cluster, err)
	}
	if err := plantRoles(ctx, iam.NewFromConfig(config), n.Family); err != nil {
		return p, err
	}
	if _, err := tasks.RegisterTaskDefinition(ctx, definition(n, p, region)); err != nil {
		return p, fmt.Errorf("register task definition %s: %w", n.Family, err)
	}
	if _, err := tasks.CreateService(ctx, &ecs.CreateServiceInput{
		Cluster: &n.Cluster, ServiceName: &n.Service, TaskDefinition: &n.Family, DesiredCount: aws.Int32(0),
		LaunchType: types.LaunchTypeFargate,
		NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{
			Subnets: []string{"subnet-0000000000000000a"}, AssignPublicIp: types.AssignPublicIpEnabled,
		}},
	}); err != nil {
		return p, fmt.Errorf("create service %s: %w", n.Service, err)
	}
	return p, awaitSteady(ctx, tasks, n)
}

// awaitSteady waits until the service's first deployment, of no task, has
// completed: one scheduler tick. Before, it would stand in the way of the
// first release.
func awaitSteady(ctx context.Context, tasks *ecs.Client, n Names) error {
	every := time.NewTicker(50 * time.Millisecond)
	defer every.Stop()
	for {
		out, err := tasks.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: &n.Cluster, Services: []string{n.Service}})
		if err != nil {
			return fmt.Errorf("look at service %s: %w", n.Service, err)
		}
		if len(out.Services) == 1 && out.Services[0].Deployments[0].RolloutState == types.DeploymentRolloutStateCompleted {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-every.C:
		}
	}
}

// plantRoles makes the two roles of the task definition: one for ECS to start
// tasks with, with AWS's own policy for that, and one for the application.
func plantRoles(ctx context.Context, roles *iam.Client, family string) error {
	const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	execution, task := family+"-execution", family+"-task"
	for _, name := range []string{execution, task} {
		if _, err := roles.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(trust)}); err != nil {
			return fmt.Errorf("create role %s: %w", name, err)
		}
	}
	if _, err := roles.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{
		RoleName: &execution, PolicyArn: aws.String("arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"),
	}); err != nil {
		return fmt.Errorf("allow role %s what tasks start with: %w", execution, err)
	}
	return nil
}

func definition(n Names, p Planted, region string) *ecs.RegisterTaskDefinitionInput {
	const role = "arn:aws:iam::123456789012:role/"
	return &ecs.RegisterTaskDefinitionInput{
		Family: &n.Family, NetworkMode: types.NetworkModeAwsvpc, Cpu: aws.String("256"), Memory: aws.String("512"),
		RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
		ExecutionRoleArn:        aws.String(role + n.Family + "-execution"),
		TaskRoleArn:             aws.String(role + n.Family + "-task"),
		ContainerDefinitions: []types.ContainerDefinition{{
			Name:         &n.Container,
			Image:        aws.String(p.Registry + "/" + n.Repository + ":not-yet-released"),
			Environment:  []types.KeyValuePair{{Name: aws.String("APP_ENV"), Value: aws.String("demo")}},
			PortMappings: []types.PortMapping{{ContainerPort: aws.Int32(8080)}},
			LogConfiguration: &types.LogConfiguration{LogDriver: types.LogDriverAwslogs, Options: map[string]string{
				"awslogs-group": p.LogGroup, "awslogs-region": region, "awslogs-stream-prefix": n.Container,
			}},
		}},
	}
}
