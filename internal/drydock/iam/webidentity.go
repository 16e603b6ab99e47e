package iam

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/iam/jwt"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/iam/policy"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// issuer is the keys that tokens of an issuer are signed with, as somebody
// said by the control API.
type issuer struct {
	Issuer string
	JWKS   json.RawMessage
}

// SetKeys gives an issuer ("https://gitlab.com") the key set that its tokens
// are checked with from now on. drydock asks no issuer for its keys: without
// them it believes what a token says.
func (i *IAM) SetKeys(url string, jwks json.RawMessage) error {
	if _, err := jwt.ReadKeys(jwks); err != nil {
		return err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.issuers.put(issuerName(url), issuer{url, jwks})
}

func invalidToken(format string, args ...any) error {
	return wire.Errorf("InvalidIdentityToken", format, args...)
}

// assumeRoleWithWebIdentity is called without credentials: the token is who
// calls. The order of the checks is drydock's; AWS publishes none.
func (i *IAM) assumeRoleWithWebIdentity(in *sts.AssumeRoleWithWebIdentityInput) (*sts.AssumeRoleWithWebIdentityOutput, error) {
	g := grant{
		arn: aws.ToString(in.RoleArn), name: aws.ToString(in.RoleSessionName), seconds: in.DurationSeconds,
		policy: in.Policy, policies: in.PolicyArns,
	}
	if err := g.check(); err != nil {
		return nil, err
	}
	if n := len(aws.ToString(in.WebIdentityToken)); n < 4 || n > 20000 {
		return nil, wire.Errorf("ValidationError", "1 validation error detected: Value at 'webIdentityToken' failed to satisfy constraint: Member must have length between 4 and 20000")
	}
	token, err := jwt.Read(*in.WebIdentityToken)
	if err != nil {
		return nil, invalidToken("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
	}
	p, err := i.checkToken(token)
	if err != nil {
		return nil, err
	}
	r, found := i.roleByARN(g.arn)
	if !found || !i.trustsToken(r, p, token, g) {
		return nil, denied("Not authorized to perform sts:AssumeRoleWithWebIdentity")
	}
	g.provider = p.ARN
	s, err := i.open(r, g)
	if err != nil {
		return nil, err
	}
	return &sts.AssumeRoleWithWebIdentityOutput{
		Credentials: s.credentials(), AssumedRoleUser: s.shown(),
		SubjectFromWebIdentityToken: aws.String(token.Subject), Audience: aws.String(token.ClientID()), Provider: aws.String(p.ARN),
	}, nil
}

// checkToken finds the provider that a token is from, and holds the token to
// it: its claims, and its signature where the keys are known. The time of a
// token may be that of this machine, whose CI made it, or that of the
// calendar.
func (i *IAM) checkToken(token jwt.Token) (provider, error) {
	if token.Issuer == "" || token.Subject == "" || len(token.Audience) == 0 || token.Expires == 0 {
		return provider{}, invalidToken("Missing a required claim: %s", token.Missing())
	}
	p, found := i.providers.rows[i.arn("oidc-provider/"+issuerName(token.Issuer))]
	if !found {
		return p, invalidToken("No OpenIDConnect provider found in your account for %s", token.Issuer)
	}
	if known, found := i.issuers.rows[issuerName(token.Issuer)]; found {
		keys, err := jwt.ReadKeys(known.JWKS)
		if err != nil {
			return p, err
		}
		if err := token.Verify(keys); err != nil {
			return p, invalidToken("Couldn't verify the signature of the ID Token: %v", err)
		}
	}
	clocks := []time.Time{i.clock.Now(), time.Now()}
	if !slices.ContainsFunc(clocks, func(now time.Time) bool { return now.Unix() < token.Expires }) {
		return p, wire.Errorf("ExpiredTokenException", "Token expired: current date/time %d must be before the expiration date/time %d", i.clock.Now().Unix(), token.Expires)
	}
	if !slices.ContainsFunc(clocks, func(now time.Time) bool { return now.Add(signatureTolerance).Unix() >= token.NotBefore }) {
		return p, invalidToken("The ID Token is not valid yet: it begins at %d", token.NotBefore)
	}
	if !slices.Contains(p.ClientIDs, token.ClientID()) {
		return p, invalidToken("Incorrect token audience")
	}
	return p, nil
}

// signatureTolerance is how far an issuer's clock may be ahead.
const signatureTolerance = 5 * time.Minute

// trustsToken asks the trust policy. The keys are those that AWS has for any
// OIDC provider (user guide, "Available keys for AWS OIDC federation"): other
// claims of a token, a GitLab project_path for one, are no condition keys, and
// a condition on them is not met.
func (i *IAM) trustsToken(r role, p provider, token jwt.Token, g grant) bool {
	c := policy.NewContext()
	c.Add(p.URL+":sub", token.Subject)
	c.Add(p.URL+":aud", token.ClientID())
	if token.AuthorizedParty != "" {
		c.Add(p.URL+":oaud", token.Audience...)
	}
	if token.Email != "" {
		c.Add(p.URL+":email", token.Email)
	}
	if len(token.Methods) > 0 {
		c.Add(p.URL+":amr", token.Methods...)
	}
	c.Add("aws:FederatedProvider", p.ARN)
	c.Add("sts:RoleSessionName", g.name)
	c.Add("aws:CurrentTime", i.now().Format("2006-01-02T15:04:05Z"))
	trust, err := i.parse(r.Trust, policy.Trust)
	return err == nil && trust.Evaluate(policy.Request{
		Action: "sts:AssumeRoleWithWebIdentity", Resource: r.ARN, Context: c, Principal: policy.Caller{Federated: p.ARN},
	}) == policy.Allowed && !strings.HasPrefix(r.Path, serviceLinked)
}
