package lifecycle

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

const tenRules = `{"rules": [
	{"rulePriority": 1, "selection": {"tagStatus": "tagged", "tagPatternList": ["plimsoll.inuse-*"], "countType": "imageCountMoreThan", "countNumber": 9999}, "action": {"type": "expire"}},
	{"rulePriority": 2, "selection": {"tagStatus": "tagged", "tagPrefixList": ["release-"], "countType": "imageCountMoreThan", "countNumber": 500}, "action": {"type": "transition", "targetStorageClass": "archive"}},
	{"rulePriority": 3, "selection": {"tagStatus": "tagged", "tagPatternList": ["*-rc*", "v*"], "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 60}, "action": {"type": "expire"}},
	{"rulePriority": 4, "selection": {"tagStatus": "tagged", "tagPatternList": ["*a*b*c*d"], "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 30}, "action": {"type": "expire"}},
	{"rulePriority": 5, "selection": {"tagStatus": "tagged", "tagPatternList": ["v*"], "countType": "imageCountMoreThan", "countNumber": 1000}, "action": {"type": "expire"}},
	{"rulePriority": 6, "selection": {"tagStatus": "tagged", "tagPrefixList": ["dev"], "countType": "sinceImagePulled", "countUnit": "days", "countNumber": 90}, "action": {"type": "transition", "targetStorageClass": "archive"}},
	{"rulePriority": 7, "selection": {"tagStatus": "tagged", "tagPrefixList": ["pr-"], "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 7}, "action": {"type": "expire"}},
	{"rulePriority": 8, "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14}, "action": {"type": "expire"}},
	{"rulePriority": 9, "selection": {"tagStatus": "any", "storageClass": "archive", "countType": "sinceImageTransitioned", "countUnit": "days", "countNumber": 365}, "action": {"type": "expire"}},
	{"rulePriority": 10, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 50000}, "action": {"type": "expire"}}]}`

// repository is one of so many images, in random order: half of them
// plain, the rest pushed by buildx as an index with two platforms and their
// attestations, one in ten of the indexes signed.
func repository(size int, now time.Time) []Image {
	r := rand.New(rand.NewPCG(1, 2))
	prefixes := []string{"v", "dev-", "pr-", "release-", "main-", "feature-"}
	images := make([]Image, 0, size)
	add := func(i Image) string {
		i.Digest = fmt.Sprintf("sha256:%064x", len(images))
		images = append(images, i)
		return i.Digest
	}
	for len(images) < size-6 {
		at := now.Add(-time.Duration(r.Int64N(int64(2 * 365 * 24 * time.Hour))))
		tagged := Image{Tags: []string{fmt.Sprint(prefixes[r.IntN(len(prefixes))], len(images)), fmt.Sprintf("%040x", len(images))}, PushedAt: at}
		if r.IntN(6) > 0 {
			add(tagged)
			continue
		}
		for range 4 {
			tagged.Children = append(tagged.Children, add(Image{PushedAt: at}))
		}
		index := add(tagged)
		if r.IntN(10) == 0 {
			add(Image{PushedAt: at, Subject: index})
		}
	}
	r.Shuffle(len(images), func(i, j int) { images[i], images[j] = images[j], images[i] })
	for i := range images {
		images[i].own()
	}
	return images
}

// own gives the image its own copy of all it refers to, one image after the
// other in memory, as they are when read from an answer of DescribeImages.
func (i *Image) own() {
	i.Digest, i.Subject = strings.Clone(i.Digest), strings.Clone(i.Subject)
	i.Tags, i.Children = slices.Clone(i.Tags), slices.Clone(i.Children)
	for _, list := range [][]string{i.Tags, i.Children} {
		for n := range list {
			list[n] = strings.Clone(list[n])
		}
	}
}

func BenchmarkEvaluate(b *testing.B) {
	now := start()
	p, images := mustParse(b, []byte(tenRules)), repository(1_000_000, now)
	for _, bm := range []struct {
		name string
		o    Options
	}{{"all readings", Options{}}, {"one reading", OneReading()}} {
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Evaluate(p, images, now, bm.o)
			}
		})
	}
}

// The time for an image and rule hardly depends on how many there are of both.
func BenchmarkEvaluateGrows(b *testing.B) {
	now := start()
	all := mustParse(b, []byte(tenRules))
	for _, size := range []int{10_000, 100_000, 1_000_000} {
		images := repository(size, now)
		for _, rules := range []int{1, 5, 10} {
			b.Run(fmt.Sprintf("%d images, %d rules", size, rules), func(b *testing.B) {
				p := Policy{all.rules[:rules]}
				for b.Loop() {
					Evaluate(p, images, now, Options{})
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(size), "ns/image")
			})
		}
	}
}

func BenchmarkNext(b *testing.B) {
	now := start()
	p, images := mustParse(b, []byte(tenRules)), repository(1_000_000, now)
	b.ReportAllocs()
	for b.Loop() {
		Next(p, images, now, 14*day)
	}
}

// A pattern that makes a backtracking matcher look at the tag again and again.
func BenchmarkGlob(b *testing.B) {
	g := newGlob("*a*a*a*b")
	tag := fmt.Sprintf("%0300d", 0)
	tag = "a" + tag[:298] + "a"
	for b.Loop() {
		g.match(tag)
	}
}
