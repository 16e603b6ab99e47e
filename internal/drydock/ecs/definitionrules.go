package ecs

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// Quotas and bounds of task definitions (developer guide, service quotas; API
// reference).
const (
	maxDefinition   = 64 << 10 // bytes
	maxContainers   = 10
	maxConstraints  = 10
	maxEnvFiles     = 10
	maxIgnoredCodes = 50
	minMemory       = 6   // MiB, docker's least
	maxStopTimeout  = 120 // seconds, Fargate's
	minStorage      = 21  // GiB
	maxStorage      = 200
)

func clientError(format string, args ...any) error {
	return wire.Errorf("ClientException", format, args...)
}

func checkLength(document []byte) error {
	if len(document) > maxDefinition {
		return clientError("Actual length: '%d'. Max allowed length is '%d' bytes.", len(document), maxDefinition)
	}
	return nil
}

// checkDefinition is RegisterTaskDefinition's validation beyond the model's.
// All errors are ClientException. Where AWS's words are publicly known they are
// used; the others say the same rule in drydock's. The size of the task has
// been normalized before.
func checkDefinition(in *ecs.RegisterTaskDefinitionInput) error {
	for _, check := range []func(*ecs.RegisterTaskDefinitionInput) error{
		checkHead, checkContainers, checkVolumes, checkReferences, checkDependencies, checkMemory,
	} {
		if err := check(in); err != nil {
			return err
		}
	}
	if slices.Contains(in.RequiresCompatibilities, types.CompatibilityFargate) {
		return checkFargate(in)
	}
	return nil
}

// checkHead checks what is not of one container.
func checkHead(in *ecs.RegisterTaskDefinitionInput) error {
	switch name := aws.ToString(in.Family); {
	case name == "":
		return clientError("Family can not be blank.")
	case checkName("family", name) != nil:
		return clientError("Family contains invalid characters.")
	}
	switch n := len(in.ContainerDefinitions); {
	case n == 0:
		return clientError("Container list cannot be empty.")
	case n > maxContainers:
		return clientError("Container list cannot have more than %d elements.", maxContainers)
	}
	if !validRole(aws.ToString(in.TaskRoleArn)) || !validRole(aws.ToString(in.ExecutionRoleArn)) {
		return clientError("Role is not valid")
	}
	if len(in.PlacementConstraints) > maxConstraints {
		return clientError("Placement constraints cannot have more than %d elements.", maxConstraints)
	}
	if s := in.EphemeralStorage; s != nil && (s.SizeInGiB < minStorage || s.SizeInGiB > maxStorage) {
		return clientError("The ephemeral storage size must be between %d and %d GiB.", minStorage, maxStorage)
	}
	if p := in.RuntimePlatform; p != nil && p.CpuArchitecture == types.CPUArchitectureArm64 && strings.HasPrefix(string(p.OperatingSystemFamily), "WINDOWS") {
		return clientError("The CPU architecture ARM64 is not supported for the operating system family %s.", p.OperatingSystemFamily)
	}
	return nil
}

// validRole: the name of a role or its ARN.
func validRole(role string) bool {
	if !strings.HasPrefix(role, "arn:") {
		return role == "" || regexp.MustCompile(`^[\w+=,.@/-]+$`).MatchString(role)
	}
	return regexp.MustCompile(`^arn:aws[\w-]*:iam::\d{12}:role/[\w+=,.@/-]+$`).MatchString(role)
}

// checkContainers checks every container by itself.
func checkContainers(in *ecs.RegisterTaskDefinitionInput) error {
	seen, essential := map[string]bool{}, false
	for i := range in.ContainerDefinitions {
		c := &in.ContainerDefinitions[i]
		name := aws.ToString(c.Name)
		if name == "" || checkName("container name", name) != nil {
			return clientError("Container.name contains invalid characters or is blank: containerDefinitions[%d].", i)
		}
		if seen[name] {
			return clientError("Container list contains duplicate name: %s.", name)
		}
		seen[name] = true
		switch image := aws.ToString(c.Image); {
		case image == "":
			return clientError("Container.image should not be null or empty.")
		case strings.TrimSpace(image) != image:
			return clientError("Container.image contains invalid characters.")
		}
		essential = essential || isEssential(*c)
		for _, check := range []func(*types.ContainerDefinition) error{checkHealthCheck, checkTimes, checkUlimits, checkEnvironment, checkLogging} {
			if err := check(c); err != nil {
				return err
			}
		}
		if err := checkPorts(c, in.NetworkMode); err != nil {
			return err
		}
		if len(c.EnvironmentFiles) > 0 && aws.ToString(in.ExecutionRoleArn) == "" {
			return clientError("When you are specifying container environment files, you must also specify a value for 'executionRoleArn'.")
		}
		if len(c.Secrets) > 0 && aws.ToString(in.ExecutionRoleArn) == "" {
			return clientError("When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.")
		}
	}
	if !essential {
		return clientError("At least one container in a task definition must be essential.")
	}
	return nil
}

