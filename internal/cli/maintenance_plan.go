package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/maintenance"
	"github.com/plimsoll-ecs/plimsoll/internal/term"
)

type maintenancePlan struct {
	noticeFlags
}

// Help goes below the usage.
func (c *maintenancePlan) Help() string {
	return noticeHelp + `

Restarts are judged as plimsoll audit does, up to the day: what works today may
not then. Nothing is changed. Exit 8 when a service would not come back.

  plimsoll maintenance plan
  plimsoll maintenance plan --event notice.json --output json`
}

// Run shows what retires.
func (c *maintenancePlan) Run(ctx context.Context, s *session) error {
	y, err := s.yard(ctx, nil)
	if err != nil {
		return err
	}
	from, err := c.read(ctx, s, y.client)
	if err != nil {
		return reason(err)
	}
	y.ports.Judge = maintenance.ByAudit(y.client)
	plan, err := maintenance.Foresee(ctx, y.ports, from.notices, y.wave())
	if err != nil {
		return err
	}
	if s.json() {
		s.object(plan)
	} else if err := s.showPlan(plan, y.windows); err != nil {
		return err
	}
	if plan.Lost() {
		return &exitError{8}
	}
	return nil
}

// showPlan shows a row for each service, what is wrong below, and then the sum.
func (s *session) showPlan(plan maintenance.Plan, windows maintenance.Windows) error {
	if len(plan.Items) == 0 {
		_, err := fmt.Fprintln(s.sys.Stdout, "no task retires")
		return err
	}
	table := term.Table{Header: []string{"SERVICE", "WAVE", "RETIRES", "IN", "TASKS LEFT", "RESTART"}}
	counts := map[maintenance.State]int{}
	for _, i := range plan.Items {
		counts[i.State]++
		wave := ""
		if i.Wave > 0 {
			wave = fmt.Sprint(i.Wave)
		}
		table.Rows = append(table.Rows, []string{i.Name(), wave, day(i.At), span(i.At.Sub(plan.TakenAt)), tasksLeft(i), restartWord(i)})
	}
	if err := s.terminal().Table(toned(table, "RESTART", restartTone)); err != nil {
		return err
	}
	for _, i := range plan.Items {
		s.explainItem(i)
	}
	fmt.Fprintln(s.sys.Stdout)
	s.sentence("", planSum(counts), 0)
	if counts[maintenance.Ready]+counts[maintenance.Losing] > 0 {
		now := plan.TakenAt
		if open := windows.Next(now); open.Equal(now) {
			fmt.Fprintln(s.sys.Stdout, "  plimsoll maintenance run")
		} else if !open.IsZero() {
			fmt.Fprintf(s.sys.Stdout, "  plimsoll maintenance run, from %s on\n", windows.Show(open))
		}
	}
	return nil
}

// explainItem says why a service would not come back, and what to do.
func (s *session) explainItem(i maintenance.Item) {
	if len(i.Why) == 0 && len(i.Unsure) == 0 {
		return
	}
	fmt.Fprintln(s.sys.Stdout)
	for _, why := range i.Why {
		s.sentence("", i.Name()+": "+why, 2)
	}
	for _, fix := range i.Fix {
		fmt.Fprintf(s.sys.Stdout, "  %s\n", fix)
	}
	for _, what := range i.Unsure {
		s.sentence("", i.Name()+": cannot tell: "+what, 2)
	}
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04")
}

// span is a time ahead in its two greatest units: "6d 23h".
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < -10*365*day: // from a date that is not known
		return ""
	case d <= 0:
		return "now"
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < day:
		return fmt.Sprintf("%dh %dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%dd %dh", d/day, d%day/time.Hour)
}

func tasksLeft(i maintenance.Item) string {
	if i.State == maintenance.Elsewhere || i.State == maintenance.Gone {
		return ""
	}
	return fmt.Sprintf("%d of %d", i.Left, i.Tasks)
}

// restartWord is what a restart would come to, in a word or two.
func restartWord(i maintenance.Item) string {
	switch i.State {
	case maintenance.Ready:
		if len(i.Unsure) > 0 {
			return "not known"
		}
		return "works"
	case maintenance.Losing:
		return "works today"
	case maintenance.Lost:
		return "fails"
	case maintenance.Replaced:
		return "done"
	case maintenance.Alone:
		return "never"
	}
	return string(i.State)
}

// planSum is the plan in one line.
func planSum(counts map[maintenance.State]int) string {
	var parts []string
	for _, p := range []struct {
		state     maintenance.State
		one, many string
	}{
		{maintenance.Lost, "service would not come back", "services would not come back"},
		{maintenance.Losing, "service would not come back on the day", "services would not come back on the day"},
		{maintenance.Ready, "service is to be redeployed", "services are to be redeployed"},
		{maintenance.Replaced, "is done", "are done"},
		{maintenance.Alone, "task ends for good", "tasks end for good"},
		{maintenance.Gone, "is gone", "are gone"},
		{maintenance.Elsewhere, "is elsewhere", "are elsewhere"},
	} {
		switch n := counts[p.state]; {
		case n == 1:
			parts = append(parts, "1 "+p.one)
		case n > 1:
			parts = append(parts, fmt.Sprintf("%d %s", n, p.many))
		}
	}
	return strings.Join(parts, ", ")
}
