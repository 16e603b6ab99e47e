package cli

import (
	"context"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/term"
)

type diffCommand struct {
	From     string `arg:"" optional:"" complete:"running,newest,deploy" help:"running (the default), newest, deploy, a revision number or family:revision."`
	To       string `arg:"" optional:"" complete:"running,newest,deploy" help:"The same; newest, or deploy with --image-tag, when not given."`
	ImageTag string `help:"Image of the side \"deploy\": what deploying this tag would register." placeholder:"TAG"`
	Base     string `help:"Template of the side \"deploy\", as of deploy." default:"latest" placeholder:"latest"`
	ExitCode bool   `help:"Exit with 8 when they differ."`
	deployNames
}

// Help goes below the usage.
func (c *diffCommand) Help() string {
	return `Settings that ECS fills in by itself do not count, nor does order. Values that
look like secrets are not shown.

  plimsoll diff                     # what runs, and the newest revision
  plimsoll diff --image-tag v1.2.0  # what runs, and what a deploy would bring
  plimsoll diff 41 42`
}

// Run shows how two task definitions differ.
func (c *diffCommand) Run(ctx context.Context, s *session) error {
	h, err := s.harbour(ctx, c.flags())
	if err != nil {
		return err
	}
	r := deploy.DiffRequest{
		Target: h.target, From: c.From, To: c.To, Base: c.Base,
		Family: h.settings.TaskDefinition.Value, Container: h.settings.Container.Value,
	}
	if c.ImageTag != "" {
		if r.Image, err = imageOf(ctx, h.ports.AWS, h.settings, c.ImageTag); err != nil {
			return err
		}
	}
	d, err := deploy.Diff(ctx, h.ports, r)
	if err != nil {
		return err
	}
	switch {
	case s.json():
		s.object(d)
	case len(d.Changes) == 0:
		fmt.Fprintf(s.sys.Stdout, "%s and %s are the same\n", sideName(d.From), sideName(d.To))
	default:
		shown := term.Diff{From: sideLine(d.From), To: sideLine(d.To)}
		for _, change := range d.Changes {
			shown.Changes = append(shown.Changes, term.Changed(change))
		}
		if err := s.terminal().Diff(shown); err != nil {
			return err
		}
	}
	if c.ExitCode && len(d.Changes) > 0 {
		return &exitError{8}
	}
	return nil
}

func sideName(side deploy.Side) string {
	if side.What == "" {
		return side.Name
	}
	return side.Name + " (" + side.What + ")"
}

// sideLine is all there is to know of a side: "web:12 (running), v1.0.0,
// registered 2026-11-21 10:00:00 by deployer".
func sideLine(side deploy.Side) string {
	parts := []string{sideName(side)}
	if side.ImageTag != "" {
		parts = append(parts, side.ImageTag)
	}
	if !side.RegisteredAt.IsZero() {
		registered := "registered " + side.RegisteredAt.Local().Format(time.DateTime)
		if side.RegisteredBy != "" {
			registered += " by " + path.Base(side.RegisteredBy)
		}
		parts = append(parts, registered)
	}
	return strings.Join(parts, ", ")
}
