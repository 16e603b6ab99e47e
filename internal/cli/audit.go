package cli

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/awsapi"
	"github.com/plimsoll-ecs/plimsoll/internal/config"
	"github.com/plimsoll-ecs/plimsoll/internal/notify"
	"github.com/plimsoll-ecs/plimsoll/internal/report"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
	"github.com/plimsoll-ecs/plimsoll/internal/survey"
)

type auditCommand struct {
	auditSubject
	Horizon         horizon  `help:"How far ahead to look, such as 14d or 36h." default:"14d" placeholder:"14d"`
	Unused          horizon  `help:"Count images as unused that nobody has pushed, pulled or run for so long; 0d counts none." default:"90d" placeholder:"90d"`
	Cluster         []string `help:"Only this cluster, by name or ARN; several times for several. All are read otherwise." placeholder:"NAME" group:"What is read"`
	RollbackTargets int      `help:"How many earlier releases of each service must stay within reach." default:"3" placeholder:"3" group:"What is read"`
	AllRepositories bool     `help:"Read the images of repositories too that nothing here refers to." group:"What is read"`
	Roles           bool     `help:"Read the policies of the roles that task definitions name." group:"What is read"`
	Save            string   `help:"Keep what was read in a file, to judge it again with --from; compressed when its name ends in .gz." placeholder:"FILE" group:"What is read" type:"path"`
	From            string   `help:"Judge what --save has kept. Nothing is asked of AWS." placeholder:"FILE" group:"What is read" type:"existingfile"`
	auditOutput
}

// horizon is a span of time, in days too.
type horizon time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *horizon) UnmarshalText(text []byte) error {
	days, isDays := strings.CutSuffix(string(text), "d")
	d, err := time.ParseDuration(string(text))
	if isDays {
		var n int
		n, err = strconv.Atoi(days)
		d = time.Duration(n) * 24 * time.Hour
	}
	const most = 366 * 24 * time.Hour
	if err != nil || d < 0 || d > most {
		return fmt.Errorf("%q: want a span of up to a year, such as 14d or 36h", text)
	}
	*h = horizon(d)
	return nil
}

// Validate is called by kong.
func (c *auditCommand) Validate() error {
	if c.RollbackTargets < 0 || c.RollbackTargets > 100 {
		return fmt.Errorf("--rollback-targets=%d: it must be between 0 and 100", c.RollbackTargets)
	}
	if c.From != "" && (c.Save != "" || len(c.Cluster) > 0 || c.AllRepositories || c.Roles) {
		return errors.New("--from judges what was read before: leave out what says what to read")
	}
	return c.auditOutput.check()
}

// Help goes below the usage.
func (c *auditCommand) Help() string {
	return `Reads everything that runs, what starts by schedule, and the images it comes
from; then says what could not restart now, and what will not within the horizon.
Nothing is changed. What may not be read is named, with the action to allow.

  plimsoll audit
  plimsoll audit --save fleet.json.gz
  plimsoll audit --from fleet.json.gz --horizon 60d
  plimsoll audit roles --fail-on warning

Several accounts and regions are read with accounts: in plimsoll.yaml.`
}

// Run audits what runs.
func (c *auditCommand) Run(ctx context.Context, s *session) error {
	look, err := s.lookup()
	if err != nil {
		return err
	}
	options, err := c.options(look)
	if err != nil {
		return err
	}
	fleet, err := c.fleet(ctx, s, look)
	if err != nil {
		return err
	}
	if c.Save != "" {
		if err := survey.WriteFleet(c.Save, fleet); err != nil {
			return err
		}
	}
	options.Now = fleet.TakenAt
	found := c.of(fleet, audit.Judge(fleet, options))
	err = s.writeAudit(fleet, found, c.auditOutput)
	if exit, ends := errors.AsType[*exitError](err); err == nil || ends && exit.code == 8 {
		c.notify(ctx, s, look, found)
	}
	return err
}

