package faults

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func set(t testing.TB, rules ...Rule) *Set {
	t.Helper()
	s := New(time.Now)
	for _, r := range rules {
		if _, err := s.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// struck are the calls, from 1, out of n of one operation that end in a fault.
func struck(s *Set, c Call, n int) []int {
	var out []int
	for i := range n {
		if s.strike(c).rule != nil {
			out = append(out, i+1)
		}
	}
	return out
}

func TestSkipAndCount(t *testing.T) {
	update := Call{"ecs", "UpdateService"}
	for _, c := range []struct {
		rule Rule
		want []int
	}{
		{Rule{}, []int{1, 2, 3, 4, 5}},
		{Rule{Count: 2}, []int{1, 2}},
		{Rule{Skip: 3}, []int{4, 5}},
		{Rule{Skip: 1, Count: 2}, []int{2, 3}},
		{Rule{Skip: 9}, nil},
		{Rule{Rate: 1}, []int{1, 2, 3, 4, 5}},
	} {
		c.rule.Kind, c.rule.Match = Throttle, "ecs:Update*"
		s := set(t, c.rule)
		s.strike(Call{"ecs", "DescribeServices"}) // does not match, does not count
		if got := struck(s, update, 5); !slices.Equal(got, c.want) {
			t.Errorf("%+v strikes %v, want %v", c.rule, got, c.want)
		}
		if r := s.Reports()[0]; r.Matched != 5 || r.Struck != len(c.want) {
			t.Errorf("%+v: reported as %d of %d", c.rule, r.Struck, r.Matched)
		}
	}
}

func TestMatches(t *testing.T) {
	call := Call{"ecs", "DescribeServices"}
	for pattern, want := range map[string]bool{
		"*": true, "ecs:*": true, "*:*": true, "ecs:DescribeServices": true, "ecs:describeservices": true, "ECS:Desc*": true, "ecs:*Services": true,
		"ecr:*": false, "ecs:Describe": false, "ecs:DescribeService?": true, "registry:*": false,
	} {
		if got := matches(pattern, call); got != want {
			t.Errorf("%q matches %s: %v", pattern, call, got)
		}
	}
	if !matches("ecs:*", Call{"ecs", "a/b"}) {
		t.Error("a name with a slash escapes")
	}
}

// The share of the calls that a rate strikes is the rate; which ones, the seed
// alone decides, however other operations come in between.
func TestRateIsSeeded(t *testing.T) {
	a, b := Call{"ecs", "DescribeServices"}, Call{"ecs", "DescribeTasks"}
	for _, rate := range []float64{0.05, 0.3, 0.8} {
		t.Run(fmt.Sprint(rate), rapid.MakeCheck(func(t *rapid.T) {
			rule := Rule{Kind: Drop, Match: "*", Rate: rate, Seed: rapid.Uint64().Draw(t, "seed")}
			s := New(time.Now)
			if _, err := s.Add(rule); err != nil {
				t.Fatal(err)
			}
			const n = 2000
			alone := struck(s, a, n)
			if share := float64(len(alone)) / n; math.Abs(share-rate) > 0.06 { // five standard deviations
				t.Errorf("%v of the calls are struck", share)
			}
			mixed := New(time.Now)
			if _, err := mixed.Add(rule); err != nil {
				t.Fatal(err)
			}
			others := rapid.SliceOfN(rapid.IntRange(0, 3), 100, 100).Draw(t, "others")
			var got []int
			for i := range n {
				struck(mixed, b, others[i%len(others)])
				if mixed.strike(a).rule != nil {
					got = append(got, i+1)
				}
			}
			if !slices.Equal(got, alone) {
				t.Error("other calls in between change which are struck")
			}
		}))
	}
}

func TestDelaysAddUpAndTheFirstEndDecides(t *testing.T) {
	s := set(t,
		Rule{Kind: Latency, Match: "*", DelaySeconds: 0.2},
		Rule{Kind: Latency, Match: "ecs:*", DelaySeconds: 0.3},
		Rule{Kind: Throttle, Match: "ecs:*", Count: 1},
		Rule{Kind: Drop, Match: "*"},
	)
	for i, want := range []Kind{Throttle, Drop} {
		got := s.strike(Call{"ecs", "ListTasks"})
		if got.delay != 500*time.Millisecond || got.rule.Kind != want {
			t.Errorf("call %d: %v and %s, want 500ms and %s", i+1, got.delay, got.rule.Kind, want)
		}
	}
	if r := s.Reports()[3]; r.Matched != 1 {
		t.Errorf("the last rule heard of %d calls, want only the one that the others let through", r.Matched)
	}
	long := set(t, Rule{Kind: Latency, Match: "*", DelaySeconds: 300}, Rule{Kind: Latency, Match: "*", DelaySeconds: 300})
	if got := long.strike(Call{}).delay; got != maxDelay {
		t.Errorf("delays add up to %v", got)
	}
}

func TestRemoveAndClear(t *testing.T) {
	s := set(t, Rule{Kind: Drop, Match: "*"}, Rule{Kind: Throttle, Match: "*"})
	if !s.Remove(1) || s.Remove(1) || s.Remove(7) {
		t.Error("a rule is there until it is removed, and only then")
	}
	if got := s.strike(Call{}).rule; got == nil || got.Kind != Throttle {
		t.Errorf("what is left strikes as %v", got)
	}
	s.Clear()
	if got := s.strike(Call{}); got != (stroke{}) || len(s.Reports()) != 0 {
		t.Errorf("a cleared set strikes: %v", got)
	}
	if added, err := s.Add(Rule{Kind: Drop, Match: "*"}); err != nil || added.ID != 3 {
		t.Errorf("rule %d, %v: a number is given out once", added.ID, err)
	}
}

func TestRulesThatCannotBeMeant(t *testing.T) {
	for _, r := range []Rule{
		{}, {Kind: "hail", Match: "*"}, {Kind: Drop}, {Kind: Drop, Match: "UpdateService"}, {Kind: Drop, Match: ":x"}, {Kind: Drop, Match: "ecs:["},
		{Kind: Drop, Match: "*", Skip: -1}, {Kind: Drop, Match: "*", Count: -1}, {Kind: Drop, Match: "*", Rate: -0.1}, {Kind: Drop, Match: "*", Rate: 1.1},
		{Kind: Drop, Match: "*", Rate: math.NaN()}, {Kind: Drop, Match: "*", Status: 500}, {Kind: Drop, Match: "*", DelaySeconds: 1},
		{Kind: Error, Match: "*", Status: 200}, {Kind: Error, Match: "*", Status: 600}, {Kind: Latency, Match: "*"}, {Kind: Latency, Match: "*", DelaySeconds: -1},
		{Kind: Latency, Match: "*", DelaySeconds: 301}, {Kind: Latency, Match: "*", DelaySeconds: math.NaN()}, {Kind: Buckets, Match: "*", Count: 1}, {Kind: Buckets, Match: "*", Rate: 0.5},
	} {
		if _, err := New(time.Now).Add(r); err == nil {
			t.Errorf("%+v is accepted", r)
		} else if _, ok := errors.AsType[*InvalidError](err); !ok {
			t.Errorf("%+v: %T", r, err)
		}
	}
	s := New(time.Now)
	for range maxRules {
		if _, err := s.Add(Rule{Kind: Drop, Match: "*"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Add(Rule{Kind: Drop, Match: "*"}); err == nil {
		t.Error("rules pile up")
	}
}
