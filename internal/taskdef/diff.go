package taskdef

import (
	"maps"
	"slices"
	"strings"
)

// Change is one setting that differs between two definitions.
type Change struct {
	Path   string `json:"path"`             // containerDefinitions[web].environment[FEATURE_X]
	Before string `json:"before,omitempty"` // "" where it is not set, or is ECS's default
	After  string `json:"after,omitempty"`  // likewise
}

// Diff lists the settings in which b differs from a, by path. What
// [Fingerprint] passes over is passed over here. Values that look like secrets
// are not shown, only that they differ.
func Diff(a, b *Document) []Change {
	before, after := flatten(a), flatten(b)
	paths := maps.Clone(before)
	maps.Copy(paths, after)
	var changes []Change
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		was, wasSet := before[path]
		is, isSet := after[path]
		if wasSet == isSet && was.kind == is.kind && was.text == is.text {
			continue
		}
		change := Change{Path: path}
		hidden := was.hidden || is.hidden
		if wasSet {
			change.Before = was.shown(hidden)
		}
		if isSet {
			change.After = is.shown(hidden)
		}
		if hidden && wasSet && isSet {
			change.After = "(hidden, another value)"
		}
		changes = append(changes, change)
	}
	return changes
}

func (l leaf) shown(hidden bool) string {
	switch {
	case hidden:
		return "(hidden)"
	case l.text == "":
		return `""`
	}
	return l.text
}

// isFreeText tells the places where teams write what they like under names
// they chose.
func isFreeText(schema string) bool {
	inContainer, ok := strings.CutPrefix(schema, "containerDefinitions[].")
	if !ok {
		return false
	}
	for _, place := range []string{"environment[]", "dockerLabels.", "logConfiguration.options.", "firelensConfiguration.options."} {
		if strings.HasPrefix(inContainer, place) {
			return true
		}
	}
	return false
}

// namesSecret tells the names under which secrets are kept. It errs on the
// side of hiding.
func namesSecret(name string) bool {
	name = strings.ToUpper(name)
	for _, part := range []string{"PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "KEY", "CREDENTIAL", "PRIVATE", "SIGNATURE", "WEBHOOK"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	words := strings.FieldsFunc(name, func(c rune) bool { return c == '_' || c == '-' || c == '.' || c == '#' })
	return slices.ContainsFunc(words, func(word string) bool {
		return slices.Contains([]string{"PASS", "PWD", "PW", "AUTH", "DSN", "SALT", "CERT", "COOKIE", "SESSION"}, word)
	})
}

// holdsSecret tells values that carry a secret under whatever name: a URL with
// user information, a password in a connection string or an argument, a PEM
// block.
func holdsSecret(text string) bool {
	text = strings.ToLower(text)
	for _, mark := range []string{
		"password=", "passwd=", "pwd=", "token=", "secret=", "apikey=", "api_key=", "api-key=", "access_key=", "accountkey=",
		"--password", "--token", "--secret", "-----begin ", "bearer ",
	} {
		if strings.Contains(text, mark) {
			return true
		}
	}
	for rest := text; ; {
		_, after, ok := strings.Cut(rest, "://")
		if !ok {
			return false
		}
		authority := after
		if end := strings.IndexAny(after, "/?# \"',"); end >= 0 {
			authority = after[:end]
		}
		if strings.Contains(authority, "@") {
			return true
		}
		rest = after
	}
}
