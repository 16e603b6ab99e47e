package faults

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// However calls come, in no span of time do more of them pass than the burst
// and what flows in meanwhile; and a caller who keeps to the rate after a
// pause is never refused.
func TestBucketNeverGivesMoreThanBurstAndRefill(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := rapid.SampledFrom(quotas()).Draw(t, "quota")
		now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
		s := New(func() time.Time { return now })
		if _, err := s.Add(Rule{Kind: Buckets, Match: "ecs:*"}); err != nil {
			t.Fatal(err)
		}
		var passed []time.Time
		var latest time.Time // the bucket knows no earlier time than its first
		for range rapid.IntRange(1, 400).Draw(t, "calls") {
			// Now and then the clock stands, or a second reading is before the first.
			now = now.Add(time.Duration(rapid.IntRange(-5, 400).Draw(t, "ms")) * time.Millisecond)
			if now.After(latest) {
				latest = now
			}
			operation := rapid.SampledFrom(q.calls).Draw(t, "operation") // all draw from one bucket
			if s.strike(Call{"ecs", operation}).rule == nil {
				passed = append(passed, latest)
			}
		}
		for i := range passed {
			for j := i; j < len(passed); j++ {
				span := passed[j].Sub(passed[i]).Seconds()
				if got, most := float64(j-i+1), q.burst+span*q.refill+1e-6; got > most {
					t.Fatalf("%s: %v calls passed within %v s, at most %v may", q.name, got, span, most)
				}
			}
		}
		now = latest.Add(time.Hour)
		for i := range int(q.burst) + 20 {
			if i >= int(q.burst) {
				now = now.Add(time.Duration(float64(time.Second)/q.refill) + time.Microsecond)
			}
			if s.strike(Call{"ecs", q.calls[0]}).rule != nil {
				t.Fatalf("%s: call %d is throttled within its quota", q.name, i)
			}
		}
	})
}

func TestEveryOperationIsInOneBucket(t *testing.T) {
	seen := map[string]string{}
	for _, q := range quotas() {
		for _, name := range q.calls {
			if other, twice := seen[name]; twice {
				t.Errorf("%s is in %s and in %s", name, other, q.name)
			}
			seen[name] = q.name
		}
	}
}

func TestNoBucketNoThrottle(t *testing.T) {
	s := New(time.Now)
	if _, err := s.Add(Rule{Kind: Buckets, Match: "*"}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []Call{{"ecr", "PutImage"}, {"ecs", "NoSuchOperation"}, {"registry", "GetBlob"}, {"ecr", "TagResource"}} {
		for range 1000 {
			if s.strike(c).rule != nil {
				t.Fatalf("%s is throttled", c)
			}
		}
	}
}
