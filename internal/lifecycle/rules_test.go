package lifecycle

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// The sentences of the guide's "Lifecycle policy evaluation rules", each as a
// property of random repositories.

func TestSentences(t *testing.T) {
	now := start()
	for _, s := range []struct {
		sentence string
		holds    func(t *testing.T, r *random, p Policy, images []Image, result Result)
	}{
		{"All rules are evaluated at the same time, regardless of rule priority.", independent},
		{"An image is expired or archived by exactly one or zero rules.", actsByOwnRule},
		{"An image that matches the tagging requirements of a rule cannot be expired or archived by a rule with a lower priority.", firstRuleOwns},
		{"Rules can never mark images that are marked by higher priority rules, but can still identify them as if they haven't been expired or archived.", countsWhatIsMarked},
		{"If an image is referenced by a manifest list, it cannot be expired or archived without the manifest list being deleted or archived first.", childrenStay},
		{"Expiration [...] always expires older images before newer ones.", olderFirst},
		{"With countType = imageCountMoreThan, [...] all images greater than the specified count are expired or archived.", keepsTheCount},
		{"With countType = sinceImagePushed, all images whose pushed_at_time is older than the specified number of days", ageOnly},
		{"With countType = sinceImageTransitioned, all archived images", classesKeptApart},
		{"An image is successfully matched if all of the tags in the tagPatternList or tagPrefixList value are matched", listsAsk},
		{"With countType = sinceImagePulled, all images whose last_recorded_pulltime is older than the specified number of days", pulledStay},
		{"[While it is being restored] no rule is documented to touch an image", restoringStay},
		{"Amazon ECR lifecycle policies automatically expire or archive those artifacts", referrersFollow},
	} {
		t.Run(s.sentence[:min(len(s.sentence), 60)], func(t *testing.T) {
			forEachRepository(t, func(t *testing.T, r *random, p Policy, images []Image) {
				s.holds(t, r, p, images, Evaluate(p, images, now, OneReading()))
			})
		})
	}
}

// byRule is the decisions that a rule made, not those for a subject's sake.
func byRule(result Result, priority int) map[string]Action {
	out := map[string]Action{}
	for _, d := range result.Decisions {
		if d.Rule == priority && d.Action != "" {
			out[d.Digest] = d.Action
		}
	}
	return out
}

// independent: what a rule takes does not change with the rules after it.
func independent(t *testing.T, _ *random, p Policy, images []Image, result Result) {
	alone := Evaluate(Policy{p.rules[:1]}, images, result.At, OneReading())
	first := p.rules[0].Priority
	want, got := byRule(alone, first), byRule(result, first)
	if len(want) != len(got) {
		t.Errorf("rule %d takes %v alone and %v with the rest", first, want, got)
	}
}

func actsByOwnRule(t *testing.T, _ *random, p Policy, images []Image, result Result) {
	for i, d := range result.Decisions {
		if d.Action == "" || d.Reason == WithSubject {
			continue
		}
		rule := p.rules[slices.IndexFunc(p.rules, func(r Rule) bool { return r.Priority == d.Rule })]
		if rule.Action != d.Action || !referenceIdentifies(rule, images[i]) {
			t.Errorf("%+v by %+v", d, rule)
		}
	}
}

func firstRuleOwns(t *testing.T, _ *random, p Policy, images []Image, result Result) {
	for i, d := range result.Decisions {
		owner := slices.IndexFunc(p.rules, func(r Rule) bool { return referenceIdentifies(r, images[i]) })
		if owner >= 0 && d.Rule != p.rules[owner].Priority && d.Reason != WithSubject {
			t.Errorf("%+v belongs to rule %d", d, p.rules[owner].Priority)
		}
		if d.Action == "" && d.SparedFrom != 0 {
			without := Evaluate(Policy{slices.DeleteFunc(p.Rules(), func(r Rule) bool { return r.Priority < d.SparedFrom })}, images, result.At, OneReading())
			if own := without.Decisions[i]; own.Action == "" && own.Reason != Referenced {
				t.Errorf("%+v would not go by rule %d: %+v", d, d.SparedFrom, own)
			}
		}
	}
}

