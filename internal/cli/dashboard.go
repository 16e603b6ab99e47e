package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/awsapi"
	"github.com/plimsoll-ecs/plimsoll/internal/config"
	"github.com/plimsoll-ecs/plimsoll/internal/dashboard"
	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/guard"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/diagnose"
	"github.com/plimsoll-ecs/plimsoll/internal/loopback"
	"github.com/plimsoll-ecs/plimsoll/internal/maintenance"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
	"github.com/plimsoll-ecs/plimsoll/internal/survey"
)

type dashboardCommand struct {
	Listen          string   `help:"Loopback address to listen on; port 0 is a free one." default:"127.0.0.1:0" placeholder:"HOST:PORT"`
	ReadyFile       string   `help:"File to write the address to once it answers; removed at the end." type:"path" placeholder:"FILE"`
	AllowActions    bool     `help:"Serve what changes something, too: deploy, roll back, scale, pin."`
	Horizon         horizon  `help:"How far ahead to look, such as 14d or 36h." default:"14d" placeholder:"14d"`
	Cluster         []string `help:"Only this cluster, by name or ARN; several times for several. All are read otherwise." placeholder:"NAME" group:"What is read"`
	RollbackTargets int      `help:"How many earlier releases of each service must stay within reach." default:"3" placeholder:"3" group:"What is read"`
	AllRepositories bool     `help:"Read the images of repositories too that nothing here refers to." group:"What is read"`
	Roles           bool     `help:"Read the policies of the roles that task definitions name." group:"What is read"`
	From            string   `help:"Show what audit --save has kept. Nothing is asked of AWS." placeholder:"FILE" group:"What is read" type:"existingfile"`
}

// Validate is called by kong.
func (c *dashboardCommand) Validate() error {
	if c.From != "" && c.AllowActions {
		return errors.New("--allow-actions acts on AWS, and --from shows a file")
	}
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("--listen=%s: want host:port, such as 127.0.0.1:8080", c.Listen)
	}
	if !loopback.Is(host) {
		return fmt.Errorf("--listen=%s: it is not loopback, and the pages show the whole fleet: 127.0.0.1, ::1 or localhost", c.Listen)
	}
	return c.audit().Validate()
}

// Help goes below the usage.
func (c *dashboardCommand) Help() string {
	return `Reads what plimsoll audit reads, once, and shows it in the browser: the fleet by
restart safety, services, load lines, maintenance, findings. Nothing is changed
without --allow-actions, and then every change is asked twice.

  plimsoll dashboard
  plimsoll dashboard --allow-actions
  plimsoll dashboard --from fleet.json.gz`
}

// audit is the audit of what the dashboard shows.
func (c *dashboardCommand) audit() *auditCommand {
	return &auditCommand{
		Horizon: c.Horizon, Unused: horizon(90 * 24 * time.Hour), Cluster: c.Cluster, RollbackTargets: c.RollbackTargets,
		AllRepositories: c.AllRepositories, Roles: c.Roles, From: c.From, auditOutput: auditOutput{Format: []string{string(asTable)}},
	}
}

// Run serves until ctx ends.
func (c *dashboardCommand) Run(ctx context.Context, s *session) error {
	o, err := c.options(ctx, s)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return &usageError{fmt.Errorf("--listen=%s: %w", c.Listen, err), "port 0 is a free one"}
	}
	board, url := s.guarded(listener, o)
	defer board.Close()
	board.Refresh()
	s.showAddress(url)
	if c.ReadyFile != "" {
		if err := writeWhole(c.ReadyFile, url+"\n"); err != nil {
			return err
		}
		defer os.Remove(c.ReadyFile)
	}
	err = serve(ctx, listener, board)
	s.cutShort(board.CutShort())
	return err
}

// guarded is a dashboard behind a guard of its own, and the address that opens
// it.
func (s *session) guarded(listener net.Listener, o dashboard.Options) (board *dashboard.Server, url string) {
	address := listener.Addr().String()
	o.Guard = guard.New(address)
	return dashboard.New(o), o.Guard.URL(address)
}

// showAddress says where the dashboard is.
func (s *session) showAddress(url string) {
	if s.json() {
		s.object(map[string]string{"url": url})
		return
	}
	fmt.Fprintln(s.sys.Stdout, url)
	fmt.Fprintln(s.sys.Stderr, "the dashboard is at the address above, which is the key to it; end it with Ctrl-C")
}

