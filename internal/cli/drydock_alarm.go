package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"text/tabwriter"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecs"
)

type drydockAlarm struct {
	runningDrydock
	Name  string `arg:"" optional:"" help:"Name of the alarm."`
	State string `arg:"" optional:"" complete:"OK,ALARM,INSUFFICIENT_DATA" help:"OK, ALARM or INSUFFICIENT_DATA."`
}

// Help goes below the usage.
func (c *drydockAlarm) Help() string {
	return `A deployment whose service names the alarm (deploymentConfiguration.alarms) fails
when it goes to ALARM, and is rolled back if the service says so. An alarm that
is in ALARM when the deployment starts is ignored by it.

  plimsoll drydock alarm web-errors ALARM
  plimsoll drydock alarm`
}

// Run sets the state of an alarm, or shows the states of all.
func (c *drydockAlarm) Run(ctx context.Context, s *session) error {
	if c.Name == "" {
		var all drydock.Alarms
		if err := c.call(ctx, s, http.MethodGet, "alarms", nil, &all); err != nil {
			return err
		}
		return printAlarms(s, all.Alarms...)
	}
	if c.State == "" {
		return &usageError{errors.New("drydock alarm: no state"), "for example: plimsoll drydock alarm " + shellQuote(c.Name) + " ALARM"}
	}
	in := map[string]string{"name": c.Name, "state": strings.ToUpper(c.State)}
	var set ecs.Alarm
	if err := c.call(ctx, s, http.MethodPost, "alarms", in, &set); err != nil {
		return err
	}
	return printAlarms(s, set)
}

func printAlarms(s *session, alarms ...ecs.Alarm) error {
	if s.json() {
		for _, a := range alarms {
			s.object(a)
		}
		return nil
	}
	table := tabwriter.NewWriter(s.sys.Stdout, 0, 0, 2, ' ', 0)
	for _, a := range alarms {
		fmt.Fprintf(table, "%s\t%s\n", a.Name, a.State)
	}
	return table.Flush()
}
