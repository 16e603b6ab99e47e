package ecs

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// executeCommand always refuses, as ECS does: a task without the feature in
// the words of ECS Exec, one with it because its agent is not connected.
// drydock runs no agent in its containers.
func (e *ECS) executeCommand(_ context.Context, in *ecs.ExecuteCommandInput) (*ecs.ExecuteCommandOutput, error) {
	invalid := func(format string, args ...any) error {
		return wire.Errorf("InvalidParameterException", format, args...)
	}
	if !in.Interactive { // "you must specify true for this value" (API reference)
		return nil, invalid("Interactive must be true. Amazon ECS only supports initiating interactive sessions.")
	}
	if *in.Command == "" {
		return nil, invalid("Command can not be blank.")
	}
	return nil, e.change(func(time.Time) error {
		c, err := e.cluster(in.Cluster)
		if err != nil {
			return err
		}
		t, err := e.task(c, *in.Task)
		if err != nil {
			return err
		}
		if t == nil {
			return invalid("The referenced task was not found.")
		}
		name := aws.ToString(in.Container)
		if name == "" && len(t.Containers) > 1 {
			return invalid("A container name must be specified for a task with multiple containers.")
		}
		if name != "" && !slices.ContainsFunc(t.Containers, func(c *container) bool { return c.Name == name }) {
			return invalid("The specified container %s is not in the task.", name)
		}
		if !t.Execute || t.LastStatus != statusRunning {
			return invalid("The execute command failed because execute command was not enabled when the task was run or the execute command agent isn’t running. Wait and try again or run a new task with execute command enabled and try again.")
		}
		return wire.Errorf("TargetNotConnectedException", "The execute command failed due to an internal error. Try again later.")
	})
}

// execAgent is the agent of ECS Exec as a container with that feature shows it.
func execAgent() []types.ManagedAgent {
	return []types.ManagedAgent{{
		Name: types.ManagedAgentNameExecuteCommandAgent, LastStatus: aws.String(statusStopped),
		Reason: aws.String("drydock has no agent for ECS Exec."),
	}}
}
