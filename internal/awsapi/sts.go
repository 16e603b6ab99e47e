package awsapi

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
)

// Caller implements deploy.Identity.
func (c *Client) Caller(ctx context.Context) (deploy.Caller, error) {
	out, err := c.sts().GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return deploy.Caller{}, wrap("ask AWS who we are", err)
	}
	return deploy.Caller{Account: aws.ToString(out.Account), ARN: aws.ToString(out.Arn), Region: c.cfg.Region}, nil
}
