// Package drydock is an embedded AWS: ECS, ECR with its OCI registry,
// CloudWatch Logs and STS on one loopback port, enough for the unmodified aws
// CLI, SDKs and docker to build, push, deploy and watch a service offline.
//
// [Start] brings it up; [Server.Env] are the variables that point a client at
// it. What is refused here is refused in AWS's words, and what is not there
// answers as an unknown operation, so that nothing passes by accident.
package drydock

import (
	"context"
	cryptorand "crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	goruntime "runtime"
	"strings"
	"sync"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/access"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/autoscaling"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/behaviour"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/console"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecr"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecs"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/elb"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/events"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/faults"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/health"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/iam"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/logs"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/news"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/registry"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/runtime"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/runtime/docker"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/runtime/simulated"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/secretsmanager"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ssm"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
	"github.com/plimsoll-ecs/plimsoll/internal/loopback"
)

// Options say what kind of drydock to start. The zero value is a drydock in
// memory on a free port.
type Options struct {
	Listen string // loopback host:port; "" is a free port of 127.0.0.1
	// AllowRemote lets Listen be an address that other machines can reach.
	// Everybody who does may do anything: drydock takes any credentials.
	AllowRemote bool
	// Anonymous lets docker push and pull without a login.
	Anonymous bool
	Data      string  // folder that keeps everything; "" keeps it in memory
	Runtime   Runtime // "" is auto
	TimeScale float64 // divides the scheduler's own durations; 0 is DefaultTimeScale
	Account   string  // "" is DefaultAccount
	Region    string  // "" is DefaultRegion
	Log       *slog.Logger
	// Clock replaces the real clock, for tests that turn time by hand.
	Clock *clock.Clock
	// Seed makes what is made up (ids, zones) the same in every drydock that is
	// asked the same at the same times. 0 is another one every time.
	Seed uint64
}

// Runtime is what runs the containers of a task.
type Runtime string

// The runtimes. Auto is docker where an engine answers, else simulated.
const (
	Auto      Runtime = "auto"
	Docker    Runtime = "docker"
	Simulated Runtime = "simulated"
)

// Defaults of [Options].
const (
	DefaultTimeScale = 20
	DefaultAccount   = "123456789012"
	DefaultRegion    = "ap-northeast-1"
)

// Server is a running drydock.
type Server struct {
	Addr    string  // host:port it listens on
	Runtime Runtime // docker or simulated

	options  Options
	clock    *clock.Clock
	store    *store.Store
	tasks    *ecs.ECS
	services []wire.Service
	iam      *iam.IAM
	access   *authority
	logs     *logs.Logs
	runtime  runtime.Runtime
	http     *http.Server
	stop     context.CancelFunc
	finished sync.WaitGroup

	events   *events.Stream
	faults   *faults.Set
	requests *requestLog
	changed  news.Bell // rung after every change of what is kept, and every event
	page     *console.Console

	behaviours *behaviour.Set
	images     *ecr.Registry
	messaging  messaging

	advancing sync.Mutex
	calendar  calendar
}

