package retain_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/awsapi"
	"github.com/plimsoll-ecs/plimsoll/internal/build"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/retain"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// login is the one to the yard's registry.
func (y *yard) login(t fataler) build.Login {
	t.Helper()
	l, err := y.aws.Login(context.Background(), y.server.Addr)
	if err != nil {
		t.Fatal(err)
	}
	return build.Login{Registry: l.Host, User: l.User, Password: l.Password}
}

// pushIndex pushes an image for two platforms and returns its digest and those
// of its parts.
func (y *yard) pushIndex(t fataler, repository, tag string) (digest string, parts []string) {
	t.Helper()
	var index v1.ImageIndex = empty.Index
	for _, arch := range []string{"amd64", "arm64"} {
		part, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: arch, RootFS: v1.RootFS{Type: "layers"}})
		if err != nil {
			t.Fatal(err)
		}
		d, err := part.Digest()
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, d.String())
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: part, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}})
	}
	d, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.NewTag(y.server.Addr + "/" + repository + ":" + tag)
	if err != nil {
		t.Fatal(err)
	}
	l := y.login(t)
	if err := remote.Push(ref, index, remote.WithAuth(&authn.Basic{Username: l.User, Password: l.Password})); err != nil {
		t.Fatal(err)
	}
	return d.String(), parts
}

// ECS fixes the digest of an index. Pinned, it keeps its parts, though these
// have no tag and the rule for untagged images selects them every night.
func TestAnIndexIsPinnedWithItsParts(t *testing.T) {
	y := newYard(t)
	defer y.server.Close()
	if _, err := y.client.ECR.PutLifecyclePolicy(t.Context(), &ecr.PutLifecyclePolicyInput{RepositoryName: aws.String("app"), LifecyclePolicyText: aws.String(policy)}); err != nil {
		t.Fatal(err)
	}
	digest, parts := y.pushIndex(t, "app", "v2")
	y.deploy(t, "web", "v2")
	if runs := y.runs(t, "web"); runs != digest {
		t.Fatalf("ECS has fixed %s, and the index is %s", runs, digest)
	}
	y.push(t, "v2") // the tag moves on
	result, err := retain.Pin(t.Context(), y.ports(), request("web", 0), silent)
	if err != nil || !result.Safe() || result.Images[0].Digest != digest {
		t.Fatalf("%+v, %v", result, err)
	}
	for range 3 {
		y.advance(t, 26*time.Hour)
		y.push(t, "v9")
	}
	left := y.images(t)
	for _, d := range append(parts, digest) {
		if _, there := left[d]; !there {
			t.Errorf("%s is gone", d)
		}
	}
}

// copies copies as the command line does.
type copies struct {
	login build.Login
}

func (c copies) Copy(ctx context.Context, from, to image.Reference, tell story.Teller) error {
	err := build.Copy(ctx, build.CopyOptions{From: from, To: to, FromAs: &c.login, ToAs: &c.login}, tell)
	if errors.Is(err, build.ErrNotThere) {
		return deploy.NotFound
	}
	return err
}

// replicated is a registry that replicates to a repository of its own, which
// stands for that of another region.
type replicated struct {
	*awsapi.Client
	to image.Reference
}

func (r replicated) Replicas(context.Context, image.Reference) ([]image.Reference, error) {
	return []image.Reference{r.to}, nil
}

