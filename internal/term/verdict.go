package term

import (
	"fmt"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// verdict is the last card: what it came to, what changed, what to type next.
func (p palette) verdict(service string, v story.Verdict, width int) []string {
	mark, style := p.verdictMark(v)
	outcome := clean(v.Outcome)
	lines := hang(style.Render(mark)+" "+style.Inherit(p.strong).Render(outcome)+"  ", clean(v.Summary), 2, width)
	if width > 0 && len(outcome)+4+len(v.Summary) > width { // the summary gets its own lines
		lines = append([]string{style.Render(mark) + " " + style.Inherit(p.strong).Render(outcome)},
			hang("  ", clean(v.Summary), 2, width)...)
	}

	add := func(name, value string) {
		if value != "" {
			lines = append(lines, p.field(name, value, width)...)
		}
	}
	add("service", service)
	switch {
	case v.ImageTag != "" && v.From != "" && v.From != v.ImageTag:
		add("version", v.From+" → "+v.ImageTag)
	default:
		add("version", v.ImageTag)
	}
	add("revision", tail(v.TaskDefinition))
	add("digest", image.ShortDigest(v.ImageDigest))
	if v.Duration > 0 {
		add("took", age(v.Duration))
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
	lines := hang(p.bad.Render(markFailed)+" ", what, 2, width)

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
			lines = append(lines, "  "+p.faint.Render("│ "+row))
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
		lines = append(lines, "  "+p.faint.Render(pad(l.Name, fieldNames-1)+" ")+clean(l.URL))
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