// serve answers until ctx ends, and gives what is under way a moment.
func serve(ctx context.Context, listener net.Listener, board *dashboard.Server) error {
	server := &http.Server{Handler: board, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 3 * time.Minute, MaxHeaderBytes: 64 << 10}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve the dashboard: %w", err)
	case <-ctx.Done():
	}
	board.Close()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := server.Shutdown(last); err != nil {
		return server.Close()
	}
	return nil
}

func (c *dashboardCommand) options(ctx context.Context, s *session) (dashboard.Options, error) {
	look, err := s.lookup()
	if err != nil {
		return dashboard.Options{}, err
	}
	a := c.audit()
	o := dashboard.Options{From: c.From, AllowActions: c.AllowActions, Log: s.log()}
	o.Version, _ = buildVersion()
	if o.Judge, err = a.options(look); err != nil {
		return o, err
	}
	windows, err := look.Maintenance()
	if err != nil {
		return o, err
	}
	if o.Windows, err = maintenance.ParseWindows(windows.Windows); err != nil {
		return o, &usageError{err, hintOf(err)}
	}
	if c.From != "" {
		fleet, err := survey.ReadFleet(c.From)
		o.Survey = func(context.Context, story.Teller) (audit.Fleet, error) { return fleet, nil }
		return o, slip(err)
	}
	spots, err := s.spots(ctx, look)
	if err != nil {
		return o, err
	}
	o.Survey = func(ctx context.Context, tell story.Teller) (audit.Fleet, error) {
		return survey.Survey(ctx, spots, a.reads(tell))
	}
	knowledge, err := diagnose.Load()
	if err != nil {
		return o, fmt.Errorf("load the diagnoses: %w", err)
	}
	places := &anchorage{look: look, spots: spots, knowledge: knowledge, known: map[audit.Place]*awsapi.Client{}}
	o.Reach, o.Plan, o.Acting = places.reach, places.plan, s.acting(places)
	return o, nil
}

// anchorage is where services of several places are asked.
type anchorage struct {
	look      config.Lookup
	spots     []survey.Spot
	knowledge *diagnose.Knowledge

	mu    sync.Mutex
	known map[audit.Place]*awsapi.Client
}

// client is the one for a place.
func (a *anchorage) client(ctx context.Context, at audit.Place) (*awsapi.Client, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if client := a.known[at]; client != nil {
		return client, nil
	}
	for _, spot := range a.spots {
		client, ok := spot.AWS.(*awsapi.Client)
		if !ok {
			continue
		}
		caller, err := client.Caller(ctx)
		if err != nil {
			continue // said where the fleet is read
		}
		a.known[audit.Place{Account: caller.Account, Region: caller.Region}] = client
	}
	if client := a.known[at]; client != nil {
		return client, nil
	}
	return nil, fmt.Errorf("account %s in %s cannot be reached", at.Account, at.Region)
}

func (a *anchorage) reach(ctx context.Context, at audit.Place, cluster, service string) (dashboard.Reach, error) {
	client, err := a.client(ctx, at)
	if err != nil {
		return dashboard.Reach{}, err
	}
	return dashboard.Reach{Ports: a.ports(client)}, nil
}

// ports are those of the use cases.
func (a *anchorage) ports(client *awsapi.Client) deploy.Ports {
	return deploy.Ports{AWS: client, Clues: client, Console: client.IsAWS(), Knowledge: a.knowledge, Now: time.Now, Sleep: deploy.Sleep}
}

// plan is what retires in all places, judged by the fleet that was read already.
func (a *anchorage) plan(ctx context.Context, fleet audit.Fleet) (maintenance.Plan, error) {
	var all maintenance.Plan
	for _, at := range fleet.Places {
		client, err := a.client(ctx, at)
		if err != nil {
			return all, err
		}
		notices, err := maintenance.FromHealth(ctx, client)
		if err != nil {
			return all, err
		}
		ports := maintenance.Ports{
			Deploy: deploy.Shared(deploy.Ports{AWS: client, Clues: client, Knowledge: a.knowledge, Now: time.Now, Sleep: deploy.Sleep}),
			Tasks:  client,
			Judge:  maintenance.ByFleet(fleet),
		}
		plan, err := maintenance.Foresee(ctx, ports, notices, a.look.WaveOf)
		if err != nil {
			return all, err
		}
		all.TakenAt, all.Items = plan.TakenAt, append(all.Items, plan.Items...)
	}
	slices.SortStableFunc(all.Items, func(x, y maintenance.Item) int { return x.At.Compare(y.At) })
	return all, nil
}
