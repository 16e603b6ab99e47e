package wire

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
)

// Route is how an operation of a REST service is called: REST JSON, in which
// members of a request are part of its path and its query.
type Route struct {
	Operation string
	Method    string
	Path      string            // "/schedules/{Name}": a label is the member of that name
	Query     map[string]string // parameters of the query, and the members that they are
}

// FindRoute finds the operation of a request, with the members that are
// outside of its body.
func FindRoute(routes []Route, r *http.Request) (operation string, members url.Values, ok bool) {
	for _, route := range routes {
		members, ok := route.match(r)
		if ok {
			return route.Operation, members, true
		}
	}
	return "", nil, false
}

func (t Route) match(r *http.Request) (url.Values, bool) {
	if r.Method != t.Method {
		return nil, false
	}
	want, have := strings.Split(t.Path, "/"), strings.Split(strings.TrimSuffix(r.URL.EscapedPath(), "/"), "/")
	if len(want) != len(have) {
		return nil, false
	}
	members := url.Values{}
	for i, part := range want {
		label, isLabel := strings.CutPrefix(part, "{")
		if !isLabel {
			if part != have[i] {
				return nil, false
			}
			continue
		}
		value, err := url.PathUnescape(have[i])
		if err != nil || value == "" {
			return nil, false
		}
		members.Set(strings.TrimSuffix(label, "}"), value)
	}
	query := r.URL.Query()
	for parameter, member := range t.Query {
		if values := query[parameter]; len(values) > 0 {
			members[member] = values
		}
	}
	return members, true
}

// IsREST tells a request to a REST service: the other protocols have one path
// for all operations.
func IsREST(r *http.Request) bool {
	return r.Header.Get("X-Amz-Target") == "" && strings.Trim(r.URL.Path, "/") != "" && r.Method != "" && !strings.HasPrefix(r.URL.Path, "/v2/")
}

// REST is [Capitalized] for an operation of a REST service, whose members
// outside of the body are laid over those in it.
func REST[In, Out any](f func(context.Context, *In) (*Out, error)) Operation {
	return func(ctx context.Context, c Call) (any, error) {
		in := new(In)
		if err := capitals.decodeBody(c.Body, in); err != nil {
			return nil, err
		}
		if err := decodeMembers(c.Members, in); err != nil {
			return nil, err
		}
		out, err := f(ctx, in)
		if err != nil {
			return nil, err
		}
		return capitalized{out}, nil
	}
}

// decodeMembers reads members as the fields' types have them: text, numbers and
// lists of text.
func decodeMembers(members url.Values, into any) error {
	v := reflect.ValueOf(into).Elem()
	root := &formNode{}
	for name, values := range members {
		f := v.FieldByName(name)
		if f.IsValid() && f.Kind() == reflect.Slice {
			for i, value := range values {
				root.put([]string{name, "member", strconv.Itoa(i + 1)}, value)
			}
			continue
		}
		root.put([]string{name}, values[0])
	}
	err := root.decode(v, "")
	if e, ok := errors.AsType[*Error](err); ok {
		return &Error{Code: "ValidationException", Message: e.Message}
	}
	return err
}

func (m *Mux) serveREST(ctx context.Context, w http.ResponseWriter, s Service, r *http.Request, call Call) {
	out, err := func() (any, error) {
		operation, members, ok := FindRoute(s.Routes, r)
		op, known := s.Operations[operation]
		if !ok || !known {
			return nil, &Error{Code: "UnknownOperationException", Message: "drydock's " + s.Name + " has no operation " + r.Method + " " + r.URL.Path, Status: http.StatusNotFound}
		}
		call.Operation, call.Members = operation, members
		return op(ctx, call)
	}()
	var doc []byte
	if err == nil {
		doc, err = Encode(out)
	}
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		WriteRESTError(w, m.asError(call, err))
		return
	}
	m.log.Debug("call", "operation", call.Operation)
	_, _ = w.Write(doc) // the client hung up: nobody is left to tell
}

// WriteRESTError answers an error as REST JSON has it: the code is a header.
func WriteRESTError(w http.ResponseWriter, e *Error) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("x-amzn-ErrorType", e.Code)
	w.WriteHeader(e.status())
	doc, err := json.Marshal(struct {
		Type    string `json:"__type"`
		Message string
	}{e.Code, e.Message})
	if err == nil {
		_, _ = w.Write(doc) // as above
	}
}
