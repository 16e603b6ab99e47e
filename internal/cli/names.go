package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/config"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

// serviceNames say which service a command is about.
type serviceNames struct {
	Cluster string `help:"ECS cluster, by name or ARN (ECS_CLUSTER)." placeholder:"NAME" group:"Names"`
	Service string `help:"ECS service, by name or ARN (ECS_SERVICE)." placeholder:"NAME" group:"Names" complete:"services"`
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

// containerImages say which containers get an image, and which one.
type containerImages struct {
	Container []string `help:"Container whose image changes; needed where a task definition has several. NAME=REPOSITORY or NAME=REPOSITORY:TAG, repeated, sets several in one revision." placeholder:"NAME[=REPOSITORY[:TAG]]" sep:"none" group:"Names"`
}

// deployImages say which images go where.
type deployImages struct {
	serviceNames
	TaskDefinition string `help:"Task definition family (TASK_DEFINITION); the service's own when not given." placeholder:"FAMILY" group:"Names"`
	containerImages
	imageNames
}

func (n deployImages) flags() config.Flags {
	f := deployManyImages{TaskDefinition: n.TaskDefinition, containerImages: n.containerImages, imageNames: n.imageNames}.flags()
	f.Cluster, f.Service = n.Cluster, n.Service
	return f
}

// deployManyImages say the same, maybe of several services.
type deployManyImages struct {
	servicesNames
	TaskDefinition string `help:"Task definition family (TASK_DEFINITION); the service's own when not given." placeholder:"FAMILY" group:"Names"`
	containerImages
	imageNames
}

func (n deployManyImages) flags() config.Flags {
	main, _ := n.main()
	own, _ := image.Parse(main.repository) // what cannot be parsed is refused with the flag's name later
	return config.Flags{
		TaskDefinition: n.TaskDefinition, Container: main.container,
		Registry: cmp.Or(own.Registry, n.Registry), Repository: cmp.Or(own.Repository, main.repository, n.Repository),
	}
}

// assignment is one --container.
type assignment struct {
	container  string
	repository string // "" where the flag says only the container's name
}

// main is the container that the release is about, and the others: the one
// without a repository of its own, else the first.
func (n containerImages) main() (main assignment, others []assignment) {
	at := 0
	for i, flag := range n.Container {
		name, repository, _ := strings.Cut(flag, "=")
		others = append(others, assignment{name, repository})
		if repository == "" {
			at = i
		}
	}
	if len(others) == 0 {
		return assignment{}, nil
	}
	main = others[at]
	return main, slices.Delete(others, at, at+1)
}

// Validate is called by kong.
func (n containerImages) Validate() error {
	alone := 0
	for _, flag := range n.Container {
		name, repository, given := strings.Cut(flag, "=")
		switch {
		case name == "", given && repository == "":
			return fmt.Errorf("--container=%s: wanted is NAME, NAME=REPOSITORY or NAME=REPOSITORY:TAG", flag)
		case !given:
			alone++
		}
	}
	if alone > 1 {
		return errors.New("--container: only one container can go without a repository of its own")
	}
	return nil
}

// images are what goes onto the containers: the main image, with the tag that
// is given unless it has one of its own, and the others.
func (n containerImages) images(ctx context.Context, h *harbour, tag string) (image.Reference, []deploy.Replacement, error) {
	main, others := n.main()
	if main.repository != "" {
		own, err := otherImage(image.Reference{Tag: tag}, main)
		if err != nil {
			return image.Reference{}, nil, err
		}
		tag = own.Tag
	}
	ref, also, err := h.images(ctx, tag)
	if err != nil {
		return image.Reference{}, nil, err
	}
	for _, a := range others {
		other, err := otherImage(ref, a)
		if err != nil {
			return image.Reference{}, nil, err
		}
		also = append(also, deploy.Replacement{Container: a.container, Image: other})
	}
	return ref, also, nil
}

// otherImage is the image of an assignment: in the main image's registry and
// with its tag, where it names none of its own.
func otherImage(main image.Reference, a assignment) (image.Reference, error) {
	ref, err := image.Parse(a.repository)
	if err != nil {
		return image.Reference{}, &usageError{fmt.Errorf("--container=%s=%s: %w", a.container, a.repository, err), "give a repository, with a tag of its own where it has one"}
	}
	ref.Registry = cmp.Or(ref.Registry, main.Registry)
	if ref.Tag == "" && ref.Digest == "" {
		ref.Tag = main.Tag
	}
	return ref, nil
}

func (n deployNames) flags() config.Flags {
	return config.Flags{
		Cluster: n.Cluster, Service: n.Service, TaskDefinition: n.TaskDefinition, Container: n.Container,
		Registry: n.Registry, Repository: n.Repository,
	}
}
