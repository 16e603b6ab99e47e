package cli

import (
	"cmp"
	"slices"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle/loadline"
	"github.com/plimsoll-ecs/plimsoll/internal/panel"
	"github.com/plimsoll-ecs/plimsoll/internal/report"
)

// mostDrawn is how many load lines a page has: each of them is up to 60 KB.
const mostDrawn = 40

// loadLines draws the repositories that something runs from, those with the
// most images in danger first, and counts those that are not drawn.
func loadLines(fleet audit.Fleet, found audit.Report) (lines []report.LoadLine, undrawn int) {
	all := waterlines(fleet, found)
	undrawn = max(len(all)-mostDrawn, 0)
	for _, w := range all[:len(all)-undrawn] {
		lines = append(lines, report.LoadLine{Place: w.at, Repository: w.line.Repository, SVG: loadline.SVG(w.line, 900)})
	}
	return lines, undrawn
}

// waterline is the load line of a repository, and how many images in use are in
// danger there.
type waterline struct {
	at         audit.Place
	line       loadline.Line
	endangered int
}

// waterlines are those of all repositories that something runs from and a policy
// cuts, the most dangerous first.
func waterlines(fleet audit.Fleet, found audit.Report) []waterline {
	var all []waterline
	for i, uses := range audit.UsesOf(fleet) {
		r := &fleet.Repositories[i]
		if r.Policy == "" || !slices.ContainsFunc(uses, func(u audit.Use) bool { return !u.Earlier }) {
			continue // nothing runs from it, or nothing cuts it
		}
		if line, err := loadLine(r, uses, found); err == nil { // ECR would not have it otherwise
			_, endangered := line.InUse()
			all = append(all, waterline{r.Place, line, endangered})
		}
	}
	slices.SortStableFunc(all, func(a, b waterline) int { return cmp.Compare(b.endangered, a.endangered) })
	return all
}

// loadLine is that of a repository, with what runs from it marked.
func loadLine(r *audit.Repository, uses []audit.Use, found audit.Report) (loadline.Line, error) {
	line, err := panel.LoadLine(r, uses, found.At, found.Horizon)
	if err != nil {
		return line, invalidPolicy("the policy of "+r.Name, err)
	}
	return line, nil
}
