package retain

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

func today() time.Time { return time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC) }

func shelved(digest string, age int, tags ...string) audit.Image {
	return audit.Image{Bytes: 10, Image: lifecycle.Image{Digest: digest, Tags: tags, PushedAt: today().AddDate(0, 0, -age)}}
}

const (
	keepOne = `{"rules": [{"rulePriority": 1, "description": "keep the newest", "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}, "action": {"type": "expire"}}]}`
	keepTen = `{"rules": [{"rulePriority": 1, "description": "keep the newest", "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 10}, "action": {"type": "expire"}}]}`
)

// shore is a repository in memory, and a fleet that uses it.
type shore struct {
	repo      audit.Repository
	fleet     audit.Fleet
	previewed []Previewed
	denied    bool
	kept      string
}

func (s *shore) RepositoryWithImages(context.Context, string) (audit.Repository, error) {
	return s.repo, nil
}

func (s *shore) PutPolicy(_ context.Context, _, text string) error {
	s.repo.Policy = text
	return nil
}

func (s *shore) PreviewPolicy(context.Context, string, string) ([]Previewed, error) {
	if s.denied {
		return nil, fmt.Errorf("preview: %w", deploy.Denied)
	}
	return s.previewed, nil
}

func (s *shore) ports() PolicyPorts {
	return PolicyPorts{
		ECR:   s,
		Fleet: func(context.Context) (audit.Fleet, error) { return s.fleet, nil },
		Keep: func(repository, policy string) (string, error) {
			s.kept = policy
			return repository + ".json", nil
		},
		Now: today,
	}
}

