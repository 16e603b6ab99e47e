package term

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"
)

// Table is rows under a header. Columns are as wide as their widest cell; a
// column of numbers only is set right.
type Table struct {
	Header []string
	Rows   [][]string // a missing cell is empty
}

// Table writes a table to Out; in Live mode that is after Close. On a terminal that is too narrow the widest
// columns are cut, and where even that would leave too little, each row
// becomes a paragraph of "header  value" lines.
func (t *Terminal) Table(table Table) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, err := io.WriteString(t.opts.Out, table.render(newPalette(t.opts.OutColor), t.opts.OutWidth()))
	if err != nil {
		return fmt.Errorf("writing a table: %w", err)
	}
	return nil
}

// Paragraphs writes each row of a table as a paragraph of "header  value" lines,
// without the cells that are empty; in Live mode that is after Close.
func (t *Terminal) Paragraphs(table Table) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, err := io.WriteString(t.opts.Out, table.paragraphs(table.Rows, newPalette(t.opts.OutColor), t.opts.OutWidth()))
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
	columns := make([]int, len(t.Header))
	for c, title := range t.Header {
		columns[c] = lipgloss.Width(title)
		for _, row := range rows {
			columns[c] = max(columns[c], lipgloss.Width(row[c]))
		}
	}
	if !shrink(columns, width) {
		return t.paragraphs(rows, p, width)
	}

	var b strings.Builder
	for i, row := range slices.Concat([][]string{t.Header}, rows) {
		var line strings.Builder
		for c, text := range row {
			text = cut(text, columns[c])
			if t.numeric(rows, c) {
				text = strings.Repeat(" ", columns[c]-lipgloss.Width(text)) + text
			}
			if c < len(row)-1 {
				text = pad(text, columns[c]+gap)
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

// shrink takes from the widest columns until all of them fit; it reports
// false when they cannot without becoming unreadable. A width of 0 fits all.
func shrink(columns []int, width int) bool {
	if width == 0 || len(columns) == 0 {
		return true
	}
	total := gap * (len(columns) - 1)
	for _, c := range columns {
		total += c
	}
	for ; total > width; total-- {
		widest := slices.Index(columns, slices.Max(columns))
		if columns[widest] <= readable {
			return false
		}
		columns[widest]--
	}
	return true
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
			if clean(row[c]) == "" {
				continue
			}
			for _, line := range hang(p.faint.Render(pad(title, names))+"  ", clean(row[c]), names+2, width) {
				b.WriteString(line + "\n")
			}
		}
	}
	return b.String()
}
