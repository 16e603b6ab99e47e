package iam

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/iam/policy"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

func itoa(n int) string { return strconv.Itoa(n) }

// role is an identity that others take on.
type role struct {
	entity
	Trust       string // document
	Description string
	MaxSession  int32 // seconds
	Used        time.Time
}

// Bounds and default of a role's longest session, in seconds.
const (
	minMaxSession = 3600
	maxMaxSession = 43200
)

func (i *IAM) role(name *string) (role, error) {
	if name == nil {
		return role{}, checkName("roleName", name, 64)
	}
	r, found := i.roles.rows[*name]
	if !found {
		return r, notFound("The role with name %s cannot be found.", *name)
	}
	return r, nil
}

func (i *IAM) saveRole(r role) error { return i.roles.put(r.Name, r) }

func (i *IAM) checkTrust(text *string) error {
	if text == nil {
		return wire.Errorf("ValidationError", "1 validation error detected: Value at 'assumeRolePolicyDocument' failed to satisfy constraint: Member must not be null")
	}
	d, err := i.parse(*text, policy.Trust)
	if err != nil {
		return err
	}
	if size(*text) > maxTrust {
		return limit("Cannot exceed quota for ACLSizePerRole: %d", maxTrust)
	}
	for _, s := range d.Statements {
		for _, p := range slices.Concat(s.Principals, s.Excepted) {
			if p.Kind == "AWS" && !i.isPrincipal(p.Value) {
				return wire.Errorf("MalformedPolicyDocument", "Invalid principal in policy: %q:%q", p.Kind, p.Value)
			}
		}
	}
	return nil
}

// isPrincipal tells whether a trust policy can name it: of this account's
// roles and users those that exist, of others anything.
func (i *IAM) isPrincipal(name string) bool {
	if name == "*" || len(name) == 12 && strings.Trim(name, "0123456789") == "" {
		return true
	}
	field := strings.SplitN(name, ":", 6)
	if len(field) != 6 || field[0] != "arn" || field[2] != "iam" && field[2] != "sts" || field[3] != "" || len(field[4]) != 12 {
		return false
	}
	kind, rest, _ := strings.Cut(field[5], "/")
	last := rest[strings.LastIndexByte(rest, '/')+1:]
	switch {
	case field[4] != i.account || field[5] == "root":
		return true
	case kind == "role":
		return i.roles.rows[last].ARN == name
	case kind == "user":
		return i.users.rows[last].ARN == name || name == i.Local().ARN
	case kind == "assumed-role":
		role, _, _ := strings.Cut(rest, "/")
		_, known := i.roles.rows[role]
		return known
	}
	return false
}

func (i *IAM) createRole(in *iam.CreateRoleInput) (*iam.CreateRoleOutput, error) {
	if err := checkName("roleName", in.RoleName, 64); err != nil {
		return nil, err
	}
	path, err := checkPath(in.Path)
	if err != nil {
		return nil, err
	}
	if err := i.checkTrust(in.AssumeRolePolicyDocument); err != nil {
		return nil, err
	}
	longest, err := maxSession(in.MaxSessionDuration)
	if err != nil {
		return nil, err
	}
	for name := range i.roles.rows {
		if strings.EqualFold(name, *in.RoleName) { // names are not distinguished by case
			return nil, exists("Role with name %s already exists.", *in.RoleName)
		}
	}
	tags, err := withTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	bound, err := i.boundary(in.PermissionsBoundary)
	if err != nil {
		return nil, err
	}
	r := role{
		entity: entity{
			Name: *in.RoleName, Path: path, ARN: i.arn("role" + path + *in.RoleName), ID: i.id("AROA"),
			Created: i.now(), Tags: tags, Boundary: bound,
		},
		Trust: *in.AssumeRolePolicyDocument, Description: aws.ToString(in.Description), MaxSession: longest,
	}
	shown := r.show()
	return &iam.CreateRoleOutput{Role: &shown}, i.saveRole(r)
}

func (i *IAM) arn(resource string) string { return "arn:aws:iam::" + i.account + ":" + resource }

func maxSession(given *int32) (int32, error) {
	if given == nil {
		return minMaxSession, nil
	}
	if *given < minMaxSession {
		return 0, validation(itoa(int(*given)), "maxSessionDuration", "Member must have value greater than or equal to 3600")
	}
	if *given > maxMaxSession {
		return 0, validation(itoa(int(*given)), "maxSessionDuration", "Member must have value less than or equal to 43200")
	}
	return *given, nil
}

