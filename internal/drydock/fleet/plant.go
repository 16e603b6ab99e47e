package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/client"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

// Planter makes fleets in a drydock.
type Planter struct {
	Client   *client.Client
	Registry string // host:port of the registry
	Folder   string // where the files that a fleet names are
}

// Planted is what was made, each as KIND NAME, in order, and the services that
// wait for their image, with the count they are to have.
type Planted struct {
	Made    []string
	Waiting map[ServiceKey]int
}

// ServiceKey names a service.
type ServiceKey struct{ Cluster, Service string }

// Plant makes a fleet. The first refusal ends it; its error is AWS's.
func (p Planter) Plant(ctx context.Context, f Fleet) (Planted, error) {
	out := Planted{Waiting: map[ServiceKey]int{}}
	pushed := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(f.Repositories)) {
		if err := p.repository(ctx, name, f.Repositories[name], pushed); err != nil {
			return out, fmt.Errorf("repository %s: %w", name, err)
		}
		out.Made = append(out.Made, "repository "+name)
	}
	clusters := map[string]bool{}
	for _, name := range f.Clusters {
		clusters[name] = true
	}
	for _, s := range f.Services {
		clusters[s.ClusterName()] = true
	}
	for _, name := range slices.Sorted(maps.Keys(clusters)) {
		if _, err := p.Client.ECS.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: &name}); err != nil {
			return out, fmt.Errorf("cluster %s: %w", name, err)
		}
		out.Made = append(out.Made, "cluster "+name)
	}
	for _, family := range slices.Sorted(maps.Keys(f.TaskDefinitions)) {
		if err := p.document(ctx, family, f.TaskDefinitions[family]); err != nil {
			return out, fmt.Errorf("task definition %s: %w", family, err)
		}
		out.Made = append(out.Made, "task definition "+family)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Services)) {
		s := f.Services[name]
		desired := s.Desired
		if s.Image != "" && !pushed[s.Image] {
			desired = 0
			out.Waiting[ServiceKey{s.ClusterName(), name}] = s.Desired
		}
		if err := p.service(ctx, name, s, desired, f); err != nil {
			return out, fmt.Errorf("service %s: %w", name, err)
		}
		out.Made = append(out.Made, "service "+s.ClusterName()+"/"+name)
	}
	return out, nil
}

func (p Planter) repository(ctx context.Context, name string, r Repository, pushed map[string]bool) error {
	policy, err := PolicyText(r.Lifecycle, r.Policy, r.PolicyFile, p.Folder)
	if err != nil {
		return err
	}
	in := &ecr.CreateRepositoryInput{RepositoryName: &name, ImageTagMutability: ecrtypes.ImageTagMutability(r.Mutability)}
	if _, err := p.Client.ECR.CreateRepository(ctx, in); err != nil {
		return err
	}
	for _, i := range r.Images {
		tags, err := Expand(i.Tag)
		if err != nil {
			return err
		}
		for _, tag := range tags {
			reference := name + ":" + tag
			content := i.Content
			if content == "" {
				content = reference
			}
			if _, err := p.Client.Push(ctx, p.Registry, reference, client.Image{Labels: i.Labels, Platforms: i.On, Content: content}); err != nil {
				return err
			}
			pushed[reference] = true
		}
	}
	if policy == "" {
		return nil
	}
	_, err = p.Client.ECR.PutLifecyclePolicy(ctx, &ecr.PutLifecyclePolicyInput{RepositoryName: &name, LifecyclePolicyText: &policy})
	return err
}

// document registers a task definition as it is written.
func (p Planter) document(ctx context.Context, family string, d Definition) error {
	document := d.Document
	if (document == nil) == (d.File == "") {
		return errors.New("give document or file")
	}
	if d.File != "" {
		text, err := os.ReadFile(filepath.Join(p.Folder, d.File))
		if err != nil {
			return err
		}
		if err := json.Unmarshal(text, &document); err != nil {
			return fmt.Errorf("%s: %w", d.File, err)
		}
	}
	members, ok := document.(map[string]any)
	if !ok {
		return errors.New("the document is no object")
	}
	members = maps.Clone(members)
	members["family"] = family
	_, err := p.Client.Call(ctx, "ecs", "RegisterTaskDefinition", members)
	return err
}

func (p Planter) service(ctx context.Context, name string, s Service, desired int, f Fleet) error {
	family := s.Family
	if family == "" {
		family = name
	}
	if _, given := f.TaskDefinitions[family]; !given {
		if s.Image == "" {
			return errors.New("it needs an image, or a task definition of its family")
		}
		in := p.definition(family, name, s)
		if _, err := p.Client.ECS.RegisterTaskDefinition(ctx, in); err != nil {
			return err
		}
	}
	in := &ecs.CreateServiceInput{
		Cluster: aws.String(s.ClusterName()), ServiceName: &name, TaskDefinition: &family, DesiredCount: aws.Int32(int32(desired)),
		LaunchType: types.LaunchTypeFargate, DeploymentConfiguration: configuration(s),
		NetworkConfiguration: Network(),
	}
	_, err := p.Client.ECS.CreateService(ctx, in)
	return err
}

// Network is a network of drydock's: any will do.
func Network() *types.NetworkConfiguration {
	return &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{
		Subnets: []string{"subnet-0000000000000000a"}, AssignPublicIp: types.AssignPublicIpEnabled,
	}}
}

func configuration(s Service) *types.DeploymentConfiguration {
	out := &types.DeploymentConfiguration{}
	if s.Breaker != "" {
		out.DeploymentCircuitBreaker = &types.DeploymentCircuitBreaker{Enable: true, Rollback: s.Breaker == "rollback"}
	}
	if s.Minimum != nil {
		out.MinimumHealthyPercent = aws.Int32(int32(*s.Minimum))
	}
	if s.Maximum != nil {
		out.MaximumPercent = aws.Int32(int32(*s.Maximum))
	}
	return out
}

// definition is the task definition that is made for a service that has none.
func (p Planter) definition(family, service string, s Service) *ecs.RegisterTaskDefinitionInput {
	container := types.ContainerDefinition{Name: aws.String(service), Image: aws.String(p.Registry + "/" + s.Image), Essential: aws.Bool(true)}
	if s.Container != "" {
		container.Name = aws.String(s.Container)
	}
	if ref, err := image.Parse(s.Image); err == nil && strings.Contains(ref.Registry, ".") {
		container.Image = aws.String(s.Image) // names its registry
	}
	if h := s.HealthCheck; h != nil {
		seconds := func(s Span) *int32 {
			if s == 0 {
				return nil
			}
			return aws.Int32(int32(s.Duration().Seconds()))
		}
		container.HealthCheck = &types.HealthCheck{
			Command: []string{"CMD", "/healthy"}, Interval: seconds(h.Interval), StartPeriod: seconds(h.StartPeriod),
		}
		if h.Retries > 0 {
			container.HealthCheck.Retries = aws.Int32(int32(h.Retries))
		}
	}
	in := &ecs.RegisterTaskDefinitionInput{
		Family: &family, NetworkMode: types.NetworkModeAwsvpc, Cpu: aws.String("256"), Memory: aws.String("512"),
		RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
		ExecutionRoleArn:        aws.String("arn:aws:iam::123456789012:role/" + family + "-execution"), // Fargate wants one to pull from ECR
		ContainerDefinitions:    []types.ContainerDefinition{container},
	}
	if s.Platform == "linux/arm64" {
		in.RuntimePlatform = &types.RuntimePlatform{CpuArchitecture: types.CPUArchitectureArm64, OperatingSystemFamily: types.OSFamilyLinux}
	}
	return in
}
