package grammar

import "strings"

// Block is a paragraph of a text, or lines that stay as they are.
type Block struct {
	Text    string // a paragraph is one line
	Example bool   // indented in the source: commands to type
}

// Blocks are what a [Command.Detail] is made of.
func Blocks(text string) []Block {
	var blocks []Block
	for part := range strings.SplitSeq(strings.Trim(text, "\n"), "\n\n") {
		lines := strings.Split(strings.Trim(part, "\n"), "\n")
		for len(lines) > 0 {
			n := 1
			for n < len(lines) && indented(lines[n]) == indented(lines[0]) {
				n++
			}
			if b := block(lines[:n]); b.Text != "" {
				blocks = append(blocks, b)
			}
			lines = lines[n:]
		}
	}
	return blocks
}

func indented(line string) bool { return strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") }

func block(lines []string) Block {
	if !indented(lines[0]) {
		return Block{Text: strings.Join(strings.Fields(strings.Join(lines, " ")), " ")}
	}
	indent := len(lines[0]) - len(strings.TrimLeft(lines[0], " \t"))
	out := make([]string, len(lines))
	for i, line := range lines {
		out[i] = line[min(indent, len(line)-len(strings.TrimLeft(line, " \t"))):]
	}
	return Block{Text: strings.Join(out, "\n"), Example: true}
}
