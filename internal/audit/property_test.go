package audit_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// policies are those that random repositories have.
func policies() []string {
	return []string{
		"", safePolicy, `{"rules":[{"broken`,
		`{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":3},"action":{"type":"expire"}}]}`,
		`{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":5},"action":{"type":"expire"}},
			{"rulePriority":7,"selection":{"tagStatus":"tagged","tagPrefixList":["v1"],"countType":"sinceImagePushed","countUnit":"days","countNumber":20},"action":{"type":"expire"}}]}`,
		`{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"sinceImagePulled","countUnit":"days","countNumber":30},"action":{"type":"transition","targetStorageClass":"archive"}},
			{"rulePriority":2,"selection":{"tagStatus":"any","storageClass":"archive","countType":"sinceImageTransitioned","countUnit":"days","countNumber":90},"action":{"type":"expire"}}]}`,
	}
}

// drawFleet is a fleet of a few of everything, with all its faults.
func drawFleet(t *rapid.T) audit.Fleet {
	f := audit.Fleet{TakenAt: now(), Places: []audit.Place{place()}, Definitions: map[string]audit.Revision{}, Roles: map[string]audit.Role{}}
	if rapid.Bool().Draw(t, "second place") {
		f.Places = append(f.Places, audit.Place{Account: account, Region: "us-east-1"})
	}
	number := func(label string, most int) int { return rapid.IntRange(0, most).Draw(t, label) }
	tag := func(label string) string {
		return rapid.SampledFrom([]string{"v1.0.0", "v1.1.0", "v2.0.0", "latest", "build-3"}).Draw(t, label)
	}
	for r := range 1 + number("repositories", 2) {
		repo := repository(fmt.Sprintf("r%d", r), rapid.SampledFrom(policies()).Draw(t, "policy"))
		repo.Mutability = rapid.SampledFrom([]string{"MUTABLE", "IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION"}).Draw(t, "mutability")
		repo.Exclusions = []string{"latest"}
		taken := map[string]bool{}
		for i := range number("images", 6) {
			img := picture(fmt.Sprintf("%d", i), number("age", 60))
			img.LastPulledAt = daysAgo(number("pulled", 60))
			img.Status = rapid.SampledFrom([]lifecycle.Status{lifecycle.Active, lifecycle.Active, lifecycle.Active, lifecycle.Archived, lifecycle.Activating}).Draw(t, "status")
			if img.Status == lifecycle.Archived {
				img.LastArchivedAt = daysAgo(number("archived", 200))
			}
			if name := tag("tag"); !taken[name] {
				img.Tags, taken[name] = []string{name}, true
			}
			if i > 0 && rapid.Bool().Draw(t, "index") {
				img.Children = []string{digest(fmt.Sprintf("%d", number("child", i-1)))}
			}
			repo.Images = append(repo.Images, img)
		}
		f.Repositories = append(f.Repositories, repo)
	}
	container := func(name string) audit.Container {
		host := rapid.SampledFrom([]string{registry, registry, account + ".dkr-ecr.eu-west-1.on.aws", "docker.io"}).Draw(t, "host")
		c := audit.Container{Name: name, Image: fmt.Sprintf("%s/r%d:%s", host, number("repository", 3), tag("deployed"))}
		if rapid.Bool().Draw(t, "pinned") {
			c.Digest = digest(fmt.Sprintf("%d", number("digest", 6)))
		}
		c.Unpinned = rapid.SampledFrom([]bool{false, false, true}).Draw(t, "unpinned")
		return c
	}
	release := func(n int) audit.Release {
		r := audit.Release{ARN: fmt.Sprint("revision/", n), TaskDefinition: definition("web", n), At: daysAgo(number("at", 30)), Containers: []audit.Container{container("app")}}
		if rapid.Bool().Draw(t, "side-car") {
			r.Containers = append(r.Containers, container("proxy"))
		}
		return r
	}
	for s := range number("services", 4) {
		svc := service(fmt.Sprintf("s%d", s), release(9))
		for n := range number("before", 2) {
			svc.Before = append(svc.Before, release(8-n))
		}
		svc.Desired, svc.MostTasks = number("desired", 2), number("most", 4)
		svc.Running = svc.Desired
		f.Services = append(f.Services, svc)
		if rapid.Bool().Draw(t, "retires") {
			f.Retirements = append(f.Retirements, audit.Retirement{Place: place(), Event: fmt.Sprint("event/", s), At: now().AddDate(0, 0, number("retires in", 30)), Cluster: "prod", Service: svc.Name})
		}
	}
	job := container("app") // tasks of one definition have the same containers
	for n := range number("tasks", 3) {
		f.Tasks = append(f.Tasks, audit.Task{
			Place: place(), Cluster: "prod", ARN: fmt.Sprint("task/", n), Group: rapid.SampledFrom([]string{"service:s0", "service:s1", "family:job"}).Draw(t, "group"),
			TaskDefinition: definition("job", 1), StartedAt: daysAgo(number("started", 90)), Containers: []audit.Container{job},
		})
	}
	for n := range number("schedules", 2) {
		f.Schedules = append(f.Schedules, audit.Schedule{Place: place(), Kind: "rule", Name: fmt.Sprint("default/", n), Enabled: rapid.Bool().Draw(t, "enabled"), Cluster: "prod", TaskDefinition: definition("job", number("revision", 3))})
	}
	for n := 1; n <= 2; n++ {
		f.Definitions[definition("job", n)] = audit.Revision{ARN: definition("job", n), Family: "job", Number: n, Active: rapid.Bool().Draw(t, "active"), TaskRole: role("task"), ExecutionRole: role("task"), Containers: []audit.Container{container("job")}}
	}
	f.Roles[role("task")] = audit.Role{ARN: role("task"), Trust: `{"Statement":{"Effect":"Allow","Principal":"*"}}`, Statements: []audit.Statement{{Policy: "p", Actions: []string{"*"}, Resources: []string{"*"}}}}
	if rapid.Bool().Draw(t, "blind") {
		f.Blind = append(f.Blind, audit.Blind{Place: place(), Action: "ecr:DescribeRepositories", About: "all", Reason: "denied"})
	}
	return f
}

