package dashboard_test

import (
	"context"
	"crypto/sha1"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/awsapi"
	"github.com/plimsoll-ecs/plimsoll/internal/browser"
	"github.com/plimsoll-ecs/plimsoll/internal/dashboard"
	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/guard"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/diagnose"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/client"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/fleet"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/maintenance"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
	"github.com/plimsoll-ecs/plimsoll/internal/strictyaml"
	"github.com/plimsoll-ecs/plimsoll/internal/survey"
)

const day = 24 * time.Hour

// yard is a drydock whose time a test turns by hand, and a client of it.
type yard struct {
	*drydock.Server
	t     *testing.T
	clock *clock.Clock
	there *client.Client
	aws   *awsapi.Client
	ports deploy.Ports
}

func newYard(t *testing.T, start time.Time) *yard {
	t.Helper()
	y := &yard{t: t, clock: clock.Manual(start)}
	var err error
	if y.Server, err = drydock.Start(t.Context(), drydock.Options{Runtime: drydock.Simulated, Clock: y.clock, Seed: 7}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := y.Close(); err != nil {
			t.Error(err)
		}
	})
	y.there = client.New(y.Endpoint(), drydock.DefaultRegion, nil)
	y.aws, err = awsapi.New(t.Context(), awsapi.Options{
		Region: drydock.DefaultRegion, Endpoint: y.Endpoint(), Credentials: credentials.NewStaticCredentialsProvider("drydock", "drydock", ""),
	})
	if err != nil {
		t.Fatal(err)
	}
	knowledge, err := diagnose.Load()
	if err != nil {
		t.Fatal(err)
	}
	y.ports = deploy.Ports{AWS: y.aws, Clues: y.aws, Knowledge: knowledge, Now: y.clock.Now, Sleep: func(ctx context.Context, d time.Duration) error {
		// The calls have a budget in real time: fewer looks make a faster test.
		if err := y.Advance(max(d, 20*time.Second)); err != nil {
			return err
		}
		return ctx.Err()
	}}
	return y
}

func (y *yard) advance(d time.Duration) {
	y.t.Helper()
	if err := y.Advance(d); err != nil {
		y.t.Fatal(err)
	}
}

func (y *yard) plant(text string) {
	y.t.Helper()
	docs, err := strictyaml.Documents("fleet.yaml", []byte(text))
	if err != nil {
		y.t.Fatal(err)
	}
	var f fleet.Fleet
	if err := docs[0].Decode(&f); err != nil {
		y.t.Fatal(err)
	}
	if _, err := (fleet.Planter{Client: y.there, Registry: y.Addr}).Plant(y.t.Context(), f); err != nil {
		y.t.Fatal(err)
	}
	y.advance(10 * time.Minute)
}

func (y *yard) push(reference string, labels map[string]string) {
	y.t.Helper()
	if _, err := y.there.Push(y.t.Context(), y.Addr, reference, client.Image{Labels: labels, Content: reference + y.clock.Now().String()}); err != nil {
		y.t.Fatal(err)
	}
}

// deploy deploys and wants an outcome.
func (y *yard) deploy(cluster, service, repository, tag, want string) {
	y.t.Helper()
	verdict, err := deploy.Deploy(y.t.Context(), y.ports, deploy.Request{
		Target: deploy.Target{Cluster: cluster, Service: service}, Image: image.Reference{Registry: y.Addr, Repository: repository, Tag: tag},
		Provenance: deploy.Provenance{Actor: "mika", GitSHA: fmt.Sprintf("%x", sha1.Sum([]byte(tag)))},
	}, func(story.Event) {})
	if err != nil || verdict.Outcome != want {
		y.t.Fatalf("deploy %s of %s: %s, want %s: %v %s", tag, service, verdict.Outcome, want, err, verdict.Summary)
	}
}

func (y *yard) retire(cluster, service string, in time.Duration) {
	y.t.Helper()
	body := map[string]any{"cluster": cluster, "service": service, "seconds": in.Seconds()}
	if err := y.there.Control(y.t.Context(), http.MethodPost, "retire", body, nil); err != nil {
		y.t.Fatal(err)
	}
}

