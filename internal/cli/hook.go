package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/config"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
)

// hookFlags are commands to run around a rollout.
type hookFlags struct {
	Before       []string `help:"Run this in a task of the new revision before the service is updated, such as a migration; if it fails, nothing changes (exit 3)." sep:"none" placeholder:"[CONTAINER:] CMD"`
	After        []string `help:"Run this when the service is stable, such as a smoke test." sep:"none" placeholder:"[CONTAINER:] CMD"`
	AfterFailure string   `help:"When --after fails: rollback (exit 4), or keep (exit 5)." enum:"rollback,keep" default:"rollback" placeholder:"rollback"`
}

// lay puts the hooks into a request: those of the flags, else the file's.
func (f hookFlags) lay(r *deploy.Request, set config.Settings) error {
	for _, part := range []struct {
		flag  string
		texts []string
		file  config.Of[[]config.Hook]
		into  *[]deploy.Hook
	}{{"--before", f.Before, set.Before, &r.Before}, {"--after", f.After, set.After, &r.After}} {
		for _, text := range part.texts {
			hook, err := parseHook(text)
			if err != nil {
				return &usageError{fmt.Errorf("%s %q: %w", part.flag, text, err), "give it as 'CMD ARG…' or 'CONTAINER: CMD ARG…'"}
			}
			*part.into = append(*part.into, hook)
		}
		if len(part.texts) > 0 {
			continue
		}
		for _, h := range part.file.Value {
			*part.into = append(*part.into, fileHook(h))
		}
	}
	r.AfterFailure = deploy.AfterFailure(f.AfterFailure)
	return nil
}

// parseHook reads "container: command arguments"; the container may be left
// out. The words are split as a shell does, with quotes and backslashes, and
// nothing else of a shell.
func parseHook(text string) (deploy.Hook, error) {
	words, err := splitWords(text)
	if err != nil {
		return deploy.Hook{}, err
	}
	var h deploy.Hook
	if len(words) > 0 {
		if name, ok := strings.CutSuffix(words[0], ":"); ok && name != "" && !strings.ContainsAny(name, "/:") {
			h.Container, words = name, words[1:]
		}
	}
	if len(words) == 0 || words[0] == "" {
		return deploy.Hook{}, fmt.Errorf("there is no command")
	}
	h.Run = words
	return h, nil
}

// splitWords splits a command line into its words.
func splitWords(text string) ([]string, error) {
	var words []string
	var word strings.Builder
	quote, inside := rune(0), false
	runes := []rune(text)
	for i := 0; i < len(runes); i++ {
		c := runes[i]
		switch {
		case c == '\\' && quote != '\'':
			if i++; i == len(runes) {
				return nil, fmt.Errorf("it ends in a backslash")
			}
			if quote == '"' && !strings.ContainsRune(`"\$`+"`", runes[i]) {
				word.WriteRune('\\') // as in a shell: others are themselves
			}
			word.WriteRune(runes[i])
			inside = true
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			quote, inside = c, true
		case quote == 0 && strings.ContainsRune(" \t\n", c):
			if inside {
				words = append(words, word.String())
				word.Reset()
				inside = false
			}
		default:
			word.WriteRune(c)
			inside = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a quote %c is not closed", quote)
	}
	if inside {
		words = append(words, word.String())
	}
	return words, nil
}

// fileHook is a hook of the configuration.
func fileHook(h config.Hook) deploy.Hook {
	return deploy.Hook{Name: h.Name, Run: h.Run, Container: h.Container, Timeout: time.Duration(h.Timeout)}
}
