package awsapi

import (
	"context"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
)

func securityTokens() api { return api{id: "STS", signing: "sts", version: "2011-06-15"} }

// Caller implements deploy.Identity.
func (c *Client) Caller(ctx context.Context) (deploy.Caller, error) {
	var out struct {
		Account string `xml:"GetCallerIdentityResult>Account"`
		ARN     string `xml:"GetCallerIdentityResult>Arn"`
	}
	if err := c.askQuery(ctx, securityTokens(), "", "GetCallerIdentity", nil, &out); err != nil {
		return deploy.Caller{}, wrap("ask AWS who we are", err)
	}
	return deploy.Caller{Account: out.Account, ARN: out.ARN, Region: c.cfg.Region}, nil
}
