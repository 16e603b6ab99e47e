package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/term"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
)

type drydockExec struct {
	drydockFlags
	Command []string `arg:"" passthrough:"" help:"Command and its arguments, after --." placeholder:"CMD"`
}

// Help goes below the usage.
func (c *drydockExec) Help() string {
	return `Everything is gone when the command ends, unless --data keeps it.

  plimsoll drydock exec -- bash          a shell with an AWS of its own
  plimsoll drydock exec -- aws ecs list-clusters
  plimsoll drydock exec --runtime simulated -- sh pipeline.sh`
}

// Run starts a drydock on a free port, runs the command, and ends both.
func (c *drydockExec) Run(ctx context.Context, s *session) error {
	command := c.Command
	if len(command) > 0 && command[0] == "--" {
		command = command[1:]
	}
	if len(command) == 0 {
		return &usageError{errors.New("drydock exec: no command"), "for example: plimsoll drydock exec -- aws ecs list-clusters"}
	}
	o, err := c.options(s, "127.0.0.1:0")
	if err != nil {
		return err
	}
	if _, err := exec.LookPath(command[0]); err != nil {
		return &usageError{fmt.Errorf("drydock exec: %w", err), ""}
	}
	d, err := drydock.Start(ctx, o)
	if err != nil {
		return fmt.Errorf("start drydock: %w", err)
	}
	err = runChild(ctx, s, command, d.Environ(s.sys.Environ))
	return errors.Join(err, d.Close())
}

// runChild runs a command on this process's own streams. Signals are the
// command's affair: drydock stays up as long as it lives, so that an interrupt
// in an interactive shell ends what runs in it and not the shell's AWS. On a
// terminal the command gets an interrupt from there, with everything else in
// the foreground; elsewhere it is passed on, once.
func runChild(ctx context.Context, s *session, command, environ []string) error {
	child := exec.Command(command[0], command[1:]...)
	child.Stdin, child.Stdout, child.Stderr = s.sys.Stdin, s.sys.Stdout, s.sys.Stderr
	child.Env = environ
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	if err := child.Start(); err != nil {
		return fmt.Errorf("run %s: %w", command[0], err)
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	for {
		select {
		case received := <-signals:
			if received != os.Interrupt || !isTerminal(s.sys.Stdin) {
				_ = child.Process.Signal(received) // it may have ended meanwhile
			}
		case err := <-ended:
			return childError(ctx, command[0], err)
		}
	}
}

func childError(ctx context.Context, name string, err error) error {
	var exited *exec.ExitError
	switch {
	case errors.As(err, &exited) && exited.ExitCode() >= 0:
		return &exitError{exited.ExitCode()}
	case err != nil && ctx.Err() != nil:
		return &exitError{130}
	case exited != nil:
		return fmt.Errorf("%s: %s", name, exited)
	case err != nil:
		return fmt.Errorf("run %s: %w", name, err)
	}
	return nil
}

func isTerminal(in io.Reader) bool {
	f, ok := in.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