func (r role) show() types.Role {
	out := types.Role{
		Arn: aws.String(r.ARN), CreateDate: aws.Time(r.Created), Path: aws.String(r.Path), RoleId: aws.String(r.ID), RoleName: aws.String(r.Name),
		AssumeRolePolicyDocument: document(r.Trust), MaxSessionDuration: aws.Int32(r.MaxSession),
		PermissionsBoundary: r.boundaryShown(), RoleLastUsed: &types.RoleLastUsed{},
	}
	if r.Description != "" {
		out.Description = aws.String(r.Description)
	}
	if len(r.Tags) > 0 {
		out.Tags = tagList(r.Tags)
	}
	return out
}

func (i *IAM) getRole(in *iam.GetRoleInput) (*iam.GetRoleOutput, error) {
	r, err := i.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	shown := r.show()
	return &iam.GetRoleOutput{Role: &shown}, nil
}

func (i *IAM) listRoles(in *iam.ListRolesInput) (*iam.ListRolesOutput, error) {
	names := slices.DeleteFunc(i.roles.keys(), func(name string) bool {
		return !strings.HasPrefix(i.roles.rows[name].Path, aws.ToString(in.PathPrefix))
	})
	names, next, err := page(names, in.Marker, in.MaxItems)
	out := &iam.ListRolesOutput{Roles: []types.Role{}, Marker: next, IsTruncated: next != nil}
	for _, name := range names {
		shown := i.roles.rows[name].show()
		shown.Tags, shown.PermissionsBoundary, shown.RoleLastUsed = nil, nil, nil // "IAM resource-listing operations return a subset"
		out.Roles = append(out.Roles, shown)
	}
	return out, err
}

func (i *IAM) updateRole(in *iam.UpdateRoleInput) (*iam.UpdateRoleOutput, error) {
	r, err := i.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	if in.Description != nil {
		r.Description = *in.Description
	}
	if in.MaxSessionDuration != nil {
		if r.MaxSession, err = maxSession(in.MaxSessionDuration); err != nil {
			return nil, err
		}
	}
	return &iam.UpdateRoleOutput{}, i.saveRole(r)
}

func (i *IAM) updateRoleDescription(in *iam.UpdateRoleDescriptionInput) (*iam.UpdateRoleDescriptionOutput, error) {
	r, err := i.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	r.Description = aws.ToString(in.Description)
	shown := r.show()
	return &iam.UpdateRoleDescriptionOutput{Role: &shown}, i.saveRole(r)
}

func (i *IAM) updateAssumeRolePolicy(in *iam.UpdateAssumeRolePolicyInput) (*iam.UpdateAssumeRolePolicyOutput, error) {
	r, err := i.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	if err := i.checkTrust(in.PolicyDocument); err != nil {
		return nil, err
	}
	r.Trust = *in.PolicyDocument
	return &iam.UpdateAssumeRolePolicyOutput{}, i.saveRole(r)
}

func (i *IAM) deleteRole(in *iam.DeleteRoleInput) (*iam.DeleteRoleOutput, error) {
	r, err := i.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	switch {
	case strings.HasPrefix(r.Path, serviceLinked):
		return nil, conflict("UnmodifiableEntity", "Cannot perform the operation on the protected role '%s' - this role is only modifiable by AWS", r.Name)
	case len(r.Attached) > 0:
		return nil, inUse("detach all policies first.")
	case len(r.Inline) > 0:
		return nil, inUse("delete policies first.")
	}
	return &iam.DeleteRoleOutput{}, i.roles.drop(r.Name)
}

// serviceLinked is where the roles of services themselves are.
const serviceLinked = "/aws-service-role/"

// createServiceLinkedRole knows the services that deploys meet. Nothing in
// drydock asks for the role; clients that make sure of it find it.
func (i *IAM) createServiceLinkedRole(in *iam.CreateServiceLinkedRoleInput) (*iam.CreateServiceLinkedRoleOutput, error) {
	service := aws.ToString(in.AWSServiceName)
	known := map[string]struct{ role, policy string }{
		"ecs.amazonaws.com":                         {"AWSServiceRoleForECS", "arn:aws:iam::aws:policy/aws-service-role/AmazonECSServiceRolePolicy"},
		"ecs.application-autoscaling.amazonaws.com": {"AWSServiceRoleForApplicationAutoScaling_ECSService", ""},
		"elasticloadbalancing.amazonaws.com":        {"AWSServiceRoleForElasticLoadBalancing", ""},
	}
	made, isKnown := known[service]
	if !isKnown {
		return nil, wire.Errorf("InvalidInput", "drydock has no service-linked role for %q", service)
	}
	if in.CustomSuffix != nil {
		return nil, wire.Errorf("InvalidInput", "Custom suffix is not allowed for %s", service)
	}
	if _, found := i.roles.rows[made.role]; found {
		return nil, wire.Errorf("InvalidInput", "Service role name %s has been taken in this account, please try a different suffix.", made.role)
	}
	path := serviceLinked + service + "/"
	r := role{
		entity:      entity{Name: made.role, Path: path, ARN: i.arn("role" + path + made.role), ID: i.id("AROA"), Created: i.now()},
		Trust:       `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["` + service + `"]},"Action":["sts:AssumeRole"]}]}`,
		Description: aws.ToString(in.Description), MaxSession: minMaxSession,
	}
	if made.policy != "" {
		r.Attached = []string{made.policy}
	}
	shown := r.show()
	return &iam.CreateServiceLinkedRoleOutput{Role: &shown}, i.saveRole(r)
}

