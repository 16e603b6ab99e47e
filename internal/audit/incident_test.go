package audit_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// The two incidents, told with their dates. Each day the repository is as ECR's
// own run leaves it, and the audit of that day must have said what comes.

// One repository for all services and a rule that keeps the newest 30. api is
// deployed on 1 September; the others push once every working day. Nobody does
// anything wrong; in the night of 13 October its image goes.
func TestIncidentSharedRepository(t *testing.T) {
	const keep30 = `{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":30},"action":{"type":"expire"}}]}`
	start := time.Date(2026, 9, 1, 9, 0, 0, 0, time.UTC)
	at := func(day int) time.Time { return start.AddDate(0, 0, day) }
	pushed := func(name string, t time.Time, tag string) audit.Image {
		return audit.Image{Image: lifecycle.Image{Digest: digest(name), Tags: []string{tag}, Status: lifecycle.Active, PushedAt: t}}
	}
	images := []audit.Image{pushed("api", start, "v1.0.0")}
	for day := range 20 { // the weeks before, when others pushed too
		images = append(images, pushed(fmt.Sprintf("p%02d", day), at(-day-1), fmt.Sprintf("v0.0.%d", day+1)))
	}

	warned, gone := -1, -1
	var when audit.When
	for day := 1; day < 60 && gone < 0; day++ {
		if weekday := at(day).Weekday(); weekday != time.Saturday && weekday != time.Sunday {
			images = append(images, pushed(fmt.Sprintf("n%02d", day), at(day), fmt.Sprintf("v2.0.%d", day)))
		}
		now := at(day).Add(3 * time.Hour)
		r := audit.Judge(oneService("api", registry+"/shared:v1.0.0", "api", repository("shared", keep30, images...)), audit.Options{Now: now, Horizon: 14 * 24 * time.Hour, Cadence: workdays})
		switch f := find(r, "prod/api"); {
		case f == nil:
		case f.Code == audit.Sinks && warned < 0:
			warned, when = day, *f.When
			if f.Severity != audit.Warning || f.When.Pushes == 0 || !strings.Contains(f.What, "after ") {
				t.Errorf("the first warning is %+v", f)
			}
			t.Logf("%s: %s", now.Format(time.DateOnly), f.What)
		case f.Code == audit.LostAtNextRun:
			t.Logf("%s: %s", now.Format(time.DateOnly), f.What)
		case f.Code == audit.ImageGone:
			gone = day
		}
		images = run(t, keep30, images, at(day).Add(15*time.Hour))
	}
	lost := at(gone - 1)
	if want := "2026-10-13"; date(lost) != want {
		t.Errorf("the image went on %s, want %s", date(lost), want)
	}
	if gone-warned < 14 || lost.Before(when.Earliest) || lost.After(when.Latest) {
		t.Errorf("foreseen on %s, for %s to %s", date(at(warned)), date(when.Earliest), date(when.Latest))
	}
}

// web runs the digest that v1 named on 1 November. On 10 November somebody
// pushes v1 again. The old digest has no tag from then on, is older than 7 days
// already, and the next run takes it: what was safe in the morning is lost in
// the night. Pulled by tag everything works.
func TestIncidentTagOverwritten(t *testing.T) {
	const untagged30 = `{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":30},"action":{"type":"expire"}}]}`
	start := time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)
	images := []audit.Image{{Image: lifecycle.Image{Digest: digest("old"), Tags: []string{"v1"}, Status: lifecycle.Active, PushedAt: start}}}
	judge := func(now time.Time) *audit.Finding {
		fleet := oneService("web", registry+"/web:v1", "old", repository("web", untagged30, images...))
		return find(audit.Judge(fleet, audit.Options{Now: now, Horizon: 14 * 24 * time.Hour}), "prod/web")
	}

	if f := judge(start.AddDate(0, 0, 8)); f != nil {
		t.Errorf("before the push: %+v", f)
	}
	images[0].Tags = nil
	images = append(images, audit.Image{Image: lifecycle.Image{Digest: digest("new"), Tags: []string{"v1"}, Status: lifecycle.Active, PushedAt: start.AddDate(0, 0, 9)}})
	lost := start.AddDate(0, 0, 30) // 1 December
	for day := 9; day <= 32; day++ {
		now := start.AddDate(0, 0, day).Add(time.Hour)
		f := judge(now)
		switch {
		case f == nil:
			t.Fatalf("%s: nothing is said", date(now))
		case day < 16: // the horizon does not reach 1 December
			expect(t, now, f, audit.TagMoved, audit.Warning, "the running image has no tag left")
		case day < 30:
			expect(t, now, f, audit.Sinks, audit.Error, "prod/web loses its image on 2026-12-01: rule 1 deletes it")
			if f.When == nil || !f.When.Earliest.Equal(lost) || !f.When.Latest.Equal(lost) {
				t.Errorf("%s: the day is %+v, want %s", date(now), f.When, lost)
			}
		case day == 30:
			expect(t, now, f, audit.LostAtNextRun, audit.Error, "prod/web is about to lose its image: rule 1 deletes it at the next run")
		default:
			expect(t, now, f, audit.DigestGone, audit.Error, "the digest that it is pinned to is gone")
		}
		images = run(t, untagged30, images, now.Add(12*time.Hour))
	}
}

