package actions

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/runs"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/lapse"
	"github.com/plimsoll-ecs/plimsoll/internal/retain"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// sheet is the form of one verb.
type sheet struct {
	service Service
	verb    verb
	state   deploy.State
	tags    []choice // deploy
	unread  string   // why the tags are not known
	targets []choice // rollback
	wrong   *FormError
	given   url.Values // what was filled in, where it comes back
	busy    *runs.Run  // what is being done to the service here
	token   string
	action  string
	back    string
}

// choice is one of several.
type choice struct {
	Value    string
	Facts    []string // what tells it apart
	Here     bool     // it runs
	Unfit    string   // why it cannot be chosen
	Selected bool
}

// More choices than this are not read through: others are typed.
const maxChoices = 12

// fill reads what there is to choose from.
func (f *sheet) fill(ctx context.Context, b Berth, now time.Time) error {
	var err error
	if f.state, err = deploy.Status(ctx, b.Ports, f.service.target()); err != nil {
		return err
	}
	switch f.verb {
	case deployVerb:
		return f.fillTags(ctx, b, now)
	case rollbackVerb:
		return f.fillTargets(ctx, b, now)
	}
	return nil
}

func (f *sheet) fillTags(ctx context.Context, b Berth, now time.Time) error {
	ref, err := b.repository(ctx, f.service)
	if err != nil {
		return err
	}
	stock, err := b.Retain.AWS.Stock(ctx, ref)
	switch {
	case errors.Is(err, deploy.Denied), errors.Is(err, deploy.Unsupported), errors.Is(err, deploy.NotFound):
		f.unread = fmt.Sprintf("The tags of %s cannot be listed: %v.", ref.Name(), err)
		return nil
	case err != nil:
		return err
	case stock.Unread != "":
		f.unread = fmt.Sprintf("The tags of %s cannot be listed: %s.", ref.Name(), stock.Unread)
	}
	f.tags = tagsOf(stock, b.Policy, f.running(), now)
	f.choose(f.tags, "tag")
	return nil
}

// choose selects what was chosen before, or nothing.
func (f *sheet) choose(list []choice, field string) {
	for i := range list {
		list[i].Selected = f.given.Get(field) != "" && f.given.Get(field) == list[i].Value
	}
}

// running are the image tags that the service runs.
func (f *sheet) running() []string {
	tags := []string{f.state.Rollout.New.ImageTag}
	for _, i := range f.state.Images {
		if ref, err := image.Parse(i.Image); err == nil {
			tags = append(tags, ref.Tag)
		}
	}
	return tags
}

// version is the image tag that runs.
func (f *sheet) version() string { return f.state.Rollout.New.ImageTag }

// tagsOf are the tags of a repository that a deploy could take, the newest
// image first. Pins are for ECR, and not for people.
func tagsOf(stock audit.Repository, policy image.Policy, running []string, now time.Time) []choice {
	images := slices.Clone(stock.Images)
	slices.SortStableFunc(images, func(a, b audit.Image) int { return b.PushedAt.Compare(a.PushedAt) })
	var list []choice
	for _, i := range images {
		for _, tag := range i.Tags {
			if strings.HasPrefix(tag, retain.Prefix) || len(list) == maxChoices {
				continue
			}
			c := choice{Value: tag, Facts: []string{"pushed " + lapse.Ago(now, i.PushedAt), image.ShortDigest(i.Digest)}, Here: slices.Contains(running, tag)}
			if err := policy.Check(tag); err != nil {
				c.Unfit = err.Error()
			} else if i.Status != "" && i.Status != "ACTIVE" {
				c.Unfit = "it is in the archive, where ECS cannot pull it"
			}
			list = append(list, c)
		}
	}
	return list
}

// fillTargets reads where the service could go back to.
func (f *sheet) fillTargets(ctx context.Context, b Berth, now time.Time) error {
	const depth = 40
	past, err := deploy.History(ctx, b.Ports, f.service.target(), b.Container, depth)
	if err != nil {
		return err
	}
	f.targets = targetsOf(past, f.state.TaskDefinition, now)
	f.choose(f.targets, "to")
	return nil
}

// targetsOf are the revisions that were stable here, the newest first, each once.
func targetsOf(past []deploy.Past, running string, now time.Time) []choice {
	var list []choice
	for _, p := range past {
		known := slices.ContainsFunc(list, func(c choice) bool { return c.Value == p.TaskDefinition })
		if p.End != deploy.EndStable || p.TaskDefinition == running || known || len(list) == maxChoices {
			continue
		}
		c := choice{Value: p.TaskDefinition, Facts: []string{cmp.Or(p.ImageTag, "no tag"), "stable " + lapse.Ago(now, p.At)}}
		if p.Actor != "" {
			c.Facts = append(c.Facts, "by "+p.Actor)
		}
		list = append(list, c)
	}
	return list
}

// headline is how the service stands.
func (f *sheet) headline() string {
	text := fmt.Sprintf("%s runs, %d of %d tasks", f.state.TaskDefinition, f.state.Running, f.state.Desired)
	if v := f.version(); v != "" {
		text = v + " (" + f.state.TaskDefinition + fmt.Sprintf(") runs, %d of %d tasks", f.state.Running, f.state.Desired)
	}
	switch {
	case f.state.StoppedFrom != "":
		text = "Stopped; start brings back " + f.state.StoppedFrom
	case f.state.Rolling:
		text += "; a rollout is under way"
	}
	return text
}

// problem is what is wrong with a field.
func (f *sheet) problem(field string) string {
	if f.wrong != nil && f.wrong.Field == field {
		return f.wrong.What
	}
	return ""
}

// was is what was filled in, or what stands there at first.
func (f *sheet) was(field, first string) string {
	if f.given.Has(field) {
		return f.given.Get(field)
	}
	return first
}

// question is a proposal that waits to be confirmed.
type question struct {
	proposal
	wrong, token, action, back, again string
}

// takesAway reports whether what is asked leaves less than there is: its button
// says so by its colour.
func (q question) takesAway() bool {
	o := q.exam.order
	return o.verb == stopVerb || o.verb == unpinVerb || o.verb == scaleVerb && o.count == 0
}

// tally counts the checks by how they came out.
func (q question) tally() string {
	counts := map[story.CheckState]int{}
	for _, c := range q.exam.checks {
		counts[c.State]++
	}
	var parts []string
	for _, state := range []struct {
		is        story.CheckState
		one, many string
	}{{story.CheckFail, "failed", "failed"}, {story.CheckWarn, "warning", "warnings"}, {story.CheckOK, "passed", "passed"}, {story.CheckSkipped, "skipped", "skipped"}} {
		switch n := counts[state.is]; n {
		case 0:
		case 1:
			parts = append(parts, "1 "+state.one)
		default:
			parts = append(parts, fmt.Sprintf("%d %s", n, state.many))
		}
	}
	return strings.Join(parts, ", ")
}

// failure is a page that says what went wrong.
type failure struct{ title, what, do string }
