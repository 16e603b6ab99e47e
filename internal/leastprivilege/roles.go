package leastprivilege

import (
	"fmt"
	"strings"
)

// Role is a role to be made.
type Role struct {
	Name   string
	Says   string   // what it is for
	Trust  Document // without a statement where nobody is named to take it
	Policy Document // without a statement where it may do nothing yet
}

// Stack is roles that are made together.
type Stack struct {
	Name  string // of its files
	Says  string
	Roles []Role
	// Issuer is whose tokens the roles are taken with, and New says that its
	// provider is to be made too. nil: the roles are for tasks.
	Issuer *Issuer
	New    bool
	scope  Scope
}

// Pipeline is who deploys.
type Pipeline struct {
	Name     string // what the names of its roles begin with
	Issuer   *Issuer
	Existing bool    // the account has the issuer's provider already
	Deploy   Subject // the jobs that deploy
	Audit    Subject // the jobs that audit
}

// Roles are the stacks for a pipeline and its services: the roles that the
// pipeline takes, and those of the tasks.
func Roles(in Scope, p Pipeline, features []Feature) []Stack {
	deploy := Role{Name: p.Name + "-deploy", Says: "plimsoll in a pipeline: " + listed(in.Services), Policy: Policy(in, features...)}
	audit := Role{Name: p.Name + "-audit", Says: "plimsoll audit at night: reads, and changes nothing", Policy: Policy(in, accounts()...)}
	if p.Issuer != nil {
		deploy.Trust, audit.Trust = TrustTokens(in, *p.Issuer, p.Deploy), TrustTokens(in, *p.Issuer, p.Audit)
	}
	pipeline := Stack{Name: p.Name, Says: "the roles of the pipeline", Roles: []Role{deploy, audit}, Issuer: p.Issuer, New: !p.Existing, scope: in}
	tasks := Stack{Name: p.Name + "-tasks", Says: "the roles of the tasks, as far as they are known from outside", scope: in}
	for _, s := range in.families() {
		if s.ExecutionRole != "" {
			tasks.Roles = append(tasks.Roles, Role{nameOf(s.ExecutionRole), "ECS starts tasks of " + s.Family + " with it", TrustTasks(in), ExecutionPolicy(in, s)})
		}
		if s.TaskRole != "" && s.TaskRole != s.ExecutionRole {
			tasks.Roles = append(tasks.Roles, Role{nameOf(s.TaskRole), "the code in tasks of " + s.Family + " has it", TrustTasks(in), Document{}})
		}
	}
	return []Stack{pipeline, tasks.once()}
}

// accounts are the features that read all of an account.
func accounts() []Feature {
	var out []Feature
	for _, f := range Features() {
		if f.Account && f.Usual {
			out = append(out, f)
		}
	}
	return out
}

// once leaves out a role that several families share, but for the first.
func (s Stack) once() Stack {
	seen := map[string]bool{}
	var roles []Role
	for _, r := range s.Roles {
		if !seen[r.Name] {
			roles = append(roles, r)
		}
		seen[r.Name] = true
	}
	s.Roles = roles
	return s
}

func listed(services []Service) string {
	var names []string
	for _, s := range services {
		names = append(names, s.Cluster+"/"+s.Name)
	}
	if len(names) > 4 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:3], ", "), len(names)-3)
	}
	return strings.Join(names, ", ")
}

// ExecutionPolicy is what ECS needs to start the tasks of a service: its images,
// its log groups, its secrets, and nothing of others. (ECS developer guide,
// "Amazon ECS task execution IAM role".)
func ExecutionPolicy(in Scope, s Service) Document {
	d := Document{Version: policyVersion}
	add := func(sid string, actions, resources []string) {
		if len(resources) > 0 {
			d.Statement = append(d.Statement, Statement{Sid: sid, Effect: "Allow", Action: actions, Resource: union(resources, nil)})
		}
	}
	if len(s.Pulls) > 0 {
		add("Login", []string{"ecr:GetAuthorizationToken"}, []string{"*"})
	}
	add("Pull", []string{"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}, s.Pulls)
	add("Log", []string{"logs:CreateLogStream", "logs:PutLogEvents"}, LogStreams.of(s, in))
	add("Secrets", []string{"secretsmanager:GetSecretValue"}, s.Secrets)
	add("Parameters", []string{"ssm:GetParameters"}, s.Parameters)
	return d
}
