package loadline

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/plimsoll-ecs/plimsoll/internal/noun"
)

// Look is how text is shown.
type Look struct {
	Width int  // columns: 40 to 200 are kept to; 0 is 100
	Color bool // ANSI colours; they repeat what the words say
}

// Text draws the load line for a terminal, with block characters. It ends in a
// newline.
func Text(l Line, look Look) string {
	if look.Width == 0 {
		look.Width = 100
	}
	look.Width = min(max(look.Width, 40), 200)
	p := &painter{line: &l, look: look, gutter: 7, scene: min(max(look.Width/5, 12), 30)}
	taken := "  " + l.At.UTC().Format("2 Jan 2006 15:04") + " UTC"
	p.put(p.strong(cut(clean(l.Repository), look.Width-width(taken))) + p.faint(taken))
	for _, line := range wrap(l.summary(), look.Width) {
		p.put(line)
	}
	for i := range l.Lanes {
		p.lane(&l.Lanes[i])
	}
	if len(l.Lanes) > 0 {
		p.legend()
	}
	return p.out.String()
}

type painter struct {
	line          *Line
	look          Look
	gutter, scene int // columns
	out           strings.Builder
}

// The colours: the terminal's own, so that its theme decides how they look.
const (
	bold, dim, red, green, yellow, blue, cyan = "1", "2", "31", "32", "33", "34", "36"
)

func (p *painter) paint(s string, codes ...string) string {
	if !p.look.Color || s == "" || len(codes) == 0 {
		return s
	}
	return "\x1b[" + strings.Join(codes, ";") + "m" + s + "\x1b[0m"
}

func (p *painter) strong(s string) string { return p.paint(s, bold) }
func (p *painter) faint(s string) string  { return p.paint(s, dim) }

func (p *painter) put(s string) {
	p.out.WriteString(strings.TrimRight(s, " "))
	p.out.WriteByte('\n')
}

func (p *painter) lane(l *Lane) {
	p.out.WriteByte('\n')
	head := l.name()
	p.put(p.strong(cut(head, p.look.Width)) + p.faint(cut("  "+l.does(), p.look.Width-width(head))))
	for _, about := range wrap(l.about(p.line.Horizon), p.look.Width) {
		p.put(p.faint(about))
	}
	columns := p.columns(l)
	largest := 1
	rows := l.rows()
	for _, r := range rows {
		if r.kind == group || r.kind == rest {
			largest = max(largest, len(r.marks))
		}
	}
	level := group
	for _, r := range rows {
		switch r.kind {
		case highWater, laterWater, water:
			level = r.kind
			p.surface(l, level)
		default:
			p.images(r, level, largest, columns)
		}
	}
	if l.Rule != nil && level == water && rows[len(rows)-1].kind == water {
		p.put(p.side("", p.bar("", "", water), nil)) // the water below is part of the picture
	}
}

// surface draws a waterline.
func (p *painter) surface(l *Lane, kind rowKind) {
	label, wave, code := "now", "━", blue
	switch kind {
	case highWater:
		label, wave, code = "", "·", cyan
	case laterWater:
		label, wave, code = "+"+shortDays(p.line), "╌", cyan
	}
	p.put(p.side(p.paint(pad(label, p.gutter-1), code), p.paint(strings.Repeat(wave, p.scene), code), []string{p.faint(cut(l.surface(kind, p.line.Horizon), p.room()))}))
}

// legend explains the marks, once, below the picture.
func (p *painter) legend() {
	used := []string{"◀ in use", "█ nobody runs these"}
	water := []string{"━ the water now: what is below goes at the next run", "╌ in " + days(p.line.Horizon), "· then at most (P90)"}
	p.out.WriteByte('\n')
	for _, part := range wrapParts(append(used, water...), p.look.Width) {
		p.put(p.faint(part))
	}
}

// wrapParts puts as many parts on a line as fit.
func wrapParts(parts []string, columns int) []string {
	var lines []string
	line := ""
	for _, part := range parts {
		if line != "" && width(line)+3+width(part) > columns {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += "   "
		}
		line += part
	}
	var out []string
	for _, line := range append(lines, line) {
		if width(line) <= columns {
			out = append(out, line)
			continue
		}
		out = append(out, wrap(line, columns)...)
	}
	return out
}

func shortDays(l *Line) string {
	return strings.NewReplacer(" days", "d", " day", "d", " hours", "h", " hour", "h").Replace(days(l.Horizon))
}

// room is the columns right of the scene.
func (p *painter) room() int { return p.look.Width - p.gutter - p.scene - 2 }

