package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/faults"
)

type drydockFaults struct {
	List  faultsList  `cmd:"" default:"1" help:"Show the faults in force and how often they struck (the default)."`
	Add   faultsAdd   `cmd:"" help:"Make calls fail: all that match, so many of them, or a share."`
	Clear faultsClear `cmd:"" help:"Take faults out of force: all of them, or one by its number."`
}

type faultsList struct{ runningDrydock }

// Help goes below the usage.
func (c *faultsList) Help() string {
	return `  plimsoll drydock faults list`
}

// Run lists the faults in force.
func (c *faultsList) Run(ctx context.Context, s *session) error {
	var answer drydock.Faults
	if err := c.call(ctx, s, http.MethodGet, "faults", nil, &answer); err != nil {
		return err
	}
	return printFaults(s, answer.Faults...)
}

type faultsAdd struct {
	runningDrydock
	Kind    string        `arg:"" complete:"buckets,throttle,error,latency,drop,lose" help:"buckets (throttle by ECS's documented token buckets), throttle, error, latency, drop (the connection, before the call is made) or lose (its answer)."`
	Match   string        `arg:"" help:"Which calls, as service:operation with *: ecs:UpdateService, ecr:*, registry:GetBlob or *."`
	Skip    int           `help:"Let so many matching calls pass first." placeholder:"N"`
	Count   int           `help:"Strike so many calls at most." placeholder:"N"`
	Rate    *float64      `help:"Strike this share of the calls, such as 0.2." placeholder:"SHARE"`
	Seed    uint64        `help:"Another seed strikes other calls; the same seed strikes the same ones." placeholder:"N"`
	Status  int           `help:"error: HTTP status, 500 when not given." placeholder:"N"`
	Code    string        `help:"error: AWS's error code." placeholder:"NAME"`
	Message string        `help:"error: its message." placeholder:"TEXT"`
	Delay   time.Duration `help:"latency: how long a call waits." placeholder:"TIME"`
}

// Help goes below the usage.
func (c *faultsAdd) Help() string {
	return `A fault is in force until it is cleared, for every client but these commands.
The delays of all faults that match a call add up; the first one of another
kind decides how it ends.

  plimsoll drydock faults add buckets 'ecs:*'
  plimsoll drydock faults add throttle ecs:UpdateService --count 2
  plimsoll drydock faults add error 'ecs:Describe*' --status 503 --rate 0.2
  plimsoll drydock faults add error ecs:RegisterTaskDefinition \
      --status 400 --code AccessDeniedException
  plimsoll drydock faults add latency 'registry:*' --delay 300ms
  plimsoll drydock faults add lose ecs:UpdateService --count 1`
}

// Run puts a fault into force.
func (c *faultsAdd) Run(ctx context.Context, s *session) error {
	rule := faults.Rule{
		Kind: faults.Kind(c.Kind), Match: c.Match, Skip: c.Skip, Count: c.Count, Seed: c.Seed,
		Status: c.Status, Code: c.Code, Message: c.Message, DelaySeconds: c.Delay.Seconds(),
	}
	if c.Rate != nil {
		if *c.Rate == 0 { // would be every call
			return &usageError{errors.New("--rate=0: it must be above 0"), "leave it out to strike every call"}
		}
		rule.Rate = *c.Rate
	}
	var added faults.Report
	if err := c.call(ctx, s, http.MethodPost, "faults", rule, &added); err != nil {
		return err
	}
	return printFaults(s, added)
}

type faultsClear struct {
	runningDrydock
	ID string `arg:"" optional:"" help:"Number of the fault, as list shows it."`
}

// Help goes below the usage.
func (c *faultsClear) Help() string {
	return `  plimsoll drydock faults clear
  plimsoll drydock faults clear 2`
}

// Run takes faults out of force and lists those that stay.
func (c *faultsClear) Run(ctx context.Context, s *session) error {
	path := "faults"
	if c.ID != "" {
		path += "/" + url.PathEscape(c.ID)
	}
	var left drydock.Faults
	if err := c.call(ctx, s, http.MethodDelete, path, nil, &left); err != nil {
		return err
	}
	return printFaults(s, left.Faults...)
}

func printFaults(s *session, reports ...faults.Report) error {
	if s.json() {
		for _, r := range reports {
			s.object(r)
		}
		return nil
	}
	if len(reports) == 0 {
		_, err := fmt.Fprintln(s.sys.Stdout, "no faults")
		return err
	}
	table := tabwriter.NewWriter(s.sys.Stdout, 0, 0, 2, ' ', 0)
	for _, r := range reports {
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\tstruck %d of %d\n", r.ID, r.Kind, r.Match, faultDetails(r.Rule), r.Struck, r.Matched)
	}
	return table.Flush()
}

// faultDetails is what of a rule is not as it is by default.
func faultDetails(r faults.Rule) string {
	var out []string
	add := func(given bool, format string, value any) {
		if given {
			out = append(out, fmt.Sprintf(format, value))
		}
	}
	add(r.DelaySeconds > 0, "%v", time.Duration(r.DelaySeconds*float64(time.Second)))
	add(r.Status > 0, "%d", r.Status)
	add(r.Code != "", "%s", r.Code)
	add(r.Skip > 0, "after %d", r.Skip)
	add(r.Count > 0, "at most %d", r.Count)
	add(r.Rate > 0, "rate %v", r.Rate)
	add(r.Seed > 0, "seed %d", r.Seed)
	if len(out) == 0 {
		return "-"
	}
	return strings.Join(out, ", ")
}
