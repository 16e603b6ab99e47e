package drydock

import (
	"bytes"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Request is one request to AWS's part of drydock, as it was answered.
type Request struct {
	Number    int64     `json:"number"` // counts from 1
	Time      time.Time `json:"time"`   // on the calendar, when it came
	Service   string    `json:"service,omitempty"`
	Operation string    `json:"operation,omitempty"`
	Action    string    `json:"action,omitempty"` // of IAM: what a policy has to allow
	Needs     []string  `json:"needs,omitempty"`  // other actions that a policy has to allow for it: iam:PassRole, ecs:TagResource
	AccessKey string    `json:"accessKey,omitempty"`
	Principal string    `json:"principal,omitempty"` // ARN of who asked, where the credentials say it
	Status    int       `json:"status"`              // 0: the connection ended without an answer
	Error     string    `json:"error,omitempty"`     // AWS's or the registry's code
	Millis    float64   `json:"millis"`              // until it was answered
}

// keptRequests bounds the log, to about 2 MB.
const keptRequests = 10_000

// requestLog is the last requests, in memory.
type requestLog struct {
	now  func() time.Time
	size int

	mu   sync.Mutex
	ring []Request // in order of Number, from next on when it is full
	next int
	last int64
}

func newRequestLog(now func() time.Time, size int) *requestLog {
	return &requestLog{now: now, size: size}
}

func (l *requestLog) add(r Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	r.Number = l.last
	if len(l.ring) < l.size {
		l.ring = append(l.ring, r)
		return
	}
	l.ring[l.next] = r
	l.next = (l.next + 1) % l.size
}

// since is the requests after a number, in the order in which they were
// answered, and the newest limit of them when there are more.
func (l *requestLog) since(after int64, limit int) []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := int(min(max(l.last-after, 0), int64(len(l.ring)), int64(limit)))
	out := make([]Request, 0, n)
	for i := len(l.ring) - n; i < len(l.ring); i++ {
		out = append(out, l.ring[(l.next+i)%len(l.ring)])
	}
	return out
}

// wrap logs every request to a handler, also one whose connection it ends.
func (l *requestLog) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began, at := time.Now(), l.now()
		heard := &listener{ResponseWriter: w}
		defer func() {
			c := callOf(r)
			l.add(Request{
				Time: at, Service: c.Service, Operation: c.Operation, Action: c.Action, Needs: c.Needs, AccessKey: c.AccessKey, Principal: c.Principal,
				Status: heard.status, Error: heard.code(), Millis: float64(time.Since(began).Microseconds()) / 1000,
			})
		}()
		next.ServeHTTP(heard, r)
		if heard.status == 0 {
			heard.status = http.StatusOK // as net/http answers for a handler that wrote nothing
		}
	})
}

// listener notes the status of an answer, and the beginning of an error's
// body.
type listener struct {
	http.ResponseWriter
	status int
	start  []byte
}

// Unwrap serves http.ResponseController.
func (l *listener) Unwrap() http.ResponseWriter { return l.ResponseWriter }

func (l *listener) WriteHeader(status int) {
	if l.status == 0 && status >= http.StatusOK { // 100 Continue is no answer
		l.status = status
	}
	l.ResponseWriter.WriteHeader(status)
}

// errorStart is enough of an error to have its code: it stands first.
const errorStart = 512

func (l *listener) Write(p []byte) (int, error) {
	if l.status == 0 {
		l.status = http.StatusOK
	}
	if room := errorStart - len(l.start); l.status >= http.StatusBadRequest && room > 0 {
		l.start = append(l.start, p[:min(len(p), room)]...)
	}
	return l.ResponseWriter.Write(p)
}

// code finds the code of an error in the form of AWS JSON, of the registry or
// of AWS Query.
func (l *listener) code() string {
	for _, form := range []struct{ before, after string }{{`"__type":"`, `"`}, {`"code":"`, `"`}, {`<Code>`, `<`}} {
		if _, rest, ok := bytes.Cut(l.start, []byte(form.before)); ok {
			code, _, _ := strings.Cut(string(rest), form.after)
			return code
		}
	}
	return ""
}
