package scenario_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/client"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/scenario"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// What the audit says of a restart is what drydock does: over random stories
// of pushes, tags that move, deploys, pauses and lifecycle policies, the tasks
// retire some days later, or a stopped service is started, and they come up or
// not as the audit of that day said.
// FORESEEN=10000 plays so many stories.
func TestTheAuditForeseesWhatHappens(t *testing.T) {
	t.Parallel()
	stories := 30
	if n, err := strconv.Atoi(os.Getenv("FORESEEN")); err == nil {
		stories = n
	}
	count := map[string]int{}
	for seed := range stories {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		text := story(r)
		days, stopped := 1+r.IntN(20), r.IntN(3) == 0
		err := scenario.Run(t.Context(), parse(t, text), scenario.Options{End: func(ctx context.Context, c *client.Client) error {
			foreseen, err := restartAfter(ctx, c, days, stopped)
			count[foreseen]++
			return err
		}})
		if err != nil {
			t.Errorf("story %d, restarted after %d days (stopped until then: %v): %v\n%s", seed, days, stopped, err, text)
		}
	}
	t.Logf("%d stories: %v", stories, count)
	if count["fails"] == 0 || count["works"] == 0 {
		t.Errorf("of %d stories %v: that proves little", stories, count)
	}
}

// story is a random one with a service web of repository app, where others
// push too.
func story(r *rand.Rand) string {
	rule := func(priority int, selection string) string {
		return fmt.Sprintf(`{rulePriority: %d, selection: {%s}, action: {type: expire}}`, priority, selection)
	}
	age := func() string {
		return fmt.Sprintf("countType: sinceImagePushed, countUnit: days, countNumber: %d", 1+r.IntN(15))
	}
	newest := func() string { return fmt.Sprintf("countType: imageCountMoreThan, countNumber: %d", 1+r.IntN(5)) }
	rules := [][]string{
		{},
		{rule(1, "tagStatus: untagged, "+age())},
		{rule(1, "tagStatus: any, "+age())},
		{rule(1, "tagStatus: any, "+newest())},
		{rule(1, `tagStatus: tagged, tagPrefixList: [v], `+newest()), rule(2, "tagStatus: any, "+age())},
		{rule(1, `tagStatus: tagged, tagPatternList: ["v1*"], `+age()), rule(2, "tagStatus: untagged, "+newest())},
	}[r.IntN(6)]
	var b strings.Builder
	b.WriteString("name: A random story\ngiven:\n  repositories:\n    app:\n")
	if len(rules) > 0 {
		fmt.Fprintf(&b, "      policy: {rules: [%s]}\n", strings.Join(rules, ", "))
	} else {
		b.WriteString("      mutability: MUTABLE\n")
	}
	b.WriteString("  services:\n    web: {image: \"app:none\", desired: 2}\nsteps:\n")
	tag := func() string { return fmt.Sprintf("v%d", 1+r.IntN(4)) }
	deploy := func() {
		t := tag()
		fmt.Fprintf(&b, "  - push: {image: \"app:%s\"}\n  - deploy: {service: web, image: \"app:%s\"}\n", t, t)
	}
	deploy()
	for range r.IntN(8) {
		switch r.IntN(5) {
		case 0, 1:
			fmt.Fprintf(&b, "  - push: {image: \"app:%s\"}\n", tag())
		case 2:
			deploy()
		default:
			fmt.Fprintf(&b, "  - advance: %dh\n", 1+r.IntN(100))
		}
	}
	return b.String()
}

// restartAfter judges the service, makes it start its tasks anew after so many
// days and says what was foreseen; the error is that something else happened.
// A running service is retired, a stopped one is started.
func restartAfter(ctx context.Context, c *client.Client, days int, stopped bool) (foreseen string, err error) {
	control := func(path string, in map[string]any) {
		if err == nil {
			err = c.Control(ctx, "POST", path, in, nil)
		}
	}
	scale := func(desired int32) {
		if err == nil {
			_, err = c.ECS.UpdateService(ctx, &ecs.UpdateServiceInput{Service: aws.String("web"), DesiredCount: &desired})
		}
	}
	if stopped {
		scale(0)
		control("advance", map[string]any{"seconds": 600})
	}
	if err != nil {
		return "", err
	}
	f, err := fleetOf(ctx, c)
	if err != nil {
		return "", err
	}
	ahead := time.Duration(days) * 24 * time.Hour
	report := audit.Judge(f, audit.Options{Now: f.TakenAt, Horizon: ahead})
	foreseen = verdict(report, f.TakenAt.Add(ahead))
	if stopped {
		control("advance", map[string]any{"seconds": ahead.Seconds()})
		scale(2)
	} else {
		control("retire", map[string]any{"cluster": "default", "service": "web", "seconds": ahead.Seconds()})
		control("advance", map[string]any{"seconds": ahead.Seconds()})
	}
	control("advance", map[string]any{"seconds": 12 * 3600})
	if err != nil {
		return foreseen, err
	}
	out, err := c.ECS.DescribeServices(ctx, &ecs.DescribeServicesInput{Services: []string{"web"}})
	if err != nil {
		return foreseen, err
	}
	running := out.Services[0].RunningCount
	if foreseen == "works" && running != 2 || foreseen == "fails" && running != 0 {
		said := ""
		for _, finding := range report.Findings {
			said += fmt.Sprintf("\n  %s %s %s (%s)", finding.Severity, finding.Code, finding.What, finding.Why)
		}
		return foreseen, fmt.Errorf("foreseen at %s that the restart %s, and %d of 2 tasks run%s", f.TakenAt, foreseen, running, said)
	}
	return foreseen, nil
}

