// Package wire speaks AWS's request protocols that drydock needs: JSON 1.0 and 1.1
// (ECS, ECR, CloudWatch Logs, SQS), Query (STS, IAM, SNS) and REST JSON
// (EventBridge Scheduler). A service is a table of
// operations; [Typed], [TypedQuery] and [REST] turn a function over the SDK's own input
// and output structs into an entry of that table, and a [Mux] serves any number of
// services on one port.
//
// An operation that no table has is answered with the error AWS itself gives
// to an operation it does not know, naming it: never with a made-up success.
package wire

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Error is an AWS error: Code as in botocore's model ("ClusterNotFoundException"),
// Message as AWS words it. Status is the HTTP status, 400 when zero.
type Error struct {
	Code    string
	Message string
	Status  int
	// Query is the code that the error had in the Query protocol, for a service
	// that speaks JSON now and whose clients still know it ("AWS.SimpleQueueService.NonExistentQueue").
	Query string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Errorf makes an [Error] with status 400.
func Errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Call is one request as an operation sees it.
type Call struct {
	Operation string     // "CreateService"
	Region    string     // from the credential scope of the signature
	AccessKey string     // from the same place
	Body      []byte     // the JSON document, or the form of a Query request
	Members   url.Values // REST: the members that are not in the body
}

// Operation answers one call: a value for [Encode], or an [Error] as error.
// Any other error is answered as AWS's ServerException, status 500.
type Operation func(context.Context, Call) (any, error)

// Typed makes an [Operation] of a function over the SDK's structs.
func Typed[In, Out any](f func(context.Context, *In) (*Out, error)) Operation {
	return func(ctx context.Context, c Call) (any, error) {
		in := new(In)
		if err := Decode(c.Body, in); err != nil {
			return nil, err
		}
		out, err := f(ctx, in)
		if err != nil {
			return nil, err
		}
		return out, nil
	}
}

// Service is one AWS service of a [Mux].
type Service struct {
	Name       string // as in error messages: "ECS"
	Target     string // JSON: the X-Amz-Target prefix, "AmazonEC2ContainerServiceV20141113"
	Scope      string // Query: the service in the credential scope, "sts"
	Version    string // Query: the API version, "2011-06-15"
	Operations map[string]Operation
	Routes     []Route  // REST: how the operations are called; Scope is needed too
	Unsigned   []string // Query: operations that are called without a signature, "AssumeRoleWithWebIdentity"
}

// Mux serves POST / for its services. Requests must be signed (any signature
// is accepted: package drydock checks them before they come here).
type Mux struct {
	services []Service
	log      *slog.Logger
}

// NewMux makes a [Mux]; every request is logged at debug level.
func NewMux(log *slog.Logger, services ...Service) *Mux {
	return &Mux{services: services, log: log}
}

// maxBody bounds a request; AWS's own bound is lower for every operation here
// except PutImage (4 MiB of manifest) and PutLogEvents (1 MiB).
const maxBody = 16 << 20

// ServeHTTP dispatches by the X-Amz-Target header, or, without one, by the
// Action of a form and the service named in the signature's credential scope.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	requestID := rand.Text()
	w.Header().Set("x-amzn-RequestId", requestID)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		e := &Error{Code: "SerializationException", Message: "reading the request: " + err.Error()}
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			e = &Error{Code: "RequestEntityTooLarge", Message: err.Error(), Status: http.StatusRequestEntityTooLarge}
		}
		m.writeJSONError(w, e)
		return
	}
	scope, signed := ScopeOf(r)
	if r.Method == http.MethodGet && len(body) == 0 {
		body = []byte(r.URL.RawQuery) // a presigned address has its form in its query
	}
	call := Call{Region: scope.Region, AccessKey: scope.AccessKey, Body: body}
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		prefix, op, _ := strings.Cut(target, ".")
		call.Operation = op
		m.serveJSON(r.Context(), w, prefix, signed, call)
		return
	}
	if s, ok := m.rest(scope.Service); ok && IsREST(r) {
		if len(call.Body) > 0 && r.Method == http.MethodGet {
			call.Body = nil // the query, whose members have their places in the routes
		}
		m.serveREST(r.Context(), w, s, r, call)
		return
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || form.Get("Action") == "" {
		m.writeJSONError(w, &Error{Code: "UnknownOperationException", Message: "the request has neither an X-Amz-Target header nor an Action"})
		return
	}
	call.Operation = form.Get("Action")
	service, anonymous := m.unsigned(call.Operation, form.Get("Version"))
	if anonymous {
		scope.Service, signed = service, true
	}
	m.serveQuery(r.Context(), w, requestID, scope.Service, signed, call)
}

