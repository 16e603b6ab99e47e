package ecr

import (
	"errors"
	"testing"

	imageref "github.com/plimsoll-ecs/plimsoll/internal/image"

	"github.com/google/go-cmp/cmp"
)

func TestResolve(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "team/api")
	v1 := f.push(t, "team/api", "v1", "one")
	latest := f.push(t, "team/api", "latest", "two")
	gone := digestOf([]byte("gone"))
	for ref, want := range map[string]any{
		host + "/team/api:v1":                                              v1,
		host + "/team/api":                                                 latest,
		host + "/team/api@" + v1:                                           v1,
		host + "/team/api:latest@" + v1:                                    v1,
		"localhost:4566/team/api:v1":                                       v1,
		"123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/api:v1":         v1,
		"999999999999.dkr.ecr.eu-west-1.amazonaws.com/team/api:v1":         ErrNotHere,
		"123456789012.dkr.ecr.us-east-1.amazonaws.com/team/api:v1":         ErrNotHere,
		"localhost:9999/team/api:v1":                                       ErrNotHere,
		"nginx":                                                            ErrNotHere,
		host + "/team/web:v1":                                              &NotFoundError{Repository: "team/web"},
		host + "/team/api:v2":                                              &NotFoundError{Repository: "team/api", Image: "v2"},
		"123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/api:v1@" + gone: &NotFoundError{Repository: "team/api", Image: gone},
	} {
		parsed, err := imageref.Parse(ref)
		if err != nil {
			t.Fatal(err)
		}
		digest, err := f.registry.Resolve(parsed)
		var got any = digest
		if err != nil {
			got = err
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", ref, diff)
		}
	}
}

func TestPull(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "app")
	amd := imageOf(t, f.registry, "app", "amd", "linux/amd64")
	arm := imageOf(t, f.registry, "app", "arm", "linux/arm64")
	attestation := imageOf(t, f.registry, "app", "attestation", "unknown/unknown")
	index := indexOf(t, map[string][]byte{"linux/amd64": amd, "linux/arm64": arm, "unknown/unknown": attestation})
	for _, m := range [][]byte{amd, arm, attestation} {
		if err := f.put(t.Context(), "app", "", m); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.put(t.Context(), "app", "v1", index); err != nil {
		t.Fatal(err)
	}
	ref, err := imageref.Parse(host + "/app:v1")
	if err != nil {
		t.Fatal(err)
	}

	got, err := f.registry.Pull(ref, "", "linux/arm64")
	if err != nil {
		t.Fatal(err)
	}
	want := PulledImage{
		Digest:         digestOf(index),
		ManifestDigest: digestOf(arm),
		ConfigDigest:   got.ConfigDigest,
		Platform:       "linux/arm64",
		Size:           got.Size,
		Labels:         map[string]string{"name": "arm"},
		ExposedPorts:   []string{"443/tcp", "80/tcp"},
		Env:            []string{"A=1"},
		Cmd:            []string{"run"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if size, err := f.registry.Layer("app", got.ConfigDigest); err != nil || size >= got.Size {
		t.Errorf("configuration of %d bytes in an image of %d, %v", size, got.Size, err)
	}
	for _, m := range [][]byte{index, arm} {
		if f.image(t, "app", digestOf(m)).LastRecordedPullTime == nil {
			t.Error("the pull is not recorded for", digestOf(m))
		}
	}
	if f.image(t, "app", digestOf(amd)).LastRecordedPullTime != nil {
		t.Error("a child that was not pulled is recorded")
	}

	if got, err := f.registry.Pull(ref, digestOf(amd), ""); err != nil || got.Labels["name"] != "amd" {
		t.Errorf("by digest: %+v, %v", got, err)
	}
	_, err = f.registry.Pull(ref, digestOf([]byte("gone")), "")
	if missing, ok := errors.AsType[*NotFoundError](err); !ok || missing.Image != digestOf([]byte("gone")) {
		t.Errorf("a digest that is gone: %v", err)
	}
	for name, test := range map[string]struct {
		digest, platform string
		have             []string
	}{
		"index":    {"", "windows/amd64", []string{"linux/amd64", "linux/arm64"}},
		"manifest": {digestOf(amd), "linux/arm64", []string{"linux/amd64"}},
	} {
		_, err := f.registry.Pull(ref, test.digest, test.platform)
		wrong, ok := errors.AsType[*PlatformError](err)
		if !ok {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		if diff := cmp.Diff(&PlatformError{Want: test.platform, Have: test.have}, wrong); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestPullOfNoImage(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "app")
	if err := f.put(t.Context(), "app", "empty", indexOf(t, nil)); err != nil {
		t.Fatal(err)
	}
	_, err := f.registry.Pull(imageref.Reference{Registry: host, Repository: "app", Tag: "empty"}, "", "")
	if _, ok := errors.AsType[*PlatformError](err); !ok {
		t.Errorf("got %v", err)
	}
}

func TestPlatformFits(t *testing.T) {
	for _, test := range []struct {
		have, want string
		fits       bool
	}{
		{"linux/amd64", "linux/amd64", true},
		{"linux/arm64/v8", "linux/arm64", true},
		{"linux/arm64", "linux/arm64/v8", false},
		{"linux/arm", "linux/arm64", false},
	} {
		if got := fits(test.have, test.want); got != test.fits {
			t.Errorf("%s on %s: %v", test.have, test.want, got)
		}
	}
}

func FuzzConfiguration(f *testing.F) {
	f.Add([]byte(`{"os":"linux","architecture":"arm64","variant":"v8","config":{"Labels":{"a":"b"},"ExposedPorts":{"80/tcp":{}}}}`))
	f.Add([]byte(`{"config":null}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var p PulledImage
		if err := p.read(body); err == nil && p.Platform == "/" {
			t.Error("a platform of nothing")
		}
	})
}
