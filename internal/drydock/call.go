package drydock

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/faults"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/scheduler"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// call is which operation a request is, before anything has been checked:
// every part of it is the client's word.
type call struct {
	Principal string   // ARN of who calls, once that is known
	Needs     []string // other actions that it needs, such as iam:PassRole
	Service   string   // "ecs", "ecr", "logs", "sts", "health", or "registry" for the OCI API
	Operation string   // "UpdateService"; of the registry, "PutManifest"
	Action    string   // the IAM action that allows it, "ecs:UpdateService"; "" where none does
	AccessKey string
}

// longestName bounds what is kept of a name that a client sends.
const longestName = 128

// identify tells which call a request is. A Query request names its operation
// in its body, whose beginning is read for it and put back.
func identify(r *http.Request) call {
	if strings.HasPrefix(r.URL.Path, "/v2/") {
		return registryCall(r)
	}
	scope, _ := wire.ScopeOf(r)
	c := call{Service: scope.Service, AccessKey: short(scope.AccessKey)}
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		prefix, operation, _ := strings.Cut(target, ".")
		c.Operation = operation
		if service := serviceOf(prefix); service != "" {
			c.Service = service
		}
	} else if scope.Service == schedulerScope && wire.IsREST(r) {
		c.Operation, _, _ = wire.FindRoute(scheduler.Routes(), r)
	} else {
		c.Operation = queryAction(r)
		if c.Service == "" && strings.HasPrefix(c.Operation, "AssumeRoleWith") {
			c.Service = "sts" // called without a signature
		}
	}
	c.Service, c.Operation = short(c.Service), short(c.Operation)
	c.Action = actionOf(c.Service, c.Operation)
	return c
}

// schedulerScope is EventBridge Scheduler in a signature: the one service whose
// operations are paths.
const schedulerScope = "scheduler"

// actionOf is the IAM action of an operation: its own name, nearly always.
func actionOf(service, operation string) string {
	switch {
	case service == "" || operation == "":
		return ""
	case service == "sts" && operation == "GetCallerIdentity":
		return "" // "No permissions are required to perform this operation", says the STS API reference
	case service == "sts" && operation == "AssumeRoleWithWebIdentity":
		return "" // called without an identity: the role's trust policy allows it
	case service == "ecr" && operation == "ListImageReferrers":
		return "ecr:BatchGetImage" // the ECR API reference: the caller "must have the ecr:BatchGetImage permission"
	case service == "sqs" || service == "sns":
		return service + ":" + strings.TrimSuffix(operation, "Batch") // one permission for one message and for ten
	}
	return service + ":" + operation
}

func short(name string) string { return name[:min(len(name), longestName)] }

// serviceOf is the IAM prefix of a service that is named by its JSON target.
func serviceOf(target string) string {
	switch {
	case strings.HasPrefix(target, "AmazonEC2ContainerServiceV"):
		return "ecs"
	case strings.HasPrefix(target, "AmazonEC2ContainerRegistry_V"):
		return "ecr"
	case strings.HasPrefix(target, "Logs_"):
		return "logs"
	case target == "AnyScaleFrontendService":
		return "application-autoscaling"
	case strings.HasPrefix(target, "AWSHealth_"):
		return "health"
	case target == "AmazonSSM":
		return "ssm"
	case target == "secretsmanager":
		return "secretsmanager"
	case target == "AWSEvents":
		return "events"
	case target == "AmazonSQS":
		return "sqs"
	}
	return ""
}

// queryAction is the Action of a form. The SDKs and the aws CLI send it first.
func queryAction(r *http.Request) string {
	const enough = 4 << 10
	if r.Method == http.MethodGet {
		return r.URL.Query().Get("Action") // of a presigned address
	}
	if r.Method != http.MethodPost {
		return ""
	}
	start, err := io.ReadAll(io.LimitReader(r.Body, enough))
	rest := io.Reader(r.Body)
	if err != nil {
		rest = failing{err}
	}
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(start), rest), r.Body}
	form, _ := url.ParseQuery(string(start)) // the last value may be cut off
	return form.Get("Action")
}

// failing is a body whose reading has failed: the reader after this one is to
// hear of it too.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// registryCall names a request of the OCI API, and the action that ECR wants
// for it: the registry is authorized by the same policies as the API.
func registryCall(r *http.Request) call {
	c := call{Service: "registry"}
	path := strings.TrimPrefix(r.URL.Path, "/v2/")
	isRead := r.Method == http.MethodGet || r.Method == http.MethodHead
	head := r.Method == http.MethodHead
	switch {
	case path == "":
		c.Operation = "Ping" // allowed to whoever could get a token
	case path == "_catalog":
		c.Operation, c.Action = "ListRepositories", "ecr:DescribeRepositories"
	case strings.HasSuffix(path, "/tags/list"):
		c.Operation, c.Action = "ListTags", "ecr:ListImages"
	case strings.Contains(path, "/manifests/"):
		switch {
		case head:
			c.Operation, c.Action = "HeadManifest", "ecr:BatchGetImage"
		case isRead:
			c.Operation, c.Action = "GetManifest", "ecr:BatchGetImage"
		case r.Method == http.MethodPut:
			c.Operation, c.Action = "PutManifest", "ecr:PutImage"
		case r.Method == http.MethodDelete:
			c.Operation, c.Action = "DeleteManifest", "ecr:BatchDeleteImage"
		}
	case strings.Contains(path, "/referrers/"):
		c.Operation, c.Action = "ListReferrers", "ecr:BatchGetImage"
	case strings.Contains(path, "/blobs/uploads/"):
		switch r.Method {
		case http.MethodPost:
			c.Operation, c.Action = "StartUpload", "ecr:InitiateLayerUpload"
		case http.MethodPatch, http.MethodGet:
			c.Operation, c.Action = "UploadPart", "ecr:UploadLayerPart"
		case http.MethodPut:
			c.Operation, c.Action = "CompleteUpload", "ecr:CompleteLayerUpload"
		}
	case strings.Contains(path, "/blobs/"):
		switch {
		case head:
			c.Operation, c.Action = "HeadBlob", "ecr:BatchCheckLayerAvailability"
		case isRead:
			c.Operation, c.Action = "GetBlob", "ecr:GetDownloadUrlForLayer"
		}
	}
	if c.Operation == "" {
		c.Operation = short(r.Method)
	}
	return c
}

type callKey struct{}

// withCall keeps the call with its request for all that wrap the handler.
func withCall(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := identify(r)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callKey{}, &c)))
	})
}

func callOf(r *http.Request) call {
	if c, ok := r.Context().Value(callKey{}).(*call); ok {
		return *c
	}
	return call{}
}

// noteCall adds to what is known of a request's call, for the log around the
// handler that finds it out.
func noteCall(r *http.Request, add func(*call)) {
	if c, ok := r.Context().Value(callKey{}).(*call); ok {
		add(c)
	}
}

func faultCall(r *http.Request) faults.Call {
	c := callOf(r)
	return faults.Call{Service: c.Service, Operation: c.Operation}
}