func isEssential(c types.ContainerDefinition) bool { return c.Essential == nil || *c.Essential }

// span is a number and where it must lie.
type span struct {
	name      string
	value     *int32
	low, high int32
}

func checkSpans(container, what string, spans ...span) error {
	for _, s := range spans {
		if s.value != nil && (*s.value < s.low || *s.value > s.high) {
			return clientError("Container '%s': %s%s must be between %d and %d.", container, what, s.name, s.low, s.high)
		}
	}
	return nil
}

// checkHealthCheck holds a health check to the ranges of the API reference,
// HealthCheck.
func checkHealthCheck(c *types.ContainerDefinition) error {
	h := c.HealthCheck
	if h == nil {
		return nil
	}
	if len(h.Command) == 0 {
		return clientError("Container '%s': the health check command cannot be empty.", *c.Name)
	}
	if !slices.Contains([]string{"CMD", "CMD-SHELL", "NONE"}, h.Command[0]) {
		return clientError("Container '%s': the health check command must start with CMD or CMD-SHELL.", *c.Name)
	}
	return checkSpans(*c.Name, "the health check's ",
		span{"interval", h.Interval, 5, 300}, span{"timeout", h.Timeout, 2, 60}, span{"retries", h.Retries, 1, 10}, span{"startPeriod", h.StartPeriod, 0, 300})
}

func checkTimes(c *types.ContainerDefinition) error {
	const long = 1<<31 - 1
	if err := checkSpans(*c.Name, "", span{"stopTimeout", c.StopTimeout, 0, long}, span{"startTimeout", c.StartTimeout, 0, long}, span{"cpu", &c.Cpu, 0, long}); err != nil {
		return err
	}
	if p := c.RestartPolicy; p != nil {
		if len(p.IgnoredExitCodes) > maxIgnoredCodes {
			return clientError("Container '%s': the restart policy can ignore at most %d exit codes.", *c.Name, maxIgnoredCodes)
		}
		return checkSpans(*c.Name, "the restart policy's ", span{"restartAttemptPeriod", p.RestartAttemptPeriod, 60, 1800})
	}
	return nil
}

func checkUlimits(c *types.ContainerDefinition) error {
	seen := map[types.UlimitName]bool{}
	for _, u := range c.Ulimits {
		unlimited := u.HardLimit == -1
		if seen[u.Name] {
			return clientError("Container '%s': the ulimit %s is given twice.", *c.Name, u.Name)
		}
		if !unlimited && u.SoftLimit > u.HardLimit || u.SoftLimit == -1 && !unlimited {
			return clientError("Container '%s': the soft limit of the ulimit %s must not be greater than its hard limit.", *c.Name, u.Name)
		}
		seen[u.Name] = true
	}
	return nil
}

// checkEnvironment: variables, secrets and files of variables.
func checkEnvironment(c *types.ContainerDefinition) error {
	names := map[string]bool{}
	for _, v := range c.Environment {
		names[aws.ToString(v.Name)] = true
	}
	for _, s := range c.Secrets {
		name := aws.ToString(s.Name)
		if name == "" || aws.ToString(s.ValueFrom) == "" {
			return clientError("Container '%s': a secret must have a name and a valueFrom.", *c.Name)
		}
		if names[name] {
			return clientError("The secret name must be unique and not shared with any new or existing environment variables set on the container, such as '%s'.", name)
		}
		names[name] = true
	}
	if len(c.EnvironmentFiles) > maxEnvFiles {
		return clientError("Container '%s': environmentFiles cannot have more than %d elements.", *c.Name, maxEnvFiles)
	}
	for _, f := range c.EnvironmentFiles {
		if v := aws.ToString(f.Value); !strings.HasPrefix(v, "arn:aws") || !strings.Contains(v, ":s3:::") || !strings.HasSuffix(v, ".env") {
			return clientError("Container '%s': an environment file must be the ARN of an Amazon S3 object with the extension .env, not %q.", *c.Name, v)
		}
	}
	return nil
}

