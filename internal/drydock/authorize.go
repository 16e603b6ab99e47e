package drydock

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/access"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecr"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecs"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/iam"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/iam/policy"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/iam/signature"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/scheduler"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

// authority stands between the clients and AWS: whose request it is, and
// whether they are allowed it.
type authority struct {
	iam    *iam.IAM
	images *ecr.Registry
	place  access.Place
	tasks  func() *ecs.ECS // nil until ECS has loaded
}

// maxSigned bounds the body of a signed request, as package wire does.
const maxSigned = 16 << 20

// wrap lets through what is allowed, with the caller in its context, and
// refuses the rest as AWS does. What nobody signed goes through as it is: the
// services refuse it, or, as AssumeRoleWithWebIdentity, take it.
func (a *authority) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v2/") { // has logins of its own: see allowRegistry
			next.ServeHTTP(w, r)
			return
		}
		id, err := a.iam.Authenticate(r, maxSigned)
		if unreadable := errors.Is(err, signature.ErrUnsigned) || errors.Is(err, signature.ErrIncomplete); unreadable {
			if scope, _ := wire.ScopeOf(r); iam.GivenOut(scope.AccessKey) {
				refuseCaller(w, r, signature.ErrIncomplete)
				return
			}
			next.ServeHTTP(w, r) // nobody's signature, or one that a foreign key need not have
			return
		}
		noteCall(r, func(c *call) { c.Principal = id.ARN })
		if err != nil {
			refuseCaller(w, r, err)
			return
		}
		if err := a.authorize(r, id); err != nil {
			refuse(w, r, "AccessDeniedException", "AccessDenied", http.StatusForbidden, err.Error())
			return
		}
		next.ServeHTTP(w, r.WithContext(iam.With(r.Context(), id)))
	})
}

// authorize asks for everything that the call needs, and notes what it is.
func (a *authority) authorize(r *http.Request, id iam.Identity) error {
	c := apiCall(r)
	needs := access.Needs(c, a.place, a)
	noteCall(r, func(noted *call) {
		for _, n := range needs {
			if n.Action != noted.Action && !slices.Contains(noted.Needs, n.Action) {
				noted.Needs = append(noted.Needs, n.Action)
			}
		}
	})
	for _, n := range needs {
		if err := a.need(r, id, n); err != nil {
			return err
		}
	}
	return nil
}

// need asks for one thing: one of its resources has to be allowed, and none
// denied. Of several refusals the first is told.
func (a *authority) need(r *http.Request, id iam.Identity, n access.Need) error {
	context := requestContext(r).Merge(n.Context)
	asked := iam.Need{Action: n.Action, Context: context}
	if n.Repository != "" {
		asked.Policy = a.images.PolicyOf(n.Repository)
	}
	var first error
	allowed := false
	for _, resource := range n.Resources {
		asked.Resource = resource
		err := a.iam.Authorize(id, asked)
		if denied, ok := errors.AsType[*iam.DeniedError](err); ok && denied.Explicit {
			return err
		}
		allowed = allowed || err == nil
		first = cmp.Or(first, err)
	}
	if allowed {
		return nil
	}
	return first
}

// requestContext is the keys that are about the request itself.
func requestContext(r *http.Request) policy.Context {
	c := policy.NewContext()
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		c.Add("aws:SourceIp", host)
	}
	c.Add("aws:SecureTransport", fmt.Sprint(r.TLS != nil))
	if agent := r.UserAgent(); agent != "" {
		c.Add("aws:UserAgent", agent)
	}
	return c
}

// apiCall reads the whole request: what is judged must be what is carried out.
// One that cannot be read is left to who reads it next, and fails there too.
func apiCall(r *http.Request) access.Call {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxSigned+1))
	rest := io.Reader(r.Body)
	if err != nil {
		rest = failing{err}
	}
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), rest), r.Body}
	known := callOf(r)
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		_, operation, _ := strings.Cut(target, ".")
		return access.Call{Service: known.Service, Operation: operation, Body: body}
	}
	if known.Service == schedulerScope && wire.IsREST(r) {
		_, members, _ := wire.FindRoute(scheduler.Routes(), r)
		return access.Call{Service: known.Service, Operation: known.Operation, Body: withMembers(body, members)}
	}
	if r.Method == http.MethodGet && len(body) == 0 {
		body = []byte(r.URL.RawQuery)
	}
	scope, _ := wire.ScopeOf(r)
	form, _ := url.ParseQuery(string(body)) // of one that cannot be read wire says so
	return access.Call{Service: scope.Service, Operation: form.Get("Action"), Body: body, Form: true}
}

// withMembers is the document of a REST request with the members of its path and query.
func withMembers(body []byte, members url.Values) []byte {
	all := map[string]any{}
	_ = json.Unmarshal(body, &all) // what is no object has no members
	for name, values := range members {
		all[name] = values[0]
	}
	doc, err := json.Marshal(all)
	if err != nil {
		return nil // what was decoded from JSON can be encoded
	}
	return doc
}

