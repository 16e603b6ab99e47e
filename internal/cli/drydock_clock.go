package cli

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
)

type drydockClock struct {
	runningDrydock
	Advance string   `help:"Move the calendar forward first: 90s, 45m, 12h or 14d." placeholder:"SPAN"`
	Scale   *float64 `help:"Divide the scheduler's own durations by this from now on; 1 is AWS's own pace." placeholder:"N"`
}

// Help goes below the usage.
func (c *drydockClock) Help() string {
	return `Without a flag it shows the time.

  plimsoll drydock clock --scale 1        from here at AWS's own pace
  plimsoll drydock clock --advance 14d    the same as drydock advance 14d`
}

// Run shows the time of a running drydock, or changes it.
func (c *drydockClock) Run(ctx context.Context, s *session) error {
	var change drydock.ClockChange
	if c.Advance != "" {
		by, err := parseSpan(c.Advance)
		if err != nil {
			return &usageError{err, spanHint}
		}
		change.AdvanceSeconds = by.Seconds()
	}
	if c.Scale != nil {
		if !(*c.Scale > 0) {
			return &usageError{fmt.Errorf("--scale=%v: it must be above 0", *c.Scale), "1 is AWS's own pace"}
		}
		change.TimeScale = *c.Scale
	}
	method, body := http.MethodGet, any(nil)
	if change != (drydock.ClockChange{}) {
		method, body = http.MethodPost, change
	}
	var clock drydock.Clock
	if err := c.call(ctx, s, method, "clock", body, &clock); err != nil {
		return err
	}
	if s.json() {
		s.object(clock)
		return nil
	}
	ahead := time.Duration(clock.AheadSeconds * float64(time.Second)).Round(time.Second)
	_, err := fmt.Fprintf(s.sys.Stdout, "%s, %v ahead of real time, time scale %v\n", clock.Now.Format(time.RFC3339), ahead, clock.TimeScale)
	return err
}
