package awsapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
)

// Role implements survey.AWS. A managed policy is read once, however many roles
// have it.
func (c *Client) Role(ctx context.Context, arn string) (audit.Role, error) {
	role := audit.Role{ARN: arn}
	trust, err := c.TrustPolicy(ctx, arn)
	if err != nil {
		return role, err
	}
	role.Trust = string(trust)
	inline, err := c.inlinePolicies(ctx, path.Base(arn))
	attached, attachedErr := c.attachedPolicies(ctx, path.Base(arn))
	role.Statements = append(inline, attached...)
	return role, errors.Join(err, attachedErr)
}

// inlinePolicies are the statements of the policies that a role has for itself.
func (c *Client) inlinePolicies(ctx context.Context, role string) ([]audit.Statement, error) {
	var names struct {
		Names []string `xml:"ListRolePoliciesResult>PolicyNames>member"`
	}
	if err := c.askIAM(ctx, "ListRolePolicies", url.Values{"RoleName": {role}, "MaxItems": {"1000"}}, &names); err != nil {
		return nil, wrap("list the policies of role "+role, err)
	}
	var statements []audit.Statement
	for _, name := range names.Names {
		var out struct {
			Document string `xml:"GetRolePolicyResult>PolicyDocument"`
		}
		if err := c.askIAM(ctx, "GetRolePolicy", url.Values{"RoleName": {role}, "PolicyName": {name}}, &out); err != nil {
			return statements, wrap("read policy "+name+" of role "+role, err)
		}
		list, err := allowed(name, out.Document)
		if err != nil {
			return statements, err
		}
		statements = append(statements, list...)
	}
	return statements, nil
}

// attachedPolicies are the statements of the managed policies of a role.
func (c *Client) attachedPolicies(ctx context.Context, role string) ([]audit.Statement, error) {
	var attached struct {
		ARNs []string `xml:"ListAttachedRolePoliciesResult>AttachedPolicies>member>PolicyArn"`
	}
	if err := c.askIAM(ctx, "ListAttachedRolePolicies", url.Values{"RoleName": {role}, "MaxItems": {"1000"}}, &attached); err != nil {
		return nil, wrap("list the policies of role "+role, err)
	}
	var statements []audit.Statement
	for _, arn := range attached.ARNs {
		list, err := c.managedPolicy(ctx, arn)
		if err != nil {
			return statements, err
		}
		statements = append(statements, list...)
	}
	return statements, nil
}

// managedPolicy is the statements of a policy, which many roles may have.
func (c *Client) managedPolicy(ctx context.Context, arn string) ([]audit.Statement, error) {
	if known, ok := c.policies.Load(arn); ok {
		return known.([]audit.Statement), nil
	}
	doing := "read policy " + path.Base(arn)
	var policy struct {
		Version string `xml:"GetPolicyResult>Policy>DefaultVersionId"`
	}
	if err := c.askIAM(ctx, "GetPolicy", url.Values{"PolicyArn": {arn}}, &policy); err != nil {
		return nil, wrap(doing, err)
	}
	var out struct {
		Document string `xml:"GetPolicyVersionResult>PolicyVersion>Document"`
	}
	if err := c.askIAM(ctx, "GetPolicyVersion", url.Values{"PolicyArn": {arn}, "VersionId": {policy.Version}}, &out); err != nil {
		return nil, wrap(doing, err)
	}
	list, err := allowed(path.Base(arn), out.Document)
	if err == nil {
		c.policies.Store(arn, list)
	}
	return list, err
}

func (c *Client) askIAM(ctx context.Context, operation string, parameters url.Values, out any) error {
	return c.askQuery(ctx, identity(c.cfg.Region), "", operation, parameters, out)
}

// oneOrMany is what a policy may write as a text or as a list of them.
type oneOrMany []string

// UnmarshalJSON implements json.Unmarshaler.
func (o *oneOrMany) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*o = oneOrMany{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(o))
}

// policyStatement is a statement as a policy writes it.
type policyStatement struct {
	Effect                                   string
	Action, NotAction, Resource, NotResource oneOrMany
	Condition                                map[string]map[string]oneOrMany
}

// passedTo are the services that a statement lets a role be passed to; none
// where it asks nothing of that.
func (s policyStatement) passedTo() []string {
	for _, operator := range []string{"StringEquals", "StringLike"} {
		for key, services := range s.Condition[operator] {
			if strings.EqualFold(key, "iam:PassedToService") {
				return services
			}
		}
	}
	return nil
}

// allowed are the Allow statements of a policy's document, which IAM gives as a
// part of a URL. What allows all but something counts as all: that is how wide
// it is.
func allowed(policy, document string) ([]audit.Statement, error) {
	text, err := url.QueryUnescape(document)
	if err != nil {
		return nil, fmt.Errorf("policy %s: %w", policy, err)
	}
	var parsed struct{ Statement json.RawMessage }
	if err := json.Unmarshal([]byte(text), &parsed); err != nil {
		return nil, fmt.Errorf("policy %s: %w", policy, err)
	}
	var list []policyStatement
	if json.Unmarshal(parsed.Statement, &list) != nil {
		list = make([]policyStatement, 1)
		if err := json.Unmarshal(parsed.Statement, &list[0]); err != nil {
			return nil, fmt.Errorf("policy %s: %w", policy, err)
		}
	}
	var out []audit.Statement
	for _, s := range list {
		if s.Effect != "Allow" {
			continue
		}
		one := audit.Statement{Policy: policy, Actions: s.Action, Resources: s.Resource, PassedTo: s.passedTo()}
		if len(s.NotAction) > 0 {
			one.Actions = []string{"*"}
		}
		if len(s.NotResource) > 0 {
			one.Resources = []string{"*"}
		}
		out = append(out, one)
	}
	return out, nil
}

// PipelineRoles implements survey.AWS. Clusters of EKS have an issuer of their
// own, whose tokens are those of pods.
func (c *Client) PipelineRoles(ctx context.Context) ([]string, error) {
	var arns []string
	parameters := url.Values{"MaxItems": {"1000"}}
	for {
		var out struct {
			Roles []struct {
				ARN   string `xml:"Arn"`
				Trust string `xml:"AssumeRolePolicyDocument"`
			} `xml:"ListRolesResult>Roles>member"`
			Marker string `xml:"ListRolesResult>Marker"`
		}
		if err := c.askIAM(ctx, "ListRoles", parameters, &out); err != nil {
			return arns, wrap("list the roles", err)
		}
		for _, r := range out.Roles {
			if trust, err := url.QueryUnescape(r.Trust); err == nil && trustsPipelines(trust) {
				arns = append(arns, r.ARN)
			}
		}
		if out.Marker == "" {
			return arns, nil
		}
		parameters.Set("Marker", out.Marker)
	}
}

// trustsPipelines says whether tokens of an OIDC provider take a role.
func trustsPipelines(trust string) bool {
	_, issuer, found := strings.Cut(trust, ":oidc-provider/")
	return found && !strings.HasPrefix(issuer, "oidc.eks.")
}
