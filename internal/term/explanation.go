package term

import (
	"fmt"
	"io"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
)

// proseWidth is how wide text gets that is read and not scanned.
const proseWidth = 88

// Explanation writes what a code of the audit means to Out.
func (t *Terminal) Explanation(e audit.Explanation) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	p, width := t.opts.result()
	if (width == 0 || width > proseWidth) && !p.spoken {
		width = proseWidth
	}
	lines := p.explanation(e, width)
	if _, err := io.WriteString(t.opts.Out, strings.Join(lines, "\n")+"\n"); err != nil {
		return fmt.Errorf("writing an explanation: %w", err)
	}
	return nil
}

func (p palette) explanation(e audit.Explanation, width int) []string {
	lines := hang("", p.strong.Render(string(e.Code))+"  "+e.Title+"  "+p.faint.Render(e.Severity.String()), 7, width)
	for _, paragraph := range []string{e.Means, e.Matters} {
		lines = append(append(lines, ""), hang("  ", paragraph, 2, width)...)
	}
	lines = append(lines, "")
	lines = append(lines, p.field("mend", e.Mend, width)...)
	return append(lines, p.field("accept", e.Accept, width)...)
}
