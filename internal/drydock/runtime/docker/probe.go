package docker

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/moby/moby/client"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/runtime"
)

// Probe implements [runtime.Runtime] with a real request to the task's address
// on the engine's bridge, which this machine reaches where the engine runs on
// it. A certificate is not looked at and a redirect not followed, as with
// AWS's load balancers.
func (r *Runtime) Probe(p runtime.Probe, report func(runtime.Finding)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() != nil {
		return
	}
	t := r.tasks[p.TaskID]
	r.lives.Go(func() {
		f := runtime.Finding{Outcome: runtime.Refused}
		if t != nil {
			f = r.probe(t, p)
		}
		if r.ctx.Err() == nil {
			report(f)
		}
	})
}

func (r *Runtime) probe(t *task, p runtime.Probe) runtime.Finding {
	ctx, cancel := context.WithTimeout(r.ctx, p.Timeout)
	defer cancel()
	host, ok := r.address(ctx, t)
	if !ok {
		return runtime.Finding{Outcome: runtime.Refused}
	}
	at := net.JoinHostPort(host.String(), strconv.Itoa(p.Port))
	if p.Protocol == "TCP" {
		var d net.Dialer
		conn, err := d.DialContext(ctx, "tcp", at)
		if err != nil {
			return failed(err)
		}
		_ = conn.Close() // it answered; how it hangs up is not the question
		return runtime.Finding{Outcome: runtime.Passed}
	}
	return request(ctx, strings.ToLower(p.Protocol)+"://"+at+p.Path)
}

func request(ctx context.Context, url string) runtime.Finding {
	transport := &http.Transport{
		DisableKeepAlives: true, // a check is a connection of its own
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
	}
	defer transport.CloseIdleConnections()
	visitor := http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return runtime.Finding{Outcome: runtime.Refused}
	}
	req.Header.Set("User-Agent", "ELB-HealthChecker/2.0")
	answer, err := visitor.Do(req)
	if err != nil {
		return failed(err)
	}
	defer func() { _ = answer.Body.Close() }()
	const enough = 64 << 10
	_, _ = io.CopyN(io.Discard, answer.Body, enough) // the status decides
	return runtime.Finding{Outcome: runtime.Answered, Code: answer.StatusCode}
}

func failed(err error) runtime.Finding {
	var n net.Error
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &n) && n.Timeout() {
		return runtime.Finding{Outcome: runtime.TimedOut}
	}
	return runtime.Finding{Outcome: runtime.Refused}
}

// address is where the containers of a task are reached: the first one of
// them has the network that the others joined.
func (r *Runtime) address(ctx context.Context, t *task) (netip.Addr, bool) {
	t.network.Lock()
	var first string
	if len(t.members) > 0 {
		first = t.members[0]
	}
	t.network.Unlock()
	if first == "" {
		return netip.Addr{}, false
	}
	state, err := r.engine.ContainerInspect(ctx, first, client.ContainerInspectOptions{})
	if err != nil || state.Container.NetworkSettings == nil {
		return netip.Addr{}, false
	}
	for _, n := range state.Container.NetworkSettings.Networks {
		if n != nil && n.IPAddress.IsValid() {
			return n.IPAddress, true
		}
	}
	return netip.Addr{}, false
}
