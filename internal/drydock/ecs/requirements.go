package ecs

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// compatibilities are the launch types that a definition passes the validation
// of. The size of the task is normalized.
func compatibilities(spec *ecs.RegisterTaskDefinitionInput) []string {
	if spec.NetworkMode != types.NetworkModeAwsvpc {
		return []string{"EXTERNAL", "EC2"}
	}
	if checkFargate(spec) != nil {
		return []string{"EC2"}
	}
	return []string{"EC2", "FARGATE"}
}

// attributes names what an instance must offer to run the definition: the
// capabilities that the ECS agent registers (amazon-ecs-agent,
// agent/app/agent_capability.go).
func attributes(spec *ecs.RegisterTaskDefinitionInput) []types.Attribute {
	const agent, docker = "ecs.capability.", "com.amazonaws.ecs.capability."
	names := map[string]bool{docker + "docker-remote-api.1.18": true}
	need := func(when bool, wanted ...string) {
		for _, name := range wanted {
			names[name] = names[name] || when
		}
	}
	role := aws.ToString(spec.ExecutionRoleArn) != ""
	need(aws.ToString(spec.TaskRoleArn) != "", docker+"task-iam-role")
	need(spec.NetworkMode == types.NetworkModeAwsvpc, agent+"task-eni")
	need(spec.PidMode != "" || spec.IpcMode != "", agent+"pid-ipc-namespace-sharing")
	for _, v := range spec.Volumes {
		need(v.EfsVolumeConfiguration != nil, agent+"efs")
	}
	for _, c := range spec.ContainerDefinitions {
		ecr := inECR(c)
		need(ecr, docker+"ecr-auth", docker+"docker-remote-api.1.19")
		need(ecr && role, agent+"execution-role-ecr-pull")
		need(c.HealthCheck != nil, agent+"container-health-check", docker+"docker-remote-api.1.24")
		need(aws.ToBool(c.Privileged), docker+"privileged-container")
		need(len(c.DependsOn) > 0, agent+"container-ordering")
		need(len(c.EnvironmentFiles) > 0, agent+"env-files.s3")
		need(c.RepositoryCredentials != nil, agent+"private-registry-authentication.secretsmanager")
		if l := c.LogConfiguration; l != nil {
			need(true, docker+"logging-driver."+string(l.LogDriver), docker+"docker-remote-api.1.19")
			need(l.LogDriver == types.LogDriverAwslogs && role, agent+"execution-role-awslogs")
		}
		if f := c.FirelensConfiguration; f != nil {
			need(true, agent+"firelens."+string(f.Type))
		}
		for _, s := range c.Secrets {
			asm := strings.Contains(aws.ToString(s.ValueFrom), ":secretsmanager:")
			need(asm, agent+"secrets.asm.environment-variables")
			need(!asm, agent+"secrets.ssm.environment-variables")
		}
	}
	var out []types.Attribute
	for name, needed := range names {
		if needed {
			out = append(out, types.Attribute{Name: aws.String(name)})
		}
	}
	slices.SortFunc(out, func(a, b types.Attribute) int { return strings.Compare(*a.Name, *b.Name) })
	return out
}
