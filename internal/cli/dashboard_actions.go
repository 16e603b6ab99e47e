package cli

import (
	"context"
	"fmt"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/awsapi"
	"github.com/plimsoll-ecs/plimsoll/internal/config"
	"github.com/plimsoll-ecs/plimsoll/internal/dashboard"
	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/actions"
	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/runs"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// acting is how services are acted on from the dashboard.
func (s *session) acting(places *anchorage) dashboard.Acting {
	return dashboard.Acting{
		By: s.provenance().Actor,
		Berth: func(ctx context.Context, at audit.Place, cluster, service string) (actions.Berth, error) {
			client, err := places.client(ctx, at)
			if err != nil {
				return actions.Berth{}, err
			}
			set, err := places.look.SettingsOf(cluster, service)
			if err != nil {
				return actions.Berth{}, err
			}
			return s.berth(client, places.ports(client), set), nil
		},
	}
}

// berth is where one service is acted on, as its settings want it.
func (s *session) berth(client *awsapi.Client, ports deploy.Ports, set config.Settings) actions.Berth {
	h := &harbour{client: client, ports: ports, settings: set, target: targetOf(set)}
	if set.Pin.Value {
		h.ports.Settled = pinner(client, set)
	}
	b := actions.Berth{
		Ports: h.ports, Retain: retention(client),
		Family: set.TaskDefinition.Value, Container: set.Container.Value, Policy: set.Tags.Value, Protected: set.Protected.Value,
		Timeout: set.Timeout.Value, Watching: watchFlags{}.watching(set), Keep: keepFlag{}.keep(set),
		Lay: func(r *deploy.Request) error { return hookFlags{}.lay(r, set) },
		Told: func(ctx context.Context, verb string, v story.Verdict, err error) {
			if verb == "deploy" || verb == "rollback" {
				_ = s.toldVerdict(ctx, h, verb)(v, err) // it is an exit code, which a run has of its own
			}
		},
	}
	if set.Repository.Value != "" {
		b.Images = func(ctx context.Context, tag string) (image.Reference, []deploy.Replacement, error) {
			return h.images(ctx, tag)
		}
	}
	return b
}

// cutShort says how runs are taken up again that the end of the dashboard has
// let go of.
func (s *session) cutShort(list []*runs.Run) {
	for _, r := range list {
		told, _ := r.Told()
		if told.Verdict == nil {
			continue
		}
		if s.json() {
			s.object(story.Event{Time: r.Began, Kind: story.Final, Service: r.Cluster + "/" + r.Service, Message: told.Verdict.Summary, Verdict: told.Verdict})
			continue
		}
		fmt.Fprintf(s.sys.Stderr, "%s: %s: %s\n", r.Title, told.Verdict.Outcome, told.Verdict.Summary)
		for _, next := range told.Verdict.Next {
			fmt.Fprintf(s.sys.Stderr, "  %s\n", next)
		}
	}
}