// side puts together a line of the picture; gutter is padded already.
func (p *painter) side(gutter, scene string, words []string) string {
	if gutter == "" {
		gutter = strings.Repeat(" ", p.gutter-1)
	}
	return gutter + " " + scene + "  " + strings.Join(words, "")
}

// bar is a plank in the water of its level.
func (p *painter) bar(plank, code string, level rowKind) string {
	sea, color := " ", ""
	switch level {
	case highWater:
		sea, color = " ", cyan
	case laterWater:
		sea, color = "░", cyan
	case water:
		sea, color = "▒", blue
	}
	rest := strings.Repeat(sea, p.scene-width(plank))
	if code != "" {
		plank = p.paint(plank, strings.Split(code, ";")...)
	}
	if color != "" && sea != " " {
		rest = p.paint(rest, color)
	}
	return plank + rest
}

func (p *painter) images(r row, level rowKind, largest int, columns [2]int) {
	if r.kind == running {
		p.running(&r.marks[0], level, columns)
		return
	}
	cells := 1 + (p.scene-3)*len(r.marks)/max(largest, p.scene-2)
	words := noun.Count(len(r.marks), "image")
	switch newest, oldest := &r.marks[0], &r.marks[len(r.marks)-1]; {
	case r.kind == rest:
		words = fmt.Sprintf("%d more in use", len(r.marks))
	case len(r.marks) == 1:
		words = newest.name()
	default:
		words += ", " + newest.name() + " to " + oldest.name()
	}
	if r.marks[0].State == Under && r.kind == group && r.marks[0].Doubt != 0 {
		words = "perhaps " + words
	}
	code := dim
	if r.kind == rest {
		code = stateCode(&r.marks[0])
	}
	p.put(p.side("", p.bar(strings.Repeat("█", cells), code, level), []string{p.faint(cut(words, p.room()))}))
}

// columns are the widths of the names of users and of images of a lane, if both
// and what becomes of them fit beside the picture; else zeros.
func (p *painter) columns(l *Lane) [2]int {
	var columns [2]int
	fate := 0
	for i := range l.Marks {
		if m := &l.Marks[i]; len(m.InUse) > 0 {
			columns[0], columns[1] = max(columns[0], width(m.users())), max(columns[1], width(m.name()))
			fate = max(fate, width(m.fate(p.line)))
		}
	}
	if columns[0]+columns[1]+fate+4 > p.room() {
		return [2]int{}
	}
	return columns
}

// running draws an image that somebody runs: its own plank with a mark, and what
// becomes of it, beside it or below it where there is little room.
func (p *painter) running(m *Mark, level rowKind, columns [2]int) {
	state := stateCode(m)
	users, name, fate := m.users(), m.name(), m.fate(p.line)
	scene := p.bar("██◀ ", bold+";"+state, level)
	if columns[0] > 0 {
		p.put(p.side("", scene, []string{p.strong(pad(users, columns[0])), "  ", pad(name, columns[1]), "  ", p.paint(fate, state)}))
		return
	}
	words := []string{p.strong(cut(users, p.room()))}
	if left := p.room() - width(users) - 2; left >= min(width(name), 12) {
		words = append(words, "  "+cut(name, left))
	} else {
		fate = name + "  " + fate
	}
	p.put(p.side("", scene, words))
	for _, line := range wrap(fate, p.room()) {
		p.put(p.side("", p.bar("", "", level), []string{p.paint(line, state)}))
	}
}

func stateCode(m *Mark) string {
	switch {
	case m.Archived, m.State == Under:
		return red
	case m.State >= Threatened:
		return yellow
	}
	return green
}

// width counts columns: what is far to the east in Unicode takes two.
func width(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r >= 0x1100 && (r <= 0x115f || r >= 0x2e80 && r <= 0xa4cf || r >= 0xac00 && r <= 0xd7a3 || r >= 0xf900 && r <= 0xfaff || r >= 0xfe30 && r <= 0xfe6f || r >= 0xff00 && r <= 0xff60 || r >= 0x1f300) {
			n++
		}
	}
	return n
}

// cut makes s fit into so many columns.
func cut(s string, columns int) string {
	if width(s) <= columns {
		return s
	}
	for s != "" && width(s) > columns-1 {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	if columns < 1 {
		return ""
	}
	return s + "…"
}

func pad(s string, columns int) string { return s + strings.Repeat(" ", max(0, columns-width(s))) }

// wrap parts a sentence into lines of so many columns.
func wrap(s string, columns int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		if line != "" && width(line)+1+width(word) > columns {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += cut(word, columns)
	}
	return append(lines, line)
}