func drawOptions(t *rapid.T) audit.Options {
	o := options()
	o.Unused = rapid.SampledFrom([]int{0, 10, 90}).Draw(t, "unused")
	if rapid.Bool().Draw(t, "tag policy") {
		o.Tags = strict()
	}
	if rapid.Bool().Draw(t, "cadence") {
		o.Cadence = steady
	}
	return o
}

// losses are the codes of images that are not there, or will not be.
func losses() []audit.Code {
	return []audit.Code{
		audit.ImageGone, audit.DigestGone, audit.ImageArchived, audit.ImageRestoring, audit.IndexBroken, audit.LostAtNextRun, audit.Sinks, audit.KeptByLuck, audit.RunsUnpulled,
		audit.NoRollback, audit.FewerRollbacks, audit.RollbackSinks, audit.RetirementFails, audit.StartFails, audit.ScaleOutFails,
	}
}

// Where nothing is ever deleted, nothing is lost.
func TestNothingIsLostWhereNothingIsDeleted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFleet(t)
		f.Definitions = nil // nothing is deregistered either
		keepEverything(&f)
		for _, finding := range audit.Judge(f, drawOptions(t)).Findings {
			if slices.Contains(losses(), finding.Code) {
				t.Errorf("%s: %s (%s)", finding.Code, finding.What, finding.Why)
			}
		}
	})
}

// keepEverything takes the policies away, restores what is archived, and puts
// everything that is needed where it should be.
func keepEverything(f *audit.Fleet) {
	for len(f.Repositories) < 4 {
		f.Repositories = append(f.Repositories, repository(fmt.Sprintf("r%d", len(f.Repositories)), ""))
	}
	for i := range f.Repositories {
		r := &f.Repositories[i]
		r.Policy = ""
		tags := []string{"v1.0.0", "v1.1.0", "v2.0.0", "latest", "build-3"}
		for k := range r.Images {
			r.Images[k].Status = lifecycle.Active
			tags = slices.DeleteFunc(tags, func(tag string) bool { return slices.Contains(r.Images[k].Tags, tag) })
		}
		for n := len(r.Images); n <= 6; n++ {
			r.Images = append(r.Images, picture(fmt.Sprint(n), 3))
		}
		r.Images[6].Tags = append(r.Images[6].Tags, tags...)
	}
}

// A rule that accepts never makes findings; only that it ended is one.
func TestAcceptingAddsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, o := drawFleet(t), drawOptions(t)
		before := audit.Judge(f, o)
		o.Accept = []audit.Accept{{
			Code:    audit.Code(rapid.SampledFrom([]string{"PL001", "PL0*", "PL02*", ""}).Draw(t, "code")),
			Object:  rapid.SampledFrom([]string{"", "prod/*", "*s1", "r0"}).Draw(t, "object"),
			Image:   rapid.SampledFrom([]string{"", "*:latest", "r1:*"}).Draw(t, "image"),
			Reason:  "known",
			Expires: rapid.SampledFrom([]time.Time{{}, daysAgo(1), daysAgo(-1)}).Draw(t, "expires"),
		}}
		after := audit.Judge(f, o)
		rest := slices.DeleteFunc(slices.Clone(after.Findings), func(f audit.Finding) bool { return f.Code == audit.AcceptExpired })
		for i := range rest {
			rest[i].Accepted = ""
		}
		if diff := cmp.Diff(before.Findings, rest); diff != "" {
			t.Errorf("(-without +with the rule):\n%s", diff)
		}
		if expired := len(after.Findings) - len(rest); expired != 0 && (expired != 1 || !o.Accept[0].Expires.Equal(daysAgo(1))) {
			t.Errorf("%d findings on a rule that ends %s", expired, o.Accept[0].Expires)
		}
	})
}

