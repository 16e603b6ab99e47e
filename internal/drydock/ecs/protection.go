package ecs

import (
	"context"
	"encoding/json"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// Bounds of UpdateTaskProtection (API reference).
const (
	protectionDefault = 120  // minutes
	protectionMost    = 2880 // minutes
	protectMost       = 10   // tasks of one UpdateTaskProtection
	protectionsShown  = 100  // tasks of one GetTaskProtection
)

// protected is whether the scheduler must leave the task alone when it scales
// in or deploys. Health checks, maintenance and StopTask stop it all the same.
func (t *task) protected(now time.Time) bool { return now.Before(t.ProtectedUntil) }

// protections are when the protection of a service's tasks ends: the scheduler
// looks again then.
func (e *ECS) protections(s *service, now time.Time) (ends []time.Time) {
	for _, t := range e.byOwner[s.key()] {
		if t.protected(now) && t.DesiredStatus == statusRunning {
			ends = append(ends, t.ProtectedUntil)
		}
	}
	return ends
}

// updateTaskProtection protects tasks from scale-in and deployments, or ends
// that. Minutes are of the calendar: the clock does not scale them.
func (e *ECS) updateTaskProtection(_ context.Context, c wire.Call) (any, error) {
	in := new(ecs.UpdateTaskProtectionInput)
	if err := decode(c.Body, in); err != nil {
		return nil, err
	}
	minutes, err := protectionMinutes(c.Body, in)
	if err != nil {
		return nil, err
	}
	out := &ecs.UpdateTaskProtectionOutput{ProtectedTasks: []types.ProtectedTask{}, Failures: []types.Failure{}}
	return out, e.change(func(now time.Time) error {
		found, failures, err := e.serviceTasks(in.Cluster, in.Tasks)
		if err != nil {
			return err
		}
		out.Failures = append(out.Failures, failures...)
		for _, t := range found {
			s := e.serviceOf(t)
			if in.ProtectionEnabled && !t.protected(now) && e.protectedTasks(s, now) >= s.Desired {
				out.Failures = append(out.Failures, types.Failure{
					Arn: aws.String(t.ARN), Reason: aws.String("DEPLOYMENT_BLOCKED"),
					Detail: aws.String("The service has as many protected tasks as its desired count of tasks."),
				})
				continue
			}
			t.ProtectedUntil = time.Time{}
			if in.ProtectionEnabled {
				t.ProtectedUntil = now.Add(time.Duration(minutes) * time.Minute)
			}
			e.markTask(t)
			e.look(s, now)
			out.ProtectedTasks = append(out.ProtectedTasks, t.showProtection(now))
		}
		return nil
	})
}

// protectionMinutes checks what the struct alone cannot tell: whether the
// request says protectionEnabled at all.
func protectionMinutes(body []byte, in *ecs.UpdateTaskProtectionInput) (int32, error) {
	var given struct{ ProtectionEnabled *bool }
	if err := json.Unmarshal(body, &given); err != nil || given.ProtectionEnabled == nil {
		return 0, wire.Errorf("InvalidParameterException", "Protection enabled can not be blank.")
	}
	if len(in.Tasks) == 0 || len(in.Tasks) > protectMost {
		return 0, wire.Errorf("InvalidParameterException", "Tasks must have between 1 and %d elements.", protectMost)
	}
	if in.ExpiresInMinutes == nil {
		return protectionDefault, nil
	}
	if m := *in.ExpiresInMinutes; m < 1 || m > protectionMost {
		return 0, wire.Errorf("InvalidParameterException", "expiresInMinutes must be between 1 and %d.", protectionMost)
	}
	return *in.ExpiresInMinutes, nil
}

// getTaskProtection shows the protection of tasks. The model lets a request
// leave the tasks out and nothing says what it would get then; drydock refuses
// it.
func (e *ECS) getTaskProtection(_ context.Context, in *ecs.GetTaskProtectionInput) (*ecs.GetTaskProtectionOutput, error) {
	if len(in.Tasks) == 0 || len(in.Tasks) > protectionsShown {
		return nil, wire.Errorf("InvalidParameterException", "Tasks must have between 1 and %d elements.", protectionsShown)
	}
	out := &ecs.GetTaskProtectionOutput{ProtectedTasks: []types.ProtectedTask{}, Failures: []types.Failure{}}
	return out, e.change(func(now time.Time) error {
		found, failures, err := e.serviceTasks(in.Cluster, in.Tasks)
		for _, t := range found {
			out.ProtectedTasks = append(out.ProtectedTasks, t.showProtection(now))
		}
		out.Failures = append(out.Failures, failures...)
		return err
	})
}

// serviceTasks finds tasks of services; the others are failures. A task that
// is on its way out can be protected no more.
func (e *ECS) serviceTasks(cluster *string, ids []string) (found []*task, failures []types.Failure, err error) {
	c, err := e.cluster(cluster)
	if err != nil {
		return nil, nil, err
	}
	for _, id := range ids {
		t, err := e.task(c, id)
		switch {
		case err != nil:
			return nil, nil, err
		case t == nil:
			failures = append(failures, missing(e.arn("task", c.Name, lastPart(id))))
		case t.Service == "" || e.serviceOf(t) == nil || t.DesiredStatus != statusRunning:
			failures = append(failures, types.Failure{
				Arn: aws.String(t.ARN), Reason: aws.String("TASK_NOT_VALID"),
				Detail: aws.String("Only running tasks of a service can be protected."),
			})
		default:
			found = append(found, t)
		}
	}
	return found, failures, nil
}

func (e *ECS) protectedTasks(s *service, now time.Time) int {
	n := 0
	for _, t := range e.byOwner[s.key()] {
		if t.protected(now) && t.DesiredStatus == statusRunning {
			n++
		}
	}
	return n
}

func (t *task) showProtection(now time.Time) types.ProtectedTask {
	out := types.ProtectedTask{TaskArn: aws.String(t.ARN), ProtectionEnabled: t.protected(now)}
	if out.ProtectionEnabled {
		out.ExpirationDate = moment(t.ProtectedUntil)
	}
	return out
}
