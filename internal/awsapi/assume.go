package awsapi

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// assumed is a role's credentials, with an error that says whose they were to
// be.
type assumed struct {
	aws.CredentialsProvider
	role string
}

func newAssumed(cfg aws.Config, role, externalID string) assumed {
	return assumed{stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), role, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = "plimsoll"
		if externalID != "" {
			o.ExternalID = &externalID
		}
	}), role}
}

// Retrieve implements aws.CredentialsProvider.
func (a assumed) Retrieve(ctx context.Context) (aws.Credentials, error) {
	credentials, err := a.CredentialsProvider.Retrieve(ctx)
	if refused, ok := errors.AsType[smithy.APIError](err); ok {
		return credentials, &SetupError{
			What: fmt.Sprintf("cannot assume role %s: %s: %s", a.role, refused.ErrorCode(), refused.ErrorMessage()),
			Do:   "allow sts:AssumeRole on it to who runs this, and name them in its trust policy, with the external id where it asks for one",
			Err:  err,
		}
	}
	return credentials, err
}
