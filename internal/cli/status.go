package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/config"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/term"
)

type statusCommand struct {
	Events int `help:"How many service events to show, at most 10." default:"5" placeholder:"5"`
	servicesNames
}

// Help goes below the usage.
func (c *statusCommand) Help() string {
	return `Counts, revisions, the image of each container with the digest that runs, and
the last events.

  plimsoll status
  plimsoll status --all --env stage`
}

// Run shows what a service runs.
func (c *statusCommand) Run(ctx context.Context, s *session) error {
	harbours, err := s.harbours(ctx, c.servicesNames, config.Flags{})
	if err != nil {
		return err
	}
	if len(harbours) > 1 {
		return s.states(ctx, harbours)
	}
	h := harbours[0]
	state, err := deploy.Status(ctx, h.ports, h.target)
	if err != nil {
		return err
	}
	if s.json() {
		s.object(state)
		return nil
	}
	return c.show(s, state)
}

func (c *statusCommand) show(s *session, state deploy.State) error {
	out := s.sys.Stdout
	t := s.terminal()
	head := fmt.Sprintf("%s/%s  %s  %s", state.Cluster, state.Service, strings.ToLower(state.Status), headline(state))
	if err := t.Line(stateTone(stateWord(state)), head); err != nil {
		return err
	}
	if by := deployedBy(state); by != "" {
		s.sentence("", by, 0)
	}
	if state.Failed != "" {
		s.sentence("", "the last rollout failed: "+state.Failed, 0)
	}
	if c := state.LastCount; c != nil {
		s.sentence("", counted(*c), 0)
	}
	if hold := state.Rollout.Hold; hold != nil {
		s.sentence("", hold.String(), 0)
		for _, action := range []string{"CONTINUE", "ROLLBACK"} {
			fmt.Fprintf(out, "  %s\n", deploy.Answer(*hold, action))
		}
	}
	fmt.Fprintln(out)
	table := revisions(state.Rollout)
	if s.looked() {
		addCells(&table, state.Rollout)
	}
	if err := t.Table(toned(table, "ROLLOUT", rolloutTone)); err != nil {
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
		s.sentence(e.Time.Local().Format(time.DateTime)+"  ", rollout.ShortEvent(e.Message), len(time.DateTime)+2)
	}
	return nil
}

// revisions is a table of the revisions that a service has deployments of.
func revisions(view rollout.View) term.Table {
	table := term.Table{Header: []string{"REVISION", "TAG", "RUNNING", "PENDING", "FAILED", "ROLLOUT"}}
	add := func(g rollout.Group, failed, state string) {
		table.Rows = append(table.Rows, []string{g.TaskDefinition, g.ImageTag, fmt.Sprint(g.Running), fmt.Sprint(g.Pending), failed, state})
	}
	add(view.New, fmt.Sprint(view.FailedTasks), strings.ToLower(strings.ReplaceAll(view.RolloutState, "_", " ")))
	for _, g := range view.Old {
		add(g, "", "old")
	}
	return table
}

// addCells puts the tasks, a cell each, into the table of revisions.
func addCells(table *term.Table, view rollout.View) {
	table.Header = slices.Insert(table.Header, 2, "TASKS")
	for i := range table.Rows {
		cells := term.Cells(view.New, false)
		if i > 0 {
			cells = term.Cells(view.Old[i-1], true)
		}
		table.Rows[i] = slices.Insert(table.Rows[i], 2, cells)
	}
}

func headline(state deploy.State) string {
	count := fmt.Sprintf("%d of %d running", state.Running, state.Desired)
	switch {
	case state.StoppedFrom != "":
		return "stopped; start brings back " + state.StoppedFrom
	case state.Rolling && state.Rollout.Stage != "":
		return count + ", a rollout is under way: " + state.Rollout.Stage
	case state.Rolling:
		return count + ", a rollout is under way"
	}
	return count
}

func deployedBy(state deploy.State) string {
	var parts []string
	at, err := time.Parse(time.RFC3339, state.DeployedAt)
	if err == nil {
		parts = append(parts, "deployed "+at.Local().Format(time.DateTime))
	}
	for _, part := range [][2]string{{"by ", state.Actor}, {"commit ", state.GitSHA}, {"", state.Pipeline}} {
		if part[1] != "" {
			parts = append(parts, part[0]+part[1])
		}
	}
	if state.Verdict != "" && state.Verdict != "pending" {
		parts = append(parts, "verdict "+state.Verdict)
	}
	return strings.Join(parts, ", ")
}

// counted says who changed the count, and when.
func counted(c deploy.Past) string {
	parts := []string{c.Count.String(), c.At.Local().Format(time.DateTime)}
	if c.Actor != "" {
		parts = append(parts, "by "+c.Actor)
	}
	if c.Pipeline != "" {
		parts = append(parts, c.Pipeline)
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
