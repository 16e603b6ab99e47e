package audit

import (
	"fmt"
	"strings"
)

// Page is the catalogue as Markdown: docs/findings.md.
func Page() (string, error) {
	entries, err := Catalogue()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString(`# Findings

What ` + "`plimsoll audit`" + ` can find. The text is made of
[catalogue.json](../internal/audit/catalogue.json) by a test, and
` + "`plimsoll explain PL011`" + ` prints a part of it. A code keeps its meaning for ever.

| severity | |
|---|---|
| error | a restart now, or one that is sure to come, fails |
| warning | it may fail within the horizon, or a safeguard is missing |
| note | worth knowing |

The severity below is the worst that a code is reported with. A loss that AWS's text
leaves open, or that hangs on pushes, is a warning; so is one of a task that nobody
restarts.

A finding is accepted by a rule with a reason and a date, in plimsoll.yaml:

` + "```yaml" + `
audit:
  ignore:
    - code: PL021        # or PL02*
      object: test/*     # cluster/service, a repository, a role
      reason: test environments follow latest
      expires: 2027-03-31
` + "```" + `

or, for everything that is known today, by ` + "`plimsoll audit --write-baseline FILE`" + ` and
` + "`--baseline FILE`" + `. Accepted findings stay in the report and do not count. A rule that
has ended is a finding itself.

| code | severity | |
|---|---|---|
`)
	for _, e := range entries {
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s |\n", e.Code, strings.ToLower(string(e.Code)), e.Severity, e.Title)
	}
	for _, e := range entries {
		fmt.Fprintf(&b, "\n## %s\n\n**%s** (%s)\n\n%s\n\n%s\n\n- Mend: %s\n- Accept: %s\n", e.Code, upper(e.Title), e.Severity, e.Means, e.Matters, e.Mend, e.Accept)
	}
	return b.String(), nil
}

func upper(title string) string { return strings.ToUpper(title[:1]) + title[1:] }
