package actions

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/retain"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// Outcomes of pin and unpin, which have no rollout and so none of its verdicts.
const (
	pinned   = "pinned"
	released = "released"
	unsafe   = "not-safe" // something that runs could not be pinned, or nothing protects it: exit 8
)

// via is the pipeline of what the dashboard deploys, in tags and history.
const via = "dashboard"

// carry does what was ordered, or says what would be done.
func (a *Actions) carry(ctx context.Context, b Berth, s Service, o order, dry bool, tell story.Teller) (story.Verdict, error) {
	target := s.target()
	switch o.verb {
	case deployVerb:
		request, err := a.request(ctx, b, s, o)
		if err != nil {
			return story.Verdict{}, err
		}
		request.DryRun = dry
		return deploy.Deploy(ctx, b.Ports, request, tell)
	case rollbackVerb:
		return deploy.Rollback(ctx, b.Ports, deploy.RollbackRequest{
			Target: target, To: o.to, Container: b.Container, DryRun: dry, TakeOver: o.supersede, Timeout: b.Timeout, Watching: b.Watching,
			Provenance: a.provenance(),
		}, tell)
	case pinVerb, unpinVerb:
		return keep(ctx, b, s, o, dry, tell)
	}
	request := deploy.ScaleRequest{Target: target, Count: o.count, Protected: b.Protected, DryRun: dry, Timeout: b.Timeout, Watching: b.Watching, Provenance: a.provenance()}
	switch o.verb {
	case stopVerb:
		return deploy.Stop(ctx, b.Ports, request, tell)
	case startVerb:
		return deploy.Start(ctx, b.Ports, request, tell)
	}
	return deploy.Scale(ctx, b.Ports, request, tell)
}

// provenance is who orders, and from where.
func (a *Actions) provenance() deploy.Provenance {
	return deploy.Provenance{Actor: a.By, Pipeline: via}
}

// request is a deploy as it was ordered.
func (a *Actions) request(ctx context.Context, b Berth, s Service, o order) (deploy.Request, error) {
	ref, others, err := b.images(ctx, s, o.tag)
	if err != nil {
		return deploy.Request{}, err
	}
	r := deploy.Request{
		Target: s.target(), Family: b.Family, Container: b.Container, Image: ref, Others: others, Policy: b.Policy, Base: o.base,
		Desired: o.desired, Force: o.force, TakeOver: o.supersede, Timeout: b.Timeout, Watching: b.Watching,
		Provenance: a.provenance(),
	}
	if b.Lay != nil {
		err = b.Lay(&r)
	}
	return r, err
}

// keep pins or unpins, and makes a verdict of what came of it.
func keep(ctx context.Context, b Berth, s Service, o order, dry bool, tell story.Teller) (story.Verdict, error) {
	var result retain.Result
	var err error
	v := story.Verdict{Outcome: pinned}
	if o.verb == pinVerb {
		result, err = retain.Pin(ctx, b.Retain, retain.Request{Target: s.target(), Keep: b.Keep, DryRun: dry}, tell)
	} else {
		v.Outcome = released
		result, err = retain.Unpin(ctx, b.Retain, retain.UnpinRequest{
			Target: s.target(), Caller: audit.Place{Account: s.Account, Region: s.Region}, DryRun: dry,
		}, tell)
	}
	if err != nil {
		return story.Verdict{}, err
	}
	say := func(kind story.Kind, text string) {
		tell(story.Event{Time: b.Ports.Now(), Kind: kind, Step: story.Pin, Service: s.String(), Message: text})
	}
	for _, k := range result.Images {
		state := stateWords(k.State)
		if k.Pin != "" {
			state += " as " + k.Pin
		}
		say(story.Change, fmt.Sprintf("%s: %s", k, state))
	}
	for _, p := range result.Released {
		say(story.Change, fmt.Sprintf("%s of %s: %s", p.Pin, path.Base(p.Repository), releasedWords(p)))
	}
	for _, advice := range result.Advice() {
		say(story.Warning, advice.String())
	}
	v.Summary = result.Summary()
	if o.verb == pinVerb && !result.Safe() {
		v.Outcome, v.ExitCode = unsafe, 8
	}
	if dry {
		v.Summary = "dry run: " + v.Summary + "; nothing was changed"
	}
	return v, nil
}

func stateWords(s retain.State) string {
	switch s {
	case retain.Already:
		return "pinned already"
	case retain.Planned:
		return "will be pinned"
	case retain.Failed:
		return "not pinned"
	case retain.Foreign:
		return "not ours to keep"
	}
	return string(s)
}

func releasedWords(p retain.Released) string {
	switch {
	case p.Left != "":
		return "stays, " + p.Left
	case p.DryRun:
		return "will be released"
	}
	return "released"
}

// name is family:revision of an ARN, and familyOf the family alone.
func name(arn string) string { return path.Base(arn) }

func familyOf(revision string) string {
	family, _, _ := strings.Cut(revision, ":")
	return family
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
