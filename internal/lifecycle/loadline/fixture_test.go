package loadline

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

func noon() time.Time { return time.Date(2026, 11, 18, 12, 0, 0, 0, time.UTC) }

func policy(t testing.TB, rules ...string) lifecycle.Policy {
	t.Helper()
	p, err := lifecycle.ParsePolicy([]byte(`{"rules": [` + strings.Join(rules, ",\n") + `]}` + strings.Repeat(" ", 100)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const (
	keepPins   = `{"rulePriority": 1, "selection": {"tagStatus": "tagged", "tagPatternList": ["keep-*"], "countType": "imageCountMoreThan", "countNumber": 9999}, "action": {"type": "expire"}}`
	keepTen    = `{"rulePriority": 2, "selection": {"tagStatus": "tagged", "tagPatternList": ["v*"], "countType": "imageCountMoreThan", "countNumber": 10}, "action": {"type": "expire"}}`
	devMonth   = `{"rulePriority": 3, "selection": {"tagStatus": "tagged", "tagPrefixList": ["dev-"], "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 30}, "action": {"type": "transition", "targetStorageClass": "archive"}}`
	untagged   = `{"rulePriority": 4, "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14}, "action": {"type": "expire"}}`
	archive    = `{"rulePriority": 5, "selection": {"tagStatus": "any", "storageClass": "archive", "countType": "sinceImageTransitioned", "countUnit": "days", "countNumber": 90}, "action": {"type": "expire"}}`
	anyHundred = `{"rulePriority": 9, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 5000}, "action": {"type": "expire"}}`
)

type yard struct {
	images []lifecycle.Image
	inUse  map[string][]string
}

func (y *yard) push(days float64, users string, tags ...string) *lifecycle.Image {
	digest := fmt.Sprintf("sha256:%016x%048x", uint64(len(y.images)+1)*0x9e3779b97f4a7c15, len(y.images))
	y.images = append(y.images, lifecycle.Image{Digest: digest, Tags: tags, PushedAt: noon().Add(-time.Duration(days * float64(day)))})
	if users != "" {
		if y.inUse == nil {
			y.inUse = map[string][]string{}
		}
		y.inUse[digest] = strings.Split(users, ",")
	}
	return &y.images[len(y.images)-1]
}

// shop is a repository with everything there is.
func shop(t testing.TB) Repository {
	y := &yard{}
	y.push(70, "prod/billing", "v1.9.0", "keep-prod-billing-1")
	for i := range 14 {
		users := map[int]string{0: "stage/web", 2: "prod/web", 8: "prod/api,prod/worker", 12: "batch/nightly"}[i]
		y.push(float64(i)*3.5+0.4, users, fmt.Sprintf("v2.%d.0", 30-i))
	}
	for i := range 24 {
		users := map[int]string{5: "test/web", 16: "test/search"}[i]
		y.push(float64(i)*1.4+0.2, users, fmt.Sprintf("dev-%04x", 0xbeef-i*37))
	}
	y.push(6, "prod/edge")
	child, attestation := y.push(6, "").Digest, y.push(6, "").Digest
	y.images[len(y.images)-3].Children = []string{child, attestation}
	y.push(13, "")
	y.push(17, "")
	old := y.push(60, "test/reports", "dev-0001")
	old.Status, old.LastArchivedAt = lifecycle.Archived, noon().AddDate(0, 0, -30)
	y.push(400, "prod/legacy", "2025-10-14")
	return Repository{Name: "shop/web", Policy: policy(t, keepPins, keepTen, devMonth, untagged, archive), Images: y.images, InUse: y.inUse}
}

// port is a large shared repository.
func port(t testing.TB) Repository {
	r := rand.New(rand.NewPCG(3, 4))
	y := &yard{}
	for i := range 10000 {
		users := ""
		if i%450 == 7 {
			users = fmt.Sprintf("prod/service-%02d", i/450)
		}
		y.push(float64(i)*0.07+r.Float64(), users, fmt.Sprintf("main-%d", 20000-i))
	}
	return Repository{Name: "platform/monorepo", Policy: policy(t, untagged, anyHundred), Images: y.images, InUse: y.inUse}
}

// hostile is a repository whose names try to break out.
func hostile(t testing.TB) Repository {
	y := &yard{}
	y.push(3, "prod/<script>alert(1)</script>", "v1\x1b[31m\"'><svg onload=x>", "v2&amp;")
	y.push(5, "\u202eevil]]>", "v\x00\r\n\u2028x")
	return Repository{Name: "</title><b>\x1b]0;x\x07", Policy: policy(t, keepTen), Images: y.images, InUse: y.inUse}
}
