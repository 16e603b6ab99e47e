package retain_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/awsapi"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/client"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/fleet"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/retain"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// yard is a drydock with two services, web and api, of one repository, on a
// calendar that only the test moves. Its lifecycle policy protects pins and is
// merciless otherwise.
type yard struct {
	server   *drydock.Server
	client   *client.Client
	aws      *awsapi.Client
	clock    *clock.Clock
	manifest string // of an image, to make others of
	pushes   int
}

const policy = `{"rules": [
  {"rulePriority": 1, "selection": {"tagStatus": "tagged", "tagPatternList": ["keep-*"], "countType": "imageCountMoreThan", "countNumber": 9999}, "action": {"type": "expire"}},
  {"rulePriority": 2, "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1}, "action": {"type": "expire"}},
  {"rulePriority": 3, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}, "action": {"type": "expire"}}]}`

// fataler is a test, or a check of rapid's.
type fataler interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

func newYard(t fataler) *yard {
	t.Helper()
	ctx := context.Background()
	y := &yard{clock: clock.Manual(time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC))}
	var err error
	if y.server, err = drydock.Start(ctx, drydock.Options{Runtime: drydock.Simulated, Seed: 1, Clock: y.clock}); err != nil {
		t.Fatal(err)
	}
	y.client = client.New(y.server.Endpoint(), drydock.DefaultRegion, nil)
	y.aws, err = awsapi.New(ctx, awsapi.Options{
		Region: drydock.DefaultRegion, Endpoint: y.server.Endpoint(), Credentials: credentials.NewStaticCredentialsProvider("x", "x", ""),
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = fleet.Planter{Client: y.client, Registry: y.server.Addr}.Plant(ctx, fleet.Fleet{
		Clusters:     []string{"prod"},
		Repositories: map[string]fleet.Repository{"app": {Images: []fleet.Image{{Tag: "v1"}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := y.client.ECR.BatchGetImage(ctx, &ecr.BatchGetImageInput{RepositoryName: aws.String("app"), ImageIds: []ecrtypes.ImageIdentifier{{ImageTag: aws.String("v1")}}})
	if err != nil || len(got.Images) != 1 {
		t.Fatalf("%v, %v", got, err)
	}
	y.manifest = *got.Images[0].ImageManifest
	for _, name := range []string{"web", "api"} {
		y.register(t, name, "v1")
		_, err := y.client.ECS.CreateService(ctx, &ecs.CreateServiceInput{
			Cluster: aws.String("prod"), ServiceName: aws.String(name), TaskDefinition: aws.String(name), DesiredCount: aws.Int32(1),
			LaunchType: types.LaunchTypeFargate, NetworkConfiguration: fleet.Network(),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	y.advance(t, 10*time.Minute)
	return y
}

func (y *yard) register(t fataler, family, tag string) {
	t.Helper()
	_, err := y.client.ECS.RegisterTaskDefinition(context.Background(), &ecs.RegisterTaskDefinitionInput{
		Family: &family, NetworkMode: types.NetworkModeAwsvpc, Cpu: aws.String("256"), Memory: aws.String("512"),
		RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
		ExecutionRoleArn:        aws.String("arn:aws:iam::123456789012:role/execution"),
		ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("app"), Image: aws.String(drydock.DefaultAccount + ".dkr.ecr." + drydock.DefaultRegion + ".amazonaws.com/app:" + tag),
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// advance moves the calendar.
func (y *yard) advance(t fataler, by time.Duration) {
	t.Helper()
	if err := y.client.Control(context.Background(), http.MethodPost, "advance", map[string]any{"seconds": by.Seconds()}, nil); err != nil {
		t.Fatal(err)
	}
}

// push gives a new image a tag, and takes it from the one that has it.
func (y *yard) push(t fataler, tag string) {
	t.Helper()
	y.pushes++
	manifest := strings.TrimSuffix(strings.TrimSpace(y.manifest), "}") + fmt.Sprintf(`,"annotations":{"n":"%d"}}`, y.pushes)
	_, err := y.client.ECR.PutImage(context.Background(), &ecr.PutImageInput{RepositoryName: aws.String("app"), ImageTag: &tag, ImageManifest: &manifest})
	if err != nil {
		t.Fatal(err)
	}
}

// deploy has a service run a tag, whatever that stands for now.
func (y *yard) deploy(t fataler, service, tag string) {
	t.Helper()
	y.register(t, service, tag)
	_, err := y.client.ECS.UpdateService(context.Background(), &ecs.UpdateServiceInput{
		Cluster: aws.String("prod"), Service: &service, TaskDefinition: &service, ForceNewDeployment: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	y.advance(t, 10*time.Minute)
}

// images are the tags of all images, by digest.
func (y *yard) images(t fataler) map[string][]string {
	t.Helper()
	out, err := y.client.ECR.DescribeImages(context.Background(), &ecr.DescribeImagesInput{
		RepositoryName: aws.String("app"), Filter: &ecrtypes.DescribeImagesFilter{ImageStatus: ecrtypes.ImageStatusFilterAny},
	})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for _, d := range out.ImageDetails {
		all[*d.ImageDigest] = slices.Sorted(slices.Values(d.ImageTags))
	}
	return all
}

// runs is the digest that ECS has fixed for a service, as ECS tells it.
func (y *yard) runs(t fataler, service string) string {
	t.Helper()
	s, err := y.client.ECS.DescribeServices(context.Background(), &ecs.DescribeServicesInput{Cluster: aws.String("prod"), Services: []string{service}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := y.client.ECS.DescribeServiceRevisions(context.Background(), &ecs.DescribeServiceRevisionsInput{
		ServiceRevisionArns: []string{*s.Services[0].CurrentServiceRevisions[0].Arn},
	})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(r.ServiceRevisions[0].ContainerImages[0].ImageDigest)
}

func (y *yard) ports() retain.Ports {
	return retain.Ports{AWS: y.aws, Now: y.clock.Now, Sleep: func(context.Context, time.Duration) error { return nil }}
}

func request(service string, keep int) retain.Request {
	return retain.Request{Target: deploy.Target{Cluster: "prod", Service: service}, Keep: keep}
}

func silent(story.Event) {}

// plain are the tags that are no pins, with their images.
func plain(images map[string][]string) string {
	var all []string
	for digest, tags := range images {
		for _, tag := range tags {
			if !strings.HasPrefix(tag, retain.Prefix) {
				all = append(all, tag+" "+digest)
			}
		}
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

func pinned(images map[string][]string, digest, service string) bool {
	return slices.ContainsFunc(images[digest], func(tag string) bool { return strings.HasPrefix(tag, retain.Prefix+"prod-"+service+"-") })
}

// untouched fails where an image has gone, or a tag that is no pin has moved.
func untouched(t fataler, before, after map[string][]string, what string) {
	t.Helper()
	if was, is := slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(after)); !slices.Equal(was, is) {
		t.Fatalf("%s: images were %q, are %q", what, was, is)
	}
	if was, is := plain(before), plain(after); was != is {
		t.Fatalf("%s: tags were\n%s\nare\n%s", what, was, is)
	}
}

// Whatever is pushed, deployed, overwritten and cleaned up in between, pins
// never delete an image nor move another tag, they come to rest, and what was
// pinned when it was deployed can restart on any later day.
func TestWhatIsPinnedStays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		y := newYard(t)
		defer y.server.Close()
		if _, err := y.client.ECR.PutLifecyclePolicy(t.Context(), &ecr.PutLifecyclePolicyInput{RepositoryName: aws.String("app"), LifecyclePolicyText: aws.String(policy)}); err != nil {
			t.Fatal(err)
		}
		held := map[string]string{} // by service: what it runs, once that is pinned
		for range rapid.IntRange(2, 9).Draw(t, "steps") {
			service := rapid.SampledFrom([]string{"web", "api"}).Draw(t, "service")
			tag := rapid.SampledFrom([]string{"v1", "v2", "v3"}).Draw(t, "tag")
			keep := rapid.IntRange(0, 2).Draw(t, "keep")
			before := y.images(t)
			step := rapid.SampledFrom([]string{"push", "deploy", "deploy and pin", "deploy and pin", "pin", "unpin", "rescue", "a day", "a day"}).Draw(t, "step")
			switch step {
			case "push":
				y.push(t, tag)
			case "deploy", "deploy and pin":
				if !slices.ContainsFunc(slices.Collect(maps.Values(before)), func(tags []string) bool { return slices.Contains(tags, tag) }) {
					continue
				}
				y.deploy(t, service, tag)
				delete(held, service)
				if step == "deploy" {
					continue
				}
				if _, there := y.images(t)[y.runs(t, service)]; !there {
					continue
				}
				before = y.images(t)
				fallthrough
			case "pin", "rescue":
				act := func() (retain.Result, error) {
					return retain.Pin(t.Context(), y.ports(), request(service, keep), silent)
				}
				if step == "rescue" {
					act = func() (retain.Result, error) {
						return retain.Rescue(t.Context(), y.ports(), retain.RescueRequest{Request: request(service, keep)}, silent)
					}
				}
				result, err := act()
				if err != nil {
					t.Fatal(err)
				}
				after, runs := y.images(t), y.runs(t, service)
				untouched(t, before, after, step)
				_, there := after[runs]
				if there != pinned(after, runs, service) || there != result.Safe() {
					t.Fatalf("%s runs %s; there %t, safe %t: %q, %+v", service, runs, there, result.Safe(), after, result)
				}
				if there {
					held[service] = runs
				}
				again, err := act()
				if err != nil || fmt.Sprint(y.images(t)) != fmt.Sprint(after) {
					t.Fatalf("a second %s (%v) changed %q to %q", step, err, after, y.images(t))
				}
				for _, i := range again.Images {
					if i.State == retain.Pinned {
						t.Fatalf("pinned again: %+v", i)
					}
				}
			case "unpin":
				if _, err := retain.Unpin(t.Context(), y.ports(), retain.UnpinRequest{Target: request(service, 0).Target}, silent); err != nil {
					t.Fatal(err)
				}
				untouched(t, before, y.images(t), step)
				delete(held, service)
			case "a day":
				y.advance(t, 26*time.Hour)
			}
			for service, digest := range held {
				if _, there := y.images(t)[digest]; !there {
					t.Fatalf("after %s: %s is gone, which %s runs", step, digest, service)
				}
			}
		}
	})
}

var errKilled = errors.New("killed")

// mortal is AWS as a process sees it that is killed at its n-th call, before
// AWS gets it or before the answer comes back.
type mortal struct {
	retain.AWS
	n     int
	after bool

	mu    sync.Mutex
	calls int
	dead  bool
}

func through[T any](m *mortal, call func() (T, error)) (T, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var none T
	m.calls++
	if m.dead || m.calls == m.n && !m.after {
		m.dead = true
		return none, errKilled
	}
	value, err := call()
	if m.calls == m.n {
		m.dead = true
		return none, errKilled
	}
	return value, err
}

func (m *mortal) InUse(ctx context.Context, cluster, service string, before int) (audit.Service, bool, error) {
	past := false
	s, err := through(m, func() (s audit.Service, err error) {
		s, past, err = m.AWS.InUse(ctx, cluster, service, before)
		return s, err
	})
	return s, past, err
}

func (m *mortal) Stock(ctx context.Context, ref image.Reference) (audit.Repository, error) {
	return through(m, func() (audit.Repository, error) { return m.AWS.Stock(ctx, ref) })
}

func (m *mortal) Look(ctx context.Context, ref image.Reference) (lifecycle.Image, error) {
	return through(m, func() (lifecycle.Image, error) { return m.AWS.Look(ctx, ref) })
}

func (m *mortal) Manifest(ctx context.Context, ref image.Reference) (retain.Manifest, error) {
	return through(m, func() (retain.Manifest, error) { return m.AWS.Manifest(ctx, ref) })
}

func (m *mortal) PutTag(ctx context.Context, ref image.Reference, content retain.Manifest) error {
	_, err := through(m, func() (struct{}, error) { return struct{}{}, m.AWS.PutTag(ctx, ref, content) })
	return err
}

func (m *mortal) DropTag(ctx context.Context, ref image.Reference) error {
	_, err := through(m, func() (struct{}, error) { return struct{}{}, m.AWS.DropTag(ctx, ref) })
	return err
}

// threeReleases is a yard where web runs v3 and has run v1 and v2. v1 and v2
// are pinned; v3 is not, and has lost its tag.
func threeReleases(t *testing.T) *yard {
	y := newYard(t)
	t.Cleanup(func() { _ = y.server.Close() })
	for _, tag := range []string{"v2", "v3"} {
		y.push(t, tag)
		if _, err := retain.Pin(t.Context(), y.ports(), request("web", 9), silent); err != nil {
			t.Fatal(err)
		}
		y.deploy(t, "web", tag)
	}
	y.push(t, "v3")
	return y
}

// A pin that is killed at any call has harmed nothing, and the next one
// finishes it.
func TestAPinThatIsKilledAndRunAgain(t *testing.T) {
	kills := 0
	for n, living := 1, false; !living; n++ {
		for _, after := range []bool{false, true} {
			y := threeReleases(t)
			before := y.images(t)
			p := y.ports()
			m := &mortal{AWS: y.aws, n: n, after: after}
			p.AWS = m
			_, _ = retain.Pin(t.Context(), p, request("web", 1), silent)
			what := fmt.Sprintf("killed at call %d (after %t)", n, after)
			living = !m.dead
			if m.dead {
				kills++
			}
			untouched(t, before, y.images(t), what)
			result, err := retain.Pin(t.Context(), y.ports(), request("web", 1), silent)
			if err != nil || !result.Safe() {
				t.Fatalf("%s: %+v, %v", what, result, err)
			}
			now := y.images(t)
			untouched(t, before, now, what+", and again")
			pins := 0
			for digest := range now {
				if pinned(now, digest, "web") {
					pins++
				}
			}
			if !pinned(now, y.runs(t, "web"), "web") || pins != 2 {
				t.Fatalf("%s: %d pins, want those of v3 and v2: %q", what, pins, now)
			}
		}
	}
	if kills < 10 {
		t.Errorf("%d kills", kills)
	}
	t.Logf("%d kills", kills)
}

// Runs at once, for both services of a repository: nothing is lost, and what
// both of one service wanted is there.
func TestPinsAtOnce(t *testing.T) {
	for range 10 {
		y := threeReleases(t)
		before := y.images(t)
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Go(func() {
				service := []string{"web", "api"}[i%2]
				if _, err := retain.Pin(t.Context(), y.ports(), request(service, 1), silent); err != nil {
					t.Error(err)
				}
				if service == "api" {
					if _, err := retain.Unpin(t.Context(), y.ports(), retain.UnpinRequest{Target: request(service, 1).Target}, silent); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		now := y.images(t)
		untouched(t, before, now, "six at once")
		if !pinned(now, y.runs(t, "web"), "web") {
			t.Fatalf("%q", now)
		}
	}
}
