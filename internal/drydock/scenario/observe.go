package scenario

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// sight is a service as it is now.
type sight struct {
	types.Service
}

// look looks at a service.
func (w *world) look(ctx context.Context, cluster, name string) (sight, error) {
	out, err := w.client.ECS.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: &cluster, Services: []string{name}})
	if err != nil {
		return sight{}, err
	}
	if len(out.Services) == 0 {
		return sight{}, fmt.Errorf("there is no service %s in the cluster %s", name, cluster)
	}
	return sight{out.Services[0]}, nil
}

// primary is the deployment that the service wants to run.
func (s sight) primary() types.Deployment {
	for _, d := range s.Deployments {
		if aws.ToString(d.Status) == "PRIMARY" {
			return d
		}
	}
	return types.Deployment{}
}

// settled is whether nothing is under way and everything wanted runs.
func (s sight) settled() bool {
	return len(s.Deployments) == 1 && s.RunningCount == s.DesiredCount && s.PendingCount == 0 &&
		s.primary().RolloutState == types.DeploymentRolloutStateCompleted
}

// tasks are the tasks of a service, of the whole cluster when name is "",
// oldest first among each status.
func (w *world) tasks(ctx context.Context, cluster, name string, statuses ...types.DesiredStatus) ([]types.Task, error) {
	var out []types.Task
	for _, status := range statuses {
		in := &ecs.ListTasksInput{Cluster: &cluster, DesiredStatus: status}
		if name != "" {
			in.ServiceName = &name
		}
		pages := ecs.NewListTasksPaginator(w.client.ECS, in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			if len(page.TaskArns) == 0 {
				continue
			}
			described, err := w.client.ECS.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: &cluster, Tasks: page.TaskArns})
			if err != nil {
				return nil, err
			}
			out = append(out, described.Tasks...)
		}
	}
	return out, nil
}

// both are the statuses that a task can be asked for by.
func both() []types.DesiredStatus {
	return []types.DesiredStatus{types.DesiredStatusRunning, types.DesiredStatusStopped}
}

// reasons are why a task stopped: its own reason and those of its containers.
func reasons(t types.Task) []string {
	var out []string
	if t.StoppedReason != nil {
		out = append(out, *t.StoppedReason)
	}
	for _, c := range t.Containers {
		if c.Reason != nil {
			out = append(out, *c.Reason)
		}
	}
	return out
}

// lastEvents is what the service said last, with when.
func (w *world) lastEvents(s sight) []string {
	const shown = 6
	out := []string{fmt.Sprintf("last events of the service %s:", aws.ToString(s.ServiceName))}
	for i, e := range s.Events {
		if i == shown {
			break
		}
		out = append(out, fmt.Sprintf("  %s  %s", Elapsed(e.CreatedAt.Sub(w.began)), w.plain(strings.TrimSpace(aws.ToString(e.Message)))))
	}
	return out
}