// Nobody deploys for a while: an image that an age rule selects goes on a day
// that is known from the start.
func TestIncidentFreeze(t *testing.T) {
	const week = `{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"sinceImagePushed","countUnit":"days","countNumber":7},"action":{"type":"expire"}}]}`
	start := time.Date(2026, 12, 24, 18, 0, 0, 0, time.UTC)
	fleet := oneService("web", registry+"/web:v1", "x", repository("web", week, audit.Image{Image: lifecycle.Image{Digest: digest("x"), Tags: []string{"v1"}, Status: lifecycle.Active, PushedAt: start}}))
	f := find(audit.Judge(fleet, audit.Options{Now: start.Add(time.Minute), Horizon: 14 * 24 * time.Hour}), "prod/web")
	if f == nil {
		t.Fatal("nothing is said")
	}
	expect(t, start, f, audit.Sinks, audit.Error, "prod/web loses its image on 2026-12-31")
}

func expect(t *testing.T, now time.Time, f *audit.Finding, code audit.Code, severity audit.Severity, says string) {
	t.Helper()
	if f.Code != code || f.Severity != severity || !strings.Contains(f.What+"\n"+f.Why, says) {
		t.Errorf("%s: %s %s: %s\n%s\nwant %s %s: %s", date(now), f.Severity, f.Code, f.What, f.Why, severity, code, says)
	}
}

// run is ECR's own run of the policy, in the night.
func run(t *testing.T, policy string, images []audit.Image, at time.Time) []audit.Image {
	t.Helper()
	p, err := lifecycle.ParsePolicy([]byte(policy))
	if err != nil {
		t.Fatal(err)
	}
	var plain []lifecycle.Image
	for _, img := range images {
		plain = append(plain, img.Image)
	}
	var kept []audit.Image
	for _, img := range lifecycle.Evaluate(p, plain, at, lifecycle.OneReading()).Apply(plain) {
		kept = append(kept, audit.Image{Image: img})
	}
	return kept
}

// oneService is a fleet of one service and its repository.
func oneService(name, reference, running string, r audit.Repository) audit.Fleet {
	f := clean()
	release := runs(1, reference, running)
	release.At, r.EvaluatedAt = time.Time{}, time.Time{} // these stories have a calendar of their own
	f.Services, f.Tasks, f.Repositories = []audit.Service{service(name, release)}, nil, []audit.Repository{r}
	return f
}

// find is the finding on an object, the worst first.
func find(r audit.Report, object string) *audit.Finding {
	for i := range r.Findings {
		if r.Findings[i].Object.Name == object {
			return &r.Findings[i]
		}
	}
	return nil
}

// workdays is a cadence of one push every working day, give or take a fifth.
func workdays(_ lifecycle.Rule, _ []lifecycle.Image, now time.Time) func(int) audit.When {
	return func(n int) audit.When {
		after := func(percent int) time.Time { return now.AddDate(0, 0, n*7*percent/500) }
		return audit.When{Earliest: after(80), Likely: after(100), Latest: after(120)}
	}
}

func date(t time.Time) string { return t.Format(time.DateOnly) }
