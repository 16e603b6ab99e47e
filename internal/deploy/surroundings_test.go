package deploy

import (
	"context"
	"fmt"
	"slices"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// surroundings is what is around the harbour's service: all in order, unless a
// test says what is not.
type surroundings struct {
	platforms    []string // linux/amd64
	repository   Repository
	policy       string // of the repository; "" is none
	stock        Stock
	secrets      map[string]Secret // by ARN
	secretKeys   map[string][]string
	parameters   []string
	noLogGroup   bool
	trust        map[string]string // of roles, by name
	noTarget     bool
	repositories []string
}

func inOrder() surroundings {
	return surroundings{
		platforms:  []string{"linux/amd64"},
		repository: Repository{Mutability: "IMMUTABLE"},
		trust: map[string]string{
			"web-execution": `{"Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}`,
		},
	}
}

func (h *harbour) Platforms(context.Context, image.Reference) ([]string, error) {
	return h.around.platforms, h.fail["Platforms"]
}

func (h *harbour) Repository(_ context.Context, ref image.Reference) (Repository, error) {
	if ref.Repository != "web" && ref.Repository != "log" {
		return Repository{}, fmt.Errorf("read repository %s: %w", ref.Repository, NotFound)
	}
	return h.around.repository, h.fail["Repository"]
}

func (h *harbour) RepositoryNames(context.Context, image.Reference) ([]string, error) {
	return h.around.repositories, nil
}

func (h *harbour) LifecyclePolicy(context.Context, image.Reference) ([]byte, error) {
	if h.around.policy == "" {
		return nil, fmt.Errorf("read lifecycle policy: %w", NotFound)
	}
	return []byte(h.around.policy), h.fail["LifecyclePolicy"]
}

func (h *harbour) Shelved(context.Context, image.Reference) ([]lifecycle.Image, bool, error) {
	return h.around.stock.Images, true, h.fail["Shelved"]
}

func (h *harbour) Parameter(_ context.Context, name string) (bool, error) {
	return slices.Contains(h.around.parameters, name), h.fail["Parameter"]
}

func (h *harbour) Targets(context.Context, string) ([]TargetState, error) { return nil, nil }

func (h *harbour) Secret(_ context.Context, arn string) (Secret, error) {
	s, ok := h.around.secrets[arn]
	if !ok {
		return Secret{}, fmt.Errorf("look at secret: %w", NotFound)
	}
	return s, h.fail["Secret"]
}

func (h *harbour) SecretKeys(_ context.Context, arn, _, _ string) ([]string, error) {
	return h.around.secretKeys[arn], h.fail["SecretKeys"]
}

func (h *harbour) Parameters(_ context.Context, _ string, names []string) ([]string, error) {
	there := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !slices.Contains(h.around.parameters, name) })
	return there, h.fail["Parameters"]
}

func (h *harbour) LogGroups(_ context.Context, _, name string) ([]string, error) {
	if h.around.noLogGroup {
		return []string{name + "-other"}, nil
	}
	return []string{name}, h.fail["LogGroups"]
}

func (h *harbour) TrustPolicy(_ context.Context, name string) ([]byte, error) {
	trust, ok := h.around.trust[name]
	if !ok {
		return nil, fmt.Errorf("read role %s: %w", name, NotFound)
	}
	return []byte(trust), h.fail["TrustPolicy"]
}

func (h *harbour) TargetGroup(_ context.Context, arn string) (TargetGroup, error) {
	if h.around.noTarget {
		return TargetGroup{}, fmt.Errorf("read target group %s: %w", arn, NotFound)
	}
	return TargetGroup{}, h.fail["TargetGroup"]
}
