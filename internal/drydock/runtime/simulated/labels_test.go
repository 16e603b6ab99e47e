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

func TestLabelsOfACommandHoldForThatCommandAlone(t *testing.T) {
	labels := map[string]string{Prefix + "log": "serving", Prefix + "run.migrate.exit-code": "3"}
	for _, tc := range []struct {
		command []string
		exits   bool
		code    int
		log     string
	}{
		{nil, false, 0, "serving"},
		{[]string{"serve"}, false, 0, "serving"},
		{[]string{"migrate", "up"}, true, 3, ""},
	} {
		b, err := parse(forCommand(labels, tc.command))
		if err != nil || b.exits != tc.exits || b.exitCode != tc.code || strings.Join(b.log, "") != tc.log {
			t.Errorf("%v: %+v, %v", tc.command, b, err)
		}
	}
	for _, label := range []string{"run.migrate.exit_code", "run.migrate", "run."} {
		if err := Check(map[string]string{Prefix + label: "1"}); err == nil {
			t.Errorf("%s is taken", label)
		}
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

func TestTargetHealth(t *testing.T) {
	for value, want := range map[string]answer{
		"healthy":             {},
		"unhealthy":           {failing: span{0, never}},
		"healthy-after=30s":   {failing: span{0, 30 * time.Second}},
		"unhealthy-after=5m":  {failing: span{5 * time.Minute, never}},
		"code=500":            {code: 500},
		"code=600":            {},
		"code=":               {},
		"sick":                {},
		"unhealthy-after=1mm": {},
	} {
		b, err := parse(map[string]string{Prefix + "target-health": value})
		if b.target != want {
			t.Errorf("%s: %+v, want %+v", value, b.target, want)
		}
		if bad := want == (answer{}) && value != "healthy"; bad != (err != nil) {
			t.Errorf("%s: %v", value, err)
		}
	}
}

// What an answer says of the time until the next change is true: asked every
// second, it changes then and not before.
func TestAnswersHoldUntilTheySay(t *testing.T) {
	born := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	same := func(d time.Duration) time.Duration { return d }
	rapid.Check(t, func(t *rapid.T) {
		seconds := func(name string) time.Duration {
			return time.Duration(rapid.IntRange(0, 60).Draw(t, name)) * time.Second
		}
		c := &container{since: born}
		c.target.failing = rapid.SampledFrom([]span{{}, {0, never}, {0, seconds("healthy after")}, {seconds("unhealthy after"), never}}).Draw(t, "failing")
		last := c.answer(born, same)
		for now := born; now.Before(born.Add(2 * time.Minute)); now = now.Add(time.Second) {
			got := c.answer(now, same)
			failing := !now.Before(born.Add(c.target.failing.from)) && now.Before(born.Add(c.target.failing.to))
			if failing != (got.Outcome == runtime.Refused) {
				t.Fatalf("after %v, failing in %v: %+v", now.Sub(born), c.target.failing, got)
			}
			if got.Outcome != last.Outcome && now.Before(last.Until) {
				t.Fatalf("after %v the answer changed, it held until %v", now.Sub(born), last.Until)
			}
			last = got
		}
	})
}
