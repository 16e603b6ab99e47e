package audit

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// pipelines judges the roles that pipelines take: who may deploy and who may act
// as what runs are not to be the same.
func (j *judge) pipelines(uses map[string]*roleUse) {
	for _, arn := range slices.Sorted(slices.Values(j.fleet.Pipelines)) {
		if uses[arn] != nil {
			f := onRole(arn, PipelineRunsTasks, Warning, fmt.Sprintf("role %s is taken by pipelines and by tasks", roleName(arn)))
			f.Why = fmt.Sprintf("families %s name it, and its trust policy lets a pipeline take it: whoever gets into a container may deploy", list(distinct(slices.Concat(uses[arn].asTask, uses[arn].asExecution))))
			f.Fix = []Fix{{Say: "give the pipeline a role of its own; plimsoll init iam writes one"}}
			j.add(f)
		}
		if role, ok := j.fleet.Roles[arn]; ok && role.Unread == "" {
			j.pipelineRights(arn, &role, uses)
			j.pipelineTrust(arn, &role)
		}
	}
}

// pipelineRights judges what a pipeline may do: nothing but deploy.
func (j *judge) pipelineRights(arn string, role *Role, uses map[string]*roleUse) {
	others := slices.Sorted(maps.Keys(uses))
	report := func(code Code, what, why, fix string, evidence []string) {
		if evidence = distinct(evidence); len(evidence) > 0 {
			f := onRole(arn, code, Warning, fmt.Sprintf("the pipeline's role %s %s: %s", roleName(arn), what, list(evidence)))
			f.Why, f.Fix = why, []Fix{{Say: fix + "; plimsoll init iam writes such a role"}}
			j.add(f)
		}
	}
	var takes, passes, wide []string
	for _, s := range role.Statements {
		if s.grants("sts:AssumeRole") {
			for _, other := range others {
				if other != arn && s.covers(other) {
					takes = append(takes, roleName(other)+" (policy "+s.Policy+")")
				}
			}
		}
		if s.grants("iam:PassRole") {
			passes = append(passes, s.passesWide()...)
		}
		for _, action := range s.Actions {
			if whole := strings.ToLower(action); whole == "*" || strings.HasSuffix(whole, ":*") {
				wide = append(wide, action+" (policy "+s.Policy+")")
			}
		}
	}
	report(PipelineTakesRoles, "may take roles of tasks", "who can deploy can then act as what runs, and read what it reads", "leave it no sts:AssumeRole on these roles", takes)
	report(PassRoleWide, "may pass roles too widely", "it can start a task, or another service, with any role that is passed, and so have what that role may do", "allow iam:PassRole on the roles of the task definitions, to ecs-tasks.amazonaws.com alone", passes)
	report(PipelineWide, "may do all that a service can", "deploying takes a few dozen actions on a few resources; whoever gets a token of the pipeline has the rest as well", "allow the actions that plimsoll calls, on these services", wide)
}

// passesWide is what of an allowed PassRole is more than tasks need.
func (s Statement) passesWide() []string {
	var wide []string
	for _, resource := range s.Resources {
		name := resource[strings.LastIndex(resource, "/")+1:]
		if strings.Trim(name, "*?") == "" {
			wide = append(wide, "iam:PassRole on "+resource+" (policy "+s.Policy+")")
		}
	}
	others := slices.DeleteFunc(slices.Clone(s.PassedTo), func(to string) bool { return to == "ecs-tasks.amazonaws.com" })
	switch {
	case len(s.PassedTo) == 0:
		wide = append(wide, "to every service (policy "+s.Policy+")")
	case len(others) > 0:
		wide = append(wide, "to "+list(others)+" (policy "+s.Policy+")")
	}
	return wide
}

// grants says whether a statement allows an action at all.
func (s Statement) grants(action string) bool {
	return slices.ContainsFunc(s.Actions, func(pattern string) bool { return glob(strings.ToLower(pattern), strings.ToLower(action)) })
}

