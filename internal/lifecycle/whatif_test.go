package lifecycle_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// What would happen if a tag moved, an image were pinned, another policy held.
func Example_whatIf() {
	policy := func(text string) lifecycle.Policy {
		p, err := lifecycle.ParsePolicy([]byte(text))
		if err != nil {
			fmt.Println(err)
		}
		return p
	}
	const untagged = `{"rulePriority": 5, "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14}, "action": {"type": "expire"}}`
	const pins = `{"rulePriority": 1, "selection": {"tagStatus": "tagged", "tagPatternList": ["keep-*"], "countType": "imageCountMoreThan", "countNumber": 9999}, "action": {"type": "expire"}}`
	const newest = `{"rulePriority": 9, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}, "action": {"type": "expire"}}`
	now := time.Date(2026, 11, 18, 12, 0, 0, 0, time.UTC)
	running := lifecycle.Image{Digest: "sha256:run", Tags: []string{"latest"}, PushedAt: now.AddDate(0, 0, -30)}
	images := []lifecycle.Image{running}
	say := func(what string, p lifecycle.Policy, images []lifecycle.Image) {
		d := lifecycle.Evaluate(p, images, now, lifecycle.Options{}).Decisions[0]
		fmt.Printf("%s: %q, %s\n", what, d.Action, d.Reason)
	}

	today := policy(`{"rules": [` + untagged + `]}`)
	say("today", today, images)

	moved := lifecycle.Push(images, lifecycle.Image{Digest: "sha256:new", Tags: []string{"latest"}, PushedAt: now})
	say("latest is pushed again", today, moved)

	pinned := lifecycle.Tag(moved, running.Digest, "keep-prod-web")
	say("and the running image pinned", today, pinned)

	stricter := policy(`{"rules": [` + untagged + `, ` + newest + `]}`)
	say("only the newest kept", stricter, pinned)

	shielded := policy(`{"rules": [` + pins + `, ` + untagged + `, ` + newest + `]}`)
	say("with a rule for pins", shielded, pinned)
	// Output:
	// today: "", no rule selects it
	// latest is pushed again: "expire", too old
	// and the running image pinned: "", no rule selects it
	// only the newest kept: "expire", beyond the count
	// with a rule for pins: "", among the newest
}

func TestPush(t *testing.T) {
	at := func(days int) time.Time { return time.Date(2026, 1, 1+days, 0, 0, 0, 0, time.UTC) }
	before := func() []lifecycle.Image {
		return []lifecycle.Image{
			{Digest: "a", Tags: []string{"v1", "latest"}, PushedAt: at(1)},
			{Digest: "b", Tags: []string{"old"}, Status: lifecycle.Archived, PushedAt: at(0), LastArchivedAt: at(2)},
		}
	}
	for _, tc := range []struct {
		name   string
		pushed lifecycle.Image
		want   []lifecycle.Image
	}{
		{
			"a new image takes a tag", lifecycle.Image{Digest: "c", Tags: []string{"latest", "v2"}, PushedAt: at(5)},
			[]lifecycle.Image{{Digest: "a", Tags: []string{"v1"}, PushedAt: at(1)}, before()[1], {Digest: "c", Tags: []string{"latest", "v2"}, PushedAt: at(5)}},
		},
		{
			"the same image again", lifecycle.Image{Digest: "a", Tags: []string{"latest", "v2"}, PushedAt: at(5)},
			[]lifecycle.Image{{Digest: "a", Tags: []string{"v1", "latest", "v2"}, PushedAt: at(1)}, before()[1]},
		},
		{
			"an archived image again", lifecycle.Image{Digest: "b", Tags: []string{"v1"}, PushedAt: at(5)},
			[]lifecycle.Image{
				{Digest: "a", Tags: []string{"latest"}, PushedAt: at(1)},
				{Digest: "b", Tags: []string{"old", "v1"}, Status: lifecycle.Active, PushedAt: at(0), LastArchivedAt: at(2), LastActivatedAt: at(5)},
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			images := before()
			got := lifecycle.Push(images, tc.pushed)
			same := func(a, b lifecycle.Image) bool {
				return a.Digest == b.Digest && slices.Equal(a.Tags, b.Tags) && a.Status == b.Status && a.PushedAt.Equal(b.PushedAt) && a.LastActivatedAt.Equal(b.LastActivatedAt)
			}
			if !slices.EqualFunc(tc.want, got, same) {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
			if !slices.EqualFunc(before(), images, same) {
				t.Errorf("the images given were changed: %+v", images)
			}
		})
	}
}
