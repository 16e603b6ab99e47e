package cli

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/config"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/health"
)

type drydockRetire struct {
	serviceNames
	In string `help:"How far ahead it is announced: 0s, 12h or 14d; the account's fargateTaskRetirementWaitPeriod (7d) when not given." placeholder:"TIME"`
	runningDrydock
}

// Help goes below the usage.
func (c *drydockRetire) Help() string {
	return `AWS Health tells of it at once, and again when it begins and ends: see drydock
events. When the time has come, new tasks are
started first where maximumPercent allows. A task that gets no replacement
within an hour of the scheduler's time is stopped all the same.

  plimsoll drydock retire --service api --in 7d
  plimsoll drydock advance 8d
  aws --endpoint-url $AWS_ENDPOINT_URL health describe-events

The aws CLI sends calls of AWS Health past AWS_ENDPOINT_URL: say it once more.`
}

// Run announces that the tasks a service runs now are retired.
func (c *drydockRetire) Run(ctx context.Context, s *session) error {
	set, err := config.Resolve(c.flags(), s.sys.Getenv)
	if err != nil {
		return err
	}
	if err := set.Require(&set.Service); err != nil {
		return err
	}
	in := struct {
		Cluster string   `json:"cluster"`
		Service string   `json:"service"`
		Seconds *float64 `json:"seconds,omitempty"`
	}{Cluster: set.Cluster.Value, Service: set.Service.Value}
	if c.In != "" {
		wait, err := parseSpan(c.In)
		if err != nil {
			return &usageError{fmt.Errorf("--in=%q is not a span of time", c.In), spanHint}
		}
		seconds := wait.Seconds()
		in.Seconds = &seconds
	}
	var announced health.Announcement
	if err := c.call(ctx, s, http.MethodPost, "retire", in, &announced); err != nil {
		return err
	}
	if s.json() {
		s.object(announced)
		return nil
	}
	_, err = fmt.Fprintf(s.sys.Stdout, "%s/%s: tasks retire from %s on: %d\n%s\n", announced.Cluster, announced.Service, announced.Start.Format(time.RFC3339), len(announced.Tasks), announced.EventARN)
	return err
}
