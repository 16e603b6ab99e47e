package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	_ "time/tzdata" // windows have time zones, and a machine of CI or an image from scratch knows none

	"github.com/plimsoll-ecs/plimsoll/internal/awsapi"
	"github.com/plimsoll-ecs/plimsoll/internal/config"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/diagnose"
	"github.com/plimsoll-ecs/plimsoll/internal/maintenance"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

type maintenanceCommand struct {
	Plan   maintenancePlan   `cmd:"" help:"Show whose tasks AWS is going to retire, by when, and whether they would come back."`
	Run    maintenanceRun    `cmd:"" help:"Replace those tasks ahead of time, by new ones of the same images."`
	Lambda maintenanceLambda `cmd:"" help:"Do so as an AWS Lambda function."`
}

// Help goes below the usage.
func (c *maintenanceCommand) Help() string {
	return `AWS announces days ahead that it will replace Fargate tasks to patch what is
below them. A task whose image is gone cannot be replaced, and is stopped all the
same. See docs/maintenance.md.`
}

// noticeFlags say where notices come from.
type noticeFlags struct {
	Event []string `help:"An AWS Health event as EventBridge has it, from a file; - is stdin. Several times for several." placeholder:"FILE" sep:"none" xor:"source" group:"Notices"`
	Queue string   `help:"An SQS queue that EventBridge sends its events to, by its URL." placeholder:"URL" xor:"source" group:"Notices"`
}

const noticeHelp = `Without --event and --queue the AWS Health API is asked, which needs a Business
support plan; the same notices reach EventBridge in every account.`

// noticed is where notices came from, and what they are.
type noticed struct {
	notices    []maintenance.Notice
	deliveries []maintenance.Delivery // of a queue
}

// read reads the notices.
func (f noticeFlags) read(ctx context.Context, s *session, client *awsapi.Client) (noticed, error) {
	switch {
	case f.Queue != "":
		deliveries, err := maintenance.FromQueue(ctx, client, f.Queue)
		for _, d := range deliveries {
			if d.Err != nil {
				s.warn("message %s of the queue is left there: %v", d.ID, d.Err)
			}
		}
		return noticed{maintenance.Announced(deliveries), deliveries}, err
	case len(f.Event) == 0:
		notices, err := maintenance.FromHealth(ctx, client)
		return noticed{notices: notices}, err
	}
	var all []maintenance.Notice
	for _, name := range f.Event {
		data, err := s.input(name)
		if err != nil {
			return noticed{}, err
		}
		notices, err := maintenance.ParseEvents(data)
		if err != nil {
			return noticed{}, &usageError{fmt.Errorf("%s: %w", name, err), hintOf(err)}
		}
		if len(notices) == 0 {
			s.warn("%s announces no retirement of tasks", name)
		}
		all = append(all, notices...)
	}
	return noticed{notices: maintenance.Merge(all)}, nil
}

// input is what a file has; - is stdin.
func (s *session) input(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(s.sys.Stdin)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, &usageError{err, ""}
	}
	return data, nil
}

// warn tells something that is worth acting on, and is no error.
func (s *session) warn(format string, args ...any) {
	if s.json() {
		s.object(story.Event{Time: time.Now(), Kind: story.Warning, Message: fmt.Sprintf(format, args...)})
		return
	}
	fmt.Fprintf(s.sys.Stderr, "plimsoll: "+format+"\n", args...)
}

// yard is where maintenance works.
type yard struct {
	look     config.Lookup
	settings config.Maintenance
	common   config.Settings // of all services
	client   *awsapi.Client
	ports    maintenance.Ports
	windows  maintenance.Windows
}

// yard reads the settings and prepares the calls to AWS. windows are those of
// the command line; without, they are those of the file.
func (s *session) yard(ctx context.Context, windows []string) (*yard, error) {
	look, err := s.lookup()
	if err != nil {
		return nil, err
	}
	y := &yard{look: look}
	if y.settings, err = look.Maintenance(); err != nil {
		return nil, err
	}
	y.windows, err = maintenance.ParseWindows(windows)
	if len(windows) == 0 {
		if y.windows, err = maintenance.ParseWindows(y.settings.Windows); err != nil {
			at := y.settings.Of("windows")
			err = fmt.Errorf("%s:%d:%d: %w", look.File.Name(), at.Line, at.Column, err)
		}
	}
	if err != nil {
		return nil, &usageError{err, hintOf(err)}
	}
	set, err := look.Resolve(config.Flags{})
	if err != nil {
		return nil, err
	}
	if y.client, err = awsapi.New(ctx, awsapi.Options{Log: s.log(), Region: s.regionOf(look, set)}); err != nil {
		return nil, err
	}
	knowledge, err := diagnose.Load()
	if err != nil {
		return nil, fmt.Errorf("load the diagnoses: %w", err)
	}
	y.ports = maintenance.Ports{
		Deploy: deploy.Shared(deploy.Ports{AWS: y.client, Clues: y.client, Console: y.client.IsAWS(), Knowledge: knowledge, Now: time.Now, Sleep: deploy.Sleep}),
		Tasks:  y.client,
	}
	y.common = set
	y.pin(set.Pin.Value)
	return y, y.expect(ctx, set)
}

// pin says whether images are pinned: those of a service before its tasks are
// replaced, and what another version has brought.
func (y *yard) pin(on bool) {
	y.ports.Pin, y.ports.Deploy.Settled = nil, nil
	if on {
		y.ports.Pin = pinner(y.client, y.common)
		y.ports.Deploy.Settled = y.ports.Pin
	}
}

// expect refuses another account or region than that of the file.
func (y *yard) expect(ctx context.Context, set config.Settings) error {
	if set.Account.Value == "" && set.Region.Value == "" {
		return nil
	}
	caller, err := y.ports.Deploy.AWS.Caller(ctx)
	if err != nil {
		return err
	}
	for _, m := range []struct {
		what string
		want config.Value
		got  string
	}{{"account", set.Account, caller.Account}, {"region", set.Region, caller.Region}} {
		if m.want.Value != "" && m.want.Value != m.got {
			return &refusedError{fmt.Errorf("the %s is %s, expected is %s (%s)", m.what, m.got, m.want.Value, m.want.Source)}
		}
	}
	return nil
}

// wave is the wave of a service.
func (y *yard) wave() func(cluster, service string) int {
	if len(y.settings.Waves) > 0 {
		return maintenance.WavesOf(y.settings.Waves)
	}
	return y.look.WaveOf
}

// reason is an error of reading notices, with what there is in place of it.
func reason(err error) error {
	if errors.Is(err, deploy.Unsupported) {
		return &usageError{err, cmp.Or(hintOf(err), "give an event with --event FILE, or a queue with --queue URL")}
	}
	return err
}
