package deploy

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/diagnose"
	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/taskdef"
)

// joinSecrets says which of the definition's secrets are not there. Only their
// metadata is read.
func (q *inquiry) joinSecrets(ctx context.Context, s subject, a *answer) {
	const most = 30
	seen := map[string]bool{}
	for _, c := range s.containers() {
		for _, from := range slices.Concat(c.Secrets, c.Log.Secrets) {
			id, isParameter := secretID(from.ValueFrom)
			if id == "" || seen[id] || len(seen) == most {
				continue
			}
			seen[id] = true
			if isParameter {
				q.joinParameter(ctx, s, from, id, a)
			} else {
				q.joinSecret(ctx, s, from, id, a)
			}
		}
	}
}

func (q *inquiry) joinParameter(ctx context.Context, s subject, from taskdef.Secret, name string, a *answer) {
	there, err := q.Clues.Parameter(ctx, name)
	if q.can(err) && !there {
		a.say("there is no parameter %s in %s, from which %s comes", name, regionIn(name, s), from.Name)
	}
}

func (q *inquiry) joinSecret(ctx context.Context, s subject, from taskdef.Secret, id string, a *answer) {
	secret, err := q.Clues.Secret(ctx, id)
	switch {
	case errors.Is(err, NotFound):
		a.say("there is no secret %s in %s, from which %s comes", secretName(id), regionIn(id, s), from.Name)
	case !q.can(err):
	case !secret.Deleted.IsZero():
		a.say("the secret %s, from which %s comes, is scheduled for deletion (%s); aws secretsmanager restore-secret --secret-id %s brings it back",
			secret.Name, from.Name, date(secret.Deleted), secret.Name)
		a.links = append(a.links, consoleOf(s.service.ARN).secret(secret.Name)...)
	case !secret.HasCurrent:
		a.say("the secret %s, from which %s comes, has no value yet", secret.Name, from.Name)
	case s.diagnosis.ID == "secret-key" && strings.Contains(from.ValueFrom, ":"+s.diagnosis.Named["key"]+":"):
		a.say("the secret %s is there, and its value was last changed %s", secret.Name, date(secret.ChangedAt))
		a.links = append(a.links, consoleOf(s.service.ARN).secret(secret.Name)...)
	}
}

// secretName is the name in the ARN of a secret, with the letters that Secrets
// Manager puts behind it.
func secretName(arn string) string {
	if _, name, ok := strings.Cut(arn, ":secret:"); ok {
		return name
	}
	return arn
}

// secretID is what valueFrom names, without the key, stage and version that
// may follow the ARN of a secret.
func secretID(valueFrom string) (id string, isParameter bool) {
	parts := strings.Split(valueFrom, ":")
	switch {
	case parts[0] != "arn":
		return valueFrom, true
	case len(parts) >= 7 && parts[2] == "secretsmanager":
		return strings.Join(parts[:7], ":"), false
	}
	return valueFrom, true
}

// regionIn is the region that an ARN names, else the service's.
func regionIn(arn string, s subject) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 && parts[3] != "" {
		return parts[3]
	}
	return cmp.Or(s.region(), "this region")
}

// joinLogGroups says which log group is not there.
func (q *inquiry) joinLogGroups(ctx context.Context, s subject, a *answer) {
	for _, c := range s.containers() {
		group, region := c.Log.Options["awslogs-group"], c.Log.Options["awslogs-region"]
		if c.Log.Driver != "awslogs" || group == "" {
			continue
		}
		// The part that names have in common: /ecs/ of /ecs/web.
		prefix := group[:strings.LastIndexByte(group, '/')+1]
		names, err := q.Clues.LogGroups(ctx, region, prefix)
		if !q.can(err) || slices.Contains(names, group) || len(names) >= 200 {
			continue
		}
		fact := fmt.Sprintf("the log group %s does not exist in %s", group, cmp.Or(region, regionIn("", s)))
		if best := near(group, names); len(best) > 0 {
			fact += "; the closest is " + best[0]
		}
		a.say("%s", fact)
	}
}

