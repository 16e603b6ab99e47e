package cli

import (
	"slices"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/term"
)

// toned gives a table the tone of what stands in one of its columns.
func toned(table term.Table, title string, tone func(cell string) term.Tone) term.Table {
	at := slices.Index(table.Header, title)
	table.Tone = func(row, column int) term.Tone {
		if column != at || at >= len(table.Rows[row]) {
			return term.Neutral
		}
		return tone(table.Rows[row][at])
	}
	return table
}

// outcomeTone is that of a verdict's outcome.
func outcomeTone(outcome string) term.Tone {
	switch outcome {
	case deploy.Stable, deploy.Unchanged, deploy.Started:
		return term.Good
	case deploy.Failed, deploy.Refused, "error":
		return term.Bad
	case deploy.NotBegun:
		return term.Quiet
	}
	return term.Warn
}

// endTone is that of how a rollout of the past ended: see [endOf].
func endTone(end string) term.Tone {
	switch end {
	case deploy.EndStable:
		return term.Good
	case deploy.EndFailed:
		return term.Bad
	case deploy.EndRolling:
		return term.Busy
	case deploy.EndSuperseded, "": // a change of the count has no end
		return term.Quiet
	}
	return term.Warn // rolled back, to wherever
}

// stateTone is that of the words of [stateWord].
func stateTone(word string) term.Tone {
	switch word {
	case "steady":
		return term.Good
	case "rolling":
		return term.Busy
	case "stopped", "off":
		return term.Quiet
	case "last rollout failed", "cannot be read":
		return term.Bad
	}
	return term.Warn
}

// rolloutTone is that of ECS's state of a rollout, in lower case.
func rolloutTone(state string) term.Tone {
	switch state {
	case "completed":
		return term.Good
	case "in progress":
		return term.Busy
	case "failed":
		return term.Bad
	}
	return term.Neutral
}

// restartTone is that of the words of [restartWord].
func restartTone(word string) term.Tone {
	switch word {
	case "works", "done":
		return term.Good
	case "fails", "never":
		return term.Bad
	case "works today", "not known":
		return term.Warn
	}
	return term.Quiet
}
