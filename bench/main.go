// Bench measures plimsoll beside what it replaces, on drydock, and prints
// Markdown tables; docs/benchmarks.md explains them and keeps the figures.
//
//	go run ./bench                          # what needs nothing of others
//	go run ./bench -part deploy -runs 30
//	go run ./bench -part pace -runs 5       # at AWS's own pace: minutes a run
//	go run ./bench -part verdict,failing -runs 5
//	go run ./bench -part reads,pushes       # beside moto and docker-registry
//	go run ./bench -part audit              # of a large account: minutes
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

// part is one set of measurements that can be asked for by name.
type part struct {
	name    string
	measure func(*bench, context.Context) (table, error)
	asked   bool // only when asked for: it is slow or needs servers of others
}

func parts() []part {
	return []part{
		{"deploy", (*bench).deploy, false},
		{"pace", (*bench).pace, true},
		{"verdict", (*bench).verdict, true},
		{"failing", (*bench).failing, true},
		{"startup", (*bench).startup, false},
		{"help", (*bench).help, false},
		{"size", (*bench).size, false},
		{"memory", (*bench).memory, false},
		{"scheduler", (*bench).scheduler, false},
		{"month", (*bench).month, false},
		{"reads", (*bench).reads, true},
		{"pushes", (*bench).pushes, true},
		{"audit", (*bench).audit, true},
	}
}

// bench is what every measurement shares.
type bench struct {
	plimsoll string  // the binary under test
	aws      string  // folder of the aws command; "" is whatever PATH has
	work     string  // folder for everything that is written
	runs     int     // counted runs; one more comes first and is not
	scale    float64 // drydock's time scale for deploys
	services int     // of the fleet
	moto     string  // moto's server
	registry string  // docker-registry
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	var b bench
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.IntVar(&b.runs, "runs", 20, "counted runs of each contender")
	flags.Float64Var(&b.scale, "time-scale", 10000, "drydock's time scale under part deploy")
	flags.IntVar(&b.services, "services", 1000, "services of the fleet in parts memory and scheduler")
	aws := flags.String("aws", "", "the aws command, when the one on PATH is a version manager's shim")
	flags.StringVar(&b.moto, "moto", "moto_server", "moto's server, for part reads")
	flags.StringVar(&b.registry, "registry", "docker-registry", "distribution's registry, for part pushes")
	binary := flags.String("plimsoll", "", "binary to measure; otherwise it is built from this checkout, stripped")
	chosen := flags.String("part", "", "what to measure, separated by commas: "+names(parts())+" (all but pace, verdict, failing, reads, pushes and audit)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if b.runs < 1 || b.services < 1 || b.scale <= 0 || flags.NArg() > 0 {
		return errors.New("-runs, -services and -time-scale must be above zero, and there are no arguments")
	}
	wanted, err := choose(parts(), *chosen)
	if err != nil {
		return err
	}
	if *aws != "" {
		if b.aws, err = filepath.Abs(filepath.Dir(*aws)); err != nil {
			return err
		}
	}
	if b.work, err = os.MkdirTemp("", "plimsoll-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.work)) }()
	if b.plimsoll, err = b.binary(ctx, *binary); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s/%s, %d cores, %s\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	for _, p := range wanted {
		t, err := p.measure(&b, ctx)
		if err != nil {
			return fmt.Errorf("part %s: %w", p.name, err)
		}
		if _, err := io.WriteString(out, t.markdown()); err != nil {
			return err
		}
	}
	return nil
}

func names(list []part) string {
	var out []string
	for _, p := range list {
		out = append(out, p.name)
	}
	return strings.Join(out, ", ")
}

func choose(list []part, chosen string) ([]part, error) {
	if chosen == "" {
		return slices.DeleteFunc(list, func(p part) bool { return p.asked }), nil
	}
	var out []part
	for name := range strings.SplitSeq(chosen, ",") {
		i := slices.IndexFunc(list, func(p part) bool { return p.name == name })
		if i < 0 {
			return nil, fmt.Errorf("-part %s: want some of %s", name, names(list))
		}
		out = append(out, list[i])
	}
	return out, nil
}

// binary is the one that is given, or this checkout's, built as a release is.
func (b *bench) binary(ctx context.Context, given string) (string, error) {
	if given != "" {
		return filepath.Abs(given)
	}
	out := filepath.Join(b.work, "plimsoll")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, "github.com/plimsoll-ecs/plimsoll")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build plimsoll: %w\n%s", err, text)
	}
	return out, nil
}
