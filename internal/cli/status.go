package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/term"
)

type statusCommand struct {
	Events int `help:"How many service events to show, at most 10." default:"5" placeholder:"N"`
}

// Run shows what a service runs.
func (c *statusCommand) Run(ctx context.Context, s *session) error {
	_, p, set, err := s.service(ctx)
	if err != nil {
		return err
	}
	state, err := deploy.Status(ctx, p, targetOf(set))
	if err != nil {
		return err
	}
	if s.json() {
		enc := json.NewEncoder(s.sys.Stdout)
		enc.SetEscapeHTML(false)
		return enc.Encode(state)
	}
	return c.show(s, state)
}

func (c *statusCommand) show(s *session, state deploy.State) error {
	out := s.sys.Stdout
	fmt.Fprintf(out, "%s/%s  %s  %s\n", state.Cluster, state.Service, strings.ToLower(state.Status), headline(state))
	if by := deployedBy(state); by != "" {
		fmt.Fprintf(out, "%s\n", by)
	}
	fmt.Fprintln(out)
	t := s.terminal()
	tasks := term.Table{Header: []string{"REVISION", "TAG", "RUNNING", "PENDING", "ROLLOUT"}}
	addGroup := func(g rollout.Group, rollout string) {
		tasks.Rows = append(tasks.Rows, []string{g.TaskDefinition, g.ImageTag, fmt.Sprint(g.Running), fmt.Sprint(g.Pending), rollout})
	}
	addGroup(state.Rollout.New, strings.ToLower(strings.ReplaceAll(state.Rollout.RolloutState, "_", " ")))
	for _, g := range state.Rollout.Old {
		addGroup(g, "draining")
	}
	if err := t.Table(tasks); err != nil {
		return err
	}
	fmt.Fprintln(out)
	images := term.Table{Header: []string{"CONTAINER", "IMAGE", "DIGEST"}}
	for _, i := range state.Images {
		images.Rows = append(images.Rows, []string{i.Container, i.Image, strings.Join(shortDigests(i.Digests), " ")})
	}
	if err := t.Table(images); err != nil {
		return err
	}
	n := min(max(c.Events, 0), len(state.Events))
	if n > 0 {
		fmt.Fprintln(out)
	}
	for _, e := range state.Events[:n] {
		fmt.Fprintf(out, "%s  %s\n", e.Time.Local().Format(time.DateTime), e.Message)
	}
	return nil
}

func headline(state deploy.State) string {
	count := fmt.Sprintf("%d of %d running", state.Running, state.Desired)
	switch {
	case state.StoppedFrom != "":
		return "stopped; start brings back " + state.StoppedFrom
	case state.Rolling:
		return count + ", a rollout is under way"
	}
	return count
}

func deployedBy(state deploy.State) string {
	var parts []string
	for _, part := range [][2]string{{"deployed ", state.DeployedAt}, {"by ", state.Actor}, {"commit ", state.GitSHA}, {"", state.Pipeline}} {
		if part[1] != "" {
			parts = append(parts, part[0]+part[1])
		}
	}
	if len(parts) > 0 && state.Verdict != "" {
		parts = append(parts, "verdict "+cmp.Or(state.Verdict, "unknown"))
	}
	return strings.Join(parts, ", ")
}

// shortDigests keeps enough of each digest to tell it from others.
func shortDigests(digests []string) []string {
	out := make([]string, len(digests))
	for i, d := range digests {
		out[i] = image.ShortDigest(d)
	}
	return out
}
