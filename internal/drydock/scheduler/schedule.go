package scheduler

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/constraint"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/schedule"
)

func notOfName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(".-_", r)
}

func checkName(name *string) error {
	var c constraint.Checks
	if c.Present("name", name != nil) {
		c.Length("name", name, 1, 64)
	}
	if err := c.Err(); err != nil {
		return err
	}
	if strings.ContainsFunc(*name, notOfName) {
		return invalid("1 validation error detected: Value '%s' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[0-9a-zA-Z-_.]+$", *name)
	}
	return nil
}

// complete holds the settings of a schedule to their rules, and fills in what AWS does.
func (a *settings) complete() error {
	var c constraint.Checks
	c.Length("description", a.Description, 0, 512)
	if c.Present("scheduleExpression", a.ScheduleExpression != nil) {
		c.Length("scheduleExpression", a.ScheduleExpression, 1, 256)
	}
	c.Present("flexibleTimeWindow", a.FlexibleTimeWindow != nil)
	c.Present("target", a.Target != nil)
	constraint.OneOf(&c, "state", a.State, []scheduleState{stateEnabled, stateDisabled})
	constraint.OneOf(&c, "actionAfterCompletion", a.ActionAfterCompletion, []afterCompletion{afterNone, afterDelete})
	if err := c.Err(); err != nil {
		return err
	}
	a.State, a.ActionAfterCompletion = cmp.Or(a.State, stateEnabled), cmp.Or(a.ActionAfterCompletion, afterNone)
	zone := cmp.Or(aws.ToString(a.ScheduleExpressionTimezone), "UTC")
	a.ScheduleExpressionTimezone = &zone
	if _, err := schedule.Parse("cron(0 0 * * ? *)", zone, time.Time{}); err != nil {
		return invalid("Invalid Timezone %s.", zone)
	}
	if _, err := schedule.Parse(*a.ScheduleExpression, zone, time.Time{}); err != nil {
		return invalid("Invalid Schedule Expression %s.", *a.ScheduleExpression)
	}
	if a.StartDate != nil && a.EndDate != nil && !a.EndDate.After(*a.StartDate) {
		return invalid("The EndDate you specify must come after the StartDate.")
	}
	if err := a.FlexibleTimeWindow.check(); err != nil {
		return err
	}
	return a.Target.complete()
}

func (w *window) check() error {
	var c constraint.Checks
	c.Present("flexibleTimeWindow.mode", w.Mode != "")
	constraint.OneOf(&c, "flexibleTimeWindow.mode", w.Mode, []windowMode{windowOff, windowFlexible})
	if err := c.Err(); err != nil {
		return err
	}
	switch minutes := w.MaximumWindowInMinutes; {
	case w.Mode == windowFlexible && (minutes == nil || *minutes < 1 || *minutes > 1440):
		return invalid("MaximumWindowInMinutes must be between 1 and 1440 when the mode of the flexible time window is FLEXIBLE.")
	case w.Mode == windowOff && minutes != nil:
		return invalid("MaximumWindowInMinutes must not be given when the mode of the flexible time window is OFF.")
	}
	return nil
}

// What a schedule retries unless it is told otherwise (API reference, RetryPolicy).
const (
	usualAge      = 86400
	usualAttempts = 185
)

func (t *target) complete() error {
	var c constraint.Checks
	if c.Present("target.arn", t.Arn != nil) {
		c.Length("target.arn", t.Arn, 1, 1600)
	}
	if c.Present("target.roleArn", t.RoleArn != nil) {
		c.Length("target.roleArn", t.RoleArn, 1, 1600)
	}
	if err := c.Err(); err != nil {
		return err
	}
	part := strings.SplitN(*t.Arn, ":", 6)
	if len(part) < 6 || part[0] != "arn" || part[2] == "" || part[5] == "" {
		return invalid("Provided Arn is not in correct format.")
	}
	if !strings.HasPrefix(*t.RoleArn, "arn:aws:iam::") || !strings.Contains(*t.RoleArn, ":role/") {
		return invalid("Provided RoleArn is not in correct format.")
	}
	isCluster := part[2] == "ecs" && strings.HasPrefix(part[5], "cluster/")
	switch {
	case isCluster && t.EcsParameters == nil:
		return invalid("EcsParameters must be specified for the target %s.", *t.Arn)
	case !isCluster && t.EcsParameters != nil:
		return invalid("EcsParameters must not be specified for the target %s.", *t.Arn)
	case isCluster:
		if why := t.EcsParameters.Check(); why != "" {
			return invalid("%s.", why)
		}
		t.EcsParameters.TaskCount = cmp.Or(t.EcsParameters.TaskCount, aws.Int32(1))
	}
	if t.RetryPolicy == nil {
		t.RetryPolicy = &retryPolicy{}
	}
	t.RetryPolicy.MaximumEventAgeInSeconds = cmp.Or(t.RetryPolicy.MaximumEventAgeInSeconds, aws.Int32(usualAge))
	t.RetryPolicy.MaximumRetryAttempts = cmp.Or(t.RetryPolicy.MaximumRetryAttempts, aws.Int32(usualAttempts))
	return nil
}

