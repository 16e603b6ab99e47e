package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/term"
)

type diagnoseCommand struct {
	Task     string        `help:"One task, by its id or the beginning of it." placeholder:"ID"`
	Since    time.Duration `help:"How far back to look; to the last steady state, and an hour at least, when not given." placeholder:"1h"`
	ExitCode bool          `help:"Exit 8 when something is wrong."`
	serviceNames
}

// Validate is called by kong.
func (c *diagnoseCommand) Validate() error {
	if c.Since < 0 {
		return fmt.Errorf("--since=%s: it must be a time back, such as 1h", c.Since)
	}
	return nil
}

// Help goes below the usage.
func (c *diagnoseCommand) Help() string {
	return `Reads the tasks that stopped, the events, the deployments and the images of a
service, and names what is wrong, what shows it and what to do. ECS shows a
stopped task for about an hour. Nothing is changed, and of secrets no value is
read. docs/diagnoses.md lists the causes that are known.

  plimsoll diagnose
  plimsoll diagnose --since 24h
  plimsoll diagnose --task 8f3e --exit-code`
}

// Run shows what is wrong with a service.
func (c *diagnoseCommand) Run(ctx context.Context, s *session) error {
	h, err := s.harbour(ctx, c.flags())
	if err != nil {
		return err
	}
	report, err := deploy.Diagnose(ctx, h.ports, h.target, deploy.Question{Task: c.Task, Since: c.Since})
	if err != nil {
		return err
	}
	if s.json() {
		s.object(report)
	} else if err := s.terminal().Diagnosis(diagnosisOf(report, c.Task)); err != nil {
		return err
	}
	if c.ExitCode && !report.Healthy {
		return &exitError{8}
	}
	return nil
}

func diagnosisOf(r deploy.Report, task string) term.Diagnosis {
	d := term.Diagnosis{
		Service: r.Cluster + "/" + r.Service, Healthy: r.Healthy, Findings: r.Findings, At: r.At,
		State: fmt.Sprintf("%d of %d running on %s", r.Running, r.Desired, r.TaskDefinition),
	}
	if r.Rolling {
		d.State += ", a rollout is under way"
	}
	switch {
	case len(r.Findings) == 0 && task != "":
		d.State += "; nothing is wrong with that task"
	case r.Healthy && len(r.Findings) == 0:
		d.State += "; nothing is wrong"
	case r.Healthy:
		d.State += "; nothing is wrong now"
	}
	for _, action := range r.Unread {
		d.Notes = append(d.Notes, "more could be told with "+action+", which the role that runs this is not allowed")
	}
	return d
}
