package awsapi

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/protocol/restjson"
	awsxml "github.com/aws/aws-sdk-go-v2/aws/protocol/xml"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Of most services only an operation or two are needed, and the SDK's module
// for each costs the binary megabytes and every start of it milliseconds. Such
// operations are sent from here, with the SDK's own retries, signer and
// credentials, and the log and the mends that all clients of this package have.

// api is an AWS service as calls address it.
type api struct {
	id      string // "SSM", as the SDK, logs and AWS_ENDPOINT_URL_SSM name it
	signing string // "ssm": in the signature and in IAM's actions
	host    string // "ssm", the first label of its host; signing when empty
	// home is the one region that a service of a whole partition answers in
	// ("us-east-1"); its host has no region in it. "" for one that is in every
	// region.
	home string
	// version is what the protocol wants to be told: the prefix of X-Amz-Target
	// for JSON, the API's version for Query.
	version string
	// json is the version of AWS JSON, "1.1" when empty.
	json string
}

// askJSON is an operation of a service that speaks AWS JSON. in and out are
// structs, or nil; region "" is the client's own.
func (c *Client) askJSON(ctx context.Context, s api, region, operation string, in, out any) error {
	body, err := json.Marshal(cmp.Or[any](in, struct{}{}))
	if err != nil {
		return fmt.Errorf("encode %s: %w", operation, err)
	}
	answer, err := c.send(ctx, s, region, operation, call{
		method: http.MethodPost, path: "/", body: body,
		header: map[string]string{
			"Content-Type": "application/x-amz-json-" + cmp.Or(s.json, "1.1"), "X-Amz-Target": s.version + "." + operation,
		},
	})
	return decode(operation, answer, out, err, json.Unmarshal)
}

// askREST is an operation of a service that speaks REST-JSON.
func (c *Client) askREST(ctx context.Context, s api, region, operation, method, path string, query url.Values, in, out any) error {
	request := call{method: method, path: path, query: query}
	if in != nil {
		body, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("encode %s: %w", operation, err)
		}
		request.body, request.header = body, map[string]string{"Content-Type": "application/json"}
	}
	answer, err := c.send(ctx, s, region, operation, request)
	return decode(operation, answer, out, err, json.Unmarshal)
}

// askQuery is an operation of a service that speaks Query: a form, answered in
// XML.
func (c *Client) askQuery(ctx context.Context, s api, region, operation string, parameters url.Values, out any) error {
	form := url.Values{"Action": {operation}, "Version": {s.version}}
	for name, values := range parameters {
		form[name] = values
	}
	answer, err := c.send(ctx, s, region, operation, call{
		method: http.MethodPost, path: "/", body: []byte(form.Encode()),
		header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"},
	})
	return decode(operation, answer, out, err, xml.Unmarshal)
}

func decode(operation string, answer []byte, out any, err error, unmarshal func([]byte, any) error) error {
	if err != nil || out == nil {
		return err
	}
	if err := unmarshal(answer, out); err != nil {
		return fmt.Errorf("read the answer of %s: %w", operation, err)
	}
	return nil
}

// call is one request before it has a host and a signature.
type call struct {
	method, path string
	query        url.Values
	header       map[string]string
	body         []byte
}

// send carries a call out and answers with the body of its answer. Errors are
// those of the SDK's clients: an OperationError around a ResponseError around
// an APIError.
func (c *Client) send(ctx context.Context, s api, region, operation string, request call) ([]byte, error) {
	region = cmp.Or(s.home, region, c.cfg.Region)
	endpoint, err := c.endpoint(ctx, s, region)
	if err != nil {
		return nil, err
	}
	ctx = middleware.ClearStackValues(ctx)
	ctx = awsmiddleware.SetServiceID(ctx, s.id)
	ctx = awsmiddleware.SetOperationName(ctx, operation)
	ctx = awsmiddleware.SetRegion(ctx, region)
	stack := middleware.NewStack(operation, smithyhttp.NewStackRequest)
	attempt := retry.NewAttemptMiddleware(c.cfg.Retryer(), smithyhttp.RequestCloner)
	for _, err := range []error{
		stack.Serialize.Add(middleware.SerializeMiddlewareFunc("OperationSerializer", request.write(endpoint)), middleware.After),
		stack.Finalize.Add(attempt, middleware.After),
		stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("Signing", c.sign(s, region, request.body)), middleware.After),
		stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("OperationDeserializer", readAnswer), middleware.After),
	} {
		if err != nil {
			return nil, fmt.Errorf("build the call: %w", err)
		}
	}
	for _, add := range c.cfg.APIOptions {
		if err := add(stack); err != nil {
			return nil, fmt.Errorf("build the call: %w", err)
		}
	}
	handler := middleware.DecorateHandler(smithyhttp.NewClientHandlerWithOptions(c.cfg.HTTPClient), stack)
	answer, _, err := handler.Handle(ctx, nil)
	if err != nil {
		return nil, &smithy.OperationError{ServiceID: s.id, OperationName: operation, Err: err}
	}
	body, _ := answer.([]byte)
	return body, nil
}

