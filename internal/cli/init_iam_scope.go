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
	"github.com/plimsoll-ecs/plimsoll/internal/leastprivilege"
	"github.com/plimsoll-ecs/plimsoll/internal/taskdef"
)

// scope is what the policies are for, and what they are to allow.
func (c *initIAM) scope(ctx context.Context, s *session) (leastprivilege.Scope, []leastprivilege.Feature, error) {
	harbours, err := s.harbours(ctx, c.servicesNames, config.Flags{})
	if err != nil {
		return leastprivilege.Scope{}, nil, err
	}
	scope := leastprivilege.Scope{Account: cmp.Or(c.Account, harbours[0].settings.Account.Value), Region: cmp.Or(harbours[0].settings.Region.Value, harbours[0].client.Region())}
	live := !c.Offline
	if live {
		caller, err := harbours[0].client.Caller(ctx)
		switch {
		case errors.Is(err, deploy.Setup):
			live = false
			s.warn("no credentials: names come from the configuration alone, and what only a running service tells is guessed")
		case err != nil:
			return scope, nil, err
		case scope.Account != "" && scope.Account != caller.Account:
			return scope, nil, &usageError{fmt.Errorf("the credentials are of account %s, and %s is meant", caller.Account, scope.Account), "change the credentials, or give --offline"}
		case scope.Region != caller.Region:
			return scope, nil, &usageError{fmt.Errorf("the region in use is %s, and %s is meant", caller.Region, scope.Region), "change AWS_REGION, or give --offline"}
		default:
			scope.Account = caller.Account
		}
	}
	if scope.Account == "" {
		return scope, nil, &usageError{errors.New("which account? Nobody can be asked"), "give --account, or say it in " + config.FileName}
	}
	pins := false
	for _, h := range harbours {
		service, err := configured(scope, h.settings)
		if live {
			service, err = asItRuns(ctx, s, scope, h)
		}
		if err != nil {
			return scope, nil, err
		}
		scope.Services = append(scope.Services, service)
		pins = pins || h.settings.Pin.Value
	}
	if scope.Topics, err = s.topics(); err != nil {
		return scope, nil, err
	}
	if scope.Queues, err = c.queues(scope); err != nil {
		return scope, nil, err
	}
	if scope.Sources, err = c.sources(scope); err != nil {
		return scope, nil, err
	}
	features, err := c.features(map[string]bool{
		"pin": pins, "notify": len(scope.Topics) > 0, "maintenance": len(scope.Queues) > 0, "queue": len(scope.Queues) > 0, "rescue": len(scope.Sources) > 0,
	})
	return scope, features, err
}

// queues are the ARNs of the queues that are named.
func (c *initIAM) queues(in leastprivilege.Scope) ([]string, error) {
	var arns []string
	for _, name := range c.Queue {
		arn, ok := in.QueueARN(name)
		if !ok {
			return nil, &usageError{fmt.Errorf("--queue=%s: want the URL or the ARN of a queue", name), "for example https://sqs.eu-west-1.amazonaws.com/123456789012/retirements"}
		}
		arns = append(arns, arn)
	}
	if len(arns) == 0 && slices.Contains(c.For, "queue") {
		return nil, &usageError{errors.New("--for queue: which one?"), "give its URL with --queue"}
	}
	return arns, nil
}

// sources are the ARNs of the repositories that lost images may be copied from.
// A registry that is no ECR asks no role.
func (c *initIAM) sources(in leastprivilege.Scope) ([]string, error) {
	var arns []string
	for _, name := range c.From {
		ref, err := image.Parse(name)
		if err != nil || ref.Tag != "" || ref.Digest != "" {
			return nil, &usageError{fmt.Errorf("--from=%q: want a repository, without a tag", name), "for example 123456789012.dkr.ecr.eu-west-1.amazonaws.com/web"}
		}
		registry, isECR := image.ParseECRHost(ref.Registry)
		if ref.Registry != "" && !isECR {
			return nil, &usageError{fmt.Errorf("--from=%s: %s is no ECR, and no role is asked there", name, ref.Registry), "leave it out"}
		}
		arns = append(arns, in.RepositoryARN(registry.Account, registry.Region, ref.Repository))
	}
	return arns, nil
}

// features are those that are asked for, or the usual ones and those besides that
// plimsoll.yaml or other flags give reason for.
func (c *initIAM) features(besides map[string]bool) ([]leastprivilege.Feature, error) {
	if len(c.For) > 0 {
		found, err := leastprivilege.Find(c.For...)
		if err != nil {
			return nil, &usageError{fmt.Errorf("--for: %w", err), hintOf(err)}
		}
		return found, nil
	}
	features := leastprivilege.Usual()
	for _, name := range leastprivilege.Names() {
		if besides[name] {
			more, err := leastprivilege.Find(name)
			if err != nil {
				return nil, err
			}
			features = append(features, more...)
		}
	}
	return features, nil
}

// topics are the SNS topics that plimsoll.yaml wants told.
func (s *session) topics() ([]string, error) {
	look, err := s.lookup()
	if err != nil {
		return nil, err
	}
	list, err := look.Notifications()
	var topics []string
	for _, n := range list {
		if n.Topic != "" {
			topics = append(topics, n.Topic)
		}
	}
	return topics, err
}

