package deploy

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/noun"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
	"github.com/plimsoll-ecs/plimsoll/internal/taskdef"
)

// startLooks are the looks at what a task of a definition needs to start,
// besides its images.
func (j *job) startLooks(doc *taskdef.Document, caller Caller, secretKeys bool) []look {
	return []look{
		j.lookAtSecrets(doc, secretKeys),
		j.lookAtParameters(doc),
		j.lookAtLogGroups(doc),
		j.lookAtRoles(doc, caller),
	}
}

// secretReference is a valueFrom that names a secret of Secrets Manager:
// arn:aws:secretsmanager:region:account:secret:name-AbCdEf, maybe with
// :json-key:version-stage:version-id behind it. ("Pass Secrets Manager secrets
// through Amazon ECS environment variables", ECS developer guide.)
type secretReference struct {
	arn, key, stage, version string
}

func (r secretReference) name() string {
	_, name, _ := strings.Cut(r.arn, ":secret:")
	return name
}

func parseSecret(valueFrom string) (secretReference, bool) {
	parts := strings.Split(valueFrom, ":")
	if len(parts) < 7 || parts[2] != "secretsmanager" {
		return secretReference{}, false
	}
	r := secretReference{arn: strings.Join(parts[:7], ":")}
	for i, to := range []*string{&r.key, &r.stage, &r.version} {
		if len(parts) > 7+i {
			*to = parts[7+i]
		}
	}
	return r, true
}

