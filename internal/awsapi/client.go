// Package awsapi is AWS as the use cases see it: their ports on AWS SDK v2.
// [New] reads the environment the way every AWS tool does (AWS_PROFILE,
// AWS_REGION, AWS_ENDPOINT_URL, web identity, …) and makes no call; one
// [Client] serves all ports and any number of goroutines.
//
// Task definitions pass through as raw bytes (raw.go). Calls to ECS keep
// inside half of its throttle buckets (budget.go), reads of services go ten to a
// call where many wait (batch.go), and calls back off adaptively when
// throttled all the same. Errors carry AWS's code and match the kinds of
// package deploy (errors.go).
package awsapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/smithy-go"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/plainbody"
)

// Options overrides what the environment says. The zero value is usual.
type Options struct {
	Region   string
	Endpoint string // base URL for all services, in place of AWS_ENDPOINT_URL
	Attempts int    // tries a call in all; 0 means 8
	// Credentials in place of those the SDK would look for; nil looks.
	Credentials aws.CredentialsProvider
	// Role, by ARN, is what these credentials assume for every call, with the
	// external id that its trust policy may ask for.
	Role, ExternalID string
	Log              *slog.Logger // of every call, at level debug; nil is nowhere
}

// SetupError is what has to be set before any call can be made.
type SetupError struct {
	What string // what is missing
	Do   string // what to set
	Err  error  // the SDK's own words, nil where it has none
}

func (e *SetupError) Error() string { return e.What }

// Hint says what to do.
func (e *SetupError) Hint() string { return e.Do }

// Is reports whether target is deploy.Setup.
func (e *SetupError) Is(target error) bool { return target == deploy.Setup }

// Unwrap returns the SDK's error.
func (e *SetupError) Unwrap() error { return e.Err }

// Client is the adapter. It implements deploy.AWS.
type Client struct {
	cfg    aws.Config
	ecs    func() *ecs.Client
	ecr    func() *ecr.Client
	budget *budget
	reads  *batches

	revisions sync.Map // service revision ARN -> serviceRevision, once its digests are fixed
	policies  sync.Map // ARN of a managed policy -> []audit.Statement
}

// keepConnections has as many connections to a host stay open as calls are under
// way to it when a fleet is read. The SDK keeps ten, and would shake hands again
// for every further call.
func keepConnections(t *http.Transport) { t.MaxIdleConnsPerHost = 32 }

// callTimeout bounds one attempt of one call.
const callTimeout = 30 * time.Second

// New makes a Client. Without a region it fails with [SetupError]; credentials
// are looked for at the first call.
func New(ctx context.Context, o Options) (*Client, error) {
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	load := []func(*config.LoadOptions) error{
		config.WithLogger(sdkLog{log}),
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(callTimeout).WithTransportOptions(keepConnections)),
		config.WithRetryer(func() aws.Retryer { return retryer(cmp.Or(o.Attempts, 8)) }),
	}
	if o.Region != "" {
		load = append(load, config.WithRegion(o.Region))
	}
	if o.Endpoint != "" {
		load = append(load, config.WithBaseEndpoint(o.Endpoint))
	}
	if o.Credentials != nil {
		load = append(load, config.WithCredentialsProvider(o.Credentials))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return nil, fmt.Errorf("read the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return nil, &SetupError{What: "no AWS region", Do: "set AWS_REGION, or a region in the profile"}
	}
	cfg.APIOptions = append(cfg.APIOptions, plainbody.Add, logCalls(log))
	if cfg.Credentials != nil {
		cfg.Credentials = aws.NewCredentialsCache(explained{cfg.Credentials})
	}
	if o.Role != "" {
		cfg.Credentials = aws.NewCredentialsCache(newAssumed(cfg, o.Role, o.ExternalID))
	}
	c := &Client{cfg: cfg, budget: newBudget()}
	c.reads = &batches{describe: c.describeServices}
	c.ecs = sync.OnceValue(func() *ecs.Client {
		return ecs.NewFromConfig(cfg, func(o *ecs.Options) { o.APIOptions = append(o.APIOptions, c.budget.add) })
	})
	c.ecr = sync.OnceValue(func() *ecr.Client { return ecr.NewFromConfig(cfg) })
	return c, nil
}

// Region is the region in use.
func (c *Client) Region() string { return c.cfg.Region }

// IsAWS reports whether the calls go to AWS itself, and not to an endpoint that
// somebody has set.
func (c *Client) IsAWS() bool { return c.cfg.BaseEndpoint == nil }

func retryer(attempts int) aws.Retryer {
	return retry.NewAdaptiveMode(func(o *retry.AdaptiveModeOptions) {
		o.StandardOptions = append(o.StandardOptions, func(s *retry.StandardOptions) { s.MaxAttempts = attempts })
	})
}

// explained says what to set when there are no credentials. The SDK's own
// error ends in the last place it looked, the EC2 metadata service, which is
// of no help to somebody whose pipeline lacks a variable.
type explained struct{ aws.CredentialsProvider }

// Retrieve implements aws.CredentialsProvider.
func (e explained) Retrieve(ctx context.Context) (aws.Credentials, error) {
	credentials, err := e.CredentialsProvider.Retrieve(ctx)
	if refused, ok := errors.AsType[smithy.APIError](err); ok { // STS was asked and said no
		return credentials, &SetupError{
			What: fmt.Sprintf("no usable AWS credentials: %s: %s", refused.ErrorCode(), refused.ErrorMessage()),
			Do:   "check the trust policy of the role (AWS_ROLE_ARN), and the issuer, audience and subject of the token that the pipeline has",
			Err:  err,
		}
	}
	if err != nil && ctx.Err() == nil {
		return credentials, &SetupError{
			What: "no usable AWS credentials",
			Do:   "in CI configure OIDC (AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE), elsewhere set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
			Err:  err,
		}
	}
	return credentials, err
}

// isEndpoint reports whether a registry's host is the endpoint in use: then
// it is an ECR too, though not by its name.
func (c *Client) isEndpoint(host string) bool {
	if c.cfg.BaseEndpoint == nil {
		return false
	}
	u, err := url.Parse(*c.cfg.BaseEndpoint)
	return err == nil && u.Host == host
}

// setupError finds an SetupError in err.
func setupError(err error) (*SetupError, bool) {
	var e *SetupError
	ok := errors.As(err, &e)
	return e, ok
}
