package term

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/noun"

	"charm.land/lipgloss/v2"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

// Audit is what an audit came to, for people to read.
type Audit struct {
	audit.Report
	// All shows every finding in full, those that are accepted too. Otherwise
	// notes are a line each, and of many findings of one kind the first few are
	// shown.
	All bool
	// More is what to type to see all; "" says nothing of it.
	More string
}

// Audit writes a report to Out, the worst first and the sum at the end; in Live
// mode that is after Close. Times are in the location of the report's own.
func (t *Terminal) Audit(a Audit) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	p, width := t.opts.result()
	lines := auditor{p, a, width}.lines()
	if _, err := io.WriteString(t.opts.Out, strings.Join(lines, "\n")+"\n"); err != nil {
		return fmt.Errorf("writing an audit: %w", err)
	}
	return nil
}

// auditor lays an audit out.
type auditor struct {
	palette
	Audit
	width int
}

const (
	manyAlike = 5 // more findings of one code are too many:
	fewAlike  = 3 // then so many are shown,
	manyNames = 8 // and so many names of the others
)

func (a auditor) lines() []string {
	var lines []string
	for _, severity := range []audit.Severity{audit.Error, audit.Warning, audit.Note} {
		var groups [][]audit.Finding // by code
		count := 0
		for _, f := range a.Findings {
			if f.Severity != severity || f.Accepted != "" {
				continue
			}
			count++
			i := slices.IndexFunc(groups, func(g []audit.Finding) bool { return g[0].Code == f.Code })
			if i < 0 {
				i, groups = len(groups), append(groups, nil)
			}
			groups[i] = append(groups[i], f)
		}
		if count == 0 {
			continue
		}
		lines = append(lines, a.strong.Render(noun.Count(count, severityNoun(severity))), "")
		for _, group := range groups {
			lines = append(lines, a.group(group)...)
		}
		if severity == audit.Note && !a.All {
			lines = append(lines, "")
		}
	}
	return append(append(lines, a.accepted()...), a.card()...)
}

// group is the findings of one code: the first of them in full, the names of
// the others.
func (a auditor) group(findings []audit.Finding) []string {
	shown := findings
	if !a.All && len(findings) > manyAlike {
		shown = findings[:fewAlike]
	}
	var lines []string
	same := "" // the one before with the reason that was given last
	for i, f := range shown {
		if f.Severity == audit.Note && !a.All {
			if a.severalPlaces() {
				f.What += " (" + placeWords(f.Object.Place) + ")"
			}
			lines = append(lines, a.headline(f)...)
			continue
		}
		lines = append(lines, a.headline(f)...)
		lines = append(lines, a.subject(f)...)
		switch {
		case f.Why == "":
		case i > 0 && shown[i-1].Why == f.Why:
			lines = append(lines, a.field("why", "as for "+same, a.width)...)
		default:
			same = f.Object.Name
			lines = append(lines, a.field("why", f.Why, a.width)...)
		}
		lines = append(lines, a.remedy(f)...)
		lines = append(lines, "")
	}
	rest := findings[len(shown):]
	if len(rest) == 0 {
		return lines
	}
	apart := slices.ContainsFunc(rest, func(f audit.Finding) bool { return f.Object.Place != rest[0].Object.Place })
	var names []string
	for _, f := range rest[:min(len(rest), manyNames)] {
		name := clean(f.Object.Name)
		if apart {
			name += " (" + placeWords(f.Object.Place) + ")"
		}
		names = append(names, name)
	}
	text := fmt.Sprintf("and %d more %s", len(rest), clean(string(findings[0].Code)))
	if a.severalPlaces() && !apart {
		text += " in " + placeWords(rest[0].Object.Place)
	}
	text += ": " + strings.Join(names, ", ")
	if len(rest) > manyNames {
		text += ", …"
	}
	for _, line := range hang("  ", text, 2, a.width) {
		lines = append(lines, a.faint.Render(line))
	}
	if findings[0].Severity != audit.Note {
		lines = append(lines, "")
	}
	return lines
}

