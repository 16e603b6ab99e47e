package ecs

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// stopServiceDeployment ends a service deployment that is under way; the
// scheduler carries it out at its next tick. A rollback needs no circuit
// breaker, only something to go back to. From which states which is possible
// is in the developer guide, "Stopping Amazon ECS service deployments": one
// that is already stopping or rolling back goes on as it does.
func (e *ECS) stopServiceDeployment(_ context.Context, in *ecs.StopServiceDeploymentInput) (*ecs.StopServiceDeploymentOutput, error) {
	arn := aws.ToString(in.ServiceDeploymentArn)
	switch in.StopType {
	case "", types.StopServiceDeploymentStopTypeRollback, types.StopServiceDeploymentStopTypeAbort:
	default:
		return nil, wire.Errorf("InvalidParameterException", "Invalid stopType: %q.", string(in.StopType))
	}
	err := e.change(func(now time.Time) error {
		s, r := e.record(arn)
		if r == nil {
			return wire.Errorf("ServiceDeploymentNotFoundException", "Service deployment not found.")
		}
		switch r.Status {
		case types.ServiceDeploymentStatusRollbackRequested, types.ServiceDeploymentStatusRollbackInProgress, types.ServiceDeploymentStatusStopRequested:
			return nil
		case types.ServiceDeploymentStatusPending, types.ServiceDeploymentStatusInProgress:
		default:
			return wire.Errorf("ConflictException", "The service deployment is in the state %s and cannot be stopped.", r.Status)
		}
		if in.StopType == types.StopServiceDeploymentStopTypeAbort {
			e.abort(s, r, now)
			return nil
		}
		if s.rollbackTarget() == nil {
			return wire.Errorf("ConflictException", "The service has no completed service revision to roll back to.")
		}
		r.Status, r.Updated, r.RollbackReason = types.ServiceDeploymentStatusRollbackRequested, now, "Service deployment rolled back by the user."
		e.markService(s)
		e.look(s, now)
		return nil
	})
	return &ecs.StopServiceDeploymentOutput{ServiceDeploymentArn: &arn}, err
}

// abort stops a deployment where it is: nothing more is started or stopped
// for it, the tasks and the traffic stay as they are, and the service waits
// for its next deployment. ABORT is one of the API's enum and documented
// nowhere else; what it does here is drydock's reading of its name.
func (e *ECS) abort(s *service, r *serviceDeployment, now time.Time) {
	r.Status, r.Updated = types.ServiceDeploymentStatusStopRequested, now
	r.StatusReason = "Service deployment stopped by the user."
	d := s.primary()
	d.RolloutState, d.Updated = rolloutFailed, now
	d.Reason = "ECS deployment " + d.ID + " was stopped by the user."
	for _, h := range r.Hooks {
		if h.open() {
			e.settleHook(s, r, h, types.DeploymentLifecycleHookStatusFailed, now)
		}
	}
	e.markService(s)
	e.look(s, now)
}
