package faults

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
	"time"
)

// Wrap puts the rules before a handler; identify tells which call a request
// is. A call that gets no answer ends in a panic with http.ErrAbortHandler, by
// which net/http ends the connection without a word.
func (s *Set) Wrap(next http.Handler, identify func(*http.Request) Call) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		call := identify(r)
		stroke := s.strike(call)
		if stroke.delay > 0 && !wait(r, stroke.delay) {
			panic(http.ErrAbortHandler)
		}
		if stroke.rule == nil {
			next.ServeHTTP(w, r)
			return
		}
		switch stroke.rule.Kind {
		case Drop:
			panic(http.ErrAbortHandler)
		case Lose:
			next.ServeHTTP(nowhere{http.Header{}}, r)
			panic(http.ErrAbortHandler)
		default:
			refuse(w, r, call, stroke.rule)
		}
	})
}

// wait holds a call up, and tells whether its caller is still there.
func wait(r *http.Request, d time.Duration) bool {
	if !receive(r) {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// receive reads the body of a call that is to wait, if it is a small one, as
// all but layers are: net/http notices that a client has gone only once it has
// everything from it, and the time to send a body is not the delay's.
func receive(r *http.Request) bool {
	const small = 1 << 20
	if r.ContentLength < 0 || r.ContentLength > small {
		return true
	}
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	return err == nil
}

// nowhere takes an answer that nobody is to hear.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header         { return n.header }
func (n nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (n nowhere) WriteHeader(int)             {}

// refusal is an error before it has the form of a protocol.
type refusal struct {
	status        int
	code, message string
}

// refuse answers in the form that the client of this protocol reads.
func refuse(w http.ResponseWriter, r *http.Request, c Call, rule *Rule) {
	switch e := rule.refusal(c.Service); {
	case c.Service == "registry":
		writeDistribution(w, e)
	case wire.IsREST(r):
		wire.WriteRESTError(w, &wire.Error{Code: e.code, Message: e.message, Status: e.status})
	case r.Header.Get("X-Amz-Target") == "":
		writeQuery(w, e)
	default:
		writeJSON(w, e)
	}
}

// refusal fills in what the rule leaves open, in the words of the service.
func (r *Rule) refusal(service string) refusal {
	if r.Kind != Error {
		return rateExceeded(service)
	}
	e := refusal{r.Status, r.Code, r.Message}
	if e.status == 0 {
		e.status = http.StatusInternalServerError
	}
	if e.code == "" {
		e.code = codeOf(service, e.status)
	}
	if e.message == "" {
		e.message = http.StatusText(e.status)
	}
	return e
}

// rateExceeded: the JSON services answer 400 "ThrottlingException", STS as all
// Query services "Throttling", and ECR's registry 429 "TOOMANYREQUESTS".
func rateExceeded(service string) refusal {
	switch service {
	case "registry":
		return refusal{http.StatusTooManyRequests, "TOOMANYREQUESTS", "Rate exceeded"}
	case "sts", "sns":
		return refusal{http.StatusBadRequest, "Throttling", "Rate exceeded"}
	}
	return refusal{http.StatusBadRequest, "ThrottlingException", "Rate exceeded"}
}

// codeOf is what a service calls an error of its server, or of its client.
func codeOf(service string, status int) string {
	failed := status >= http.StatusInternalServerError
	switch {
	case service == "registry" && failed:
		return "UNAVAILABLE"
	case service == "registry":
		return "DENIED"
	case !failed && service == "sts":
		return "AccessDenied"
	case !failed:
		return "AccessDeniedException"
	case service == "sts":
		return "InternalFailure"
	case service == "logs":
		return "ServiceUnavailableException"
	}
	return "ServerException" // ECS's and ECR's
}

func writeJSON(w http.ResponseWriter, e refusal) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(e.status)
	_ = json.NewEncoder(w).Encode(struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}{e.code, e.message})
}

func writeDistribution(w http.ResponseWriter, e refusal) {
	type one struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.status)
	_ = json.NewEncoder(w).Encode(map[string][]one{"errors": {{strings.ToUpper(e.code), e.message}}})
}

func writeQuery(w http.ResponseWriter, e refusal) {
	fault := "Sender"
	if e.status >= http.StatusInternalServerError {
		fault = "Receiver"
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(e.status)
	_ = xml.NewEncoder(w).Encode(struct {
		XMLName xml.Name `xml:"ErrorResponse"`
		Type    string   `xml:"Error>Type"`
		Code    string   `xml:"Error>Code"`
		Message string   `xml:"Error>Message"`
	}{Type: fault, Code: e.code, Message: e.message})
}
