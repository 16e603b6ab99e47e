package drydock

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func inMemory(t *testing.T) *Server {
	t.Helper()
	s, err := Start(t.Context(), Options{Runtime: Simulated})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// exchange sends a request and returns the status and the body of the answer.
func exchange(t *testing.T, method, url, body string, header map[string]string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	r.Host = header["Host"]
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func TestOnlyLoopbackHostsAreAnswered(t *testing.T) {
	s := inMemory(t)
	_, port, _ := net.SplitHostPort(s.Addr)
	for _, path := range []string{"/", "/v2/", "/v2/web/manifests/v1", "/_drydock/status", "/_drydock/advance", "/nothing"} {
		for host, welcome := range map[string]bool{
			"127.0.0.1": true, "127.0.0.1:" + port: true, "localhost": true, "LocalHost.:" + port: true, "[::1]:" + port: true, "[::1]": true,
			"127.9.9.9:1": true, "api.localhost:" + port: true, "[::ffff:127.0.0.1]": true, // a tunnel's port, a proxy's name
			"evil.example": false, "evil.example:" + port: false, "127.0.0.1.evil.example": false, "localhost.evil.example": false,
			"0.0.0.0:" + port: false, "192.168.1.5": false, "[::]": false, "notlocalhost": false, "127.1": false, "0x7f000001": false, "127.0.0.1:80:80": false,
		} {
			status, text := exchange(t, http.MethodGet, s.Endpoint()+path, "", map[string]string{"Host": host})
			if refused := status == http.StatusForbidden && strings.Contains(text, "does not answer to the host"); refused == welcome {
				t.Errorf("GET %s of %s: %d %s", path, host, status, text)
			}
		}
	}
}

// HTTP/1.0 has no Host header, and no browser speaks it.
func TestNoHostIsNoLoopback(t *testing.T) {
	connection := dial(t, inMemory(t).Addr)
	if _, err := io.WriteString(connection, "GET /_drydock/status HTTP/1.0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(connection)
	if err != nil || !bytes.Contains(answer, []byte("403 Forbidden")) {
		t.Errorf("%s, %v", answer, err)
	}
}

func TestListensOnLoopbackUnlessAllowed(t *testing.T) {
	for _, listen := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "example.com:0"} {
		s, err := Start(context.Background(), Options{Runtime: Simulated, Listen: listen})
		if remote, ok := errors.AsType[*RemoteListenError](err); !ok || remote.Listen != listen || remote.Hint() == "" {
			t.Errorf("%s: %v", listen, err)
		}
		if s != nil {
			t.Errorf("%s: it started", listen)
		}
	}
	if _, err := Start(context.Background(), Options{Runtime: Simulated, Listen: "4566"}); err == nil {
		t.Error("4566 is no address")
	}
}

func TestRemoteAnswersToItsOwnHost(t *testing.T) {
	for _, c := range []struct {
		listen, host string
		want         bool
	}{
		{"127.0.0.1:4566", "127.0.0.1:4566", true}, {"127.0.0.1:4566", "yard", false}, {"localhost:4566", "10.0.0.7", false},
		{"10.0.0.7:4566", "10.0.0.7:4566", true}, {"10.0.0.7:4566", "10.0.0.7", true}, {"10.0.0.7:4566", "localhost:4566", true},
		{"10.0.0.7:4566", "10.0.0.8", false}, {"10.0.0.7:4566", "evil.example", false},
		{"drydock:4566", "Drydock:4566", true}, {"drydock:4566", "evil.example", false}, {"drydock:4566", "", false},
		{"0.0.0.0:4566", "192.168.1.5:4566", true}, {":4566", "[fe80::1]:4566", true}, {"[::]:4566", "evil.example", false}, {":4566", "", false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = c.host
		answer := httptest.NewRecorder()
		onlyOurHosts(c.listen, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(answer, r)
		if got := answer.Code == http.StatusOK; got != c.want {
			t.Errorf("listening on %s, called %q: %d", c.listen, c.host, answer.Code)
		}
	}
}

func TestAdvertisedAddress(t *testing.T) {
	at := &net.TCPAddr{IP: net.IPv4(10, 0, 0, 7), Port: 4566}
	for listen, want := range map[string]string{
		"10.0.0.7:4566": "10.0.0.7:4566", "drydock:0": "drydock:4566", "0.0.0.0:0": "127.0.0.1:4566", ":0": "127.0.0.1:4566",
		"localhost:0": "10.0.0.7:4566", // of loopback, the address itself
	} {
		if got := advertised(listen, at); got != want {
			t.Errorf("listening on %s: %s, want %s", listen, got, want)
		}
	}
}

// A web page cannot turn the calendar or read what was asked.
func TestControlRefusesOtherOrigins(t *testing.T) {
	s := inMemory(t)
	const json = "application/json"
	for _, c := range []struct {
		header map[string]string
		want   int
	}{
		{map[string]string{"Content-Type": json}, http.StatusOK},
		{map[string]string{"Content-Type": "application/json; charset=utf-8"}, http.StatusOK},
		{map[string]string{"Content-Type": json, "Origin": s.Endpoint(), "Sec-Fetch-Site": "same-origin", "Host": s.Addr}, http.StatusOK},
		{map[string]string{"Content-Type": json, "Sec-Fetch-Site": "none"}, http.StatusOK},
		{map[string]string{"Content-Type": json, "Origin": "https://evil.example"}, http.StatusForbidden},
		{map[string]string{"Content-Type": json, "Origin": "http://localhost:3000"}, http.StatusForbidden},
		{map[string]string{"Content-Type": json, "Origin": "null"}, http.StatusForbidden},
		{map[string]string{"Content-Type": json, "Sec-Fetch-Site": "cross-site"}, http.StatusForbidden},
		{map[string]string{"Content-Type": json, "Sec-Fetch-Site": "same-site"}, http.StatusForbidden},
		{map[string]string{"Content-Type": "text/plain"}, http.StatusUnsupportedMediaType}, // what a form can send unasked
		{map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, http.StatusUnsupportedMediaType},
		{map[string]string{}, http.StatusUnsupportedMediaType},
	} {
		for path, body := range map[string]string{"advance": `{"seconds":0}`, "clock": `{"timeScale":20}`, "faults": `{"kind":"drop","match":"ecs:X"}`} {
			if got, text := exchange(t, http.MethodPost, s.Endpoint()+"/_drydock/"+path, body, c.header); got != c.want {
				t.Errorf("POST %s with %v: %d %s, want %d", path, c.header, got, text, c.want)
			}
		}
		if c.want == http.StatusForbidden {
			for _, path := range []string{"status", "clock", "requests", "faults"} {
				if got, _ := exchange(t, http.MethodGet, s.Endpoint()+"/_drydock/"+path, "", c.header); got != c.want {
					t.Errorf("GET %s with %v: %d", path, c.header, got)
				}
			}
			if got, _ := exchange(t, http.MethodDelete, s.Endpoint()+"/_drydock/faults", "", c.header); got != c.want {
				t.Errorf("DELETE faults with %v: %d", c.header, got)
			}
		}
	}
}

func TestControlRefusesLargeBodies(t *testing.T) {
	s := inMemory(t)
	large := strings.Repeat(" ", maxControl) + "{}"
	for _, path := range []string{"advance", "clock", "faults"} {
		if got, _ := exchange(t, http.MethodPost, s.Endpoint()+"/_drydock/"+path, large, map[string]string{"Content-Type": "application/json"}); got != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: %d", path, got)
		}
	}
}

func TestCallsRefuseLargeBodiesAndHeaders(t *testing.T) {
	s := inMemory(t)
	const megabyte = 1 << 20
	body, err := json.Marshal(map[string]string{"clusterName": strings.Repeat("x", 17*megabyte)})
	if err != nil {
		t.Fatal(err)
	}
	if got := post(t, s.Endpoint(), "CreateCluster", string(body)); got != http.StatusRequestEntityTooLarge {
		t.Errorf("a body of 17 MiB: %d", got)
	}
	if got, _ := exchange(t, http.MethodGet, s.Endpoint(), "", map[string]string{"X-Long": strings.Repeat("x", megabyte)}); got != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a header of 1 MiB: %d", got)
	}
}

// hurried is the limits of a drydock that a test can wait for.
func hurried() limits {
	return limits{call: 50 * time.Millisecond, stall: 50 * time.Millisecond, layer: 1000}
}

// bodyServer reads the bodies that it is sent, and tells how that ended.
func bodyServer(t *testing.T, l limits) (*httptest.Server, <-chan error) {
	t.Helper()
	ends := make(chan error, 1)
	server := httptest.NewServer(l.wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		ends <- err
	})))
	t.Cleanup(server.Close)
	return server, ends
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	return connection
}

