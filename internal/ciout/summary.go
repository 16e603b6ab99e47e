package ciout

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/ci"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// MostSummary is what GitHub takes of a step's summary: 1 MiB. More is an error,
// and nothing of it is shown.
const MostSummary = 1 << 20

// page is a summary in parts, each of which can be left out.
type page struct {
	parts []string
	room  int // bytes
	lost  int // parts that did not fit
}

// newPage has so many bytes, but for the note on what did not fit.
func newPage(room int) *page { return &page{room: room - len(lostNote) - 20} }

const lostNote = "\n_%d parts did not fit into this summary; they are in the log._\n"

// add adds a part unless it is too long for what is left.
func (p *page) add(part string) {
	if part == "" {
		return
	}
	if len(part)+1 > p.room {
		p.lost++
		return
	}
	p.room -= len(part) + 1
	p.parts = append(p.parts, part)
}

// String is the page; each part is a paragraph. A page without room is "".
func (p *page) String() string {
	text := strings.Join(p.parts, "\n")
	if p.lost > 0 && len(p.parts) > 0 {
		text += fmt.Sprintf(lostNote, p.lost)
	}
	return text
}

// Trouble is an error that ended a command without a verdict.
type Trouble struct {
	Message string
	Hint    string
}

// Summary is the record as GITHUB_STEP_SUMMARY takes it, in so many bytes at
// most: the verdict, what changed, the cause with the log, what to do next.
func (r *Record) Summary(run ci.Run, command string, trouble *Trouble, room int) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := newPage(room)
	judged := r.judged()
	if len(judged) > 1 {
		p.add("### plimsoll " + text(command) + "\n")
		p.add(fleetTable(judged))
	}
	for _, c := range judged {
		switch {
		case len(judged) == 1:
			p.add(c.card(r.urls[c.service]))
		case c.verdict.ExitCode == 0, c.verdict.Outcome == notBegun:
			continue
		default:
			p.add("#### " + mark(c.verdict) + " " + text(c.service) + " " + text(c.verdict.Outcome) + "\n")
			p.add(text(c.verdict.Summary) + "\n")
		}
		p.add(c.faults())
		p.add(c.changes())
		for _, f := range c.failures {
			p.add(failure(f))
		}
		p.add(c.next())
	}
	if r.tag != "" && len(judged) == 0 && trouble == nil {
		p.add(fmt.Sprintf("### ✓ pushed %s\n", code(r.tag)))
		p.add(facts([][]string{{"tag", code(r.tag)}, {"digest", code(r.digest)}}))
	}
	if trouble != nil {
		p.add("### ✕ plimsoll " + text(command) + "\n")
		p.add(fence("text", strings.Split(trouble.Message, "\n")))
		if trouble.Hint != "" {
			p.add(text(trouble.Hint) + "\n")
		}
	}
	for _, c := range r.courses {
		p.add(c.warned())
	}
	for _, c := range judged {
		p.add(c.history(run))
	}
	return p.String()
}

// mark is the mark that a terminal has for a verdict.
func mark(v story.Verdict) string {
	switch {
	case v.ExitCode == 0:
		return "✓"
	case v.Outcome == "failed" || v.Outcome == "refused":
		return "✕"
	}
	return "!"
}

// card is the verdict on one service.
func (c *course) card(url string) string {
	v := c.verdict
	var rows [][]string
	add := func(name, cell string) {
		if cell != "" {
			rows = append(rows, []string{name, cell})
		}
	}
	add("service", code(c.service))
	add("version", version(v))
	add("revision", code(lastPart(v.TaskDefinition)))
	add("digest", code(image.ShortDigest(v.ImageDigest)))
	if v.Duration > 0 {
		add("took", took(v.Duration))
	}
	if url != "" {
		add("url", link(url, url))
	}
	return "### " + mark(v) + " " + text(v.Outcome) + "\n\n" + text(v.Summary) + "\n\n" + facts(rows)
}

// facts are a table of names and values. Markdown knows no table without a head:
// the first row is it.
func facts(rows [][]string) string {
	if len(rows) == 0 {
		return ""
	}
	return table(rows[0], rows[1:])
}

func version(v story.Verdict) string {
	if v.From == "" || v.From == v.ImageTag {
		return code(v.ImageTag)
	}
	return code(v.From) + " → " + code(v.ImageTag)
}

