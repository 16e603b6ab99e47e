package awsapi

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// A task definition that goes through the SDK's structs loses every member
// that this version of the SDK does not know. So the bytes travel beside the
// structs: the answer's body is copied before it is decoded, the request's is
// replaced after it was encoded. Endpoint, retries and signing stay the SDK's;
// the signature is computed later, over the bytes that are sent.

// sendBody makes an operation send this body.
func sendBody(body []byte) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Serialize.Insert(middleware.SerializeMiddlewareFunc("PlimsollSendBody",
			func(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error) {
				request, ok := in.Request.(*smithyhttp.Request)
				if !ok {
					return middleware.SerializeOutput{}, middleware.Metadata{}, fmt.Errorf("request is a %T", in.Request)
				}
				request, err := request.SetStream(bytes.NewReader(body))
				if err != nil {
					return middleware.SerializeOutput{}, middleware.Metadata{}, fmt.Errorf("set the request body: %w", err)
				}
				in.Request = request
				return next.HandleSerialize(ctx, in)
			}), "OperationSerializer", middleware.After)
	}
}

// keepBody copies the body of the last answer into body.
func keepBody(body *[]byte) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Deserialize.Insert(middleware.DeserializeMiddlewareFunc("PlimsollKeepBody",
			func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
				out, meta, err := next.HandleDeserialize(ctx, in)
				response, ok := out.RawResponse.(*smithyhttp.Response)
				if err != nil || !ok {
					return out, meta, err
				}
				read, err := io.ReadAll(response.Body)
				_ = response.Body.Close() // read to its end, or failed at it
				if err != nil {
					return out, meta, fmt.Errorf("read the response body: %w", err)
				}
				*body = read
				response.Body = io.NopCloser(bytes.NewReader(read))
				return out, meta, nil
			}), "OperationDeserializer", middleware.After)
	}
}
