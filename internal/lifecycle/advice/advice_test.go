package advice

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle/lint"
)

func now() time.Time { return time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC) }

func img(digest string, age int, tags ...string) Image {
	return Image{Image: lifecycle.Image{Digest: digest, Tags: tags, PushedAt: now().AddDate(0, 0, -age)}, Bytes: 1000}
}

// rules says a policy in short: "tagged dev-* count 10".
func rules(t *testing.T, text string) []string {
	t.Helper()
	if text == "" {
		return nil
	}
	p, err := lifecycle.ParsePolicy([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range p.Rules() {
		count := map[lifecycle.CountType]string{lifecycle.CountMoreThan: "count", lifecycle.SincePushed: "pushed"}[r.CountType]
		out = append(out, strings.Join(strings.Fields(fmt.Sprint(r.TagStatus, " ", strings.Join(r.TagPatterns, "+"), " ", count, " ", r.CountNumber)), " "))
	}
	return out
}

func TestAdvise(t *testing.T) {
	used := func(digests ...string) []Use {
		var list []Use
		for _, d := range digests {
			list = append(list, Use{Digest: d, By: "prod/api"})
		}
		return list
	}
	for _, tc := range []struct {
		name   string
		images []Image
		used   []Use
		want   []string
		why    string
		say    string // in a reason or a note
	}{
		{"nothing to tidy", []Image{img("a", 100, "v1.0.0"), img("b", 1, "v1.1.0")}, used("a"), nil, NothingToTidy, ""},
		{"untagged only", []Image{img("a", 100, "v1.0.0"), img("b", 40)}, used("a"), []string{"untagged pushed 15"}, "", "longest notice"},
		{
			"a tag that has moved from what runs", []Image{img("a", 100), img("b", 1, "v1.1.0")}, used("a"),
			[]string{"untagged pushed 190"}, "", "15 days would do",
		},
		{"a tag that may move from what runs", []Image{img("a", 100, "latest")}, used("a"), []string{"untagged pushed 190"}, "", "no lasting tag"},
		{"pinned", []Image{img("a", 100, "latest", "keep-prod-api-1")}, used("a"), []string{"untagged pushed 15"}, "", ""},
		{
			"builds", []Image{img("a", 100, "v1.0.0"), img("b", 3, "dev-1"), img("c", 2, "dev-2"), img("d", 1, "test-1")}, used("a"),
			[]string{"tagged keep-* count 9999", "tagged v*.*.* count 9999", "tagged dev-* count 10", "tagged test-* count 10"}, "", "thrown away",
		},
		{
			"a service runs a build", []Image{img("a", 5, "dev-1"), img("b", 1, "dev-2")}, used("a"),
			[]string{"tagged keep-* count 9999", "tagged dev-* pushed 95"}, "", "pushes of others",
		},
		{
			"promoted", []Image{img("a", 5, "dev-1", "v1.0.0"), img("b", 1, "dev-2")}, used("a"),
			[]string{"tagged keep-* count 9999", "tagged v*.*.* count 9999", "tagged dev-* count 10"}, "", "",
		},
		{"gone", []Image{img("b", 40)}, used("sha256:gone"), []string{"untagged pushed 15"}, "", "no policy brings it back"},
		{"other tags", []Image{img("a", 9, "main-abc1"), img("b", 40)}, nil, []string{"untagged pushed 15"}, "", `--few "main-*"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := Advise(Request{Images: tc.images, Used: tc.used, Now: now()})
			if diff := cmp.Diff(tc.want, rules(t, a.Policy)); diff != "" || a.Why != tc.why {
				t.Errorf("%s why %q", diff, a.Why)
			}
			said := fmt.Sprint(a.Reasons, a.Notes)
			if !strings.Contains(said, tc.say) {
				t.Errorf("says %s", said)
			}
		})
	}
}

func TestSizes(t *testing.T) {
	var images []Image
	for i := range 30 { // one a day
		images = append(images, img(fmt.Sprintf("d%d", i), i, fmt.Sprintf("dev-%d", 30-i)))
	}
	images = append(images, img("old", 60))
	a := Advise(Request{Images: images, Now: now(), Horizon: 100 * day})
	if a.Now.Images != 31 || a.First.Images != 10 || a.First.Bytes != 10_000 || a.Then.Images != 10 || a.Undone.Images < 125 || a.Undone.Images > 140 {
		t.Errorf("%+v", a)
	}
}

func TestStreams(t *testing.T) {
	index := img("i", 2, "v1.0.0")
	index.Children = []string{"c"}
	streams := Streams(Request{Now: now(), Images: []Image{
		index, img("c", 2), img("l", 10, "latest"), img("u", 5), img("old", 200, "dev-1"), img("p", 1, "keep-1"), img("x", 20, "abc123"),
	}})
	want := []Stream{
		{Tag: "latest", PerDay: 0.2, Bytes: 1000}, {Tag: "other-*", PerDay: 0.05, Bytes: 1000}, {Tag: "v*.*.*", PerDay: 0.5, Bytes: 1000, Parts: 1},
	}
	if diff := cmp.Diff(want, streams); diff != "" {
		t.Error(diff)
	}
}

func TestImmutability(t *testing.T) {
	r := Request{Now: now(), Images: []Image{img("a", 3, "latest"), img("b", 1, "dev-1"), img("c", 9)}}
	steps := Immutability(r, Advise(r), "web")
	var got []string
	for _, s := range steps {
		got = append(got, s.Command)
	}
	want := []string{
		"", "plimsoll lifecycle apply --repository web",
		"aws ecr put-image-tag-mutability --repository-name web --image-tag-mutability IMMUTABLE_WITH_EXCLUSION --image-tag-mutability-exclusion-filters filterType=WILDCARD,filter=latest",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(steps[1].Why, "last 8 days and not 10 days") {
		t.Errorf("%+v", steps)
	}
}

// readings are the ways to read AWS's text, one at a time.
func readings() []lifecycle.Options {
	var all []lifecycle.Options
	for _, children := range []lifecycle.Answer{lifecycle.Yes, lifecycle.No} {
		for _, referrers := range []lifecycle.Answer{lifecycle.Yes, lifecycle.No} {
			all = append(all, lifecycle.Options{ChildrenCount: children, ReferrersExpire: referrers, BreakTies: true})
		}
	}
	return all
}

// The promise, against a simulation of its own: over random repositories the
// policy takes no used image in a year of pushes that it did not know of, in
// no reading.
func TestAdviceNeverTakesWhatIsUsed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Request{Images: repository(t), Now: now(), Horizon: 365 * day}
		for i := range r.Images {
			if rapid.IntRange(0, 3).Draw(t, "used") == 0 {
				r.Used = append(r.Used, Use{Digest: r.Images[i].Digest, By: "prod/api", Rollback: i%2 == 0})
			}
		}
		a := Advise(r)
		if a.Policy == "" {
			if a.Why != NothingToTidy {
				t.Fatal(a.Why)
			}
			return
		}
		p, err := lifecycle.ParsePolicy([]byte(a.Policy))
		if err != nil {
			t.Fatal(err)
		}
		for _, remark := range lint.Check(lint.Subject{Text: []byte(a.Policy), Images: bare(r.Images), Uses: running(r.Used), Now: now()}) {
			if remark.Severity == lint.Error {
				t.Fatalf("the linter on the advice: %+v", remark)
			}
		}
		seed := rapid.Uint64().Draw(t, "pushes")
		live(t, r, p, rapid.SampledFrom(readings()).Draw(t, "reading"), rand.New(rand.NewPCG(seed, 1)))
	})
}

func bare(images []Image) []lifecycle.Image {
	var out []lifecycle.Image
	for _, m := range images {
		out = append(out, m.Image)
	}
	return out
}

func running(used []Use) []lint.Use {
	var out []lint.Use
	for _, u := range used {
		out = append(out, lint.Use{Digest: u.Digest, By: u.By})
	}
	return out
}

// live lets a year go by in one reading.
func live(t *rapid.T, r Request, p lifecycle.Policy, reading lifecycle.Options, random *rand.Rand) {
	var images []lifecycle.Image
	left := map[string]bool{}
	for _, m := range r.Images {
		images = append(images, m.Image)
	}
	for _, u := range r.Used {
		for _, m := range images {
			left[u.Digest] = left[u.Digest] || m.Digest == u.Digest && m.Status != lifecycle.Archived
		}
	}
	for d := range 366 {
		at := r.Now.Add(time.Duration(d) * day)
		for n := range random.IntN(3) {
			digest := fmt.Sprintf("new:%d.%d", d, n)
			tag := []string{"dev-%d", "test-%d", "v1.%d.0", "latest", "main"}[random.IntN(5)]
			if strings.Contains(tag, "%") {
				tag = fmt.Sprintf(tag, 1000+d*10+n)
			}
			for i := range images { // as a push does: the tag moves
				kept := []string{}
				for _, have := range images[i].Tags {
					if have != tag {
						kept = append(kept, have)
					}
				}
				images[i].Tags = kept
			}
			images = append(images, lifecycle.Image{Digest: digest, Tags: []string{tag}, PushedAt: at})
		}
		result := lifecycle.Evaluate(p, images, at, reading)
		for _, decision := range result.Decisions {
			if decision.Action != "" && left[decision.Digest] {
				t.Fatalf("day %d: %+v\n%+v\nused %+v", d, decision, r.Images, r.Used)
			}
		}
		images = result.Apply(images)
	}
}

// repository is a repository of up to twelve images with every relation.
func repository(t *rapid.T) []Image {
	n := rapid.IntRange(1, 12).Draw(t, "images")
	images := make([]Image, n)
	for i := range images {
		m := &images[i]
		m.Digest, m.Bytes = fmt.Sprintf("sha256:%02d", i), 100
		m.PushedAt = now().Add(-time.Duration(rapid.IntRange(0, 200*24).Draw(t, "age")) * time.Hour)
		for range rapid.IntRange(0, 2).Draw(t, "tags") {
			tag := rapid.SampledFrom([]string{"dev-%d", "test-%d", "v1.0.%d", "keep-%d", "x%d", "dev-main", "latest", "main"}).Draw(t, "tag")
			if strings.Contains(tag, "%") {
				tag = fmt.Sprintf(tag, i)
			}
			m.Tags = append(m.Tags, tag)
		}
		switch rapid.IntRange(0, 7).Draw(t, "kind") {
		case 0:
			m.Status, m.LastArchivedAt = lifecycle.Archived, now().AddDate(0, 0, -10)
		case 1:
			m.LastActivatedAt = now().AddDate(0, 0, -3)
		case 2, 3:
			for range rapid.IntRange(1, 3).Draw(t, "children") {
				m.Children = append(m.Children, fmt.Sprintf("sha256:%02d", rapid.IntRange(0, n-1).Draw(t, "child")))
			}
		case 4:
			m.Subject = fmt.Sprintf("sha256:%02d", rapid.IntRange(0, n-1).Draw(t, "subject"))
		}
	}
	for i := range images { // a tag is on one image
		for j := range images[:i] {
			kept := []string{}
			for _, tag := range images[j].Tags {
				if !contains(images[i].Tags, tag) {
					kept = append(kept, tag)
				}
			}
			images[j].Tags = kept
		}
	}
	return images
}

func contains(list []string, s string) bool {
	for _, have := range list {
		if have == s {
			return true
		}
	}
	return false
}

func BenchmarkAdvise(b *testing.B) {
	var images []Image
	for i := range 20_000 {
		images = append(images, img(fmt.Sprint("sha256:", i), i%300, fmt.Sprintf("dev-%d", i)), img(fmt.Sprint("sha256:r", i), i%300, fmt.Sprintf("v1.%d.0", i)))
	}
	r := Request{Images: images, Used: []Use{{Digest: "sha256:r7", By: "prod/api"}}, Now: now()}
	for b.Loop() {
		if a := Advise(r); a.Policy == "" {
			b.Fatal(a.Why)
		}
	}
}
