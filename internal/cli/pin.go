package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/awsapi"
	"github.com/plimsoll-ecs/plimsoll/internal/build"
	"github.com/plimsoll-ecs/plimsoll/internal/config"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/retain"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
	"github.com/plimsoll-ecs/plimsoll/internal/term"
)

// keepFlag is of every command that keeps what a rollback could go to.
type keepFlag struct {
	Keep *int `help:"So many releases besides what runs: where a rollback could go (retention.keep; 2)." placeholder:"N"`
}

// keep is that number.
func (f keepFlag) keep(set config.Settings) int {
	switch {
	case f.Keep != nil:
		return *f.Keep
	case set.Keep.Given():
		return set.Keep.Value
	}
	return retain.DefaultKeep
}

// Validate is called by kong.
func (f keepFlag) Validate() error {
	if f.Keep != nil && (*f.Keep < 0 || *f.Keep > config.MostKept) {
		return fmt.Errorf("--keep=%d: it must be between 0 and %d", *f.Keep, config.MostKept)
	}
	return nil
}

type pinCommand struct {
	DryRun bool `help:"Say what would be done; change nothing."`
	keepFlag
	servicesNames
}

// Help goes below the usage.
func (c *pinCommand) Help() string {
	return `The digests that ECS restarts from, and those of the last releases, get a tag of
their own, keep-CLUSTER-SERVICE-DIGEST, whatever became of their other tags. A
lifecycle rule for keep-* then protects them. Pins that are no longer needed are
released; an image never loses its last tag.

  plimsoll pin --dry-run
  plimsoll pin --all

Exit 8: something that runs could not be pinned, or no lifecycle rule protects it.`
}

// Run pins.
func (c *pinCommand) Run(ctx context.Context, s *session) error {
	harbours, err := s.harbours(ctx, c.servicesNames, config.Flags{})
	if err != nil {
		return err
	}
	tell := s.tellerOf(harbours)
	results, errs := readAll(ctx, harbours, func(ctx context.Context, h *harbour) (retain.Result, error) {
		return retain.Pin(ctx, retention(h.client), retain.Request{Target: h.target, Keep: c.keep(h.settings), DryRun: c.DryRun}, tell)
	})
	return s.retained(harbours, results, errs, retain.Result.Safe)
}

type unpinCommand struct {
	Repository []string `help:"A repository to look into besides those of the service's releases; needed when the service is gone." placeholder:"NAME" group:"Names"`
	DryRun     bool     `help:"Say what would be done; change nothing."`
	servicesNames
}

// Help goes below the usage.
func (c *unpinCommand) Help() string {
	return `The pins of the service are taken away, and nothing else. One that is an image's
last tag besides other pins stays: ECR would delete the image with it.

  plimsoll unpin --service api
  plimsoll unpin --service old --repository web      # the service is gone`
}

// Run releases the pins.
func (c *unpinCommand) Run(ctx context.Context, s *session) error {
	harbours, err := s.harbours(ctx, c.servicesNames, config.Flags{})
	if err != nil {
		return err
	}
	tell := s.tellerOf(harbours)
	results, errs := readAll(ctx, harbours, func(ctx context.Context, h *harbour) (retain.Result, error) {
		request := retain.UnpinRequest{Target: h.target, DryRun: c.DryRun}
		for _, name := range c.Repository {
			ref, err := imageOf(ctx, h.ports.AWS, h.in(name), "any")
			if err != nil {
				return retain.Result{}, err
			}
			request.Repositories = append(request.Repositories, image.Reference{Registry: ref.Registry, Repository: ref.Repository})
		}
		if len(c.Repository) > 0 {
			caller, err := h.ports.AWS.Caller(ctx)
			if err != nil {
				return retain.Result{}, err
			}
			request.Caller = audit.Place{Account: caller.Account, Region: caller.Region}
		}
		return retain.Unpin(ctx, retention(h.client), request, tell)
	})
	return s.retained(harbours, results, errs, func(retain.Result) bool { return true })
}

// in is the settings with another repository.
func (h *harbour) in(repository string) config.Settings {
	set := h.settings
	set.Repository = config.Value{Value: repository, Source: "--repository"}
	return set
}

type rescueCommand struct {
	From    []string      `help:"REGISTRY/REPOSITORY, or a REPOSITORY of the same registry, that may have what is gone; several times for several. Where ECR replicates to is looked at by itself." placeholder:"NAME"`
	Timeout time.Duration `help:"How long to wait for an image from the archive." default:"45m" placeholder:"45m"`
	DryRun  bool          `help:"Say what would be done; change nothing."`
	keepFlag
	servicesNames
}

// Help goes below the usage.
func (c *rescueCommand) Help() string {
	return `What the service could not be restarted from is brought back: out of the archive,
or by a copy of the same bytes from another repository, checked by their digest.
What has lost its tags is pinned before a lifecycle rule takes it.

  plimsoll rescue --dry-run
  plimsoll rescue --from 123456789012.dkr.ecr.eu-west-1.amazonaws.com/web

Exit 8: something that runs could not be saved; what to build again is said.`
}

// Validate is called by kong.
func (c *rescueCommand) Validate() error {
	if c.Timeout <= 0 {
		return fmt.Errorf("--timeout=%s: it must be above 0", c.Timeout)
	}
	return c.keepFlag.Validate()
}