// What is gone comes back, with all its parts, from where it was replicated to.
func TestRescueLooksAtReplicas(t *testing.T) {
	y := newYard(t)
	defer y.server.Close()
	if _, err := y.client.ECR.CreateRepository(t.Context(), &ecr.CreateRepositoryInput{RepositoryName: aws.String("replica")}); err != nil {
		t.Fatal(err)
	}
	digest, parts := y.pushIndex(t, "app", "v2")
	y.pushIndex(t, "replica", "v2")
	y.deploy(t, "web", "v2")
	for _, d := range append([]string{digest}, parts...) { // the index first: it holds its parts
		out, err := y.client.ECR.BatchDeleteImage(t.Context(), &ecr.BatchDeleteImageInput{RepositoryName: aws.String("app"), ImageIds: []ecrtypes.ImageIdentifier{{ImageDigest: &d}}})
		if err != nil || len(out.Failures) > 0 {
			t.Fatal(out, err)
		}
	}
	p := y.ports()
	p.AWS = replicated{y.aws, image.Reference{Registry: y.server.Addr, Repository: "replica"}}
	p.Copier = local{copies{y.login(t)}, y.server.Addr}
	result, err := retain.Rescue(t.Context(), p, retain.RescueRequest{Request: request("web", 0)}, silent)
	if err != nil || !result.Restartable() || result.Images[0].State != retain.Copied {
		t.Fatalf("%+v, %v", result, err)
	}
	now := y.images(t)
	if !pinned(now, digest, "web") {
		t.Errorf("not pinned: %q", now)
	}
	for _, d := range parts {
		if _, there := now[d]; !there {
			t.Errorf("its part %s is not there", d)
		}
	}
}

// local reaches the yard's registry, which task definitions name as AWS's.
type local struct {
	copies
	host string
}

func (l local) Copy(ctx context.Context, from, to image.Reference, tell story.Teller) error {
	to.Registry = l.host
	return l.copies.Copy(ctx, from, to, tell)
}

// An index is there, one part of it is in the archive and one is gone.
func TestRescueMendsAnIndex(t *testing.T) {
	y := newYard(t)
	defer y.server.Close()
	digest, parts := y.pushIndex(t, "app", "v2")
	y.deploy(t, "web", "v2")
	class := func(digest string, to ecrtypes.TargetStorageClass) {
		t.Helper()
		_, err := y.client.ECR.UpdateImageStorageClass(t.Context(), &ecr.UpdateImageStorageClassInput{
			RepositoryName: aws.String("app"), ImageId: &ecrtypes.ImageIdentifier{ImageDigest: &digest}, TargetStorageClass: to,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	class(digest, ecrtypes.TargetStorageClassArchive)
	class(parts[0], ecrtypes.TargetStorageClassArchive)
	class(digest, ecrtypes.TargetStorageClassStandard)
	y.advance(t, time.Hour)

	p := y.ports()
	p.Sleep = func(_ context.Context, d time.Duration) error {
		y.advance(t, d)
		return nil
	}
	copier := &noted{}
	p.AWS, p.Copier = lacking{replicated{y.aws, image.Reference{Registry: y.server.Addr, Repository: "replica"}}, parts[1]}, copier
	result, err := retain.Rescue(t.Context(), p, retain.RescueRequest{Request: request("web", 0)}, silent)
	if err != nil || !result.Restartable() || result.Images[0].State != retain.Copied {
		t.Fatalf("%+v, %v", result, err)
	}
	back, err := y.aws.Look(t.Context(), image.Reference{Registry: y.server.Addr, Repository: "app", Digest: parts[0]})
	if err != nil || back.Status != lifecycle.Active {
		t.Errorf("%+v, %v", back, err)
	}
	if want := []string{y.server.Addr + "/replica@" + parts[1]}; !slices.Equal(copier.asked, want) {
		t.Errorf("asked for %q, want %q", copier.asked, want)
	}

	// Where the part is nowhere to be had, the service cannot restart, though
	// the index is pinned.
	copier.err = deploy.NotFound
	result, err = retain.Rescue(t.Context(), p, retain.RescueRequest{Request: request("web", 0)}, silent)
	if err != nil || result.Restartable() || result.Images[0].State != retain.Failed {
		t.Errorf("%+v, %v", result, err)
	}
}

// lacking is a repository without one of its images.
type lacking struct {
	replicated
	digest string
}

func (l lacking) Stock(ctx context.Context, ref image.Reference) (audit.Repository, error) {
	r, err := l.Client.Stock(ctx, ref)
	r.Images = slices.DeleteFunc(r.Images, func(i audit.Image) bool { return i.Digest == l.digest })
	return r, err
}

// noted keeps what was to be copied, and fails so.
type noted struct {
	asked []string
	err   error
}

func (n *noted) Copy(_ context.Context, from, _ image.Reference, _ story.Teller) error {
	n.asked = append(n.asked, from.String())
	return n.err
}
