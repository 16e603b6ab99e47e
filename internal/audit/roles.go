package audit

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// roleUse is who uses a role and as what.
type roleUse struct {
	asExecution, asTask []string // families
	both                []string // families that use it as both
}

// roles judges the roles of the task definitions: how they are shared, what
// they may do and who may take them.
func (j *judge) roles() {
	uses := map[string]*roleUse{}
	use := func(arn string) *roleUse {
		if uses[arn] == nil {
			uses[arn] = &roleUse{}
		}
		return uses[arn]
	}
	for _, r := range j.fleet.Definitions {
		if r.ExecutionRole != "" {
			use(r.ExecutionRole).asExecution = append(use(r.ExecutionRole).asExecution, r.Family)
		}
		if r.TaskRole != "" {
			use(r.TaskRole).asTask = append(use(r.TaskRole).asTask, r.Family)
		}
		if r.TaskRole != "" && r.TaskRole == r.ExecutionRole {
			use(r.TaskRole).both = append(use(r.TaskRole).both, r.Family)
		}
	}
	for arn, u := range uses {
		j.sharing(arn, u)
		if role, ok := j.fleet.Roles[arn]; ok {
			j.rights(arn, &role, u)
		}
	}
	j.pipelines(uses)
}

// onRole begins a finding on a role.
func onRole(arn string, code Code, severity Severity, what string) Finding {
	return Finding{
		Code: code, Severity: severity, What: what,
		Object: Object{Kind: RoleObject, Place: Place{Account: placeOf(arn).Account}, Name: roleName(arn), ARN: arn},
	}
}

func roleName(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }

func (j *judge) sharing(arn string, u *roleUse) {
	tasks, starters := distinct(u.asTask), distinct(u.asExecution)
	if len(tasks) > 0 && len(starters) > 0 {
		f := onRole(arn, OneRoleForBoth, Warning, fmt.Sprintf("role %s is execution role and task role at once", roleName(arn)))
		f.Why = fmt.Sprintf("task role of %s, execution role of %s: the code in the containers may do what starting them needs, such as reading every secret", list(tasks), list(starters))
		f.Fix = []Fix{{Say: "give the task definition a task role of its own, or none"}}
		j.add(f)
	}
	if len(tasks) > 1 {
		f := onRole(arn, TaskRoleShared, Note, fmt.Sprintf("role %s is the task role of %d families", roleName(arn), len(tasks)))
		f.Why = "it is used by " + list(tasks) + ": each may do what any of them needs"
		f.Fix = []Fix{{Say: "give each family a task role of its own"}}
		j.add(f)
	}
}

// rights judges what a role may do and who may take it.
func (j *judge) rights(arn string, role *Role, u *roleUse) {
	if role.Unread != "" {
		f := onRole(arn, Unseen, Note, "role "+roleName(arn)+" could not be read")
		f.Why = role.Unread
		f.Fix = []Fix{{Say: "allow iam:GetRole, iam:ListRolePolicies, iam:GetRolePolicy, iam:ListAttachedRolePolicies and iam:GetPolicyVersion to the role that runs the audit"}}
		j.add(f)
		return
	}
	all, wide := granted(role.Statements, len(u.asExecution) > 0)
	if len(all) > 0 {
		f := onRole(arn, RoleAllowsAll, Warning, fmt.Sprintf("role %s may do too much: %s", roleName(arn), list(distinct(all))))
		f.Why = "whoever gets into a container with this role gets into the account"
		f.Fix = []Fix{{Say: "allow the actions that the code calls, on the resources that it calls them for"}}
		j.add(f)
	}
	if len(wide) > 0 {
		f := onRole(arn, ExecutionRoleWide, Warning, fmt.Sprintf("execution role %s may do more than start tasks: %s", roleName(arn), list(distinct(wide))))
		f.Why = "an execution role pulls images, writes logs and reads the secrets that its task definitions name; the rest belongs to task roles"
		f.Fix = []Fix{{Say: "move the other actions to a task role, and name the secrets it may read"}}
		j.add(f)
	}
	if others := takers(role.Trust); len(others) > 0 {
		f := onRole(arn, TrustWide, Warning, fmt.Sprintf("role %s can be taken by others than ECS tasks: %s", roleName(arn), list(others)))
		f.Why = "its trust policy names them beside, or instead of, ecs-tasks.amazonaws.com; a role that a pipeline takes should be another one"
		f.Fix = []Fix{{Say: "trust ecs-tasks.amazonaws.com alone, and give the others a role of their own"}}
		j.add(f)
	}
}

// granted sorts out what is allowed: everything, or more than an execution
// role needs.
func granted(statements []Statement, execution bool) (all, wide []string) {
	for _, s := range statements {
		anywhere := slices.Contains(s.Resources, "*")
		for _, action := range s.Actions {
			name := strings.ToLower(action)
			switch {
			case anywhere && allows(name):
				all = append(all, action+" on * (policy "+s.Policy+")")
			case execution && !starts(name):
				wide = append(wide, action+" (policy "+s.Policy+")")
			case execution && anywhere && readsSecrets(name):
				wide = append(wide, action+" on * (policy "+s.Policy+")")
			}
		}
	}
	return all, wide
}

// allows says whether an action, on every resource, is as good as all.
func allows(action string) bool {
	switch action {
	case "*", "*:*", "iam:*", "iam:passrole", "sts:*", "sts:assumerole":
		return true
	}
	return false
}

// starts says whether an execution role needs an action: what the ECS developer
// guide lists under "Amazon ECS task execution IAM role", pull-through caches
// and files of environment variables among it.
func starts(action string) bool {
	switch action {
	case "ecr:getauthorizationtoken", "ecr:batchchecklayeravailability", "ecr:getdownloadurlforlayer", "ecr:batchgetimage",
		"ecr:batchimportupstreamimage", "ecr:createrepository",
		"ecr-public:getauthorizationtoken", "sts:getservicebearertoken",
		"logs:createloggroup", "logs:createlogstream", "logs:putlogevents", "logs:describeloggroups", "logs:describelogstreams",
		"secretsmanager:getsecretvalue", "ssm:getparameters", "ssm:getparameter", "kms:decrypt",
		"s3:getobject", "s3:getbucketlocation":
		return true
	}
	return false
}

func readsSecrets(action string) bool {
	return action == "secretsmanager:getsecretvalue" || action == "ssm:getparameters" || action == "ssm:getparameter"
}

// takers are the principals of a trust policy other than ECS tasks. A text
// that is no policy has none: IAM would not have taken it.
func takers(trust string) []string {
	var document struct {
		Statement oneOrMore[struct {
			Effect    string
			Principal json.RawMessage
		}]
	}
	if json.Unmarshal([]byte(trust), &document) != nil {
		return nil
	}
	others := map[string]bool{}
	for _, s := range document.Statement {
		if s.Effect != "Allow" {
			continue
		}
		var byType map[string]oneOrMore[string]
		if json.Unmarshal(s.Principal, &byType) != nil { // "*"
			others["everybody"] = true
			continue
		}
		for _, names := range byType {
			for _, name := range names {
				if name != "ecs-tasks.amazonaws.com" && name != "ecs-tasks.amazonaws.com.cn" {
					others[name] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(others))
}

// oneOrMore is a member of a policy that may be a list or stand alone.
type oneOrMore[T any] []T

// UnmarshalJSON reads a list, or what stands alone.
func (o *oneOrMore[T]) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '[' {
		return json.Unmarshal(raw, (*[]T)(o))
	}
	var one T
	if err := json.Unmarshal(raw, &one); err != nil {
		return err
	}
	*o = oneOrMore[T]{one}
	return nil
}
