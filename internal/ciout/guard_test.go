package ciout

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/ci"
)

func TestGuard(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"a line like any other", "17:04:05  watch  api: 1/2 new running\n", "17:04:05  watch  api: 1/2 new running\n"},
		{"colons within a line", "std::error::Error and a::b\n", "std::error::Error and a::b\n"},
		{"a command", "::error::pwned\n", ": :error::pwned\n"},
		{"after white space", "  \t::add-mask::x\n", "  \t: :add-mask::x\n"},
		{"after white space of another alphabet", "\u3000::add-mask::x\n", "\u3000: :add-mask::x\n"},
		{"after what nobody sees", "\u00ad\x00::add-mask::x\n", "\u00ad\x00: :add-mask::x\n"},
		{"the end of a stop", "::token::\n", ": :token::\n"},
		{"on the second line", "x\n::error::pwned\n", "x\n: :error::pwned\n"},
		{"after a carriage return", "x\r::error::pwned\n", "x\r: :error::pwned\n"},
		{"the old form", "x ##[group]y\n", "x ## [group]y\n"},
		{"the old form, more marks", "####[group]y\n", "#### [group]y\n"},
		{"a heading of Markdown", "## [x] done\n", "## [x] done\n"},
		{"one mark", "#[derive(Debug)]\n", "#[derive(Debug)]\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			if _, err := Guard(ci.GitHubDialect, false, &out).Write([]byte(tt.text)); err != nil {
				t.Fatal(err)
			}
			if out.String() != tt.want {
				t.Errorf("%q, want %q", out.String(), tt.want)
			}
		})
	}
}

func TestGuardOfGitLabTakesCarriageReturns(t *testing.T) {
	var out bytes.Buffer
	text := "\x1b[0Ksection_end:1:plimsoll_watch_1\r\x1b[0Kpwned\n"
	if _, err := Guard(ci.GitLabDialect, false, &out).Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "\r") {
		t.Errorf("%q has a carriage return", out.String())
	}
}

func TestGuardOfNoSystemIsTheStream(t *testing.T) {
	var out bytes.Buffer
	if Guard(ci.PlainDialect, false, &out) != &out {
		t.Error("something stands in front of the stream")
	}
}

// hostile draws what is near to a command.
func hostile() *rapid.Generator[string] {
	parts := rapid.SliceOf(rapid.SampledFrom([]string{
		"::", ":", "##[", "##", "#", "[", "]", "error", "stop-commands", " ", "\t", "\n", "\r", "\x00", "\u00ad", "\u3000", "\u200b", "%0A", "%", ",", "=", "x", "é", "\x1b[0m",
		"section_start:1:a\r\x1b[0K", "`", "```", "|", "<b>", "\\", "\"",
	}))
	return rapid.Map(parts, func(p []string) string { return strings.Join(p, "") })
}

// However a text is cut into writes, no line of it is a command, and nothing is
// lost but to blanks.
func TestGuardProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := hostile().Draw(t, "text")
		var out bytes.Buffer
		w := Guard(ci.GitHubDialect, false, &out)
		for rest := text; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "cut")
			if written, err := w.Write([]byte(rest[:n])); err != nil || written != n {
				t.Fatal(written, err)
			}
			rest = rest[n:]
		}
		for _, line := range runnerLines(out.String()) {
			if c, ok := runnerReads(line); ok {
				t.Fatalf("%q of %q is the command %q", line, text, c.name)
			}
		}
		if got, want := strings.ReplaceAll(out.String(), " ", ""), strings.ReplaceAll(text, " ", ""); got != want {
			t.Fatalf("%q became %q", text, out.String())
		}
	})
}

// JSON says the same to its reader.
func TestGuardOfJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := strings.ToValidUTF8(hostile().Draw(t, "text"), "")
		var plain, out bytes.Buffer
		if err := json.NewEncoder(&plain).Encode(map[string]string{text: text}); err != nil {
			t.Fatal(err)
		}
		if _, err := Guard(ci.GitHubDialect, true, &out).Write(plain.Bytes()); err != nil {
			t.Fatal(err)
		}
		if c, ok := runnerReads(strings.TrimSpace(out.String())); ok {
			t.Fatalf("%s is the command %q", out.String(), c.name)
		}
		var back map[string]string
		if err := json.Unmarshal(out.Bytes(), &back); err != nil {
			t.Fatal(err)
		}
		if back[text] != text {
			t.Fatalf("%q came back as %v", text, back)
		}
	})
}