// headline is the code, what it is about, and what is wrong with it: most
// sentences have the name in them.
func (a auditor) headline(f audit.Finding) []string {
	mark, style := a.severityMark(f.Severity)
	name, what := clean(f.Object.Name), clean(f.What)
	if at := wordIn(what, name); at >= 0 {
		what = what[:at] + a.strong.Render(name) + what[at+len(name):]
	} else {
		what = a.strong.Render(name) + "  " + what
	}
	return hang(a.sign(style, mark, severityNoun(f.Severity)), style.Render(clean(string(f.Code)))+"  "+what, 2, a.width)
}

// wordIn is where a name stands in a sentence, between blanks or marks; -1 where
// it does not.
func wordIn(sentence, name string) int {
	if name == "" {
		return -1
	}
	for from := 0; ; {
		at := strings.Index(sentence[from:], name)
		if at < 0 {
			return -1
		}
		at += from
		before, after := sentence[:at], sentence[at+len(name):]
		if (before == "" || strings.HasSuffix(before, " ")) && (after == "" || strings.ContainsRune(" :,;'", rune(after[0]))) {
			return at
		}
		from = at + len(name)
	}
}

// subject says which of several images and places is meant.
func (a auditor) subject(f audit.Finding) []string {
	var parts []string
	if f.Image != "" {
		parts = append(parts, withoutRegistry(f.Image))
	}
	if f.Digest != "" && !strings.Contains(f.Image, f.Digest) {
		parts = append(parts, image.ShortDigest(f.Digest))
	}
	if f.Container != "" {
		parts = append(parts, "container "+f.Container)
	}
	var lines []string
	if len(parts) > 0 {
		lines = a.field("image", strings.Join(parts, ", "), a.width)
	}
	if a.severalPlaces() {
		lines = append(lines, a.field("place", placeWords(f.Object.Place), a.width)...)
	}
	return lines
}

// withoutRegistry is an image of ECR as the account itself would call it: the
// place says the rest.
func withoutRegistry(reference string) string {
	host, rest, ok := strings.Cut(reference, "/")
	if ok && (strings.Contains(host, ".dkr.ecr") || strings.Contains(host, ".dkr-ecr") || strings.HasPrefix(host, "127.0.0.1:")) {
		return rest
	}
	return reference
}

// remedy is when it happens, and what to do.
func (a auditor) remedy(f audit.Finding) []string {
	var lines []string
	if f.When != nil {
		_, style := a.severityMark(f.Severity)
		lines = append(lines, hang(a.fieldName("when"), style.Render(f.When.Words(a.At)), 2+fieldNames, a.width)...)
	}
	name := "fix"
	for _, fix := range f.Fix {
		lines = append(lines, a.field(name, fix.Say, a.width)...)
		if fix.Command != "" {
			lines = append(lines, a.fieldName("")+a.busy.Render(clean(fix.Command))) // never wrapped: it is there to be copied
		}
		name = ""
	}
	return lines
}

// accepted are the findings that do not count, each with its reason.
func (a auditor) accepted() []string {
	var lines []string
	for _, f := range a.Findings {
		if f.Accepted == "" || !a.All {
			continue
		}
		lines = append(lines, a.headline(f)...)
		lines = append(lines, a.field("accepted", f.Accepted, a.width)...)
		lines = append(lines, "")
	}
	if len(lines) == 0 {
		return nil
	}
	return append([]string{a.strong.Render("accepted"), ""}, lines...)
}

// card is the sum: could what runs restart, and what was looked at.
func (a auditor) card() []string {
	t := a.Tally()
	mark, style, says := markDone, a.good, ""
	switch {
	case t.Services == 0 && a.Seen.Roles > 0:
		return a.rolesCard(t)
	case t.Services == 0:
		mark, style, says = markWarning, a.warn, "no service was seen"
	case t.Now < t.Services:
		mark, style, says = markFailed, a.bad, fmt.Sprintf("%d of %s cannot restart", t.Services-t.Now, noun.Count(t.Services, "service"))
		if t.Safe < t.Now {
			says += fmt.Sprintf("; %d more may not be able to within %s", t.Now-t.Safe, span(a.Horizon))
		}
	case t.Safe < t.Services:
		mark, style, says = markWarning, a.warn, fmt.Sprintf("all could restart now; %d of %s may not be able to within %s", t.Services-t.Safe, noun.Count(t.Services, "service"), span(a.Horizon))
	default:
		says = fmt.Sprintf("%s, and all could restart at any time within %s", noun.Count(t.Services, "service"), span(a.Horizon))
	}
	lines := hang(a.sign(style, mark, "in all"), style.Inherit(a.strong).Render(says), 2, a.width)
	lines = append(lines, a.field("findings", findingCounts(t), a.width)...)
	lines = append(lines, a.field("judged", strings.Join([]string{
		noun.Count(a.Seen.Clusters, "cluster"), noun.Count(a.Seen.Services, "service"), noun.Count(a.Seen.Tasks, "task"),
		noun.Count(a.Seen.Schedules, "schedule"), noun.Count(a.Seen.Repositories, "repository"), noun.Count(a.Seen.Images, "image"),
	}, ", "), a.width)...)
	lines = append(lines, a.blind()...)
	if a.More != "" && !a.All && a.folded(t) {
		lines = append(lines, a.field("all", a.More, 0)...)
	}
	return lines
}

