package iam

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/iam/policy"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// simulatePrincipalPolicy tells what a role or user is allowed, without asking
// for it. Policies of resources and callers other than the principal are
// refused: drydock does not simulate them.
func (i *IAM) simulatePrincipalPolicy(in *iam.SimulatePrincipalPolicyInput) (*iam.SimulatePrincipalPolicyOutput, error) {
	e, err := i.entityByARN(aws.ToString(in.PolicySourceArn))
	if err != nil {
		return nil, err
	}
	switch {
	case len(in.ActionNames) == 0:
		return nil, wire.Errorf("InvalidInput", "ActionNames must have at least one element.")
	case in.ResourcePolicy != nil || in.ResourceHandlingOption != nil || len(in.PermissionsBoundaryPolicyInputList) > 0 || len(in.PolicyExclusionList) > 0:
		return nil, wire.Errorf("InvalidInput", "drydock simulates neither ResourcePolicy, ResourceHandlingOption, PermissionsBoundaryPolicyInputList nor PolicyExclusionList.")
	case in.Marker != nil:
		return nil, wire.Errorf("InvalidInput", "Invalid Marker.") // everything is in the first answer
	}
	documents := i.documentsOf(e)
	for _, text := range in.PolicyInputList {
		d, err := i.parse(text, policy.Identity)
		if err != nil {
			return nil, wire.Errorf("InvalidInput", "%v", err)
		}
		documents = append(documents, d)
	}
	c := policy.NewContext()
	c.Add("aws:PrincipalArn", e.ARN)
	for key, value := range e.Tags {
		c.Add("aws:PrincipalTag/"+key, value)
	}
	for _, entry := range in.ContextEntries {
		c.Add(aws.ToString(entry.ContextKeyName), entry.ContextKeyValues...)
	}
	resources := in.ResourceArns
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	out := &iam.SimulatePrincipalPolicyOutput{EvaluationResults: []types.EvaluationResult{}}
	for _, action := range in.ActionNames {
		if service, name, ok := strings.Cut(action, ":"); !ok || service == "" || name == "" || strings.ContainsAny(action, "*?") {
			return nil, wire.Errorf("InvalidInput", "Invalid Action Name: %s", action)
		}
		for _, resource := range resources {
			out.EvaluationResults = append(out.EvaluationResults, i.simulate(e, documents, policy.Request{Action: action, Resource: resource, Context: c}))
		}
	}
	return out, nil
}

func (i *IAM) simulate(e entity, documents []policy.Document, r policy.Request) types.EvaluationResult {
	decision := policy.Evaluate(documents, r)
	out := types.EvaluationResult{
		EvalActionName: aws.String(r.Action), EvalResourceName: aws.String(r.Resource),
		MatchedStatements: []types.Statement{}, MissingContextValues: []string{},
	}
	if e.Boundary != "" {
		bound := policy.Evaluate(i.defaultDocument(e.Boundary), r)
		out.PermissionsBoundaryDecisionDetail = &types.PermissionsBoundaryDecisionDetail{AllowedByPermissionsBoundary: bound == policy.Allowed}
		switch {
		case bound == policy.Denied:
			decision = policy.Denied
		case bound == policy.Silent && decision == policy.Allowed:
			decision = policy.Silent
		}
	}
	switch decision {
	case policy.Allowed:
		out.EvalDecision = types.PolicyEvaluationDecisionTypeAllowed
	case policy.Denied:
		out.EvalDecision = types.PolicyEvaluationDecisionTypeExplicitDeny
	default:
		out.EvalDecision = types.PolicyEvaluationDecisionTypeImplicitDeny
	}
	return out
}

// entityByARN finds a role or user.
func (i *IAM) entityByARN(arn string) (entity, error) {
	name := arn[strings.LastIndexByte(arn, '/')+1:]
	if r, found := i.roleByARN(arn); found {
		return r.entity, nil
	}
	if u, found := i.users.rows[name]; found && u.ARN == arn {
		return u.entity, nil
	}
	return entity{}, notFound("The policy source %s cannot be found.", arn)
}
