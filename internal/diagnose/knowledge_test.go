package diagnose

import (
	"strings"
	"testing"
)

func load(t testing.TB) *Knowledge {
	t.Helper()
	k, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// evidence puts a line where its source says it comes from.
func evidence(from source, text string) Evidence {
	one := 1
	switch from {
	case fromLog:
		return Evidence{StopCode: stopCodeExited, ExitCode: &one, Log: []string{"starting", text, "bye"}}
	case fromExit:
		var code int
		for _, c := range strings.TrimPrefix(text, "exit code ") {
			code = code*10 + int(c-'0')
		}
		return Evidence{StopCode: stopCodeExited, StoppedReason: "Essential container in task exited", ExitCode: &code}
	}
	if code, ok := strings.CutPrefix(text, "stop code "); ok {
		return Evidence{StopCode: code}
	}
	return Evidence{StoppedReason: text}
}

func TestEveryExampleIsNamed(t *testing.T) {
	k := load(t)
	for _, e := range k.entries {
		if len(e.Examples) == 0 {
			t.Errorf("%s has no example", e.ID)
		}
		for _, example := range e.Examples {
			got := k.Diagnose(evidence(e.In[0], example))
			if len(got) == 0 || got[0].ID != e.ID {
				t.Errorf("%s: example %q is taken for %+v", e.ID, example, got)
				continue
			}
			if d := got[0]; strings.ContainsAny(d.Cause+d.Check+d.Fix, "{}|") {
				t.Errorf("%s: %+v has a slot left", e.ID, d)
			}
		}
	}
}

// Every pattern must have an example of its own, or nobody knows that it
// still works.
func TestEveryPatternHasAnExample(t *testing.T) {
	for _, e := range load(t).entries {
		for _, re := range e.patterns {
			used := false
			for _, example := range e.Examples {
				used = used || re.MatchString(strings.ReplaceAll(example, "’", "'"))
			}
			if !used {
				t.Errorf("%s: no example for %s", e.ID, re)
			}
		}
	}
}

func TestWordsAreOneStyle(t *testing.T) {
	for _, e := range load(t).entries {
		for _, text := range []string{e.Cause, e.Check, e.Fix} {
			if strings.HasSuffix(text, ".") || strings.TrimSpace(text) != text || strings.Contains(text, "  ") {
				t.Errorf("%s: %q: no full stop, no spaces around", e.ID, text)
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	const rest = `"in":["aws"],"cause":"c","check":"c","fix":"f"`
	for raw, want := range map[string]string{
		`{}`:                    "cannot unmarshal",
		`[{"id":"a","typo":1}]`: "typo",
		`[{"id":"a","contains":["x"],"in":["aws"]}]`:                                          "must be given",
		`[{"id":"a",` + rest + `}]`:                                                           "nothing to match",
		`[{"id":"a","contains":["X"],` + rest + `}]`:                                          "not lower case",
		`[{"id":"a","patterns":["("],` + rest + `}]`:                                          "missing closing",
		`[{"id":"a","contains":["x"],"conclusive":-1,` + rest + `}]`:                          "negative",
		`[{"id":"a","contains":["x"],"in":["tv"],"cause":"c","check":"c","fix":"f"}]`:         "unknown source",
		`[{"id":"a","contains":["x"],"in":[],"cause":"c","check":"c","fix":"f"}]`:             "no source",
		`[{"id":"a","contains":["x"],"in":["aws"],"cause":"{b}","check":"c","fix":"f"}]`:      `no pattern has a group "b"`,
		`[{"id":"a","contains":["x"],` + rest + `},{"id":"a","contains":["x"],` + rest + `}]`: "twice",
	} {
		if _, err := parse([]byte(raw)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want …%s…", raw, err, want)
		}
	}
}

func TestExpand(t *testing.T) {
	value := func(name string) string { return map[string]string{"a": "A"}[name] }
	for in, want := range map[string]string{
		"": "", "plain": "plain", "{a}": "A", "x{a|b}y": "xAy", "{b|other}": "other", "{b}": "", "{a": "A", "{a}{b|c}": "Ac",
	} {
		if got := expand(in, value); got != want {
			t.Errorf("expand(%q) = %q, want %q", in, got, want)
		}
	}
}
