package ecs

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/runtime"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

// pull is the PENDING phase: read the secrets, fix or use the digests, look
// every image up, and hand the task to the runtime.
func (e *ECS) pull(t *task, now time.Time) {
	if t.LastStatus == statusProvisioning {
		t.LastStatus, t.PullStarted = statusPending, now
	}
	t.PullTries++
	spec, revision, err := e.plan(t)
	if err != nil {
		e.failStart(t, "", "InternalError: "+err.Error(), now)
		return
	}
	if t.PullTries == 1 {
		reason := e.takeRoles(t, spec)
		if reason == "" {
			if t.resolved, reason = e.resolve(t, spec); t.Adopted {
				reason = "" // that one has its secrets already
			}
		}
		if reason == "" {
			reason = e.openLogs(t, spec)
		}
		if reason != "" {
			e.failStart(t, "", reason, now)
			return
		}
	}
	images := make([]Image, len(t.Containers))
	for i, c := range t.Containers {
		pulled, err := e.pullContainer(t, revision, c, spec)
		if err != nil && t.Adopted { // it stands for a task that has its image already
			pulled, err = Image{Digest: c.Digest}, nil
		}
		var pe *PullError
		switch {
		case errors.As(err, &pe):
			// The image may yet come: ECS tries several times, a few times only
			// when it already knows the digest.
			if t.PullTries < pe.Retried {
				e.after(t, retryPullFor, e.pull)
				return
			}
			if c.Digest == "" {
				e.unresolved(t, revision)
			}
			e.failStart(t, c.Name, "CannotPullContainerError: "+pe.Text, now)
			return
		case err != nil:
			e.failStart(t, c.Name, "CannotPullContainerError: "+err.Error(), now)
			return
		}
		images[i] = pulled
		c.Digest = pulled.Digest
	}
	e.after(t, pullFor, func(t *task, now time.Time) {
		t.PullStopped = now
		t.Launched = true
		e.Runtime.Start(e.launch(t, spec, images), func(ev runtime.Event) { e.report(t.ID, ev) })
		t.resolved = resolved{}
	})
}

// plan is what a task is to run.
func (e *ECS) plan(t *task) (*ecs.RegisterTaskDefinitionInput, *serviceRevision, error) {
	_, def := e.definition(t.TaskDefinition)
	if def == nil {
		return nil, nil, errors.New("the task definition is gone")
	}
	spec, err := def.spec()
	if err != nil {
		return nil, nil, err
	}
	if s := e.serviceOf(t); s != nil {
		return spec, s.revision(t.Revision), nil
	}
	return spec, &serviceRevision{}, nil // a task of RunTask resolves for itself
}

// pullContainer pulls one image, by the digest that the first task of the
// service revision fixed (software version consistency), and fixes it if this
// is that first task.
func (e *ECS) pullContainer(t *task, r *serviceRevision, c *container, spec *ecs.RegisterTaskDefinitionInput) (Image, error) {
	ref, err := image.Parse(c.Image)
	if err != nil {
		return Image{}, err
	}
	if err := e.mayPull(t, spec, ref); err != nil {
		return Image{}, err
	}
	digest := ""
	if i := slices.IndexFunc(r.Images, func(i containerImage) bool { return i.Container == c.Name }); i >= 0 {
		digest = r.Images[i].Digest
	} else if r.Attempts < resolveAttempts {
		if !versionConsistent(spec, c.Name) {
			r.Images = append(r.Images, containerImage{Container: c.Name, Image: c.Image})
		} else {
			if digest, err = e.Images.Resolve(ref); err != nil {
				return Image{}, err
			}
			r.Images = append(r.Images, containerImage{Container: c.Name, Image: c.Image, Digest: digest})
		}
		if s := e.serviceOf(t); s != nil {
			e.markService(s)
		}
	}
	c.Digest = digest
	return e.Images.Pull(ref, digest, platform(spec))
}

func versionConsistent(spec *ecs.RegisterTaskDefinitionInput, name string) bool {
	return !slices.ContainsFunc(spec.ContainerDefinitions, func(c types.ContainerDefinition) bool {
		return *c.Name == name && c.VersionConsistency == types.VersionConsistencyDisabled
	})
}

// unresolved counts a failed resolution. After the third one the deployment
// goes on without digests; with the circuit breaker on it fails, which three
// failed tasks bring about anyway for up to six desired ones.
func (e *ECS) unresolved(t *task, r *serviceRevision) {
	s := e.serviceOf(t)
	if s == nil {
		return
	}
	r.Attempts++
	e.markService(s)
	if d := s.primary(); r.Attempts == resolveAttempts && s.breaker() != nil && d.Revision == r.Number {
		d.BreakerCount = max(d.BreakerCount, breakerThreshold(s)-1) // this task is the one more
	}
}

