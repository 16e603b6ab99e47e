// Package markdown reads of a page what tests hold it to: headings with the
// anchors that GitHub gives them, links, blocks of code, and code in sentences.
// It knows the Markdown that this repository is written in (headings with #,
// fenced blocks, inline links), not all of CommonMark.
package markdown

import (
	"cmp"
	"strconv"
	"strings"
	"unicode"
)

// Page is what was read.
type Page struct {
	Headings []Heading
	Links    []Link
	Blocks   []Block
	Code     []Code
}

// Heading is a title within a page.
type Heading struct {
	Level  int
	Text   string
	Anchor string
	Line   int
}

// Link is a link or an image, from its own words.
type Link struct {
	Text   string
	Target string
	Image  bool
	Line   int
}

// Block is a fenced block of code.
type Block struct {
	Language string
	Note     string // what a comment <!-- … --> on the line above says of it
	Text     string // whole lines, without the fence's own indentation
	Line     int    // of the first line of Text
}

// Code is code within a sentence.
type Code struct {
	Text string
	Line int
}

// Read reads a page.
func Read(text string) Page {
	r := reader{anchors: map[string]int{}}
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i := 0; i < len(lines); {
		switch fence := fenceOf(lines[i]); {
		case fence != "":
			i = r.block(lines, i, fence)
		case isHeading(lines[i]):
			r.heading(lines[i], i+1)
			i++
		default:
			i = r.paragraph(lines, i)
		}
	}
	return r.page
}

type reader struct {
	page    Page
	anchors map[string]int // how often each was given
	note    string         // the comment on the line before
}

// fenceOf is the row of backticks that a block begins with, "" for any other line.
func fenceOf(line string) string {
	rest := strings.TrimLeft(line, " ")
	mark := rest[:len(rest)-len(strings.TrimLeft(rest, "`"))]
	if len(mark) < 3 || strings.Contains(rest[len(mark):], "`") {
		return ""
	}
	return mark
}

// block takes the block that begins in a line, and returns the line after it.
func (r *reader) block(lines []string, at int, fence string) int {
	indent, language, _ := strings.Cut(lines[at], fence)
	b := Block{Language: strings.TrimSpace(language), Note: r.note, Line: at + 2}
	r.note = ""
	var text strings.Builder
	for at++; at < len(lines); at++ {
		line := strings.TrimPrefix(lines[at], indent)
		if closing := fenceOf(line); len(closing) >= len(fence) && strings.TrimSpace(line) == closing {
			at++
			break
		}
		text.WriteString(line + "\n")
	}
	b.Text = text.String()
	r.page.Blocks = append(r.page.Blocks, b)
	return at
}

func isHeading(line string) bool {
	marks := len(line) - len(strings.TrimLeft(line, "#"))
	return 1 <= marks && marks <= 6 && strings.HasPrefix(line[marks:], " ")
}

func (r *reader) heading(line string, number int) {
	title := strings.TrimLeft(line, "#")
	level := len(line) - len(title)
	text := r.inline(strings.TrimSpace(strings.TrimRight(title, "# ")), number)
	anchor := Anchor(text)
	again := r.anchors[anchor]
	r.anchors[anchor]++
	if again > 0 {
		anchor += "-" + strconv.Itoa(again)
	}
	r.note = ""
	r.page.Headings = append(r.page.Headings, Heading{level, text, anchor, number})
}

// Anchor is what GitHub makes of the words of a heading: small letters, digits,
// _ and -, in any script; a space is -, and everything else goes.
func Anchor(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-', unicode.In(r, unicode.Letter, unicode.Mark, unicode.Nd, unicode.Pc):
			return unicode.ToLower(r)
		}
		return -1
	}, text)
}

