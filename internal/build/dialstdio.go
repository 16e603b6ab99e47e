package build

import (
	"context"
	"io"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"sync"
	"time"
)

// dialer opens connections to the API of the engine that the docker command
// talks to, whatever leads there: a context, DOCKER_HOST, TLS, ssh. It asks
// docker itself to open them: "docker system dial-stdio" joins its stdin and
// stdout to the engine. (docker CLI, cli/command/system/dial_stdio.go; it is
// what docker starts at the far end of an ssh:// host, since 18.09.)
type dialer struct {
	docker  *docker
	end     context.CancelFunc
	running sync.WaitGroup

	mu   sync.Mutex
	said []string // by docker, on stderr
}

// newDialer is a client for the engine's API. The connections end with ctx, or
// when the dialer is closed; it must be.
func newDialer(ctx context.Context, d *docker) (*dialer, *http.Client) {
	ctx, end := context.WithCancel(ctx)
	dial := &dialer{docker: d, end: end}
	return dial, &http.Client{Transport: &http.Transport{
		// Not the context of the request: a connection outlives it.
		DialContext:        func(context.Context, string, string) (net.Conn, error) { return dial.open(ctx) },
		DisableCompression: true,
	}}
}

// close ends the connections and waits for the processes behind them.
func (d *dialer) close() {
	d.end()
	d.running.Wait()
}

// words are the last that docker wrote to stderr.
func (d *dialer) words() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.said)
}

func (d *dialer) open(ctx context.Context) (net.Conn, error) {
	ctx, end := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, d.docker.path, "system", "dial-stdio")
	cmd.Env = d.docker.env
	stderr := &lineWriter{line: d.hear}
	cmd.Stderr = stderr
	ownGroup(cmd)
	cmd.Cancel = func() error { return endGroup(cmd.Process) }
	cmd.WaitDelay = patience
	in, err := cmd.StdinPipe()
	if err != nil {
		end()
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		end()
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		end()
		return nil, err
	}
	d.running.Go(func() {
		<-ctx.Done()
		_ = in.Close() // which ends it; a signal alone does not in every version
		_ = cmd.Wait()
		killGroup(cmd.Process)
		stderr.flush()
	})
	return stdio{in, out, end}, nil
}

func (d *dialer) hear(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.said = last(d.said, line)
}

// stdio is the connection that a process has to an engine.
type stdio struct {
	in  io.WriteCloser
	out io.Reader
	end context.CancelFunc
}

// Read implements [net.Conn].
func (s stdio) Read(p []byte) (int, error) { return s.out.Read(p) }

// Write implements [net.Conn].
func (s stdio) Write(p []byte) (int, error) { return s.in.Write(p) }

// Close ends the process. An engine whose client is gone stops what it does
// for it.
func (s stdio) Close() error {
	s.end()
	return nil
}

// LocalAddr implements [net.Conn].
func (s stdio) LocalAddr() net.Addr { return &net.UnixAddr{Name: "docker", Net: "stdio"} }

// RemoteAddr implements [net.Conn].
func (s stdio) RemoteAddr() net.Addr { return s.LocalAddr() }

// SetDeadline implements [net.Conn]: requests end with their context.
func (s stdio) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements [net.Conn].
func (s stdio) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements [net.Conn].
func (s stdio) SetWriteDeadline(time.Time) error { return nil }