// options are those of a dashboard of this drydock.
func (y *yard) options() dashboard.Options {
	return dashboard.Options{
		Survey: func(ctx context.Context, tell story.Teller) (audit.Fleet, error) {
			return survey.Survey(ctx, []survey.Spot{{AWS: y.aws}}, survey.Options{RollbackTargets: 3, AllRepositories: true, Tell: tell, Now: y.clock.Now})
		},
		Judge: audit.Options{Horizon: 14 * day, Unused: 90, Cadence: audit.PushCadence, Lint: audit.PolicyRemarks},
		Reach: func(context.Context, audit.Place, string, string) (dashboard.Reach, error) {
			return dashboard.Reach{Ports: y.ports}, nil
		},
		Plan: func(ctx context.Context, f audit.Fleet) (maintenance.Plan, error) {
			notices, err := maintenance.FromHealth(ctx, y.aws)
			if err != nil {
				return maintenance.Plan{}, err
			}
			return maintenance.Foresee(ctx, maintenance.Ports{Deploy: y.ports, Tasks: y.aws, Judge: maintenance.ByFleet(f)}, notices, nil)
		},
		Now: y.clock.Now,
	}
}

// site is a dashboard that is served.
type site struct {
	*dashboard.Server
	url string
	key string // the address that opens the session
}

// serve serves a dashboard for a test.
func serve(t *testing.T, o dashboard.Options) site {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	address := server.Listener.Addr().String()
	o.Guard = guard.New(address)
	board := dashboard.New(o)
	server.Config.Handler = board
	server.Start()
	t.Cleanup(func() {
		board.Close()
		server.Close()
	})
	return site{board, server.URL, o.Guard.URL(address)}
}

// visit opens the session in a browser.
func (s site) visit(t *testing.T) *browser.Tab {
	b := browser.Open(t, s.url)
	b.Go(s.key)
	return b
}

// harbour is two months of a company: a shared repository whose pushes push out
// what runs, a release that crashed, an image that is gone and whose tasks AWS
// is going to retire.
func harbour(t *testing.T) *yard {
	t.Helper()
	y := newYard(t, time.Date(2026, 9, 24, 8, 30, 0, 0, time.UTC))
	y.plant(`
repositories:
  shop: {lifecycle: {keep: 12}, images: [v1.0.0, worker-v3.2.0]}
  web: {mutability: IMMUTABLE, lifecycle: [{keep: 40, prefix: v}, {days: 14, untagged: true}], images: [v1.0.0]}
  checkout: {lifecycle: {keep: 4}, images: [v2.3.0]}
  search: {mutability: IMMUTABLE, images: [v0.9.1]}
  team/mailer: {lifecycle: [{days: 75, prefix: v}], images: [v4.0.2]}
services:
  api: {cluster: prod, image: "shop:v1.0.0", desired: 3}
  worker: {cluster: prod, image: "shop:worker-v3.2.0", desired: 2}
  web: {cluster: prod, image: "web:v1.0.0", desired: 4, breaker: rollback}
  checkout: {cluster: prod, image: "checkout:v2.3.0", desired: 2}
  search: {cluster: prod, image: "search:v0.9.1", desired: 1}
  mailer: {cluster: prod, image: "team/mailer:v4.0.2", desired: 1}
  web-staging: {cluster: staging, image: "web:v1.0.0", desired: 1}
  search-staging: {cluster: staging, image: "search:v0.9.1", desired: 0}
`)
	for n := range 57 {
		y.advance(day)
		switch n {
		case 9:
			y.push("web:v1.1.0", nil)
			y.deploy("prod", "web", "web", "v1.1.0", deploy.Stable)
		case 21:
			y.push("web:v1.2.0", map[string]string{"exit-after": "1s", "exit-code": "1", "log": "listening on :8080\nfatal: required environment variable CATALOGUE_URL is not set"})
			y.deploy("prod", "web", "web", "v1.2.0", deploy.RolledBack)
		case 22:
			y.push("web:v1.2.1", nil)
			y.deploy("prod", "web", "web", "v1.2.1", deploy.Stable)
		case 44:
			y.push("web:v1.3.0", nil)
			y.deploy("prod", "web", "web", "v1.3.0", deploy.Stable)
		case 30, 37, 45, 49, 52:
			y.push(fmt.Sprintf("checkout:v2.3.%d", n), nil)
		}
		if n%7 == 3 {
			y.push(fmt.Sprintf("shop:dev-%d", n), nil)
		}
	}
	y.retire("prod", "checkout", 6*day)
	y.retire("prod", "web", 6*day)
	y.retire("prod", "search", 13*day)
	y.advance(2 * time.Hour)
	return y
}
