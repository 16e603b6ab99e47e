package term

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
)

// Table is rows under a header. Columns are as wide as their widest cell; a
// column of numbers only is set right.
type Table struct {
	Header []string
	Rows   [][]string // a missing cell is empty

	// Spare are the titles of columns that a narrow terminal can do without, the
	// first to go first.
	Spare []string

	// Tone says what a cell means, by its row and column, counted from 0; nil:
	// nothing means anything. It is shown as colour, and on a terminal as a mark.
	Tone func(row, column int) Tone
}

// Table writes a table to Out; in Live mode that is after Close. On a terminal that is too narrow the widest
// columns are cut, and where even that would leave too little, each row
// becomes a paragraph of "header  value" lines.
func (t *Terminal) Table(table Table) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, err := io.WriteString(t.opts.Out, table.render(t.opts.result()))
	if err != nil {
		return fmt.Errorf("writing a table: %w", err)
	}
	return nil
}

// Line writes a line to Out, with a mark on a terminal; in Live mode that is
// after Close.
func (t *Terminal) Line(tone Tone, text string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	p, width := t.opts.result()
	head, indent := "", 0
	if p.looked && tone != Neutral {
		mark, style := p.tone(tone)
		head, indent = style.Render(mark)+" ", 2
	}
	if _, err := io.WriteString(t.opts.Out, strings.Join(hang(head, p.say(text), indent, width), "\n")+"\n"); err != nil {
		return fmt.Errorf("writing a line: %w", err)
	}
	return nil
}

// Paragraphs writes each row of a table as a paragraph of "header  value" lines,
// without the cells that are empty; in Live mode that is after Close.
func (t *Terminal) Paragraphs(table Table) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	p, width := t.opts.result()
	_, err := io.WriteString(t.opts.Out, table.paragraphs(table.Rows, p, width))
	if err != nil {
		return fmt.Errorf("writing a table: %w", err)
	}
	return nil
}

const (
	gap       = 2  // between columns
	readable  = 12 // a column is not cut below this
	emptyCell = "-"
)

func (t Table) render(p palette, width int) string {
	rows := make([][]string, len(t.Rows))
	for i, row := range t.Rows {
		rows[i] = make([]string, len(t.Header))
		for c := range t.Header {
			rows[i][c] = emptyCell
			if c < len(row) && clean(row[c]) != "" {
				rows[i][c] = clean(row[c])
			}
		}
	}
	if p.spoken {
		return t.sentences(rows, p)
	}
	t.mark(rows, p)
	columns := make([]int, len(t.Header))
	for c, title := range t.Header {
		columns[c] = lipgloss.Width(title)
		for _, row := range rows {
			columns[c] = max(columns[c], lipgloss.Width(row[c]))
		}
	}
	if less, ok := t.spared(columns, rows, width); ok {
		return less.render(p, width)
	}
	if !shrink(columns, t.times(rows), width) {
		return t.paragraphs(rows, p, width)
	}

	var b strings.Builder
	for i, row := range slices.Concat([][]string{t.Header}, rows) {
		var line strings.Builder
		for c, text := range row {
			text = cut(text, columns[c])
			width := columns[c]
			if i > 0 && text != emptyCell {
				text = t.style(p, i-1, c).Render(text)
			}
			if t.numeric(rows, c) {
				text = strings.Repeat(" ", width-lipgloss.Width(text)) + text
			}
			if c < len(row)-1 {
				text = pad(text, width+gap)
			}
			line.WriteString(text)
		}
		text := strings.TrimRight(line.String(), " ")
		if i == 0 {
			text = p.faint.Render(text)
		}
		b.WriteString(text + "\n")
	}
	return b.String()
}

// spared is the table without as many of its spare columns as it takes for the
// others to keep their width, those that say nothing first; false where it takes
// none, or where there would have to be paragraphs all the same: these have all.
func (t Table) spared(columns []int, rows [][]string, width int) (Table, bool) {
	wide := func(columns []int) int {
		total := gap * (len(columns) - 1)
		for _, c := range columns {
			total += c
		}
		return total
	}
	if width == 0 || wide(columns) <= width || len(t.Spare) == 0 {
		return Table{}, false
	}
	less, left := t, slices.Clone(columns)
	spare := slices.SortedStableFunc(slices.Values(t.Spare), func(a, b string) int {
		return cmp.Compare(t.said(rows, a), t.said(rows, b))
	})
	for _, title := range spare {
		at := slices.Index(less.Header, title)
		if at < 0 || wide(left) <= width {
			continue
		}
		less, left = less.without(title), slices.Delete(left, at, at+1)
	}
	return less, shrink(left, less.times(less.Rows), width)
}

