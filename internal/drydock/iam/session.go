package iam

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/iam/policy"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// session is a role that was assumed.
type session struct {
	Key      string // access key
	Secret   string
	Token    string
	Role     string // name
	RoleID   string
	Name     string
	ARN      string
	Expires  time.Time
	Policies []string          // documents of session policies
	Tags     map[string]string // of the session
	Provider string            // ARN of the OIDC provider that it came by; "" for none
}

func (s session) identity() Identity {
	return Identity{ARN: s.ARN, UserID: s.RoleID + ":" + s.Name, Role: s.Role, Session: s.Name, key: s.Key}
}

func denied(format string, args ...any) error {
	e := wire.Errorf("AccessDenied", format, args...)
	e.Status = 403
	return e
}

// getCallerIdentity needs no permission, not even against an explicit deny
// (API reference).
func (i *IAM) getCallerIdentity(ctx context.Context, _ wire.Call) (any, error) {
	id := i.identity(ctx)
	return &sts.GetCallerIdentityOutput{Arn: aws.String(id.ARN), UserId: aws.String(id.UserID), Account: aws.String(i.account)}, nil
}

// grant is what AssumeRole and AssumeRoleWithWebIdentity have in common.
type grant struct {
	arn, name string
	seconds   *int32
	policy    *string
	policies  []types.PolicyDescriptorType
	tags      []types.Tag
	chained   bool
	provider  string
}

const (
	minSession   = 900
	maxSessions  = 43200
	chainedMost  = 3600
	usualSession = 3600
)

// check holds a request to the rules that need no role.
func (g grant) check() error {
	switch {
	case len(g.arn) < 20:
		return validation(g.arn, "roleArn", "Member must have length greater than or equal to 20")
	case len(g.name) < 2:
		return validation(g.name, "roleSessionName", "Member must have length greater than or equal to 2")
	case len(g.name) > 64:
		return validation(g.name, "roleSessionName", "Member must have length less than or equal to 64")
	case !regexp.MustCompile(`^[\w+=,.@-]+$`).MatchString(g.name):
		return validation(g.name, "roleSessionName", `Member must satisfy regular expression pattern: [\w+=,.@-]*`)
	case g.seconds != nil && *g.seconds < minSession:
		return validation(itoa(int(*g.seconds)), "durationSeconds", "Member must have value greater than or equal to 900")
	case g.seconds != nil && *g.seconds > maxSessions:
		return validation(itoa(int(*g.seconds)), "durationSeconds", "Member must have value less than or equal to 43200")
	}
	return nil
}

