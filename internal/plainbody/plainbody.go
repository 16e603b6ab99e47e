// Package plainbody keeps AWS SDK clients from sending a call twice: [Add]
// belongs into the APIOptions of every client that this module makes.
package plainbody

import (
	"context"
	"fmt"
	"io"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Add hides from net/http that a request's body can write itself.
//
// smithy-go closes the body as soon as the answer's headers are there. Its
// wrapper then answers a further WriteTo with io.EOF (v1.28.8,
// safeWriteToReadCloser), which net/http, asking for one last time whether the
// body is longer than its length, takes for a failed write: it closes the
// connection under the answer. The call is retried, and one that was not
// idempotent has happened twice. A body that can only be read is answered with
// a clean end.
func Add(stack *middleware.Stack) error {
	return stack.Build.Add(middleware.BuildMiddlewareFunc("PlimsollPlainBody",
		func(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (middleware.BuildOutput, middleware.Metadata, error) {
			request, ok := in.Request.(*smithyhttp.Request)
			if !ok {
				return middleware.BuildOutput{}, middleware.Metadata{}, fmt.Errorf("request is a %T", in.Request)
			}
			if stream, ok := request.GetStream().(io.ReadSeeker); ok {
				plain, err := request.SetStream(struct{ io.ReadSeeker }{stream})
				if err != nil {
					return middleware.BuildOutput{}, middleware.Metadata{}, fmt.Errorf("set the request body: %w", err)
				}
				in.Request = plain
			}
			return next.HandleBuild(ctx, in)
		}), middleware.After)
}
