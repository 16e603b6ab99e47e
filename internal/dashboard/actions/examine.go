package actions

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/tale"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
	"github.com/plimsoll-ecs/plimsoll/internal/taskdef"
)

// exam is what is shown before anything is done: the use case's own dry run.
type exam struct {
	seen    seen
	order   order // as it will be done: bound to what was seen
	checks  []story.Check
	changes []taskdef.Change
	notes   []string
	summary string
	refused string // why it will not be done; "" when it may be
}

// examine runs an order dry. An error means that it could not be found out.
func (a *Actions) examine(ctx context.Context, b Berth, s Service, o order) (exam, error) {
	at, err := b.look(ctx, s, o)
	if err != nil {
		return exam{}, err
	}
	if o.verb == deployVerb {
		_, o.base, _ = strings.Cut(at.Newest, ":") // the template that is shown is the one that is taken
	}
	e := exam{seen: at, order: o}
	var told tale.Tale
	v, err := a.carry(ctx, b, s, o, true, told.Tell)
	what, _ := told.Told()
	e.take(what)
	if refused, ok := errors.AsType[*deploy.PreflightError](err); ok {
		e.refused = "nothing was changed, and nothing can be as it stands"
		e.checks = refused.Checks
		if len(e.checks) == 0 {
			e.checks = checksOf(refused.Faults)
		}
		return e, nil
	}
	if usage, ok := errors.AsType[*deploy.UsageError](err); ok {
		e.refused = usage.What
		e.checks = []story.Check{{Name: string(o.verb), State: story.CheckFail, Why: usage.What, Do: usage.Do}}
		return e, nil
	}
	if err != nil {
		return exam{}, err
	}
	e.summary = strings.TrimSuffix(strings.TrimPrefix(v.Summary, "dry run: "), "; nothing was changed")
	return e, e.complete(ctx, b, s, v)
}

// take sorts what a dry run told.
func (e *exam) take(what tale.Told) {
	e.checks = what.Checks
	for _, l := range what.Lines {
		switch l.Kind {
		case story.Change:
			if c, ok := changeOf(l.Message); ok {
				e.changes = append(e.changes, c)
			}
		case story.Warning, story.Fault:
			if what.Checks == nil {
				e.checks = append(e.checks, story.Check{Name: string(l.Step), State: stateOf(l.Kind), Why: l.Message})
			}
		case story.Note:
			e.notes = append(e.notes, l.Message)
		}
	}
}

func stateOf(k story.Kind) story.CheckState {
	if k == story.Fault {
		return story.CheckFail
	}
	return story.CheckWarn
}

// complete adds what the dry run of this verb does not tell by itself.
func (e *exam) complete(ctx context.Context, b Berth, s Service, v story.Verdict) error {
	before := e.seen.Desired
	counts := func(after int) {
		if after != before {
			e.changes = append(e.changes, taskdef.Change{Path: "desired count", Before: strconv.Itoa(before), After: strconv.Itoa(after)})
		}
	}
	switch e.order.verb {
	case deployVerb:
		if e.order.desired != nil {
			counts(*e.order.desired)
		}
		return e.wholeDiff(ctx, b, s)
	case rollbackVerb:
		e.changes = append([]taskdef.Change{{Path: "revision", Before: e.seen.Running, After: v.TaskDefinition}}, e.changes...)
		e.order.to = v.TaskDefinition // what is shown is where it goes
		e.passed("rollback target", "%s can run: its images are there", v.TaskDefinition)
	case scaleVerb:
		counts(e.order.count)
		return e.whatStarts(ctx, b, s, e.order.count)
	case startVerb:
		counts(e.seen.Remembered)
		return e.whatStarts(ctx, b, s, e.seen.Remembered)
	case stopVerb:
		counts(0)
		e.passed("service", "%s can be stopped", s.Name)
	case pinVerb, unpinVerb:
		e.passed("service", "%s was read", s.Name)
	}
	return nil
}

// passed is a check that the dry run has taken without a word.
func (e *exam) passed(name, format string, args ...any) {
	e.checks = append([]story.Check{{Name: name, State: story.CheckOK, Why: fmt.Sprintf(format, args...)}}, e.checks...)
}

// wholeDiff is the diff of the task definition that a deploy would register
// with the one that runs: what somebody else has registered meanwhile too.
func (e *exam) wholeDiff(ctx context.Context, b Berth, s Service) error {
	ref, _, err := b.images(ctx, s, e.order.tag)
	if err != nil {
		return err
	}
	diff, err := deploy.Diff(ctx, b.Ports, deploy.DiffRequest{
		Target: s.target(), To: deploy.SideDeploy, Image: ref, Family: b.Family, Container: b.Container, Base: e.order.base,
	})
	if err != nil {
		return err
	}
	for _, c := range diff.Changes {
		if !slices.ContainsFunc(e.changes, func(o taskdef.Change) bool { return o.Path == c.Path }) {
			e.changes = append(e.changes, c)
		}
	}
	return nil
}

// whatStarts takes the checks of what more tasks would start.
func (e *exam) whatStarts(ctx context.Context, b Berth, s Service, count int) error {
	if count <= e.seen.Desired {
		e.passed("service", "%s can be scaled", s.Name)
		return nil
	}
	report, err := deploy.Inspect(ctx, b.Ports, deploy.Request{Target: s.target(), Container: b.Container, Desired: &count, TakeOver: true})
	if err != nil {
		return err
	}
	e.checks = append(e.checks, report.Checks...)
	if report.ExitCode != 0 {
		e.refused = "what would be started cannot start"
	}
	return nil
}

// checksOf are faults as checks.
func checksOf(faults []deploy.Fault) []story.Check {
	list := make([]story.Check, len(faults))
	for i, f := range faults {
		list[i] = story.Check{Name: f.Check, State: story.CheckFail, Why: f.What, Do: f.Do}
	}
	return list
}

// arrows writes changes as pages do.
func arrows(text string) string { return strings.ReplaceAll(text, " -> ", " → ") }

// changeOf reads "path: before -> after", as the preflight tells changes.
func changeOf(text string) (taskdef.Change, bool) {
	path, rest, ok := strings.Cut(text, ": ")
	before, after, arrow := strings.Cut(rest, " -> ")
	if !ok {
		return taskdef.Change{}, false
	}
	if !arrow {
		return taskdef.Change{Path: path, After: rest}, true
	}
	return taskdef.Change{Path: path, Before: before, After: after}, true
}
