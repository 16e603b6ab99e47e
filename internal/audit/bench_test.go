package audit_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// largeFleet has 100,000 images and 2,000 services, with two containers and
// three releases to go back to.
func largeFleet(repositories int) audit.Fleet {
	images, services := 100_000/repositories, 2000/repositories
	f := audit.Fleet{TakenAt: now(), Places: []audit.Place{place()}, Definitions: map[string]audit.Revision{}}
	policies := policies()[3:]
	for r := range repositories {
		name := fmt.Sprintf("team%d/app%d", r%20, r)
		repo := repository(name, policies[r%len(policies)])
		hex := func(i int) string { return fmt.Sprintf("sha256:%064x", r<<32|i) }
		for i := range images {
			img := lifecycle.Image{Digest: hex(i), Status: lifecycle.Active, PushedAt: now().Add(-time.Duration(i) * 250_000 * time.Minute / time.Duration(images))}
			switch i % 3 {
			case 0:
				img.Tags, img.Children = []string{fmt.Sprintf("v1.%d.0", i), fmt.Sprintf("sha-%07x", i)}, []string{hex(i + 1), hex(i + 2)}
			default:
				img.MediaType = "application/vnd.oci.image.manifest.v1+json"
			}
			repo.Images = append(repo.Images, audit.Image{Image: img, Bytes: 50_000_000})
		}
		f.Repositories = append(f.Repositories, repo)
		for s := range services {
			release := func(n int) audit.Release {
				i := 3 * (s*4 + n)
				image := fmt.Sprintf("%s:v1.%d.0", repo.URI, i)
				return audit.Release{
					ARN: fmt.Sprintf("revision/%d/%d/%d", r, s, n), TaskDefinition: definition(fmt.Sprintf("app%d-%d", r, s), 9-n),
					Containers: []audit.Container{{Name: "app", Image: image, Digest: hex(i)}, {Name: "proxy", Image: image, Digest: hex(i)}},
				}
			}
			svc := service(fmt.Sprintf("app%d-%d", r, s), release(0), release(1), release(2), release(3))
			f.Services = append(f.Services, svc)
			for n := range 2 {
				f.Tasks = append(f.Tasks, audit.Task{
					Place: place(), Cluster: "prod", ARN: fmt.Sprintf("task/%d/%d/%d", r, s, n), Group: "service:" + svc.Name,
					TaskDefinition: svc.Runs[0].TaskDefinition, StartedAt: daysAgo(10), Containers: svc.Runs[0].Containers,
				})
			}
		}
	}
	return f
}

// 2,000 services × 100,000 images: under 1.5 s of one core, in 200 repositories
// or in one that all share.
func BenchmarkJudge(b *testing.B) {
	for _, repositories := range []int{200, 1} {
		b.Run(fmt.Sprint(repositories), func(b *testing.B) {
			f, o := largeFleet(repositories), options()
			o.Unused, o.Cadence = 90, steady
			b.ReportAllocs()
			for b.Loop() {
				if r := audit.Judge(f, o); len(r.Findings) == 0 || r.Seen.Images != 100_000 {
					b.Fatalf("seen %+v", r.Seen)
				}
			}
		})
	}
}
