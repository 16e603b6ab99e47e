package cli

import "github.com/plimsoll-ecs/plimsoll/internal/config"

// serviceNames say which service a command is about.
type serviceNames struct {
	Cluster string `help:"ECS cluster, by name or ARN (ECS_CLUSTER)." placeholder:"NAME" group:"Names"`
	Service string `help:"ECS service, by name or ARN (ECS_SERVICE)." placeholder:"NAME" group:"Names"`
}

func (n serviceNames) flags() config.Flags {
	return config.Flags{Cluster: n.Cluster, Service: n.Service}
}

// containerName says which container of a task definition is meant.
type containerName struct {
	Container string `help:"Container whose image changes; needed where a task definition has several." placeholder:"NAME" group:"Names"`
}

// imageNames say where images are.
type imageNames struct {
	Registry   string `help:"ECR registry host (ECR_REGISTRY); the account's own when not given." placeholder:"HOST" group:"Names"`
	Repository string `help:"ECR repository (ECR_REPOSITORY)." placeholder:"NAME" group:"Names"`
}

func (n imageNames) flags() config.Flags {
	return config.Flags{Registry: n.Registry, Repository: n.Repository}
}

// deployManyNames say which images go where, maybe of several services.
type deployManyNames struct {
	servicesNames
	TaskDefinition string `help:"Task definition family (TASK_DEFINITION); the service's own when not given." placeholder:"FAMILY" group:"Names"`
	containerName
	imageNames
}

func (n deployManyNames) flags() config.Flags {
	return config.Flags{TaskDefinition: n.TaskDefinition, Container: n.Container, Registry: n.Registry, Repository: n.Repository}
}

// deployNames say which image goes where.
type deployNames struct {
	serviceNames
	TaskDefinition string `help:"Task definition family (TASK_DEFINITION); the service's own when not given." placeholder:"FAMILY" group:"Names"`
	containerName
	imageNames
}

func (n deployNames) flags() config.Flags {
	return config.Flags{
		Cluster: n.Cluster, Service: n.Service, TaskDefinition: n.TaskDefinition, Container: n.Container,
		Registry: n.Registry, Repository: n.Repository,
	}
}
