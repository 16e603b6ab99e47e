package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
)

// startup measures drydock from the start of its process to its first answer.
func (b *bench) startup(ctx context.Context) (table, error) {
	opened := func(flags func() []string) func(context.Context) (float64, error) {
		return func(ctx context.Context) (float64, error) {
			y, err := b.open(ctx, drydock.DefaultTimeScale, flags()...)
			if err != nil {
				return 0, err
			}
			return y.took, y.close()
		}
	}
	folders := 0
	list := []contender{
		{"`drydock serve --runtime simulated`", opened(func() []string { return []string{"--runtime", "simulated"} })},
		{"the same with `--data`, a new folder", opened(func() []string {
			folders++
			return []string{"--runtime", "simulated", "--data", filepath.Join(b.work, fmt.Sprint("data", folders))}
		})},
		{"`drydock serve`, which looks for docker", opened(func() []string { return nil })},
	}
	return b.timed(ctx, "drydock from process start to its first answer", list)
}

// help measures the shortest thing the binary can do, beside a process that
// does nothing: the part that is this machine's.
func (b *bench) help(ctx context.Context) (table, error) {
	command := func(name string, args ...string) func(context.Context) (float64, error) {
		return func(ctx context.Context) (float64, error) { return clocked(exec.CommandContext(ctx, name, args...)) }
	}
	return b.timed(ctx, "Wall time of a process", []contender{
		{"`plimsoll --help`", command(b.plimsoll, "--help")},
		{"`true`", command("true")},
	})
}

// timed is the table of contenders that are not set against one another.
func (b *bench) timed(ctx context.Context, title string, list []contender) (table, error) {
	samples, err := interleave(ctx, b.runs, list...)
	if err != nil {
		return table{}, err
	}
	t := table{title: fmt.Sprintf("%s, %d runs", title, b.runs), head: []string{"", "median", "min", "max"}}
	for i, c := range list {
		t.rows = append(t.rows, append([]string{c.name}, samples[i].cells(seconds)...))
	}
	return t, nil
}

// size is that of the binary.
func (b *bench) size(context.Context) (table, error) {
	info, err := os.Stat(b.plimsoll)
	if err != nil {
		return table{}, err
	}
	return table{
		title: "Size of the binary",
		head:  []string{"", "size"},
		rows:  [][]string{{"stripped (`-trimpath -ldflags \"-s -w\"`, no cgo)", megabytes(float64(info.Size()))}},
	}, nil
}
