package iam

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/iam/policy"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// Need is what a call needs: an action on a resource, in a context.
type Need struct {
	Action   string // "ecs:UpdateService"
	Resource string // ARN; "*" for an action that is about no resource
	Context  policy.Context
	Policy   string // the resource's own policy; "" for none
}

// DeniedError says who may not do what, and why: its text is AWS's.
type DeniedError struct {
	Principal, Action, Resource string
	Why                         string // "because no identity-based policy allows the … action"
	Explicit                    bool   // a policy denies it, rather than none allowing it
}

func (e *DeniedError) Error() string {
	return fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s %s", e.Principal, e.Action, e.Resource, e.Why)
}

func (e *DeniedError) explicit() bool { return e != nil && e.Explicit }

// Authorize tells whether a caller may do something: nil or a [*DeniedError].
// It is the user guide's "Policy evaluation logic" for one account: an
// explicit deny anywhere wins; a permissions boundary and the policies of a
// session narrow what the identity's policies, or one of the resource that
// names the caller, allow.
func (i *IAM) Authorize(id Identity, n Need) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if err := i.judge(id, n); err != nil {
		return err
	}
	return nil
}

func (i *IAM) judge(id Identity, n Need) *DeniedError {
	if id.IsLocal() {
		return nil
	}
	n.Context = i.contextOf(id).Merge(n.Context)
	own := i.byIdentity(id, n)
	if own.explicit() {
		return own
	}
	all, direct := i.byResource(id, n)
	if all == policy.Denied {
		return deniedBy(id, n, "with an explicit deny in a resource-based policy", true)
	}
	if own != nil && !(direct && strings.Contains(own.Why, identityBased)) {
		return own
	}
	return nil
}

const identityBased = "identity-based policy"

func deniedBy(id Identity, n Need, why string, explicit bool) *DeniedError {
	return &DeniedError{id.ARN, n.Action, n.Resource, why, explicit}
}

// byIdentity judges by what the caller itself has. The reasons come in the order in
// which AWS's messages name them (user guide, "Troubleshoot access denied error
// messages").
func (i *IAM) byIdentity(id Identity, n Need) *DeniedError {
	if id.IsLocal() {
		return nil
	}
	request := policy.Request{Action: n.Action, Resource: n.Resource, Context: n.Context}
	groups := i.policiesOf(id)
	for _, g := range groups {
		if policy.Evaluate(g.documents, request) == policy.Denied {
			return deniedBy(id, n, "with an explicit deny in "+article(g.name), true)
		}
	}
	for _, g := range slices.Backward(groups) { // of several that are silent, the widest is not the news
		if policy.Evaluate(g.documents, request) != policy.Allowed {
			return deniedBy(id, n, fmt.Sprintf("because no %s allows the %s action", g.name, n.Action), false)
		}
	}
	return nil
}

func article(name string) string {
	switch name {
	case identityBased:
		return "an " + name
	}
	return "a " + name
}

// group is documents that count together: what all groups of a caller allow,
// it may do.
type group struct {
	name      string
	documents []policy.Document
}

func (i *IAM) policiesOf(id Identity) []group {
	var e entity
	if id.Role != "" {
		e = i.roles.rows[id.Role].entity
	} else {
		e = i.users.rows[id.User].entity
	}
	out := []group{{identityBased, i.documentsOf(e)}}
	if e.Boundary != "" {
		out = append(out, group{"permissions boundary", i.defaultDocument(e.Boundary)})
	}
	if s, found := i.sessions.rows[id.key]; found && len(s.Policies) > 0 {
		g := group{name: "session policy"}
		for _, text := range s.Policies {
			if d, err := i.parse(text, policy.Identity); err == nil {
				g.documents = append(g.documents, d)
			}
		}
		out = append(out, g)
	}
	return out
}

// documentsOf is what an entity has. A document that cannot be read any more,
// which only a store of another version can hold, allows nothing.
func (i *IAM) documentsOf(e entity) []policy.Document {
	var out []policy.Document
	for _, name := range sortedKeys(e.Inline) {
		if d, err := i.parse(e.Inline[name], policy.Identity); err == nil {
			out = append(out, d)
		}
	}
	for _, arn := range e.Attached {
		out = append(out, i.defaultDocument(arn)...)
	}
	return out
}

func (i *IAM) defaultDocument(arn string) []policy.Document {
	p, _ := i.managed(arn)
	v, found := p.version(p.Default)
	if !found {
		return nil
	}
	d, err := i.parse(v.Document, policy.Identity)
	if err != nil {
		return nil
	}
	return []policy.Document{d}
}