// begin sets the first run of a schedule that was made or changed. A rate without a start
// date begins at once (user guide, Schedule types).
func (s *Schedules) begin(p *planned, now time.Time) {
	p.Since = now
	if p.Asked.StartDate != nil {
		p.Since = *p.Asked.StartDate
	}
	s.plan(p, now.Add(-1))
	s.mark(p)
}

func (s *Schedules) createSchedule(_ context.Context, in *putScheduleInput) (*putScheduleOutput, error) {
	if err := checkName(in.Name); err != nil {
		return nil, err
	}
	asked := in.settings()
	if err := asked.complete(); err != nil {
		return nil, err
	}
	out := &putScheduleOutput{}
	return out, s.change(func(now time.Time) error {
		g, err := s.group(in.GroupName)
		if err != nil {
			return err
		}
		p := &planned{Group: g.Name, Name: *in.Name, Asked: asked, Created: now, Modified: now, Token: aws.ToString(in.ClientToken)}
		out.ScheduleArn = aws.String(s.arn(p))
		if old := s.schedules[p.key()]; old != nil {
			if old.Token != "" && old.Token == p.Token {
				return nil // the answer was lost, and this is the retry
			}
			return conflict("Schedule %s already exists.", p.Name)
		}
		s.schedules[p.key()] = p
		s.begin(p, now)
		return nil
	})
}

// updateSchedule replaces everything: "EventBridge Scheduler uses the request parameters
// and sets the rest to their default values" (API reference).
func (s *Schedules) updateSchedule(_ context.Context, in *putScheduleInput) (*putScheduleOutput, error) {
	asked := in.settings()
	if err := asked.complete(); err != nil {
		return nil, err
	}
	out := &putScheduleOutput{}
	return out, s.change(func(now time.Time) error {
		old, err := s.schedule(in.Name, in.GroupName)
		if err != nil {
			return err
		}
		p := *old // a wake-up of the old one finds that it is not there any more
		p.Asked, p.Modified = asked, now
		s.schedules[p.key()] = &p
		s.begin(&p, now)
		out.ScheduleArn = aws.String(s.arn(&p))
		return nil
	})
}

func (s *Schedules) getSchedule(_ context.Context, in *scheduleInput) (*getScheduleOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := s.schedule(in.Name, in.GroupName)
	if err != nil {
		return nil, err
	}
	a := p.Asked
	return &getScheduleOutput{
		aws.String(s.arn(p)), aws.String(p.Name), aws.String(p.Group), aws.Time(p.Created), aws.Time(p.Modified),
		a.ActionAfterCompletion, a.Description, a.EndDate, a.FlexibleTimeWindow, a.KmsKeyArn,
		a.ScheduleExpression, a.ScheduleExpressionTimezone, a.StartDate, a.State, a.Target,
	}, nil
}

func (s *Schedules) deleteSchedule(_ context.Context, in *scheduleInput) (*struct{}, error) {
	return &struct{}{}, s.change(func(time.Time) error {
		p, err := s.schedule(in.Name, in.GroupName)
		if err != nil {
			return err
		}
		s.drop(p)
		return nil
	})
}

// mostListed is how many items one page lists.
const mostListed = 100

func (s *Schedules) listSchedules(_ context.Context, in *listSchedulesInput) (*listSchedulesOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if in.GroupName != nil {
		if _, err := s.group(in.GroupName); err != nil {
			return nil, err
		}
	}
	var found []*planned
	for _, p := range s.schedules {
		if (in.GroupName == nil || *in.GroupName == p.Group) && strings.HasPrefix(p.Name, aws.ToString(in.NamePrefix)) && (in.State == "" || in.State == p.Asked.State) {
			found = append(found, p)
		}
	}
	found, next, err := constraint.Page(found, (*planned).key, "maxResults", in.MaxResults, mostListed, in.NextToken)
	out := &listSchedulesOutput{NextToken: next, Schedules: []scheduleSummary{}}
	for _, p := range found {
		out.Schedules = append(out.Schedules, scheduleSummary{
			aws.String(s.arn(p)), aws.String(p.Name), aws.String(p.Group), aws.Time(p.Created), aws.Time(p.Modified), p.Asked.State, &targetSummary{p.Asked.Target.Arn},
		})
	}
	return out, err
}
