package awsapi

import (
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	smithy "github.com/aws/smithy-go"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
)

// Error is AWS's refusal of a call. errors.Is finds the deploy.Kind that its
// code stands for.
type Error struct {
	Doing   string // "read service web"
	Code    string // "ClusterNotFoundException"
	Message string // in AWS's words
	Action  string // what the role must be allowed, "ecs:UpdateService", where access was denied
	err     error
}

// Hint says what to do, where that is known.
func (e *Error) Hint() string {
	if e.Action == "" {
		return refusedKeys(e.Code, e.Message)
	}
	return "allow " + e.Action + " to the role that runs this"
}

// Permission is the IAM action that was denied, "" where it was something else.
func (e *Error) Permission() string { return e.Action }

// Reason is what AWS said, without what was being done.
func (e *Error) Reason() string { return e.Code + ": " + e.Message }

func (e *Error) Error() string { return e.Doing + ": " + e.Code + ": " + e.Message }

// Unwrap returns the SDK's error.
func (e *Error) Unwrap() error { return e.err }

// Is reports whether target is the kind of this error.
func (e *Error) Is(target error) bool {
	kind, ok := target.(deploy.Kind)
	return ok && kind == e.kind()
}

func (e *Error) kind() deploy.Kind {
	if _, throttled := retry.DefaultThrottleErrorCodes[e.Code]; throttled {
		return deploy.Throttled
	}
	if refusedKeys(e.Code, e.Message) != "" {
		return deploy.Setup
	}
	switch e.Code {
	case "AccessDeniedException", "AccessDenied", "UnauthorizedOperation":
		return deploy.Denied
	case "ClusterNotFoundException", "ServiceNotFoundException", "ServiceDeploymentNotFoundException",
		"ResourceNotFoundException", "RepositoryNotFoundException", "ImageNotFoundException", missing,
		"LifecyclePolicyNotFoundException", "NoSuchEntity", "TargetGroupNotFound", "ObjectNotFoundException":
		return deploy.NotFound
	case "ConflictException", "ImageTagAlreadyExistsException":
		return deploy.Conflict
	case "UnsupportedFeatureException", "UnknownOperationException":
		return deploy.Unsupported
	case "ClientException":
		// DescribeTaskDefinition has no code of its own for an unknown name.
		if strings.HasPrefix(e.Message, "Unable to describe task definition") {
			return deploy.NotFound
		}
	}
	return ""
}

// refusedKeys is what to do where AWS refuses the credentials of a call, and not what
// it asks for: "" for any other error. ("Common error types", API references.)
func refusedKeys(code, message string) string {
	switch code {
	case "ExpiredTokenException", "ExpiredToken":
		return "the credentials have expired: take new ones; for a pipeline, a role by OIDC (plimsoll init iam) or a longer session"
	case "UnrecognizedClientException", "InvalidClientTokenId":
		return "AWS does not know these credentials: check AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN, and whether AWS_REGION is of their partition"
	case "RequestExpired", "RequestTimeTooSkewed":
		return "set this machine's clock"
	case "InvalidSignatureException", "SignatureDoesNotMatch":
		if strings.Contains(message, "xpired") || strings.Contains(message, "not yet current") {
			return "set this machine's clock"
		}
		return "check AWS_SECRET_ACCESS_KEY: it does not belong to the access key"
	}
	return ""
}

// missing is the reason that Describe operations give in their failures for
// what is not there; it takes the place of an error code here.
const missing = "MISSING"

// wrap says what was being done when a call failed.
func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	if setup, ok := setupError(err); ok {
		return setup
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		e := &Error{Doing: doing, Code: api.ErrorCode(), Message: strings.TrimSpace(api.ErrorMessage()), err: err}
		if e.kind() == deploy.Denied {
			e.Action = actionOf(e.Message, err)
		}
		return e
	}
	return &callError{doing, err}
}

// actionOf is the IAM action that was denied: the one that AWS names, which
// need not be the operation's (iam:PassRole), else that of the operation.
func actionOf(message string, err error) string {
	if _, rest, ok := strings.Cut(message, "not authorized to perform: "); ok {
		if action, _, _ := strings.Cut(rest, " "); strings.Contains(action, ":") {
			return strings.TrimRight(action, ".,")
		}
	}
	var op *smithy.OperationError
	if !errors.As(err, &op) {
		return ""
	}
	for _, known := range [][2]string{
		{"ECS", "ecs"}, {"ECR", "ecr"}, {"CloudWatch Logs", "logs"}, {"STS", "sts"}, {"IAM", "iam"}, {"SSM", "ssm"},
		{"Secrets Manager", "secretsmanager"}, {"Elastic Load Balancing v2", "elasticloadbalancing"},
		{"Application Auto Scaling", "application-autoscaling"}, {"EventBridge", "events"}, {"Scheduler", "scheduler"}, {"Health", "health"}, {"SQS", "sqs"}, {"SNS", "sns"},
	} {
		if op.Service() == known[0] {
			return known[1] + ":" + op.Operation()
		}
	}
	return ""
}

// callError is a call that got no answer: no connection, or a context that
// ended.
type callError struct {
	doing string
	err   error
}

func (e *callError) Error() string {
	var op *smithy.OperationError
	if errors.As(e.err, &op) {
		return e.doing + ": " + op.Err.Error()
	}
	return e.doing + ": " + e.err.Error()
}

// Unwrap returns the SDK's error.
func (e *callError) Unwrap() error { return e.err }

// notThere is the error for what a Describe operation's answer does not have.
func notThere(doing, what string) error {
	return &Error{Doing: doing, Code: missing, Message: what + " does not exist"}
}
