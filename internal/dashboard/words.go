package dashboard

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
)

// stamp is a time to the minute, as tables write it.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2 Jan 2006 15:04")
}

// stateWord is the state of a service in a word or two, and stateClass the
// colour of it.
func stateWord(s audit.State) string {
	return [...]string{"cannot restart", "may not restart", "not known", "can restart"}[s]
}

func stateClass(s audit.State) string { return [...]string{"bad", "warn", "off", "good"}[s] }

// lower is an ECS state as a sentence has it.
func lower(state string) string { return strings.ToLower(strings.ReplaceAll(state, "_", " ")) }

// hint is what to do about an error, where it knows; "" otherwise.
func hint(err error) string {
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		return hinted.Hint()
	}
	return ""
}

// said is an error as a page says it, and what to do about it: what a use case was
// refused for, else the error itself.
func said(err error) (what, do string) {
	if errors.Is(err, context.DeadlineExceeded) {
		return "AWS did not answer in time", "It may be throttling the account: load the page again in a while."
	}
	var refused *deploy.PreflightError
	if !errors.As(err, &refused) || len(refused.Faults) == 0 {
		return err.Error(), hint(err)
	}
	var whats, dos []string
	for _, f := range refused.Faults {
		whats = append(whats, f.What)
		if f.Do != "" {
			dos = append(dos, f.Do)
		}
	}
	return strings.Join(whats, "; "), strings.Join(dos, "; ")
}

// ending is a name that is one of many in a narrow list: of a long one the end, by
// which revisions of a family differ.
func ending(name string) string {
	const most = 24
	if letters := []rune(name); len(letters) > most {
		return "…" + string(letters[len(letters)-most+1:])
	}
	return name
}

// about takes the name of the object off what was found of it, where that
// stands beside it.
func about(f *audit.Finding) string {
	return strings.TrimPrefix(strings.TrimPrefix(f.What, f.Object.Name+" "), f.Object.Name+": ")
}

// restartSays is what the audit makes of a restart now.
func restartSays(s audit.State) string {
	switch s {
	case audit.Lost:
		return "It would not come back."
	case audit.Unknown:
		return "Not everything that it needs could be seen."
	}
	return "New tasks would start."
}

// shortCommit is a commit id as git abbreviates it.
func shortCommit(sha string) string {
	if len(sha) == 40 && strings.Trim(sha, "0123456789abcdef") == "" {
		return sha[:7]
	}
	return sha
}
