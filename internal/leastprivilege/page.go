package leastprivilege

import (
	"fmt"
	"slices"
	"strings"
)

// Page is the list as a part of a page: a table a feature, and what the
// resources stand for.
func Page() string {
	var b strings.Builder
	shapes := map[Shape]bool{}
	for _, f := range Features() {
		fmt.Fprintf(&b, "### %s\n\n%s. For %s.", f.Name, sentence(f.Gives), commands(f.Commands))
		switch {
		case f.Account && f.Usual:
			b.WriteString(" In the role that audits.")
		case f.Usual:
			b.WriteString(" In the role that deploys.")
		default:
			fmt.Fprintf(&b, " With `--for …,%s`.", f.Name)
		}
		b.WriteString("\n\n| action | resource | without it |\n|---|---|---|\n")
		for _, n := range ordered(f.Needs) {
			shapes[n.On] = true
			without := n.Without
			if n.Required() {
				without = "**it does not work**"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", n.Action, n.On, without)
		}
		b.WriteString("\n")
	}
	b.WriteString("### Resources\n\n| name | as a policy has it |\n|---|---|\n")
	for _, s := range sortedShapes(shapes) {
		fmt.Fprintf(&b, "| %s | %s |\n", s, s.Means())
	}
	return b.String()
}

// ordered is needs with those first that nothing works without, each once.
func ordered(needs []Need) []Need {
	sorted := slices.Clone(needs)
	slices.SortStableFunc(sorted, func(a, b Need) int {
		if a.Required() != b.Required() {
			if a.Required() {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Action+string(a.On), b.Action+string(b.On))
	})
	return slices.CompactFunc(sorted, func(a, b Need) bool { return a.Action == b.Action && a.On == b.On })
}

func sortedShapes(set map[Shape]bool) []Shape {
	var all []Shape
	for s := range set {
		all = append(all, s)
	}
	slices.Sort(all)
	return all
}

func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func commands(names []string) string {
	return strings.Join(each(names, func(name string) string { return "`" + name + "`" }), ", ")
}
