package wire

import "context"

type callerKey struct{}

// WithCaller says for everything behind it whose call this is: the ARN of a
// user, of the account's root, or of a session of a role.
func WithCaller(ctx context.Context, arn string) context.Context {
	return context.WithValue(ctx, callerKey{}, arn)
}

// CallerOf is the ARN of who calls; "" when nobody has said, which is when the
// account's administrator does.
func CallerOf(ctx context.Context) string {
	arn, _ := ctx.Value(callerKey{}).(string)
	return arn
}
