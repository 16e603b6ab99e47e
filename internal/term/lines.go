package term

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// lines is Lines mode:
//
//	12:04:31  watch     api: 1/2 new running (v1.1.0), 2 old (v1.0.0)
//
// Nothing is cut: a log has no width, and its reader cannot ask again.
type lines struct {
	out, err       io.Writer
	story, verdict palette
	brief          bool // verdicts are lines of the story
	steps          map[stepID]*logged
}

// stepID names one step of one service.
type stepID struct {
	service string
	step    story.Step
}

// logged is what the log has of a step, so that it says nothing twice.
type logged struct {
	began    time.Time
	quarters int64  // of its progress
	text     string // the last line
	ecsEvent string // the last thing ECS said
}

// column is where the text of a line begins: "15:04:05  preflight ".
const column = 20

func newLines(opts Options) *lines {
	return &lines{
		out: opts.Out, err: opts.Err, brief: opts.Brief,
		story: newPalette(opts.Color), verdict: newPalette(opts.OutColor),
		steps: map[stepID]*logged{},
	}
}

func (l *lines) close() error { return nil }

func (l *lines) tell(e story.Event) error {
	id := stepID{e.Service, e.Step}
	if e.Kind == story.Begin || l.steps[id] == nil {
		l.steps[id] = &logged{began: e.Time}
	}
	log := l.steps[id]

	text := prefixed(e.Service, clean(e.Message))
	switch e.Kind {
	case story.Progress:
		// Every megabyte is too much for a log, silence for ten minutes too
		// little. Steps and layers are told as changes anyway.
		if e.Unit != "bytes" || e.Total <= 0 || e.Done*4/e.Total <= log.quarters {
			return nil
		}
		log.quarters = e.Done * 4 / e.Total
		text = prefixed(e.Service, amount(e.Done, e.Total, e.Unit))
	case story.Change:
		if e.Rollout == nil {
			break
		}
		text = prefixed(e.Service, l.story.summary(*e.Rollout, false))
	case story.Warning:
		text = l.story.warn.Render("warning: ") + text
	case story.Note:
		if said, ok := ecsEvent(e.Message); ok {
			return l.once(&log.ecsEvent, e, prefixed(e.Service, "ecs: "+said))
		}
		text = "note: " + text
	case story.Failed:
		if e.Failure != nil {
			return l.write(l.err, e, "failed", l.story, l.story.failure(e.Service, *e.Failure, 0))
		}
		text = l.story.bad.Render(markFailed) + " " + text + " (" + age(e.Time.Sub(log.began)) + ")"
	case story.Output:
		if e.Step == story.Run { // the command's output is the result
			_, err := fmt.Fprintln(l.out, output(e))
			return err
		}
		return l.write(l.err, e, string(e.Step), l.story, []string{"│ " + output(e)})
	case story.End:
		if e.Message == "" {
			text = prefixed(e.Service, "done")
		}
		text += " (" + age(e.Time.Sub(log.began)) + ")"
	case story.Final:
		if e.Verdict == nil {
			return nil
		}
		if l.brief {
			mark, style := l.story.verdictMark(*e.Verdict)
			text = style.Render(mark) + " " + prefixed(e.Service, clean(e.Verdict.Outcome)+": "+clean(e.Verdict.Summary))
			return l.write(l.err, e, "verdict", l.story, []string{text})
		}
		return l.write(l.out, e, "verdict", l.verdict, l.verdict.verdict(e.Service, *e.Verdict, 0))
	}
	return l.once(&log.text, e, text)
}

// output is one line of a one-off task, with its container where there are
// several.
func output(e story.Event) string {
	text := strings.TrimRight(plain(e.Message), " ")
	if e.Container != "" {
		text = clean(e.Container) + " │ " + text
	}
	return text
}

// once writes text unless it is what was written last time.
func (l *lines) once(last *string, e story.Event, text string) error {
	if text == "" || text == *last {
		return nil
	}
	*last = text
	name := string(e.Step)
	if name == "" {
		name = string(e.Kind)
	}
	return l.write(l.err, e, name, l.story, []string{text})
}

// write puts the time and the step in front of the first line and indents the
// others. One event is one Write, so that nothing gets in between.
func (l *lines) write(w io.Writer, e story.Event, name string, p palette, texts []string) error {
	var b strings.Builder
	for i, text := range texts {
		if i == 0 {
			fmt.Fprintf(&b, "%s  %s%s\n", p.faint.Render(e.Time.Format("15:04:05")), pad(name, column-10), text)
		} else {
			fmt.Fprintf(&b, "%*s%s\n", column, "", text)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
