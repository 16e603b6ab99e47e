// Package policy is IAM's policy language: [Parse] reads and checks a
// document, [Document.Evaluate] judges one request by it. Nothing here knows
// who has which policy; the package iam does.
//
// What is judged is what the IAM user guide, "IAM JSON policy elements
// reference" and "Policy evaluation logic", says: an explicit deny wins over
// every allow, and what nothing allows is denied.
package policy

import "strings"

// Kind is what a document is attached to: it decides which elements it must
// and must not have.
type Kind int

// The kinds of policies.
const (
	Identity Kind = iota // of a role or user: has resources and no principal
	Trust                // of a role: who may assume it; has principals and no resource
	Resource             // of a resource, such as an ECR repository: has principals
	Session              // of a session: as Identity
)

// Document is a policy that was read.
type Document struct {
	Statements []Statement
	variables  bool // whether ${…} is a variable: only from version 2012-10-17 on
}

// Statement is one statement of a [Document].
type Statement struct {
	SID  string
	Deny bool

	Actions      []string // patterns; empty with NotActions
	NotActions   []string
	Resources    []string // patterns; both empty in a trust policy
	NotResources []string
	Principals   []Principal // both empty in an identity policy
	Excepted     []Principal // NotPrincipal
	Conditions   []Condition
}

// Principal is one entry of Principal or NotPrincipal.
type Principal struct {
	Kind  string // AWS, Service, Federated, CanonicalUser, or "*" for the bare star
	Value string
}

// Condition is one operator with one key.
type Condition struct {
	operator operator
	Key      string
	Values   []string
}

// Request is what is judged.
type Request struct {
	Action    string // "ecs:UpdateService"
	Resource  string // an ARN, or "*" for an action that is about no resource
	Principal Caller // asked for by policies with principals only
	Context   Context
}

// Caller is whom the principals of a policy can name. AWS are the names that a
// caller goes by: the ARN of a session and that of its role, the ARN of a user,
// and where the caller's whole account may be meant, its number and the ARN of
// its root.
type Caller struct {
	AWS       []string
	Service   string // "ecs-tasks.amazonaws.com"
	Federated string // ARN of an OIDC provider
}

// Context is the values of condition keys. Make one with [NewContext]: keys
// are not case-sensitive.
type Context struct{ values map[string][]string }

// NewContext makes an empty context.
func NewContext() Context { return Context{map[string][]string{}} }

// Add gives a key one more value.
func (c Context) Add(key string, values ...string) {
	key = strings.ToLower(key)
	c.values[key] = append(c.values[key], values...)
}

// Merge is a context with the values of both; where both have a key, over's
// count.
func (c Context) Merge(over Context) Context {
	out := NewContext()
	for _, from := range []Context{c, over} {
		for key, values := range from.values {
			out.values[key] = values
		}
	}
	return out
}

// Get is the values of a key; nil when it is absent.
func (c Context) Get(key string) []string { return c.values[strings.ToLower(key)] }

// Decision is what a policy, or several, say about a request.
type Decision int

// The decisions, the stronger ones later.
const (
	Silent  Decision = iota // nothing applies: denied unless something else allows it
	Allowed                 // explicitly allowed, and not denied
	Denied                  // explicitly denied
)

// Evaluate judges a request by one document.
func (d Document) Evaluate(r Request) Decision {
	out := Silent
	for _, s := range d.Statements {
		if out == Denied || !s.applies(r, d.variables) {
			continue
		}
		out = Allowed
		if s.Deny {
			out = Denied
		}
	}
	return out
}

// Evaluate judges a request by several documents that count together, such as
// all policies of a role.
func Evaluate(documents []Document, r Request) Decision {
	out := Silent
	for _, d := range documents {
		out = max(out, d.Evaluate(r))
	}
	return out
}

func (s Statement) applies(r Request, variables bool) bool {
	return s.aboutAction(r.Action) && s.aboutResource(r, variables) && s.aboutCaller(r.Principal) && s.holds(r.Context, variables)
}

func (s Statement) aboutAction(action string) bool {
	named := func(patterns []string) bool {
		for _, p := range patterns {
			if matchFold(p, action) {
				return true
			}
		}
		return false
	}
	if len(s.NotActions) > 0 {
		return !named(s.NotActions)
	}
	return named(s.Actions)
}

func (s Statement) aboutResource(r Request, variables bool) bool {
	named := func(patterns []string) bool {
		for _, p := range patterns {
			if matchResource(p, r.Resource, r.Context, variables) {
				return true
			}
		}
		return false
	}
	switch {
	case len(s.NotResources) > 0:
		return !named(s.NotResources)
	case len(s.Resources) > 0:
		return named(s.Resources)
	}
	return true // a policy of a resource is about that resource
}

func (s Statement) aboutCaller(c Caller) bool {
	named := func(principals []Principal) bool {
		for _, p := range principals {
			if p.names(c) {
				return true
			}
		}
		return false
	}
	switch {
	case len(s.Excepted) > 0:
		return !named(s.Excepted)
	case len(s.Principals) > 0:
		return named(s.Principals)
	}
	return true // a policy of an identity is about that identity
}

func (p Principal) names(c Caller) bool {
	switch p.Kind {
	case "*":
		return true
	case "AWS":
		if p.Value == "*" {
			return true
		}
		for _, name := range c.AWS {
			if p.Value == name {
				return true
			}
		}
	case "Service":
		return c.Service != "" && p.Value == c.Service
	case "Federated":
		return c.Federated != "" && (p.Value == c.Federated || strings.HasSuffix(c.Federated, ":oidc-provider/"+p.Value))
	}
	return false
}

func (s Statement) holds(c Context, variables bool) bool {
	for _, condition := range s.Conditions {
		if !condition.holds(c, variables) {
			return false
		}
	}
	return true
}
