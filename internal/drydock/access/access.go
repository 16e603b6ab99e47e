// Package access says what a call needs to be allowed: actions, the resources
// that they are about, and the condition keys that go with them, as the
// Service Authorization Reference has them for the services of drydock.
//
// [Needs] reads a request and asks a [World] what the request only names, such
// as the roles of a task definition. Whether the caller is allowed what the
// call needs is for package iam to say.
package access

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/iam/policy"
)

// Need is one thing that has to be allowed.
type Need struct {
	Action string
	// Resources are the names that the resource goes by: it is enough that one
	// of them is allowed. There is more than one where the reference lets a
	// policy choose between types of resources.
	Resources  []string
	Context    policy.Context
	Repository string // name of the ECR repository whose own policy counts too; "" for none
}

// Call is a request to the API.
type Call struct {
	Service   string // prefix of IAM's actions, "ecs"
	Operation string
	Body      []byte
	Form      bool // the body is a form, not JSON
}

// Place is whose resources they are.
type Place struct{ Account, Region string }

// World is what a request may name without saying everything about it.
type World interface {
	// TaskDefinition finds the revision that "family", "family:revision" or an
	// ARN names, and the ARNs of its roles. arn is "" when there is none.
	TaskDefinition(id string) (arn string, roles []string)
	// Tags are those of a resource of ECS or ECR, by ARN; nil when there is none.
	Tags(arn string) map[string]string
	// RoleARN and UserARN are those of IAM's names; "" when there is none.
	RoleARN(name string) string
	UserARN(name string) string
}

// Needs lists what a call needs. It is empty for calls that everybody may
// make. A body that cannot be read has no members here: the operation will
// say so.
func Needs(c Call, at Place, w World) []Need {
	b := &builder{Call: c, place: at, world: w, in: read(c)}
	switch {
	case c.Service == "sts":
		return nil // GetCallerIdentity needs nothing, the others ask the role's trust policy themselves
	case c.Service == "ecs":
		b.ecs()
	case c.Service == "ecr":
		b.ecr()
	case c.Service == "logs":
		b.logs()
	case c.Service == "iam":
		b.iam()
	default:
		b.others()
	}
	b.tagging()
	return b.needs
}

// builder collects needs.
type builder struct {
	Call
	place Place
	world World
	in    input
	needs []Need
}

// add says that the operation's own action is needed on resources: one need
// for each.
func (b *builder) add(resources ...string) {
	for _, r := range resources {
		b.either(r)
	}
}

// either says that the operation's own action is needed on one of the
// resources.
func (b *builder) either(resources ...string) {
	b.needs = append(b.needs, Need{Action: b.Service + ":" + b.Operation, Resources: resources, Context: b.context(resources[0])})
}

// context is the keys that are about a request and a resource.
func (b *builder) context(resource string) policy.Context {
	c := policy.NewContext()
	c.Add("aws:RequestedRegion", b.place.Region)
	for key, value := range b.in.tags() {
		c.Add("aws:RequestTag/"+key, value)
		c.Add("aws:TagKeys", key)
	}
	for _, key := range b.in.texts("tagKeys") {
		c.Add("aws:TagKeys", key)
	}
	if b.Service == "ecs" || b.Service == "ecr" {
		for key, value := range b.world.Tags(resource) {
			c.Add("aws:ResourceTag/"+key, value)
			c.Add(b.Service+":ResourceTag/"+key, value)
		}
	}
	return c
}

// tagging adds TagResource where a call gives a new resource its tags: the
// services check it as a permission of its own (for ECS: developer guide,
// "Grant permission to tag resources on creation").
func (b *builder) tagging() {
	action, creates := "", slices.Contains([]string{
		"CreateCluster", "CreateService", "CreateTaskSet", "CreateCapacityProvider", "RegisterTaskDefinition", "RunTask", "StartTask",
		"CreateRepository", "CreateLogGroup", "PutRule", "CreateEventBus", "CreateScheduleGroup", "CreateTopic", "CreateRole", "CreateUser", "CreatePolicy", "CreateOpenIDConnectProvider",
	}, b.Operation)
	switch {
	case !creates || len(b.in.tags()) == 0 || len(b.needs) == 0:
		return
	case b.Service == "iam":
		action = "iam:Tag" + strings.TrimPrefix(b.Operation, "Create")
	default:
		action = b.Service + ":TagResource"
	}
	n := b.needs[0]
	n.Action = action
	if b.Service == "ecs" {
		n.Context = n.Context.Merge(policy.NewContext())
		n.Context.Add("ecs:CreateAction", b.Operation)
		if b.Operation == "RunTask" || b.Operation == "StartTask" {
			n.Resources = []string{b.arn("task/" + b.cluster() + "/*")}
		}
	}
	b.needs = append(b.needs, n)
}

// arn is one of the call's own service, in the call's own place.
func (b *builder) arn(resource string) string {
	return "arn:aws:" + b.Service + ":" + b.place.Region + ":" + b.place.Account + ":" + resource
}

// named is a resource that a request gives by ARN or by name.
func (b *builder) named(prefix, nameOrARN string) string {
	if strings.HasPrefix(nameOrARN, "arn:") {
		return nameOrARN
	}
	return b.arn(prefix + nameOrARN)
}

func each(names []string, f func(string) string) []string {
	var out []string
	for _, n := range names {
		out = append(out, f(n))
	}
	return out
}

// input is the members of a request, in either protocol.
type input map[string]any

func read(c Call) input {
	if !c.Form {
		var members map[string]any
		_ = json.Unmarshal(c.Body, &members) // what is no object has no members
		return members
	}
	form, _ := url.ParseQuery(string(c.Body)) // what can be read of it
	out := input{}
	for name, values := range form {
		member, rest, nested := strings.Cut(name, ".")
		if !nested {
			out[name] = values[0]
			continue
		}
		if number, isList := strings.CutPrefix(rest, "member."); isList {
			n, inner, deep := strings.Cut(number, ".")
			i, err := strconv.Atoi(n)
			if err != nil || i < 1 || i > 1000 {
				continue
			}
			list, _ := out[member].([]any)
			for len(list) < i {
				list = append(list, map[string]any{})
			}
			if !deep {
				list[i-1] = values[0]
			} else if fields, isObject := list[i-1].(map[string]any); isObject {
				fields[inner] = values[0]
			}
			out[member] = list
		}
	}
	return out
}

// text is a member that is a string; "" for anything else.
func (in input) text(name string) string {
	s, _ := in[name].(string)
	return s
}

// texts is a member that is a list of strings, or one string.
func (in input) texts(name string) []string {
	if s := in.text(name); s != "" {
		return []string{s}
	}
	list, _ := in[name].([]any)
	var out []string
	for _, v := range list {
		if s, isText := v.(string); isText {
			out = append(out, s)
		}
	}
	return out
}

func (in input) object(name string) input {
	o, _ := in[name].(map[string]any)
	return o
}

// tags are those that a request gives: a list of key and value in either
// spelling, or an object.
func (in input) tags() map[string]string {
	out := map[string]string{}
	for _, member := range []string{"tags", "Tags"} {
		switch tags := in[member].(type) {
		case map[string]any:
			for key, v := range tags {
				out[key], _ = v.(string)
			}
		case []any:
			for _, v := range tags {
				t, _ := v.(map[string]any)
				key, value := input(t).text("key"), input(t).text("value")
				if key == "" {
					key, value = input(t).text("Key"), input(t).text("Value")
				}
				if key != "" {
					out[key] = value
				}
			}
		}
	}
	return out
}