// paragraph takes the lines up to a heading, a block or an empty line, for links
// and code go on over the end of a line.
func (r *reader) paragraph(lines []string, at int) int {
	begin := at
	for at < len(lines) && lines[at] != "" && (at == begin || fenceOf(lines[at]) == "" && !isHeading(lines[at])) {
		at++
	}
	r.note = ""
	if at > begin {
		r.note = commentOf(lines[at-1])
		r.inline(strings.Join(lines[begin:at], "\n"), begin+1)
	}
	return max(at, begin+1)
}

// commentOf is what a line says that is one comment, else "".
func commentOf(line string) string {
	text, begins := strings.CutPrefix(strings.TrimSpace(line), "<!--")
	text, ends := strings.CutSuffix(text, "-->")
	if !begins || !ends {
		return ""
	}
	return strings.TrimSpace(text)
}

// inline takes links and code from a text that begins in a line of the page,
// and returns what a reader sees of it.
func (r *reader) inline(text string, line int) string {
	var seen strings.Builder
	rest := text
	here := func() int { return line + strings.Count(text[:len(text)-len(rest)], "\n") }
	take := func(length int, words string) {
		seen.WriteString(words)
		rest = rest[length:]
	}
	for rest != "" {
		switch code, link, plain := codeAt(rest), linkAt(rest), addressAt(rest); {
		case strings.HasPrefix(rest, `\`) && len(rest) > 1:
			take(2, rest[1:2])
		case strings.HasPrefix(rest, "<!--"):
			comment, _, _ := strings.Cut(rest, "-->")
			take(min(len(comment)+len("-->"), len(rest)), "")
		case code.length > 0:
			r.page.Code = append(r.page.Code, Code{code.text, here()})
			take(code.length, code.text)
		case link.length > 0:
			at := len(r.page.Links)
			r.page.Links = append(r.page.Links, Link{Target: link.target, Image: link.image, Line: here()})
			words := r.inline(link.text, here())
			r.page.Links[at].Text = words
			take(link.length, words)
		case plain != "":
			r.page.Links = append(r.page.Links, Link{Text: plain, Target: plain, Line: here()})
			take(len(plain), plain)
		case rest[0] == '*':
			take(1, "")
		default:
			take(1, rest[:1])
		}
	}
	return seen.String()
}

// addressAt is the bare address at the beginning of a text, within < > or not.
func addressAt(text string) string {
	if !strings.HasPrefix(text, "http://") && !strings.HasPrefix(text, "https://") {
		return ""
	}
	if end := strings.IndexAny(text, " \n\t<>\"'|"); end >= 0 {
		text = text[:end]
	}
	return strings.TrimRight(text, ".,;:!?)")
}

// span is code or a link at the beginning of a text; of no length where there is none.
type span struct {
	length int
	text   string
	target string
	image  bool
}

func codeAt(text string) span {
	mark := text[:len(text)-len(strings.TrimLeft(text, "`"))]
	if mark == "" {
		return span{}
	}
	for at := len(mark); at < len(text); {
		end := strings.Index(text[at:], mark)
		if end < 0 {
			break
		}
		end += at
		after := text[end:]
		row := len(after) - len(strings.TrimLeft(after, "`"))
		if row == len(mark) {
			inner := strings.ReplaceAll(text[len(mark):end], "\n", " ")
			return span{length: end + row, text: cmp.Or(strings.TrimSpace(inner), inner)}
		}
		at = end + row
	}
	return span{}
}

func linkAt(text string) span {
	rest, image := strings.CutPrefix(text, "!")
	if !strings.HasPrefix(rest, "[") {
		return span{}
	}
	depth := 0
	for i := 0; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case '[':
			depth++
		case ']':
			depth--
		}
		if depth > 0 {
			continue
		}
		target, found := strings.CutPrefix(rest[min(i+1, len(rest)):], "(")
		if !found {
			return span{}
		}
		target, _, found = strings.Cut(target, ")")
		if !found {
			return span{}
		}
		whole := len(text) - len(rest) + i + len("](") + len(target) + len(")")
		return span{length: whole, text: rest[1:i], target: target, image: image}
	}
	return span{}
}