// notify tells of findings that fail the audit, and of errors where none does.
func (c *auditCommand) notify(ctx context.Context, s *session, look config.Lookup, found audit.Report) {
	least, fails := report.FailOn(c.FailOn).Least()
	if !fails {
		least = audit.Error
	}
	news, ok := notify.Findings(found, least)
	if list, err := look.Notifications(); !ok || err != nil || len(list) == 0 || c.WriteBaseline != "" {
		return
	}
	client, err := s.clientOf(ctx, look)
	if err != nil {
		s.warn("nobody is notified: %v", err)
		return
	}
	s.notify(ctx, client, news)
}

// clientOf is for where the credentials are, as far as plimsoll.yaml allows.
func (s *session) clientOf(ctx context.Context, look config.Lookup) (*awsapi.Client, error) {
	place, err := look.Place()
	if err != nil {
		return nil, err
	}
	return awsapi.New(ctx, awsapi.Options{Log: s.log(), Region: s.regionOf(look, config.Settings{Region: place.Region})})
}

// options are how the fleet is judged, but for the time.
func (c *auditCommand) options(look config.Lookup) (audit.Options, error) {
	place, err := look.Place()
	if err != nil {
		return audit.Options{}, err
	}
	o := audit.Options{
		Horizon: time.Duration(c.Horizon), Unused: int(time.Duration(c.Unused) / (24 * time.Hour)),
		Cadence: audit.PushCadence, Lint: audit.PolicyRemarks,
	}
	if place.Tags.Given() {
		o.Tags = &place.Tags.Value
	}
	o.Accept, o.Baseline, err = c.accepted(look)
	return o, err
}

// fleet is what is judged: read now, or kept in a file.
func (c *auditCommand) fleet(ctx context.Context, s *session, look config.Lookup) (audit.Fleet, error) {
	if c.From != "" {
		fleet, err := survey.ReadFleet(c.From)
		return fleet, slip(err)
	}
	spots, err := s.spots(ctx, look)
	if err != nil {
		return audit.Fleet{}, err
	}
	fleet, err := survey.Survey(ctx, spots, c.reads(c.teller(s)))
	return fleet, slip(err)
}

// reads says what is read.
func (c *auditCommand) reads(tell story.Teller) survey.Options {
	o := survey.Options{RollbackTargets: c.RollbackTargets, AllRepositories: c.AllRepositories, Roles: c.Roles || c.roles(), Pipelines: c.roles(), Tell: tell}
	for _, name := range c.Cluster {
		o.Clusters = append(o.Clusters, path.Base(name))
	}
	return o
}

// slip makes usage of an error that the command line is the cause of.
func slip(err error) error {
	_, file := errors.AsType[*survey.FileError](err)
	_, cluster := errors.AsType[*survey.UnknownClusterError](err)
	if file || cluster {
		return &usageError{err, hintOf(err)}
	}
	return err
}

// teller shows the progress on stderr. With JSON on stdout there is none: what
// stands there is the result.
func (c *auditCommand) teller(s *session) func(story.Event) {
	if s.json() {
		return func(story.Event) {}
	}
	return s.terminal().Tell
}

// spots are the places to read: those of accounts: in plimsoll.yaml, else where
// the credentials are.
func (s *session) spots(ctx context.Context, look config.Lookup) ([]survey.Spot, error) {
	if look.File != nil && len(look.File.Accounts) > 0 {
		return s.accountSpots(ctx, look.File.Accounts)
	}
	place, err := look.Place()
	if err != nil {
		return nil, err
	}
	client, err := s.clientOf(ctx, look)
	if err != nil {
		return nil, err
	}
	return []survey.Spot{{AWS: client, Expect: audit.Place{Account: place.Account.Value, Region: place.Region.Value}}}, nil
}

func (s *session) accountSpots(ctx context.Context, accounts []*config.Account) ([]survey.Spot, error) {
	var spots []survey.Spot
	for _, a := range accounts {
		for _, region := range a.Regions {
			client, err := awsapi.New(ctx, awsapi.Options{Log: s.log(), Region: region, Role: a.Role, ExternalID: a.ExternalID})
			if err != nil {
				return nil, err
			}
			spots = append(spots, survey.Spot{AWS: client, Role: a.Role, Expect: audit.Place{Account: a.Account, Region: region}})
		}
	}
	return spots, nil
}