// A client that promises a body and stops sending is given up.
func TestStalledBodiesEnd(t *testing.T) {
	for _, path := range []string{"/", "/v2/web/blobs/uploads/1"} {
		server, ends := bodyServer(t, hurried())
		connection := dial(t, server.Listener.Addr().String())
		fmt.Fprintf(connection, "PATCH %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\nabc", path)
		if err := <-ends; !isTimeout(err) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// A client that sends a little all the time has no more time for a call, but
// all it needs for a layer.
func TestSlowBodies(t *testing.T) {
	for path, patient := range map[string]bool{"/": false, "/v2/web/blobs/uploads/1": true} {
		server, ends := bodyServer(t, limits{call: 100 * time.Millisecond, stall: 10 * time.Second, layer: 1000})
		connection := dial(t, server.Listener.Addr().String())
		fmt.Fprintf(connection, "PATCH %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 30\r\n\r\n", path)
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for range 30 {
			<-tick.C
			_, _ = connection.Write([]byte("x")) // it may be closed already, which is the point
		}
		if err := <-ends; patient != (err == nil) || !patient && !isTimeout(err) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return ok && e.Timeout()
}

func TestEndlessLayerEnds(t *testing.T) {
	server, ends := bodyServer(t, hurried())
	if answer, err := http.Post(server.URL+"/v2/web/blobs/uploads/1", "", io.LimitReader(endless{}, 1<<20)); err == nil {
		_ = answer.Body.Close()
	}
	if _, ok := errors.AsType[*http.MaxBytesError](<-ends); !ok {
		t.Error("a layer without end is read")
	}
}

// In memory a layer is held to what memory may have, on disk to ECR's quota.
func TestLayerLimits(t *testing.T) {
	memory, disk := limitsOf(Options{}).layer, limitsOf(Options{Data: "somewhere"}).layer
	if memory >= disk || disk != 52_000<<20 {
		t.Errorf("%d bytes in memory, %d on disk", memory, disk)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// The deadline of a body is over with the body: a handler that takes its time
// afterwards is not taken for one whose client has gone.
func TestDeadlineEndsWithTheBody(t *testing.T) {
	l := hurried()
	result := make(chan error, 1)
	server := httptest.NewServer(l.wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-r.Context().Done():
			result <- r.Context().Err()
		case <-time.After(3 * l.call):
			result <- nil
		}
	})))
	defer server.Close()
	for _, path := range []string{"/", "/v2/x"} {
		answer, err := http.Post(server.URL+path, "", strings.NewReader("abc"))
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if err := <-result; err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// A client that does not take its answer is given up.
func TestAnswerThatNobodyTakesEnds(t *testing.T) {
	result := make(chan error, 1)
	server := httptest.NewServer(hurried().wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, err := io.Copy(w, endless{})
		result <- err
	})))
	defer server.Close()
	connection := dial(t, server.Listener.Addr().String())
	if _, err := io.WriteString(connection, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := <-result; !isTimeout(err) {
		t.Error(err)
	}
}
