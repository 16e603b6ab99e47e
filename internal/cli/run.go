package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
	"github.com/plimsoll-ecs/plimsoll/internal/term"
)

type runCommand struct {
	Command  []string      `arg:"" optional:"" passthrough:"partial" help:"What to run, after --; the container's own command when not given."`
	ImageTag string        `help:"Run this image in place of the one that the service runs." placeholder:"TAG"`
	Variable []string      `short:"e" help:"Environment variable KEY=VALUE, or KEY alone for its value here; several times." sep:"none" placeholder:"KEY=VALUE"`
	CPU      string        `name:"cpu" help:"CPU of the task, such as 512 or \"1 vCPU\"." placeholder:"UNITS"`
	Memory   string        `help:"Memory of the task, such as 1024 or \"2 GB\"." placeholder:"MIB"`
	Count    int           `help:"How many tasks." default:"1" placeholder:"1"`
	Detach   bool          `help:"Start it and leave it alone."`
	Timeout  time.Duration `help:"Stop the task after so long (exit 124)." default:"1h" placeholder:"1h"`
	tagFlags
	dotenvFlag
	deployNames
}

// Validate is called by kong.
func (c *runCommand) Validate() error {
	if c.Timeout <= 0 {
		return fmt.Errorf("--timeout=%s: it must be above 0", c.Timeout)
	}
	if c.Count < 1 || c.Count > 10 {
		return fmt.Errorf("--count=%d: it must be between 1 and 10", c.Count)
	}
	return nil
}

// Help goes below the usage.
func (c *runCommand) Help() string {
	return `The task has the network, capacity, platform version and tags of the service.
What it writes to its log is shown as it comes, on stdout. The exit code is that
of the command; 125 when it could not be run, 124 when it took too long, and 130
when Ctrl-C stopped it.

  plimsoll run -- bin/migrate up
  plimsoll run --image-tag v1.2.0 -e DRY_RUN=1 -- bin/migrate status`
}

// Run runs a one-off task.
func (c *runCommand) Run(ctx context.Context, s *session) error {
	h, err := s.harbour(ctx, c.flags())
	if err != nil {
		return err
	}
	r := deploy.RunRequest{
		Target: h.target, Container: h.settings.Container.Value, Policy: c.of(h.settings), Command: c.command(),
		CPU: c.CPU, Memory: c.Memory, Count: c.Count, Detach: c.Detach, Timeout: c.Timeout, Provenance: s.provenance(),
	}
	if c.TaskDefinition != "" { // the variable names the service's own family, of which what runs is meant
		r.Family = h.settings.TaskDefinition.Value
	}
	if r.Environment, err = c.environment(s.sys.Environ); err != nil {
		return err
	}
	if c.ImageTag != "" {
		if r.Image, err = imageOf(ctx, h.ports.AWS, h.settings, c.ImageTag); err != nil {
			return err
		}
	}
	return verdict(deploy.Run(ctx, h.ports, r, s.tellOutput()))
}

// command is what comes after --.
func (c *runCommand) command() []string {
	if len(c.Command) > 0 && c.Command[0] == "--" {
		return c.Command[1:]
	}
	return c.Command
}

// environment reads --variable. Errors say nothing of values.
func (c *runCommand) environment(own []string) ([]deploy.Variable, error) {
	var list []deploy.Variable
	for i, arg := range c.Variable {
		key, value, given := strings.Cut(arg, "=")
		if key == "" {
			return nil, &usageError{fmt.Errorf("--variable number %d has no name", i+1), "give it as KEY=VALUE"}
		}
		if !given {
			found := false
			for _, v := range own {
				if rest, ok := strings.CutPrefix(v, key+"="); ok {
					value, found = rest, true
				}
			}
			if !found {
				return nil, &usageError{fmt.Errorf("--variable %s: there is no such variable here", key), "give it as KEY=VALUE"}
			}
		}
		list = append(list, deploy.Variable{Name: key, Value: value})
	}
	return list, nil
}

// tellOutput shows a command's output as the result: on stdout, and nothing
// but it. The story goes to stderr, its last word too.
func (s *session) tellOutput() story.Teller {
	if s.json() {
		return s.terminal().Tell
	}
	o := s.termOptions()
	if o.Mode == term.Live { // what is redrawn would run into the output
		o.Mode = term.Lines
	}
	s.term = term.New(o)
	return func(e story.Event) {
		s.ci.hear(e)
		if e.Kind == story.Final && e.Verdict != nil {
			e.Kind, e.Step, e.Message = story.End, story.Run, e.Verdict.Summary
			if e.Verdict.ExitCode != 0 {
				e.Kind = story.Failed
			}
			e.Verdict = nil
		}
		s.term.Tell(e)
	}
}