// countsWhatIsMarked: a rule takes the same of its own images whether or not
// the first rule took others.
func countsWhatIsMarked(t *testing.T, _ *random, p Policy, images []Image, result Result) {
	if len(p.rules) < 2 || p.rules[0].CountType != CountMoreThan {
		return
	}
	lenient := p.Rules()
	lenient[0].CountNumber = 9999
	other := Evaluate(Policy{lenient}, images, result.At, OneReading())
	for _, r := range p.rules[1:] {
		if want, got := byRule(other, r.Priority), byRule(result, r.Priority); len(want) != len(got) {
			t.Errorf("rule %d takes %v, or %v when rule %d takes nothing", r.Priority, got, want, p.rules[0].Priority)
		}
	}
}

func childrenStay(t *testing.T, _ *random, _ Policy, images []Image, result Result) {
	for i, d := range result.Decisions {
		held := referenceHeld(&images[i], images)
		if held && d.Action != "" || d.Failed() && !held || d.Failed() && len(result.Holders(i)) == 0 {
			t.Errorf("%+v, held: %v", d, held)
		}
	}
}

func olderFirst(t *testing.T, _ *random, _ Policy, images []Image, result Result) {
	for i, newer := range result.Decisions {
		for k, older := range result.Decisions {
			if newer.Reason == TooMany && older.Rule == newer.Rule && older.Reason == AmongNewest && images[k].ordered().Before(images[i].ordered()) {
				t.Errorf("%+v goes before %+v", newer, older)
			}
		}
	}
}

func keepsTheCount(t *testing.T, _ *random, p Policy, images []Image, result Result) {
	for _, r := range p.rules {
		identified, beyond := 0, 0
		for i, d := range result.Decisions {
			if referenceIdentifies(r, images[i]) {
				identified++
				if d.Rule == r.Priority && (d.Reason == TooMany || d.Reason == Referenced) {
					beyond++
				}
			}
		}
		if r.CountType == CountMoreThan && beyond > max(0, identified-r.CountNumber) {
			t.Errorf("rule %d takes %d of %d", r.Priority, beyond, identified)
		}
	}
}

// ageOnly: what an age rule does with an image has nothing to do with other
// images, and time does not undo it.
func ageOnly(t *testing.T, _ *random, p Policy, images []Image, result Result) {
	for i, d := range result.Decisions {
		if d.Reason != TooOld && d.Reason != TooYoung {
			continue
		}
		if alone := Evaluate(p, images[i:i+1], result.At, OneReading()).Decisions[0]; alone.Action != d.Action {
			t.Errorf("%+v, alone %+v", d, alone)
		}
		if later := Evaluate(p, images, result.At.Add(day), OneReading()).Decisions[i]; d.Action != "" && later.Action == "" {
			t.Errorf("%+v, later %+v", d, later)
		}
	}
}

func classesKeptApart(t *testing.T, _ *random, p Policy, images []Image, result Result) {
	for i, d := range result.Decisions {
		if d.Action == Transition && images[i].Status == Archived {
			t.Errorf("%+v is archived already", d)
		}
	}
	standard := Policy{slices.DeleteFunc(p.Rules(), func(r Rule) bool { return r.StorageClass == Archive })}
	without := Evaluate(standard, images, result.At, OneReading())
	for _, r := range standard.rules {
		if want, got := byRule(without, r.Priority), byRule(result, r.Priority); len(want) != len(got) {
			t.Errorf("rule %d takes %v, or %v without the rules for archived images", r.Priority, got, want)
		}
	}
}

// listsAsk: an image belongs to the first rule that finds each entry of its list
// among the image's tags, and to none when there is no such rule.
func listsAsk(t *testing.T, _ *random, p Policy, images []Image, result Result) {
	for i, d := range result.Decisions {
		if d.Reason == WithSubject {
			continue
		}
		for _, r := range p.rules {
			if referenceIdentifies(r, images[i]) {
				if d.Rule != r.Priority {
					t.Errorf("%+v belongs to rule %d", d, r.Priority)
				}
				break
			}
			if d.Rule == r.Priority {
				t.Errorf("%+v is none of rule %d's", d, r.Priority)
			}
		}
	}
}

