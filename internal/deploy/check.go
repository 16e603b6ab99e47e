package deploy

import (
	"cmp"
	"context"
	"fmt"

	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// CheckReport is what [Inspect] found. Its JSON form is what check --output json
// prints; fields are only ever added.
type CheckReport struct {
	Cluster  string        `json:"cluster"`
	Service  string        `json:"service"`
	Checks   []story.Check `json:"checks"`
	Failed   int           `json:"failed"`
	Warnings int           `json:"warnings"`
	Skipped  int           `json:"skipped"`
	ExitCode int           `json:"exitCode"`
}

// Summary is the report in one line.
func (r CheckReport) Summary() string { return tally(r.Checks) }

// Inspect takes all checks of a deploy and changes nothing. Without an image
// they are those of what runs, as if its tasks had to start again. What is
// wrong is in the report; an error means that it could not be found out.
func Inspect(ctx context.Context, p Ports, r Request) (CheckReport, error) {
	if r.Image.Repository == "" {
		r.Base = "running"
	} else if err := r.validate(); err != nil {
		return CheckReport{}, err
	}
	j := begin(p, r.Target, 0, func(story.Event) {})
	_, checks, err := j.examine(ctx, r)
	if err != nil {
		return CheckReport{}, err
	}
	report := CheckReport{Cluster: r.Cluster, Service: r.Service, Checks: checks}
	for _, c := range checks {
		switch c.State {
		case story.CheckFail:
			report.Failed++
		case story.CheckWarn:
			report.Warnings++
		case story.CheckSkipped:
			report.Skipped++
		}
	}
	if refusal(checks, r.Strict) != nil {
		report.ExitCode = exitCodeOf(Refused)
	}
	return report, nil
}

// mayStart takes the checks of what a greater count would start, and tells
// what does not stand in the way.
func (j *job) mayStart(ctx context.Context, s Service, count int) error {
	if count <= s.Desired {
		return nil
	}
	doc, err := j.document(ctx, s.TaskDefinition)
	if err != nil {
		return err
	}
	checks := j.examineStart(ctx, doc, j.lookAtBalancers(s))
	if err := cmp.Or(ctx.Err(), refusal(checks, false)); err != nil {
		return err
	}
	j.tellWarnings(checks)
	return nil
}

// waitForCurrent lets a rollout that is under way come to its end, whatever
// that is. It gives up with the time that a rollout has.
func (j *job) waitForCurrent(ctx context.Context) error {
	began := j.Now()
	told := false
	for {
		s, err := j.AWS.Service(ctx, j.target.Cluster, j.target.Service)
		if err != nil || !s.Rolling() {
			return ctx.Err() // the checks will tell what is wrong with the service
		}
		p, _ := s.Primary()
		j.allow(s)
		if !told {
			j.say(story.Note, story.Preflight, "waiting for the rollout that is under way: %s to %s", p.ID, rollout.RevisionName(p.TaskDefinition))
			told = true
		}
		if j.Now().Sub(began) >= j.limit() {
			return refusal([]story.Check{checkFail(rolloutCheck,
				fmt.Sprintf("%s to %s is still under way after %s", p.ID, rollout.RevisionName(p.TaskDefinition), j.limit()),
				"wait longer with --timeout, or replace it with --supersede")}, false)
		}
		if err := j.Sleep(ctx, slowest); err != nil {
			return err
		}
	}
}