// values are what a definition has ECS fill in, sorted, each once.
func values(doc *taskdef.Document) []string {
	all := map[string]bool{}
	for _, c := range doc.Containers() {
		for _, s := range slices.Concat(c.Secrets, c.Log.Secrets) {
			if s.ValueFrom != "" {
				all[s.ValueFrom] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// lookAtSecrets looks whether the secrets are there, and never at a value.
func (j *job) lookAtSecrets(doc *taskdef.Document, keys bool) look {
	var references []secretReference
	for _, v := range values(doc) {
		if r, ok := parseSecret(v); ok {
			references = append(references, r)
		}
	}
	return func(ctx context.Context) []story.Check {
		if len(references) == 0 {
			return nil
		}
		looks := make([]look, len(references))
		for i, r := range references {
			looks[i] = func(ctx context.Context) []story.Check { return j.lookAtSecret(ctx, r, keys) }
		}
		found := lookAll(ctx, looks...)
		if len(found) == 0 {
			found = append(found, checkOK("secrets", "%s there", noun.Forms(len(references), "secret is", "secrets are")))
		}
		return once(found)
	}
}

// lookAtSecret lists what is wrong with a secret.
func (j *job) lookAtSecret(ctx context.Context, r secretReference, keys bool) []story.Check {
	secret, err := j.AWS.Secret(ctx, r.arn)
	switch {
	case errors.Is(err, NotFound):
		return []story.Check{checkFail("secrets", "there is no secret "+r.name(), "create it, or correct valueFrom in the task definition")}
	case err != nil:
		return []story.Check{unseen("secrets", err)}
	case !secret.Deleted.IsZero():
		return []story.Check{checkFail("secrets", "secret "+r.name()+" is scheduled for deletion", "aws secretsmanager restore-secret --secret-id "+r.arn)}
	}
	if problem := r.missingVersion(secret); problem != "" {
		return []story.Check{checkFail("secrets", problem, "put a value into it: aws secretsmanager put-secret-value --secret-id "+r.arn)}
	}
	if !keys || r.key == "" {
		return nil
	}
	names, err := j.AWS.SecretKeys(ctx, r.arn, r.stage, r.version)
	switch {
	case err != nil:
		return []story.Check{unseen("secrets", err)}
	case len(names) == 0:
		return []story.Check{checkFail("secrets", "secret "+r.name()+" is no JSON object: it has no key "+r.key, "correct the secret, or valueFrom in the task definition")}
	case !slices.Contains(names, r.key):
		return []story.Check{checkFail("secrets", "secret "+r.name()+" has no key "+r.key, cmp.Or(didYouMean(r.key, names), "add it to the secret"))}
	}
	return nil
}

// missingVersion says which version of a secret is asked for and not there.
// Terraform creates a secret and its first version in two steps, so one with
// none is common.
func (r secretReference) missingVersion(s Secret) string {
	stage := r.stage
	if stage == "" && r.version == "" {
		stage = "AWSCURRENT"
	}
	switch {
	case len(s.Versions) == 0:
		return "secret " + r.name() + " has no value yet"
	case r.version != "" && s.Versions[r.version] == nil:
		return "secret " + r.name() + " has no version " + r.version
	case stage != "" && !slices.ContainsFunc(slices.Collect(maps.Values(s.Versions)), func(stages []string) bool { return slices.Contains(stages, stage) }):
		return "secret " + r.name() + " has no version " + stage
	}
	return ""
}

// parameterNames are the names that a valueFrom may stand for, and its region.
// In an ARN the slash that a name begins with is not written twice, so that
// parameter/token is the parameter token or /token. It is no name where the
// parameter is another account's.
func parameterNames(valueFrom, account string) (region string, names []string) {
	if !strings.HasPrefix(valueFrom, "arn:") {
		return "", []string{valueFrom}
	}
	parts := strings.SplitN(valueFrom, ":", 6)
	if len(parts) < 6 || parts[2] != "ssm" || account != "" && parts[4] != account {
		return "", nil
	}
	name, ok := strings.CutPrefix(parts[5], "parameter/")
	switch {
	case !ok:
		return "", nil
	case strings.Contains(name, "/"):
		return parts[3], []string{"/" + name}
	}
	return parts[3], []string{name, "/" + name}
}

// lookAtParameters looks whether the SSM parameters are there, by their names.
func (j *job) lookAtParameters(doc *taskdef.Document) look {
	type parameter struct {
		shown string
		names []string
	}
	account := accountIn(doc.ARN())
	wanted := map[string][]parameter{} // by region
	total := 0
	for _, v := range values(doc) {
		if _, secret := parseSecret(v); secret {
			continue
		}
		if region, names := parameterNames(v, account); len(names) > 0 {
			wanted[region] = append(wanted[region], parameter{names[len(names)-1], names})
			total++
		}
	}
	return func(ctx context.Context) []story.Check {
		var found []story.Check
		for _, region := range slices.Sorted(maps.Keys(wanted)) {
			var names []string
			for _, p := range wanted[region] {
				names = append(names, p.names...)
			}
			slices.Sort(names)
			there, err := j.AWS.Parameters(ctx, region, slices.Compact(names))
			if err != nil {
				found = append(found, unseen("parameters", err))
				continue
			}
			for _, p := range wanted[region] {
				if !slices.ContainsFunc(p.names, func(name string) bool { return slices.Contains(there, name) }) {
					found = append(found, checkFail("parameters", "there is no parameter "+p.shown, "create it, or correct valueFrom in the task definition"))
				}
			}
		}
		if total > 0 && len(found) == 0 {
			found = append(found, checkOK("parameters", "%s there", noun.Forms(total, "parameter is", "parameters are")))
		}
		return once(found)
	}
}

// lookAtLogGroups looks whether the groups that awslogs writes to are there:
// without one a task does not start, unless the driver may create it.
func (j *job) lookAtLogGroups(doc *taskdef.Document) look {
	type group struct{ region, name string }
	var groups []group
	for _, c := range doc.Containers() {
		g := group{c.Log.Options["awslogs-region"], c.Log.Options["awslogs-group"]}
		if c.Log.Driver == "awslogs" && g.name != "" && c.Log.Options["awslogs-create-group"] != "true" && !slices.Contains(groups, g) {
			groups = append(groups, g)
		}
	}
	return func(ctx context.Context) []story.Check {
		var found []story.Check
		for _, g := range groups {
			switch names, err := j.AWS.LogGroups(ctx, g.region, g.name); {
			case errors.Is(err, NotFound), err == nil && !slices.Contains(names, g.name):
				found = append(found, checkFail("logs", "there is no log group "+g.name, "aws logs create-log-group --log-group-name "+g.name+", or set awslogs-create-group"))
			case err != nil:
				found = append(found, unseen("logs", err))
			}
		}
		if len(groups) > 0 && len(found) == 0 {
			found = append(found, checkOK("logs", "%s there", noun.Forms(len(groups), "log group is", "log groups are")))
		}
		return once(found)
	}
}

// lookAtRoles looks at the roles of a definition: whether they are there, and
// whether ECS tasks may assume them.
func (j *job) lookAtRoles(doc *taskdef.Document, caller Caller) look {
	execution, task := doc.ExecutionRoleARN(), doc.TaskRoleARN()
	return func(ctx context.Context) []story.Check {
		if caller.ARN == "" && (execution != "" || task != "") {
			caller, _ = j.AWS.Caller(ctx) // without it one comparison is left out
		}
		var found []story.Check
		var fine []string
		for _, role := range []struct{ kind, arn string }{{"execution role", execution}, {"task role", task}} {
			name := path.Base(role.arn)
			switch {
			case role.arn == "" || role.kind == "task role" && task == execution:
				continue
			case isRoleOf(caller.ARN, role.arn):
				found = append(found, checkWarn("roles", fmt.Sprintf("the %s %s is the role that deploys: whoever gets into a container may deploy too", role.kind, name), "give the tasks a role of their own"))
				continue
			case accountIn(role.arn) != accountIn(doc.ARN()) && accountIn(doc.ARN()) != "":
				found = append(found, checkSkipped("roles", "the %s %s is of another account", role.kind, name))
				continue
			}
			if c := j.lookAtRole(ctx, role.kind, name); c.State != story.CheckOK {
				found = append(found, c)
			} else {
				fine = append(fine, name)
			}
		}
		if execution != "" && execution == task {
			found = append(found, checkWarn("roles", fmt.Sprintf("%s is both execution role and task role: the application may read every secret of the start, and pull images", path.Base(task)), "give the application a task role of its own"))
		}
		if len(found) == 0 && len(fine) > 0 {
			found = append(found, checkOK("roles", "ECS tasks may assume %s", strings.Join(fine, " and ")))
		}
		return once(found)
	}
}

func (j *job) lookAtRole(ctx context.Context, kind, name string) story.Check {
	trust, err := j.AWS.TrustPolicy(ctx, name)
	switch {
	case errors.Is(err, NotFound):
		// ECS itself refuses to register such a definition ("Role is not
		// valid"), before anything has changed; one that is registered and
		// runs keeps the credentials it has.
		return checkWarn("roles", fmt.Sprintf("there is no %s %s: ECS cannot start tasks with it", kind, name), "create it, or correct the task definition")
	case err != nil:
		return unseen("roles", err)
	case !trustsTasks(trust):
		return checkFail("roles", fmt.Sprintf("the %s %s cannot be assumed by ECS tasks", kind, name), "allow sts:AssumeRole to ecs-tasks.amazonaws.com in its trust policy")
	}
	return checkOK("roles", "%s", name)
}

// isRoleOf tells a session of a role, as STS names callers, from the role's
// own ARN: arn:aws:sts::account:assumed-role/NAME/session and
// arn:aws:iam::account:role/path/NAME.
func isRoleOf(caller, role string) bool {
	_, session, ok := strings.Cut(caller, ":assumed-role/")
	name, _, _ := strings.Cut(session, "/")
	return ok && name == path.Base(role) && accountIn(caller) == accountIn(role)
}

// trustsTasks reports whether a trust policy lets ECS tasks assume its role.
// What Condition asks for is not judged: it can only be known when it happens.
func trustsTasks(policy []byte) bool {
	var document struct{ Statement someOf[trustStatement] }
	if json.Unmarshal(policy, &document) != nil {
		return true // IAM took it: it is not for us to refuse
	}
	return slices.ContainsFunc(document.Statement, func(s trustStatement) bool {
		return s.Effect == "Allow" && slices.ContainsFunc(s.Action, allowsAssume) &&
			(slices.Contains(s.Principal.Service, "ecs-tasks.amazonaws.com") || slices.Contains(s.Principal.Service, "*"))
	})
}

func allowsAssume(action string) bool {
	return slices.Contains([]string{"sts:assumerole", "sts:*", "*"}, strings.ToLower(action))
}

type trustStatement struct {
	Effect    string
	Action    someOf[string]
	Principal principal
}

// principal is {"Service": …} or "*".
type principal struct{ Service someOf[string] }

// UnmarshalJSON takes both forms.
func (p *principal) UnmarshalJSON(raw []byte) error {
	if string(raw) == `"*"` {
		p.Service = someOf[string]{"*"}
		return nil
	}
	type plain principal
	return json.Unmarshal(raw, (*plain)(p))
}

// someOf is a list that policies write without brackets when it has one
// element.
type someOf[T any] []T

// UnmarshalJSON takes both forms.
func (l *someOf[T]) UnmarshalJSON(raw []byte) error {
	if strings.HasPrefix(string(raw), "[") {
		return json.Unmarshal(raw, (*[]T)(l))
	}
	var one T
	err := json.Unmarshal(raw, &one)
	*l = someOf[T]{one}
	return err
}

// accountIn is the account in an ARN, "" where there is none.
func accountIn(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return ""
	}
	return parts[4]
}

// once leaves out what is said already.
func once(checks []story.Check) []story.Check {
	var list []story.Check
	for _, c := range checks {
		if !slices.Contains(list, c) {
			list = append(list, c)
		}
	}
	return list
}