// rest finds the REST service of a credential scope. One is always signed: an
// unsigned request has no scope.
func (m *Mux) rest(scope string) (Service, bool) {
	for _, s := range m.services {
		if s.Routes != nil && s.Scope == scope {
			return s, true
		}
	}
	return Service{}, false
}

// unsigned finds the service of an operation that needs no signature. Without
// one there is no credential scope either, so the version tells the services
// apart.
func (m *Mux) unsigned(operation, version string) (scope string, ok bool) {
	for _, s := range m.services {
		if s.Version == version && slices.Contains(s.Unsigned, operation) {
			return s.Scope, true
		}
	}
	return "", false
}

func (m *Mux) serveJSON(ctx context.Context, w http.ResponseWriter, prefix string, signed bool, call Call) {
	out, err := func() (any, error) {
		if !signed {
			return nil, missingToken()
		}
		for _, s := range m.services {
			if s.Target == "" || s.Target != prefix {
				continue
			}
			op, ok := s.Operations[call.Operation]
			if !ok {
				return nil, Errorf("UnknownOperationException", "drydock's %s has no operation %s", s.Name, call.Operation)
			}
			return op(ctx, call)
		}
		return nil, Errorf("UnknownOperationException", "drydock has no service for %s.%s", prefix, call.Operation)
	}()
	if err != nil {
		m.writeJSONError(w, m.asError(call, err))
		return
	}
	doc, err := Encode(out)
	if err != nil {
		m.writeJSONError(w, m.asError(call, err))
		return
	}
	m.log.Debug("call", "operation", call.Operation)
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_, _ = w.Write(doc) // the client hung up: nobody is left to tell
}

func missingToken() *Error {
	return &Error{Code: "MissingAuthenticationTokenException", Message: "Missing Authentication Token", Status: http.StatusForbidden}
}

// asError makes the AWS error of any error, and logs it.
func (m *Mux) asError(call Call, err error) *Error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		m.log.Error("call failed", "operation", call.Operation, "error", err)
		return &Error{Code: "ServerException", Message: err.Error(), Status: http.StatusInternalServerError}
	}
	m.log.Debug("call refused", "operation", call.Operation, "code", e.Code, "message", e.Message)
	return e
}

func (e *Error) status() int {
	if e.Status == 0 {
		return http.StatusBadRequest
	}
	return e.Status
}

func (m *Mux) writeJSONError(w http.ResponseWriter, e *Error) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if e.Query != "" {
		w.Header().Set("x-amzn-query-error", e.Query+";Sender")
	}
	w.WriteHeader(e.status())
	doc, err := json.Marshal(map[string]string{"__type": e.Code, "message": e.Message})
	if err == nil {
		_, _ = w.Write(doc)
	}
}

// Scope is who signed a request, and for what.
type Scope struct{ AccessKey, Region, Service string }

// ScopeOf reads the scope of a request that is signed in its header, or by its
// address.
func ScopeOf(r *http.Request) (Scope, bool) {
	if header := r.Header.Get("Authorization"); header != "" {
		return CredentialScope(header)
	}
	return CredentialScope("Credential=" + r.URL.Query().Get("X-Amz-Credential"))
}

// CredentialScope reads "Credential=AKID/20261121/eu-west-1/ecs/aws4_request"
// out of a SigV4 Authorization header.
func CredentialScope(header string) (Scope, bool) {
	_, rest, ok := strings.Cut(header, "Credential=")
	if !ok {
		return Scope{}, false
	}
	credential, _, _ := strings.Cut(rest, ",")
	part := strings.Split(strings.TrimSpace(credential), "/")
	if len(part) < 5 {
		return Scope{}, false
	}
	n := len(part)
	return Scope{AccessKey: strings.Join(part[:n-4], "/"), Region: part[n-3], Service: part[n-2]}, true
}