func checkLogging(c *types.ContainerDefinition) error {
	l := c.LogConfiguration
	if l == nil || l.LogDriver != types.LogDriverAwslogs {
		return nil
	}
	return requireOptions(l, "awslogs-region", "awslogs-group")
}

// requireOptions names all of the options when one is missing, as ECS does.
func requireOptions(l *types.LogConfiguration, options ...string) error {
	if slices.ContainsFunc(options, func(name string) bool { return l.Options[name] == "" }) {
		return clientError("Log driver %s requires options: %s", l.LogDriver, strings.Join(options, ", "))
	}
	return nil
}

// checkPorts holds the port mappings to the network mode.
func checkPorts(c *types.ContainerDefinition, mode types.NetworkMode) error {
	if mode == types.NetworkModeNone && len(c.PortMappings) > 0 {
		return clientError("Port mappings are not supported when networkMode=none.")
	}
	seen := map[string]bool{}
	for _, p := range c.PortMappings {
		if p.ContainerPort == nil && p.ContainerPortRange != nil {
			continue
		}
		port, host := aws.ToInt32(p.ContainerPort), aws.ToInt32(p.HostPort)
		if port < 1 || port > 65535 {
			return clientError("Invalid 'containerPort' setting for container '%s'.", *c.Name)
		}
		if host < 0 || host > 65535 {
			return clientError("Invalid 'hostPort' setting for container '%s'.", *c.Name)
		}
		if (mode == types.NetworkModeAwsvpc || mode == types.NetworkModeHost) && host != 0 && host != port {
			return clientError("When networkMode=%s, the host ports and container ports in port mappings must match.", mode)
		}
		key := fmt.Sprintf("%d/%s", port, cmp.Or(p.Protocol, types.TransportProtocolTcp))
		if seen[key] && (mode == types.NetworkModeAwsvpc || mode == types.NetworkModeHost) {
			return clientError("Container '%s': the port %s is mapped twice.", *c.Name, key)
		}
		seen[key] = true
		if n := aws.ToString(p.Name); n != "" && !regexp.MustCompile(`^[a-z0-9_][a-z0-9_-]{0,63}$`).MatchString(n) {
			return clientError("Container '%s': the port mapping name %q is not valid: up to 64 lowercase letters, numbers, underscores and hyphens.", *c.Name, n)
		}
	}
	return nil
}

func checkVolumes(in *ecs.RegisterTaskDefinitionInput) error {
	seen := map[string]bool{}
	for _, v := range in.Volumes {
		name := aws.ToString(v.Name)
		if checkName("volume name", name) != nil {
			return clientError("The volume name %q is not valid: up to 255 letters, numbers, underscores, and hyphens are allowed.", name)
		}
		if seen[name] {
			return clientError("The volume name '%s' is not unique.", name)
		}
		seen[name] = true
	}
	return nil
}

// checkReferences: what containers mount and link to is in the definition.
func checkReferences(in *ecs.RegisterTaskDefinitionInput) error {
	volume := func(name string) bool {
		return slices.ContainsFunc(in.Volumes, func(v types.Volume) bool { return aws.ToString(v.Name) == name })
	}
	for _, c := range in.ContainerDefinitions {
		for _, m := range c.MountPoints {
			if m.SourceVolume == nil {
				return clientError("Unknown volume 'null'.")
			}
			if !volume(*m.SourceVolume) {
				return clientError("Unknown volume '%s'.", *m.SourceVolume)
			}
		}
		for _, v := range c.VolumesFrom {
			if from := aws.ToString(v.SourceContainer); containerOf(in, from) == nil || from == *c.Name {
				return clientError("Container '%s' takes volumes from '%s', which is not another container of the task definition.", *c.Name, from)
			}
		}
		if len(c.Links) > 0 && cmp.Or(in.NetworkMode, types.NetworkModeBridge) != types.NetworkModeBridge {
			return clientError("Links are not supported when networkMode=%s.", in.NetworkMode)
		}
		for _, l := range c.Links {
			if to, _, _ := strings.Cut(l, ":"); containerOf(in, to) == nil || to == *c.Name {
				return clientError("Container '%s' links to '%s', which is not another container of the task definition.", *c.Name, to)
			}
		}
	}
	return nil
}