// What is known today is all accepted tomorrow, when only the clock went on
// and nothing new came of it.
func TestABaselineAcceptsItsOwnReport(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, o := drawFleet(t), drawOptions(t)
		o.Baseline = audit.NewBaseline(audit.Judge(f, o))
		for _, finding := range audit.Judge(f, o).Findings {
			if finding.Accepted == "" {
				t.Errorf("%s %s is not accepted", finding.Code, finding.Object.Name)
			}
		}
	})
}

// The order in which AWS lists things is nobody's business.
func TestTheOrderOfTheFleetDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, o := drawFleet(t), drawOptions(t)
		want := audit.Judge(f, o)
		reverse(&f)
		if diff := cmp.Diff(want.Findings, audit.Judge(f, o).Findings); diff != "" {
			t.Errorf("(-as listed +the other way round):\n%s", diff)
		}
	})
}

func reverse(f *audit.Fleet) {
	slices.Reverse(f.Places)
	slices.Reverse(f.Services)
	slices.Reverse(f.Tasks)
	slices.Reverse(f.Schedules)
	slices.Reverse(f.Retirements)
	slices.Reverse(f.Repositories)
	for i := range f.Repositories {
		slices.Reverse(f.Repositories[i].Images)
	}
	for i := range f.Services {
		for k := range f.Services[i].Runs {
			slices.Reverse(f.Services[i].Runs[k].Containers)
		}
	}
}

// A fleet that was kept in a file is judged as it was, and a report too is
// plain data.
func TestAFleetFromAFileIsJudgedTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, o := drawFleet(t), drawOptions(t)
		want := audit.Judge(f, o)
		var fleet audit.Fleet
		copied(t, f, &fleet)
		got := audit.Judge(fleet, o)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-fleet +fleet from its file):\n%s", diff)
		}
		var report audit.Report
		copied(t, got, &report)
		if diff := cmp.Diff(got, report); diff != "" {
			t.Errorf("(-report +report from its file):\n%s", diff)
		}
	})
}

// Every finding says all that it should.
func TestFindingsAreComplete(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, o := drawFleet(t), drawOptions(t)
		r := audit.Judge(f, o)
		keys := map[audit.Key]bool{}
		for _, finding := range r.Findings {
			if finding.Code == "" || finding.What == "" || finding.Why == "" || finding.Object.Name == "" {
				t.Errorf("%+v says too little", finding)
			}
			if finding.Severity > audit.Note && len(finding.Fix) == 0 {
				t.Errorf("%s says nothing to do about it: %s", finding.Code, finding.What)
			}
			if finding.When != nil && !finding.When.Latest.IsZero() && (finding.When.Latest.Before(finding.When.Likely) || finding.When.Likely.Before(finding.When.Earliest)) {
				t.Errorf("%s: the times %+v are out of order", finding.Code, *finding.When)
			}
			if keys[finding.Key()] {
				t.Errorf("two findings are %+v", finding.Key())
			}
			keys[finding.Key()] = true
		}
		if r.Seen.Safe > r.Seen.Services {
			t.Errorf("%d of %d services are safe", r.Seen.Safe, r.Seen.Services)
		}
	})
}

func copied(t *rapid.T, from, to any) {
	text, err := json.Marshal(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, to); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}

// Standings and the tally say the same.
func TestStandingsAgreeWithTheTally(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fleet := drawFleet(t)
		report := audit.Judge(fleet, audit.Options{Now: fleet.TakenAt, Horizon: 14 * 24 * time.Hour})
		counts := map[audit.State]int{}
		for i, s := range audit.Standings(fleet, report) {
			if s.Service != i {
				t.Fatalf("standing %d is of service %d", i, s.Service)
			}
			counts[s.State]++
		}
		tally := report.Tally()
		if lost := tally.Services - tally.Now; counts[audit.Lost] != lost || counts[audit.Safe] > tally.Safe {
			t.Fatalf("%v, tally %+v", counts, tally)
		}
	})
}
