package ecs

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/identifier"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

// Roles judges what ECS may do in the name of a task's execution role, and
// whether it may take the roles of a task on. Roles that it does not know may
// do anything. The errors' texts are AWS's.
type Roles interface {
	// Assume takes a role on for a task, which is named by its ARN.
	Assume(role, task string) error
	// Login gets the token that pulls need; session is the task's id.
	Login(role, session string) error
	// Pull reads a manifest and its layers. The error is a [*PullError].
	Pull(role, session string, ref image.Reference) error
	// Allowed is any other action: "logs:CreateLogStream" on an ARN.
	Allowed(role, session, action, resource string) error
}

// takeRoles takes the roles of a task on and logs its execution role in to the
// registry. The reason is ECS's where it fails (observed).
func (e *ECS) takeRoles(t *task, spec *ecs.RegisterTaskDefinitionInput) (reason string) {
	if e.Roles == nil {
		return ""
	}
	for _, role := range []string{e.executionRole(t, spec), e.taskRole(t, spec)} {
		if role == "" {
			continue
		}
		if err := e.Roles.Assume(role, t.ARN); err != nil {
			return fmt.Sprintf("ECS was unable to assume the role '%s' that was provided for this task. Please verify that the role being passed has the proper trust relationship and permissions and that your IAM user has permissions to pass this role.", role)
		}
	}
	role := e.executionRole(t, spec)
	if role == "" || !e.pullsFromECR(t) {
		return ""
	}
	if err := e.Roles.Login(role, t.ID); err != nil {
		return fmt.Sprintf("ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve ecr registry auth: service call has been retried 1 time(s): operation error ECR: GetAuthorizationToken, https response error StatusCode: 400, RequestID: %s, api error AccessDeniedException: %v", identifier.UUID(e.rand), err)
	}
	return ""
}

// pullsFromECR tells whether any image is to come from ECR: by the name that
// a registry of AWS's has, or by this one's.
func (e *ECS) pullsFromECR(t *task) bool {
	for _, c := range t.Containers {
		ref, err := image.Parse(c.Image)
		if err != nil {
			continue
		}
		if strings.Contains(ref.Registry, ".dkr.ecr.") {
			return true
		}
		if digest, err := e.Images.Resolve(ref); err != nil || digest != "" {
			return true
		}
	}
	return false
}

func (e *ECS) executionRole(t *task, spec *ecs.RegisterTaskDefinitionInput) string {
	if role := aws.ToString(t.Overrides.ExecutionRoleArn); role != "" {
		return role
	}
	return aws.ToString(spec.ExecutionRoleArn)
}

func (e *ECS) taskRole(t *task, spec *ecs.RegisterTaskDefinitionInput) string {
	if role := aws.ToString(t.Overrides.TaskRoleArn); role != "" {
		return role
	}
	return aws.ToString(spec.TaskRoleArn)
}

// mayPull asks whether the execution role may pull an image.
func (e *ECS) mayPull(t *task, spec *ecs.RegisterTaskDefinitionInput, ref image.Reference) error {
	role := e.executionRole(t, spec)
	if e.Roles == nil || role == "" {
		return nil
	}
	return e.Roles.Pull(role, t.ID, ref)
}

// mayLog asks whether the execution role may make what the awslogs driver
// makes before a container starts.
func (e *ECS) mayLog(t *task, spec *ecs.RegisterTaskDefinitionInput, group, stream string, makesGroup bool) error {
	role := e.executionRole(t, spec)
	if e.Roles == nil || role == "" {
		return nil
	}
	arn := "arn:aws:logs:" + e.Region + ":" + e.Account + ":log-group:" + group + ":log-stream:"
	if makesGroup {
		if err := e.Roles.Allowed(role, t.ID, "logs:CreateLogGroup", arn); err != nil {
			return fmt.Errorf("AccessDeniedException: %w", err)
		}
	}
	if err := e.Roles.Allowed(role, t.ID, "logs:CreateLogStream", arn+stream); err != nil {
		return fmt.Errorf("AccessDeniedException: %w", err)
	}
	return nil
}

// TaskDefinition finds the revision that "family", "family:revision" or an ARN
// names, and the ARNs of its roles. arn is "" when there is none.
func (e *ECS) TaskDefinition(id string) (arn string, roles []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, d := e.definition(id)
	if d == nil {
		return "", nil
	}
	spec, err := d.spec()
	if err != nil {
		return d.ARN, nil
	}
	for _, role := range []*string{spec.TaskRoleArn, spec.ExecutionRoleArn} {
		if aws.ToString(role) != "" {
			roles = append(roles, *role)
		}
	}
	return d.ARN, roles
}

// TagsOf are the tags of a cluster, service, task or task definition, by ARN;
// nil when there is none.
func (e *ECS) TagsOf(arn string) map[string]string {
	e.mu.Lock()
	defer e.mu.Unlock()
	kind, part, ok := resource(arn)
	if !ok {
		return nil
	}
	switch kind {
	case "cluster":
		if c := e.clusters[part[0]]; c != nil {
			return c.Tags
		}
	case "service":
		if s := e.services[joinKey(part)]; s != nil {
			return s.Tags
		}
	case "task":
		if t := e.tasks[part[len(part)-1]]; t != nil {
			return t.Tags
		}
	case "task-definition":
		if _, d := e.definition(arn); d != nil {
			return d.Tags
		}
	}
	return nil
}