// joinRoles says which role is not there, or does not let ECS take it.
func (q *inquiry) joinRoles(ctx context.Context, s subject, a *answer) {
	for _, r := range []struct{ kind, arn string }{{"execution role", s.doc.ExecutionRoleARN()}, {"task role", s.doc.TaskRoleARN()}} {
		if r.arn == "" {
			if r.kind == "execution role" && s.doc.NeedsFargate() {
				a.say("%s names no execution role, with which ECS pulls images, reads secrets and writes logs", revisionName(s.doc))
			}
			continue
		}
		if s.diagnosis.ID != "role-assume" && r.kind == "task role" {
			continue // ECS itself goes by the execution role
		}
		policy, err := q.Clues.TrustPolicy(ctx, r.arn)
		name := path.Base(r.arn)
		switch {
		case errors.Is(err, NotFound):
			a.say("the %s %s does not exist", r.kind, name)
		case !q.can(err):
			continue
		default:
			trusted, ok := trustedServices(policy)
			if !ok || slices.Contains(trusted, ecsTasks) {
				continue
			}
			a.say("the trust policy of the %s %s does not name %s; it names %s", r.kind, name, ecsTasks, cmp.Or(listOf(trusted), "no service"))
		}
		a.links = append(a.links, consoleOf(s.service.ARN).role(name)...)
	}
}

// ecsTasks is who takes the roles of a task, in all partitions.
const ecsTasks = "ecs-tasks.amazonaws.com"

// trustedServices are the services that a trust policy lets assume the role.
// It is not ok when the policy cannot be read, or names everybody.
func trustedServices(policy []byte) (services []string, ok bool) {
	var document struct{ Statement json.RawMessage }
	if json.Unmarshal(policy, &document) != nil {
		return nil, false
	}
	type statement struct {
		Effect    string
		Principal json.RawMessage
	}
	for _, raw := range oneOrMore(document.Statement) {
		var st statement
		if json.Unmarshal(raw, &st) != nil {
			return nil, false
		}
		if st.Effect != "Allow" {
			continue
		}
		var principal struct{ Service json.RawMessage }
		if json.Unmarshal(st.Principal, &principal) != nil { // "*"
			return nil, false
		}
		for _, raw := range oneOrMore(principal.Service) {
			var name string
			if json.Unmarshal(raw, &name) == nil {
				services = append(services, name)
			}
		}
	}
	return services, true
}

// oneOrMore reads what IAM lets be one value or a list.
func oneOrMore(raw json.RawMessage) []json.RawMessage {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil {
		return list
	}
	if len(raw) == 0 {
		return nil
	}
	return []json.RawMessage{raw}
}

// joinMemory says how much the container may use.
func (q *inquiry) joinMemory(_ context.Context, s subject, a *answer) {
	l := s.doc.Limits(s.container)
	switch {
	case l.Memory > 0:
		a.say("%s may use %d MiB: memory of its definition in %s", s.container, l.Memory, revisionName(s.doc))
	case l.TaskMemory != "":
		a.say("%s has no memory of its own in %s; all containers of the task share %s MiB", cmp.Or(s.container, "the container"), revisionName(s.doc), l.TaskMemory)
	}
	if s.diagnosis.ID == "exit-137" {
		a.say("ECS gives no OutOfMemoryError for it; it has %d s to end after SIGTERM (stopTimeout)", cmp.Or(l.StopTimeout, 30))
	}
}

// joinHealthCheck says what the check is, and how to see what it prints.
func (q *inquiry) joinHealthCheck(_ context.Context, s subject, a *answer) {
	for _, c := range s.containers() {
		h := s.doc.Limits(c.Name).Health
		if h == nil || len(h.Command) == 0 || h.Command[0] == "NONE" {
			continue
		}
		words := h.Command
		if words[0] == "CMD" || words[0] == "CMD-SHELL" {
			words = words[1:]
		}
		command := diagnose.Mask(strings.Join(words, " "))
		a.say("the check of %s is: %s (every %d s, %d failures in a row count, the first %d s do not)",
			c.Name, command, h.Interval, h.Retries, h.StartPeriod)
		if !s.task.StartedAt.IsZero() && !s.task.StoppedAt.IsZero() {
			a.say("the task ran for %s", s.task.StoppedAt.Sub(s.task.StartedAt).Round(time.Second))
		}
		if s.service.Exec {
			a.say("AWS does not keep what it prints; see it in a task that runs: aws ecs execute-command --cluster %s --task TASK --container %s --interactive --command %s",
				q.target.Cluster, c.Name, quoted(command))
		} else {
			a.say("AWS does not keep what it prints; see it in a container of the image: docker run --rm --entrypoint sh %s -c %s", c.Image, quoted(command))
		}
	}
}

