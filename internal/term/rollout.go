package term

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
)

// A task is one cell that fills as the task comes up. Without colour the
// shapes alone tell the states apart.
const (
	cellProvisioning = "○"
	cellPending      = "◔"
	cellActivating   = "◑"
	cellUnproven     = "◕" // runs, and its health check has not passed yet
	cellRunning      = "●"
	cellUnhealthy    = "!"
	cellDraining     = "◌"
	cellGone         = "·"
	cellFailed       = "✕"
)

// cell is the shape and the style of one task. A stopped task of the new
// revision failed; one of an old revision did what it should.
func (p palette) cell(t rollout.TaskState, old bool) (string, lipgloss.Style) {
	switch t.Status {
	case "PROVISIONING":
		return cellProvisioning, p.busy
	case "PENDING":
		return cellPending, p.busy
	case "ACTIVATING":
		return cellActivating, p.busy
	case "RUNNING":
		switch {
		case t.Health == "UNHEALTHY":
			return cellUnhealthy, p.bad
		case t.Health != "" && t.Health != "HEALTHY":
			return cellUnproven, p.busy
		case old:
			return cellRunning, lipgloss.NewStyle()
		}
		return cellRunning, p.good
	case "DEACTIVATING", "STOPPING", "DEPROVISIONING":
		return cellDraining, p.faint
	}
	if old {
		return cellGone, p.faint
	}
	return cellFailed, p.bad
}

// Cells draws the tasks of a group without colour, for a table.
func Cells(g rollout.Group, old bool) string {
	return newPalette(false, Own).cells(g, old, maxCells)
}

// maxCells is how many cells are drawn: more are no easier to take in than
// numbers.
const maxCells = 20

// cells draws the tasks of a group, folded into counts ("●×37 ◔×3") when they
// need more than room columns. Where ECS gave counts only, they are drawn.
func (p palette) cells(g rollout.Group, old bool, room int) string {
	tasks := brought(g)
	type kind struct {
		shape string
		style lipgloss.Style
		count int
	}
	var kinds []kind
	var row strings.Builder
	for _, task := range tasks {
		shape, style := p.cell(task, old)
		row.WriteString(style.Render(shape))
		i := slices.IndexFunc(kinds, func(k kind) bool { return k.shape == shape })
		if i < 0 {
			i, kinds = len(kinds), append(kinds, kind{shape: shape, style: style})
		}
		kinds[i].count++
	}
	if len(tasks) <= room {
		return row.String()
	}
	var folded []string
	for _, k := range kinds {
		folded = append(folded, k.style.Render(fmt.Sprintf("%s×%d", k.shape, k.count)))
	}
	return strings.Join(folded, " ")
}

// labels is how wide the names of the rows are.
const labels = 5

// brought is the tasks of a group, brought up to what its counts say: ECS counts
// on every look, and the tasks are read now and then. What has started since is
// the furthest of those that were starting; what is missing drains.
func brought(g rollout.Group) []rollout.TaskState {
	tasks := slices.Clone(g.Tasks)
	running, starting := 0, 0
	for _, t := range tasks {
		switch t.Status {
		case "RUNNING":
			running++
		case "PROVISIONING", "PENDING", "ACTIVATING":
			starting++
		}
	}
	turn := func(from, to string) bool {
		for i, t := range tasks {
			if t.Status == from {
				tasks[i] = rollout.TaskState{ID: t.ID, Status: to}
				return true
			}
		}
		return false
	}
	for ; running < g.Running; running++ {
		if turn("ACTIVATING", "RUNNING") || turn("PENDING", "RUNNING") || turn("PROVISIONING", "RUNNING") {
			starting--
			continue
		}
		tasks = append(tasks, rollout.TaskState{Status: "RUNNING"})
	}
	for ; running > g.Running && turn("RUNNING", "DEACTIVATING"); running-- {
	}
	for ; starting < g.Pending; starting++ {
		tasks = append(tasks, rollout.TaskState{Status: "PENDING"})
	}
	for ; starting > g.Pending && (turn("PROVISIONING", "DEACTIVATING") || turn("PENDING", "DEACTIVATING") || turn("ACTIVATING", "DEACTIVATING")); starting-- {
	}
	return tasks
}

// rollout is the block of one rollout: a row for the new revision, one for each
// old one, what both come to against the service's limits, what the load
// balancer thinks, what failed, and the newest things ECS said.
func (p palette) rollout(v rollout.View, failed []failing, said []string, width int) []string {
	lines := p.groups(v, width)
	lines = append(lines, p.limits(v, width)...)
	lines = append(lines, p.targets(v.Targets, width)...)
	for _, f := range failed {
		lines = append(lines, p.failing(f, width))
	}
	return append(lines, p.said(said, width)...)
}

