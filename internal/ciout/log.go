package ciout

import (
	"fmt"
	"io"
	"sync"

	"github.com/plimsoll-ecs/plimsoll/internal/ci"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// Options say how a [Log] is written.
type Options struct {
	Dialect ci.Dialect
	// Marks is where the story goes too, but not by a [Guard]. nil writes none.
	Marks io.Writer
	// ID makes names of sections differ between the commands of a job: GitLab
	// folds all sections of one name together.
	ID string
}

// Log folds the steps of a story: sections on GitLab, groups on GitHub. What
// failed is never folded away: a step that fails is closed before it says so.
type Log struct {
	Record *Record // of what was told

	opts Options
	mu   sync.Mutex
	open *section
	made int
}

// section is a step that is folded.
type section struct {
	step    story.Step
	service string
	name    string // as GitLab has it
}

// NewLog makes a Log, with an empty record.
func NewLog(opts Options) *Log { return &Log{Record: &Record{}, opts: opts} }

// Around shows an event between the marks that it needs. Calls come one at a
// time, or are held up.
func (l *Log) Around(e story.Event, show func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.Record.Hear(e)
	if l.opts.Marks == nil || l.opts.Dialect != ci.GitLabDialect && l.opts.Dialect != ci.GitHubDialect {
		show()
		return
	}
	switch {
	case e.Kind == story.Begin && folds(e.Step) && !l.within(e) && !l.is(e):
		l.shut(e)
		l.begin(e)
	case e.Kind == story.Failed, e.Kind == story.Final && !(l.within(e) && e.Verdict != nil && e.Verdict.ExitCode == 0):
		l.shut(e)
	}
	show()
	if e.Kind == story.End && l.is(e) {
		l.shut(e)
	}
}

// is tells an event of the step that is open. One that begins anew goes on.
func (l *Log) is(e story.Event) bool {
	return l.open != nil && e.Step == l.open.step && e.Service == l.open.service
}

// Close closes what is still open, of a step that never ended.
func (l *Log) Close(e story.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shut(e)
}

// within tells an event of one service while a step of several is open.
func (l *Log) within(e story.Event) bool {
	return l.open != nil && l.open.service == "" && e.Service != "" && (l.open.step == story.Wave || l.open.step == story.Preflight)
}

// folds tells the steps that are folded. What a one-off task writes is the
// result of its command.
func folds(s story.Step) bool { return s != "" && s != story.Run }

// collapsed tells the steps that GitLab shows folded from the beginning: those
// that are of no interest when all goes well, and end in [story.Failed] when it
// does not. What a preflight refuses for it says before it ends. GitHub folds
// every group; there the annotations say it again.
func collapsed(s story.Step) bool {
	switch s {
	case story.Build, story.Push, story.Register, story.Update, story.Pin, story.Survey:
		return true
	}
	return false
}

func (l *Log) begin(e story.Event) {
	l.made++
	l.open = &section{step: e.Step, service: e.Service, name: fmt.Sprintf("plimsoll_%s_%s%d", e.Step, l.opts.ID, l.made)}
	title := string(e.Step)
	if message := line(e.Message); message != "" {
		title += ": " + message
	}
	if l.opts.Dialect == ci.GitHubDialect {
		l.mark("::group::%s\n", data(title))
		return
	}
	// https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections
	option := ""
	if collapsed(e.Step) {
		option = "[collapsed=true]"
	}
	l.mark("\x1b[0Ksection_start:%d:%s%s\r\x1b[0K%s\n", e.Time.Unix(), l.open.name, option, title)
}

func (l *Log) shut(e story.Event) {
	if l.open == nil {
		return
	}
	name := l.open.name
	l.open = nil
	if l.opts.Dialect == ci.GitHubDialect {
		l.mark("::endgroup::\n")
		return
	}
	l.mark("\x1b[0Ksection_end:%d:%s\r\x1b[0K\n", e.Time.Unix(), name)
}

// mark writes a mark. One that cannot be written is not worth stopping a
// deployment for, as the lines around it are not.
func (l *Log) mark(format string, args ...any) { _, _ = fmt.Fprintf(l.opts.Marks, format, args...) }
