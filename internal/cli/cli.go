// Package cli is the command line: one file a command, each of which parses,
// calls a use case and prints. [Run] is the way in.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/plimsoll-ecs/plimsoll/internal/awsapi"
	"github.com/plimsoll-ecs/plimsoll/internal/build"
	"github.com/plimsoll-ecs/plimsoll/internal/config"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
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

	Demo demoCommand `cmd:"" help:"Show the whole story on an embedded AWS: releases, a failure caught and undone."`

	Release  releaseCommand  `cmd:"" help:"Build, push and deploy: from a Dockerfile to a stable service." group:"Deploy"`
	Build    buildCommand    `cmd:"" help:"Build the image of a tag." group:"Deploy"`
	Push     pushCommand     `cmd:"" help:"Push the image of a tag to ECR. A tag that exists is never overwritten." group:"Deploy"`
	Deploy   deployCommand   `cmd:"" help:"Put an image that is in ECR onto a service, and wait for the verdict." group:"Deploy"`
	Rollback rollbackCommand `cmd:"" help:"Go back to the last revision that was stable, or to a named one." group:"Deploy"`

	Scale scaleCommand `cmd:"" help:"Change the desired count." group:"On and off"`
	Stop  stopCommand  `cmd:"" help:"Scale to zero and remember the count." group:"On and off"`
	Start startCommand `cmd:"" help:"Bring back the count that stop remembered." group:"On and off"`

	Status statusCommand `cmd:"" help:"Show what a service runs." group:"Look"`
	Wait   waitCommand   `cmd:"" help:"Follow the rollout that is under way to its verdict." group:"Look"`

	Drydock drydockCommand `cmd:"" help:"The embedded AWS: ECS, ECR, registry, logs and STS on one loopback port." group:"Offline"`

	Version versionCommand `cmd:"" help:"Print the version."`
	DemoApp demoAppCommand `cmd:"" hidden:""`
}

// Globals are the flags that every command takes.
type Globals struct {
	Cluster        string `help:"ECS cluster (ECS_CLUSTER)." placeholder:"NAME"`
	Service        string `help:"ECS service (ECS_SERVICE)." placeholder:"NAME"`
	TaskDefinition string `help:"Task definition family (TASK_DEFINITION); the service's own when not given." placeholder:"FAMILY"`
	Container      string `help:"Container whose image changes; needed where a task definition has several." placeholder:"NAME"`
	Registry       string `help:"ECR registry host (ECR_REGISTRY); the account's own when not given." placeholder:"HOST"`
	Repository     string `help:"ECR repository (ECR_REPOSITORY)." placeholder:"NAME"`

	Output  string `help:"How to speak: text, or json (one event object a line on stdout)." enum:"text,json" default:"text"`
	NoColor bool   `help:"No colours (NO_COLOR)."`
	Verbose bool   `short:"v" help:"Log what is called, on stderr."`
}

// Run runs a command and returns the exit code of the process:
//
//	0 done · 1 unexpected error · 2 usage or configuration · 3 refused, nothing
//	was changed · 4 rollout failed, service is back · 5 rollout failed and not
//	back · 6 superseded · 7 timed out, still rolling · 130 interrupted
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
	parser, err := kong.New(&c,
		kong.Name("plimsoll"),
		kong.Description("Deploys container images to Amazon ECS, and proves that what runs can restart."),
		kong.Writers(sys.Stdout, sys.Stderr),
		kong.Exit(func(code int) { panic(exit(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 100}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(s),
		kong.ShortUsageOnError(),
	)
	if err != nil {
		return s.fail(fmt.Errorf("command line: %w", err))
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return s.fail(&usageError{err, "see plimsoll --help"})
	}
	return s.fail(parsed.Run())
}

// session is one run of a command: what all of them need.
type session struct {
	sys     System
	globals *Globals
	term    *term.Terminal
}

// settings are the names that the command is about.
func (s *session) settings() (config.Settings, error) {
	g := s.globals
	return config.Resolve(config.Flags{
		Registry: g.Registry, Repository: g.Repository, Cluster: g.Cluster, Service: g.Service,
		TaskDefinition: g.TaskDefinition, Container: g.Container,
	}, s.sys.Getenv)
}

// json says whether the result is to be JSON.
func (s *session) json() bool { return s.globals.Output == "json" }

func (s *session) terminal() *term.Terminal {
	if s.term == nil {
		s.term = term.New(s.termOptions())
	}
	return s.term
}

func (s *session) termOptions() term.Options {
	o := term.Detect(s.sys.Getenv, s.sys.Stdout, s.sys.Stderr)
	if s.json() {
		o.Mode = term.JSON
	}
	if s.globals.NoColor {
		o.Color, o.OutColor = false, false
	}
	return o
}

// log is where --verbose goes; nowhere without it.
func (s *session) log() *slog.Logger {
	if !s.globals.Verbose {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(s.sys.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// usageError is a command line that cannot be meant.
type usageError struct {
	err  error
	hint string
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// Hint says what to do.
func (e *usageError) Hint() string { return e.hint }

// exitError ends the process with a code and without a word: the story has
// been told.
type exitError struct{ code int }

func (e *exitError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// fail prints an error as people read it, what is wrong and then what to do,
// and returns the exit code.
func (s *session) fail(err error) int {
	if s.term != nil {
		if closing := s.term.Close(); err == nil {
			err = closing
		}
	}
	if err == nil {
		return 0
	}
	if e, ok := errors.AsType[*exitError](err); ok {
		return e.code
	}
	message := strings.TrimRight(err.Error(), "\n")
	fmt.Fprintf(s.sys.Stderr, "plimsoll: %s\n", message)
	if hint := hintOf(err); hint != "" {
		fmt.Fprintf(s.sys.Stderr, "  %s\n", hint)
	}
	return exitCode(err)
}

// hintOf is what to do about an error, where it knows.
func hintOf(err error) string {
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		return hinted.Hint()
	}
	return ""
}

func exitCode(err error) int {
	_, usage := errors.AsType[*usageError](err)
	_, missing := errors.AsType[*config.MissingError](err)
	_, invalid := errors.AsType[*config.InvalidError](err)
	_, setup := errors.AsType[*awsapi.SetupError](err)
	_, refused := errors.AsType[*refusedError](err)
	_, exists := errors.AsType[*build.TagExistsError](err)
	switch {
	case usage, missing, invalid, setup:
		return 2
	case refused, exists:
		return 3
	}
	return deploy.ExitCode(err, story.Verdict{})
}
