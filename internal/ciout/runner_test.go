package ciout

import (
	"strings"
	"unicode"
)

// The other side, for tests: what GitHub's runner makes of a line of the log
// (src/Runner.Common/ActionCommand.cs of actions/runner) and of GITHUB_OUTPUT
// (src/Runner.Worker/FileCommandManager.cs). Commands are not looked up in the
// list of those there are: whatever could be one is one.

type workflowCommand struct {
	name       string
	properties map[string]string
	data       string
}

func runnerReads(line string) (workflowCommand, bool) {
	if c, ok := readCommand(line); ok {
		return c, true
	}
	// The old form, anywhere in a line: ##[name key=value;key=value]data
	_, rest, found := strings.Cut(line, "##[")
	info, data, closed := strings.Cut(rest, "]")
	if !found || !closed {
		return workflowCommand{}, false
	}
	name, _, _ := strings.Cut(info, " ")
	return workflowCommand{name: name, data: data}, true
}

func readCommand(line string) (workflowCommand, bool) {
	line = strings.TrimLeftFunc(line, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) // a comparison by culture sees past these
	})
	rest, ok := strings.CutPrefix(line, "::")
	if !ok {
		return workflowCommand{}, false
	}
	info, data, ok := strings.Cut(rest, "::")
	if !ok {
		return workflowCommand{}, false
	}
	name, properties, _ := strings.Cut(info, " ")
	c := workflowCommand{name: name, properties: map[string]string{}, data: unescape(data, "%0D", "\r", "%0A", "\n", "%25", "%")}
	for _, pair := range strings.Split(properties, ",") {
		if key, value, ok := strings.Cut(pair, "="); ok {
			c.properties[strings.TrimSpace(key)] = unescape(value, "%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",", "%25", "%")
		}
	}
	return c, true
}

// unescape replaces one after the other, as the runner does.
func unescape(s string, pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		s = strings.ReplaceAll(s, pairs[i], pairs[i+1])
	}
	return s
}

// runnerLines are the lines that the runner reads.
func runnerLines(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' })
}

// runnerOutputs reads GITHUB_OUTPUT.
func runnerOutputs(text string) map[string]string {
	values := map[string]string{}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		name, delimiter, heredoc := strings.Cut(lines[i], "<<")
		if before, value, plain := strings.Cut(lines[i], "="); plain && (!heredoc || len(before) < len(name)) {
			values[before] = value
			continue
		}
		var value []string
		for i++; i < len(lines) && lines[i] != delimiter; i++ {
			value = append(value, lines[i])
		}
		values[name] = strings.Join(value, "\n")
	}
	return values
}
