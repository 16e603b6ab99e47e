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
//
// Plain mode is the same without the time and the columns, in words alone:
//
//	watch: api: new v1.1.0 has 1 of 2 running; old v1.0.0 has 2 running
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
	quarters int64 // of its progress
	bytes    transfer
	sent     int64     // bytes, as of the last line about them
	last     time.Time // when the last line was written
	text     string    // the last line
	ecsEvent string    // the last thing ECS said
	usual    bool      // it has said how long this usually takes
}

// column is where the text of a line begins: "15:04:05  preflight ".
const column = 20

func newLines(opts Options) *lines {
	return &lines{
		out: opts.Out, err: opts.Err, brief: opts.Brief,
		story: opts.story(), verdict: opts.outcomes(),
		steps: map[stepID]*logged{},
	}
}

// outcomes is the palette of verdicts.
func (o Options) outcomes() palette {
	p, _ := o.result()
	return p
}

func (l *lines) close() error { return nil }

func (l *lines) tell(e story.Event) error {
	id := stepID{e.Service, e.Step}
	if e.Kind == story.Begin || l.steps[id] == nil {
		l.steps[id] = &logged{began: e.Time, last: e.Time}
	}
	log := l.steps[id]

	text := prefixed(e.Service, l.story.say(e.Message))
	switch e.Kind {
	case story.Progress:
		if e.Unit != "bytes" || !log.count(e) { // steps are told as changes anyway
			return nil
		}
		text = l.story.transferLine(&log.bytes, e.Time)
		if e.Message != "" {
			text = l.story.say(e.Message) + ": " + text
		}
		text = prefixed(e.Service, text)
	case story.Change:
		if e.Rollout == nil {
			break
		}
		text = prefixed(e.Service, l.story.summary(*e.Rollout, false))
		if e.Rollout.Usual > 0 && !log.usual && e.Step == story.Watch {
			log.usual = true
			text += "; usually takes " + about(e.Rollout.Usual)
		}
	case story.Warning:
		text = l.story.warn.Render("warning: ") + text
	case story.Fault:
		text = l.story.sign(l.story.bad, markFailed, "refused") + text
	case story.Note:
		if said, ok := ecsEvent(e.Message); ok {
			return l.once(&log.ecsEvent, e, prefixed(e.Service, l.story.edge("ecs: ", "ECS says: ")+said))
		}
		text = "note: " + text
	case story.Failed:
		if e.Failure != nil {
			return l.write(l.err, e, "failed", l.story, l.story.failure(e.Service, *e.Failure, 0))
		}
		text = l.story.sign(l.story.bad, markFailed, "failed") + text + l.took(e, log)
	case story.Output:
		if e.Step == story.Run { // the command's output is the result
			_, err := fmt.Fprintln(l.out, l.story.output(e))
			return err
		}
		return l.write(l.err, e, string(e.Step), l.story, []string{l.story.edge("│ ", "output: ") + l.story.output(e)})
	case story.End:
		if e.Message == "" {
			text = prefixed(e.Service, "done")
		}
		if l.story.spoken {
			text = "done: " + text
		}
		text += l.took(e, log)
	case story.Final:
		if e.Verdict == nil {
			return nil
		}
		if l.brief {
			mark, style := l.story.verdictMark(*e.Verdict)
			text = l.story.sign(style, mark, "verdict") + prefixed(e.Service, clean(e.Verdict.Outcome)+": "+l.story.say(e.Verdict.Summary))
			return l.write(l.err, e, "verdict", l.story, []string{text})
		}
		return l.write(l.out, e, "verdict", l.verdict, l.verdict.verdict(e.Service, *e.Verdict, 0))
	}
	return l.once(&log.text, e, text)
}

// count takes progress in bytes and says whether the log should have it. Every
// megabyte is too much for one, silence for ten minutes too little: a line for
// each quarter, and one when there was none for half a minute. What was there
// before took no time, and the end follows on the last byte.
func (l *logged) count(e story.Event) bool {
	const silence = 30 * time.Second
	l.bytes.take(e, e.Time)
	quarters, sent := l.quarters, e.Done-e.There
	if e.Total > 0 {
		quarters = e.Done * 4 / e.Total
	}
	over := e.Total > 0 && e.Done >= e.Total
	if over || sent <= l.sent || quarters <= l.quarters && e.Time.Sub(l.last) < silence {
		return false
	}
	l.quarters, l.sent = quarters, sent
	return true
}

// took is how long a step took, behind what it came to.
func (l *lines) took(e story.Event, log *logged) string {
	if l.story.spoken {
		return ", after " + age(e.Time.Sub(log.began))
	}
	return " (" + age(e.Time.Sub(log.began)) + ")"
}

// output is one line of a one-off task, with its container where there are
// several.
func (p palette) output(e story.Event) string {
	text := strings.TrimRight(plain(e.Message), " ")
	switch {
	case e.Container == "":
		return text
	case p.spoken:
		return clean(e.Container) + ": " + text
	}
	return clean(e.Container) + " │ " + text
}

// once writes text unless it is what was written last time.
func (l *lines) once(last *string, e story.Event, text string) error {
	if text == "" || text == *last {
		return nil
	}
	*last = text
	if log := l.steps[stepID{e.Service, e.Step}]; log != nil {
		log.last = e.Time
	}
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
		if p.spoken {
			if i == 0 && name != "verdict" && name != "failed" { // which the text says
				text = name + ": " + text
			}
			b.WriteString(strings.TrimSpace(text) + "\n")
			continue
		}
		if i == 0 {
			fmt.Fprintf(&b, "%s  %s%s\n", p.faint.Render(e.Time.Format("15:04:05")), pad(name, column-10), text)
		} else {
			fmt.Fprintf(&b, "%*s%s\n", column, "", text)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
