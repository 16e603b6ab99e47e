package eventbridge

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/constraint"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// maxTargets is the most targets of a rule (user guide, quotas).
const maxTargets = 5

// putTargets adds targets to a rule, or replaces those of the same id.
func (b *Buses) putTargets(_ context.Context, in *putTargetsInput) (*targetsOutput, error) {
	var c constraint.Checks
	c.Present("rule", in.Rule != nil)
	if c.Present("targets", in.Targets != nil) {
		c.Count("targets", len(in.Targets), 1, 100)
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	for i := range in.Targets {
		if err := checkTarget(&in.Targets[i]); err != nil {
			return nil, err
		}
	}
	out := &targetsOutput{FailedEntries: []failedEntry{}}
	return out, b.change(func(time.Time) error {
		r, err := b.rule(in.Rule, in.EventBusName)
		if err != nil {
			return err
		}
		targets := slices.Clone(r.Targets)
		for _, t := range in.Targets {
			if i := slices.IndexFunc(targets, func(old target) bool { return *old.Id == *t.Id }); i >= 0 {
				targets[i] = t
			} else {
				targets = append(targets, t)
			}
		}
		if len(targets) > maxTargets {
			return wire.Errorf("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
		}
		r.Targets = targets
		b.mark(r)
		return nil
	})
}

// checkTarget holds a target to its rules, and fills in what AWS does.
func checkTarget(t *target) error {
	if err := checkName("targets.1.member.id", t.Id, 64, false); err != nil {
		return err
	}
	arn := aws.ToString(t.Arn)
	part := strings.SplitN(arn, ":", 6)
	if len(part) < 6 || part[0] != "arn" || part[2] == "" || part[5] == "" {
		return invalid("Parameter Arn is not valid. Reason: Provided Arn is not in correct format.")
	}
	inputs := 0
	for _, given := range []bool{t.Input != nil, t.InputPath != nil, t.InputTransformer != nil} {
		if given {
			inputs++
		}
	}
	switch {
	case inputs > 1:
		return invalid("Only one of Input, InputPath, or InputTransformer must be provided for target %s.", *t.Id)
	case t.Input != nil && !json.Valid([]byte(*t.Input)):
		return invalid("JSON syntax error in input for target %s", *t.Id)
	case t.InputPath != nil && !isPath(*t.InputPath):
		return invalid("Parameter InputPath is not valid.")
	}
	if why := checkTransformer(t.InputTransformer); why != "" {
		return invalid("%s for target %s.", why, *t.Id)
	}
	if part[2] == "ecs" {
		return checkTasks(t, part[5])
	}
	if t.EcsParameters != nil {
		return invalid("Parameter(s) EcsParameters not valid for target: %s", arn)
	}
	if part[2] == "sqs" && strings.HasSuffix(part[5], ".fifo") != (t.SqsParameters != nil) {
		return invalid("Parameter(s) SqsParameters must be specified for target: %s, and for FIFO queues only.", *t.Id)
	}
	return nil
}

func isPath(path string) bool {
	_, ok := steps(path)
	return ok
}

// checkTasks: a cluster is a target with a role and with parameters, one task unless
// they say more.
func checkTasks(t *target, resource string) error {
	switch {
	case !strings.HasPrefix(resource, "cluster/"):
		return invalid("Parameter Arn is not valid. Reason: Provided Arn is not in correct format.")
	case t.EcsParameters == nil:
		return invalid("Parameter(s) EcsParameters must be specified for target: %s", *t.Id)
	case aws.ToString(t.RoleArn) == "":
		return invalid("RoleArn is required for target %s.", *t.Arn)
	}
	if why := t.EcsParameters.Check(); why != "" {
		return invalid("Parameter EcsParameters is not valid. Reason: %s.", why)
	}
	if t.EcsParameters.TaskCount == nil {
		tasks := *t.EcsParameters
		tasks.TaskCount = aws.Int32(1)
		t.EcsParameters = &tasks
	}
	return nil
}

func (b *Buses) removeTargets(_ context.Context, in *removeTargetsInput) (*targetsOutput, error) {
	var c constraint.Checks
	if c.Present("ids", in.Ids != nil) {
		c.Count("ids", len(in.Ids), 1, 100)
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	out := &targetsOutput{FailedEntries: []failedEntry{}}
	return out, b.change(func(time.Time) error {
		r, err := b.rule(in.Rule, in.EventBusName)
		if err != nil {
			return err
		}
		for _, id := range in.Ids {
			if !slices.ContainsFunc(r.Targets, func(t target) bool { return *t.Id == id }) {
				out.FailedEntries = append(out.FailedEntries, failedEntry{
					TargetId: aws.String(id), ErrorCode: aws.String("ResourceNotFoundException"),
					ErrorMessage: aws.String(fmt.Sprintf("Rule %s does not have a target with the id %s.", r.Name, id)),
				})
			}
		}
		out.FailedEntryCount = int32(len(out.FailedEntries))
		r.Targets = slices.DeleteFunc(slices.Clone(r.Targets), func(t target) bool { return slices.Contains(in.Ids, *t.Id) })
		b.mark(r)
		return nil
	})
}

func (b *Buses) listTargetsByRule(_ context.Context, in *listTargetsByRuleInput) (*listTargetsByRuleOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, err := b.rule(in.Rule, in.EventBusName)
	if err != nil {
		return nil, err
	}
	targets, next, err := constraint.Page(slices.Clone(r.Targets), func(t target) string { return *t.Id }, "limit", in.Limit, mostListed, in.NextToken)
	if targets == nil {
		targets = []target{}
	}
	return &listTargetsByRuleOutput{Targets: targets, NextToken: next}, err
}

func (b *Buses) listRuleNamesByTarget(_ context.Context, in *listRuleNamesByTargetInput) (*listRuleNamesByTargetOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	rules, err := b.rulesOf(in.EventBusName, func(r *rule) bool {
		return slices.ContainsFunc(r.Targets, func(t target) bool { return *t.Arn == aws.ToString(in.TargetArn) })
	})
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, r := range rules {
		names = append(names, r.Name)
	}
	names, next, err := constraint.Page(names, itself, "limit", in.Limit, mostListed, in.NextToken)
	return &listRuleNamesByTargetOutput{RuleNames: names, NextToken: next}, err
}
