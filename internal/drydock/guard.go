package drydock

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/loopback"
)

// drydock takes any credentials, so who can reach it may do anything in it,
// and with the docker runtime run containers on this machine. Loopback keeps
// other machines out; the guards here keep out the web pages that a browser on
// this machine shows, and clients that would hold memory for ever.

// RemoteListenError says that an address is reachable from other machines.
type RemoteListenError struct{ Listen string }

func (e *RemoteListenError) Error() string {
	return fmt.Sprintf("listen address %q is not loopback: drydock accepts any credentials, so it listens on 127.0.0.1, ::1 or localhost only", e.Listen)
}

// Hint says what to do.
func (e *RemoteListenError) Hint() string {
	return "--allow-remote listens there all the same, for everybody who can reach it"
}

func checkListen(listen string, allowRemote bool) error {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("listen address %q: %w (want host:port, such as 127.0.0.1:4566)", listen, err)
	}
	if !allowRemote && !loopback.Is(host) {
		return &RemoteListenError{listen}
	}
	return nil
}

// onlyOurHosts refuses what was sent to a host by a name that is not this
// drydock's. A web page whose own name suddenly resolves to 127.0.0.1 (DNS
// rebinding) is, to the browser, still at home there: the Host header is all
// that gives it away. The port counts for nothing: a tunnel may have another.
func onlyOurHosts(listen string, next http.Handler) http.Handler {
	ours, _, _ := net.SplitHostPort(listen)
	machine, _ := os.Hostname()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host := loopback.HostOf(r.Host); !loopback.Is(host) && !admits(ours, machine, host) {
			http.Error(w, fmt.Sprintf("drydock does not answer to the host %q", r.Host), http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// admits tells whether a drydock that listens on ours may be called by host.
// One that listens everywhere is called by the name of its machine, or by any
// address: no rebinding can make a Host of digits.
func admits(ours, machine, host string) bool {
	if host == "" || loopback.Is(ours) {
		return false
	}
	if everywhere(ours) {
		_, err := netip.ParseAddr(host)
		return err == nil || strings.EqualFold(host, machine)
	}
	return strings.EqualFold(host, ours)
}

// everywhere is a listen host that stands for every address of the machine.
func everywhere(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "" || err == nil && ip.IsUnspecified()
}

// sameOrigin refuses what a web page of another origin sends. Browsers tell
// where a request comes from by Sec-Fetch-Site and Origin; no other client
// sends either. Reads are refused too: nobody's page has business here.
func sameOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		site, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
		if site != "" && site != "same-origin" && site != "none" || origin != "" && origin != "http://"+r.Host {
			http.Error(w, "the control API does not answer to pages of another origin", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// limits is how long and how much a client may send.
type limits struct {
	header time.Duration // to send the header
	call   time.Duration // to send the whole body of an API call
	stall  time.Duration // between two parts of a layer, or for one part of an answer to be taken
	idle   time.Duration // between two requests on a connection
	layer  int64         // bytes in one request to the registry
}

// limitsOf: a layer is limited to 52,000 MiB by ECR's quotas, and to what a
// machine may have when it is kept in memory.
func limitsOf(o Options) limits {
	l := limits{header: 10 * time.Second, call: time.Minute, stall: time.Minute, idle: 3 * time.Minute, layer: 52_000 << 20}
	if o.Data == "" {
		l.layer = 4 << 30
	}
	return l
}

// maxHeader bounds the header of a request; SigV4's are below 2 kB.
const maxHeader = 64 << 10

// wrap ends requests whose client has stopped sending, or taking, before
// they fill the memory. The bodies of API calls are bounded where they are
// read (package wire, the control API).
func (l limits) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		connection := http.NewResponseController(w)
		if r.Body != http.NoBody {
			r.Body = l.body(w, r, connection)
		}
		next.ServeHTTP(&pacedWriter{w, connection, l.stall}, r)
	})
}

func (l limits) body(w http.ResponseWriter, r *http.Request, connection *http.ResponseController) io.ReadCloser {
	b := &pacedBody{ReadCloser: r.Body, connection: connection, patience: l.call}
	b.extend() // for a body that nobody reads: net/http does, before the next request
	if !strings.HasPrefix(r.URL.Path, "/v2/") {
		return b
	}
	b.patience, b.renewed = l.stall, true
	return http.MaxBytesReader(w, b, l.layer)
}

// pacedBody is a body that has to come within the client's time.
type pacedBody struct {
	io.ReadCloser
	connection *http.ResponseController
	patience   time.Duration
	renewed    bool // the time is for each part, not for the whole
	begun      bool
}

// extend gives the client its time from now on. A connection that knows no
// deadline, as in tests, is none that can stall.
func (b *pacedBody) extend() { _ = b.connection.SetReadDeadline(time.Now().Add(b.patience)) }

func (b *pacedBody) Read(p []byte) (int, error) {
	if !b.begun || b.renewed {
		b.begun = true
		b.extend()
	}
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		// From here net/http watches the connection for the client's going
		// away; a deadline that passes would look like it.
		_ = b.connection.SetReadDeadline(time.Time{})
	}
	return n, err
}

// pacedWriter is an answer that has to be taken.
type pacedWriter struct {
	http.ResponseWriter
	connection *http.ResponseController
	stall      time.Duration
}

// Unwrap serves http.ResponseController.
func (w *pacedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *pacedWriter) Write(p []byte) (int, error) {
	_ = w.connection.SetWriteDeadline(time.Now().Add(w.stall)) // one that knows none cannot stall
	return w.ResponseWriter.Write(p)
}
