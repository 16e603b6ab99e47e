package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"text/tabwriter"
)

type drydockState struct{ runningDrydock }

// Help goes below the usage.
func (c *drydockState) Help() string {
	return `Without --output json it counts. The JSON has clusters, task definitions,
services, their deployments and revisions, tasks, repositories with images, log
groups and Health events as AWS's own API answers, always in the same order:

  plimsoll drydock state --output json > before.json
  plimsoll drydock advance 14d
  plimsoll drydock state --output json | diff before.json -`
}

// Run shows the state of a running drydock.
func (c *drydockState) Run(ctx context.Context, s *session) error {
	answer, err := c.open(ctx, s, http.MethodGet, "state", nil)
	if err != nil {
		return err
	}
	defer answer.Close()
	if s.json() {
		if _, err := io.Copy(s.sys.Stdout, answer); err != nil {
			return fmt.Errorf("state of drydock: %w", err)
		}
		return nil
	}
	return countState(s.sys.Stdout, answer)
}

// countState writes how many of everything a state has, in its own order.
func countState(to io.Writer, from io.Reader) error {
	d := json.NewDecoder(from)
	if _, err := d.Token(); err != nil {
		return fmt.Errorf("what answered is no drydock: %w", err)
	}
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return fmt.Errorf("what answered is no drydock: %w", err)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return fmt.Errorf("what answered is no drydock: %w", err)
		}
		var list []json.RawMessage
		if json.Unmarshal(value, &list) == nil {
			fmt.Fprintf(table, "%d\t  %v\n", len(list), name)
		}
	}
	return table.Flush()
}
