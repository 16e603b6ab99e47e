package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle/loadline"
	"github.com/plimsoll-ecs/plimsoll/internal/retain"
)

type lifecycleShow struct {
	Repository string  `help:"ECR repository (ECR_REPOSITORY)." placeholder:"NAME" group:"Names"`
	Horizon    horizon `help:"How far ahead to look, such as 14d or 36h." default:"14d" placeholder:"14d"`
	As         string  `help:"picture, sentences (for screen readers, and where there are no block characters) or svg." enum:"picture,sentences,svg" default:"picture" placeholder:"picture"`
	rollbackDepth
}

// Help goes below the usage.
func (c *lifecycleShow) Help() string {
	return `Draws the load line of a repository: its images against the cut of the lifecycle
rule that each of them belongs to. What lies deep goes next; what runs is marked.

  plimsoll lifecycle show --repository web
  plimsoll lifecycle show --repository web --as svg > web.svg`
}

// Run draws it.
func (c *lifecycleShow) Run(ctx context.Context, s *session) error {
	q, err := s.quay(ctx, c.Repository, c.Rollbacks)
	if err != nil {
		return err
	}
	repo, uses, err := q.usage(ctx, c.Rollbacks)
	if err != nil {
		return err
	}
	found := audit.Report{At: retain.AsOf(repo, time.Now()), Horizon: time.Duration(c.Horizon)}
	line, err := loadLine(&repo, running(uses), found)
	if err != nil {
		return err
	}
	if s.json() {
		s.object(map[string]any{"repository": line.Repository, "at": line.At, "horizon": line.Horizon.String(), "images": marks(line)})
		return nil
	}
	as := c.As
	if s.plain() && as != "svg" {
		as = "sentences"
	}
	_, err = fmt.Fprint(s.sys.Stdout, drawLine(line, as, s.lineLook()))
	return err
}

// mark is an image on a load line, as JSON has it.
type mark struct {
	Digest string      `json:"digest"`
	Tags   []string    `json:"tags,omitempty"`
	Rule   int         `json:"rule,omitempty"` // priority; 0 where no rule selects it
	State  string      `json:"state"`
	InUse  []string    `json:"inUse,omitempty"`
	Sinks  *audit.When `json:"sinks,omitempty"`
}

// marks are the images of a line, those of each rule in the order they go.
func marks(line loadline.Line) []mark {
	all := []mark{}
	for _, lane := range line.Lanes {
		for _, m := range lane.Marks {
			shown := mark{Digest: m.Digest, Tags: m.Tags, State: stateName(m.State), InUse: m.InUse}
			if lane.Rule != nil {
				shown.Rule = lane.Rule.Priority
			}
			if sinks := m.Sinks; !sinks.Likely.IsZero() {
				shown.Sinks = &audit.When{Earliest: sinks.Earliest, Likely: sinks.Likely, Latest: sinks.Latest, Pushes: m.Pushes, Rule: shown.Rule}
			}
			all = append(all, shown)
		}
	}
	return all
}

func stateName(s loadline.State) string {
	switch s {
	case loadline.Under:
		return "under"
	case loadline.Sinking:
		return "sinking"
	case loadline.Threatened:
		return "threatened"
	case loadline.Afloat:
		return "afloat"
	}
	return "stays"
}

func drawLine(line loadline.Line, as string, look loadline.Look) string {
	switch as {
	case "svg":
		return loadline.SVG(line, 900)
	case "sentences":
		return loadline.Plain(line)
	}
	return loadline.Text(line, look)
}

// lineLook is how a load line looks on stdout.
func (s *session) lineLook() loadline.Look {
	o := s.termOptions()
	look := loadline.Look{Color: o.OutColor}
	if o.OutWidth != nil {
		look.Width = o.OutWidth()
	}
	return look
}

// running are the uses by what runs.
func running(uses []retain.PolicyUse) []audit.Use {
	var out []audit.Use
	for _, u := range uses {
		out = append(out, audit.Use{Digest: u.Digest, By: u.By, Since: u.Since, Earlier: u.Rollback})
	}
	return out
}