// Start brings a drydock up. It answers when Start returns; ctx bounds the
// start only. A listen address that is not loopback is a [RemoteListenError]
// unless it is allowed: there is no authentication worth the name.
func Start(ctx context.Context, o Options) (*Server, error) {
	o = o.withDefaults()
	if err := checkListen(o.Listen, o.AllowRemote); err != nil {
		return nil, err
	}
	s := &Server{options: o, clock: o.Clock}
	if s.clock == nil {
		s.clock = clock.Real(o.TimeScale)
	}
	s.faults = faults.New(s.clock.Now)
	s.requests = newRequestLog(s.clock.Now, keptRequests)
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (o Options) withDefaults() Options {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Runtime == "" {
		o.Runtime = Auto
	}
	if o.TimeScale == 0 {
		o.TimeScale = DefaultTimeScale
	}
	if o.Account == "" {
		o.Account = DefaultAccount
	}
	if o.Region == "" {
		o.Region = DefaultRegion
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Seed == 0 {
		o.Seed = seed()
	}
	return o
}

// open brings the parts up in the order they need one another. What it opened
// before an error is closed by Close.
func (s *Server) open(ctx context.Context) error {
	o := s.options
	var err error
	if o.Data == "" {
		s.store = store.Ephemeral()
	} else if s.store, err = store.Open(o.Data); err != nil {
		return err
	}
	s.store.OnChange(s.changed.Ring)
	listener, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", o.Listen, err)
	}
	s.Addr = advertised(o.Listen, listener.Addr())
	if err := s.resumeCalendar(); err != nil {
		return errors.Join(err, listener.Close())
	}
	if err := s.openMessaging(); err != nil {
		return errors.Join(err, listener.Close())
	}
	images, err := ecr.New(ecr.Options{
		Account: o.Account, Region: o.Region, Clock: s.clock, Store: s.store, Log: o.Log,
		Events: s.events.From("aws.ecr"),
		Host:   func() string { return s.Addr },
	})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	if s.iam, err = iam.New(iam.Options{Account: o.Account, Clock: s.clock, Store: s.store, Seed: o.Seed}); err != nil {
		return errors.Join(err, listener.Close())
	}
	s.access = &authority{iam: s.iam, images: images, place: access.Place{Account: o.Account, Region: o.Region}, tasks: func() *ecs.ECS { return s.tasks }}
	s.images = images
	if s.logs, err = logs.New(logs.Options{Account: o.Account, Region: o.Region, Clock: s.clock, Store: s.store}); err != nil {
		return errors.Join(err, listener.Close())
	}
	secrets, err := secretsmanager.New(secretsmanager.Options{
		Account: o.Account, Region: o.Region, Clock: s.clock, Store: s.store, Log: o.Log, Seed: o.Seed,
	})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	parameters, err := ssm.New(ssm.Options{Account: o.Account, Region: o.Region, Clock: s.clock, Store: s.store})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	if err = s.openRuntime(ctx, images); err != nil {
		return errors.Join(err, listener.Close())
	}

	if s.behaviours, err = behaviour.New(s.store); err != nil {
		return errors.Join(err, listener.Close())
	}

	// The registry answers before ECS loads: a service that goes on from a
	// data folder pulls at once.
	var loaded http.Handler
	balancing, err := elb.New(elb.Options{
		Account: o.Account, Region: o.Region, Clock: s.clock, Store: s.store, Prober: s.runtime, Log: o.Log, Seed: o.Seed,
		Changed: func(task string) { s.tasks.TargetChanged(task) },
	})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	aws := http.NewServeMux()
	aws.Handle("/v2/", registry.Guarded(images, registry.Guard{Anonymous: o.Anonymous, Allow: s.access.allowRegistry}, o.Log))
	aws.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { loaded.ServeHTTP(w, r) })
	s.tasks, err = ecs.New(ecs.Options{
		Account: o.Account, Region: o.Region, Clock: s.clock, Store: s.store,
		Runtime: s.runtime, Balancer: balancing, Images: puller{images, s.behaviours}, Logs: s.logs, Secrets: secretReader{secrets, parameters, roles{s.iam, images}}, Roles: roles{s.iam, images}, Log: o.Log, Seed: o.Seed,
		Events: s.events.From("aws.ecs"), Notices: health.Notifier{Account: o.Account, Region: o.Region, Events: s.events.From("aws.health")},
	})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	scaling, err := autoscaling.New(autoscaling.Options{Account: o.Account, Region: o.Region, Clock: s.clock, Store: s.store, Services: s.tasks, Log: o.Log, Seed: o.Seed})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	s.openCourier()
	s.services = append([]wire.Service{s.tasks.Service(), images.Service(), s.logs.Service(), s.iam.STS(), s.iam.Service(), health.Service(o.Account, o.Region, s.tasks), secrets.Service(), parameters.Service(), balancing.Service(), scaling.Service()}, s.messaging.services()...)
	loaded = wire.NewMux(o.Log, s.services...)
	s.page = console.New(s.views(images))

	running, stop := context.WithCancel(context.Background())
	s.stop = stop
	limits := limitsOf(o)
	s.http = &http.Server{
		Handler: s.handler(aws, limits), ReadHeaderTimeout: limits.header, IdleTimeout: limits.idle, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn),
	}
	s.http.RegisterOnShutdown(s.events.Close) // who follows would hold the end up
	s.http.RegisterOnShutdown(s.page.Close)
	s.http.RegisterOnShutdown(s.messaging.queues.Close) // so would who waits for messages
	s.finished.Go(func() {
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			o.Log.Error("drydock stopped serving", "error", err)
		}
	})
	if o.Clock == nil {
		s.finished.Go(func() { s.clock.Run(running) })
	}
	return nil
}

// handler wraps what stands for AWS: how long and who may call at all, then
// the log, which sees the faults as clients do, then the faults. The control API is behind
// neither, so that a drydock that refuses everything can be told to stop.
func (s *Server) handler(aws http.Handler, l limits) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/_drydock/", s.control())
	mux.Handle("GET /_drydock/events", sameOrigin(s.events))
	mux.Handle("GET /_drydock/state", sameOrigin(http.HandlerFunc(s.getState)))
	mux.Handle("GET /_drydock/{$}", sameOrigin(s.page))
	mux.Handle("GET /_drydock/page/", sameOrigin(s.page))
	mux.Handle("GET /_drydock", sameOrigin(http.RedirectHandler("/_drydock/", http.StatusMovedPermanently)))
	mux.Handle("POST /_drydock/oidc", sameOrigin(http.HandlerFunc(s.postIssuer)))
	mux.Handle("POST /_drydock/retire", sameOrigin(health.Retire(s.options.Region, s.tasks)))
	mux.Handle("/", withCall(s.requests.wrap(s.faults.Wrap(s.access.wrap(aws), faultCall))))
	return l.wrap(onlyOurHosts(s.options.Listen, mux))
}

