package wire

import "context"

// naming is how a service's JSON members are named after the SDK's fields.
type naming bool

const (
	lowerCase naming = false // taskDefinitionArn, as in ECS, ECR, CloudWatch Logs and Health
	capitals  naming = true  // SecretId, as in Secrets Manager, Systems Manager and Application Auto Scaling
)

func (n naming) member(field string) string {
	if n == capitals {
		return field
	}
	return memberName(field)
}

// capitalized is an answer whose members are named as the fields are.
type capitalized struct{ value any }

// Capitalized is [Typed] for a service whose members begin with a capital.
func Capitalized[In, Out any](f func(context.Context, *In) (*Out, error)) Operation {
	return func(ctx context.Context, c Call) (any, error) {
		in := new(In)
		if err := capitals.decodeBody(c.Body, in); err != nil {
			return nil, err
		}
		out, err := f(ctx, in)
		if err != nil {
			return nil, err
		}
		return capitalized{out}, nil
	}
}