func containerOf(in *ecs.RegisterTaskDefinitionInput, name string) *types.ContainerDefinition {
	for i := range in.ContainerDefinitions {
		if aws.ToString(in.ContainerDefinitions[i].Name) == name {
			return &in.ContainerDefinitions[i]
		}
	}
	return nil
}

// checkDependencies: containers depend on others that can come to the
// condition, and never on themselves.
func checkDependencies(in *ecs.RegisterTaskDefinitionInput) error {
	for _, c := range in.ContainerDefinitions {
		for _, d := range c.DependsOn {
			on := containerOf(in, aws.ToString(d.ContainerName))
			if on == nil {
				return clientError("Container '%s' depends on '%s', which is not in the task definition.", *c.Name, aws.ToString(d.ContainerName))
			}
			switch d.Condition {
			case types.ContainerConditionComplete, types.ContainerConditionSuccess:
				if isEssential(*on) {
					return clientError("A dependency container with SUCCESS or COMPLETE condition cannot be an essential container")
				}
			case types.ContainerConditionHealthy:
				if on.HealthCheck == nil {
					return clientError("Container '%s' depends on '%s' to be HEALTHY, which has no health check.", *c.Name, *on.Name)
				}
			}
		}
	}
	for _, c := range in.ContainerDefinitions {
		if needs(in, *c.Name, *c.Name, map[string]bool{}) {
			return clientError("The dependencies of container '%s' form a cycle.", *c.Name)
		}
	}
	return nil
}

// needs is whether a container waits for another, directly or by others.
func needs(in *ecs.RegisterTaskDefinitionInput, from, to string, seen map[string]bool) bool {
	if seen[from] {
		return false
	}
	seen[from] = true
	c := containerOf(in, from)
	return c != nil && slices.ContainsFunc(c.DependsOn, func(d types.ContainerDependency) bool {
		on := aws.ToString(d.ContainerName)
		return on == to || needs(in, on, to, seen)
	})
}

// checkMemory: containers have memory, and what they take fits into the task.
func checkMemory(in *ecs.RegisterTaskDefinitionInput) error {
	var cpu, reserved int
	task := number64(in.Memory)
	for _, c := range in.ContainerDefinitions {
		hard, soft := int(aws.ToInt32(c.Memory)), int(aws.ToInt32(c.MemoryReservation))
		switch {
		case in.Memory == nil && hard == 0 && soft == 0:
			return clientError("Invalid setting for container '%s'. At least one of 'memory' or 'memoryReservation' must be specified.", *c.Name)
		case c.Memory != nil && hard < minMemory || c.MemoryReservation != nil && soft < minMemory:
			return clientError("Invalid 'memory' setting for container '%s'. It must be at least %d MiB.", *c.Name, minMemory)
		case hard != 0 && soft > hard:
			return clientError("Invalid setting for container '%s'. 'memoryReservation' must not be greater than 'memory'.", *c.Name)
		case in.Memory != nil && hard > task:
			return clientError("Invalid 'memory' setting for container '%s'. It is greater than the memory of the task.", *c.Name)
		}
		cpu += int(c.Cpu)
		reserved += cmp.Or(soft, hard)
	}
	if in.Cpu != nil && cpu > number64(in.Cpu) {
		return clientError("The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'.")
	}
	if in.Memory != nil && reserved > task {
		return clientError("The sum of all container 'memoryReservation' values cannot be greater than the value of the task 'memory'.")
	}
	return nil
}

// number64 is a normalized size of a task; 0 for none.
func number64(size *string) int {
	n, err := strconv.Atoi(aws.ToString(size))
	if err != nil {
		return 0
	}
	return n
}