func took(d time.Duration) string {
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

func lastPart(s string) string { return s[strings.LastIndexByte(s, '/')+1:] }

// fleetTable is the verdicts on several services, a row each.
func fleetTable(judged []*course) string {
	var rows [][]string
	for _, c := range judged {
		v := c.verdict
		duration := ""
		if v.Duration > 0 {
			duration = took(v.Duration)
		}
		rows = append(rows, []string{mark(v), code(c.service), text(v.Outcome), version(v), code(lastPart(v.TaskDefinition)), duration})
	}
	return table([]string{"", "service", "outcome", "version", "revision", "took"}, rows)
}

// changes is what the deploy changes of the task definition.
func (c *course) changes() string {
	if len(c.verdict.Changes) == 0 {
		return ""
	}
	var lines []string
	for _, change := range c.verdict.Changes {
		lines = append(lines, "  "+change.Path)
		if change.Before != "" {
			lines = append(lines, "- "+change.Before)
		}
		if change.After != "" {
			lines = append(lines, "+ "+change.After)
		}
	}
	return "**Task definition**\n\n" + fence("diff", lines)
}

// faults is what the preflight refused for.
func (c *course) faults() string {
	if c.verdict.Outcome != "refused" {
		return ""
	}
	var rows [][]string
	for _, check := range c.checks {
		if check.State == story.CheckFail {
			rows = append(rows, []string{text(check.Name), text(check.Why), text(check.Do)})
		}
	}
	if len(rows) == 0 { // refused for something that is no check of a deploy
		for _, said := range c.refusals {
			name, found, _ := strings.Cut(said, ": ")
			rows = append(rows, []string{text(name), text(found), ""})
		}
	}
	if len(rows) == 0 {
		return ""
	}
	return table([]string{"check", "found", "what to do"}, rows)
}

// failure is why a task failed, with the end of its log.
func failure(f story.Failure) string {
	var b strings.Builder
	what := "task " + f.TaskID[:min(8, len(f.TaskID))] + ": " + cmp.Or(f.StoppedReason, f.StopCode)
	fmt.Fprintf(&b, "**Cause**: %s\n\n%s\n", text(cmp.Or(f.Cause, f.Reason, f.StoppedReason, f.StopCode)), text(what))
	if f.ExitCode != nil {
		container := ""
		if f.Container != "" {
			container = " " + code(f.Container)
		}
		fmt.Fprintf(&b, "\ncontainer%s exited with code %d", container, *f.ExitCode)
		if f.ExitMeaning != "" {
			b.WriteString(" (" + text(f.ExitMeaning) + ")")
		}
		b.WriteString("\n")
	}
	if len(f.Log) > 0 {
		b.WriteString("\n" + fence("text", f.Log))
	}
	var points []string
	for _, fact := range f.Facts {
		points = append(points, "found: "+text(fact))
	}
	if f.Check != "" {
		points = append(points, "check: "+text(f.Check))
	}
	if f.Fix != "" {
		points = append(points, "fix: "+text(f.Fix))
	}
	for _, l := range f.Links {
		points = append(points, link(l.Name, l.URL))
	}
	if len(points) > 0 {
		b.WriteString("\n- " + strings.Join(points, "\n- ") + "\n")
	}
	return b.String()
}

// warned is what is worth acting on, not now.
func (c *course) warned() string {
	var points []string
	for _, a := range c.annotations() {
		if a.Level == Warning {
			name := text(a.Title)
			if name != "" {
				name += ": "
			}
			points = append(points, "- "+name+text(strings.ReplaceAll(a.Text, "\n", "; "))+"\n")
		}
	}
	if len(points) == 0 {
		return ""
	}
	return fmt.Sprintf("<details><summary>warnings: %d</summary>\n\n%s\n</details>\n", len(points), strings.Join(points, ""))
}

// next is the commands worth typing now.
func (c *course) next() string {
	if len(c.verdict.Next) == 0 {
		return ""
	}
	return "**Next**\n\n" + fence("sh", c.verdict.Next)
}

// history is the run as plimsoll history will tell it.
func (c *course) history(run ci.Run) string {
	v := c.verdict
	if v.TaskDefinition == "" {
		return ""
	}
	var parts []string
	add := func(part string) {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if !c.at.IsZero() {
		add(c.at.UTC().Format("2006-01-02 15:04 MST"))
	}
	add(code(c.service))
	add(version(v))
	add(code(lastPart(v.TaskDefinition)))
	add(text(v.Outcome))
	if run.Actor != "" {
		add("by " + text(run.Actor))
	}
	if run.Commit != "" {
		add("commit " + code(run.Commit[:min(len(run.Commit), 12)]))
	}
	if run.Pipeline != "" {
		add(link("pipeline", run.Pipeline))
	}
	return strings.Join(parts, " · ") + "\n"
}
