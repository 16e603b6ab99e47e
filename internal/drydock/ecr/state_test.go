package ecr

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func sameState(t fatal, a, b *Registry) {
	t.Helper()
	if diff := cmp.Diff(a.state, b.state, cmp.AllowUnexported(repository{}), cmpopts.EquateEmpty(), cmp.Comparer(bytes.Equal)); diff != "" {
		t.Fatal("the state is not the same: " + diff)
	}
}

// Whatever is pushed, tagged, mounted and deleted: tags and images agree,
// nothing that an image needs is missing, no blob is left over, and a restart
// finds the same state.
func TestStateStaysWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, c := store.Memory(), clock.Manual(start())
		r := newRegistry(t, s, c)
		for _, name := range []string{"app", "web"} {
			if _, err := r.createRepository(&ecr.CreateRepositoryInput{RepositoryName: &name}, nil); err != nil {
				t.Fatal(err)
			}
		}
		repository := rapid.SampledFrom([]string{"app", "web"})
		tag := rapid.SampledFrom([]string{"", "a", "b", "c"})
		name := rapid.SampledFrom([]string{"one", "two", "three"})
		push := func(repository, tag string, m []byte) {
			if _, err := r.Push(repository, tag, "", m); err != nil {
				t.Fatal(err)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"image": func(t *rapid.T) {
				repo := repository.Draw(t, "repository")
				push(repo, tag.Draw(t, "tag"), imageOf(t, r, repo, name.Draw(t, "image"), "linux/amd64"))
			},
			"index": func(t *rapid.T) {
				repo := repository.Draw(t, "repository")
				child := imageOf(t, r, repo, name.Draw(t, "image"), "linux/amd64")
				push(repo, "", child)
				push(repo, tag.Draw(t, "tag"), indexOf(t, map[string][]byte{"linux/amd64": child}))
			},
			"delete": func(t *rapid.T) {
				repo := r.state[repository.Draw(t, "repository")]
				var id types.ImageIdentifier
				if named := tag.Draw(t, "tag"); named != "" {
					id.ImageTag = &named
				} else {
					digests := []string{digestOf(nil)}
					for digest := range repo.images {
						digests = append(digests, digest)
					}
					slices.Sort(digests)
					id.ImageDigest = aws.String(rapid.SampledFrom(digests).Draw(t, "digest"))
				}
				if _, err := r.batchDeleteImage(&ecr.BatchDeleteImageInput{RepositoryName: &repo.Name, ImageIds: []types.ImageIdentifier{id}}); err != nil {
					t.Fatal(err)
				}
			},
			"storage class": func(t *rapid.T) {
				repo := r.state[repository.Draw(t, "repository")]
				in := &ecr.UpdateImageStorageClassInput{
					RepositoryName:     &repo.Name,
					ImageId:            &types.ImageIdentifier{ImageTag: aws.String("a")},
					TargetStorageClass: rapid.SampledFrom(types.TargetStorageClass("").Values()).Draw(t, "class"),
				}
				_, err := r.updateImageStorageClass(in)
				if refused, ok := errors.AsType[*wire.Error](err); err != nil && (!ok || refused.Code != CodeImageNotFound && refused.Code != codeStorageClass) {
					t.Fatal(err)
				}
			},
			"policy": func(t *rapid.T) {
				name, text := repository.Draw(t, "repository"), rapid.SampledFrom([]string{keep(1), keep(2), archiveAfter(2)}).Draw(t, "policy")
				if _, err := r.putLifecyclePolicy(&ecr.PutLifecyclePolicyInput{RepositoryName: &name, LifecyclePolicyText: &text}); err != nil {
					t.Fatal(err)
				}
			},
			"time": func(t *rapid.T) {
				c.Advance(rapid.SampledFrom([]time.Duration{time.Minute, time.Hour, 30 * time.Hour}).Draw(t, "time"))
			},
			"restart": func(t *rapid.T) {
				again := newRegistry(t, s, c)
				sameState(t, r, again)
				r = again
			},
			"": func(t *rapid.T) {
				for _, repo := range r.state {
					isWhole(t, repo)
				}
				blobs, err := s.Blobs()
				if err != nil {
					t.Fatal(err)
				}
				for _, digest := range blobs {
					if !r.state.hasLayer(digest) {
						t.Fatal("blob without a layer: ", digest)
					}
				}
			},
		})
	})
}

func isWhole(t fatal, repo *repository) {
	t.Helper()
	tags := map[string]string{}
	for digest, i := range repo.images {
		if digest != digestOf(i.Body) {
			t.Fatal("not the digest of the manifest: ", digest)
		}
		for _, tag := range i.Tags {
			if tags[tag] != "" {
				t.Fatal("two images have the tag ", tag)
			}
			tags[tag] = digest
		}
		for _, d := range i.Content.blobs() {
			if _, ok := repo.layers[d.Digest]; !ok {
				t.Fatal("an image without its layer ", d.Digest)
			}
		}
		for _, d := range i.Content.Manifests {
			// An index in the archive lets its children go.
			if _, ok := repo.images[d.Digest]; !ok && i.ArchivedAt.IsZero() {
				t.Fatal("an index without its child ", d.Digest)
			}
		}
	}
	if diff := cmp.Diff(tags, repo.tags); diff != "" {
		t.Fatal(diff)
	}
}

// Pages of any size, put together, are the whole list once.
func TestPagesAreTheList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfDistinct(rapid.StringN(1, 4, -1), rapid.ID[string]).Draw(t, "items")
		limit := rapid.Int32Range(1, 5).Draw(t, "limit")
		var got []string
		var token *string
		for {
			items, next, err := page(slices.Clone(want), func(s string) string { return s }, token, &limit)
			if err != nil {
				t.Fatal(err)
			}
			if len(items) > int(limit) {
				t.Fatal("a page is too long: ", items)
			}
			got = append(got, items...)
			if next == nil {
				break
			}
			token = next
		}
		slices.Sort(want)
		if !slices.Equal(want, got) {
			t.Fatal(fmt.Sprintf("got %q, want %q", got, want))
		}
	})
}

func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(`{"schemaVersion":2,"mediaType":"`+ociManifest+`","config":{"digest":"`+digestOf(nil)+`"},"layers":[]}`), "")
	f.Add([]byte(`{"schemaVersion":2,"manifests":[{"digest":"`+digestOf(nil)+`","platform":{"os":"linux"}}]}`), ociIndex)
	f.Add([]byte(`{"schemaVersion":2,"config":null}`), dockerManifest)
	f.Add([]byte(`null`), dockerList)
	f.Fuzz(func(t *testing.T, body []byte, mediaType string) {
		m, got, err := parseManifest(body, mediaType)
		if err != nil {
			return
		}
		if mediaType != "" && got != mediaType {
			t.Errorf("asked for %q, got %q", mediaType, got)
		}
		if isIndex := got == ociIndex || got == dockerList; isIndex == (m.Config != nil) {
			t.Errorf("%s with configuration %v", got, m.Config)
		}
		doc, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var again manifest
		if err := json.Unmarshal(doc, &again); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m, again, cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
	})
}
