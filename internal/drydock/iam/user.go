package iam

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// user is an identity with keys of its own.
type user struct{ entity }

// accessKey is a user's long-term key.
type accessKey struct {
	ID      string
	Secret  string
	User    string
	Created time.Time
	Status  types.StatusType
}

func (i *IAM) user(name *string) (user, error) {
	if name == nil {
		return user{}, checkName("userName", name, 64)
	}
	u, found := i.users.rows[*name]
	if !found {
		return u, notFound("The user with name %s cannot be found.", *name)
	}
	return u, nil
}

func (i *IAM) saveUser(u user) error { return i.users.put(u.Name, u) }

func (i *IAM) createUser(in *iam.CreateUserInput) (*iam.CreateUserOutput, error) {
	if err := checkName("userName", in.UserName, 64); err != nil {
		return nil, err
	}
	path, err := checkPath(in.Path)
	if err != nil {
		return nil, err
	}
	if strings.EqualFold(*in.UserName, localUser) {
		return nil, exists("User with name %s already exists.", *in.UserName)
	}
	for name := range i.users.rows {
		if strings.EqualFold(name, *in.UserName) {
			return nil, exists("User with name %s already exists.", *in.UserName)
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
	u := user{entity{
		Name: *in.UserName, Path: path, ARN: i.arn("user" + path + *in.UserName), ID: i.id("AIDA"),
		Created: i.now(), Tags: tags, Boundary: bound,
	}}
	shown := u.show()
	return &iam.CreateUserOutput{User: &shown}, i.saveUser(u)
}

func (u user) show() types.User {
	out := types.User{
		Arn: aws.String(u.ARN), CreateDate: aws.Time(u.Created), Path: aws.String(u.Path), UserId: aws.String(u.ID), UserName: aws.String(u.Name),
		PermissionsBoundary: u.boundaryShown(),
	}
	if len(u.Tags) > 0 {
		out.Tags = tagList(u.Tags)
	}
	return out
}

// getUser without a name is about who calls.
func (i *IAM) getUser(ctx context.Context, c wire.Call) (any, error) {
	in := new(iam.GetUserInput)
	if err := wire.DecodeForm(c.Body, in); err != nil {
		return nil, err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	name := in.UserName
	if name == nil {
		caller := i.identity(ctx)
		switch {
		case caller.IsLocal():
			name = aws.String(localUser)
		case caller.User == "":
			return nil, wire.Errorf("ValidationError", "Must specify userName when calling with non-User credentials")
		default:
			name = &caller.User
		}
	}
	if *name == localUser {
		shown := user{entity{Name: localUser, Path: "/", ARN: i.Local().ARN, ID: localUserID, Created: time.Unix(0, 0)}}.show()
		return &iam.GetUserOutput{User: &shown}, nil
	}
	u, err := i.user(name)
	if err != nil {
		return nil, err
	}
	shown := u.show()
	return &iam.GetUserOutput{User: &shown}, nil
}

func (i *IAM) listUsers(in *iam.ListUsersInput) (*iam.ListUsersOutput, error) {
	names := slices.DeleteFunc(i.users.keys(), func(name string) bool {
		return !strings.HasPrefix(i.users.rows[name].Path, aws.ToString(in.PathPrefix))
	})
	names, next, err := page(names, in.Marker, in.MaxItems)
	out := &iam.ListUsersOutput{Users: []types.User{}, Marker: next, IsTruncated: next != nil}
	for _, name := range names {
		shown := i.users.rows[name].show()
		shown.Tags, shown.PermissionsBoundary = nil, nil
		out.Users = append(out.Users, shown)
	}
	return out, err
}

func (i *IAM) deleteUser(in *iam.DeleteUserInput) (*iam.DeleteUserOutput, error) {
	u, err := i.user(in.UserName)
	if err != nil {
		return nil, err
	}
	switch {
	case len(u.Attached) > 0:
		return nil, inUse("detach all policies first.")
	case len(u.Inline) > 0:
		return nil, inUse("delete policies first.")
	case len(i.keysOf(u.Name)) > 0:
		return nil, inUse("delete access keys first.")
	}
	return &iam.DeleteUserOutput{}, i.users.drop(u.Name)
}

func (i *IAM) putUserPolicy(in *iam.PutUserPolicyInput) (*iam.PutUserPolicyOutput, error) {
	u, err := i.user(in.UserName)
	if err != nil {
		return nil, err
	}
	if u.entity, err = i.putInline(u.entity, "user", maxUser, in.PolicyName, in.PolicyDocument); err != nil {
		return nil, err
	}
	return &iam.PutUserPolicyOutput{}, i.saveUser(u)
}

func (i *IAM) getUserPolicy(in *iam.GetUserPolicyInput) (*iam.GetUserPolicyOutput, error) {
	u, err := i.user(in.UserName)
	if err != nil {
		return nil, err
	}
	text, err := u.inline("user", in.PolicyName)
	if err != nil {
		return nil, err
	}
	return &iam.GetUserPolicyOutput{UserName: &u.Name, PolicyName: in.PolicyName, PolicyDocument: document(text)}, nil
}

func (i *IAM) deleteUserPolicy(in *iam.DeleteUserPolicyInput) (*iam.DeleteUserPolicyOutput, error) {
	u, err := i.user(in.UserName)
	if err != nil {
		return nil, err
	}
	if u.entity, err = u.withoutInline("user", in.PolicyName); err != nil {
		return nil, err
	}
	return &iam.DeleteUserPolicyOutput{}, i.saveUser(u)
}

func (i *IAM) listUserPolicies(in *iam.ListUserPoliciesInput) (*iam.ListUserPoliciesOutput, error) {
	u, err := i.user(in.UserName)
	if err != nil {
		return nil, err
	}
	names, next, err := page(sortedKeys(u.Inline), in.Marker, in.MaxItems)
	return &iam.ListUserPoliciesOutput{PolicyNames: append([]string{}, names...), Marker: next, IsTruncated: next != nil}, err
}

func (i *IAM) attachUserPolicy(in *iam.AttachUserPolicyInput) (*iam.AttachUserPolicyOutput, error) {
	u, err := i.user(in.UserName)
	if err != nil {
		return nil, err
	}
	if u.entity, err = i.attach(u.entity, "User", in.PolicyArn); err != nil {
		return nil, err
	}
	return &iam.AttachUserPolicyOutput{}, i.saveUser(u)
}

func (i *IAM) detachUserPolicy(in *iam.DetachUserPolicyInput) (*iam.DetachUserPolicyOutput, error) {
	u, err := i.user(in.UserName)
	if err != nil {
		return nil, err
	}
	if u.entity, err = i.detach(u.entity, in.PolicyArn); err != nil {
		return nil, err
	}
	return &iam.DetachUserPolicyOutput{}, i.saveUser(u)
}

func (i *IAM) listAttachedUserPolicies(in *iam.ListAttachedUserPoliciesInput) (*iam.ListAttachedUserPoliciesOutput, error) {
	u, err := i.user(in.UserName)
	if err != nil {
		return nil, err
	}
	list, next, err := i.attachedList(u.entity, in.PathPrefix, in.Marker, in.MaxItems)
	return &iam.ListAttachedUserPoliciesOutput{AttachedPolicies: list, Marker: next, IsTruncated: next != nil}, err
}

// listGroupsForUser: drydock has no groups, so a user is in none.
func (i *IAM) listGroupsForUser(in *iam.ListGroupsForUserInput) (*iam.ListGroupsForUserOutput, error) {
	_, err := i.user(in.UserName)
	return &iam.ListGroupsForUserOutput{Groups: []types.Group{}}, err
}

func (i *IAM) keysOf(name string) []accessKey {
	var out []accessKey
	for _, id := range i.keys.keys() {
		if k := i.keys.rows[id]; k.User == name {
			out = append(out, k)
		}
	}
	return out
}

const maxKeys = 2

func (i *IAM) createAccessKey(in *iam.CreateAccessKeyInput) (*iam.CreateAccessKeyOutput, error) {
	u, err := i.user(in.UserName)
	if err != nil {
		return nil, err
	}
	if len(i.keysOf(u.Name)) >= maxKeys {
		return nil, limit("Cannot exceed quota for AccessKeysPerUser: %d", maxKeys)
	}
	k := accessKey{ID: i.keyID("AKIA"), Secret: i.secret(), User: u.Name, Created: i.now(), Status: types.StatusTypeActive}
	return &iam.CreateAccessKeyOutput{AccessKey: &types.AccessKey{
		AccessKeyId: &k.ID, SecretAccessKey: &k.Secret, UserName: &k.User, CreateDate: &k.Created, Status: k.Status,
	}}, i.keys.put(k.ID, k)
}

func (i *IAM) listAccessKeys(in *iam.ListAccessKeysInput) (*iam.ListAccessKeysOutput, error) {
	u, err := i.user(in.UserName)
	if err != nil {
		return nil, err
	}
	out := &iam.ListAccessKeysOutput{AccessKeyMetadata: []types.AccessKeyMetadata{}}
	for _, k := range i.keysOf(u.Name) {
		out.AccessKeyMetadata = append(out.AccessKeyMetadata, types.AccessKeyMetadata{
			AccessKeyId: &k.ID, UserName: &k.User, CreateDate: &k.Created, Status: k.Status,
		})
	}
	return out, nil
}

func (i *IAM) accessKey(id, user *string) (accessKey, error) {
	k, found := i.keys.rows[aws.ToString(id)]
	if !found || user != nil && k.User != *user {
		return k, notFound("The Access Key with id %s cannot be found.", aws.ToString(id))
	}
	return k, nil
}

func (i *IAM) updateAccessKey(in *iam.UpdateAccessKeyInput) (*iam.UpdateAccessKeyOutput, error) {
	k, err := i.accessKey(in.AccessKeyId, in.UserName)
	if err != nil {
		return nil, err
	}
	if in.Status != types.StatusTypeActive && in.Status != types.StatusTypeInactive {
		return nil, validation(string(in.Status), "status", "Member must satisfy enum value set: [Active, Inactive]")
	}
	k.Status = in.Status
	return &iam.UpdateAccessKeyOutput{}, i.keys.put(k.ID, k)
}

func (i *IAM) deleteAccessKey(in *iam.DeleteAccessKeyInput) (*iam.DeleteAccessKeyOutput, error) {
	k, err := i.accessKey(in.AccessKeyId, in.UserName)
	if err != nil {
		return nil, err
	}
	return &iam.DeleteAccessKeyOutput{}, i.keys.drop(k.ID)
}
