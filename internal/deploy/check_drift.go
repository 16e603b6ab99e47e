package deploy

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/noun"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
	"github.com/plimsoll-ecs/plimsoll/internal/taskdef"
)

// checkDrift says how the template differs from what runs, by whom and since
// when. The images that the deploy sets do not count.
func (j *job) checkDrift(base, running, next *taskdef.Document) story.Check {
	if base.ARN() == running.ARN() {
		return checkOK("template", "%s, which runs", revisionName(base))
	}
	var changes []string
	for _, c := range taskdef.Diff(running, next) {
		if !strings.HasSuffix(c.Path, ".image") {
			changes = append(changes, brief(c))
		}
	}
	if len(changes) == 0 {
		return checkOK("template", "%s, the same as %s but for the image", revisionName(base), revisionName(running))
	}
	const shown = 6
	if more := len(changes) - shown; more > 1 {
		changes = append(changes[:shown], fmt.Sprintf("%d more", more))
	}
	return checkWarn("template",
		fmt.Sprintf("%s%s differs from the running %s: %s", revisionName(base), registered(base, j.Now()), revisionName(running), strings.Join(changes, ", ")),
		"the deploy brings this too; to leave it out: --base running")
}

// registered says by whom and how long ago: " registered by terraform 3 h ago".
func registered(doc *taskdef.Document, now time.Time) string {
	by, at := doc.RegisteredBy(), doc.RegisteredAt()
	if by == "" && at.IsZero() {
		return ""
	}
	s := " registered"
	if by != "" {
		s += " by " + callerName(by)
	}
	if ago := now.Sub(at); !at.IsZero() && ago > 0 {
		s += " " + roughly(ago) + " ago"
	}
	return s
}

// callerName is the name that people know of an ARN: of a role's session the
// role.
func callerName(arn string) string {
	if _, session, ok := strings.Cut(arn, ":assumed-role/"); ok {
		role, _, _ := strings.Cut(session, "/")
		return role
	}
	return path.Base(arn[strings.LastIndexByte(arn, ':')+1:])
}

// roughly is a duration in its largest unit.
func roughly(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// brief is a change in few words: "memory 512 -> 1024", "env +FEATURE_X".
func brief(c taskdef.Change) string {
	name := c.Path
	for _, short := range [][2]string{{".environment[", "env "}, {".secrets[", "secret "}} {
		_, rest, ok := strings.Cut(c.Path, short[0])
		if !ok {
			continue
		}
		key := strings.Trim(strings.TrimSuffix(rest, "]"), `"`)
		switch {
		case c.Before == "":
			return short[1] + "+" + key
		case c.After == "":
			return short[1] + "-" + key
		}
		name = short[1] + key
	}
	name = strings.TrimPrefix(name, "containerDefinitions")
	if strings.HasPrefix(name, "[") && strings.HasSuffix(name, "]") { // a whole container
		if c.Before == "" {
			return "container +" + strings.Trim(name, "[]")
		}
		return "container -" + strings.Trim(name, "[]")
	}
	return fmt.Sprintf("%s %s -> %s", name, clipped(c.Before), clipped(c.After))
}

func clipped(value string) string {
	const most = 40
	if value == "" {
		return "not set"
	}
	if r := []rune(value); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return value
}

// lookAtKeys compares the names of environment variables and secrets with
// those of the last stable revision: one that vanished is what an application
// misses at its start.
func (j *job) lookAtKeys(s Service, next *taskdef.Document) look {
	return func(ctx context.Context) []story.Check {
		arn, err := j.lastStable(ctx, s, "")
		if err != nil {
			return nil // the rollback target has its own line
		}
		stable, err := j.document(ctx, arn)
		if err != nil {
			return nil
		}
		return []story.Check{checkKeys(stable, next)}
	}
}

func checkKeys(stable, next *taskdef.Document) story.Check {
	before, after := variablesOf(stable), variablesOf(next)
	var gone, come []string
	for _, key := range before {
		if !slices.Contains(after, key) {
			gone = append(gone, key)
		}
	}
	for _, key := range after {
		if !slices.Contains(before, key) {
			come = append(come, key)
		}
	}
	name := revisionName(stable)
	switch {
	case len(gone) > 0 && len(come) > 0:
		return checkWarn("environment", fmt.Sprintf("since %s, which was stable, %s vanished, and new is %s", name, strings.Join(gone, ", "), strings.Join(come, ", ")), "make sure that the application can do without")
	case len(gone) > 0:
		return checkWarn("environment", fmt.Sprintf("since %s, which was stable, %s vanished", name, strings.Join(gone, ", ")), "make sure that the application can do without")
	case len(come) > 0:
		return checkOK("environment", "new since %s: %s", name, strings.Join(come, ", "))
	}
	return checkOK("environment", "the same %s as %s", noun.Count(len(after), "key"), name)
}

// variablesOf are the variables of all containers, whether set or filled in from a
// secret; with several containers each has its container's name.
func variablesOf(doc *taskdef.Document) []string {
	var keys []string
	containers := doc.Containers()
	for _, c := range containers {
		prefix := ""
		if len(containers) > 1 {
			prefix = c.Name + "."
		}
		for _, name := range c.Environment {
			keys = append(keys, prefix+name)
		}
		for _, s := range c.Secrets {
			keys = append(keys, prefix+s.Name)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
