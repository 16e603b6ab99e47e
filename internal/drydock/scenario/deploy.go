package scenario

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/fleet"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/taskdef"
)

// deploy is a deploy as a careful pipeline makes it: the running task
// definition with another image and nothing else, then UpdateService.
func (w *world) deploy(ctx context.Context, d *Deploy) (string, error) {
	w.doing = "deploy " + d.Service
	if d.Image == "" {
		w.doing += " anew"
	} else {
		w.doing += " " + d.Image
	}
	cluster, err := w.service(ctx, d.Cluster, d.Service)
	if err != nil {
		return "", err
	}
	before, err := w.look(ctx, cluster, d.Service)
	if err != nil {
		return "", err
	}
	in := &ecs.UpdateServiceInput{Cluster: &cluster, Service: &d.Service, ForceNewDeployment: true}
	if d.Image != "" {
		ref, err := w.image(d.Image)
		if err != nil {
			return "", err
		}
		if in.TaskDefinition, err = w.register(ctx, aws.ToString(before.TaskDefinition), d.Container, ref); err != nil {
			return "", err
		}
	}
	key := fleet.ServiceKey{Cluster: cluster, Service: d.Service}
	if desired, waits := w.waiting[key]; waits {
		in.DesiredCount = aws.Int32(int32(desired))
	}
	if d.Desired != nil {
		in.DesiredCount = aws.Int32(int32(*d.Desired))
	}
	began := w.clock.Now()
	updated, err := w.client.ECS.UpdateService(ctx, in)
	if err != nil {
		return "", err
	}
	delete(w.waiting, key)
	if d.Wait != nil && !*d.Wait {
		return "", nil
	}
	outcome, err := w.follow(ctx, d, aws.ToString(updated.Service.CurrentServiceDeployment), cluster)
	return fmt.Sprintf("%s after %s", outcome, round(w.clock.Now().Sub(began))), err
}

// register registers a task definition with another image.
func (w *world) register(ctx context.Context, definition, container string, ref image.Reference) (*string, error) {
	described, err := w.client.Call(ctx, "ecs", "DescribeTaskDefinition", map[string]any{"taskDefinition": definition, "include": []any{"TAGS"}})
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(described)
	if err != nil {
		return nil, err
	}
	doc, err := taskdef.Parse(raw)
	if err != nil {
		return nil, err
	}
	target, err := doc.TargetContainer(container)
	if err != nil {
		return nil, err
	}
	if doc, err = doc.SetImage(target.Name, ref.String()); err != nil {
		return nil, err
	}
	if doc, err = doc.ForRegistration(); err != nil {
		return nil, err
	}
	out, err := w.client.Call(ctx, "ecs", "RegisterTaskDefinition", json.RawMessage(doc.Bytes()))
	if err != nil {
		return nil, err
	}
	var answer struct {
		TaskDefinition struct {
			TaskDefinitionArn string
		}
	}
	text, err := json.Marshal(out)
	if err == nil {
		err = json.Unmarshal(text, &answer)
	}
	return &answer.TaskDefinition.TaskDefinitionArn, err
}

// follow waits until a service deployment has come to its end, and holds it to
// the outcome that the step names.
func (w *world) follow(ctx context.Context, d *Deploy, arn, cluster string) (string, error) {
	wanted := d.Outcome
	if wanted == "" {
		wanted = string(types.ServiceDeploymentStatusSuccessful)
	}
	var status types.ServiceDeploymentStatus
	_, err := w.until(ctx, within(d.Within), func() (bool, error) {
		out, err := w.client.ECS.DescribeServiceDeployments(ctx, &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: []string{arn}})
		if err != nil {
			return false, err
		}
		if len(out.ServiceDeployments) == 0 {
			return false, fmt.Errorf("the service deployment %s is not there", arn)
		}
		status = out.ServiceDeployments[0].Status
		return over(status), nil
	})
	if err != nil {
		return "", err
	}
	if string(status) != wanted {
		seen, err := w.look(ctx, cluster, d.Service)
		if err != nil {
			return "", err
		}
		return "", &unexpected{[]mismatch{{d.Of("outcome"), "outcome", wanted, string(status)}}, w.lastEvents(seen)}
	}
	return string(status), nil
}

// over is whether a service deployment does not change any more.
func over(s types.ServiceDeploymentStatus) bool {
	switch s {
	case types.ServiceDeploymentStatusSuccessful, types.ServiceDeploymentStatusStopped,
		types.ServiceDeploymentStatusRollbackSuccessful, types.ServiceDeploymentStatusRollbackFailed:
		return true
	}
	return false
}