// configured is a service as far as plimsoll.yaml and the command line know it.
// Roles and log group have the names that are usual; what may be there is taken to
// be there.
func configured(in leastprivilege.Scope, set config.Settings) (leastprivilege.Service, error) {
	family := cmp.Or(set.TaskDefinition.Value, set.Service.Value)
	service := leastprivilege.Service{
		Cluster: set.Cluster.Value, Name: set.Service.Value, Family: family, Repositories: repositoriesOf(in, set),
		LogGroups:     []string{in.LogGroupARN("", "/ecs/"+family)},
		ExecutionRole: in.RoleARN(family + "-execution"), TaskRole: in.RoleARN(family + "-task"),
		Balanced: true, Scaled: true,
	}
	if len(service.Repositories) == 0 {
		return service, &usageError{fmt.Errorf("which repository has the images of %s?", service.Name), "say it in " + config.FileName + ", set ECR_REPOSITORY, or leave out --offline"}
	}
	service.Pulls = service.Repositories
	return service, nil
}

// repositoriesOf are the repositories that a service's images are deployed
// from, as far as they are set.
func repositoriesOf(in leastprivilege.Scope, set config.Settings) []string {
	registry, _ := image.ParseECRHost(set.Registry.Value) // of a drydock, and of none, the scope's own
	var names []string
	for _, c := range set.Containers {
		names = append(names, c.Repository)
	}
	if len(names) == 0 && set.Repository.Value != "" {
		names = append(names, set.Repository.Value)
	}
	var arns []string
	for _, name := range names {
		arns = append(arns, in.RepositoryARN(registry.Account, registry.Region, name))
	}
	return arns
}

// asItRuns is a service with all that it runs with.
func asItRuns(ctx context.Context, s *session, in leastprivilege.Scope, h *harbour) (leastprivilege.Service, error) {
	service := leastprivilege.Service{Cluster: h.settings.Cluster.Value, Name: h.settings.Service.Value}
	live, err := h.client.Service(ctx, service.Cluster, service.Name)
	if errors.Is(err, deploy.NotFound) {
		return service, notThere(ctx, "service", service.Name, func(ctx context.Context) ([]string, error) { return h.client.ServiceNames(ctx, service.Cluster) })
	}
	if err != nil {
		return service, err
	}
	raw, err := h.client.TaskDefinition(ctx, cmp.Or(h.settings.TaskDefinition.Value, live.TaskDefinition))
	if err != nil {
		return service, err
	}
	doc, err := taskdef.Parse(raw)
	if err != nil {
		return service, fmt.Errorf("task definition of %s: %w", service.Name, err)
	}
	service.Name, service.Family, service.Balanced = live.Name, doc.Family(), len(live.TargetGroups) > 0
	service.ExecutionRole, service.TaskRole = roleARN(in, doc.ExecutionRoleARN()), roleARN(in, doc.TaskRoleARN())
	fill(&service, in, doc, s.sys.Getenv("ECR_REGISTRY"))
	if own := repositoriesOf(in, h.settings); len(own) > 0 {
		service.Repositories = own
	}
	_, err = h.client.Scaling(ctx, service.Cluster, service.Name)
	switch {
	case err == nil:
		service.Scaled = true
	case !errors.Is(err, deploy.NotFound):
		service.Scaled = true
		s.warn("%s may be scaled or not: %v", service.Name, err)
	}
	return service, nil
}

// roleARN is a role that a task definition names, by ARN or by its bare name.
func roleARN(in leastprivilege.Scope, role string) string {
	if role == "" || strings.HasPrefix(role, "arn:") {
		return role
	}
	return in.RoleARN(role)
}

// fill adds what the containers of a task definition name.
func fill(to *leastprivilege.Service, in leastprivilege.Scope, doc *taskdef.Document, own string) {
	for _, c := range doc.Containers() {
		if ref, err := image.Parse(c.Image); err == nil {
			if registry, isECR := image.ParseECRHost(ref.Registry); isECR || ref.Registry == own {
				to.Pulls = append(to.Pulls, in.RepositoryARN(registry.Account, registry.Region, ref.Repository))
			}
		}
		if c.Log.Driver == "awslogs" && c.Log.Options["awslogs-group"] != "" {
			to.LogGroups = append(to.LogGroups, in.LogGroupARN(c.Log.Options["awslogs-region"], c.Log.Options["awslogs-group"]))
		}
		for _, secret := range slices.Concat(c.Secrets, c.Log.Secrets) {
			addSecret(to, in, secret.ValueFrom)
		}
	}
	to.Repositories = to.Pulls
}

// addSecret sorts a valueFrom: the ARN of a secret, maybe with its key, stage and
// version behind it, or a parameter by ARN or name.
func addSecret(to *leastprivilege.Service, in leastprivilege.Scope, valueFrom string) {
	part := strings.Split(valueFrom, ":")
	switch {
	case len(part) >= 7 && part[2] == "secretsmanager":
		to.Secrets = append(to.Secrets, strings.Join(part[:7], ":"))
	case strings.HasPrefix(valueFrom, "arn:"):
		to.Parameters = append(to.Parameters, valueFrom)
	case valueFrom != "":
		to.Parameters = append(to.Parameters, in.ParameterARN(valueFrom))
	}
}
