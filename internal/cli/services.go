package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/plimsoll-ecs/plimsoll/internal/config"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// servicesNames say which services a command is about.
type servicesNames struct {
	Cluster string   `help:"ECS cluster, by name or ARN (ECS_CLUSTER)." placeholder:"NAME" group:"Names"`
	Service []string `help:"Service, by its name in plimsoll.yaml or in ECS, or by ARN (ECS_SERVICE); several times for several." placeholder:"NAME" group:"Names" xor:"services" complete:"services"`
	All     bool     `help:"All services of plimsoll.yaml." group:"Names" xor:"services"`
	Wave    []int    `help:"The services of plimsoll.yaml in this wave." placeholder:"N" group:"Names" xor:"services"`
}

func (n servicesNames) choice() config.Choice {
	return config.Choice{Services: n.Service, All: n.All, Waves: n.Wave}
}

// manyFlags say how to go about several services.
type manyFlags struct {
	MaxParallel   parallel `help:"So many services at once." default:"8" placeholder:"8" group:"Several services"`
	StopOnFailure bool     `help:"Begin no other service when one fails (the default)." xor:"failure" group:"Several services"`
	KeepGoing     bool     `help:"Go on with the others when one fails." xor:"failure" group:"Several services"`
}

// parallel is a number of services. That it checks itself, and not the flags
// around it, leaves Validate of a command to its other flags.
type parallel int

// Validate is called by kong.
func (n parallel) Validate() error {
	if n < 1 {
		return fmt.Errorf("%d: it must be above 0", n)
	}
	return nil
}

// harbours are where a command about several services works, by wave. They
// share one client, and so one call budget.
func (s *session) harbours(ctx context.Context, names servicesNames, flags config.Flags) ([]*harbour, error) {
	look, err := s.lookup()
	if err != nil {
		return nil, err
	}
	chosen, err := look.Choose(names.choice())
	if err != nil {
		return nil, err
	}
	if err := aboutOne(flags, len(chosen)); err != nil {
		return nil, err
	}
	settings := make([]config.Settings, len(chosen))
	seen := map[deploy.Target]string{}
	for i, c := range chosen {
		flags.Cluster, flags.Service, flags.OneOfMany = names.Cluster, c.Name, len(chosen) > 1
		if settings[i], err = look.Resolve(flags); err == nil {
			err = settings[i].Require(&settings[i].Cluster, &settings[i].Service)
		}
		if err != nil {
			return nil, err
		}
		target := targetOf(settings[i])
		if other, twice := seen[target]; twice {
			return nil, &usageError{fmt.Errorf("%s and %s are the same service, %s", other, c.Name, target), "name it once"}
		}
		seen[target] = c.Name
	}
	return s.moor(ctx, look, settings)
}

// aboutOne refuses flags that describe one service where several are meant.
func aboutOne(f config.Flags, services int) error {
	if services < 2 {
		return nil
	}
	for _, given := range [][2]string{{"--task-definition", f.TaskDefinition}, {"--container", f.Container}, {"--repository", f.Repository}} {
		if given[1] != "" {
			return &usageError{fmt.Errorf("%s is about one service, and %d are meant", given[0], services), "say it in " + config.FileName}
		}
	}
	return nil
}

// voyage is what a command does to each of its services.
type voyage struct {
	manyFlags
	check    func(*harbour) deploy.Act // before any of several is changed; nil: nothing
	do       func(*harbour) deploy.Act
	backward bool // the last wave first
	atOnce   bool // waves do not matter
	noWait   bool
	notifies string // by this name, who plimsoll.yaml wants to be told; "": nobody
}

// sail does it. One service has its verdict to itself; several have a line
// each, and a table at the end.
func (s *session) sail(ctx context.Context, harbours []*harbour, v voyage) error {
	if len(harbours) == 1 {
		return s.toldVerdict(ctx, harbours[0], v.notifies)(v.do(harbours[0])(ctx, s.terminal().Tell))
	}
	r := deploy.FleetRequest{MaxParallel: int(v.MaxParallel), KeepGoing: v.KeepGoing}
	for _, h := range harbours {
		m := deploy.Member{Target: h.target, Wave: h.settings.Wave.Value, Do: v.do(h)}
		if v.check != nil {
			m.Check = v.check(h)
		}
		if v.atOnce {
			m.Wave = 1
		}
		r.Members = append(r.Members, m)
	}
	slices.SortStableFunc(r.Members, func(a, b deploy.Member) int {
		if v.backward {
			a, b = b, a
		}
		return cmp.Compare(a.Wave, b.Wave)
	})
	if v.noWait && r.Members[0].Wave != r.Members[len(r.Members)-1].Wave {
		return &usageError{fmt.Errorf("--no-wait, and services of several waves: a wave begins when the one before it is stable"), "leave --no-wait out, or choose one wave with --wave"}
	}
	t := s.briefTerminal()
	results, err := deploy.Fleet(ctx, r, harbours[0].ports.Now, t.Tell)
	if err != nil {
		return err
	}
	sum := deploy.Sum(results)
	if s.json() {
		t.Tell(story.Event{Kind: story.Final, Message: sum.Summary, Verdict: &sum})
	} else {
		if err := t.Close(); err != nil {
			return err
		}
		if err := s.resultTable(results, sum); err != nil {
			return err
		}
	}
	s.notifyOf(ctx, harbours[0].client, v.notifies, results, sum)
	if sum.ExitCode != 0 {
		return &exitError{sum.ExitCode}
	}
	return nil
}
