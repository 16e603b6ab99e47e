package pipeline

import (
	"embed"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

//go:embed gitlab/*.yml github/*.yml component/*.yml
var texts embed.FS

// values are what stands in the place of names, as YAML.
type values map[string]string

// fill puts values in the place of their %names% in one of the texts. A line with
// a value that is empty is left out, unless the name is written %?name%. A value of
// several lines is indented as its first one is.
func fill(file string, v values) (string, error) {
	text, err := texts.ReadFile(file)
	if err != nil {
		return "", err
	}
	place := regexp.MustCompile(`%(\??)([a-z0-9]+)%`)
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		indent := "\n" + line[:len(line)-len(strings.TrimLeft(line, " "))]
		drop := false
		filled := place.ReplaceAllStringFunc(line, func(found string) string {
			m := place.FindStringSubmatch(found)
			value, known := v[m[2]]
			if !known {
				err = fmt.Errorf("%s: nobody says what %s is", file, found)
			}
			drop = drop || value == "" && m[1] == ""
			return strings.ReplaceAll(value, "\n", indent)
		})
		if !drop {
			b.WriteString(filled)
		}
	}
	if err != nil {
		return "", err
	}
	return withoutEmpty(b.String()), nil
}

// withoutEmpty leaves out mappings that have lost all their lines.
func withoutEmpty(text string) string {
	lines := strings.SplitAfter(text, "\n")
	var b strings.Builder
	for i, line := range lines {
		if key := strings.TrimSpace(line); key == "variables:" || key == "with:" {
			next := strings.TrimLeft(lines[i+1], " ")
			if len(lines[i+1])-len(next) <= len(line)-len(strings.TrimLeft(line, " ")) {
				continue
			}
		}
		b.WriteString(line)
	}
	return b.String()
}

// scalar is a text as a YAML scalar that can only be text; "" stays "", which is
// nothing.
func scalar(text string) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	plain := text != "" && strings.Trim(text[:1], letters) == "" && strings.Trim(text, letters+"0123456789-_./:@") == "" && !strings.HasSuffix(text, ":")
	switch strings.ToLower(text) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		plain = false
	}
	if text == "" || plain {
		return text
	}
	return strconv.Quote(text)
}

// list is texts as a YAML sequence in one line.
func list(texts ...string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = scalar(text)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
