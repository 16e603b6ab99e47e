package cli

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/awsapi"
	"github.com/plimsoll-ecs/plimsoll/internal/dashboard"
	"github.com/plimsoll-ecs/plimsoll/internal/demo"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
	"github.com/plimsoll-ecs/plimsoll/internal/survey"
	"github.com/plimsoll-ecs/plimsoll/internal/term"
)

type demoCommand struct {
	Runtime   string `help:"What runs containers: auto, docker or simulated." enum:"auto,docker,simulated" default:"auto"`
	Dashboard bool   `help:"Show it in the browser too, with what the days after bring, until Ctrl-C."`
}

// Help goes below the usage.
func (c *demoCommand) Help() string {
	return `Needs no account and no network. With a docker engine the containers are real.

  plimsoll demo
  plimsoll demo --runtime simulated
  plimsoll demo --dashboard`
}

// Run shows the demo.
func (c *demoCommand) Run(ctx context.Context, s *session) error {
	o := demo.Options{
		Runtime: drydock.Runtime(c.Runtime),
		Say: func(line string) {
			if !s.json() {
				s.narrate(line)
			}
		},
		Chapter: func() (story.Teller, func() error) {
			t := term.New(s.termOptions())
			return t.Tell, t.Close
		},
	}
	if c.Dashboard {
		o.Aboard = s.deck
	}
	return demo.Run(ctx, o)
}

// deck is a dashboard of the demo's drydock.
func (s *session) deck(ctx context.Context, client *awsapi.Client, ports deploy.Ports) (demo.Deck, error) {
	a := (&dashboardCommand{Horizon: horizon(14 * 24 * time.Hour), RollbackTargets: 3}).audit()
	o := dashboard.Options{
		Judge: audit.Options{Horizon: time.Duration(a.Horizon), Cadence: audit.PushCadence, Lint: audit.PolicyRemarks},
		Survey: func(ctx context.Context, tell story.Teller) (audit.Fleet, error) {
			return survey.Survey(ctx, []survey.Spot{{AWS: client}}, a.reads(tell))
		},
		Reach: func(context.Context, audit.Place, string, string) (dashboard.Reach, error) {
			return dashboard.Reach{Ports: ports}, nil
		},
		Log: s.log(),
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return demo.Deck{}, fmt.Errorf("open the dashboard: %w", err)
	}
	board, url := s.guarded(listener, o)
	board.Refresh()
	s.showAddress(url)
	ended := make(chan error, 1)
	serving, stop := context.WithCancel(ctx)
	go func() { ended <- serve(serving, listener, board) }()
	return demo.Deck{Refresh: board.Refresh, Close: func() {
		stop()
		<-ended // it ends because it was told to
	}}, nil
}

// narrate writes a line of the narrator to stderr, in lines that fit.
func (s *session) narrate(line string) {
	o := s.termOptions()
	width := 0
	switch {
	case s.plain():
		line = strings.TrimLeft(line, "─ ") // the mark of a chapter
	case o.Width != nil:
		width = o.Width()
	}
	fmt.Fprintln(s.sys.Stderr, term.Hang("", line, 0, width))
}
