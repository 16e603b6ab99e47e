package retain

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

func TestFate(t *testing.T) {
	now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	const (
		shieldRule = `{"rulePriority": %d, "selection": {"tagStatus": "tagged", "tagPatternList": ["keep-*"], "countType": "imageCountMoreThan", "countNumber": %d}, "action": {"type": "expire"}}`
		keepTwo    = `{"rulePriority": %d, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 2}, "action": {"type": "expire"}}`
		keepRecent = `{"rulePriority": %d, "selection": {"tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 30}, "action": {"type": "expire"}}`
		untagged   = `{"rulePriority": %d, "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1}, "action": {"type": "expire"}}`
		archive    = `{"rulePriority": %d, "selection": {"tagStatus": "any", "countType": "sinceImagePulled", "countUnit": "days", "countNumber": 60}, "action": {"type": "transition", "targetStorageClass": "archive"}}`
		both       = `{"rulePriority": %d, "selection": {"tagStatus": "tagged", "tagPatternList": ["keep-*", "v*"], "countType": "imageCountMoreThan", "countNumber": 9999}, "action": {"type": "expire"}}`
	)
	policy := func(rules ...string) string { return `{"rules": [` + strings.Join(rules, ",") + `]}` }
	for _, c := range []struct {
		name, policy, unread string
		safe                 bool
		why                  string
	}{
		{"no policy", "", "", true, "the repository has no lifecycle policy"},
		{"may not be read", "", "access denied", false, "whether a rule takes it is not known: access denied"},
		{"newer than this build", `{"rules": [{"rulePriority": 1, "mood": "good"}]}` + strings.Repeat(" ", 100), "", false, "whether a rule takes it is not known: the lifecycle policy cannot be read: "},
		{"shield first", policy(fmt.Sprintf(shieldRule, 1, 9999), fmt.Sprintf(keepTwo, 2)), "", true, "rule 1 protects pins"},
		{"shield last", policy(fmt.Sprintf(keepRecent, 9), fmt.Sprintf(shieldRule, 1, 9999)), "", true, "rule 1 protects pins"},
		{"shield after the rule that takes it", policy(fmt.Sprintf(`{"rulePriority": %d, "selection": {"tagStatus": "tagged", "tagPatternList": ["v*"], "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 30}, "action": {"type": "expire"}}`, 1), fmt.Sprintf(shieldRule, 2, 9999)), "", false, "rule 1 deletes it at the next run"},
		{"shield of two that must both match", policy(fmt.Sprintf(both, 1), fmt.Sprintf(keepTwo, 2)), "", false, "rule 2 deletes it at the next run, once it has lost its other tags"},
		{"shield that counts too few", policy(fmt.Sprintf(shieldRule, 1, 3), fmt.Sprintf(keepTwo, 2)), "", false, "rule 1 deletes it after 3 more pushes"},
		{"count", policy(fmt.Sprintf(keepTwo, 1)), "", false, "rule 1 deletes it at the next run"},
		{"age", policy(fmt.Sprintf(keepRecent, 7)), "", false, "rule 7 deletes it at the next run"},
		{"only untagged ones", policy(fmt.Sprintf(untagged, 1)), "", true, "no rule takes it"},
		{"archive", policy(fmt.Sprintf(archive, 1)), "", false, "rule 1 archives it from 2026-03-22 12:00 UTC on"},
	} {
		t.Run(c.name, func(t *testing.T) {
			image := func(digest string, age int, tags ...string) audit.Image {
				return audit.Image{Image: lifecycle.Image{Digest: digest, Tags: tags, PushedAt: now.AddDate(0, 0, -age)}}
			}
			old := image("old", 39, "v1", "keep-prod-api-000000000000")
			stock := audit.Repository{Policy: c.policy, Unread: c.unread, Images: []audit.Image{old, image("new", 2, "v2"), image("newer", 1, "v3")}}
			got := fates(stock, []string{"old"}, now)["old"]
			if got.Safe != c.safe || !strings.HasPrefix(got.Why, c.why) {
				t.Errorf("%+v, want %t %q", got, c.safe, c.why)
			}
		})
	}
}

// A hundred thousand images is the most that ECR has in a repository.
func BenchmarkFates(b *testing.B) {
	now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	stock := audit.Repository{Policy: `{"rules": [
		{"rulePriority": 1, "selection": {"tagStatus": "tagged", "tagPatternList": ["keep-*"], "countType": "imageCountMoreThan", "countNumber": 9999}, "action": {"type": "expire"}},
		{"rulePriority": 2, "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 30}, "action": {"type": "expire"}},
		{"rulePriority": 3, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 50000}, "action": {"type": "expire"}}]}`}
	for n := range 100_000 {
		i := lifecycle.Image{Digest: fmt.Sprintf("sha256:%064x", n), PushedAt: now.Add(-time.Duration(n) * time.Minute)}
		if n%5 > 0 {
			i.Tags = []string{fmt.Sprint("v", n)}
		}
		if n%1000 == 999 {
			i.Tags = append(i.Tags, "keep-prod-api-000000000000")
		}
		stock.Images = append(stock.Images, audit.Image{Image: i})
	}
	for b.Loop() {
		if f := fates(stock, []string{stock.Images[999].Digest}, now); !f[stock.Images[999].Digest].Safe {
			b.Fatal(f)
		}
	}
}
