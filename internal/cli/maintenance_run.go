package cli

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/config"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/maintenance"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

type maintenanceRun struct {
	noticeFlags
	Window    []string       `help:"When services may be redeployed: \"Mon-Fri 10:00-16:00 Asia/Tokyo\", several times for several; those of plimsoll.yaml when not given." placeholder:"WINDOW" sep:"none" xor:"window"`
	AnyTime   bool           `help:"Whatever the windows say." xor:"window"`
	Ahead     *time.Duration `help:"Leave a service alone until so long before its tasks retire: an ordinary deploy may replace them. At once when not given." placeholder:"24h"`
	ImageTag  string         `help:"Deploy this tag in place of the same images." placeholder:"TAG"`
	Service   []string       `help:"Only this service, by its name in ECS or as cluster/service; several times for several." placeholder:"NAME" complete:"services"`
	Wave      []int          `help:"Only the services in this wave." placeholder:"N"`
	Pin       bool           `help:"Pin the images of a service before its tasks are replaced, as plimsoll pin does (retention.pin)."`
	DryRun    bool           `help:"Check everything, change nothing."`
	KeepGoing bool           `help:"Go on with other services when a rollout fails."`
	Again     bool           `help:"Try once more what failed for the same retirement before."`
	timeoutFlag
	watchFlags
	reactionFlags
	dotenvFlag
	tagFlags
}

// Validate is called by kong.
func (c *maintenanceRun) Validate() error { return cmp.Or(c.timeoutFlag.Validate(), c.check()) }

// Help goes below the usage.
func (c *maintenanceRun) Help() string {
	return noticeHelp + `

Wave by wave, one service at a time. Where a tag has been moved since, the new
tasks still run what ran. A service whose image is gone is refused, and the others
go on. One whose tasks have been replaced since is left alone: run it as often as
you like.

  plimsoll maintenance run --dry-run
  plimsoll maintenance run --window "Mon-Fri 10:00-16:00 Asia/Tokyo"
  plimsoll maintenance run --queue $QUEUE_URL --ahead 24h`
}

// Run replaces the tasks that retire.
func (c *maintenanceRun) Run(ctx context.Context, s *session) error {
	y, err := s.yard(ctx, c.Window)
	if err != nil {
		return err
	}
	if c.AnyTime {
		y.windows = nil
	}
	if c.Pin {
		y.pin(true)
	}
	from, err := c.read(ctx, s, y.client)
	if err != nil {
		return reason(err)
	}
	plan, err := maintenance.Foresee(ctx, y.ports, from.notices, y.wave())
	if err != nil {
		return err
	}
	t := s.briefTerminal()
	outcome, err := maintenance.Run(ctx, y.ports, plan, c.request(s, y), t.Tell)
	if err != nil {
		return err
	}
	if c.Queue != "" && !c.DryRun {
		if err := maintenance.Finish(ctx, y.client, c.Queue, from.deliveries, outcome); err != nil {
			t.Tell(story.Event{Time: time.Now(), Kind: story.Warning, Message: err.Error()})
		}
	}
	sum := outcome.Sum()
	if s.json() {
		t.Tell(story.Event{Kind: story.Final, Message: sum.Summary, Verdict: &sum})
	} else {
		if err := t.Close(); err != nil {
			return err
		}
		if len(outcome.Results) == 0 {
			fmt.Fprintln(s.sys.Stdout, sum.Summary)
		} else if err := s.resultTable(outcome.Results, sum); err != nil {
			return err
		}
	}
	if !c.DryRun {
		if m, news := maintained(outcome.Results, sum, time.Now()); news {
			s.notify(ctx, y.client, m)
		}
	}
	if sum.ExitCode != 0 {
		return &exitError{sum.ExitCode}
	}
	return nil
}

// request is how the plan is to be carried out.
func (c *maintenanceRun) request(s *session, y *yard) maintenance.RunRequest {
	r := maintenance.RunRequest{
		Windows: y.windows, Ahead: time.Duration(y.settings.Ahead), Waves: c.Wave, Only: c.Service, DryRun: c.DryRun, KeepGoing: c.KeepGoing, Again: c.Again,
		Timeout: c.timeout(config.Settings{}), Watching: c.on(c.watching(config.Settings{})),
	}
	if c.Ahead != nil {
		r.Ahead = *c.Ahead
	}
	if c.ImageTag != "" {
		r.Replace = func(t deploy.Target, dryRun bool) deploy.Act {
			return func(ctx context.Context, tell story.Teller) (story.Verdict, error) {
				request, err := c.newer(ctx, s, y, t)
				if err != nil {
					return story.Verdict{}, err
				}
				request.DryRun = dryRun
				request.Timeout = maintenance.TimeLeft(ctx, time.Now(), r.Timeout)
				return deploy.Deploy(ctx, y.ports.Deploy, request, tell)
			}
		}
	}
	return r
}

// newer is the deploy of another tag onto a service, of the image that its one
// container has, or the one that plimsoll.yaml names.
func (c *maintenanceRun) newer(ctx context.Context, s *session, y *yard, t deploy.Target) (deploy.Request, error) {
	set, err := y.look.Resolve(config.Flags{Cluster: t.Cluster, Service: t.Service, OneOfMany: true})
	if err != nil {
		return deploy.Request{}, err
	}
	runs, err := deploy.CanRestart(ctx, y.ports.Deploy, t)
	if err != nil {
		return deploy.Request{}, err
	}
	for _, i := range runs.Images {
		if i.Container != set.Container.Value && (set.Container.Value != "" || len(runs.Images) > 1) {
			continue
		}
		ref := i.Image
		ref.Tag, ref.Digest = c.ImageTag, ""
		return deploy.Request{
			Target: t, Container: i.Container, Image: ref, Policy: c.of(set), Base: "running", Force: true,
			Provenance: s.provenance(), Watching: c.on(c.watching(set)),
		}, nil
	}
	return deploy.Request{}, &deploy.PreflightError{Faults: []deploy.Fault{{
		Check: "container", What: "it has several containers, and which one gets the image is not known", Do: "name it under services in plimsoll.yaml"}}}
}
