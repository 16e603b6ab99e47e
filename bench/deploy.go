package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"slices"
	"strings"
	"time"
)

//go:embed article.sh
var article string

// form is one way to deploy: as plimsoll has it, and as the script has it.
type form struct {
	name   string // of the script's form
	script string // its argument
	flags  []string
}

func waiting() form { return form{"aws + jq + wait services-stable", "wait", nil} }

func leaving() form { return form{"aws + jq", "leave", []string{"--no-wait"}} }

// deploy compares deploys to a service that is stable almost at once.
func (b *bench) deploy(ctx context.Context) (table, error) {
	t, err := b.compare(ctx, b.scale, leaving(), waiting())
	t.title = fmt.Sprintf("A deploy, drydock at time scale %v, %d pairs", b.scale, b.runs)
	return t, err
}

// pace compares waiting deploys that take as long as AWS makes them.
func (b *bench) pace(ctx context.Context) (table, error) {
	t, err := b.compare(ctx, 1, waiting())
	t.title = fmt.Sprintf("A deploy at AWS's own pace, %d pairs", b.runs)
	return t, err
}

// compare deploys with plimsoll and with the article's script in turn, onto
// one service of one drydock.
func (b *bench) compare(ctx context.Context, scale float64, forms ...form) (t table, err error) {
	y, err := b.open(ctx, scale, "--runtime", "simulated")
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, y.close()) }()
	if err := y.plant(ctx); err != nil {
		return t, err
	}
	t.head = []string{"", "median", "min", "max"}
	for _, f := range forms {
		ours := append([]string{"deploy"}, f.flags...)
		list := []contender{
			{"`plimsoll " + strings.Join(ours, " ") + "`", y.deploys(func(ctx context.Context, tag string) *exec.Cmd {
				return y.plimsoll(ctx, append(slices.Clip(ours), "--image-tag", tag)...)
			})},
			{"`" + f.name + "`", y.deploys(func(ctx context.Context, tag string) *exec.Cmd {
				return y.article(ctx, tag, f.script)
			})},
		}
		samples, err := interleave(ctx, b.runs, list...)
		if err != nil {
			return t, err
		}
		for i, c := range list {
			t.rows = append(t.rows, append([]string{c.name}, samples[i].cells(seconds)...))
		}
		t.rows = append(t.rows, append([]string{"times faster, pair by pair"}, samples[1].over(samples[0]).cells(times)...))
	}
	return t, nil
}

// plant makes the service with one task that all deploys go to.
func (y *yard) plant(ctx context.Context) error {
	if _, err := clocked(y.plimsoll(ctx, "drydock", "seed")); err != nil {
		return err
	}
	tag, err := y.push(ctx, nil)
	if err != nil {
		return err
	}
	if _, err := clocked(y.plimsoll(ctx, "deploy", "--image-tag", tag, "--desired-count", "1")); err != nil {
		return err
	}
	return y.runs(ctx, tag)
}

// deploys measures a command that deploys a tag: with a new image every time,
// onto the service at rest, which must then come to run it.
//
// A service comes to rest on a tick of the scheduler, which acts every ten
// seconds. Deploys that began right then would all begin at the same moment
// of the tick and end at the same moment of a waiter's interval; so each is
// put off by a part of a tick, the same part for all contenders of a round.
func (y *yard) deploys(command func(context.Context, string) *exec.Cmd) func(context.Context) (float64, error) {
	const tick, spread = 10 * time.Second, 0.618 // multiples of the golden ratio lie evenly in a tick
	round := 0
	return func(ctx context.Context) (float64, error) {
		tag, err := y.push(ctx, nil)
		if err != nil {
			return 0, err
		}
		if err := y.steady(ctx, service); err != nil {
			return 0, err
		}
		round++
		_, part := math.Modf(float64(round) * spread)
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(time.Duration(float64(tick) * part / y.scale)):
		}
		took, err := clocked(command(ctx, tag))
		if err != nil {
			return 0, err
		}
		return took, y.runs(ctx, tag)
	}
}

// article is the script that plimsoll is compared with.
func (y *yard) article(ctx context.Context, tag, form string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "bash", "-c", article, "article.sh", form)
	cmd.Env = y.environ("CI_COMMIT_TAG=" + tag)
	cmd.Dir = y.bench.work
	return cmd
}
