package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/term"
)

// lookParallel is how many services are read at once; the call budget is what
// sets the pace.
const lookParallel = 8

// readAll reads something of every service, in their order. One that cannot be
// read does not hide the others: its error is told, and is the exit code.
func readAll[T any](ctx context.Context, harbours []*harbour, read func(context.Context, *harbour) (T, error)) ([]T, []error) {
	values, errs := make([]T, len(harbours)), make([]error, len(harbours))
	var group errgroup.Group
	group.SetLimit(lookParallel)
	for i, h := range harbours {
		group.Go(func() error {
			values[i], errs[i] = read(ctx, h)
			return nil
		})
	}
	_ = group.Wait() // the errors are in the list
	return values, errs
}

// states shows what several services run, a row each.
func (s *session) states(ctx context.Context, harbours []*harbour) error {
	states, errs := readAll(ctx, harbours, func(ctx context.Context, h *harbour) (deploy.State, error) {
		return deploy.Status(ctx, h.ports, h.target)
	})
	table := term.Table{Header: []string{"SERVICE", "REVISION", "VERSION", "DESIRED", "RUNNING", "STATE"}}
	for i, state := range states {
		switch {
		case errs[i] != nil:
			table.Rows = append(table.Rows, []string{harbours[i].target.Service, "", "", "", "", "cannot be read"})
		case s.json():
			s.object(state)
		default:
			table.Rows = append(table.Rows, []string{
				state.Service, state.TaskDefinition, state.Rollout.New.ImageTag, fmt.Sprint(state.Desired), fmt.Sprint(state.Running), stateWord(state),
			})
		}
	}
	if !s.json() {
		if err := s.terminal().Table(toned(table, "STATE", stateTone)); err != nil {
			return err
		}
	}
	return s.unread(harbours, errs)
}

// stateWord is what there is to say of a service in a word or two.
func stateWord(state deploy.State) string {
	switch {
	case state.Status != "ACTIVE":
		return strings.ToLower(state.Status)
	case state.StoppedFrom != "":
		return "stopped"
	case state.Desired == 0 && state.Running == 0:
		return "off"
	case state.Failed != "":
		return "last rollout failed"
	case state.Rolling:
		return "rolling"
	case state.Running < state.Desired:
		return "short of tasks"
	}
	return "steady"
}

// many shows the rollouts of several services together, the newest first.
func (c *historyCommand) many(ctx context.Context, s *session, harbours []*harbour) error {
	type past struct {
		Service string `json:"service"`
		deploy.Past
	}
	lists, errs := readAll(ctx, harbours, func(ctx context.Context, h *harbour) ([]deploy.Past, error) {
		return deploy.History(ctx, h.ports, h.target, h.settings.Container.Value, c.Limit)
	})
	var all []past
	for i, list := range lists {
		for _, p := range list {
			all = append(all, past{harbours[i].target.Service, p})
		}
	}
	slices.SortStableFunc(all, func(a, b past) int { return b.At.Compare(a.At) })
	all = all[:min(len(all), c.Limit)]
	pasts := make([]deploy.Past, len(all))
	for i, p := range all {
		pasts[i] = p.Past
		if s.json() {
			s.object(p)
		}
	}
	if s.json() {
		return s.unread(harbours, errs)
	}
	table, title, show := historyTable(pasts), "SERVICE", s.terminal().Table
	if c.Long {
		table, title, show = historyLong(pasts), "service", s.terminal().Paragraphs
	}
	table.Header = slices.Insert(table.Header, 1, title)
	for i := range table.Rows {
		table.Rows[i] = slices.Insert(table.Rows[i], 1, all[i].Service)
	}
	if !c.Long {
		table = toned(table, "ENDED", endTone)
	}
	if err := show(table); err != nil {
		return err
	}
	return s.unread(harbours, errs)
}

// unread tells of the services that could not be read.
func (s *session) unread(harbours []*harbour, errs []error) error {
	var first error
	others := 0
	for i, err := range errs {
		switch {
		case err == nil:
		case first == nil:
			first = fmt.Errorf("%s: %w", harbours[i].target, err)
		default:
			others++
		}
	}
	if others > 0 {
		return fmt.Errorf("%w\nand %d more services cannot be read", first, others)
	}
	return first
}
