package audit_test

import (
	"fmt"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// The tag v1 of a running service was pushed again, and the digest that ECS is
// pinned to has no tag any more. Nothing is broken, and the day on which it will
// be is known.
func ExampleJudge() {
	place := audit.Place{Account: "123456789012", Region: "eu-west-1"}
	const uri = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop"
	running, pushed := digest("running"), digest("pushed")
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

	report := audit.Judge(audit.Fleet{
		Places: []audit.Place{place},
		Services: []audit.Service{{
			Place: place, Cluster: "prod", Name: "shop", Desired: 2, Running: 2,
			Runs: []audit.Release{{Containers: []audit.Container{{Name: "app", Image: uri + ":v1", Digest: running}}}},
		}},
		Repositories: []audit.Repository{{
			Place: place, Name: "shop", URI: uri, Mutability: "IMMUTABLE",
			Policy: `{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":14},"action":{"type":"expire"}}]}`,
			Images: []audit.Image{
				{Image: lifecycle.Image{Digest: running, PushedAt: now.AddDate(0, 0, -9)}},
				{Image: lifecycle.Image{Digest: pushed, Tags: []string{"v1"}, PushedAt: now.AddDate(0, 0, -1)}},
			},
		}},
	}, audit.Options{Now: now, Horizon: 14 * 24 * time.Hour})

	for _, f := range report.Findings {
		fmt.Println(f.Severity, f.Code, f.What)
		fmt.Println(" ", f.Why)
		for _, fix := range f.Fix {
			fmt.Println("  >", fix.Command)
		}
	}
	// Output:
	// error PL011 prod/shop loses its image on 2026-11-26: rule 1 deletes it
	//   rule 1 of repository shop deletes untagged images older than 14 days; the image was pushed 2026-11-12, and its tag v1 names an image pushed 2026-11-20
	//   > plimsoll pin --cluster prod --service shop
}