// pulledStay: a rule by the last pull takes nothing that was pulled, pushed or
// restored within its days, and never deletes.
func pulledStay(t *testing.T, _ *random, p Policy, images []Image, result Result) {
	for _, r := range p.rules {
		if r.CountType != SincePulled {
			continue
		}
		for i, d := range result.Decisions {
			if d.Rule != r.Priority || d.Action == "" {
				continue
			}
			since := result.At.AddDate(0, 0, -r.CountNumber)
			recent := images[i].LastPulledAt.After(since) || images[i].LastActivatedAt.After(since) || images[i].LastPulledAt.IsZero() && images[i].PushedAt.After(since)
			if d.Action != Transition || recent {
				t.Errorf("%+v, pulled %s", d, images[i].LastPulledAt)
			}
		}
	}
}

func restoringStay(t *testing.T, _ *random, _ Policy, images []Image, result Result) {
	for i, d := range result.Decisions {
		if images[i].Status == Activating && d.Action != "" && d.Reason != WithSubject {
			t.Errorf("%+v", d)
		}
	}
}

func referrersFollow(t *testing.T, _ *random, _ Policy, images []Image, result Result) {
	decisions := byDigest(result)
	for i, d := range result.Decisions {
		subject, ok := decisions[images[i].Subject]
		archived := subject.Action == Transition && images[i].Status == Archived
		if ok && subject.Action != "" && d.Action == "" && !archived && !referenceHeld(&images[i], images) {
			t.Errorf("%+v does not follow %+v", d, subject)
		}
	}
}

// Within an empty policy and without times nothing goes.
func TestNothingToGoBy(t *testing.T) {
	images := []Image{{Digest: "a"}, {Digest: "b", Tags: []string{"v1"}, Status: Archived}}
	const policy = `{"rules": [
		{"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 2147483647}, "action": {"type": "expire"}},
		{"rulePriority": 2, "selection": {"tagStatus": "any", "storageClass": "archive", "countType": "sinceImageTransitioned", "countUnit": "days", "countNumber": 90}, "action": {"type": "expire"}}]}`
	for _, p := range []Policy{{}, mustParse(t, []byte(policy))} {
		for _, d := range Evaluate(p, images, start(), Options{}).Decisions {
			if d.Action != "" {
				t.Errorf("%+v", d)
			}
		}
		for _, f := range Next(p, images, start(), 100*365*day) {
			if f.Next.Action != "" {
				t.Errorf("%+v", f)
			}
		}
	}
}

// A run leaves the images that it is given alone.
func TestApplyCopies(t *testing.T) {
	const policy = `{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}, "action": {"type": "transition", "targetStorageClass": "archive"}}]}`
	now := start()
	images := []Image{{Digest: "old", PushedAt: now.Add(-time.Hour)}, {Digest: "new", PushedAt: now}}
	after := Evaluate(mustParse(t, []byte(policy)), images, now, OneReading()).Apply(images)
	if images[0].Status != "" || after[0].Status != Archived || !after[0].LastArchivedAt.Equal(now) {
		t.Errorf("before %+v, after %+v", images[0], after[0])
	}
}

// Ages sorted by digits are in the order in which comparing puts them.
func TestRadixSort(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, spread := range []int64{1, 3, 1 << 40, math.MaxInt64} {
		all := []aged{{math.MinInt64, 0}, {math.MaxInt64, 1}, {0, 2}, {-1, 3}}
		for i := range 3000 {
			all = append(all, aged{r.Int64N(spread) - r.Int64N(spread), int32(i + 4)})
		}
		want := slices.Clone(all)
		slices.SortStableFunc(want, func(a, b aged) int { return cmp.Compare(b.pushed, a.pushed) })
		radixSort(all)
		if !slices.Equal(want, all) {
			t.Errorf("spread %d: out of order", spread)
		}
	}
	radixSort(nil)
}
