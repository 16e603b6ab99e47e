package docker

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"
)

// attach opens a container's output. Attached before the start, nothing of it
// is missed; reading the engine's log of a container that ends at once can
// come too late for its last lines (seen with engine 20.10).
func (r *Runtime) attach(ctx context.Context, id string) (client.HijackedResponse, error) {
	attached, err := r.engine.ContainerAttach(ctx, id, client.ContainerAttachOptions{Stream: true, Stdout: true, Stderr: true})
	if err != nil {
		return client.HijackedResponse{}, fmt.Errorf("attaching to the output: %w", err)
	}
	return attached.HijackedResponse, nil
}

// read passes output on, line by line with drydock's time, until the
// container has ended and everything is read, or ctx is done.
func (r *Runtime) read(ctx context.Context, output client.HijackedResponse, log func(time.Time, string)) error {
	defer output.Close()
	defer context.AfterFunc(ctx, output.Close)()
	emit := func(line string) { log(r.Clock.Now(), line) }
	stdout, stderr := &lines{emit: emit}, &lines{emit: emit}
	_, err := stdcopy.StdCopy(stdout, stderr, output.Reader)
	stdout.flush()
	stderr.flush()
	if err != nil {
		return fmt.Errorf("reading the output: %w", err)
	}
	return nil
}

// maxLine bounds a line that never ends; the rest of it is a line of its own.
const maxLine = 1 << 20

// lines cuts what is written to it into lines.
type lines struct {
	emit func(string)
	part []byte // a line that has not ended yet
}

// Write takes any part of the output.
func (l *lines) Write(p []byte) (int, error) {
	l.part = append(l.part, p...)
	for {
		line, rest, ended := bytes.Cut(l.part, []byte("\n"))
		if len(line) > maxLine {
			line, rest, ended = l.part[:maxLine], l.part[maxLine:], true
		}
		if !ended {
			return len(p), nil
		}
		l.emit(string(bytes.TrimSuffix(line, []byte("\r"))))
		l.part = rest
	}
}

func (l *lines) flush() {
	if len(l.part) > 0 {
		l.emit(string(l.part))
		l.part = nil
	}
}
