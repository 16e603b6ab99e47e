package iam

import (
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

const (
	trust    = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}}`
	allowECS = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ecs:*","Resource":"*"}}`
)

// ask calls an operation with a form: ask(i, "CreateRole RoleName=a", "PolicyDocument", "{}").
func ask(t *testing.T, i *IAM, call string, pairs ...string) (any, error) {
	t.Helper()
	operation, text, _ := strings.Cut(call, " ")
	form, err := url.ParseQuery(text)
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(pairs); n += 2 {
		form.Set(pairs[n], pairs[n+1])
	}
	op := i.Service().Operations[operation]
	if op == nil {
		op = i.STS().Operations[operation]
	}
	return op(t.Context(), wire.Call{Operation: operation, Body: []byte(form.Encode())})
}

// The refusals of the life of roles, policies, users and providers, in order.
func TestStory(t *testing.T) {
	i := newIAM(t, store.Memory())
	const own, power = "arn:aws:iam::123456789012:policy/own", "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPowerUser"
	for n, step := range []struct {
		call  string
		pairs []string
		want  string // code and part of the message; "" for success
	}{
		{"GetRole RoleName=ci", nil, "NoSuchEntity: The role with name ci cannot be found."},
		{"CreateRole RoleName=ci", nil, "ValidationError: "},
		{"CreateRole RoleName=c%20i", []string{"AssumeRolePolicyDocument", trust}, "ValidationError: 1 validation error detected: Value 'c i' at 'roleName'"},
		{"CreateRole RoleName=ci", []string{"AssumeRolePolicyDocument", allowECS}, "MalformedPolicyDocument: Missing required field Principal"},
		{"CreateRole RoleName=ci", []string{"AssumeRolePolicyDocument", strings.Replace(trust, `"Service":"ecs-tasks.amazonaws.com"`, `"AWS":"arn:aws:iam::123456789012:role/nobody"`, 1)}, `MalformedPolicyDocument: Invalid principal in policy: "AWS":"arn:aws:iam::123456789012:role/nobody"`},
		{"CreateRole RoleName=ci&MaxSessionDuration=60", []string{"AssumeRolePolicyDocument", trust}, "ValidationError: "},
		{"CreateRole RoleName=ci&MaxSessionDuration=x", []string{"AssumeRolePolicyDocument", trust}, "MalformedInput: "},
		{"CreateRole RoleName=ci", []string{"AssumeRolePolicyDocument", trust}, ""},
		{"CreateRole RoleName=CI", []string{"AssumeRolePolicyDocument", trust}, "EntityAlreadyExists: Role with name CI already exists."},
		{"PutRolePolicy RoleName=ci&PolicyName=p", []string{"PolicyDocument", trust}, "MalformedPolicyDocument: Policy document should not specify a principal."},
		{"PutRolePolicy RoleName=ci&PolicyName=p", []string{"PolicyDocument", strings.Replace(allowECS, "ecs:*", "ecs:"+strings.Repeat("x", 10240), 1)}, "LimitExceeded: Maximum policy size of 10240 bytes exceeded for role ci"},
		{"PutRolePolicy RoleName=ci&PolicyName=p", []string{"PolicyDocument", allowECS}, ""},
		{"GetRolePolicy RoleName=ci&PolicyName=q", nil, "NoSuchEntity: The role policy with name q cannot be found."},
		{"AttachRolePolicy RoleName=ci", []string{"PolicyArn", own}, "NoSuchEntity: Policy " + own + " does not exist or is not attachable."},
		{"AttachRolePolicy RoleName=ci", []string{"PolicyArn", power}, ""},
		{"DeleteRole RoleName=ci", nil, "DeleteConflict: Cannot delete entity, must detach all policies first."},
		{"DetachRolePolicy RoleName=ci", []string{"PolicyArn", power}, ""},
		{"DetachRolePolicy RoleName=ci", []string{"PolicyArn", power}, "NoSuchEntity: Policy " + power + " was not found."},
		{"DeleteRole RoleName=ci", nil, "DeleteConflict: Cannot delete entity, must delete policies first."},

		{"CreatePolicy PolicyName=own", []string{"PolicyDocument", allowECS}, ""},
		{"CreatePolicy PolicyName=Own", []string{"PolicyDocument", allowECS}, "EntityAlreadyExists: A policy called Own already exists. Duplicate names are not allowed."},
		{"AttachRolePolicy RoleName=ci", []string{"PolicyArn", own}, ""},
		{"CreatePolicyVersion SetAsDefault=true", []string{"PolicyArn", own, "PolicyDocument", allowECS}, ""},
		{"DeletePolicyVersion VersionId=v2", []string{"PolicyArn", own}, "DeleteConflict: Cannot delete the default version of a policy."},
		{"DeletePolicy ", []string{"PolicyArn", own}, "DeleteConflict: Cannot delete a policy attached to entities."},
		{"DetachRolePolicy RoleName=ci", []string{"PolicyArn", own}, ""},
		{"DeletePolicy ", []string{"PolicyArn", own}, "DeleteConflict: This policy has more than one version."},
		{"DeletePolicyVersion VersionId=v1", []string{"PolicyArn", own}, ""},
		{"DeletePolicy ", []string{"PolicyArn", own}, ""},
		{"DeletePolicy ", []string{"PolicyArn", power}, "AccessDenied: "},

		{"CreateUser UserName=aki", nil, ""},
		{"CreateUser UserName=drydock", nil, "EntityAlreadyExists: User with name drydock already exists."},
		{"CreateAccessKey UserName=aki", nil, ""},
		{"CreateAccessKey UserName=aki", nil, ""},
		{"CreateAccessKey UserName=aki", nil, "LimitExceeded: Cannot exceed quota for AccessKeysPerUser: 2"},
		{"DeleteUser UserName=aki", nil, "DeleteConflict: Cannot delete entity, must delete access keys first."},

		{"CreateOpenIDConnectProvider Url=http://a", nil, "ValidationError: Invalid Open ID Connect Provider URL"},
		{"CreateOpenIDConnectProvider Url=https://a/b", nil, ""},
		{"CreateOpenIDConnectProvider Url=https://a/b", nil, "EntityAlreadyExists: Provider with url https://a/b already exists."},
		{"DeleteOpenIDConnectProvider OpenIDConnectProviderArn=arn:aws:iam::123456789012:oidc-provider/a/b", nil, ""},
		{"GetOpenIDConnectProvider OpenIDConnectProviderArn=arn:aws:iam::123456789012:oidc-provider/a/b", nil, "NoSuchEntity: OpenIDConnect Provider not found for arn"},

		{"CreateServiceLinkedRole AWSServiceName=ecs.amazonaws.com", nil, ""},
		{"CreateServiceLinkedRole AWSServiceName=ecs.amazonaws.com", nil, "InvalidInput: Service role name AWSServiceRoleForECS has been taken in this account"},
		{"DeleteRole RoleName=AWSServiceRoleForECS", nil, "UnmodifiableEntity: "},
		{"AssumeRole RoleSessionName=x1&RoleArn=arn:aws:iam::123456789012:role/ci", nil, "AccessDenied: User: arn:aws:iam::123456789012:user/drydock is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/ci"},
		{"SimulatePrincipalPolicy ActionNames.member.1=ecs:RunTask", []string{"PolicySourceArn", "arn:aws:iam::123456789012:role/x"}, "NoSuchEntity: "},
		{"SimulatePrincipalPolicy ActionNames.member.1=ecs:RunTask&ActionNames.member.2=ecr:PutImage", []string{"PolicySourceArn", "arn:aws:iam::123456789012:role/ci"}, ""},
	} {
		_, err := ask(t, i, step.call, step.pairs...)
		got := ""
		if e, ok := errors.AsType[*wire.Error](err); ok {
			got = e.Error()
		} else if err != nil {
			t.Fatalf("step %d: %v", n, err)
		}
		if step.want == "" && got != "" || !strings.HasPrefix(got, step.want) {
			t.Errorf("step %d: %s: %s\nwant %s", n, step.call, got, step.want)
		}
	}
}

