package eventbridge

import (
	"context"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/constraint"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/eventpattern"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/schedule"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// maxPattern is the most characters of an event pattern.
const maxPattern = 4096

// checkSchedule holds a schedule expression to what rules take: rate and cron, and
// "rate(1 hour)", but "rate(2 hours)" (user guide, Setting a schedule pattern).
func checkSchedule(expression string) error {
	_, err := schedule.Parse(expression, "", time.Time{})
	rate := regexp.MustCompile(`^rate\((1 (minute|hour|day)|([2-9]|[1-9]\d+) (minute|hour|day)s)\)$`)
	if err != nil || strings.HasPrefix(expression, "at(") || strings.HasPrefix(expression, "rate(") && !rate.MatchString(expression) {
		return invalid("Parameter ScheduleExpression is not valid.")
	}
	return nil
}

func invalidPattern(err error) error {
	return wire.Errorf("InvalidEventPatternException", "Event pattern is not valid. Reason: %v", err)
}

// putRule creates a rule or replaces it: what is not given is gone, but for its targets
// and tags.
func (b *Buses) putRule(_ context.Context, in *putRuleInput) (*putRuleOutput, error) {
	if err := checkName("name", in.Name, 64, false); err != nil {
		return nil, err
	}
	var c constraint.Checks
	c.Length("description", in.Description, 0, 512)
	c.Length("eventPattern", in.EventPattern, 0, maxPattern)
	c.Length("scheduleExpression", in.ScheduleExpression, 0, 256)
	constraint.OneOf(&c, "state", in.State, []ruleState{stateEnabled, stateDisabled, stateAll})
	if err := c.Err(); err != nil {
		return nil, err
	}
	r := &rule{
		Name: *in.Name, Pattern: aws.ToString(in.EventPattern), Schedule: aws.ToString(in.ScheduleExpression),
		State: in.State, Description: aws.ToString(in.Description), Role: aws.ToString(in.RoleArn),
	}
	if r.State == "" {
		r.State = stateEnabled
	}
	if r.Pattern == "" && r.Schedule == "" {
		return nil, invalid("Parameter(s) EventPattern or ScheduleExpression must be specified.")
	}
	if r.Schedule != "" {
		if err := checkSchedule(r.Schedule); err != nil {
			return nil, err
		}
	}
	if r.Pattern != "" {
		pattern, err := eventpattern.Parse(r.Pattern)
		if err != nil {
			return nil, invalidPattern(err)
		}
		r.pattern = pattern
	}
	tags, err := merge(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	out := &putRuleOutput{}
	return out, b.change(func(now time.Time) error {
		of, err := b.bus(in.EventBusName)
		if err != nil {
			return err
		}
		if r.Schedule != "" && of.Name != defaultBus {
			return invalid("ScheduleExpression is supported only on the default event bus.")
		}
		r.Bus, r.Tags, r.Since = of.Name, tags, now
		if old := b.rules[r.key()]; old != nil {
			r.Targets, r.Tags = old.Targets, old.Tags
			if old.Schedule == r.Schedule && old.State == r.State {
				r.Since = old.Since
			}
		}
		b.rules[r.key()] = r
		b.planned(r, now)
		out.RuleArn = aws.String(b.ruleARN(r))
		return nil
	})
}

// planned is for a rule that was put, enabled or disabled.
func (b *Buses) planned(r *rule, now time.Time) {
	b.plan(r, now)
	b.mark(r)
	b.listen()
}

func (b *Buses) showRule(r *rule) shownRule {
	out := shownRule{Name: aws.String(r.Name), Arn: aws.String(b.ruleARN(r)), State: r.State, EventBusName: aws.String(r.Bus)}
	for _, text := range []struct {
		member **string
		value  string
	}{{&out.EventPattern, r.Pattern}, {&out.ScheduleExpression, r.Schedule}, {&out.Description, r.Description}, {&out.RoleArn, r.Role}} {
		if text.value != "" {
			*text.member = aws.String(text.value)
		}
	}
	return out
}

func (b *Buses) describeRule(_ context.Context, in *ruleInput) (*shownRule, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, err := b.rule(in.Name, in.EventBusName)
	if err != nil {
		return nil, err
	}
	out := b.showRule(r)
	out.CreatedBy = aws.String(b.Account)
	return &out, nil
}

// rulesOf are the rules of a bus for which a condition holds.
func (b *Buses) rulesOf(id *string, holds func(*rule) bool) ([]*rule, error) {
	of, err := b.bus(id)
	if err != nil {
		return nil, err
	}
	var out []*rule
	for _, r := range b.rules {
		if r.Bus == of.Name && holds(r) {
			out = append(out, r)
		}
	}
	return out, nil
}

func (b *Buses) listRules(_ context.Context, in *listRulesInput) (*listRulesOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	rules, err := b.rulesOf(in.EventBusName, func(r *rule) bool { return strings.HasPrefix(r.Name, aws.ToString(in.NamePrefix)) })
	if err != nil {
		return nil, err
	}
	rules, next, err := constraint.Page(rules, func(r *rule) string { return r.Name }, "limit", in.Limit, mostListed, in.NextToken)
	out := &listRulesOutput{Rules: []shownRule{}, NextToken: next}
	for _, r := range rules {
		out.Rules = append(out.Rules, b.showRule(r))
	}
	return out, err
}

// deleteRule is no error when there is no such rule. One that has targets cannot be
// deleted.
func (b *Buses) deleteRule(_ context.Context, in *ruleInput) (*struct{}, error) {
	if err := checkName("name", in.Name, 64, false); err != nil {
		return nil, err
	}
	return &struct{}{}, b.change(func(time.Time) error {
		of, err := b.bus(in.EventBusName)
		if err != nil {
			return err
		}
		r := b.rules[of.Name+"/"+*in.Name]
		if r == nil {
			return nil
		}
		if len(r.Targets) > 0 {
			return invalid("Rule can't be deleted since it has targets.")
		}
		delete(b.rules, r.key())
		b.dirty.Delete(bucketRules, r.key())
		b.Clock.Cancel("events/rule/" + r.key())
		b.listen()
		return nil
	})
}

func (b *Buses) setState(in *ruleInput, state ruleState) (*struct{}, error) {
	return &struct{}{}, b.change(func(now time.Time) error {
		r, err := b.rule(in.Name, in.EventBusName)
		if err != nil {
			return err
		}
		if r.State != state {
			r.State, r.Since = state, now
			b.planned(r, now)
		}
		return nil
	})
}

func (b *Buses) enableRule(_ context.Context, in *ruleInput) (*struct{}, error) {
	return b.setState(in, stateEnabled)
}

func (b *Buses) disableRule(_ context.Context, in *ruleInput) (*struct{}, error) {
	return b.setState(in, stateDisabled)
}

func (b *Buses) testEventPattern(_ context.Context, in *testEventPatternInput) (*testEventPatternOutput, error) {
	pattern, err := eventpattern.Parse(aws.ToString(in.EventPattern))
	if err != nil {
		return nil, invalidPattern(err)
	}
	doc, err := eventpattern.Decode([]byte(aws.ToString(in.Event)))
	members, isObject := doc.(map[string]any)
	if err != nil || !isObject {
		return nil, invalid("Parameter Event is not valid.")
	}
	for _, name := range []string{"id", "account", "source", "time", "region", "resources", "detail-type"} { // "The following fields are mandatory" (API reference)
		if _, has := members[name]; !has {
			return nil, invalid("Parameter Event is not valid. Reason: it has no %s.", name)
		}
	}
	return &testEventPatternOutput{Result: pattern.Matches(doc)}, nil
}