// labelled is one row below the revisions.
func (p palette) labelled(label, text string, width int) string {
	return cut("  "+p.faint.Render(pad(label, labels))+text, width)
}

// groups are the rows of the revisions.
func (p palette) groups(v rollout.View, width int) []string {
	const (
		margin = "  "
		maxOld = 3
	)
	groups := slices.Concat([]rollout.Group{v.New}, v.Old[:min(len(v.Old), maxOld)])
	room := maxCells
	if width > 0 {
		room = max(min(room, width-len(margin)-labels), 1)
	}

	type row struct{ label, revision, tag, cells, counts string }
	rows := make([]row, len(groups))
	var revisions, tags, cells, counts int // the width of each column
	for i, g := range groups {
		r := row{label: "old", revision: shortRevision(g.TaskDefinition), tag: cut(clean(g.ImageTag), 24), counts: oldCounts(g)}
		if i == 0 {
			r.label, r.counts = "new", p.newCounts(v)
		}
		r.cells = p.cells(g, i > 0, room)
		rows[i] = r
		revisions, tags = max(revisions, lipgloss.Width(r.revision)), max(tags, lipgloss.Width(r.tag))
		cells, counts = max(cells, lipgloss.Width(r.cells)), max(counts, lipgloss.Width(r.counts))
	}

	var lines []string
	for _, r := range rows {
		name := margin + p.faint.Render(pad(r.label, labels)) + pad(r.revision, revisions)
		if tags > 0 {
			name += "  " + p.strong.Render(pad(r.tag, tags))
		}
		under := margin + strings.Repeat(" ", labels) // the name, where the rest needs a line of its own
		state := pad(r.cells, cells) + "  " + r.counts
		switch {
		case width == 0 || lipgloss.Width(name)+2+cells+2+counts <= width:
			lines = append(lines, name+"  "+state)
		case len(under)+cells+2+counts <= width:
			lines = append(lines, cut(name, width), under+state)
		default:
			lines = append(lines, cut(name, width), cut(under+r.cells, width), cut(under+r.counts, width))
		}
	}
	if hidden := len(v.Old) - maxOld; hidden > 0 {
		lines = append(lines, p.labelled("", p.faint.Render(fmt.Sprintf("and %d more old revisions", hidden)), width))
	}
	return lines
}

// limits is how many tasks there are, and how many ECS keeps to meanwhile: "2
// running (min 2, 100%), 4 in all (max 4, 200%)".
func (p palette) limits(v rollout.View, width int) []string {
	b := v.Bounds
	if b == nil || len(v.Old) == 0 { // nothing is swapped for anything
		return nil
	}
	up := fmt.Sprintf("%d running", v.Up())
	if v.Up() < b.Min {
		up = p.warn.Render(up)
	}
	long := fmt.Sprintf("%s (min %d, %d%%), %d in all (max %d, %d%%)", up, b.Min, b.MinPercent, v.Tasks(), b.Max, b.MaxPercent)
	if width == 0 || 2+labels+lipgloss.Width(long) <= width {
		return []string{p.labelled("both", long, width)}
	}
	return []string{
		p.labelled("both", fmt.Sprintf("%s (min %d)", up, b.Min), width),
		p.labelled("", fmt.Sprintf("%d in all (max %d)", v.Tasks(), b.Max), width),
	}
}

// targets is what the load balancer thinks of the tasks.
func (p palette) targets(t *rollout.Targets, width int) []string {
	if t == nil || t.Total == 0 {
		return nil
	}
	text := fmt.Sprintf("%d/%d healthy", t.Healthy, t.Total)
	if t.Healthy < t.Total && t.Reason != "" {
		text += p.faint.Render(": " + clean(t.Reason))
	}
	return []string{p.labelled("lb", text, width)}
}

// failing is a cause that tasks failed of, in one row of the block; the whole
// evidence was written above it when it came.
type failing struct {
	task, cause string
	count       int // of tasks
}

func (p palette) failing(f failing, width int) string {
	times := ""
	if f.count > 1 {
		times = fmt.Sprintf(" and %d more", f.count-1)
	}
	return cut("  "+p.bad.Render(pad(markFailed, labels))+f.task+times+": "+f.cause, width)
}

// said is the newest that ECS said: all of the last, a line of the one before.
func (p palette) said(said []string, width int) []string {
	const most = 3 // lines of one event
	var lines []string
	for i, text := range said {
		label := ""
		if i == 0 {
			label = "ecs"
		}
		rows := hang("", fewTasks(text), 0, max(0, width-2-labels))
		if i < len(said)-1 || len(rows) > most {
			rows = rows[:1]
		}
		for n, row := range rows {
			if n > 0 {
				label = ""
			}
			lines = append(lines, p.labelled(label, p.faint.Render(row), width))
		}
	}
	return lines
}