func (i *IAM) tagRole(in *iam.TagRoleInput) (*iam.TagRoleOutput, error) {
	r, err := i.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	if r.Tags, err = withTags(r.Tags, in.Tags); err != nil {
		return nil, err
	}
	return &iam.TagRoleOutput{}, i.saveRole(r)
}

func (i *IAM) untagRole(in *iam.UntagRoleInput) (*iam.UntagRoleOutput, error) {
	r, err := i.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	r.Tags = withoutTags(r.Tags, in.TagKeys)
	return &iam.UntagRoleOutput{}, i.saveRole(r)
}

func (i *IAM) listRoleTags(in *iam.ListRoleTagsInput) (*iam.ListRoleTagsOutput, error) {
	r, err := i.role(in.RoleName)
	return &iam.ListRoleTagsOutput{Tags: tagList(r.Tags)}, err
}

func (i *IAM) listInstanceProfilesForRole(in *iam.ListInstanceProfilesForRoleInput) (*iam.ListInstanceProfilesForRoleOutput, error) {
	_, err := i.role(in.RoleName)
	return &iam.ListInstanceProfilesForRoleOutput{InstanceProfiles: []types.InstanceProfile{}}, err
}

func (i *IAM) putRolePolicy(in *iam.PutRolePolicyInput) (*iam.PutRolePolicyOutput, error) {
	r, err := i.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	if r.entity, err = i.putInline(r.entity, "role", maxInline, in.PolicyName, in.PolicyDocument); err != nil {
		return nil, err
	}
	return &iam.PutRolePolicyOutput{}, i.saveRole(r)
}

func (i *IAM) getRolePolicy(in *iam.GetRolePolicyInput) (*iam.GetRolePolicyOutput, error) {
	r, err := i.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	text, err := r.inline("role", in.PolicyName)
	if err != nil {
		return nil, err
	}
	return &iam.GetRolePolicyOutput{RoleName: &r.Name, PolicyName: in.PolicyName, PolicyDocument: document(text)}, nil
}

func (i *IAM) deleteRolePolicy(in *iam.DeleteRolePolicyInput) (*iam.DeleteRolePolicyOutput, error) {
	r, err := i.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	if r.entity, err = r.withoutInline("role", in.PolicyName); err != nil {
		return nil, err
	}
	return &iam.DeleteRolePolicyOutput{}, i.saveRole(r)
}

func (i *IAM) listRolePolicies(in *iam.ListRolePoliciesInput) (*iam.ListRolePoliciesOutput, error) {
	r, err := i.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	names, next, err := page(sortedKeys(r.Inline), in.Marker, in.MaxItems)
	return &iam.ListRolePoliciesOutput{PolicyNames: append([]string{}, names...), Marker: next, IsTruncated: next != nil}, err
}

func (i *IAM) attachRolePolicy(in *iam.AttachRolePolicyInput) (*iam.AttachRolePolicyOutput, error) {
	r, err := i.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	if r.entity, err = i.attach(r.entity, "Role", in.PolicyArn); err != nil {
		return nil, err
	}
	return &iam.AttachRolePolicyOutput{}, i.saveRole(r)
}

func (i *IAM) detachRolePolicy(in *iam.DetachRolePolicyInput) (*iam.DetachRolePolicyOutput, error) {
	r, err := i.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	if r.entity, err = i.detach(r.entity, in.PolicyArn); err != nil {
		return nil, err
	}
	return &iam.DetachRolePolicyOutput{}, i.saveRole(r)
}

func (i *IAM) listAttachedRolePolicies(in *iam.ListAttachedRolePoliciesInput) (*iam.ListAttachedRolePoliciesOutput, error) {
	r, err := i.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	list, next, err := i.attachedList(r.entity, in.PathPrefix, in.Marker, in.MaxItems)
	return &iam.ListAttachedRolePoliciesOutput{AttachedPolicies: list, Marker: next, IsTruncated: next != nil}, err
}
