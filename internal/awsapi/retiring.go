package awsapi

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/maintenance"
)

// TasksByARN implements maintenance.Tasks.
func (c *Client) TasksByARN(ctx context.Context, cluster string, arns []string) ([]maintenance.Task, error) {
	var tasks []maintenance.Task
	for part := range slices.Chunk(arns, 100) { // of one DescribeTasks
		out, err := c.ecs().DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: &cluster, Tasks: part})
		if err != nil {
			return nil, wrap("read tasks of cluster "+cluster, err)
		}
		for _, t := range out.Tasks {
			tasks = append(tasks, maintenance.Task{
				ARN: aws.ToString(t.TaskArn), Group: aws.ToString(t.Group),
				Running: aws.ToString(t.DesiredStatus) != string(types.DesiredStatusStopped),
			})
		}
	}
	return tasks, nil
}