// quoted is a word for a shell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// joinTargets says how the load balancer checks, and what it found.
func (q *inquiry) joinTargets(ctx context.Context, s subject, a *answer) {
	for _, l := range s.service.LoadBalancers {
		if strings.Contains(s.words, "arn:") && !strings.Contains(s.words, l.TargetGroup) {
			continue // another target group is meant
		}
		group, err := q.Clues.TargetGroup(ctx, l.TargetGroup)
		if errors.Is(err, NotFound) {
			a.say("the target group %s does not exist", l.TargetGroup)
			continue
		}
		if !q.can(err) {
			continue
		}
		check := fmt.Sprintf("target group %s asks by %s", group.Name, group.Protocol)
		if group.Path != "" {
			check += " for " + group.Path
		}
		if group.Port == "traffic-port" {
			check += fmt.Sprintf(" on port %d of %s", l.ContainerPort, l.Container)
		} else {
			check += " on port " + group.Port
		}
		if group.Matcher != "" {
			check += " and takes " + group.Matcher + " for healthy"
		}
		a.say("%s", check)
		targets, err := q.Clues.Targets(ctx, l.TargetGroup)
		if q.can(err) {
			sayTargets(group.Name, targets, a)
		}
		a.links = append(a.links, consoleOf(s.service.ARN).targetGroup(l.TargetGroup)...)
	}
}

// sayTargets tells of the targets that are not healthy, once for each reason.
func sayTargets(group string, targets []TargetState, a *answer) {
	type reason struct{ state, reason, description string }
	var order []reason
	where := map[reason][]string{}
	for _, t := range targets {
		if t.State != "unhealthy" && t.State != "unavailable" && t.State != "unused" {
			continue
		}
		r := reason{t.State, t.Reason, t.Description}
		if where[r] == nil {
			order = append(order, r)
		}
		where[r] = append(where[r], fmt.Sprintf("%s:%d", t.ID, t.Port))
	}
	for _, r := range order {
		list := where[r]
		at := list[0]
		if len(list) > 1 {
			at = fmt.Sprintf("%s and %d more", list[0], len(list)-1)
		}
		a.say("%s is %s in %s: %s", at, r.state, group, cmp.Or(r.description, r.reason, "no reason is given"))
	}
}

// joinEnvironment compares the keys that the container gets with those of the
// revision that ran before.
func (q *inquiry) joinEnvironment(ctx context.Context, s subject, a *answer) {
	before, ok := q.earlier(ctx, s)
	for _, c := range s.containers() {
		now := keysOf(c)
		key := s.diagnosis.Named["key"]
		given := slices.Contains(now, key)
		switch {
		case key != "" && given:
			a.say("%s gives %s to %s: its value may be empty, or the name differs in capitals", revisionName(s.doc), key, c.Name)
		case key != "":
			a.say("%s is neither in environment nor in secrets of %s in %s", key, c.Name, revisionName(s.doc))
		}
		if !ok {
			continue
		}
		i := slices.IndexFunc(before.Containers(), func(b taskdef.Container) bool { return b.Name == c.Name })
		if i < 0 {
			continue
		}
		was := keysOf(before.Containers()[i])
		lost := slices.DeleteFunc(slices.Clone(was), func(k string) bool { return slices.Contains(now, k) })
		switch {
		case len(lost) > 0:
			a.say("since %s it no longer gets %s", revisionName(before), listOf(lost))
		case key != "" && !given:
			a.say("%s did not give it either: the new image wants it", revisionName(before))
		}
	}
}

// earlier is the revision that another deployment of the service runs, or that
// the deployment before this one ran.
func (q *inquiry) earlier(ctx context.Context, s subject) (*taskdef.Document, bool) {
	for _, d := range s.service.Deployments {
		if d.TaskDefinition != s.doc.ARN() {
			doc, err := q.document(ctx, d.TaskDefinition)
			return doc, err == nil
		}
	}
	records, err := q.AWS.ServiceDeployments(ctx, q.target.Cluster, q.target.Service, 10)
	if err != nil {
		return nil, false
	}
	i := slices.IndexFunc(records, func(r rollout.ServiceDeployment) bool {
		return r.TaskDefinition != s.doc.ARN() && r.TaskDefinition != "" && r.Status == "SUCCESSFUL"
	})
	if i < 0 {
		return nil, false
	}
	doc, err := q.document(ctx, records[i].TaskDefinition)
	return doc, err == nil
}

func keysOf(c taskdef.Container) []string {
	keys := slices.Clone(c.Environment)
	for _, s := range c.Secrets {
		keys = append(keys, s.Name)
	}
	return keys
}
