package build

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// docker runs the docker command line.
type docker struct {
	path    string
	env     []string
	scratch string // a private folder that goes with it
}

// newDocker finds docker and, with a login, gives it a configuration of its
// own. Close must be called in every case that err is nil.
func newDocker(env []string, login *Login) (*docker, error) {
	path, err := exec.LookPath("docker")
	if err != nil {
		return nil, &CLIMissingError{Err: err}
	}
	if env == nil {
		env = os.Environ()
	}
	// Only the owner may look into what MkdirTemp makes (mode 0700).
	scratch, err := os.MkdirTemp("", "plimsoll-docker-")
	if err != nil {
		return nil, fmt.Errorf("making a private folder for docker: %w", err)
	}
	d := &docker{path: path, env: slices.Clone(env), scratch: scratch}
	if login != nil {
		config, err := writeConfig(scratch, userConfig(env), *login)
		if err != nil {
			d.close()
			return nil, err
		}
		d.env = append(d.env, "DOCKER_CONFIG="+config)
	}
	return d, nil
}

// close removes the private folder, and the password in it.
func (d *docker) close() { _ = os.RemoveAll(d.scratch) }

// patience is how long docker may take to end after being asked to.
const patience = 5 * time.Second

// run runs docker and hands over what it prints, line by line, both streams
// in the order they were written. A docker that ends by itself is no error,
// whatever its exit code. When ctx is done docker is ended, with everything
// that it started, and the error is the cause of that.
func (d *docker) run(ctx context.Context, line func(string), args ...string) (exit int, err error) {
	cmd := exec.CommandContext(ctx, d.path, args...)
	cmd.Env = d.env
	w := &lineWriter{line: line}
	cmd.Stdout, cmd.Stderr = w, w // one writer: exec then never writes to it twice at a time
	ownGroup(cmd)
	cmd.Cancel = func() error { return endGroup(cmd.Process) }
	cmd.WaitDelay = patience
	err = cmd.Run()
	if cmd.Process != nil && ctx.Err() != nil {
		killGroup(cmd.Process)
	}
	w.flush()
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	if exitErr, ok := errors.AsType[*exec.ExitError](err); ok {
		return exitErr.ExitCode(), nil
	}
	if err != nil {
		return 0, fmt.Errorf("running docker %s: %w", args[0], err)
	}
	return 0, nil
}

// failure recognises what has nothing to do with what docker was asked to do,
// and is fallback for the rest.
func (d *docker) failure(lines []string, fallback error) error {
	for _, line := range lines {
		switch {
		case strings.Contains(line, "Cannot connect to the Docker daemon"),
			strings.Contains(line, "failed to connect to the docker API"), // since docker 28.4
			strings.Contains(line, "error during connect"),
			strings.Contains(line, "permission denied while trying to connect to the"):
			return &EngineError{Host: lookup(d.env, "DOCKER_HOST"), Message: line}
		case strings.Contains(line, "BuildKit is enabled but the buildx component is missing or broken"):
			return &BuildxMissingError{}
		}
	}
	return fallback
}

// lookup is the value of a variable. As for a process, the last one counts.
func lookup(env []string, key string) string {
	for _, variable := range slices.Backward(env) {
		if value, ok := strings.CutPrefix(variable, key+"="); ok {
			return value
		}
	}
	return ""
}

// lineWriter cuts what is written to it into lines.
type lineWriter struct {
	line func(string)
	rest []byte
}

// longest is where a line without an end is cut.
const longest = 64 << 10

// Write implements [io.Writer].
func (w *lineWriter) Write(p []byte) (int, error) {
	w.rest = append(w.rest, p...)
	for {
		end := bytes.IndexAny(w.rest, "\r\n")
		if end < 0 && len(w.rest) < longest {
			return len(p), nil
		}
		if end < 0 {
			w.line(string(w.rest))
			w.rest = nil
			return len(p), nil
		}
		w.line(string(w.rest[:end]))
		w.rest = w.rest[end+1:]
	}
}

// flush hands over what was written after the last line end.
func (w *lineWriter) flush() {
	if len(w.rest) > 0 {
		w.line(string(w.rest))
		w.rest = nil
	}
}