// byResource judges by the resource's own policy: what it says at all, and
// whether it allows the caller by name. One that names the account leaves the
// decision to the account's policies.
func (i *IAM) byResource(id Identity, n Need) (all policy.Decision, direct bool) {
	if n.Policy == "" {
		return policy.Silent, false
	}
	d, err := policy.Parse(n.Policy, policy.Resource)
	if err != nil {
		return policy.Silent, false
	}
	request := policy.Request{Action: n.Action, Resource: n.Resource, Context: n.Context, Principal: policy.Caller{AWS: i.names(id)}}
	direct = d.Evaluate(request) == policy.Allowed
	request.Principal.AWS = append(request.Principal.AWS, i.account, i.arn("root"))
	return d.Evaluate(request), direct
}

// names is what the principals of a policy may call a caller.
func (i *IAM) names(id Identity) []string {
	names := []string{id.ARN}
	if id.Role != "" {
		names = append(names, i.roles.rows[id.Role].ARN)
	}
	return names
}

// contextOf is the keys that are about the caller (user guide, "AWS global
// condition context keys").
func (i *IAM) contextOf(id Identity) policy.Context {
	c := policy.NewContext()
	arn, kind, tags := id.ARN, "User", map[string]string{}
	switch {
	case id.Role != "":
		r := i.roles.rows[id.Role]
		arn, kind = r.ARN, "AssumedRole"
		for key, value := range r.Tags {
			tags[key] = value
		}
		s := i.sessions.rows[id.key]
		for key, value := range s.Tags { // a session's tags go over its role's
			tags[key] = value
		}
		if s.Provider != "" {
			c.Add("aws:FederatedProvider", s.Provider)
		}
	case id.User != "":
		c.Add("aws:username", id.User)
		tags = i.users.rows[id.User].Tags
	default:
		c.Add("aws:username", localUser)
	}
	c.Add("aws:PrincipalArn", arn)
	c.Add("aws:PrincipalAccount", i.account)
	c.Add("aws:PrincipalType", kind)
	c.Add("aws:userid", id.UserID)
	for key, value := range tags {
		c.Add("aws:PrincipalTag/"+key, value)
	}
	c.Add("aws:CurrentTime", i.now().Format("2006-01-02T15:04:05Z"))
	c.Add("aws:EpochTime", fmt.Sprint(i.now().Unix()))
	return c
}

// Allowed tells whether a role may do something when a service uses it under
// that session name, as ECS uses the execution role of a task under the
// task's id. It is nil, or a [*DeniedError]. A role that does not exist here
// may do anything: many a rehearsal has task definitions and no roles.
func (i *IAM) Allowed(roleARN, session, action, resource string) error {
	return i.AllowedOn(roleARN, session, action, resource, "")
}

// AllowedOn is [IAM.Allowed] on a resource that has a policy of its own.
func (i *IAM) AllowedOn(roleARN, session, action, resource, document string) error {
	return i.AllowedNeed(roleARN, session, Need{Action: action, Resource: resource, Context: policy.NewContext(), Policy: document})
}

// AllowedNeed is [IAM.Allowed] for a need with condition keys of its own.
func (i *IAM) AllowedNeed(roleARN, session string, n Need) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	r, found := i.findRole(roleARN)
	if !found {
		return nil
	}
	id := Identity{
		ARN: fmt.Sprintf("arn:aws:sts::%s:assumed-role/%s/%s", i.account, r.Name, session), UserID: r.ID + ":" + session,
		Role: r.Name, Session: session,
	}
	if err := i.judge(id, n); err != nil {
		return err
	}
	return nil
}

// Assumable tells whether a service, "ecs-tasks.amazonaws.com", may take a
// role on for one of its resources (aws:SourceArn): nil or an error that names
// the role. A role that does not exist here may be taken on.
func (i *IAM) Assumable(roleARN, service, source string) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	r, found := i.findRole(roleARN)
	if !found {
		return nil
	}
	c := policy.NewContext()
	c.Add("aws:SourceArn", source)
	c.Add("aws:SourceAccount", i.account)
	trust, err := i.parse(r.Trust, policy.Trust)
	if err == nil && trust.Evaluate(policy.Request{
		Action: "sts:AssumeRole", Resource: r.ARN, Context: c, Principal: policy.Caller{Service: service},
	}) == policy.Allowed {
		return nil
	}
	return wire.Errorf("AccessDenied", "%s is not authorized to assume %s", service, r.ARN)
}

// findRole finds a role by ARN, or by the bare name that ECS takes too.
func (i *IAM) findRole(arn string) (role, bool) {
	if !strings.HasPrefix(arn, "arn:") {
		r, found := i.roles.rows[arn]
		return r, found
	}
	return i.roleByARN(arn)
}

// RoleARN is the ARN of a role by its name, "" when there is none.
func (i *IAM) RoleARN(name string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.roles.rows[name].ARN
}

// UserARN is the ARN of a user by its name, "" when there is none.
func (i *IAM) UserARN(name string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.users.rows[name].ARN
}
