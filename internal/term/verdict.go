package term

import (
	"fmt"
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// verdict is the last card: what it came to, what changed, what to type next.
func (p palette) verdict(service string, v story.Verdict, width int) []string {
	lines := p.outcome(v, width)

	add := func(name, value string) {
		if value != "" {
			lines = append(lines, p.field(name, value, width)...)
		}
	}
	add("service", service)
	add(versionName(v), versions(v))
	add("revision", tail(v.TaskDefinition))
	add("digest", image.ShortDigest(v.ImageDigest))
	if v.Duration > 0 {
		add("took", tookWords(v))
	}
	for i, command := range v.Next {
		name := "next"
		if i > 0 {
			name = ""
		}
		lines = append(lines, p.field(name, command, 0)...) // never wrapped: it is there to be copied
	}
	return lines
}

// outcome is the first line of a card; a long summary gets lines of its own.
func (p palette) outcome(v story.Verdict, width int) []string {
	mark, style := p.verdictMark(v)
	outcome, summary := clean(v.Outcome), p.say(v.Summary)
	if p.spoken {
		return []string{"verdict: " + outcome + ": " + summary}
	}
	head := style.Render(mark) + " " + style.Inherit(p.strong).Render(outcome)
	if width > 0 && lipgloss.Width(outcome)+4+lipgloss.Width(summary) > width {
		return append([]string{head}, hang("  ", summary, 2, width)...)
	}
	return []string{head + "  " + summary}
}

// versionName is "version", or "tried" where the service does not run it.
func versionName(v story.Verdict) string {
	if (v.Outcome == "rolled-back" || v.Outcome == "failed") && v.From != "" && v.From != v.ImageTag {
		return "tried"
	}
	return "version"
}

// versions is where from, where to, and which kind of step that is: "v1.0.0 →
// v1.1.0 (minor upgrade)".
func versions(v story.Verdict) string {
	if v.ImageTag == "" || v.From == "" || v.From == v.ImageTag {
		return v.ImageTag
	}
	text := v.From + " → " + v.ImageTag
	if kind := image.ChangeKind(v.From, v.ImageTag); kind != "" {
		text += " (" + kind + ")"
	}
	return text
}

// tookWords is how long it took, and how long that usually takes.
func tookWords(v story.Verdict) string {
	if v.Usual <= 0 {
		return age(v.Duration)
	}
	return age(v.Duration) + ", usually " + about(v.Usual)
}

// failure is the evidence of one failed task.
func (p palette) failure(service string, f story.Failure, width int) []string {
	what := "task " + clean(f.TaskID[:min(8, len(f.TaskID))])
	if service != "" {
		what = tail(service) + ": " + what
	}
	why := clean(f.StoppedReason)
	if why == "" {
		why = clean(f.StopCode)
	}
	if why != "" {
		what += ": " + why
	}
	lines := hang(p.sign(p.bad, markFailed, "failed"), what, 2, width)

	if container := containerEnd(f); container != "" {
		lines = append(lines, hang("  ", container, 2, width)...)
	}
	lines = append(lines, p.logTail(f.Log, width)...)
	for _, c := range f.Others {
		end := containerEnd(story.Failure{Container: c.Name, ExitCode: c.ExitCode, ExitMeaning: c.ExitMeaning, Reason: c.Reason, Health: c.Health})
		lines = append(lines, hang("  ", end, 2, width)...)
		lines = append(lines, p.logTail(c.Log, width)...)
	}
	if len(f.Log) == 0 && f.LogAt != "" && f.ExitCode != nil {
		lines = append(lines, p.field("log", f.LogAt, width)...)
	}
	return append(lines, p.advice(f.Cause, f.Facts, f.Check, f.Fix, f.Links, width)...)
}

// logTail is the last lines of a container's log.
func (p palette) logTail(log []string, width int) []string {
	var lines []string
	for _, line := range log {
		for _, row := range hang("", strings.TrimRight(plain(line), " "), 0, max(0, width-4)) {
			if p.spoken {
				lines = append(lines, "log: "+row)
				continue
			}
			lines = append(lines, "  "+p.faint.Render("│ ")+row)
		}
	}
	return lines
}

// advice is what is known of a failure and what to do about it: the same when
// a deploy fails and in a diagnosis.
func (p palette) advice(cause string, facts []string, check, fix string, links []story.Link, width int) []string {
	var lines []string
	add := func(name, value string) {
		if value != "" {
			lines = append(lines, p.field(name, value, width)...)
		}
	}
	add("cause", cause)
	for i, fact := range facts {
		name := "found"
		if i > 0 {
			name = ""
		}
		add(name, fact)
	}
	add("check", check)
	add("fix", fix)
	for _, l := range links {
		// An address that is broken into lines is none.
		lines = append(lines, p.fieldName(l.Name)+clean(l.URL))
	}
	return lines
}

// containerEnd says how the container that brought the task down ended.
func containerEnd(f story.Failure) string {
	end := ""
	if f.Container != "" {
		end = "container " + clean(f.Container)
	}
	if f.ExitCode != nil {
		if end == "" {
			end = "container"
		}
		end += fmt.Sprintf(" exited with code %d", *f.ExitCode)
		if f.ExitMeaning != "" {
			end += " (" + f.ExitMeaning + ")"
		}
		if f.RunTime > 0 {
			end += " after " + age(f.RunTime)
		}
	}
	if f.Health == "UNHEALTHY" {
		end += ", unhealthy"
	}
	if reason := clean(f.Reason); reason != "" && reason != clean(f.StoppedReason) {
		if end != "" {
			end += ": "
		}
		end += reason
	}
	return end
}
