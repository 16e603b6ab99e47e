package simulated

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/runtime"
)

func TestParseRefusals(t *testing.T) {
	for label, value := range map[string]string{
		"plimsoll.drydock.start-delay":    "soon",
		"plimsoll.drydock.exit-after":     "-1s",
		"plimsoll.drydock.exit-code":      "256",
		"plimsoll.drydock.health":         "healthy-after",
		"plimsoll.drydock.ignore-sigterm": "perhaps",
		"plimsoll.drydock.exit_after":     "1s",
	} {
		_, err := parse(map[string]string{label: value})
		if err == nil || !strings.Contains(err.Error(), label) || !strings.Contains(err.Error(), value) {
			t.Errorf("%s=%s: %v", label, value, err)
		}
	}
	if _, err := parse(map[string]string{"plimsoll.drydock.platform": "linux/arm64", "maintainer": "me"}); err != nil {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("health", "healthy-after=30s")
	f.Add("exit-after", "1h")
	f.Add("log", `a\nb`)
	f.Fuzz(func(t *testing.T, name, value string) {
		b, err := parse(map[string]string{Prefix + name: value})
		if err != nil {
			return
		}
		for _, v := range verdicts(runtime.HealthCheck{}, b.failing) {
			if v.after <= 0 {
				t.Fatalf("%s=%s: a verdict at %v", name, value, v.after)
			}
		}
	})
}

// The formula against docker's own way of counting, probe by probe.
func TestVerdictsAreDockers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		second := func(name string, least, most int) time.Duration {
			return time.Duration(rapid.IntRange(least, most).Draw(t, name)) * time.Second
		}
		check := runtime.HealthCheck{
			Interval:    second("interval", 1, 7),
			StartPeriod: second("start period", 0, 20),
			Retries:     rapid.IntRange(1, 4).Draw(t, "retries"),
		}
		failing := rapid.SampledFrom([]span{
			{}, {0, never}, {0, second("healthy after", 0, 60)}, {second("unhealthy after", 0, 60), never},
		}).Draw(t, "failing")

		var want []verdict
		var state runtime.Kind
		streak := 0
		for at := check.Interval; at < 3*time.Minute; at += check.Interval {
			if at < failing.from || at >= failing.to {
				streak = 0
				if state != runtime.Healthy {
					state = runtime.Healthy
					want = append(want, verdict{at, state})
				}
				continue
			}
			if state == 0 && at < check.StartPeriod {
				continue
			}
			if streak++; streak >= check.Retries && state != runtime.Unhealthy {
				state = runtime.Unhealthy
				want = append(want, verdict{at, state})
			}
		}
		if got := verdicts(check, failing); !slices.Equal(got, want) {
			t.Fatalf("%+v failing in %v: got %v, want %v", check, failing, got, want)
		}
	})
}
