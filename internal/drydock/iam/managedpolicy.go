package iam

import (
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/iam/policy"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// managedPolicy is a policy that stands by itself and is attached.
type managedPolicy struct {
	Name        string
	Path        string
	ARN         string
	ID          string
	Description string
	Created     time.Time
	Updated     time.Time
	Tags        map[string]string
	Versions    []policyVersion // oldest first
	Default     string          // "v1"
	Last        int             // the highest number given out
}

type policyVersion struct {
	ID       string // "v1"
	Document string
	Created  time.Time
}

// awsManaged is the documents of AWS's managed policies that deploys meet, as
// the AWS managed policy reference guide has them, one file a policy. Only the
// version that was the default when the file was written is there.
//
//go:embed managed/*.json
var awsManaged embed.FS

func awsPolicies() (map[string]managedPolicy, error) {
	files, err := awsManaged.ReadDir("managed")
	if err != nil {
		return nil, err
	}
	out := map[string]managedPolicy{}
	for _, f := range files {
		content, err := awsManaged.ReadFile("managed/" + f.Name())
		if err != nil {
			return nil, err
		}
		var doc struct {
			Name, Path, Version string
			Created, Updated    time.Time
			Document            json.RawMessage
		}
		if err := json.Unmarshal(content, &doc); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name(), err)
		}
		arn := "arn:aws:iam::aws:policy" + doc.Path + doc.Name
		out[arn] = managedPolicy{
			Name: doc.Name, Path: doc.Path, ARN: arn, ID: awsPolicyID(doc.Name), Created: doc.Created, Updated: doc.Updated,
			Versions: []policyVersion{{doc.Version, string(doc.Document), doc.Updated}}, Default: doc.Version,
		}
	}
	return out, nil
}

// awsPolicyID stands for an id that AWS publishes nowhere.
func awsPolicyID(name string) string {
	return ("ANPA" + strings.ToUpper(name) + "XXXXXXXXXXXXXXXXX")[:21]
}

func (i *IAM) managed(arn string) (managedPolicy, bool) {
	if p, known := i.policies.rows[arn]; known {
		return p, true
	}
	p, known := i.aws[arn]
	return p, known
}

func (i *IAM) managedPolicy(arn *string) (managedPolicy, error) {
	p, known := i.managed(aws.ToString(arn))
	if !known {
		return p, notFound("Policy %s was not found.", aws.ToString(arn))
	}
	return p, nil
}

// own is a policy that the account may change.
func (i *IAM) own(arn *string) (managedPolicy, error) {
	p, err := i.managedPolicy(arn)
	if err != nil {
		return p, err
	}
	if _, isAWS := i.aws[p.ARN]; isAWS {
		e := wire.Errorf("AccessDenied", "Policy %s is managed by AWS and cannot be changed.", p.ARN)
		e.Status = 403
		return p, e
	}
	return p, nil
}

func (p managedPolicy) version(id string) (policyVersion, bool) {
	at := slices.IndexFunc(p.Versions, func(v policyVersion) bool { return v.ID == id })
	if at < 0 {
		return policyVersion{}, false
	}
	return p.Versions[at], true
}

func (i *IAM) savePolicy(p managedPolicy) error { return i.policies.put(p.ARN, p) }

func (i *IAM) checkManaged(text *string) error {
	if text == nil {
		return wire.Errorf("ValidationError", "1 validation error detected: Value at 'policyDocument' failed to satisfy constraint: Member must not be null")
	}
	if _, err := i.parse(*text, policy.Identity); err != nil {
		return err
	}
	if size(*text) > maxManaged {
		return limit("Cannot exceed quota for PolicySize: %d", maxManaged)
	}
	return nil
}

func (i *IAM) createPolicy(in *iam.CreatePolicyInput) (*iam.CreatePolicyOutput, error) {
	if err := checkName("policyName", in.PolicyName, 128); err != nil {
		return nil, err
	}
	path, err := checkPath(in.Path)
	if err != nil {
		return nil, err
	}
	if err := i.checkManaged(in.PolicyDocument); err != nil {
		return nil, err
	}
	for _, p := range i.policies.rows {
		if strings.EqualFold(p.Name, *in.PolicyName) {
			return nil, exists("A policy called %s already exists. Duplicate names are not allowed.", *in.PolicyName)
		}
	}
	tags, err := withTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	now := i.now()
	p := managedPolicy{
		Name: *in.PolicyName, Path: path, ARN: i.arn("policy" + path + *in.PolicyName), ID: i.id("ANPA"),
		Description: aws.ToString(in.Description), Created: now, Updated: now, Tags: tags,
		Versions: []policyVersion{{"v1", *in.PolicyDocument, now}}, Default: "v1", Last: 1,
	}
	return &iam.CreatePolicyOutput{Policy: i.showPolicy(p)}, i.savePolicy(p)
}

