package term

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"charm.land/lipgloss/v2"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// screen is what Live mode shows, without the terminal: it takes events and
// says which lines are done with, and what the block below them looks like.
type screen struct {
	palette
	active []step // in the order they began
	brief  bool   // of several services: a row for each, that goes from step to step, and one line at its end
}

// step is one step that goes on now.
type step struct {
	service string
	name    story.Step
	began   time.Time // by the clock of the events: for the duration
	since   time.Time // by our own: for the seconds that tick
	message string
	changed time.Time // when the message began to be true, by our own clock
	done    int64
	total   int64
	unit    string
	view    *rollout.View
	course  string    // where the rollout goes
	bytes   *transfer // where bytes are counted
	failed  []failing // causes, the newest last
	said    []string  // by ECS, the newest last
	worries []string  // what of it stays
}

// indent is where the text of a row begins: a mark, the longest step name
// ("preflight"), and the spaces around it.
const indent = 13

// take changes the screen by one event and returns the lines that are done
// with, laid out for width columns.
func (s *screen) take(e story.Event, now time.Time, width int) []string {
	switch e.Kind {
	case story.Begin:
		s.begin(e, now)
	case story.Progress:
		at := s.find(e, now)
		at.count(e, now)
		at.say(s.say(e.Message), now)
	case story.Change:
		at := s.find(e, now)
		at.say(s.say(e.Message), now)
		if at.bytes != nil && at.bytes.total == 0 && at.bytes.layers.Total == 0 { // what had no end has one now
			at.bytes = nil
		}
		if e.Rollout != nil {
			at.view = e.Rollout
			at.steer()
		}
	case story.Note:
		if said, ok := ecsEvent(e.Message); ok && s.find(e, now).view != nil {
			return s.hear(s.find(e, now), e.Service, said, width)
		}
		return hang(s.faint.Render(markNote)+" ", prefixed(e.Service, s.say(e.Message)), 2, width)
	case story.Warning:
		return hang(s.warn.Render(markWarning)+" ", prefixed(e.Service, s.say(e.Message)), 2, width)
	case story.Fault:
		return hang(s.bad.Render(markFailed)+" ", prefixed(e.Service, s.say(e.Message)), 2, width)
	case story.Failed:
		if e.Failure != nil {
			s.find(e, now).fail(*e.Failure)
			return s.failure(e.Service, *e.Failure, width)
		}
		return s.end(e, width)
	case story.Output:
		return hang(s.faint.Render("│ "), s.output(e), 2, width)
	case story.End:
		if s.brief && e.Service != "" {
			s.pause(e)
			return nil
		}
		return s.end(e, width)
	case story.Final:
		return s.final(e, width)
	}
	return nil
}

// hear keeps what ECS said: the block of the rollout shows the newest. What is
// wrong stays, above the block; once, whatever task it is about.
func (s *screen) hear(at *step, service, said string, width int) []string {
	const most = 2
	if slices.Contains(at.said, said) {
		return nil
	}
	at.said = append(at.said, said)
	at.said = at.said[max(0, len(at.said)-most):]
	if !worrying(said) || slices.Contains(at.worries, worry(said)) {
		return nil
	}
	at.worries = append(at.worries, worry(said))
	return hang(s.warn.Render(markWarning)+" ", prefixed(service, "ecs: "+said), 2, width)
}

// worrying tells the events that a person should have seen: ECS's words for what
// does not go well. (Service event messages, ECS developer guide.)
func worrying(said string) bool {
	return slices.ContainsFunc([]string{"unable to", "unhealthy", "failed", "insufficient", "throttl"},
		func(word string) bool { return strings.Contains(said, word) })
}

// worry is what an event is about without its ids and numbers: two that differ in
// those alone say the same.
func worry(said string) string {
	return strings.Join(strings.FieldsFunc(said, func(r rune) bool { return !unicode.IsLetter(r) }), " ")
}