// rolesCard is the sum of an audit of roles alone.
func (a auditor) rolesCard(t audit.Tally) []string {
	bad := map[string]bool{}
	for _, f := range a.Findings {
		if f.Accepted == "" && f.Object.Kind == audit.RoleObject {
			bad[f.Object.ARN] = true
		}
	}
	mark, style, says := markDone, a.good, noun.Count(a.Seen.Roles, "role")+", apart and no wider than they need be"
	if len(bad) > 0 {
		mark, style, says = markWarning, a.warn, fmt.Sprintf("%d of %s to look at", len(bad), noun.Count(a.Seen.Roles, "role"))
	}
	lines := hang(style.Render(mark)+" ", style.Inherit(a.strong).Render(says), 2, a.width)
	lines = append(lines, a.field("findings", findingCounts(t), a.width)...)
	lines = append(lines, a.blind()...)
	if a.More != "" && !a.All && a.folded(t) {
		lines = append(lines, a.field("all", a.More, 0)...)
	}
	return lines
}

// folded says whether something of the findings is not shown.
func (a auditor) folded(t audit.Tally) bool {
	if t.Accepted > 0 || t.Notes > 0 {
		return true
	}
	alike := map[audit.Code]int{}
	for _, f := range a.Findings {
		if alike[f.Code]++; alike[f.Code] > manyAlike {
			return true
		}
	}
	return false
}

func findingCounts(t audit.Tally) string {
	var parts []string
	add := func(n int, text string) {
		if n > 0 {
			parts = append(parts, text)
		}
	}
	add(t.Errors, noun.Count(t.Errors, "error"))
	add(t.Warnings, noun.Count(t.Warnings, "warning"))
	add(t.Notes, noun.Count(t.Notes, "note"))
	add(t.Accepted, fmt.Sprintf("%d accepted", t.Accepted))
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// blind is what could not be read, so that nobody takes it for being in order.
// The findings say why, and which action would show it.
func (a auditor) blind() []string {
	if len(a.Blind) == 0 {
		return nil
	}
	var abouts []string
	places := map[string]int{}
	for _, b := range a.Blind {
		if places[b.About]++; places[b.About] == 1 {
			abouts = append(abouts, b.About)
		}
	}
	var names []string
	for _, about := range abouts[:min(len(abouts), manyAlike)] {
		name := clean(about)
		if n := places[about]; n > 1 {
			name += fmt.Sprintf(" (%d times)", n)
		}
		names = append(names, name)
	}
	text := strings.Join(names, ", ")
	if more := len(abouts) - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return a.field("not seen", text, a.width)
}

// placeWords is a place as people look for it: in the region, of the account.
func placeWords(p audit.Place) string { return clean(p.Region + " " + p.Account) }

func (a auditor) severalPlaces() bool {
	return slices.ContainsFunc(a.Findings, func(f audit.Finding) bool { return f.Object.Place != a.Findings[0].Object.Place })
}

func (p palette) severityMark(s audit.Severity) (string, lipgloss.Style) {
	switch s {
	case audit.Error:
		return markFailed, p.bad
	case audit.Warning:
		return markWarning, p.warn
	}
	return markNote, p.faint
}

func severityNoun(s audit.Severity) string {
	switch s {
	case audit.Error:
		return "error"
	case audit.Warning:
		return "warning"
	}
	return "note"
}

// span is a horizon in words.
func span(d time.Duration) string {
	if d < 48*time.Hour {
		return noun.Count(int(d.Hours()), "hour")
	}
	return noun.Count(int(d.Hours()/24), "day")
}