func (i *IAM) showPolicy(p managedPolicy) *types.Policy {
	attached, bounding := i.uses(p.ARN)
	out := &types.Policy{
		Arn: aws.String(p.ARN), PolicyName: aws.String(p.Name), PolicyId: aws.String(p.ID), Path: aws.String(p.Path),
		DefaultVersionId: aws.String(p.Default), IsAttachable: true, AttachmentCount: aws.Int32(int32(attached)),
		PermissionsBoundaryUsageCount: aws.Int32(int32(bounding)), CreateDate: aws.Time(p.Created), UpdateDate: aws.Time(p.Updated),
	}
	if p.Description != "" {
		out.Description = aws.String(p.Description)
	}
	if len(p.Tags) > 0 {
		out.Tags = tagList(p.Tags)
	}
	return out
}

// uses counts the entities that have a policy, and those that it bounds.
func (i *IAM) uses(arn string) (attached, bounding int) {
	count := func(e entity) {
		if slices.Contains(e.Attached, arn) {
			attached++
		}
		if e.Boundary == arn {
			bounding++
		}
	}
	for _, r := range i.roles.rows {
		count(r.entity)
	}
	for _, u := range i.users.rows {
		count(u.entity)
	}
	return attached, bounding
}

func (i *IAM) getPolicy(in *iam.GetPolicyInput) (*iam.GetPolicyOutput, error) {
	p, err := i.managedPolicy(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	return &iam.GetPolicyOutput{Policy: i.showPolicy(p)}, nil
}

func (i *IAM) listPolicies(in *iam.ListPoliciesInput) (*iam.ListPoliciesOutput, error) {
	var arns []string
	if in.Scope != types.PolicyScopeTypeAws {
		arns = append(arns, i.policies.keys()...)
	}
	if in.Scope != types.PolicyScopeTypeLocal {
		arns = append(arns, sortedKeys(i.aws)...)
	}
	arns = slices.DeleteFunc(arns, func(arn string) bool {
		p, _ := i.managed(arn)
		attached, _ := i.uses(arn)
		return !strings.HasPrefix(p.Path, aws.ToString(in.PathPrefix)) || in.OnlyAttached && attached == 0
	})
	slices.Sort(arns)
	arns, next, err := page(arns, in.Marker, in.MaxItems)
	out := &iam.ListPoliciesOutput{Policies: []types.Policy{}, Marker: next, IsTruncated: next != nil}
	for _, arn := range arns {
		p, _ := i.managed(arn)
		shown := i.showPolicy(p)
		shown.Description, shown.Tags = nil, nil
		out.Policies = append(out.Policies, *shown)
	}
	return out, err
}

func (i *IAM) deletePolicy(in *iam.DeletePolicyInput) (*iam.DeletePolicyOutput, error) {
	p, err := i.own(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	if attached, bounding := i.uses(p.ARN); attached+bounding > 0 {
		return nil, conflict("DeleteConflict", "Cannot delete a policy attached to entities.")
	}
	if len(p.Versions) > 1 {
		return nil, conflict("DeleteConflict", "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
	}
	return &iam.DeletePolicyOutput{}, i.policies.drop(p.ARN)
}

const maxVersions = 5

func (i *IAM) createPolicyVersion(in *iam.CreatePolicyVersionInput) (*iam.CreatePolicyVersionOutput, error) {
	p, err := i.own(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	if err := i.checkManaged(in.PolicyDocument); err != nil {
		return nil, err
	}
	if len(p.Versions) >= maxVersions {
		return nil, limit("A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", maxVersions)
	}
	p.Last++
	v := policyVersion{"v" + itoa(p.Last), *in.PolicyDocument, i.now()}
	p.Versions = append(slices.Clone(p.Versions), v)
	if in.SetAsDefault {
		p.Default = v.ID
	}
	p.Updated = v.Created
	shown := p.showVersion(v)
	shown.Document = nil
	return &iam.CreatePolicyVersionOutput{PolicyVersion: &shown}, i.savePolicy(p)
}

func (p managedPolicy) showVersion(v policyVersion) types.PolicyVersion {
	return types.PolicyVersion{
		VersionId: aws.String(v.ID), IsDefaultVersion: v.ID == p.Default, CreateDate: aws.Time(v.Created), Document: document(v.Document),
	}
}

func noVersion(p managedPolicy, id *string) error {
	return notFound("Policy %s version %s does not exist or is not attachable.", p.ARN, aws.ToString(id))
}

func (i *IAM) getPolicyVersion(in *iam.GetPolicyVersionInput) (*iam.GetPolicyVersionOutput, error) {
	p, err := i.managedPolicy(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	v, found := p.version(aws.ToString(in.VersionId))
	if !found {
		return nil, noVersion(p, in.VersionId)
	}
	shown := p.showVersion(v)
	return &iam.GetPolicyVersionOutput{PolicyVersion: &shown}, nil
}

func (i *IAM) listPolicyVersions(in *iam.ListPolicyVersionsInput) (*iam.ListPolicyVersionsOutput, error) {
	p, err := i.managedPolicy(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	out := &iam.ListPolicyVersionsOutput{Versions: []types.PolicyVersion{}} // five at most: never truncated
	for _, v := range slices.Backward(p.Versions) {
		shown := p.showVersion(v)
		shown.Document = nil
		out.Versions = append(out.Versions, shown)
	}
	return out, nil
}

func (i *IAM) setDefaultPolicyVersion(in *iam.SetDefaultPolicyVersionInput) (*iam.SetDefaultPolicyVersionOutput, error) {
	p, err := i.own(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	if _, found := p.version(aws.ToString(in.VersionId)); !found {
		return nil, noVersion(p, in.VersionId)
	}
	p.Default, p.Updated = *in.VersionId, i.now()
	return &iam.SetDefaultPolicyVersionOutput{}, i.savePolicy(p)
}

func (i *IAM) deletePolicyVersion(in *iam.DeletePolicyVersionInput) (*iam.DeletePolicyVersionOutput, error) {
	p, err := i.own(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	id := aws.ToString(in.VersionId)
	if _, found := p.version(id); !found {
		return nil, noVersion(p, in.VersionId)
	}
	if id == p.Default {
		return nil, conflict("DeleteConflict", "Cannot delete the default version of a policy.")
	}
	p.Versions = slices.DeleteFunc(slices.Clone(p.Versions), func(v policyVersion) bool { return v.ID == id })
	return &iam.DeletePolicyVersionOutput{}, i.savePolicy(p)
}

func (i *IAM) listPolicyTags(in *iam.ListPolicyTagsInput) (*iam.ListPolicyTagsOutput, error) {
	p, err := i.managedPolicy(in.PolicyArn)
	return &iam.ListPolicyTagsOutput{Tags: tagList(p.Tags)}, err
}

func (i *IAM) tagPolicy(in *iam.TagPolicyInput) (*iam.TagPolicyOutput, error) {
	p, err := i.own(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	if p.Tags, err = withTags(p.Tags, in.Tags); err != nil {
		return nil, err
	}
	return &iam.TagPolicyOutput{}, i.savePolicy(p)
}

func (i *IAM) untagPolicy(in *iam.UntagPolicyInput) (*iam.UntagPolicyOutput, error) {
	p, err := i.own(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	p.Tags = withoutTags(p.Tags, in.TagKeys)
	return &iam.UntagPolicyOutput{}, i.savePolicy(p)
}

func (i *IAM) listEntitiesForPolicy(in *iam.ListEntitiesForPolicyInput) (*iam.ListEntitiesForPolicyOutput, error) {
	p, err := i.managedPolicy(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	out := &iam.ListEntitiesForPolicyOutput{PolicyRoles: []types.PolicyRole{}, PolicyUsers: []types.PolicyUser{}, PolicyGroups: []types.PolicyGroup{}}
	for _, name := range i.roles.keys() {
		if r := i.roles.rows[name]; slices.Contains(r.Attached, p.ARN) {
			out.PolicyRoles = append(out.PolicyRoles, types.PolicyRole{RoleName: aws.String(r.Name), RoleId: aws.String(r.ID)})
		}
	}
	for _, name := range i.users.keys() {
		if u := i.users.rows[name]; slices.Contains(u.Attached, p.ARN) {
			out.PolicyUsers = append(out.PolicyUsers, types.PolicyUser{UserName: aws.String(u.Name), UserId: aws.String(u.ID)})
		}
	}
	return out, nil
}