// endpoint is where a service answers: what the environment or the profile
// says, for the service or for all, else AWS's own.
func (c *Client) endpoint(ctx context.Context, s api, region string) (string, error) {
	for _, source := range c.cfg.ConfigSources {
		configured, ok := source.(interface {
			GetServiceBaseEndpoint(context.Context, string) (string, bool, error)
		})
		if !ok {
			continue
		}
		endpoint, found, err := configured.GetServiceBaseEndpoint(ctx, s.id)
		if err != nil {
			return "", fmt.Errorf("read the endpoint of %s: %w", s.id, err)
		}
		if found {
			return endpoint, nil
		}
	}
	if c.cfg.BaseEndpoint != nil {
		return *c.cfg.BaseEndpoint, nil
	}
	host := cmp.Or(s.host, s.signing)
	if s.home == "" {
		host += "." + region
	}
	return "https://" + host + "." + domainOf(region), nil
}

// domainOf is the domain of AWS's services in a region. (AWS Fault Isolation
// Boundaries, "Partitions".)
func domainOf(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "amazonaws.com.cn"
	case strings.HasPrefix(region, "eusc-"):
		return "amazonaws.eu"
	}
	return "amazonaws.com"
}

// write puts the call into the request.
func (r call) write(endpoint string) func(context.Context, middleware.SerializeInput, middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error) {
	return func(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error) {
		request, ok := in.Request.(*smithyhttp.Request)
		if !ok {
			return middleware.SerializeOutput{}, middleware.Metadata{}, fmt.Errorf("request is a %T", in.Request)
		}
		u, err := url.Parse(strings.TrimSuffix(endpoint, "/") + r.path)
		if err != nil {
			return middleware.SerializeOutput{}, middleware.Metadata{}, fmt.Errorf("endpoint %q: %w", endpoint, err)
		}
		u.RawQuery = r.query.Encode()
		request.Method, request.URL = r.method, u
		request.Header.Set("User-Agent", "plimsoll")
		for name, value := range r.header {
			request.Header.Set(name, value)
		}
		if r.body != nil {
			if request, err = request.SetStream(bytes.NewReader(r.body)); err != nil {
				return middleware.SerializeOutput{}, middleware.Metadata{}, fmt.Errorf("set the request body: %w", err)
			}
		}
		in.Request = request
		return next.HandleSerialize(ctx, in)
	}
}

// sign signs every attempt, since credentials and time move on between them.
func (c *Client) sign(s api, region string, body []byte) func(context.Context, middleware.FinalizeInput, middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
	hash := sha256.Sum256(body)
	signer := v4.NewSigner()
	return func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
		request, ok := in.Request.(*smithyhttp.Request)
		if !ok {
			return middleware.FinalizeOutput{}, middleware.Metadata{}, fmt.Errorf("request is a %T", in.Request)
		}
		credentials, err := c.cfg.Credentials.Retrieve(ctx)
		if err != nil {
			return middleware.FinalizeOutput{}, middleware.Metadata{}, fmt.Errorf("get credentials: %w", err)
		}
		if err := signer.SignHTTP(ctx, credentials, request.Request, hex.EncodeToString(hash[:]), s.signing, region, time.Now()); err != nil {
			return middleware.FinalizeOutput{}, middleware.Metadata{}, fmt.Errorf("sign the request: %w", err)
		}
		return next.HandleFinalize(ctx, in)
	}
}

// maxAnswer bounds what is read of an answer; AWS's own are far below it.
const maxAnswer = 16 << 20

// readAnswer makes of an answer its body, or the error that it is.
func readAnswer(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
	out, meta, err := next.HandleDeserialize(ctx, in)
	if err != nil {
		return out, meta, err
	}
	response, ok := out.RawResponse.(*smithyhttp.Response)
	if !ok {
		return out, meta, fmt.Errorf("answer is a %T", out.RawResponse)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	_ = response.Body.Close() // read to its end, or failed at it
	switch {
	case err != nil:
		return out, meta, &smithyhttp.ResponseError{Response: response, Err: fmt.Errorf("read the response body: %w", err)}
	case response.StatusCode >= 300:
		return out, meta, &awshttp.ResponseError{
			ResponseError: &smithyhttp.ResponseError{Response: response, Err: refusal(response.Header, body)},
			RequestID:     response.Header.Get("X-Amzn-Requestid"),
		}
	}
	out.Result = body
	return out, meta, nil
}

// refusal is the error that an answer states, in JSON or in XML.
func refusal(header http.Header, body []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) {
		if stated, err := awsxml.GetErrorResponseComponents(bytes.NewReader(body), false); err == nil && stated.Code != "" {
			return &smithy.GenericAPIError{Code: stated.Code, Message: stated.Message}
		}
	}
	code, message, err := restjson.GetErrorInfo(json.NewDecoder(bytes.NewReader(body)))
	code = cmp.Or(restjson.SanitizeErrorCode(header.Get("X-Amzn-ErrorType")), code)
	if err != nil && code == "" {
		return errors.New("an answer that is not AWS's")
	}
	return &smithy.GenericAPIError{Code: cmp.Or(code, "UnknownError"), Message: message}
}

// epoch is a time in AWS JSON: seconds since 1970.
type epoch float64

func (e epoch) time() time.Time {
	if e == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(float64(e) * 1000)).UTC()
}
