package diagnose

import (
	"fmt"
	"slices"
	"strings"
)

// Page is everything that is known, as Markdown: docs/diagnoses.md.
func (k *Knowledge) Page() string {
	var b strings.Builder
	b.WriteString(`# Diagnoses

What plimsoll can name when a task fails, a rollout does not end, or a call is
refused. The text is made of [causes.json](../internal/diagnose/causes.json) by
a test; the ids are stable, and stand in ` + "`--output json`" + ` as ` + "`causeId`" + ` (of a failed
task) and ` + "`id`" + ` (of a finding of ` + "`plimsoll diagnose`" + `).

A cause is matched against what AWS and the container said, word for word. The
particular goes before the general, what AWS says before what a log says, and a
message that fits nothing is shown as it is. Beside the cause stands what plimsoll
has looked up itself: which tags there are, which lifecycle rule takes the image,
which secret is not there. What no read has shown is not said.

*How certain* is what ends a rollout early:

| | |
|---|---|
| on the first task | no retry mends it |
| when seen on N tasks | a crash or a failing check may happen once |
| never by itself | it may pass: capacity, network, a limit |

`)
	for _, section := range []struct {
		title string
		from  source
	}{{"What AWS says", fromAWS}, {"What a container prints", fromLog}, {"Exit codes", fromExit}} {
		fmt.Fprintf(&b, "## %s\n\n", section.title)
		for i := range k.entries {
			if e := &k.entries[i]; e.In[0] == section.from {
				e.page(&b)
			}
		}
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func (e *entry) page(b *strings.Builder) {
	text := func(s string) string { return expand(s, func(string) string { return "" }) }
	fmt.Fprintf(b, "### %s\n\n%s.\n\n", e.ID, sentence(text(e.Cause)))
	fmt.Fprintf(b, "- Check: %s\n- Fix: %s\n- Certain: %s\n\n", text(e.Check), text(e.Fix), e.certainty())
	b.WriteString("```text\n")
	for _, example := range slices.Compact(slices.Clone(e.Examples)) {
		b.WriteString(example + "\n")
	}
	b.WriteString("```\n\n")
}

func (e *entry) certainty() string {
	switch {
	case e.Normal:
		return "no failure by itself"
	case e.Conclusive == 0:
		return "never by itself"
	case e.Conclusive == 1:
		return "on the first task"
	}
	return fmt.Sprintf("when seen on %d tasks", e.Conclusive)
}

// sentence begins with a capital where it begins with a word.
func sentence(s string) string {
	if s == "" || !strings.Contains("abcdefghijklmnopqrstuvwxyz", s[:1]) {
		return s
	}
	if first, _, _ := strings.Cut(s, " "); strings.ContainsAny(first, "./:_") { // a name
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