// verdict is what a report says of a restart at a time.
func verdict(r audit.Report, at time.Time) string {
	said := "works"
	for _, f := range r.Findings {
		switch f.Code {
		case audit.ImageGone, audit.DigestGone, audit.ImageArchived, audit.IndexBroken:
			return "fails"
		case audit.LostAtNextRun, audit.Sinks:
			said = "may fail"
			if f.Severity == audit.Error {
				said = "fails"
			}
		}
		// ECR acts within 24 hours, and the tasks retire within hours.
		if w := f.When; w != nil && at.Sub(w.Earliest).Abs() < 36*time.Hour {
			return "is too near to say"
		}
	}
	return said
}

// fleetOf is the fleet of a story's drydock.
func fleetOf(ctx context.Context, c *client.Client) (audit.Fleet, error) {
	var clock struct{ Now time.Time }
	if err := c.Control(ctx, "GET", "clock", nil, &clock); err != nil {
		return audit.Fleet{}, err
	}
	repository, err := repositoryOf(ctx, c)
	if err != nil {
		return audit.Fleet{}, err
	}
	f := audit.Fleet{TakenAt: clock.Now, Places: []audit.Place{repository.Place}, Repositories: []audit.Repository{repository}}
	services, err := c.ECS.DescribeServices(ctx, &ecs.DescribeServicesInput{Services: []string{"web"}})
	if err != nil {
		return f, err
	}
	web := services.Services[0]
	s := audit.Service{Place: repository.Place, Cluster: "default", Name: "web", Desired: int(web.DesiredCount), Running: int(web.RunningCount)}
	for _, current := range web.CurrentServiceRevisions {
		out, err := c.ECS.DescribeServiceRevisions(ctx, &ecs.DescribeServiceRevisionsInput{ServiceRevisionArns: []string{aws.ToString(current.Arn)}})
		if err != nil {
			return f, err
		}
		release := audit.Release{ARN: aws.ToString(current.Arn)}
		for _, i := range out.ServiceRevisions[0].ContainerImages {
			release.Containers = append(release.Containers, audit.Container{Name: aws.ToString(i.ContainerName), Image: aws.ToString(i.Image), Digest: aws.ToString(i.ImageDigest)})
		}
		s.Runs = append(s.Runs, release)
	}
	f.Services = []audit.Service{s}
	return f, nil
}

func repositoryOf(ctx context.Context, c *client.Client) (audit.Repository, error) {
	name := "app"
	repositories, err := c.ECR.DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{RepositoryNames: []string{name}})
	if err != nil {
		return audit.Repository{}, err
	}
	there := repositories.Repositories[0]
	r := audit.Repository{
		Place: audit.Place{Account: aws.ToString(there.RegistryId), Region: c.Config.Region},
		Name:  name, URI: aws.ToString(there.RepositoryUri), Mutability: string(there.ImageTagMutability),
	}
	if policy, err := c.ECR.GetLifecyclePolicy(ctx, &ecr.GetLifecyclePolicyInput{RepositoryName: &name}); err == nil {
		r.Policy, r.EvaluatedAt = aws.ToString(policy.LifecyclePolicyText), aws.ToTime(policy.LastEvaluatedAt)
	}
	images, err := c.ECR.DescribeImages(ctx, &ecr.DescribeImagesInput{RepositoryName: &name, Filter: &ecrtypes.DescribeImagesFilter{ImageStatus: ecrtypes.ImageStatusFilterAny}})
	if err != nil {
		return r, err
	}
	for _, i := range images.ImageDetails {
		r.Images = append(r.Images, audit.Image{Image: lifecycle.Image{
			Digest: aws.ToString(i.ImageDigest), Tags: i.ImageTags, Status: lifecycle.Status(i.ImageStatus), PushedAt: aws.ToTime(i.ImagePushedAt), LastPulledAt: aws.ToTime(i.LastRecordedPullTime),
		}})
	}
	return r, nil
}
