package ciout

import "strings"

// text is somebody's words in Markdown, in one line: neither markup nor HTML.
func text(s string) string {
	var b strings.Builder
	for _, r := range line(s) {
		switch {
		case r == '<':
			b.WriteString("&lt;")
			continue
		case r == '>':
			b.WriteString("&gt;")
			continue
		case r == '&':
			b.WriteString("&amp;")
			continue
		case strings.ContainsRune("\\`*_[]|~#$!", r):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// code is somebody's words as code, in one line. In a table a bar ends the cell,
// in code too, and how to keep it from that there depends on what stands before
// it: such words are text.
func code(s string) string {
	s = line(s)
	switch {
	case s == "":
		return ""
	case strings.Contains(s, "|"):
		return text(s)
	}
	ticks := strings.Repeat("`", longest(s, '`')+1)
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return ticks + s + ticks
}

// fence is somebody's lines word for word. No line of theirs ends it: the fence
// is longer than any that they have.
func fence(language string, lines []string) string {
	shown := make([]string, len(lines))
	most := 2
	for i, l := range lines {
		shown[i] = strings.TrimRight(strings.ReplaceAll(plain(l), "\n", " "), " ")
		most = max(most, longest(shown[i], '`'))
	}
	ticks := strings.Repeat("`", most+1)
	return ticks + language + "\n" + strings.Join(shown, "\n") + "\n" + ticks + "\n"
}

// longest is the longest run of a character.
func longest(s string, of rune) int {
	run, most := 0, 0
	for _, r := range s {
		if r == of {
			run++
			most = max(most, run)
		} else {
			run = 0
		}
	}
	return most
}

// link is a link where the address is one, else the name.
func link(name, address string) string {
	address = line(address)
	if !strings.HasPrefix(address, "https://") && !strings.HasPrefix(address, "http://") || strings.ContainsAny(address, " <>\\") {
		return text(name)
	}
	return "[" + text(name) + "](<" + strings.ReplaceAll(address, "|", "%7C") + ">)"
}

// table draws rows of cells that are Markdown already.
func table(header []string, rows [][]string) string {
	var b strings.Builder
	b.WriteString("| " + strings.Join(header, " | ") + " |\n|" + strings.Repeat(" --- |", len(header)) + "\n")
	for _, row := range rows {
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
	}
	return b.String()
}
