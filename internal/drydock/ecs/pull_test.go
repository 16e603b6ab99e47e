package ecs

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
)

func TestMissingLogGroup(t *testing.T) {
	w := newWorld(t, store.Memory())
	in := definitionOf("v1")
	in.ExecutionRoleArn = aws.String("arn:aws:iam::123456789012:role/execution")
	in.ContainerDefinitions[0].LogConfiguration = &types.LogConfiguration{LogDriver: types.LogDriverAwslogs, Options: map[string]string{
		"awslogs-group": "/absent", "awslogs-region": "ap-northeast-1", "awslogs-stream-prefix": "web",
	}}
	w.create(*do[ecs.RegisterTaskDefinitionOutput](w, "RegisterTaskDefinition", in).TaskDefinition.TaskDefinitionArn, 1, nil)
	w.clock.Advance(2 * time.Minute)
	stopped := w.tasksShown(types.DesiredStatusStopped)
	if len(stopped) == 0 {
		t.Fatal("no stopped task")
	}
	const want = "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: " +
		"failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist."
	if got := stopped[0]; got.StopCode != types.TaskStopCodeTaskFailedToStart || *got.StoppedReason != want {
		t.Errorf("%s: %s", got.StopCode, *got.StoppedReason)
	}
}