// newShore has two releases; service api runs the digest.
func newShore(runs string) *shore {
	return &shore{
		repo: audit.Repository{Name: "web", Policy: keepTen, Images: []audit.Image{shelved("sha256:old", 20, "v1.0.0"), shelved("sha256:new", 2, "v1.1.0")}},
		fleet: audit.Fleet{Services: []audit.Service{{
			Cluster: "prod", Name: "api", Runs: []audit.Release{{Containers: []audit.Container{{Name: "api", Image: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web:v1", Digest: runs}}}},
		}}},
	}
}

func TestAPolicyIsPut(t *testing.T) {
	s := newShore("sha256:new")
	c, err := PlanPolicy(t.Context(), s.ports(), "web", keepOne, 0, 0)
	if err != nil || !c.Changes() || c.Check() != nil {
		t.Fatalf("%+v, %v", c, err)
	}
	file, err := PutPolicy(t.Context(), s.ports(), c, 0)
	if err != nil || file != "web.json" || s.kept != keepTen || s.repo.Policy != keepOne {
		t.Errorf("%q, %v, kept %s", file, err, s.kept)
	}
}

func TestAPolicyIsRefused(t *testing.T) {
	for _, tc := range []struct {
		name      string
		runs      string
		meanwhile func(*shore)
		want      string
	}{
		{"it takes what runs", "sha256:old", func(*shore) {}, "rule 1 would take v1.0.0, which prod/api runs"},
		{"somebody put another", "sha256:new", func(s *shore) { s.repo.Policy = keepOne + " " }, "somebody has changed the lifecycle policy of web meanwhile"},
		{"something else runs", "sha256:new", func(s *shore) { s.fleet.Services[0].Runs[0].Containers[0].Digest = "sha256:old" }, "what is in use of web has changed meanwhile"},
		{"a push made it unsafe", "sha256:new", func(s *shore) { s.repo.Images = append(s.repo.Images, shelved("sha256:newest", 1, "v1.2.0")) }, "rule 1 would take v1.1.0, which prod/api runs"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newShore(tc.runs)
			c, err := PlanPolicy(t.Context(), s.ports(), "web", keepOne, 0, 0)
			if err != nil {
				t.Fatal(err)
			}
			tc.meanwhile(s)
			before := s.repo.Policy
			_, err = PutPolicy(t.Context(), s.ports(), c, 0)
			var refused *PolicyRefusedError
			if !errors.As(err, &refused) || refused.Error() != tc.want || refused.Hint() == "" {
				t.Errorf("got %v", err)
			}
			if s.repo.Policy != before || s.kept != "" {
				t.Error("something was changed")
			}
		})
	}
}

// A rule for pins before the policy in force is put although the others go on
// taking what is in use: nothing is taken that was not before.
func TestAShieldIsPut(t *testing.T) {
	s := newShore("sha256:old")
	s.repo.Policy = keepOne
	c, err := PlanShield(t.Context(), s.ports(), "web", 0, 0)
	if err != nil || !c.Changes() || c.Check() != nil || c.Outlook.InUse != 1 {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, err := PutPolicy(t.Context(), s.ports(), c, 0); err != nil || s.kept != keepOne || !strings.Contains(s.repo.Policy, Pattern) {
		t.Errorf("%v, kept %s, put %s", err, s.kept, s.repo.Policy)
	}
	again, err := PlanShield(t.Context(), s.ports(), "web", 0, 0)
	if err != nil || again.Changes() {
		t.Errorf("%+v, %v", again, err)
	}
	s.repo.Policy = ""
	var refused *PolicyRefusedError
	if _, err := PlanShield(t.Context(), s.ports(), "web", 0, 0); !errors.As(err, &refused) || refused.Hint() == "" {
		t.Errorf("with no policy: %v", err)
	}
}

// What cannot be put back is said: the old policy took what runs.
func TestTheWayBack(t *testing.T) {
	s := newShore("sha256:old")
	for old, want := range map[string]string{keepTen: "", keepOne: "rule 1 would take v1.0.0, which prod/api runs", "{": "unexpected"} {
		s.repo.Policy = old
		c, err := PlanPolicy(t.Context(), s.ports(), "web", keepTen, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Back(); (err != nil) != (want != "") || want != "" && want != "unexpected" && err.Error() != want {
			t.Errorf("back to %s: %v, want %q", old, err, want)
		}
	}
}

func TestUsesOf(t *testing.T) {
	const registry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/"
	at := func(name, digest string) []audit.Release {
		return []audit.Release{{Containers: []audit.Container{{Image: name, Digest: digest}}}}
	}
	repo := audit.Repository{Name: "web", Images: []audit.Image{shelved("sha256:a", 3, "v1"), shelved("sha256:b", 2, "v2"), shelved("sha256:c", 1, "v3")}}
	fleet := audit.Fleet{
		Services: []audit.Service{
			{Cluster: "prod", Name: "api", Runs: at(registry+"web:v1", "sha256:a"), Before: append(at("", "sha256:b"), at("", "sha256:c")...)},
			{Cluster: "prod", Name: "elsewhere", Runs: at(registry+"other:v1", "sha256:x")},
			{Cluster: "prod", Name: "unpinned", Runs: at(registry+"web:v2", "")},
			{Cluster: "prod", Name: "lost", Runs: at(registry+"web:v0", "sha256:gone")},
		},
		Tasks: []audit.Task{{Cluster: "prod", Group: "family:job", Containers: []audit.Container{{Image: registry + "web:v3", Digest: "sha256:c"}}}},
		Definitions: map[string]audit.Revision{
			"arn:aws:ecs:eu-west-1:123456789012:task-definition/nightly:1": {Family: "nightly", Number: 1, Active: true, Containers: []audit.Container{{Image: registry + "web:v1"}}},
			"arn:aws:ecs:eu-west-1:123456789012:task-definition/nightly:2": {Family: "nightly", Number: 2, Active: true, Containers: []audit.Container{{Image: registry + "web:v3"}}},
		},
		Schedules: []audit.Schedule{{Kind: "rule", Name: "default/nightly", Enabled: true, TaskDefinition: "arn:aws:ecs:eu-west-1:123456789012:task-definition/nightly"}, {Kind: "rule", Name: "off", TaskDefinition: "nightly"}},
	}
	want := []PolicyUse{
		{Digest: "sha256:a", By: "prod/api"}, {Digest: "sha256:b", By: "prod/api", Rollback: true},
		{Digest: "sha256:b", By: "prod/unpinned"}, {Digest: "sha256:gone", By: "prod/lost"},
		{Digest: "sha256:c", By: "prod/job"}, {Digest: "sha256:c", By: "rule default/nightly"},
	}
	got := UsesOf(fleet, repo, 1)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestCrossCheck(t *testing.T) {
	tie := newShore("sha256:new")
	tie.repo.Images = []audit.Image{shelved("sha256:a", 2, "v1"), shelved("sha256:b", 2, "v2")} // who is newer?
	plan := func(s *shore) PolicyChange {
		c, err := PlanPolicy(t.Context(), s.ports(), "web", keepOne, 0, 0)
		if err == nil {
			err = CrossCheck(t.Context(), s.ports(), &c)
		}
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	tie.previewed = []Previewed{{"sha256:a", lifecycle.Expire, 1}}
	if o := plan(tie).Outlook; o.Preview.Settled != 2 || len(o.Going) != 1 || o.Going[0].Doubt != "" || len(o.Preview.Differs) != 0 {
		t.Errorf("a doubt is not settled: %+v", o)
	}
	tie.previewed = []Previewed{{"sha256:a", lifecycle.Expire, 7}, {"sha256:late", lifecycle.Expire, 1}}
	want := []Difference{{"sha256:a", "v1", "expire by rule 1", "expire by rule 7"}, {"sha256:late", "sha256:late", "not there", "expire by rule 1"}}
	if diff := cmp.Diff(want, plan(tie).Outlook.Preview.Differs); diff != "" {
		t.Error(diff)
	}
	over := newShore("sha256:new")
	over.previewed = []Previewed{{"sha256:old", lifecycle.Expire, 1}, {"sha256:new", lifecycle.Expire, 1}}
	if c := plan(over); c.Outlook.InUse != 1 || c.Outlook.Going[0].Name() != "v1.1.0" || c.Check() == nil {
		t.Errorf("what AWS alone takes is let pass: %+v", c.Outlook)
	}
	tie.denied = true
	if p := plan(tie).Outlook.Preview; p.Asked || !strings.Contains(p.Unasked, "preview") {
		t.Errorf("%+v", p)
	}
}

func TestWhatIsNotSeen(t *testing.T) {
	unseen, err := Seen(audit.Fleet{Blind: []audit.Blind{{Action: "ecr:DescribeImages"}, {Action: "events:ListRules", About: "rules"}}})
	if err != nil || len(unseen) != 1 {
		t.Errorf("%v, %v", unseen, err)
	}
	_, err = Seen(audit.Fleet{Blind: []audit.Blind{{Action: "ecs:ListTasks", About: "tasks of cluster prod", Reason: "access denied"}}})
	var blind *BlindError
	if !errors.As(err, &blind) || blind.Error() != "what is in use is not known: tasks of cluster prod: access denied" || blind.Hint() != "allow ecs:ListTasks to the role that runs this" {
		t.Error(err)
	}
}

func TestAsOf(t *testing.T) {
	s := newShore("sha256:new")
	if got := AsOf(s.repo, today()); !got.Equal(today()) {
		t.Error(got)
	}
	s.repo.EvaluatedAt = today().AddDate(0, 0, 14)
	if got := AsOf(s.repo, today()); !got.Equal(s.repo.EvaluatedAt) {
		t.Error(got)
	}
}
