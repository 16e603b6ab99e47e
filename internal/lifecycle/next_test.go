package lifecycle

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

const day = 24 * time.Hour

func TestNext(t *testing.T) {
	now := start()
	const anyKeep3 = `{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 3}, "action": {"type": "expire"}}]}`
	const archiveThenExpire = `{"rules": [
		{"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 30}, "action": {"type": "transition", "targetStorageClass": "archive"}},
		{"rulePriority": 2, "selection": {"tagStatus": "any", "storageClass": "archive", "countType": "sinceImageTransitioned", "countUnit": "days", "countNumber": 90}, "action": {"type": "expire"}}]}`
	const devAndUntagged = `{"rules": [
		{"rulePriority": 1, "selection": {"tagStatus": "tagged", "tagPrefixList": ["dev"], "countType": "imageCountMoreThan", "countNumber": 2}, "action": {"type": "expire"}},
		{"rulePriority": 2, "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 7}, "action": {"type": "expire"}}]}`
	at := func(days int) time.Time { return now.Add(time.Duration(days) * day) }
	image := func(digest string, age int, tags ...string) Image {
		return Image{Digest: digest, Tags: tags, PushedAt: at(-age)}
	}
	index := image("index", 1, "dev-1")
	index.Children = []string{"child"}
	signature := image("signature", 1)
	signature.Subject = "index"
	for _, tc := range []struct {
		name, policy string
		images       []Image
		want         map[string]Forecast
	}{
		{
			"pushes still to come", anyKeep3,
			[]Image{image("new", 1), image("old", 2), image("older", 3), image("oldest", 4)},
			map[string]Forecast{
				"new":    {Next: Event{Action: Expire, Rule: 1, Reason: TooMany, At: now, Pushes: 3, PushesMost: 3}},
				"old":    {Next: Event{Action: Expire, Rule: 1, Reason: TooMany, At: now, Pushes: 2, PushesMost: 2}},
				"older":  {Next: Event{Action: Expire, Rule: 1, Reason: TooMany, At: now, Pushes: 1, PushesMost: 1}},
				"oldest": {Next: Event{Action: Expire, Rule: 1, Reason: TooMany, At: now}},
			},
		},
		{
			"into the archive and out of it", archiveThenExpire,
			[]Image{image("a", 10), image("b", 40)},
			map[string]Forecast{
				"a": {Next: Event{Action: Transition, Rule: 1, Reason: TooOld, At: at(20)}, Then: Event{Action: Expire, Rule: 2, Reason: TooOld, At: at(110)}},
				"b": {Next: Event{Action: Transition, Rule: 1, Reason: TooOld, At: now}, Then: Event{Action: Expire, Rule: 2, Reason: TooOld, At: at(90)}},
			},
		},
		{
			"a child waits for its index, a signature need not wait", devAndUntagged,
			[]Image{index, image("child", 2), signature},
			map[string]Forecast{
				"index":     {Next: Event{Action: Expire, Rule: 1, Reason: TooMany, At: now, Pushes: 2, PushesMost: 2}},
				"child":     {Next: Event{Action: Expire, Rule: 2, Reason: TooOld, At: at(5), Pushes: 2, PushesMost: 2}},
				"signature": {Next: Event{Action: Expire, Rule: 2, Reason: TooOld, At: at(6), Doubt: DoubtReferrers}},
			},
		},
		{
			"beyond the horizon", archiveThenExpire, []Image{image("a", 10), image("b", -355)},
			map[string]Forecast{
				"a": {Next: Event{Action: Transition, Rule: 1, Reason: TooOld, At: at(20)}, Then: Event{Action: Expire, Rule: 2, Reason: TooOld, At: at(110)}},
				"b": {},
			},
		},
		{"no rule", devAndUntagged, []Image{image("a", 900, "v1")}, map[string]Forecast{"a": {}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := map[string]Forecast{}
			for _, f := range Next(mustParse(t, []byte(tc.policy)), tc.images, now, 365*day) {
				digest := f.Digest
				f.Digest = ""
				got[digest] = f
			}
			if diff := gocmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// What Next foresees without pushes happens, in every reading when it is
// certain, and nothing happens earlier or unforeseen.
func TestNextComesTrue(t *testing.T) {
	now := start()
	forEachRepository(t, func(t *testing.T, r *random, p Policy, images []Image) {
		forecasts := Next(p, images, now, 1000*day)
		for n := range 4 {
			o := Options{ChildrenCount: []Answer{Yes, No}[n&1], ReferrersExpire: []Answer{Yes, No}[n>>1], BreakTies: true}
			happened := play(p, images, forecasts, now, o)
			for _, f := range forecasts {
				h := happened[f.Digest]
				compareEvent(t, fmt.Sprintf("%+v %s next", o, f.Digest), f.Next, h.Next, true)
				// A doubtful archival may be overtaken, and what follows
				// it then follows something else.
				if h.Next.Action == Transition && f.Next.Doubt == 0 {
					compareEvent(t, fmt.Sprintf("%+v %s then", o, f.Digest), f.Then, h.Then, false)
				}
			}
		}
	})
}

func compareEvent(t *testing.T, what string, foreseen, real Event, late bool) {
	t.Helper()
	comes := foreseen.Action != "" && foreseen.Pushes == 0
	switch {
	case real.Action != "" && !comes:
		t.Errorf("%s: %+v was not foreseen", what, real)
	case real.Action != "" && real.At.Before(foreseen.At):
		t.Errorf("%s: %+v came before %+v", what, real, foreseen)
	case comes && foreseen.Doubt == 0 && (real.Action != foreseen.Action || !real.At.Equal(foreseen.At)):
		t.Errorf("%s: %+v, foreseen %+v", what, real, foreseen)
	}
}

// play runs the policy at every time when something may become due, again and
// again until nothing more goes, and notes what happens to each image. The
// times noted are those before the runs: ages are strict.
func play(p Policy, images []Image, forecasts []Forecast, now time.Time, o Options) map[string]Forecast {
	times := []time.Time{now}
	for i := range images {
		for _, r := range p.rules {
			for _, since := range []time.Time{images[i].PushedAt, images[i].LastPulledAt, images[i].LastActivatedAt, images[i].LastArchivedAt} {
				times = append(times, since.Add(time.Duration(r.CountNumber)*day))
			}
		}
	}
	happened := map[string]Forecast{}
	for len(times) > 0 {
		slices.SortFunc(times, time.Time.Compare)
		at := times[0]
		times = slices.DeleteFunc(times, at.Equal)
		if at.Before(now) {
			continue
		}
		for {
			result := Evaluate(p, images, at.Add(1), o)
			// Archived at the time of the forecast, not a moment later.
			result.At = at
			if !slices.ContainsFunc(result.Decisions, func(d Decision) bool { return d.Certain() }) {
				break
			}
			for _, d := range result.Decisions {
				f := happened[d.Digest]
				switch e := (Event{Action: d.Action, At: at}); {
				case d.Action == "":
					continue
				case f.Next.Action == "":
					f.Next = e
				default:
					f.Then = e
				}
				happened[d.Digest] = f
				for _, r := range p.rules {
					times = append(times, at.Add(time.Duration(r.CountNumber)*day))
				}
			}
			images = result.Apply(images)
		}
	}
	return happened
}

// After so many more matching pushes a count rule takes an image: not before
// Pushes, surely with PushesMost.
func TestNextCountsPushes(t *testing.T) {
	now := start()
	forEachRepository(t, func(t *testing.T, r *random, p Policy, images []Image) {
		for i, f := range Next(p, images, now, day) {
			if f.Next.Reason != TooMany || images[i].Subject != "" || slices.ContainsFunc(images, func(x Image) bool { return slices.Contains(x.Children, f.Digest) }) {
				continue
			}
			after := func(pushes int) Decision {
				all := slices.Clone(images)
				for n := range pushes {
					all = append(all, Image{Digest: fmt.Sprint("pushed ", n), Tags: images[i].Tags, PushedAt: now.Add(time.Second)})
				}
				return Evaluate(p, all, now, Options{}).Decisions[i]
			}
			if n := f.Next.Pushes; n > 0 {
				if d := after(n - 1); d.Action != "" {
					t.Errorf("%+v: gone after %d pushes: %+v", f, n-1, d)
				}
			}
			if d := after(f.Next.Pushes); d.Action == "" {
				t.Errorf("%+v: not gone after %d pushes: %+v", f, f.Next.Pushes, d)
			}
			if d := after(f.Next.PushesMost); !d.Certain() {
				t.Errorf("%+v: not surely gone after %d pushes: %+v", f, f.Next.PushesMost, d)
			}
			if n := f.Next.PushesMost; n > 0 {
				if d := after(n - 1); d.Certain() {
					t.Errorf("%+v: surely gone after %d pushes: %+v", f, n-1, d)
				}
			}
		}
	})
}

// An index about one of its children waits for nobody; the child waits for
// the index, wherever one starts.
func TestNextInARing(t *testing.T) {
	const untagged = `{"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 7}, "action": {"type": "expire"}}]}`
	now := start()
	images := []Image{
		{Digest: "child", PushedAt: now.Add(-6 * day)},
		{Digest: "index", PushedAt: now.Add(-2 * day), Children: []string{"child"}, Subject: "child"},
	}
	for range 2 {
		forecasts := Next(mustParse(t, []byte(untagged)), images, now, 30*day)
		slices.SortFunc(forecasts, func(a, b Forecast) int { return cmp.Compare(a.Digest, b.Digest) })
		for _, f := range forecasts {
			if want := now.Add(5 * day); !f.Next.At.Equal(want) {
				t.Errorf("%s goes at %s, want %s", f.Digest, f.Next.At, want)
			}
		}
		slices.Reverse(images)
	}
}