// platform is what Fargate runs a definition on.
func platform(spec *ecs.RegisterTaskDefinitionInput) string {
	p := spec.RuntimePlatform
	arch, system := "amd64", "linux"
	if p != nil && p.CpuArchitecture == types.CPUArchitectureArm64 {
		arch = "arm64"
	}
	if p != nil && strings.HasPrefix(string(p.OperatingSystemFamily), "WINDOWS") {
		system = "windows"
	}
	return system + "/" + arch
}

// openLogs creates the log streams before anything starts, as the awslogs
// driver does. A group that is missing stops the task.
func (e *ECS) openLogs(t *task, spec *ecs.RegisterTaskDefinitionInput) (failure string) {
	for _, c := range spec.ContainerDefinitions {
		group, stream, ok := logStream(t, c)
		if !ok {
			continue
		}
		makesGroup := c.LogConfiguration.Options["awslogs-create-group"] == "true"
		err := e.mayLog(t, spec, group, stream, makesGroup)
		if err == nil && makesGroup {
			err = e.Logs.EnsureGroup(group)
		}
		if err == nil {
			err = e.Logs.EnsureStream(group, stream)
		}
		if err != nil {
			return "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: " + err.Error()
		}
	}
	return ""
}

// logStream is where a container's output goes: the awslogs stream is
// prefix/container/task (developer guide, awslogs; Fargate requires the
// prefix). ok is false without awslogs.
func logStream(t *task, c types.ContainerDefinition) (group, stream string, ok bool) {
	l := c.LogConfiguration
	if l == nil || l.LogDriver != types.LogDriverAwslogs {
		return "", "", false
	}
	stream = *c.Name + "/" + t.ID
	if prefix := l.Options["awslogs-stream-prefix"]; prefix != "" {
		stream = prefix + "/" + stream
	}
	return l.Options["awslogs-group"], stream, true
}

// launch is the task as the runtime starts it.
func (e *ECS) launch(t *task, spec *ecs.RegisterTaskDefinitionInput, images []Image) runtime.Task {
	_, def := e.definition(t.TaskDefinition)
	out := runtime.Task{ID: t.ID, Cluster: t.Cluster, Family: def.Family, Revision: def.Revision}
	for i, c := range spec.ContainerDefinitions {
		ref, _ := image.Parse(*c.Image) // parsed before, when it was pulled
		o := t.override(*c.Name)
		n := runtime.Container{
			Name: *c.Name, Image: ref, Digest: images[i].Digest, Labels: images[i].Labels,
			Command: o.command(c), EntryPoint: c.EntryPoint,
			WorkingDir: aws.ToString(c.WorkingDirectory), User: aws.ToString(c.User),
			MemoryMiB: int(aws.ToInt32(c.Memory)), Log: e.logTo(t, c),
			Environment: []string{"ECS_CONTAINER_METADATA_URI_V4="}, // there is no metadata endpoint; empty reads as absent
		}
		for _, kv := range o.environment(c) {
			n.Environment = append(n.Environment, aws.ToString(kv.Name)+"="+aws.ToString(kv.Value))
		}
		n.Environment = append(n.Environment, t.resolved.environment[*c.Name]...)
		n.Login = t.resolved.logins[*c.Name]
		for _, p := range c.PortMappings {
			n.Ports = append(n.Ports, int(aws.ToInt32(p.ContainerPort)))
		}
		for _, d := range c.DependsOn {
			n.DependsOn = append(n.DependsOn, runtime.Dependency{Container: aws.ToString(d.ContainerName), Condition: string(d.Condition)})
		}
		if h := c.HealthCheck; h != nil {
			seconds := func(p *int32, otherwise int32) time.Duration {
				if p != nil {
					otherwise = *p
				}
				return time.Duration(otherwise) * time.Second
			}
			retries := int32(3)
			if h.Retries != nil {
				retries = *h.Retries
			}
			n.HealthCheck = &runtime.HealthCheck{
				Command: h.Command, Interval: seconds(h.Interval, 30), Timeout: seconds(h.Timeout, 5),
				StartPeriod: seconds(h.StartPeriod, 0), Retries: int(retries),
			}
		}
		out.Containers = append(out.Containers, n)
	}
	return out
}

// logTo takes a container's output; without awslogs it goes nowhere.
func (e *ECS) logTo(t *task, c types.ContainerDefinition) func(time.Time, string) {
	group, stream, ok := logStream(t, c)
	if !ok {
		return func(time.Time, string) {}
	}
	return func(at time.Time, line string) {
		if err := e.Logs.Append(group, stream, at, line); err != nil {
			e.Log.Warn("a line of output was lost", "task", t.ID, "container", *c.Name, "error", err)
		}
	}
}
