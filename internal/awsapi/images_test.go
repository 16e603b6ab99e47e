package awsapi

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

func TestImagesOf(t *testing.T) {
	w := newWire(t,
		answer{200, `{"imageDetails":[{"imageDigest":"sha256:1","imageTags":["v1"],"imagePushedAt":1760000000,"imageSizeInBytes":42}],"nextToken":"x"}`},
		answer{200, `{"imageDetails":[{"imageDigest":"sha256:2","imageStatus":"ARCHIVED"}]}`})
	images, err := client(t, w).ImagesOf(t.Context(), audit.Place{Account: "123456789012"}, "web")
	if err != nil || len(images) != 2 || images[0].Bytes != 42 || images[0].PushedAt.Unix() != 1760000000 || images[1].Status != lifecycle.Archived {
		t.Errorf("%+v, %v", images, err)
	}
	for _, want := range []string{`"imageStatus":"ANY"`, `"maxResults":1000`, `"registryId":"123456789012"`} {
		if !strings.Contains(w.got[0].body, want) {
			t.Errorf("sent %s, want %s in it", w.got[0].body, want)
		}
	}
}

func TestReadChildrenOf(t *testing.T) {
	index := func(digest string) audit.Image {
		return audit.Image{Image: lifecycle.Image{Digest: digest, MediaType: ociIndex}}
	}
	archived := index("sha256:archived")
	archived.Status = lifecycle.Archived
	w := newWire(t, answer{200, fmt.Sprintf(`{"images":[{"imageId":{"imageDigest":"sha256:i"},"imageManifest":%q}],"failures":[{"imageId":{"imageDigest":"sha256:gone"},"failureCode":"ImageNotFound"}]}`,
		`{"manifests":[{"digest":"sha256:a"},{"digest":"sha256:b"}]}`)})
	images := []audit.Image{{Image: lifecycle.Image{Digest: "sha256:a", MediaType: "application/vnd.oci.image.manifest.v1+json"}}, index("sha256:i"), index("sha256:gone"), archived}
	c := client(t, w)
	if err := c.ReadChildrenOf(t.Context(), audit.Place{}, "web", images); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"sha256:a", "sha256:b"}, images[1].Children); diff != "" {
		t.Error(diff)
	}
	if len(w.got) != 1 || strings.Contains(w.got[0].body, "archived") || strings.Contains(w.got[0].body, "registryId") {
		t.Errorf("sent %+v", w.got)
	}
	if err := c.ReadChildrenOf(t.Context(), audit.Place{}, "web", images[:1]); err != nil || len(w.got) != 1 {
		t.Errorf("a call for no index: %d calls, %v", len(w.got), err)
	}
}

func TestChildrenAreReadAHundredACall(t *testing.T) {
	w := newWire(t, answer{200, `{"images":[],"failures":[]}`})
	images := make([]audit.Image, 250)
	for i := range images {
		images[i].Digest, images[i].MediaType = fmt.Sprintf("sha256:%d", i), dockerManifestList
	}
	if err := client(t, w).ReadChildrenOf(t.Context(), audit.Place{}, "web", images); err != nil || len(w.got) != 3 {
		t.Errorf("%d calls, %v", len(w.got), err)
	}
}

func TestAnIndexThatIsNotJSON(t *testing.T) {
	w := newWire(t, answer{200, `{"images":[{"imageId":{"imageDigest":"sha256:i"},"imageManifest":"<html>"}]}`})
	images := []audit.Image{{Image: lifecycle.Image{Digest: "sha256:i", MediaType: ociIndex}}}
	if err := client(t, w).ReadChildrenOf(t.Context(), audit.Place{}, "web", images); err == nil || !strings.Contains(err.Error(), "read the indexes of web: sha256:i: its manifest") {
		t.Error(err)
	}
}
