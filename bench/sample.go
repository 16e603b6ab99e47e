package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// contender is one way to do a thing. once does it once, prepares and checks
// outside of the measurement, and says how much it came to.
type contender struct {
	name string
	once func(context.Context) (float64, error)
}

// sample is what the counted runs of one contender came to, in order.
type sample []float64

// interleave runs every contender once a round, so that whatever disturbs the
// machine disturbs all of them, and lets another one begin each round. The
// first round warms caches up and is not counted.
func interleave(ctx context.Context, rounds int, list ...contender) ([]sample, error) {
	samples := make([]sample, len(list))
	for round := range rounds + 1 {
		for i := range list {
			n := (i + round) % len(list)
			figure, err := list[n].once(ctx)
			if err != nil {
				return nil, fmt.Errorf("%s, round %d: %w", list[n].name, round, err)
			}
			if round > 0 {
				samples[n] = append(samples[n], figure)
			}
		}
	}
	return samples, nil
}

func (s sample) median() float64 {
	sorted := slices.Sorted(slices.Values(s))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

// over divides this sample by another, round by round.
func (s sample) over(other sample) sample {
	out := make(sample, len(s))
	for i := range s {
		out[i] = s[i] / other[i]
	}
	return out
}

// cells are median, min and max as a table has them.
func (s sample) cells(format func(float64) string) []string {
	return []string{format(s.median()), format(slices.Min(s)), format(slices.Max(s))}
}

func seconds(s float64) string {
	switch {
	case s < 0.1:
		return fmt.Sprintf("%.1f ms", s*1000)
	case s < 1:
		return fmt.Sprintf("%.0f ms", s*1000)
	case s < 10:
		return fmt.Sprintf("%.2f s", s)
	}
	return fmt.Sprintf("%.1f s", s)
}

func times(n float64) string     { return fmt.Sprintf("%.1f×", n) }
func megabytes(n float64) string { return fmt.Sprintf("%.1f MB", n/1e6) }
func number(n float64) string    { return fmt.Sprintf("%.2g", n) }

// table is one part's answer.
type table struct {
	title string
	head  []string
	rows  [][]string
}

func (t table) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n### %s\n\n| %s |\n|%s\n", t.title, strings.Join(t.head, " | "), strings.Repeat("---|", len(t.head)))
	for _, row := range t.rows {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
	}
	return b.String()
}

// clocked is the time from before a process is started until it has ended
// well. What it prints goes where a pipeline's output goes: to a pipe.
func clocked(cmd *exec.Cmd) (float64, error) {
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	start := time.Now()
	err := cmd.Run()
	took := time.Since(start).Seconds()
	if err != nil {
		return 0, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, said.String())
	}
	return took, nil
}
