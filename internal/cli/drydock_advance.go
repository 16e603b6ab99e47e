package cli

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
)

type drydockAdvance struct {
	By string `arg:"" help:"How far: 90s, 45m, 12h or 14d."`
	runningDrydock
}

// Help goes below the usage.
func (c *drydockAdvance) Help() string {
	return `Tasks retire, lifecycle policies run, checks are made: all that a calendar brings
in that time, in its order, at once.

  plimsoll drydock advance 14d`
}

// Run asks a running drydock to move its calendar.
func (c *drydockAdvance) Run(ctx context.Context, s *session) error {
	by, err := parseSpan(c.By)
	if err != nil {
		return &usageError{err, spanHint}
	}
	var status drydock.Status
	if err := c.call(ctx, s, http.MethodPost, "advance", map[string]float64{"seconds": by.Seconds()}, &status); err != nil {
		return err
	}
	if s.json() {
		s.object(status)
		return nil
	}
	_, err = fmt.Fprintf(s.sys.Stdout, "%s\n", status.Now.Format(time.RFC3339))
	return err
}

const spanHint = "for example 90s, 45m, 12h or 14d"

// parseSpan reads a duration as people write it, with days.
func parseSpan(text string) (time.Duration, error) {
	if days, isDays := strings.CutSuffix(text, "d"); isDays {
		n, err := strconv.ParseFloat(days, 64)
		if err != nil || !(n >= 0 && n <= 3650) {
			return 0, fmt.Errorf("%q is not a time to advance by", text)
		}
		return time.Duration(n * float64(24*time.Hour)), nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is not a time to advance by", text)
	}
	return d, nil
}
