// Package iam is what drydock has of AWS's identities: STS tells who calls.
package iam

import (
	"context"
	"fmt"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// userID has the form of an IAM user's: AIDA and 17 letters or digits.
const userID = "AIDADRYDOCKDRYDOCKDRY"

// STS is the AWS Security Token Service of an account of 12 digits. Whatever
// the credentials, the caller is the user drydock.
func STS(account string) wire.Service {
	return wire.Service{
		Name:    "STS",
		Scope:   "sts",
		Version: "2011-06-15",
		Operations: map[string]wire.Operation{
			"GetCallerIdentity": func(context.Context, wire.Call) (any, error) {
				return &sts.GetCallerIdentityOutput{
					Arn:     aws.String(fmt.Sprintf("arn:aws:iam::%s:user/drydock", account)),
					UserId:  aws.String(userID),
					Account: &account,
				}, nil
			},
		},
	}
}