// refuseCaller says what is wrong with credentials.
func refuseCaller(w http.ResponseWriter, r *http.Request, err error) {
	const mismatch = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	switch {
	case errors.Is(err, iam.ErrUnknownKey):
		refuse(w, r, "UnrecognizedClientException", "InvalidClientTokenId", http.StatusForbidden, "The security token included in the request is invalid.")
	case errors.Is(err, iam.ErrExpired):
		refuse(w, r, "ExpiredTokenException", "ExpiredToken", http.StatusForbidden, "The security token included in the request is expired")
	case errors.Is(err, signature.ErrSkewed):
		refuse(w, r, "InvalidSignatureException", "SignatureDoesNotMatch", http.StatusForbidden,
			fmt.Sprintf("Signature expired: it is more than %d minutes away from %s", signature.Tolerance/time.Minute, time.Now().UTC().Format("20060102T150405Z")))
	case errors.Is(err, signature.ErrIncomplete):
		refuse(w, r, "IncompleteSignatureException", "IncompleteSignature", http.StatusBadRequest, err.Error())
	case errors.Is(err, signature.ErrMismatch):
		refuse(w, r, "InvalidSignatureException", "SignatureDoesNotMatch", http.StatusForbidden, mismatch)
	default:
		refuse(w, r, "SerializationException", "MalformedInput", http.StatusBadRequest, err.Error())
	}
}

// refuse answers in the protocol of the request. JSON services say 400 where
// Query services say 403, and name some errors otherwise.
func refuse(w http.ResponseWriter, r *http.Request, jsonCode, queryCode string, status int, message string) {
	id := rand.Text()
	w.Header().Set("x-amzn-RequestId", id)
	if r.Header.Get("X-Amz-Target") != "" {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": jsonCode, "message": message}) // the client hung up: nobody is left to tell
		return
	}
	if wire.IsREST(r) {
		wire.WriteRESTError(w, &wire.Error{Code: jsonCode, Message: message, Status: status})
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	_ = xml.NewEncoder(w).Encode(struct { // as above
		XMLName xml.Name `xml:"ErrorResponse"`
		Type    string   `xml:"Error>Type"`
		Code    string   `xml:"Error>Code"`
		Message string   `xml:"Error>Message"`
		Request string   `xml:"RequestId"`
	}{Type: "Sender", Code: queryCode, Message: message, Request: id})
}

// allowRegistry authorizes docker's side as whoever got its token.
func (a *authority) allowRegistry(r *http.Request, principal string) error {
	id, known := a.iam.Known(principal)
	noteCall(r, func(c *call) { c.Principal = cmp.Or(principal, id.ARN) })
	switch c := callOf(r); {
	case !known:
		return fmt.Errorf("the token is of %s, which does not exist any more", principal)
	case id.IsLocal() || c.Operation == "Ping":
		return nil
	default:
		action := cmp.Or(c.Action, "ecr:BatchGetImage")
		return a.need(r, id, access.Repository(action, repositoryOf(r.URL.Path), a.place, a))
	}
}

// repositoryOf is the name between /v2/ and the noun of the distribution API;
// "*" for the catalog.
func repositoryOf(path string) string {
	path = strings.TrimPrefix(path, "/v2/")
	for _, noun := range []string{"/manifests/", "/blobs/", "/tags/", "/referrers/"} {
		if at := strings.LastIndex(path, noun); at > 0 {
			return path[:at]
		}
	}
	return "*"
}

// What package access asks.

// TaskDefinition finds a revision and its roles.
func (a *authority) TaskDefinition(id string) (arn string, roles []string) {
	if tasks := a.tasks(); tasks != nil {
		return tasks.TaskDefinition(id)
	}
	return "", nil
}

// Tags are those of a resource of ECS or ECR.
func (a *authority) Tags(arn string) map[string]string {
	if strings.HasPrefix(arn, "arn:aws:ecr:") {
		return a.images.ResourceTags(arn)
	}
	if tasks := a.tasks(); tasks != nil {
		return tasks.TagsOf(arn)
	}
	return nil
}

// RoleARN is the ARN of a role.
func (a *authority) RoleARN(name string) string { return a.iam.RoleARN(name) }

// UserARN is the ARN of a user.
func (a *authority) UserARN(name string) string { return a.iam.UserARN(name) }

// roles is the execution roles of tasks, as ECS sees them.
type roles struct {
	iam    *iam.IAM
	images *ecr.Registry
}

// Assume takes a role on for a task.
func (r roles) Assume(role, task string) error {
	return r.iam.Assumable(role, "ecs-tasks.amazonaws.com", task)
}

// Login gets the token that pulls need.
func (r roles) Login(role, session string) error {
	return r.iam.Allowed(role, session, "ecr:GetAuthorizationToken", "*")
}

// Pull reads a manifest and its layers, in the words that containerd has for a
// registry that refuses.
func (r roles) Pull(role, session string, ref image.Reference) error {
	arn, isHere := r.images.RepositoryARN(ref)
	if !isHere {
		return nil
	}
	if r.iam.AllowedOn(role, session, "ecr:BatchGetImage", arn, r.images.PolicyOf(ref.Repository)) != nil {
		return &ecs.PullError{Retried: 1, Text: fmt.Sprintf("pull image manifest has been retried 1 time(s): failed to resolve ref %s: unexpected status from HEAD request to https://%s/v2/%s/manifests/%s: 403 Forbidden",
			ref, ref.Registry, ref.Repository, cmp.Or(ref.Digest, ref.Tag, "latest"))}
	}
	if r.iam.AllowedOn(role, session, "ecr:GetDownloadUrlForLayer", arn, r.images.PolicyOf(ref.Repository)) != nil {
		return &ecs.PullError{Retried: 1, Text: fmt.Sprintf("ref pull has been retried 1 time(s): failed to copy: httpReadSeeker: failed open: unexpected status code https://%s/v2/%s/blobs/: 403 Forbidden",
			ref.Registry, ref.Repository)}
	}
	return nil
}

// Allowed is any other action.
func (r roles) Allowed(role, session, action, resource string) error {
	return r.iam.Allowed(role, session, action, resource)
}
