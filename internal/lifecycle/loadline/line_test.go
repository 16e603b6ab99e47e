package loadline

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// lie is where images lie, by who runs them.
func lie(l Line) map[string]State {
	out := map[string]State{}
	for _, lane := range l.Lanes {
		for _, m := range lane.Marks {
			for _, user := range m.InUse {
				out[user] = m.State
			}
		}
	}
	return out
}

func TestOf(t *testing.T) {
	l := Of(shop(t), noon(), 14*day)
	for user, want := range map[string]State{
		"prod/billing":  Afloat, // its pin shields it
		"prod/web":      Afloat,
		"prod/api":      Sinking,
		"prod/worker":   Sinking,
		"batch/nightly": Under,
		"test/web":      Afloat,
		"test/search":   Sinking,
		"prod/edge":     Sinking,
		"test/reports":  Afloat, // archived, and deleted in 60 days
		"prod/legacy":   Stays,
	} {
		if got, ok := lie(l)[user]; !ok || got != want {
			t.Errorf("%s: %d, want %d", user, got, want)
		}
	}
	if all, endangered := l.InUse(); all != 10 || endangered != 5 {
		t.Errorf("%d in use, %d endangered", all, endangered)
	}
	if got := l.Lanes[0].Shields; !slices.Equal(got, []int{2}) {
		t.Errorf("the pins are shielded from %v", got)
	}
}

// Who runs a platform of an index, or its signature, runs the index.
func TestCarried(t *testing.T) {
	y := &yard{}
	y.push(5, "", "v1")
	y.push(5, "prod/arm")
	y.push(4, "")
	y.images[0].Children = []string{y.images[1].Digest}
	y.images[2].Subject = y.images[0].Digest
	l := Of(Repository{Policy: policy(t, keepTen), Images: y.images, InUse: y.inUse}, noon(), 14*day)
	if len(l.Lanes) != 1 || len(l.Lanes[0].Marks) != 1 || l.Lanes[0].Carried != 2 || !slices.Equal(l.Lanes[0].Marks[0].InUse, []string{"prod/arm"}) {
		t.Errorf("%+v", l)
	}
}

// Every image is somewhere, in its rule's lane, what goes first lies last, and
// what is under water is what the next run takes.
func TestLineAgreesWithTheRun(t *testing.T) {
	p := policy(t, keepPins, keepTen, devMonth, untagged, archive, anyHundred)
	rapid.Check(t, func(t *rapid.T) {
		y := &yard{}
		for range rapid.IntRange(0, 40).Draw(t, "images") {
			tags := []string(nil)
			if tag := rapid.SampledFrom([]string{"", "v", "dev-", "keep-", "x"}).Draw(t, "tag"); tag != "" {
				tags = []string{fmt.Sprint(tag, len(y.images))}
			}
			users := rapid.SampledFrom([]string{"", "", "prod/a", "prod/a,prod/b"}).Draw(t, "users")
			image := y.push(float64(rapid.IntRange(0, 600).Draw(t, "age"))/10, users, tags...)
			if rapid.IntRange(0, 9).Draw(t, "archived") == 0 {
				image.Status, image.LastArchivedAt = lifecycle.Archived, noon().AddDate(0, 0, -rapid.IntRange(0, 100).Draw(t, "since"))
			}
			if n := len(y.images); n > 1 {
				other := y.images[rapid.IntRange(0, n-2).Draw(t, "other")].Digest
				switch rapid.IntRange(0, 9).Draw(t, "relation") {
				case 0:
					image.Children = []string{other}
				case 1:
					image.Subject = other
				}
			}
		}
		horizon := time.Duration(rapid.IntRange(0, 60).Draw(t, "horizon")) * day
		l := Of(Repository{Policy: p, Images: y.images, InUse: y.inUse}, noon(), horizon)
		// An image exactly as old as the rule says goes a moment later.
		run := lifecycle.Evaluate(p, y.images, noon().Add(1), lifecycle.Options{})
		decisions := map[string]lifecycle.Decision{}
		for _, d := range run.Decisions {
			decisions[d.Digest] = d
		}
		seen := 0
		for _, lane := range l.Lanes {
			seen += len(lane.Marks) + lane.Carried
			for i, m := range lane.Marks {
				d := decisions[m.Digest]
				if (m.State == Under) != (d.Action != "") {
					t.Fatalf("%+v, and the run %+v", m, d)
				}
				if lane.Rule != nil && d.Rule != lane.Rule.Priority {
					t.Fatalf("%+v is in the lane of rule %d", d, lane.Rule.Priority)
				}
				if i > 0 && lane.Marks[i-1].State > m.State {
					t.Fatalf("%+v above %+v", lane.Marks[i-1], m)
				}
			}
		}
		if seen != len(y.images) {
			t.Fatalf("%d of %d images", seen, len(y.images))
		}
		for _, columns := range []int{40, 120} {
			Text(l, Look{Width: columns, Color: true})
		}
		SVG(l, 600)
		Plain(l)
	})
}

func BenchmarkOf(b *testing.B) {
	r := port(b)
	for b.Loop() {
		l := Of(r, noon(), 14*day)
		SVG(l, 720)
	}
}