// fail keeps the cause of a failed task.
func (at *step) fail(f story.Failure) {
	const most = 2
	cause := clean(cmp.Or(f.Cause, f.StoppedReason, f.StopCode))
	for i := range at.failed {
		if at.failed[i].cause == cause {
			at.failed[i].count++
			return
		}
	}
	task := clean(f.TaskID[:min(8, len(f.TaskID))])
	at.failed = append(at.failed, failing{task: task, cause: cause, count: 1})
	at.failed = at.failed[max(0, len(at.failed)-most):]
}

// begin is a step that starts. In brief it takes the row of the one before.
func (s *screen) begin(e story.Event, now time.Time) {
	next := step{service: e.Service, name: e.Step, began: e.Time, since: now, message: s.say(e.Message), changed: now}
	for i, at := range s.active {
		if s.brief && e.Service != "" && at.service == e.Service {
			s.active[i] = next
			return
		}
	}
	s.remove(e.Service, e.Step)
	s.active = append(s.active, next)
}

// pause is a step of a service that is done, in brief: its row waits for the
// next step. Nothing follows on a check.
func (s *screen) pause(e story.Event) {
	if e.Step == story.Preflight {
		s.remove(e.Service, e.Step)
		return
	}
	for i, at := range s.active {
		if at.service == e.Service && at.name == e.Step && e.Message != "" {
			s.active[i].message = s.say(e.Message)
		}
	}
}

// find is the step that an event is about; it begins now if nobody said so.
func (s *screen) find(e story.Event, now time.Time) *step {
	for i := range s.active {
		if s.active[i].service == e.Service && s.active[i].name == e.Step {
			return &s.active[i]
		}
	}
	s.active = append(s.active, step{service: e.Service, name: e.Step, began: e.Time, since: now, changed: now})
	return &s.active[len(s.active)-1]
}

func (s *screen) remove(service string, name story.Step) (step, bool) {
	for i, at := range s.active {
		if at.service == service && at.name == name {
			s.active = slices.Delete(s.active, i, i+1)
			return at, true
		}
	}
	return step{}, false
}

// end is the one line that stays of a step, done or failed.
func (s *screen) end(e story.Event, width int) []string {
	at, known := s.remove(e.Service, e.Step)
	text := s.say(e.Message)
	if text == "" {
		text = at.message
	}
	text = prefixed(e.Service, text)
	if known && !at.began.IsZero() {
		text += "  " + s.faint.Render(age(e.Time.Sub(at.began)))
	}
	mark := s.good.Render(markDone)
	if e.Kind == story.Failed {
		mark = s.bad.Render(markFailed)
	}
	return hang(s.head(mark, e.Step), text, indent, width)
}

// final closes the steps that never ended: whatever stopped them, the verdict
// knows. When others still go on, the outcome gets a line here; the card with
// all of it comes at the end.
func (s *screen) final(e story.Event, width int) []string {
	var lines []string
	mark, style := markNote, s.faint
	if e.Verdict != nil {
		mark, style = s.verdictMark(*e.Verdict)
	}
	for _, at := range slices.Clone(s.active) {
		if at.service != e.Service && e.Service != "" {
			continue
		}
		s.remove(at.service, at.name)
		if s.brief && e.Verdict != nil {
			continue // the verdict says it all
		}
		text := prefixed(at.service, at.message) + "  " + s.faint.Render(age(e.Time.Sub(at.began)))
		lines = append(lines, hang(s.head(style.Render(mark), at.name), text, indent, width)...)
	}
	if (len(s.active) > 0 || s.brief) && e.Verdict != nil {
		text := prefixed(e.Service, s.say(e.Verdict.Summary))
		lines = append(lines, hang(s.head(style.Render(mark), story.Step(clean(e.Verdict.Outcome))), text, indent, width)...)
	}
	return lines
}

// head is the beginning of a row: its mark and its step.
func (p palette) head(mark string, name story.Step) string {
	return mark + " " + p.strong.Render(pad(string(name), indent-4)) + "  "
}

// prefixed puts the name of the service in front of a message.
func prefixed(service, message string) string {
	switch {
	case service == "":
		return message
	case message == "":
		return tail(service)
	}
	return tail(service) + ": " + message
}