// open makes the session of a role that may be assumed.
func (i *IAM) open(r role, g grant) (session, error) {
	seconds := int32(usualSession)
	if g.seconds != nil {
		seconds = *g.seconds
	}
	if seconds > r.MaxSession {
		return session{}, wire.Errorf("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	if g.chained && seconds > chainedMost {
		return session{}, wire.Errorf("ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	}
	documents, err := i.sessionPolicies(g)
	if err != nil {
		return session{}, err
	}
	s := session{
		Key: i.keyID("ASIA"), Secret: i.secret(), Token: "FwoGZXIvYXdzE" + i.text(200, letters), Role: r.Name, RoleID: r.ID, Name: g.name,
		ARN:     fmt.Sprintf("arn:aws:sts::%s:assumed-role/%s/%s", i.account, r.Name, g.name),
		Expires: i.now().Add(time.Duration(seconds) * time.Second), Policies: documents, Tags: map[string]string{}, Provider: g.provider,
	}
	for _, t := range g.tags {
		s.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	if err := i.forgetSessions(); err != nil {
		return session{}, err
	}
	r.Used = i.now()
	if err := i.saveRole(r); err != nil {
		return session{}, err
	}
	return s, i.sessions.put(s.Key, s)
}

// sessionPolicies reads the documents that narrow a session.
func (i *IAM) sessionPolicies(g grant) ([]string, error) {
	var out []string
	if g.policy != nil {
		if _, err := i.parse(*g.policy, policy.Identity); err != nil {
			return nil, err
		}
		if len(*g.policy) > maxTrust {
			return nil, validation(*g.policy, "policy", "Member must have length less than or equal to 2048")
		}
		out = append(out, *g.policy)
	}
	if len(g.policies) > 10 {
		return nil, wire.Errorf("ValidationError", "1 validation error detected: Value at 'policyArns' failed to satisfy constraint: Member must have length less than or equal to 10")
	}
	for _, d := range g.policies {
		p, known := i.managed(aws.ToString(d.Arn))
		if !known {
			return nil, wire.Errorf("ValidationError", "The policy %s does not exist or is not attachable.", aws.ToString(d.Arn))
		}
		v, _ := p.version(p.Default)
		out = append(out, v.Document)
	}
	return out, nil
}

// remembered is how long an expired session is told from an unknown one.
const remembered = 24 * time.Hour

func (i *IAM) forgetSessions() error {
	var old []string
	for _, key := range i.sessions.keys() {
		if i.sessions.rows[key].Expires.Add(remembered).Before(i.now()) {
			old = append(old, key)
		}
	}
	if old == nil {
		return nil
	}
	return i.sessions.drop(old...)
}

func (s session) credentials() *types.Credentials {
	return &types.Credentials{AccessKeyId: aws.String(s.Key), SecretAccessKey: aws.String(s.Secret), SessionToken: aws.String(s.Token), Expiration: aws.Time(s.Expires)}
}

func (s session) shown() *types.AssumedRoleUser {
	return &types.AssumedRoleUser{Arn: aws.String(s.ARN), AssumedRoleId: aws.String(s.RoleID + ":" + s.Name)}
}

// roleByARN finds a role by its whole ARN; its name alone is not enough.
func (i *IAM) roleByARN(arn string) (role, bool) {
	r, found := i.roles.rows[arn[strings.LastIndexByte(arn, '/')+1:]]
	return r, found && r.ARN == arn
}

// assumeRole asks the trust policy of the role, which may name the caller
// itself; where it names the caller's account, a policy of the caller has to
// allow the call too (user guide, "Policy evaluation logic").
func (i *IAM) assumeRole(ctx context.Context, in *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	caller := i.identity(ctx)
	g := grant{
		arn: aws.ToString(in.RoleArn), name: aws.ToString(in.RoleSessionName), seconds: in.DurationSeconds,
		policy: in.Policy, policies: in.PolicyArns, tags: in.Tags, chained: caller.Role != "",
	}
	if err := g.check(); err != nil {
		return nil, err
	}
	if in.SerialNumber != nil || in.TokenCode != nil {
		return nil, denied("MultiFactorAuthentication failed with invalid MFA one time pass code. ") // drydock has no MFA devices
	}
	actions := []string{"sts:AssumeRole"}
	if len(in.Tags) > 0 {
		actions = append(actions, "sts:TagSession")
	}
	if in.SourceIdentity != nil {
		actions = append(actions, "sts:SetSourceIdentity")
	}
	c := i.contextOf(caller)
	c.Add("sts:RoleSessionName", g.name)
	for key, value := range map[string]*string{"sts:ExternalId": in.ExternalId, "sts:SourceIdentity": in.SourceIdentity} {
		if value != nil {
			c.Add(key, *value)
		}
	}
	for _, t := range in.Tags {
		c.Add("aws:RequestTag/"+aws.ToString(t.Key), aws.ToString(t.Value))
		c.Add("aws:TagKeys", aws.ToString(t.Key))
	}
	r, found := i.roleByARN(g.arn)
	for _, action := range actions {
		if !found || !i.trusts(r, caller, action, c) {
			return nil, denied("User: %s is not authorized to perform: %s on resource: %s", caller.ARN, action, g.arn)
		}
	}
	s, err := i.open(r, g)
	if err != nil {
		return nil, err
	}
	return &sts.AssumeRoleOutput{Credentials: s.credentials(), AssumedRoleUser: s.shown(), SourceIdentity: in.SourceIdentity}, nil
}

// trusts tells whether a caller may take a role on.
func (i *IAM) trusts(r role, caller Identity, action string, c policy.Context) bool {
	trust, err := i.parse(r.Trust, policy.Trust)
	if err != nil {
		return false // it was checked when it was put; a store of another version may differ
	}
	direct := policy.Request{Action: action, Resource: r.ARN, Context: c, Principal: policy.Caller{AWS: i.names(caller)}}
	account := direct
	account.Principal.AWS = slices.Concat(direct.Principal.AWS, []string{i.account, i.arn("root")})
	own := i.byIdentity(caller, Need{Action: action, Resource: r.ARN, Context: c})
	switch {
	case trust.Evaluate(account) != policy.Allowed || own.explicit():
		return false
	case trust.Evaluate(direct) == policy.Allowed:
		return true
	}
	return own == nil
}
