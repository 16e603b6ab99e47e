package live

import (
	"cmp"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/tale"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/lapse"
	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// Board is a tale as a page shows it.
type Board struct {
	tale.Told
	Stream string // address of its stream
	// Waiting is what stands there before anything was told.
	Waiting string
	// Endless says that there is no last word to wait for.
	Endless bool
	// Newest shows the last lines alone: who only looks on needs no more.
	Newest int
}

// over reports whether nothing more will be told.
func (b Board) over() bool { return !b.Endless && b.Verdict != nil }

// blank reports whether a watch that has just begun has told nothing yet.
func (b Board) blank() bool {
	return b.Endless && b.Rollout == nil && b.Verdict == nil && len(b.Lines)+len(b.Failures) == 0
}

// part is an element that is sent anew when what it says has changed.
type part struct {
	id   string
	html templ.Component
}

func (b Board) parts() []part {
	return []part{
		{"live-verdict", b.card()}, {"live-rollout", b.tasks()}, {"live-failures", b.failures()}, {"live-lines", b.lines()},
	}
}

// row is the tasks of one revision.
type row struct {
	Role, Class, Revision, Tag, Counts string
	Cells                              []cell
	Folded                             []fold
}

// cell is one task.
type cell struct{ ID, Class, Mark, Says string }

// fold is many tasks in the same state.
type fold struct {
	cell
	Count int
}

// Cells are the shapes of the terminal: they tell states apart without colour.
// More of them than this are no easier to take in than numbers.
const maxCells = 60

// rows are the new revision's tasks, and those of the old ones.
func (b Board) rows() []row {
	v := b.Rollout
	if v == nil {
		return nil
	}
	groups := append([]rollout.Group{v.New}, v.Old...)
	var list []row
	moving := len(v.Old) > 0 || v.RolloutState == "IN_PROGRESS"
	for i, g := range groups {
		if i > 0 && g.Running+g.Pending+len(g.Tasks) == 0 {
			continue // it is gone
		}
		r := row{Role: "old", Class: "old", Revision: path.Base(g.TaskDefinition), Tag: g.ImageTag, Counts: fmt.Sprintf("%d running", g.Running)}
		if i == 0 {
			r.Role, r.Class, r.Counts = "new", "new", fmt.Sprintf("%d of %d running", g.Running, v.Desired)
			if !moving {
				r.Role = "runs"
			}
			if g.Pending > 0 {
				r.Counts += fmt.Sprintf(", %d pending", g.Pending)
			}
			if v.FailedTasks > 0 {
				r.Counts += fmt.Sprintf(", %d failed", v.FailedTasks)
			}
		}
		r.Cells = cellsOf(g, i > 0)
		if len(r.Cells) > maxCells {
			r.Folded, r.Cells = folded(r.Cells), nil
		}
		list = append(list, r)
	}
	return list
}

// cellsOf draws tasks; where ECS gave counts only, these.
func cellsOf(g rollout.Group, old bool) []cell {
	tasks := g.Tasks
	if len(tasks) == 0 {
		tasks = slices.Concat(
			slices.Repeat([]rollout.TaskState{{Status: "RUNNING"}}, max(g.Running, 0)),
			slices.Repeat([]rollout.TaskState{{Status: "PENDING"}}, max(g.Pending, 0)))
	}
	cells := make([]cell, len(tasks))
	for i, t := range tasks {
		c := cell{ID: t.ID}
		c.Class, c.Mark, c.Says = shape(t, old)
		if t.ID != "" {
			c.Says = "task " + shortID(t.ID) + ", " + c.Says
		}
		cells[i] = c
	}
	return cells
}

// shape is the class, the mark and the words of a task's state. A stopped task
// of the new revision failed; one of an old revision did what it should.
func shape(t rollout.TaskState, old bool) (class, mark, says string) {
	says = strings.ToLower(t.Status)
	switch t.Status {
	case "PROVISIONING":
		return "starting", "○", says
	case "PENDING":
		return "starting", "◔", says
	case "ACTIVATING":
		return "starting", "◑", says
	case "RUNNING":
		switch t.Health {
		case "UNHEALTHY":
			return "unhealthy", "!", "running, unhealthy"
		case "HEALTHY":
			return "healthy", "●", "running, healthy"
		case "":
			return "running", "●", says
		}
		return "starting", "◕", "running, health not known yet"
	case "DEACTIVATING", "STOPPING", "DEPROVISIONING":
		return "stopping", "◌", "stopping"
	}
	if old {
		return "stopping", "·", "stopped"
	}
	return "unhealthy", "✕", "stopped"
}

func folded(cells []cell) []fold {
	var kinds []fold
	for _, c := range cells {
		i := slices.IndexFunc(kinds, func(f fold) bool { return f.Mark == c.Mark })
		if i < 0 {
			_, says, _ := strings.Cut(c.Says, ", ")
			i, kinds = len(kinds), append(kinds, fold{cell: cell{Class: c.Class, Mark: c.Mark, Says: cmp.Or(says, c.Says)}})
		}
		kinds[i].Count++
	}
	return kinds
}

func shortID(id string) string { return id[:min(8, len(id))] }

// said is the newest thing ECS said.
func (b Board) said() string {
	if b.Rollout == nil {
		return ""
	}
	return brief(b.Rollout.LastEvent)
}

// brief takes off what the reader knows, or cannot use: the service's name in
// front of ECS's events, and all but the first eight digits of a task's id.
func brief(message string) string {
	if rest, ok := strings.CutPrefix(message, "(service "); ok {
		if _, text, ok := strings.Cut(rest, ") "); ok {
			message = text
		}
	}
	words := strings.Split(message, " ")
	for i, word := range words {
		if id := strings.TrimRight(word, ").:,"); len(id) == 32 && strings.Trim(id, "0123456789abcdef") == "" {
			words[i] = id[:8] + word[len(id):]
		}
	}
	return strings.ReplaceAll(strings.Join(words, " "), " -> ", " → ")
}

// stage is what a strategy that shifts traffic is at.
func (b Board) stage() string {
	if b.Rollout == nil {
		return ""
	}
	return b.Rollout.Stage
}

// line is one piece of news.
type line struct {
	At    time.Time
	Class string
	Mark  string
	Says  string // what the mark means, for those who do not see it
	Text  string
}

// shown are the lines that are drawn.
func (b Board) shown() []line {
	events := b.Lines
	if b.Newest > 0 && len(events) > b.Newest {
		events = events[len(events)-b.Newest:]
	}
	list := make([]line, 0, len(events))
	for _, e := range events {
		if e.Kind == story.Final {
			continue // the card says it
		}
		l := line{At: e.Time.UTC(), Class: string(e.Kind), Text: brief(e.Message)}
		l.Mark, l.Says = markOf(e.Kind)
		list = append(list, l)
	}
	return list
}

func markOf(k story.Kind) (mark, says string) {
	switch k {
	case story.Begin:
		return "▸", "begins"
	case story.End:
		return "✓", "done"
	case story.Failed:
		return "✕", "failed"
	case story.Fault:
		return "✕", "refused"
	case story.Warning:
		return "!", "warning"
	case story.Change:
		return "→", "changed"
	}
	return "·", "note"
}

// newest is the last line, for those who listen.
func (b Board) newest() string {
	if b.Verdict != nil && !b.Endless {
		return b.Verdict.Outcome + ": " + b.Verdict.Summary
	}
	if lines := b.shown(); len(lines) > 0 {
		return lines[len(lines)-1].Text
	}
	return b.Waiting
}

// Tone is how a verdict is meant: good, bad, or warn for what is neither.
func Tone(v story.Verdict) string {
	switch {
	case v.ExitCode == 0:
		return "good"
	case v.ExitCode == 6 || v.ExitCode == 7 || v.ExitCode == 130:
		return "warn"
	}
	return "bad"
}

// fact is a line of the final card.
type fact struct{ Name, Value string }

func factsOf(v story.Verdict) []fact {
	version := v.ImageTag
	if v.From != "" && v.ImageTag != "" && v.From != v.ImageTag {
		version = v.From + " → " + v.ImageTag
		if kind := image.ChangeKind(v.From, v.ImageTag); kind != "" {
			version += " (" + kind + ")"
		}
	}
	facts := []fact{
		{"version", version}, {"revision", path.Base(v.TaskDefinition)}, {"digest", image.ShortDigest(v.ImageDigest)}, {"took", lapse.Took(v.Duration)},
		{"exit code", fmt.Sprint(v.ExitCode)},
	}
	return slices.DeleteFunc(facts, func(f fact) bool { return f.Value == "" || f.Value == "." })
}

// ended is how a failed task ended, in one line.
func ended(f story.Failure) string {
	var parts []string
	if f.Container != "" {
		parts = append(parts, "container "+f.Container)
	}
	if f.ExitCode != nil {
		exit := fmt.Sprintf("exit code %d", *f.ExitCode)
		if f.ExitMeaning != "" {
			exit += " (" + f.ExitMeaning + ")"
		}
		parts = append(parts, exit)
	}
	if why := cmp.Or(f.Reason, f.StoppedReason, f.StopCode); why != "" {
		parts = append(parts, why)
	}
	return strings.Join(parts, " · ")
}

// console is a link to AWS's console, or nothing where it is no web address.
func console(l story.Link) templ.SafeURL {
	if u, err := url.Parse(l.URL); err == nil && u.Scheme == "https" {
		return templ.SafeURL(l.URL)
	}
	return ""
}
