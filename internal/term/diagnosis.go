package term

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// Diagnosis is what is wrong with one service, for people to read.
type Diagnosis struct {
	Service  string // cluster/service
	State    string // "1 of 2 running"
	Healthy  bool
	Findings []story.Finding
	Notes    []string
	At       time.Time
}

// Diagnosis writes a diagnosis to Out; in Live mode that is after Close.
func (t *Terminal) Diagnosis(d Diagnosis) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	p, width := t.opts.result()
	lines := p.diagnosis(d, width)
	if _, err := io.WriteString(t.opts.Out, strings.Join(lines, "\n")+"\n"); err != nil {
		return fmt.Errorf("writing a diagnosis: %w", err)
	}
	return nil
}

func (p palette) diagnosis(d Diagnosis, width int) []string {
	mark, word, style := markFailed, "ill", p.bad
	if d.Healthy {
		mark, word, style = markDone, "well", p.good
	}
	lines := hang(p.sign(style, mark, word), p.strong.Render(clean(d.Service))+"  "+clean(d.State), 2, width)
	for i, f := range d.Findings {
		lines = append(lines, "")
		lines = append(lines, p.finding(i+1, f, d.At, width)...)
	}
	if len(d.Notes) > 0 {
		lines = append(lines, "")
	}
	for _, note := range d.Notes {
		lines = append(lines, hang("  ", "note: "+clean(note), 2, width)...)
	}
	return lines
}

// finding is one cause: its name and number, who said so, and what to do.
func (p palette) finding(number int, f story.Finding, now time.Time, width int) []string {
	title := fmt.Sprintf("%d. ", number) + p.strong.Render(clean(f.ID))
	switch {
	case f.Past:
		title += p.faint.Render("  past: the service was steady after it")
	case f.Certain:
		title += "  " + p.bad.Render("no retry mends it")
	}
	lines := hang("", title, 3, width)
	for i, q := range f.Evidence {
		const most = 3
		if i == most {
			lines = append(lines, "  "+p.faint.Render(fmt.Sprintf("and %d more", len(f.Evidence)-most)))
			break
		}
		lines = append(lines, p.quote(q, now, width)...)
	}
	lines = append(lines, p.logTail(f.Log, width)...)
	if len(f.Log) == 0 && f.LogAt != "" {
		lines = append(lines, p.field("log", f.LogAt, width)...)
	}
	return append(lines, p.advice(f.Cause, f.Facts, f.Check, f.Fix, f.Links, width)...)
}

// quote is who said it and when, and what, word for word.
func (p palette) quote(q story.Quote, now time.Time, width int) []string {
	said := ""
	if !q.At.IsZero() {
		said = ago(now.Sub(q.At))
	}
	if q.Count > 1 {
		said = strings.TrimSpace(fmt.Sprintf("%d times, last %s", q.Count, said))
	}
	head := clean(q.From)
	if said != "" {
		head += ", " + said
	}
	lines := hang("  ", p.faint.Render(head), 2, width)
	for _, row := range hang("", clean(q.Text), 0, max(0, width-4)) {
		lines = append(lines, "  "+p.edge("> ", "words: ")+row)
	}
	return lines
}

// ago is an age that may be of days.
func ago(d time.Duration) string {
	switch {
	case d < time.Second:
		return "just now"
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days ago", int(d.Hours()/24))
	}
	return age(d) + " ago"
}