// said is 1 for a column in which something is said, else 0.
func (t Table) said(rows [][]string, title string) int {
	at := slices.Index(t.Header, title)
	if at >= 0 && slices.ContainsFunc(rows, func(row []string) bool { return row[at] != emptyCell }) {
		return 1
	}
	return 0
}

// without is the table without a column.
func (t Table) without(title string) Table {
	at := slices.Index(t.Header, title)
	less := Table{Header: slices.Delete(slices.Clone(t.Header), at, at+1)}
	for _, row := range t.Rows {
		if at < len(row) {
			row = slices.Delete(slices.Clone(row), at, at+1)
		}
		less.Rows = append(less.Rows, row)
	}
	if tone := t.Tone; tone != nil {
		less.Tone = func(row, column int) Tone {
			if column >= at {
				column++
			}
			return tone(row, column)
		}
	}
	return less
}

// style is how a cell looks.
func (t Table) style(p palette, row, column int) lipgloss.Style {
	if t.Tone == nil {
		return lipgloss.NewStyle()
	}
	_, style := p.tone(t.Tone(row, column))
	return style
}

// mark puts marks in front of the cells that mean something, where they are for
// eyes. A cell of the same column that means nothing keeps the place free.
func (t Table) mark(rows [][]string, p palette) {
	if t.Tone == nil || !p.looked {
		return
	}
	for c := range t.Header {
		if !slices.ContainsFunc(indexes(rows), func(r int) bool { return t.Tone(r, c) != Neutral }) {
			continue
		}
		for r := range rows {
			if rows[r][c] != emptyCell {
				mark, _ := p.tone(t.Tone(r, c))
				rows[r][c] = mark + " " + rows[r][c]
			}
		}
	}
}

func indexes(rows [][]string) []int {
	all := make([]int, len(rows))
	for i := range rows {
		all[i] = i
	}
	return all
}

// sentences is a line for each row, "service api; running 2; state steady":
// columns mean nothing to ears.
func (t Table) sentences(rows [][]string, p palette) string {
	var b strings.Builder
	for _, row := range rows {
		var parts []string
		for c, title := range t.Header {
			if text := clean(row[c]); text != "" && text != emptyCell {
				parts = append(parts, strings.ToLower(title)+" "+p.say(text))
			}
		}
		b.WriteString(strings.Join(parts, "; ") + "\n")
	}
	return b.String()
}

// shrink takes from the widest columns until all of them fit, those to keep
// left out; it reports false when they cannot without becoming unreadable. A
// width of 0 fits all.
func shrink(columns []int, keep []bool, width int) bool {
	if width == 0 || len(columns) == 0 {
		return true
	}
	total := gap * (len(columns) - 1)
	for _, c := range columns {
		total += c
	}
	for ; total > width; total-- {
		widest := -1
		for c := range columns {
			if !keep[c] && (widest < 0 || columns[c] > columns[widest]) {
				widest = c
			}
		}
		if widest < 0 || columns[widest] <= readable {
			return false
		}
		columns[widest]--
	}
	return true
}

// times tells the columns of dates: half of one is none.
func (t Table) times(rows [][]string) []bool {
	all := make([]bool, len(t.Header))
	for c := range all {
		all[c] = slices.ContainsFunc(rows, func(row []string) bool { return c < len(row) && isTime(row[c]) })
	}
	return all
}

// isTime tells "2026-03-02 12:04", however it goes on.
func isTime(s string) bool {
	const layout = "2006-01-02 15:04"
	if len(s) < len(layout) {
		return false
	}
	_, err := time.Parse(layout, s[:len(layout)])
	return err == nil
}

// numeric tells a column of whole numbers.
func (t Table) numeric(rows [][]string, column int) bool {
	digits := false
	for _, row := range rows {
		switch text := row[column]; {
		case text == emptyCell:
		case strings.Trim(text, "0123456789") == "":
			digits = true
		default:
			return false
		}
	}
	return digits
}

func (t Table) paragraphs(rows [][]string, p palette, width int) string {
	if p.spoken {
		return t.sentences(rows, p)
	}
	names := 0
	for _, title := range t.Header {
		names = max(names, lipgloss.Width(title))
	}
	var b strings.Builder
	for i, row := range rows {
		if i > 0 {
			b.WriteString("\n")
		}
		for c, title := range t.Header {
			if c >= len(row) || clean(row[c]) == "" {
				continue
			}
			for _, line := range hang(p.faint.Render(pad(title, names))+"  ", clean(row[c]), names+2, width) {
				b.WriteString(line + "\n")
			}
		}
	}
	return b.String()
}
