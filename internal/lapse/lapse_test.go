package lapse_test

import (
	"testing"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/lapse"
)

func TestWords(t *testing.T) {
	const day = 24 * time.Hour
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct{ got, want string }{
		{lapse.ISO(now.In(time.FixedZone("JST", 9*3600))), "2026-11-21T09:00:00Z"},
		{lapse.Ago(now, now.Add(-30*time.Second)), "just now"},
		{lapse.Ago(now, now.Add(time.Hour)), "just now"},
		{lapse.Ago(now, now.Add(-90*time.Minute)), "1\u00a0h ago"},
		{lapse.Ago(now, now.Add(-47*time.Hour)), "47\u00a0h ago"},
		{lapse.Ago(now, now.Add(-15*day)), "15\u00a0days ago"},
		{lapse.Ago(now, now.Add(-1200*day)), "1,200\u00a0days ago"},
		{lapse.Until(now, now.Add(-time.Second)), "in a moment"},
		{lapse.Until(now, now.Add(119*time.Second)), "in 2\u00a0min"},
		{lapse.Until(now, now.Add(59*time.Minute+40*time.Second)), "in 1\u00a0h"},
		{lapse.Until(now, now.Add(30*time.Hour)), "in 30\u00a0h"},
		{lapse.Until(now, now.Add(7*day-1e9)), "in 7\u00a0days"},
		{lapse.Took(0), ""},
		{lapse.Took(1240 * time.Millisecond), "1.2s"},
		{lapse.Took(100*time.Second + 1), "1m40s"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
