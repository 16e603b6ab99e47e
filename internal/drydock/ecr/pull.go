package ecr

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"

	imageref "github.com/plimsoll-ecs/plimsoll/internal/image"

	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// ErrNotHere says that a reference names another registry than this one.
const ErrNotHere = constError("the image is not in this registry")

// NotFoundError says what of a reference is not in the registry.
type NotFoundError struct {
	Repository string
	Image      string // tag or digest; "" when there is no such repository
}

func (e *NotFoundError) Error() string {
	if e.Image == "" {
		return fmt.Sprintf("there is no repository %s", e.Repository)
	}
	return fmt.Sprintf("there is no image %s in the repository %s", e.Image, e.Repository)
}

// PlatformError says that an image is not made for a platform.
type PlatformError struct {
	Want string   // "linux/amd64"
	Have []string // the platforms that there are, sorted
}

func (e *PlatformError) Error() string {
	if len(e.Have) == 0 {
		return fmt.Sprintf("the image is for no platform, so not for %s", e.Want)
	}
	return fmt.Sprintf("the image is for %s, not for %s", strings.Join(e.Have, ", "), e.Want)
}

// PulledImage is what a runtime has to know of an image.
type PulledImage struct {
	Digest         string // of what the reference named: an index, or the manifest itself
	ManifestDigest string // of the manifest for the platform; the same as Digest without an index
	ConfigDigest   string // of its configuration: docker's image id
	Platform       string // as the configuration has it, "linux/arm64/v8"; "" where it says nothing
	Size           int64  // of layers and configuration, in bytes
	Labels         map[string]string
	ExposedPorts   []string // "8080/tcp", sorted
	Env            []string // KEY=value
	Entrypoint     []string
	Cmd            []string
	WorkingDir     string
	User           string
	StopSignal     string
}

// Resolve finds the digest that a reference names: its own digest, else that
// of its tag, else that of the tag latest. It is no pull. The error is
// [ErrNotHere] or a [NotFoundError].
func (r *Registry) Resolve(ref imageref.Reference) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i, err := r.resolve(ref)
	return i.Digest, err
}

func (r *Registry) resolve(ref imageref.Reference) (image, error) {
	if !r.isHere(ref.Registry) {
		return image{}, ErrNotHere
	}
	repo, ok := r.state[ref.Repository]
	if !ok {
		return image{}, &NotFoundError{Repository: ref.Repository}
	}
	name := ref.Digest
	id := types.ImageIdentifier{ImageDigest: &name}
	if name == "" {
		name = ref.Tag
		if name == "" {
			name = "latest"
		}
		id = types.ImageIdentifier{ImageTag: &name}
	}
	i, failure := repo.pullable(id)
	if failure != nil {
		return image{}, &NotFoundError{Repository: ref.Repository, Image: name}
	}
	return i, nil
}

// isHere: the registry goes by the address it listens at, by localhost with
// that port, and by the name it would have on AWS.
func (r *Registry) isHere(host string) bool {
	here := r.host()
	if host == here || host == fmt.Sprintf("%s.dkr.ecr.%s.amazonaws.com", r.account, r.region) {
		return true
	}
	_, port, err := net.SplitHostPort(here)
	return err == nil && host == net.JoinHostPort("localhost", port)
}

// defaultPlatform is what ECS runs on where a task definition does not say.
const defaultPlatform = "linux/amd64"

// Pull looks an image up as a container runtime does: the manifest of that
// digest, or with digest "" the one that ref names; of an index the child for
// the platform ("linux/amd64" for ""); then the configuration. The pull is
// recorded. Errors are [ErrNotHere], a [NotFoundError], which for a pinned
// digest tells that it is gone, or a [PlatformError].
func (r *Registry) Pull(ref imageref.Reference, digest, platform string) (PulledImage, error) {
	if digest != "" {
		ref.Digest = digest
	}
	if platform == "" {
		platform = defaultPlatform
	}
	named, child, err := r.pull(ref, platform)
	if err != nil {
		return PulledImage{}, err
	}
	p := PulledImage{
		Digest:         named,
		ManifestDigest: child.Digest,
		ConfigDigest:   child.Content.Config.Digest,
		Size:           child.Size,
	}
	if err := r.configure(&p); err != nil {
		return PulledImage{}, fmt.Errorf("reading the configuration of %s@%s: %w", ref.Name(), child.Digest, err)
	}
	if p.Platform != "" && !fits(p.Platform, platform) {
		return PulledImage{}, &PlatformError{Want: platform, Have: []string{p.Platform}}
	}
	return p, nil
}

// pull finds the manifest for the platform, and the digest by which it was
// asked for. The pull of both is recorded, as the two requests of a real pull
// would be.
func (r *Registry) pull(ref imageref.Reference, platform string) (named string, child image, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	asked, err := r.resolve(ref)
	if err != nil {
		return "", image{}, err
	}
	child = asked
	repo := r.state[ref.Repository]
	for child.Content.Config == nil { // an index; it may list indexes, but none lists itself
		digest, err := child.Content.choose(platform)
		if err != nil {
			return "", image{}, err
		}
		// No child goes before its index; but when the index was archived and
		// restored, a child may be gone, or still in the archive.
		var ok bool
		if child, ok = repo.images[digest]; !ok || child.status() != types.ImageStatusActive {
			return "", image{}, &NotFoundError{Repository: ref.Repository, Image: digest}
		}
	}
	return asked.Digest, child, r.pulled(asked, child)
}

// choose is the digest of the child for a platform.
func (m *manifest) choose(want string) (string, error) {
	have := map[string]bool{}
	for _, d := range m.Manifests {
		if d.Platform == nil || d.Platform.OS == "unknown" { // buildx lists attestations as unknown/unknown
			continue
		}
		if fits(d.Platform.String(), want) {
			return d.Digest, nil
		}
		have[d.Platform.String()] = true
	}
	return "", &PlatformError{Want: want, Have: slices.Sorted(maps.Keys(have))}
}

// fits tells whether an image for one platform runs on another: it does when
// it says the same as far as wanted, so linux/arm64/v8 fits linux/arm64.
func fits(have, want string) bool {
	return have == want || strings.HasPrefix(have, want+"/")
}

// configure fills in what the configuration of an image says. An artifact
// that is no container image may say nothing.
func (r *Registry) configure(p *PulledImage) error {
	blob, err := r.store.OpenBlob(p.ConfigDigest)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(io.LimitReader(blob, MaxManifest))
	if err := errors.Join(err, blob.Close()); err != nil {
		return err
	}
	return p.read(body)
}

// read is OCI's image configuration, as docker writes it too.
func (p *PulledImage) read(body []byte) error {
	var doc struct {
		platform
		Config struct {
			Labels       map[string]string
			ExposedPorts map[string]struct{}
			Env          []string
			Entrypoint   []string
			Cmd          []string
			WorkingDir   string
			User         string
			StopSignal   string
		} `json:"config"`
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		return err
	}
	if doc.OS != "" && doc.Architecture != "" {
		p.Platform = doc.platform.String()
	}
	c := doc.Config
	p.Labels, p.Env, p.Entrypoint, p.Cmd = c.Labels, c.Env, c.Entrypoint, c.Cmd
	p.WorkingDir, p.User, p.StopSignal = c.WorkingDir, c.User, c.StopSignal
	p.ExposedPorts = slices.Sorted(maps.Keys(c.ExposedPorts))
	return nil
}