// covers says whether a statement is about a resource.
func (s Statement) covers(arn string) bool {
	return slices.ContainsFunc(s.Resources, func(pattern string) bool { return glob(pattern, arn) })
}

// pipelineTrust judges whose tokens a role is taken with.
func (j *judge) pipelineTrust(arn string, role *Role) {
	open, anyRef := looseTokens(role.Trust)
	if len(open) > 0 {
		f := onRole(arn, PipelineTrustOpen, Error, fmt.Sprintf("role %s can be taken by projects of others: %s", roleName(arn), list(open)))
		f.Why = "everybody can have a token of a public issuer; its sub claim alone says whose pipeline it is"
		f.Fix = []Fix{{Say: "ask for the audience and for the sub of one project; plimsoll init iam writes such a trust policy"}}
		j.add(f)
		return
	}
	if len(anyRef) > 0 {
		f := onRole(arn, PipelineTrustOpen, Warning, fmt.Sprintf("role %s can be taken by every branch of its project: %s", roleName(arn), list(anyRef)))
		f.Why = "whoever may push a branch can have its pipeline deploy, without a review"
		f.Fix = []Fix{{Say: "ask for protected tags, a branch or an environment in the sub; plimsoll init iam writes such a trust policy"}}
		j.add(f)
	}
}

// tokenStatement is a statement of a trust policy, as far as tokens go.
type tokenStatement struct {
	Effect    string
	Principal json.RawMessage
	Condition map[string]map[string]oneOrMore[string]
}

// looseTokens is what a trust policy leaves open to tokens: those of any
// project, and those of any ref of a project.
func looseTokens(trust string) (open, anyRef []string) {
	var document struct{ Statement oneOrMore[tokenStatement] }
	if json.Unmarshal([]byte(trust), &document) != nil {
		return nil, nil
	}
	for _, s := range document.Statement {
		var principal struct{ Federated oneOrMore[string] }
		if s.Effect != "Allow" || json.Unmarshal(s.Principal, &principal) != nil {
			continue
		}
		for _, provider := range principal.Federated {
			if _, issuer, isOIDC := strings.Cut(provider, ":oidc-provider/"); isOIDC {
				o, r := s.loose(issuer)
				open, anyRef = append(open, o...), append(anyRef, r...)
			}
		}
	}
	return distinct(open), distinct(anyRef)
}

// loose judges what a statement asks of tokens of an issuer.
func (s tokenStatement) loose(issuer string) (open, anyRef []string) {
	if len(s.asked(issuer+":aud")) == 0 {
		open = append(open, "any audience of "+issuer)
	}
	subjects := s.asked(issuer + ":sub")
	if len(subjects) == 0 {
		open = append(open, "any token of "+issuer)
	}
	for _, subject := range subjects {
		kind, rest, _ := strings.Cut(subject, ":")
		project, ref, _ := strings.Cut(rest, ":")
		switch {
		case strings.ContainsAny(kind+project, "*?"):
			open = append(open, subject)
		case strings.Trim(lastOf(ref), "*?") == "":
			anyRef = append(anyRef, subject)
		}
	}
	return open, anyRef
}

// lastOf is what stands behind the last colon.
func lastOf(s string) string { return s[strings.LastIndex(s, ":")+1:] }

// asked are the values that a key of a token has to have. Operators that hold
// where the key is missing ask nothing. (IAM user guide, "IAM JSON policy
// elements: Condition operators".)
func (s tokenStatement) asked(key string) []string {
	var values []string
	for operator, keys := range s.Condition {
		switch strings.TrimPrefix(operator, "ForAnyValue:") {
		case "StringEquals", "StringLike", "StringEqualsIgnoreCase":
			for name, want := range keys {
				if strings.EqualFold(name, key) {
					values = append(values, want...)
				}
			}
		}
	}
	slices.SortFunc(values, cmp.Compare)
	return values
}