// block is what goes on now: a row for each step, and all of a rollout that is
// alone on the screen, or in brief of one that fails. It never wraps and is never higher than
// height, so drawing it again never scrolls; 0 is no limit.
func (s *screen) block(now time.Time, width, height int) []string {
	rollouts := 0
	for _, at := range s.active {
		if at.view != nil {
			rollouts++
		}
	}
	var lines []string
	for _, at := range s.active {
		lines = append(lines, s.row(at, now, width, rollouts > 1))
		failing := s.brief && at.view != nil && (at.view.FailedTasks > 0 || at.name == story.Rollback)
		if at.view != nil && (rollouts == 1 || failing) {
			lines = append(lines, s.rollout(*at.view, at.failed, at.said, width)...)
		}
	}
	if height > 2 && len(lines) >= height {
		more := len(lines) - (height - 2)
		lines = append(lines[:height-2], s.faint.Render(cut(fmt.Sprintf("  and %d more lines", more), width)))
	}
	return lines
}

// row is one step that goes on: "● push       ━━━━──── 8.1/12.4 MB  3s".
func (s *screen) row(at step, now time.Time, width int, compact bool) string {
	elapsed := "  " + s.faint.Render(at.present(now)+elapsed(now.Sub(at.since))+at.usual(width))
	text := at.message
	switch {
	case compact && at.view != nil:
		text = s.summary(*at.view, true)
	case at.view != nil:
		text = at.course
	case at.bytes != nil: // which keeps its shape while the seconds get more
		text = s.transferred(at.bytes, now, s.room(at, max(lipgloss.Width(elapsed), len("  59s")), width))
		if at.name == story.Build { // which step it is
			text += "  " + s.faint.Render(at.message)
		}
	case at.total > 0 || at.done > 0:
		text = s.counted(at, width)
	}
	text = prefixed(at.service, text)
	if width > 0 {
		text = cut(text, max(width-indent-lipgloss.Width(elapsed), 1))
	}
	return cut(s.head(s.busy.Render(markBusy), at.name)+text+elapsed, width)
}

// usual is what follows the seconds of a rollout, where there is room for it.
func (at step) usual(width int) string {
	if at.view == nil || at.view.Usual <= 0 || at.name == story.Rollback || width > 0 && width < 50 {
		return ""
	}
	return ", usually " + about(at.view.Usual)
}

// steer says where a rollout goes: "v1.0.0 → v1.1.0, minor upgrade". Once the
// old tasks are gone it stays so.
func (at *step) steer() {
	v := at.view
	goal := clean(cmp.Or(v.New.ImageTag, shortRevision(v.New.TaskDefinition)))
	switch {
	case at.name == story.Rollback:
		at.course = "back to " + goal
	case len(v.Old) > 0 && v.Old[0].ImageTag != "" && v.New.ImageTag != "" && v.Old[0].ImageTag != v.New.ImageTag:
		from := clean(v.Old[0].ImageTag)
		at.course = from + " → " + goal
		if kind := image.ChangeKind(from, goal); kind != "" {
			at.course += ", " + kind
		}
	case !strings.Contains(at.course, "→"):
		at.course = "to " + goal
	}
}

// elapsed is [age] in whole seconds, as it is drawn once a second.
func elapsed(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%ds", int(max(d, 0).Seconds()))
	}
	return age(d)
}

// count is progress: of bytes, or of whole things.
func (at *step) count(e story.Event, now time.Time) {
	if e.Unit != "bytes" {
		at.bytes, at.done, at.total, at.unit = nil, e.Done, e.Total, e.Unit
		return
	}
	if at.bytes == nil {
		at.bytes = &transfer{}
	}
	at.bytes.take(e, now)
}

// room is what a row has for its text beside the seconds; 0 is no limit.
func (s *screen) room(at step, seconds, width int) int {
	if width == 0 {
		return 0
	}
	return max(width-indent-seconds-lipgloss.Width(prefixed(at.service, " "))+1, 1)
}