// fewTasks is an event with the first of its tasks: "has started 30 tasks:
// 5e6cda69 7a9299dd 6518842d and 27 more".
func fewTasks(text string) string {
	const most = 3
	head, list, ok := strings.Cut(text, " tasks: ")
	ids := strings.Fields(list)
	if !ok || len(ids) <= most+1 {
		return text
	}
	return fmt.Sprintf("%s tasks: %s and %d more", head, strings.Join(ids[:most], " "), len(ids)-most)
}

// newCounts is "1/2 running, 1 pending, 1 failed".
func (p palette) newCounts(v rollout.View) string {
	counts := fmt.Sprintf("%d/%d running", v.New.Running, v.Desired)
	if v.New.Pending > 0 {
		counts += fmt.Sprintf(", %d pending", v.New.Pending)
	}
	if v.FailedTasks > 0 {
		counts += ", " + p.bad.Render(fmt.Sprintf("%d failed", v.FailedTasks))
	}
	return counts
}

// oldCounts is "2 running, 1 draining".
func oldCounts(g rollout.Group) string {
	counts := fmt.Sprintf("%d running", g.Running)
	draining := 0
	for _, t := range brought(g) {
		switch t.Status {
		case "DEACTIVATING", "STOPPING", "DEPROVISIONING":
			draining++
		}
	}
	if draining > 0 {
		counts += fmt.Sprintf(", %d draining", draining)
	}
	return counts
}

// summary is a rollout in one line: "1/2 new running (v1.1.0), 2 old (v1.0.0)",
// with the cells in front where there is something to look at.
func (p palette) summary(v rollout.View, cells bool) string {
	if p.spoken {
		return spokenSummary(v)
	}
	var parts []string
	part := fmt.Sprintf("%d/%d new running", v.New.Running, v.Desired)
	if v.New.ImageTag != "" {
		part += " (" + clean(v.New.ImageTag) + ")"
	}
	parts = append(parts, part)
	if v.New.Pending > 0 {
		parts = append(parts, fmt.Sprintf("%d pending", v.New.Pending))
	}
	if v.FailedTasks > 0 {
		parts = append(parts, p.bad.Render(fmt.Sprintf("%d failed", v.FailedTasks)))
	}
	if t := v.Targets; t != nil && t.Healthy < t.Total {
		parts = append(parts, fmt.Sprintf("%d/%d targets healthy", t.Healthy, t.Total))
	}
	for _, old := range v.Old {
		part := fmt.Sprintf("%d old", old.Running)
		if old.ImageTag != "" {
			part += " (" + clean(old.ImageTag) + ")"
		}
		parts = append(parts, part)
	}
	if v.Stage != "" {
		parts = append(parts, clean(v.Stage))
	}
	text := strings.Join(parts, ", ")
	if cells {
		text = p.cells(v.New, false, 10) + " " + text
	}
	return text
}

// spokenSummary is a rollout in one sentence: "new v1.1.0 has 1 of 2 running, 1
// pending; old v1.0.0 has 2 running".
func spokenSummary(v rollout.View) string {
	new := fmt.Sprintf("new %s has %d of %d running", groupName(v.New), v.New.Running, v.Desired)
	if v.New.Pending > 0 {
		new += fmt.Sprintf(", %d pending", v.New.Pending)
	}
	if v.FailedTasks > 0 {
		new += fmt.Sprintf(", %d failed", v.FailedTasks)
	}
	parts := []string{new}
	for _, old := range v.Old {
		parts = append(parts, fmt.Sprintf("old %s has %s", groupName(old), oldCounts(old)))
	}
	if t := v.Targets; t != nil && t.Healthy < t.Total {
		parts = append(parts, fmt.Sprintf("%d of %d targets healthy", t.Healthy, t.Total))
	}
	if v.Stage != "" {
		parts = append(parts, clean(v.Stage))
	}
	return strings.Join(parts, "; ")
}

// groupName is the version of a group, or its revision.
func groupName(g rollout.Group) string {
	return clean(cmp.Or(g.ImageTag, tail(g.TaskDefinition)))
}

// shortRevision is "family:revision" in at most 28 columns; of a longer
// family the end goes, the number stays.
func shortRevision(s string) string {
	const limit = 28
	s = clean(tail(s))
	family, number, found := strings.Cut(s, ":")
	if !found || lipgloss.Width(s) <= limit {
		return cut(s, limit)
	}
	return cut(family, limit-1-len(number)) + ":" + number
}
