package loadline

import "github.com/plimsoll-ecs/plimsoll/internal/lifecycle"

// row is a line of the picture of a lane, from the top down.
type row struct {
	kind  rowKind
	marks []Mark // one that runs, or a group
}

type rowKind int

const (
	group      rowKind = iota // images that nobody runs, alike in state and height
	running                   // one that somebody runs
	rest                      // running ones that are not shown one by one
	highWater                 // where the water may be at the horizon
	laterWater                // where it likely is then
	water                     // where it is now
)

// runningMost is how many running images of a lane and a state are shown one by
// one. Those that follow lie deeper or are more of the same.
const runningMost = 12

// rows sorts a lane's marks into rows and puts the waterlines between them.
func (l *Lane) rows() []row {
	var rows []row
	drawn := group
	for from := 0; from < len(l.Marks); {
		state := l.Marks[from].State
		to := from
		for to < len(l.Marks) && l.Marks[to].State == state {
			to++
		}
		rows = append(rows, l.lines(&drawn, state)...)
		rows = append(rows, heights(l.Marks[from:to])...)
		from = to
	}
	return append(rows, l.lines(&drawn, Under)...)
}

// lines are the waterlines above the images of a state that are not drawn yet.
func (l *Lane) lines(drawn *rowKind, state State) []row {
	if l.Rule == nil {
		return nil
	}
	below := map[State]rowKind{Threatened: highWater, Sinking: laterWater, Under: water}[state]
	var rows []row
	for kind := max(*drawn+1, highWater); kind <= below; kind++ {
		if kind == highWater && state != Threatened || kind == laterWater && l.still() {
			continue
		}
		rows = append(rows, row{kind: kind})
	}
	*drawn = max(*drawn, below)
	return rows
}

// still reports whether the water likely does not rise within the horizon.
func (l *Lane) still() bool {
	return l.Rule.CountType == lifecycle.CountMoreThan && l.Within[1] == 0
}

// heights parts images of one state into groups of like height, between those
// that run.
func heights(marks []Mark) []row {
	const steps = 4
	var rows []row
	var others []Mark
	shown := 0
	for _, m := range marks {
		last := len(rows) - 1
		switch {
		case len(m.InUse) > 0 && shown < runningMost:
			shown++
			rows = append(rows, row{running, []Mark{m}})
		case len(m.InUse) > 0:
			others = append(others, m)
		case last >= 0 && rows[last].kind == group && int(steps*rows[last].marks[0].Freeboard) == int(steps*m.Freeboard):
			rows[last].marks = append(rows[last].marks, m)
		default:
			rows = append(rows, row{group, []Mark{m}})
		}
	}
	if len(others) > 0 {
		rows = append(rows, row{rest, others})
	}
	return rows
}
