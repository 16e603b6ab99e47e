package term

import (
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

// cells draws the tasks of a group, folded into counts ("●×37 ◔×3") when they
// need more than room columns. Where ECS gave counts only, they are drawn.
func (p palette) cells(g rollout.Group, old bool, room int) string {
	tasks := g.Tasks
	if len(tasks) == 0 {
		tasks = slices.Concat(
			slices.Repeat([]rollout.TaskState{{Status: "RUNNING"}}, max(g.Running, 0)),
			slices.Repeat([]rollout.TaskState{{Status: "PENDING"}}, max(g.Pending, 0)))
	}
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

// rollout is the block of one rollout: a row for the new revision, one for
// each old one, and the newest thing ECS said.
func (p palette) rollout(v rollout.View, width int) []string {
	const (
		margin  = "  "
		maxOld  = 3
		maxRoom = 20 // more cells than this are no easier to take in than numbers
	)
	groups := slices.Concat([]rollout.Group{v.New}, v.Old[:min(len(v.Old), maxOld)])
	room := maxRoom
	if width > 0 {
		room = max(min(room, width-len(margin)-5), 1)
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
		name := margin + p.faint.Render(r.label) + "  " + pad(r.revision, revisions)
		if tags > 0 {
			name += "  " + p.strong.Render(pad(r.tag, tags))
		}
		const under = "       " // the name, where the rest needs a line of its own
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
		lines = append(lines, p.faint.Render(cut(fmt.Sprintf("%sand %d more old revisions", margin, hidden), width)))
	}
	if said, ok := ecsEvent(v.LastEvent); ok {
		lines = append(lines, p.faint.Render(cut(margin+"ecs: "+said, width)))
	}
	return lines
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
	for _, t := range g.Tasks {
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
