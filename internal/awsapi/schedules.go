package awsapi

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
)

func eventBridge() api { return api{id: "EventBridge", signing: "events", version: "AWSEvents"} }

func scheduler() api { return api{id: "Scheduler", signing: "scheduler"} }

// schedulesAtOnce bounds the calls to EventBridge at a time. Its reads have room
// for fifty a second (Amazon EventBridge quotas).
const schedulesAtOnce = 4

// rule is an EventBridge rule, as ListRules has it.
type rule struct {
	Name, Arn, State, ScheduleExpression, ManagedBy, EventBusName string
}

// Rules implements survey.AWS.
func (c *Client) Rules(ctx context.Context) ([]audit.Schedule, error) {
	buses, err := c.eventBuses(ctx)
	switch {
	case errors.Is(err, deploy.Denied):
		buses = []string{"default"} // which is always there
	case err != nil:
		return nil, err
	}
	var rules []rule
	for _, bus := range buses {
		list, refused := c.rulesOf(ctx, bus)
		err = cmp.Or(err, refused)
		rules = append(rules, list...)
	}
	return each(rules, err, func(r rule) ([]audit.Schedule, error) { return c.ruleTargets(ctx, r) })
}

// each asks about every item, a few at a time, and joins what comes of it.
func each[T any](items []T, err error, ask func(T) ([]audit.Schedule, error)) ([]audit.Schedule, error) {
	var (
		mu    sync.Mutex
		group sync.WaitGroup
		found []audit.Schedule
		turns = make(chan struct{}, schedulesAtOnce)
	)
	for _, item := range items {
		group.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			list, failed := ask(item)
			mu.Lock()
			defer mu.Unlock()
			found = append(found, list...)
			err = cmp.Or(err, failed) // one says as much as a hundred
		})
	}
	group.Wait()
	return found, err
}

func (c *Client) eventBuses(ctx context.Context) ([]string, error) {
	in := struct {
		Limit     int
		NextToken string `json:",omitempty"`
	}{Limit: 100}
	var names []string
	for {
		var out struct {
			EventBuses []struct{ Name string }
			NextToken  string
		}
		if err := c.askJSON(ctx, eventBridge(), "", "ListEventBuses", in, &out); err != nil {
			return nil, wrap("list event buses", err)
		}
		for _, bus := range out.EventBuses {
			names = append(names, bus.Name)
		}
		if in.NextToken = out.NextToken; in.NextToken == "" {
			return names, nil
		}
	}
}

// rulesOf are the rules of a bus, without those that AWS's services keep for
// themselves.
func (c *Client) rulesOf(ctx context.Context, bus string) ([]rule, error) {
	in := struct {
		EventBusName string
		Limit        int
		NextToken    string `json:",omitempty"`
	}{EventBusName: bus, Limit: 100}
	var rules []rule
	for {
		var out struct {
			Rules     []rule
			NextToken string
		}
		if err := c.askJSON(ctx, eventBridge(), "", "ListRules", in, &out); err != nil {
			return rules, wrap("list the rules of bus "+bus, err)
		}
		for _, r := range out.Rules {
			if r.ManagedBy == "" {
				r.EventBusName = bus
				rules = append(rules, r)
			}
		}
		if in.NextToken = out.NextToken; in.NextToken == "" {
			return rules, nil
		}
	}
}

// ruleTargets are the tasks that a rule starts. The target is the cluster.
func (c *Client) ruleTargets(ctx context.Context, r rule) ([]audit.Schedule, error) {
	in := struct {
		Rule, EventBusName string
		Limit              int
		NextToken          string `json:",omitempty"`
	}{Rule: r.Name, EventBusName: r.EventBusName, Limit: 100}
	var list []audit.Schedule
	for {
		var out struct {
			Targets []struct {
				Arn           string
				EcsParameters *struct{ TaskDefinitionArn string }
			}
			NextToken string
		}
		if err := c.askJSON(ctx, eventBridge(), "", "ListTargetsByRule", in, &out); err != nil {
			return list, wrap("list the targets of rule "+r.Name, err)
		}
		for _, t := range out.Targets {
			if t.EcsParameters == nil || t.EcsParameters.TaskDefinitionArn == "" {
				continue
			}
			list = append(list, audit.Schedule{
				Kind: "rule", Name: r.EventBusName + "/" + r.Name, ARN: r.Arn, Enabled: strings.HasPrefix(r.State, "ENABLED"),
				Expression: r.ScheduleExpression, Cluster: path.Base(t.Arn), TaskDefinition: t.EcsParameters.TaskDefinitionArn,
			})
		}
		if in.NextToken = out.NextToken; in.NextToken == "" {
			return list, nil
		}
	}
}

// schedule is one of EventBridge Scheduler, as GetSchedule has it; ListSchedules
// leaves out of its target all but the ARN.
type schedule struct {
	Arn, Name, GroupName, State, ScheduleExpression string

	Target struct {
		Arn           string
		Input         string
		EcsParameters *struct{ TaskDefinitionArn string }
	}
}

// runTask is the universal target that calls RunTask with its input.
const runTask = ":scheduler:::aws-sdk:ecs:runTask"

// Schedules implements survey.AWS.
func (c *Client) Schedules(ctx context.Context) ([]audit.Schedule, error) {
	var ours []schedule
	query := url.Values{"MaxResults": {"100"}}
	var failed error
	for more := true; more; more = query.Get("NextToken") != "" {
		var out struct {
			Schedules []schedule
			NextToken string
		}
		if err := c.askREST(ctx, scheduler(), "", "ListSchedules", http.MethodGet, "/schedules", query, nil, &out); err != nil {
			failed = wrap("list schedules", err)
			break
		}
		for _, s := range out.Schedules {
			if strings.Contains(s.Target.Arn, ":ecs:") && strings.Contains(s.Target.Arn, ":cluster/") || strings.HasSuffix(s.Target.Arn, runTask) {
				ours = append(ours, s)
			}
		}
		query.Set("NextToken", out.NextToken)
	}
	return each(ours, failed, func(s schedule) ([]audit.Schedule, error) { return c.scheduleTarget(ctx, s) })
}

// scheduleTarget is what a schedule starts.
func (c *Client) scheduleTarget(ctx context.Context, s schedule) ([]audit.Schedule, error) {
	var out schedule
	err := c.askREST(ctx, scheduler(), "", "GetSchedule", http.MethodGet, "/schedules/"+url.PathEscape(s.Name), url.Values{"groupName": {s.GroupName}}, nil, &out)
	if err != nil {
		return nil, wrap("read schedule "+s.GroupName+"/"+s.Name, err)
	}
	cluster, definition := out.Target.Arn, ""
	if out.Target.EcsParameters != nil {
		definition = out.Target.EcsParameters.TaskDefinitionArn
	}
	if strings.HasSuffix(out.Target.Arn, runTask) {
		var in struct{ Cluster, TaskDefinition string }
		if json.Unmarshal([]byte(out.Target.Input), &in) != nil {
			return nil, nil // it can start nothing
		}
		cluster, definition = cmp.Or(in.Cluster, "default"), in.TaskDefinition
	}
	return []audit.Schedule{{
		Kind: "schedule", Name: s.GroupName + "/" + s.Name, ARN: cmp.Or(out.Arn, s.Arn), Enabled: out.State == "ENABLED",
		Expression: out.ScheduleExpression, Cluster: path.Base(cluster), TaskDefinition: definition,
	}}, nil
}
