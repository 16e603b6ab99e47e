// Package cli is the command line: one file a command, each of which parses,
// calls a use case and prints. [Run] is the way in.
package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/alecthomas/kong"

	"github.com/plimsoll-ecs/plimsoll/internal/config"
	"github.com/plimsoll-ecs/plimsoll/internal/term"
)

// System is the process around a command.
type System struct {
	Getenv  func(string) string
	Environ []string
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
}

// OS is the process that runs.
func OS() System {
	return System{Getenv: os.Getenv, Environ: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
}

// commands is the grammar: every command and the flags of all of them.
type commands struct {
	Globals

	Demo demoCommand `cmd:"" help:"Show the whole story on an embedded AWS: releases, a failure caught and undone." group:"Begin here"`

	Release  releaseCommand  `cmd:"" help:"Build, push and deploy: from a Dockerfile to a stable service." group:"Deploy"`
	Build    buildCommand    `cmd:"" help:"Build the image of a tag." group:"Deploy"`
	Push     pushCommand     `cmd:"" help:"Push the image of a tag to ECR. A tag that exists is never overwritten." group:"Deploy"`
	Deploy   deployCommand   `cmd:"" help:"Put an image that is in ECR onto a service, and wait for the verdict." group:"Deploy"`
	Rollback rollbackCommand `cmd:"" help:"Go back to the last revision that was stable, or to a named one." group:"Deploy"`
	RunTask  runCommand      `cmd:"" name:"run" help:"Run a command in a one-off task of the service, and pass on its output and exit code." group:"Deploy"`

	Scale scaleCommand `cmd:"" help:"Change the desired count." group:"On and off"`
	Stop  stopCommand  `cmd:"" help:"Scale to zero and remember the count." group:"On and off"`
	Start startCommand `cmd:"" help:"Bring back the count that stop remembered." group:"On and off"`

	Status  statusCommand  `cmd:"" help:"Show what a service runs." group:"Look"`
	History historyCommand `cmd:"" help:"Show the rollouts of a service: when, which version, by whom, how it ended." group:"Look"`
	Check   checkCommand   `cmd:"" help:"Look whether a deploy could go well: all checks, nothing changed." group:"Look"`
	Diff    diffCommand    `cmd:"" help:"Show how revisions of a task definition differ, or what a deploy would change." group:"Look"`
	Wait    waitCommand    `cmd:"" help:"Follow the rollout that is under way to its verdict." group:"Look"`

	Diagnose diagnoseCommand `cmd:"" help:"Find out what is wrong with a service: cause, evidence, what to do." group:"Look"`

	Audit   auditCommand   `cmd:"" help:"Find out what of all that runs could not restart: now, or within the horizon." group:"Restart safety"`
	Explain explainCommand `cmd:"" help:"Say what a finding of the audit means, and what to do about it." group:"Restart safety"`

	Dashboard dashboardCommand `cmd:"" help:"Show the fleet in the browser: restart safety, services, load lines, maintenance." group:"Restart safety"`

	Lifecycle lifecycleCommand `cmd:"" help:"ECR lifecycle policies: what they take, what is wrong with them, and which one is safe." group:"Restart safety"`

	Maintenance maintenanceCommand `cmd:"" help:"Tasks that AWS is going to retire: see it coming, replace them ahead of time." group:"Restart safety"`

	Pin    pinCommand    `cmd:"" help:"Keep in ECR what services restart from, and what they could go back to." group:"Restart safety"`
	Unpin  unpinCommand  `cmd:"" help:"Release the pins of a service." group:"Restart safety"`
	Rescue rescueCommand `cmd:"" help:"Bring back images that a restart needs: from the archive, or from where the same bytes are." group:"Restart safety"`

	Config configCommand `cmd:"" name:"config" help:"plimsoll.yaml, and where every setting comes from." group:"Set up"`
	Init   initCommand   `cmd:"" help:"Write what a project needs." group:"Set up"`

	Drydock drydockCommand `cmd:"" help:"The embedded AWS: ECS, ECR, registry, logs and STS on one loopback port." group:"Offline"`

	Completion completionCommand `cmd:"" help:"Print the script that completes plimsoll in a shell." group:"This program"`
	Version    versionCommand    `cmd:"" help:"Print the version, and the commit it was built from." group:"This program"`

	Configured configuredCommand `cmd:"" hidden:"" help:"Print the names that plimsoll.yaml has, for shell completion."`
	Man        manCommand        `cmd:"" hidden:"" help:"Write the man pages of all commands into a directory."`
	DemoApp    demoAppCommand    `cmd:"" hidden:""`
}

// Help goes below all commands.
func (commands) Help() string {
	return `Names come from flags, then plimsoll.yaml, then the variables that pipelines
already have: ECR_REGISTRY, ECR_REPOSITORY, ECS_CLUSTER, ECS_SERVICE,
TASK_DEFINITION, AWS_REGION or AWS_DEFAULT_REGION. Credentials are those of the
AWS SDK. The exit code says what became of it:

  0    done
  1    unexpected error
  2    usage or configuration
  3    refused by a check, nothing was changed
  4    the rollout failed, the service is back on its last good revision
  5    the rollout failed and the service is not back: a person is needed
  6    superseded by another deployment
  7    timed out, still rolling
  8    a finding, an image that is not safe, or a difference was found
  130  interrupted, the rollout goes on`
}

// Globals are the flags that every command takes.
type Globals struct {
	Output  string `help:"How to speak: text, json (one object a line on stdout), or plain (sentences alone, for screen readers)." enum:"text,json,plain" default:"text" placeholder:"text"`
	NoColor bool   `help:"No colours (NO_COLOR)."`
	Config  string `help:"The plimsoll.yaml to use (PLIMSOLL_CONFIG); the nearest one up to the root of the repository when not given." placeholder:"FILE"`
	Env     string `help:"Environment of plimsoll.yaml (PLIMSOLL_ENV)." placeholder:"NAME" complete:"environments"`
	Verbose bool   `short:"v" help:"Log every call to AWS on stderr."`
	CI      string `name:"ci" help:"Speak as this CI system's log and pages want it: auto, gitlab, github or none (PLIMSOLL_CI)." enum:"auto,gitlab,github,none," default:"" placeholder:"auto"`
}

// Run runs a command and returns the exit code of the process:
//
//	0 done · 1 unexpected error · 2 usage or configuration · 3 refused, nothing
//	was changed · 4 rollout failed, service is back · 5 rollout failed and not
//	back · 6 superseded · 7 timed out, still rolling · 8 a difference or a fault
//	was found, where that was asked for · 130 interrupted; of run, that of
//	its command
func Run(ctx context.Context, args []string, sys System) (code int) {
	// Kong ends the process by itself after --help; the panic takes that out
	// of its hands without running the command.
	type exit int
	defer func() {
		switch r := recover().(type) {
		case nil:
		case exit:
			code = int(r)
		default:
			panic(r)
		}
	}()

	var c commands
	s := &session{sys: sys, globals: &c.Globals}
	parser, err := newParser(&c, s,
		kong.Exit(func(code int) { panic(exit(code)) }),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	if err != nil {
		return s.fail(fmt.Errorf("command line: %w", err))
	}
	parsed, err := parser.Parse(meant(args))
	if err != nil {
		if asksForJSON(args) {
			c.Output = "json"
		}
		return s.fail(&usageError{err, "see " + helpFor(err)})
	}
	if err = s.beginCI(parsed); err == nil {
		err = checkEmpty(parsed)
	}
	if err == nil {
		err = parsed.Run()
	}
	return s.endCI(err)
}

// newParser is what reads a command line, and knows all there is to say about it.
func newParser(c *commands, s *session, more ...kong.Option) (*kong.Kong, error) {
	parser, err := kong.New(c, append(more,
		kong.Name("plimsoll"),
		kong.Description("Deploys container images to Amazon ECS, and proves that what runs can restart."),
		kong.Writers(s.sys.Stdout, s.sys.Stderr),
		kong.Help(s.help),
		kong.Bind(s),
	)...)
	if err != nil {
		return nil, err
	}
	parser.Model.HelpFlag.Help = "Show what a command does, and its flags."
	return parser, nil
}

// helpFor is the help of the command that could not be parsed.
func helpFor(err error) string {
	parse, ok := errors.AsType[*kong.ParseError](err)
	if !ok || parse.Context == nil || parse.Context.Selected() == nil {
		return "plimsoll --help"
	}
	return parse.Context.Selected().FullPath() + " --help"
}

// session is one run of a command: what all of them need.
type session struct {
	sys     System
	globals *Globals
	term    *term.Terminal
	file    *config.File  // once it was read; nil where there is none
	ci      *ciJob        // once the command line was read
	lines   *bufio.Reader // stdin, once a question was asked
}

// json says whether the result is to be JSON.
func (s *session) json() bool { return s.globals.Output == "json" }

// plain says whether the result is for ears.
func (s *session) plain() bool { return s.globals.Output == "plain" }

func (s *session) terminal() *term.Terminal {
	if s.term == nil {
		s.term = term.New(s.termOptions())
	}
	return s.term
}

// briefTerminal is the terminal for several services.
func (s *session) briefTerminal() *term.Terminal {
	if s.term == nil {
		o := s.termOptions()
		o.Brief = true
		s.term = term.New(o)
	}
	return s.term
}

func (s *session) termOptions() term.Options {
	o := term.Detect(s.sys.Getenv, s.sys.Stdout, s.sys.Stderr)
	switch s.globals.Output {
	case "json":
		o.Mode = term.JSON
	case "plain":
		o.Mode = term.Plain
		o.OutWidth = nil // the terminal wraps
	}
	if s.globals.NoColor || o.Mode == term.Plain {
		o.Color, o.OutColor = false, false
	}
	s.ci.shape(&o)
	if s.globals.Verbose && o.Mode == term.Live { // log lines would run into what is redrawn
		o.Mode = term.Lines
	}
	return o
}

// looked says whether the result goes before eyes: to a terminal, and not in
// words alone.
func (s *session) looked() bool {
	o := s.termOptions()
	return o.OutWidth != nil && o.Mode != term.Plain && o.Mode != term.JSON
}

// sentence writes a sentence to stdout, in lines where that is a terminal.
func (s *session) sentence(head, text string, indent int) {
	width := 0
	if columns := s.termOptions().OutWidth; columns != nil {
		width = columns()
	}
	fmt.Fprintln(s.sys.Stdout, term.Hang(head, text, indent, width))
}

// log is where --verbose goes; nil without it.
func (s *session) log() *slog.Logger {
	if !s.globals.Verbose {
		return nil
	}
	return slog.New(slog.NewTextHandler(s.sys.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}
