package wire

import (
	"context"
	"reflect"
)

// naming is how a service's JSON members are named after the SDK's fields.
type naming bool

const (
	lowerCase naming = false // taskDefinitionArn, as in ECS, ECR, CloudWatch Logs and Health
	capitals  naming = true  // SecretId, as in Secrets Manager, Systems Manager, EventBridge and SQS
)

// member is the name of a field's member. A few names do not go by their
// service's rule, and the fields say so: `wire:"awsvpcConfiguration"`.
func (n naming) member(f reflect.StructField) string {
	if name := f.Tag.Get("wire"); name != "" {
		return name
	}
	if n == capitals {
		return f.Name
	}
	return memberName(f.Name)
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
