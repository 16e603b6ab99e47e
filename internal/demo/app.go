package demo

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// App is the application that the demo releases, as it runs in its container:
// it says what it does, and serves until ctx ends. A broken release says what
// it misses and returns 1, the exit code.
func App(ctx context.Context, out io.Writer, tag string, broken bool) (exitCode int, err error) {
	v := version{tag, broken}
	for _, line := range v.output() {
		fmt.Fprintln(out, line)
	}
	if broken {
		return 1, nil
	}
	listener, err := net.Listen("tcp", ":8080")
	if err != nil {
		return 1, fmt.Errorf("listen: %w", err)
	}
	server := &http.Server{
		ReadHeaderTimeout: time.Minute,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, "this is %s\n", tag)
		}),
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); ctx.Err() == nil {
		return 1, fmt.Errorf("serve: %w", err)
	}
	fmt.Fprintln(out, "stopped")
	return 0, nil
}
