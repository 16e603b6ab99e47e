package cli

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
)

type drydockRequests struct {
	runningDrydock
	Last    int  `help:"Show so many at most." default:"50" placeholder:"N"`
	Errors  bool `help:"Show only those that were refused or got no answer."`
	Actions bool `help:"Show the IAM actions that were used, each once: what a policy has to allow."`
}

// Help goes below the usage.
func (c *drydockRequests) Help() string {
	return `The last 10,000 requests are kept, oldest first. With --errors and --actions
all of them are looked at.

  plimsoll drydock requests --errors
  plimsoll drydock exec -- \
      sh -c 'sh pipeline.sh; plimsoll drydock requests --actions'`
}

// Run shows what a running drydock was asked.
func (c *drydockRequests) Run(ctx context.Context, s *session) error {
	if c.Last < 1 {
		return &usageError{fmt.Errorf("--last=%d: it must be above 0", c.Last), ""}
	}
	path := "requests"
	if !c.Errors && !c.Actions {
		path += "?limit=" + strconv.Itoa(c.Last)
	}
	var answer drydock.Requests
	if err := c.call(ctx, s, http.MethodGet, path, nil, &answer); err != nil {
		return err
	}
	requests := answer.Requests
	if c.Errors {
		requests = slices.DeleteFunc(requests, func(r drydock.Request) bool { return r.Status > 0 && r.Status < http.StatusBadRequest })
	}
	if c.Actions {
		return printActions(s, requests)
	}
	return printRequests(s, requests[max(0, len(requests)-c.Last):])
}

func printRequests(s *session, requests []drydock.Request) error {
	if s.json() {
		for _, r := range requests {
			s.object(r)
		}
		return nil
	}
	table := tabwriter.NewWriter(s.sys.Stdout, 0, 0, 2, ' ', 0)
	for _, r := range requests {
		status := strconv.Itoa(r.Status)
		if r.Status == 0 {
			status = "-"
		}
		fmt.Fprintf(table, "%s\t%s:%s\t%s\t%s\t%s\t%.1f ms\n", r.Time.Format(time.TimeOnly), cmp.Or(r.Service, "?"), cmp.Or(r.Operation, "?"),
			cmp.Or(r.AccessKey, "-"), status, cmp.Or(r.Error, "-"), r.Millis)
	}
	return table.Flush()
}

func printActions(s *session, requests []drydock.Request) error {
	actions := []string{}
	for _, r := range requests {
		if r.Action != "" {
			actions = append(actions, r.Action)
		}
		actions = append(actions, r.Needs...)
	}
	slices.Sort(actions)
	actions = slices.Compact(actions)
	if s.json() {
		s.object(map[string][]string{"actions": actions})
		return nil
	}
	for _, action := range actions {
		if _, err := fmt.Fprintln(s.sys.Stdout, action); err != nil {
			return err
		}
	}
	return nil
}
