package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/config"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/seed"
)

type drydockSeed struct {
	deployNames
	From []string `help:"Plant what these files say instead: a fleet in YAML, or an account as the aws CLI's describe commands and drydock's state dump tell of it." type:"path" placeholder:"FILE"`
}

// Help goes below the usage.
func (c *drydockSeed) Help() string {
	return `What is planted is printed as export lines:

  eval "$(plimsoll drydock seed)"

With --from, a file in YAML is a fleet as a scenario has it under given; files
in JSON belong together and are taken all or none:

  aws ecs describe-services --cluster prod --services api >services.json
  aws ecs describe-task-definition --task-definition api >definition.json
  aws ecr describe-repositories --repository-names api >repositories.json
  aws ecr describe-images --repository-name api >images.json
  aws ecr get-lifecycle-policy --repository-name api >policy.json
  plimsoll drydock seed --from services.json --from definition.json …`
}

// Run plants a service to deploy to in the drydock of AWS_ENDPOINT_URL.
func (c *drydockSeed) Run(ctx context.Context, s *session) error {
	endpoint := s.sys.Getenv("AWS_ENDPOINT_URL")
	if endpoint == "" {
		return &usageError{errors.New("drydock seed: which drydock? AWS_ENDPOINT_URL is not set"), "set what drydock serve prints, or run it under drydock exec"}
	}
	if err := isDrydock(ctx, endpoint); err != nil {
		return &usageError{fmt.Errorf("%s is no drydock: %w", endpoint, err), "seed never touches a real account"}
	}
	if len(c.From) > 0 {
		return c.plantFiles(ctx, s, endpoint)
	}
	set, err := config.Resolve(c.flags(), s.sys.Getenv)
	if err != nil {
		return err
	}
	service := cmp.Or(set.Service.Value, "web")
	planted, err := seed.Plant(ctx, endpoint, cmp.Or(s.sys.Getenv("AWS_REGION"), drydock.DefaultRegion), seed.Names{
		Cluster: cmp.Or(set.Cluster.Value, "demo"), Service: service,
		Family: cmp.Or(set.TaskDefinition.Value, service), Container: cmp.Or(set.Container.Value, service),
		Repository: cmp.Or(set.Repository.Value, service),
	})
	if err != nil {
		return err
	}
	if s.json() {
		s.object(planted)
		return nil
	}
	for _, kv := range [][2]string{
		{"ECS_CLUSTER", planted.Cluster}, {"ECS_SERVICE", planted.Service}, {"TASK_DEFINITION", planted.Family},
		{"ECR_REGISTRY", planted.Registry}, {"ECR_REPOSITORY", planted.Repository},
	} {
		fmt.Fprintf(s.sys.Stdout, "export %s=%s\n", kv[0], shellQuote(kv[1]))
	}
	return nil
}

// isDrydock asks the control API, which no real AWS has.
func isDrydock(ctx context.Context, endpoint string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(endpoint, "/")+"/_drydock/status", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	var status drydock.Status
	if answer.StatusCode != http.StatusOK || json.NewDecoder(answer.Body).Decode(&status) != nil {
		return errors.New("it does not answer as one")
	}
	return nil
}