// checkFargate is what Fargate asks of a definition on top (developer guide,
// "Amazon ECS task definition differences for Fargate").
func checkFargate(in *ecs.RegisterTaskDefinitionInput) error {
	if in.NetworkMode != types.NetworkModeAwsvpc {
		return clientError("Fargate only supports network mode 'awsvpc'.")
	}
	for _, size := range []struct {
		name  string
		value *string
	}{{"cpu", in.Cpu}, {"memory", in.Memory}} {
		if size.value == nil {
			return clientError("Fargate requires that '%s' be defined at the task level.", size.name)
		}
	}
	if !fargateSize(*in.Cpu, *in.Memory) {
		return clientError("No Fargate configuration exists for given values.")
	}
	if p := in.RuntimePlatform; p != nil && strings.HasPrefix(string(p.OperatingSystemFamily), "WINDOWS") && number64(in.Cpu) < 1024 {
		return clientError("No Fargate configuration exists for given values.") // Windows starts at 1 vCPU
	}
	if in.PidMode == types.PidModeHost {
		return notOnFargate("pidMode host")
	}
	if in.IpcMode != "" {
		return notOnFargate("ipcMode")
	}
	for _, v := range in.Volumes {
		switch {
		case v.Host != nil && aws.ToString(v.Host.SourcePath) != "":
			return notOnFargate("sourcePath")
		case v.DockerVolumeConfiguration != nil:
			return notOnFargate("dockerVolumeConfiguration")
		case v.FsxWindowsFileServerVolumeConfiguration != nil:
			return notOnFargate("fsxWindowsFileServerVolumeConfiguration")
		}
	}
	for _, c := range in.ContainerDefinitions {
		if err := checkFargateContainer(in, c); err != nil {
			return err
		}
	}
	return nil
}

func notOnFargate(what string) error {
	return clientError("Fargate compatible task definitions do not support %s", what)
}

func checkFargateContainer(in *ecs.RegisterTaskDefinitionInput, c types.ContainerDefinition) error {
	l := cmp.Or(c.LinuxParameters, &types.LinuxParameters{})
	for _, no := range []struct {
		what  string
		given bool
	}{
		{"privileged", aws.ToBool(c.Privileged)},
		{"devices", len(l.Devices) > 0},
		{"sharedMemorySize", l.SharedMemorySize != nil},
		{"tmpfs", len(l.Tmpfs) > 0},
		{"maxSwap", l.MaxSwap != nil},
		{"swappiness", l.Swappiness != nil},
		{"dockerSecurityOptions", len(c.DockerSecurityOptions) > 0},
		{"disableNetworking", aws.ToBool(c.DisableNetworking)},
		{"resourceRequirements", len(c.ResourceRequirements) > 0},
	} {
		if no.given {
			return notOnFargate(no.what)
		}
	}
	if c.StopTimeout != nil && *c.StopTimeout > maxStopTimeout {
		return clientError("Container '%s': stopTimeout must be between 0 and %d seconds.", *c.Name, maxStopTimeout)
	}
	role := aws.ToString(in.ExecutionRoleArn) != ""
	if !role && inECR(c) {
		return clientError("Fargate requires task definition to have execution role ARN to support ECR images.")
	}
	if !role && c.RepositoryCredentials != nil {
		return clientError("Fargate requires task definition to have execution role ARN to support private registry authentication.")
	}
	log := c.LogConfiguration
	switch {
	case log == nil:
	case log.LogDriver == types.LogDriverAwslogs && !role:
		return clientError("Fargate requires task definition to have execution role ARN to support log driver awslogs.")
	case log.LogDriver == types.LogDriverAwslogs:
		return requireOptions(log, "awslogs-region", "awslogs-group", "awslogs-stream-prefix")
	case log.LogDriver != types.LogDriverSplunk && log.LogDriver != types.LogDriverAwsfirelens:
		return notOnFargate("log driver " + string(log.LogDriver))
	}
	return nil
}

// inECR is whether the image is in a registry of that name on AWS. drydock's
// own registry has the address of drydock, and asks for no role.
func inECR(c types.ContainerDefinition) bool {
	host, _, _ := strings.Cut(aws.ToString(c.Image), "/")
	return strings.Contains(host, ".dkr.ecr.")
}