// advertised is the address that clients are given: repository URIs are made
// of it. A name that was listened on stays a name, and who listens everywhere
// is at least on loopback.
func advertised(listen string, got net.Addr) string {
	host, _, _ := net.SplitHostPort(listen)
	_, port, err := net.SplitHostPort(got.String())
	switch {
	case err != nil || loopback.Is(host):
		return got.String()
	case everywhere(host):
		return net.JoinHostPort("127.0.0.1", port)
	}
	return net.JoinHostPort(host, port)
}

func (s *Server) openRuntime(ctx context.Context, images *ecr.Registry) error {
	kind := s.options.Runtime
	if kind == Auto {
		kind = Simulated
		// Elsewhere the engine runs in a virtual machine, which cannot reach
		// this loopback to pull.
		if goruntime.GOOS == "linux" && docker.Available(ctx) == nil {
			kind = Docker
		}
	}
	s.Runtime = kind
	switch kind {
	case Simulated:
		s.runtime = simulated.New(s.clock)
		return nil
	case Docker:
		r, err := docker.New(ctx, docker.Options{
			Host: func() string { return s.Addr }, Auth: images.Credentials, Log: s.options.Log, Clock: s.clock,
		})
		if err != nil {
			return fmt.Errorf("docker runtime: %w", err)
		}
		s.runtime = r
		return nil
	}
	return fmt.Errorf("runtime %q is not one of auto, docker, simulated", kind)
}

// seed makes ids differ from one drydock to the next.
func seed() uint64 {
	var b [8]byte
	_, _ = cryptorand.Read(b[:]) // never fails, by its own documentation
	return binary.LittleEndian.Uint64(b[:])
}

// Close ends everything that was started, containers included.
func (s *Server) Close() error {
	var errs []error
	if s.http != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := s.http.Shutdown(ctx); err != nil {
			errs = append(errs, s.http.Close()) // a pull that hangs must not hold the exit up
		}
		s.stop()
	}
	if s.runtime != nil {
		errs = append(errs, s.runtime.Close())
	}
	s.finished.Wait()
	if s.logs != nil {
		errs = append(errs, s.logs.Close())
	}
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	return errors.Join(errs...)
}

// Remote says that other machines can reach it.
func (s *Server) Remote() bool {
	host, _, _ := net.SplitHostPort(s.options.Listen)
	return !loopback.Is(host)
}

// Endpoint is the base URL of the API.
func (s *Server) Endpoint() string { return "http://" + s.Addr }

// Page is the URL of the page that shows it in a browser.
func (s *Server) Page() string { return s.Endpoint() + console.Base }

// Variable is one environment variable.
type Variable struct{ Name, Value string }

// Env are the variables that point the aws CLI, SDKs, terraform and the
// article's pipeline at this drydock. NO_PROXY keeps loopback off any proxy.
func (s *Server) Env() []Variable {
	noProxy := "127.0.0.1,localhost,::1"
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		if set := os.Getenv(name); set != "" {
			noProxy = set + "," + noProxy
			break
		}
	}
	return []Variable{
		{"AWS_ENDPOINT_URL", s.Endpoint()},
		{"AWS_ENDPOINT_URL_STS", s.Endpoint()}, // the SDK for Go takes no other to assume a role with
		{"AWS_REGION", s.options.Region},
		{"AWS_DEFAULT_REGION", s.options.Region},
		{"AWS_ACCESS_KEY_ID", "drydock"},
		{"AWS_SECRET_ACCESS_KEY", "drydock"},
		{"ECR_REGISTRY", s.Addr},
		{"NO_PROXY", noProxy},
		{"no_proxy", noProxy},
	}
}

// Environ lays [Server.Env] over an environment and takes out what would send
// a client elsewhere or with other credentials.
func (s *Server) Environ(base []string) []string {
	var out []string
	for _, kv := range base {
		name, _, _ := strings.Cut(kv, "=")
		switch {
		case strings.HasPrefix(name, "AWS_ENDPOINT_URL"), name == "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
			name == "AWS_PROFILE", name == "AWS_DEFAULT_PROFILE", name == "AWS_SESSION_TOKEN",
			name == "AWS_WEB_IDENTITY_TOKEN_FILE", name == "AWS_ROLE_ARN":
		default:
			out = append(out, kv)
		}
	}
	for _, v := range s.Env() {
		out = append(out, v.Name+"="+v.Value)
	}
	return out
}
