package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Evidence is what is known about one failed task, or about a refused call.
// Every part may be missing.
type Evidence struct {
	StopCode        string   // ECS's stopCode: TaskFailedToStart, EssentialContainerExited …
	StoppedReason   string   // of the task
	ContainerReason string   // of the container that brought it down
	ExitCode        *int     // of the same container
	Log             []string // its last lines, oldest first
	Events          []string // messages of the service, newest first
	Refusal         string   // an error of the AWS API, of the registry or of a CI job
}

// Diagnosis is a cause that the evidence names.
type Diagnosis struct {
	ID         string `json:"id"`         // stable: "digest-gone"
	Cause      string `json:"cause"`      // what went wrong
	Check      string `json:"check"`      // what to look at
	Fix        string `json:"fix"`        // what to do
	Conclusive int    `json:"conclusive"` // on how many distinct tasks it must be seen to be certain; 0: never, a later try may succeed
	Matched    string `json:"matched"`    // the evidence, shortened

	Named   map[string]string `json:"named,omitempty"`   // what the evidence names: image, digest, platform, key …
	General bool              `json:"general,omitempty"` // it says little: any other cause says more
	Normal  bool              `json:"normal,omitempty"`  // no failure: ECS or AWS ended the task in the course of things
}

// line is one thing that somebody said.
type line struct {
	from        source
	text, lower string
}

// lines takes the evidence apart, the most telling line of each source first:
// of the log that is the last one.
func (ev Evidence) lines() []line {
	var lines []line
	say := func(from source, text string) {
		if text = strings.TrimSpace(strings.ReplaceAll(text, "’", "'")); text != "" {
			lines = append(lines, line{from, text, strings.ToLower(text)})
		}
	}
	say(fromAWS, ev.StoppedReason)
	say(fromAWS, ev.ContainerReason)
	say(fromAWS, ev.Refusal)
	if ev.StopCode != "" {
		say(fromAWS, "stop code "+ev.StopCode)
	}
	for _, event := range ev.Events {
		say(fromAWS, event)
	}
	for _, text := range slices.Backward(ev.Log) {
		say(fromLog, text)
	}
	// An exit code 0 is bad news only where ECS wanted the container to go on.
	if ev.ExitCode != nil && (*ev.ExitCode != 0 || ev.StopCode == stopCodeExited) {
		say(fromExit, fmt.Sprintf("exit code %d", *ev.ExitCode))
	}
	return lines
}

// stopCodeExited is the stopCode of a task whose essential container ended.
const stopCodeExited = "EssentialContainerExited"

// ended says whether a container ended by itself. Without that, an error in
// the log may be one the application lives with.
func (ev Evidence) ended() bool {
	return ev.StopCode == stopCodeExited || ev.ExitCode != nil && *ev.ExitCode != 0
}

// Diagnose names the causes that fit the evidence, the best first; none when
// there is nothing to go by. Each cause is there once.
//
// Before all come the causes ECS names and those in the log of a container
// that ended; then errors in the log of one that did not, which are never
// conclusive; last what is no failure at all. General causes are left out as
// soon as a particular one is known.
func (k *Knowledge) Diagnose(ev Evidence) []Diagnosis {
	type found struct {
		rank, index int
		Diagnosis
	}
	byIndex := map[int]found{}
	normal := false
	for _, l := range ev.lines() {
		if normal && l.from != fromAWS {
			continue
		}
		for i := range k.entries {
			e := &k.entries[i]
			groups, ok := e.match(l)
			if !ok {
				continue
			}
			if _, known := byIndex[i]; known {
				break
			}
			f := found{index: i, Diagnosis: Diagnosis{
				ID: e.ID, Cause: expand(e.Cause, groups), Check: expand(e.Check, groups), Fix: expand(e.Fix, groups),
				Conclusive: e.Conclusive, Matched: shorten(l.text), Named: e.named(groups), General: e.Fallback, Normal: e.Normal,
			}}
			switch {
			case e.Fallback:
				f.rank = 3
			case e.Normal:
				f.rank, normal = 2, true
			case l.from == fromLog && !ev.ended():
				f.rank = 1
			}
			if l.from == fromLog && !ev.ended() {
				f.Conclusive = 0
			}
			byIndex[i] = f
			break
		}
	}
	all := make([]found, 0, len(byIndex))
	for _, f := range byIndex {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b found) int { return cmp.Or(a.rank-b.rank, a.index-b.index) })
	var diagnoses []Diagnosis
	for i, f := range all {
		if f.rank == 3 && i > 0 {
			break
		}
		diagnoses = append(diagnoses, f.Diagnosis)
	}
	return diagnoses
}

// shorten keeps a line to what fits on a terminal's few lines.
func shorten(s string) string {
	const most = 400
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most]) + "…"
}

// isOutOfMemory tells ECS's reason for a container that the kernel killed.
func isOutOfMemory(reason string) bool {
	return strings.Contains(reason, "OutOfMemory") || strings.Contains(reason, "OOMKilled")
}
