package ecs

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

const (
	statusDeleting = "DELETE_IN_PROGRESS"

	// How often drydock looks whether a revision that is to be deleted is still
	// used; AWS says that it goes when nothing uses it, and not how soon.
	deletionEvery = time.Hour

	maxDeletions = 10 // revisions of one DeleteTaskDefinitions (API reference)
)

// definitionsAnswer is the answer of DeleteTaskDefinitions.
type definitionsAnswer struct {
	TaskDefinitions []any
	Failures        []types.Failure
}

// deleteTaskDefinitions marks INACTIVE revisions as to be deleted; they go when
// no service and no task uses them. Their numbers are not used again.
func (e *ECS) deleteTaskDefinitions(_ context.Context, in *ecs.DeleteTaskDefinitionsInput) (*definitionsAnswer, error) {
	if n := len(in.TaskDefinitions); n == 0 || n > maxDeletions {
		return nil, wire.Errorf("InvalidParameterException", "Task definitions must have between 1 and %d elements.", maxDeletions)
	}
	for _, id := range in.TaskDefinitions {
		if err := e.ours(id, "task-definition"); err != nil {
			return nil, err
		}
		if !strings.Contains(lastPart(id), ":") {
			return nil, wire.Errorf("InvalidParameterException", "The specified task definition %q is not valid: a revision must be given.", id)
		}
	}
	out := &definitionsAnswer{TaskDefinitions: []any{}, Failures: []types.Failure{}}
	return out, e.change(func(now time.Time) error {
		for _, id := range in.TaskDefinitions {
			f, d := e.definition(id)
			fail := func(reason string) {
				out.Failures = append(out.Failures, types.Failure{Arn: aws.String(e.arn("task-definition", lastPart(id))), Reason: &reason})
			}
			switch {
			case d == nil:
				fail("The specified task definition does not exist. Specify a valid account, family, revision and try again.")
				continue
			case d.Status == statusActive:
				fail("The specified task definition is still in ACTIVE status. Please deregister the target and try again.")
				continue
			case d.Status == statusInactive:
				d.Status, d.DeleteRequested = statusDeleting, now
				e.markFamily(f)
				e.deleteLater(f, d)
			}
			shown, err := e.showDefinition(d)
			if err != nil {
				return err
			}
			out.TaskDefinitions = append(out.TaskDefinitions, shown["taskDefinition"])
		}
		return nil
	})
}

// deleteLater drops a revision once nothing uses it.
func (e *ECS) deleteLater(f *family, d *definition) {
	now := e.Clock.Now()
	looks := now.Sub(d.DeleteRequested) / deletionEvery
	e.Clock.At(d.DeleteRequested.Add((looks+1)*deletionEvery), "task-definition/"+d.ARN, func(time.Time) {
		e.wake(func(time.Time) {
			if e.uses(d.ARN) {
				e.deleteLater(f, d)
				return
			}
			f.Revisions = slices.DeleteFunc(f.Revisions, func(o *definition) bool { return o == d })
			e.markFamily(f)
		})
	})
}

// uses is whether a service or task still needs a revision; what a rollback
// would go back to is needed.
func (e *ECS) uses(arn string) bool {
	for _, s := range e.services {
		if s.Status == statusInactive {
			continue
		}
		if s.TaskDefinition == arn || s.LastCompleted != nil && s.LastCompleted.TaskDefinition == arn ||
			slices.ContainsFunc(s.Deployments, func(d *deployment) bool { return d.TaskDefinition == arn }) {
			return true
		}
	}
	for _, t := range e.tasks {
		if t.TaskDefinition == arn && t.LastStatus != statusStopped {
			return true
		}
	}
	return false
}

// resumeDeletions goes on with what was to be deleted when drydock ended.
func (e *ECS) resumeDeletions() {
	for _, name := range slices.Sorted(maps.Keys(e.families)) {
		for _, d := range e.families[name].Revisions {
			if d.Status == statusDeleting {
				e.deleteLater(e.families[name], d)
			}
		}
	}
}