// Every managed policy of AWS's that is there can be read.
func TestManagedPoliciesOfAWS(t *testing.T) {
	i := newIAM(t, store.Memory())
	for arn := range i.aws {
		if len(i.defaultDocument(arn)) != 1 {
			t.Errorf("%s allows nothing", arn)
		}
	}
	if len(i.aws) < 6 {
		t.Errorf("there are %d", len(i.aws))
	}
}

// The same calls on the same clock and seed make the same ids and keys.
func TestSameSeedSameState(t *testing.T) {
	stores := [2]*store.Store{store.Memory(), store.Memory()}
	var seen [2][]string
	for n, s := range stores {
		i := newIAM(t, s)
		for _, call := range []string{"CreateUser UserName=a", "CreateAccessKey UserName=a", "CreateServiceLinkedRole AWSServiceName=ecs.amazonaws.com"} {
			if _, err := ask(t, i, call); err != nil {
				t.Fatal(err)
			}
		}
		for _, bucket := range []string{bucketUsers, bucketKeys, bucketRoles} {
			if err := s.Load(bucket, func(key string, doc []byte) error { seen[n] = append(seen[n], key+string(doc)); return nil }); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !slices.Equal(seen[0], seen[1]) || len(seen[0]) != 3 {
		t.Errorf("%q\n%q", seen[0], seen[1])
	}
}

// Forms of any content are one clear error.
func FuzzForms(f *testing.F) {
	f.Add(uint8(0), "RoleName=a&AssumeRolePolicyDocument={}&Tags.member.1.Key=b")
	f.Add(uint8(9), "PolicyArn=arn&PolicyDocument=%7B%7D&MaxItems=-1&Marker=x")
	f.Add(uint8(3), "RoleArn=arn:aws:iam::123456789012:role/ci&RoleSessionName=ab&WebIdentityToken=a.b.c&Tags.member.1.Key=")
	f.Fuzz(func(t *testing.T, n uint8, form string) {
		i := newIAM(t, store.Memory())
		operations := i.Service().Operations
		maps.Copy(operations, i.STS().Operations)
		names := slices.Sorted(maps.Keys(operations))
		_, err := operations[names[int(n)%len(names)]](t.Context(), wire.Call{Body: []byte(form)})
		if e, ok := errors.AsType[*wire.Error](err); err != nil && (!ok || e.Status >= 500) {
			t.Errorf("%v", err)
		}
	})
}
