package audit_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

const (
	account  = "123456789012"
	registry = account + ".dkr.ecr.eu-west-1.amazonaws.com"

	// keeps everything that is pinned or released, and tidies the rest.
	safePolicy = `{"rules":[
		{"rulePriority":1,"selection":{"tagStatus":"tagged","tagPatternList":["v*"],"countType":"imageCountMoreThan","countNumber":9999},"action":{"type":"expire"}},
		{"rulePriority":2,"selection":{"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":14},"action":{"type":"expire"}}]}`
)

func place() audit.Place { return audit.Place{Account: account, Region: "eu-west-1"} }

// now is a Saturday.
func now() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

func daysAgo(n int) time.Time { return now().Add(-time.Duration(n) * 24 * time.Hour) }

// digest is the digest of an image by a short name.
func digest(name string) string {
	return "sha256:" + strings.Repeat("0", 64-2*len(name)) + fmt.Sprintf("%x", name)
}

// options are those of most tests: two weeks, and no cadence.
func options() audit.Options {
	return audit.Options{Now: now(), Horizon: 14 * 24 * time.Hour}
}

// steady is the cadence of a repository that is pushed to once a day.
func steady(rule lifecycle.Rule, images []lifecycle.Image, now time.Time) func(int) audit.When {
	return func(n int) audit.When {
		after := func(percent int) time.Time { return now.Add(time.Duration(n*percent) * 24 * time.Hour / 100) }
		return audit.When{Earliest: after(80), Likely: after(100), Latest: after(150)}
	}
}

// picture is an image by its short name.
func picture(name string, age int, tags ...string) audit.Image {
	return audit.Image{
		Image: lifecycle.Image{Digest: digest(name), Tags: tags, Status: lifecycle.Active, PushedAt: daysAgo(age), LastPulledAt: daysAgo(min(age, 1))},
		Bytes: 100_000_000,
	}
}

// repository holds the images.
func repository(name, policy string, images ...audit.Image) audit.Repository {
	return audit.Repository{
		Place: place(), Name: name, ARN: "arn:aws:ecr:eu-west-1:" + account + ":repository/" + name, URI: registry + "/" + name,
		Mutability: "IMMUTABLE", Policy: policy, EvaluatedAt: now().Add(-6 * time.Hour), Images: images,
	}
}

// runs is a release with one container, pinned to the image of that short name.
func runs(revision int, reference, name string) audit.Release {
	c := audit.Container{Name: "app", Image: reference}
	if name != "" {
		c.Digest = digest(name)
	}
	return audit.Release{
		ARN:            fmt.Sprintf("arn:aws:ecs:eu-west-1:%s:service-revision/prod/web/%d", account, revision),
		TaskDefinition: definition("web", revision), At: daysAgo(10), Containers: []audit.Container{c},
	}
}

func definition(family string, revision int) string {
	return fmt.Sprintf("arn:aws:ecs:eu-west-1:%s:task-definition/%s:%d", account, family, revision)
}

// service is prod/name with what it runs and ran.
func service(name string, running audit.Release, before ...audit.Release) audit.Service {
	return audit.Service{
		Place: place(), Cluster: "prod", Name: name, ARN: "arn:aws:ecs:eu-west-1:" + account + ":service/prod/" + name,
		Controller: "ECS", LaunchType: "FARGATE", Desired: 2, Running: 2, Runs: []audit.Release{running}, Before: before,
	}
}

// clean is a fleet without a fault: prod/web on v1.2.0, with v1.1.0 to go
// back to.
func clean() audit.Fleet {
	return audit.Fleet{
		TakenAt: now(), Places: []audit.Place{place()},
		Services: []audit.Service{
			service("web", runs(7, registry+"/web:v1.2.0", "b"), runs(6, registry+"/web:v1.1.0", "a")),
		},
		Tasks: []audit.Task{{
			Place: place(), Cluster: "prod", ARN: "arn:aws:ecs:eu-west-1:" + account + ":task/prod/1", Group: "service:web",
			TaskDefinition: definition("web", 7), StartedAt: daysAgo(10),
			Containers: []audit.Container{{Name: "app", Image: registry + "/web:v1.2.0", Digest: digest("b")}},
		}},
		Definitions: map[string]audit.Revision{
			definition("web", 7): {ARN: definition("web", 7), Family: "web", Number: 7, Active: true},
			definition("web", 6): {ARN: definition("web", 6), Family: "web", Number: 6, Active: true},
		},
		Repositories: []audit.Repository{
			repository("web", safePolicy, picture("a", 30, "v1.1.0"), picture("b", 10, "v1.2.0"), picture("old", 5)),
		},
	}
}

// strict is a tag policy of releases only.
func strict() *image.Policy { return &image.Policy{} }

// short is a finding in a line: its severity, code, object and container.
func short(f audit.Finding) string {
	line := fmt.Sprintf("%s %s %s", f.Severity, f.Code, f.Object.Name)
	if f.Container != "" {
		line += " " + f.Container
	}
	return line
}

func shorts(r audit.Report) []string {
	lines := []string{}
	for _, f := range r.Findings {
		lines = append(lines, short(f))
	}
	return lines
}