// Run rescues.
func (c *rescueCommand) Run(ctx context.Context, s *session) error {
	var from []image.Reference
	for _, name := range c.From {
		ref, err := image.Parse(name)
		if err != nil || ref.Tag != "" || ref.Digest != "" {
			return &usageError{fmt.Errorf("--from=%q: want REGISTRY/REPOSITORY, without a tag", name), "for example 123456789012.dkr.ecr.eu-west-1.amazonaws.com/web"}
		}
		from = append(from, ref)
	}
	harbours, err := s.harbours(ctx, c.servicesNames, config.Flags{})
	if err != nil {
		return err
	}
	tell := s.tellerOf(harbours)
	results, errs := readAll(ctx, harbours, func(ctx context.Context, h *harbour) (retain.Result, error) {
		return retain.Rescue(ctx, retention(h.client), retain.RescueRequest{
			Request: retain.Request{Target: h.target, Keep: c.keep(h.settings), DryRun: c.DryRun}, From: from, Timeout: c.Timeout,
		}, tell)
	})
	return s.retained(harbours, results, errs, retain.Result.Restartable)
}

// retention is the ports of package retain.
func retention(client *awsapi.Client) retain.Ports {
	return retain.Ports{AWS: client, Copier: copier{client}, Now: time.Now, Sleep: deploy.Sleep}
}

// pinner keeps what a service runs beside another command, as many releases as
// the settings say.
func pinner(client *awsapi.Client, set config.Settings) func(context.Context, deploy.Target, story.Teller) {
	return func(ctx context.Context, t deploy.Target, tell story.Teller) {
		retain.PinBeside(ctx, retention(client), retain.Request{Target: t, Keep: keepFlag{}.keep(set)}, tell)
	}
}

// copier copies between registries; ECR's are logged in to with the
// credentials at hand, others with docker's own logins.
type copier struct{ client *awsapi.Client }

// Copy implements [retain.Copier].
func (c copier) Copy(ctx context.Context, from, to image.Reference, tell story.Teller) error {
	as, err := c.login(ctx, from.Registry)
	if err != nil {
		return err
	}
	toAs, err := c.login(ctx, to.Registry)
	if err != nil {
		return err
	}
	err = build.Copy(ctx, build.CopyOptions{From: from, To: to, FromAs: as, ToAs: toAs}, tell)
	if errors.Is(err, build.ErrNotThere) {
		return fmt.Errorf("copy %s: %w", from, deploy.NotFound)
	}
	return err
}

// login is nil for a registry that is no ECR.
func (c copier) login(ctx context.Context, host string) (*build.Login, error) {
	login, err := loginTo(ctx, c.client, host)
	if errors.Is(err, deploy.Unsupported) {
		return nil, nil
	}
	return login, err
}

// tellerOf is where the story of one service, or of several, goes.
func (s *session) tellerOf(harbours []*harbour) story.Teller {
	if len(harbours) > 1 {
		return s.briefTerminal().Tell
	}
	return s.terminal().Tell
}

// retained shows what became of the images of services: a table, then what is
// not as it should be. good says whether a result is what was asked for.
func (s *session) retained(harbours []*harbour, results []retain.Result, errs []error, good func(retain.Result) bool) error {
	if err := s.terminal().Close(); err != nil {
		return err
	}
	ok := true
	for i, r := range results {
		if errs[i] != nil {
			continue
		}
		ok = ok && good(r)
		if s.json() {
			s.object(struct {
				retain.Result
				Safe   bool            `json:"safe"`
				Advice []retain.Advice `json:"advice,omitempty"`
			}{r, good(r), r.Advice()})
			continue
		}
		if err := s.showKept(r, len(results) > 1); err != nil {
			return err
		}
	}
	if err := s.unread(harbours, errs); err != nil {
		return err
	}
	if !ok {
		return &exitError{8}
	}
	return nil
}

// showKept shows what became of the images of one service.
func (s *session) showKept(r retain.Result, several bool) error {
	out := s.sys.Stdout
	fmt.Fprintf(out, "%s/%s: %s\n", r.Cluster, r.Service, r.Summary())
	table := keptTable(r)
	if len(table.Rows) > 0 {
		if err := s.terminal().Table(table); err != nil {
			return err
		}
	}
	for _, a := range r.Advice() {
		s.sentence("", "warning: "+a.What, 2)
		if a.Do != "" {
			fmt.Fprintf(out, "  %s\n", a.Do)
		}
	}
	if several {
		fmt.Fprintln(out)
	}
	return nil
}

// keptTable has a row for each image and each pin that is released; those of
// unpin alone need fewer columns.
func keptTable(r retain.Result) term.Table {
	table := term.Table{Header: []string{"CONTAINER", "IMAGE", "USE", "STATE", "PIN", "LIFECYCLE"}}
	for _, k := range r.Images {
		row := []string{strings.Join(k.Containers, ", "), imageOfKept(k), string(k.Use), stateOf(k), k.Pin, ""}
		if k.Fate != nil {
			row[5] = k.Fate.Why
		}
		table.Rows = append(table.Rows, row)
	}
	for _, p := range r.Released {
		state := "released"
		switch {
		case p.Left != "":
			state = "left"
		case p.DryRun:
			state = "would be released"
		}
		table.Rows = append(table.Rows, []string{"", image.ShortDigest(p.Digest), "", state, p.Pin, ""})
	}
	if len(r.Images) == 0 {
		table.Header = []string{"IMAGE", "STATE", "PIN"}
		for i, row := range table.Rows {
			table.Rows[i] = []string{row[1], row[3], row[4]}
		}
	}
	return table
}

// imageOfKept names an image; the name of its pin has the digest.
func imageOfKept(k retain.Kept) string {
	if k.Pin != "" && k.Tag != "" {
		k.Digest = ""
	}
	return k.String()
}

// stateOf is the state of an image in a word or two.
func stateOf(k retain.Kept) string {
	switch k.State {
	case retain.Already:
		return "pinned already"
	case retain.Planned:
		return "would be pinned"
	case retain.Failed:
		return "not pinned"
	case retain.Foreign:
		return "not ours"
	}
	return string(k.State)
}
