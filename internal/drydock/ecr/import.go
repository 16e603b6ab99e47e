package ecr

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"

	"cuelabs.dev/go/oci/ociregistry/ociref"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// ImportRepository is a repository of another account as DescribeRepositories,
// GetLifecyclePolicy and DescribeImages tell of it.
type ImportRepository struct {
	Name       string
	CreatedAt  time.Time // zero: now
	Mutability types.ImageTagMutability
	Exclusions []string
	ScanOnPush bool
	Lifecycle  string // the policy; "" for none
	Images     []ImportImage
}

// ImportImage is an image as DescribeImages tells of it. A description has no
// manifest, so that the digest cannot be made to fit again: the image keeps the
// digest, with a manifest that stands for the real one and says so.
type ImportImage struct {
	Digest       string
	MediaType    string // "" is OCI's
	ArtifactType string
	Tags         []string
	Size         int64
	PushedAt     time.Time // zero: now
	PulledAt     time.Time
	Status       types.ImageStatus
	ArchivedAt   time.Time
	ActivatedAt  time.Time
	Subject      string // digest of what it refers to
}

// ImportError is everything for which an import is refused.
type ImportError struct{ Faults []string }

func (e *ImportError) Error() string {
	return fmt.Sprintf("%d faults, the first one: %s", len(e.Faults), e.Faults[0])
}

// importedKey is the annotation of a manifest that stands for another one.
const importedKey = "plimsoll.imported"

// importedConfig is the configuration of imported images: it claims no
// platform and no labels, for a description tells of none.
const importedConfig = `{"config":{},"rootfs":{"type":"layers","diff_ids":[]}}`

// CheckImport lists what is wrong with repositories that are to be imported.
func (r *Registry) CheckImport(repositories []ImportRepository) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.checkImport(repositories)
}

func (r *Registry) checkImport(repositories []ImportRepository) []string {
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	seen := map[string]bool{}
	for _, in := range repositories {
		switch _, exists := r.state[in.Name]; {
		case len(in.Name) < 2 || len(in.Name) > 256 || !ociref.IsValidRepository(in.Name):
			fault("repository %q: that is no name of a repository", in.Name)
			continue
		case exists || seen[in.Name]:
			fault("repository %s: there is one of that name already", in.Name)
			continue
		}
		seen[in.Name] = true
		if in.Mutability != "" {
			if _, err := (settings{}).withMutability(in.Mutability, filters(in.Exclusions)); err != nil {
				fault("repository %s: %v", in.Name, err)
			}
		}
		if in.Lifecycle != "" {
			if _, err := parsePolicy(in.Lifecycle); err != nil {
				fault("repository %s: lifecycle policy: %v", in.Name, err)
			}
		}
		faults = append(faults, checkImages(in)...)
	}
	return faults
}

func filters(exclusions []string) []types.ImageTagMutabilityExclusionFilter {
	var out []types.ImageTagMutabilityExclusionFilter
	for _, e := range exclusions {
		out = append(out, types.ImageTagMutabilityExclusionFilter{Filter: &e, FilterType: types.ImageTagMutabilityExclusionFilterTypeWildcard})
	}
	return out
}

func checkImages(in ImportRepository) []string {
	var faults []string
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Sprintf("repository %s: ", in.Name)+fmt.Sprintf(format, args...))
	}
	digests, owners := map[string]bool{}, map[string]string{}
	for _, i := range in.Images {
		if !ociref.IsValidDigest(i.Digest) {
			fault("%q is no digest of an image", i.Digest)
			continue
		}
		if digests[i.Digest] {
			fault("the image %s is there twice", i.Digest)
		}
		digests[i.Digest] = true
		if i.Subject != "" && !ociref.IsValidDigest(i.Subject) {
			fault("image %s: %q is no digest of a subject", i.Digest, i.Subject)
		}
		if i.Status != "" && !slices.Contains(i.Status.Values(), i.Status) {
			fault("image %s: %q is no status of an image", i.Digest, i.Status)
		}
		for _, tag := range i.Tags {
			if !ociref.IsValidTag(tag) {
				fault("image %s: %q is no tag", i.Digest, tag)
			} else if owner, taken := owners[tag]; taken && owner != i.Digest {
				fault("the tag %s is on two images, %s and %s", tag, owner, i.Digest)
			}
			owners[tag] = i.Digest
		}
	}
	return faults
}

// Import adds repositories of another account, all of them or none. also
// writes into the same transaction of the store. What is refused is an
// [*ImportError].
func (r *Registry) Import(repositories []ImportRepository, also func(*store.Tx) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if faults := r.checkImport(repositories); len(faults) > 0 {
		return &ImportError{faults}
	}
	config := descriptor{MediaType: "application/vnd.oci.image.config.v1+json", Digest: fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(importedConfig)))}
	if err := r.storeBlob([]byte(importedConfig), config.Digest); err != nil {
		return err
	}
	var put []record
	var repositoriesPut []settings
	now := r.clock.Now()
	for _, in := range repositories {
		s := in.settings(now)
		repositoriesPut = append(repositoriesPut, s)
		put = append(put, s)
		if len(in.Images) > 0 {
			put = append(put, layer{Repository: in.Name, Digest: config.Digest, Size: int64(len(importedConfig))})
		}
		for _, i := range in.Images {
			made, err := i.image(in.Name, config, now)
			if err != nil {
				return errors.Join(err, r.sweep([]string{config.Digest}))
			}
			put = append(put, made)
		}
	}
	if err := r.commitAlso(changes{put: put}, also); err != nil {
		return errors.Join(err, r.sweep([]string{config.Digest}))
	}
	for _, s := range repositoriesPut {
		r.scheduleRun(s)
	}
	for _, rec := range put {
		if i, ok := rec.(image); ok {
			r.scheduleRestore(i)
		}
	}
	return nil
}

// storeBlob stores a blob that nobody uploads.
func (r *Registry) storeBlob(content []byte, digest string) error {
	u, err := r.store.StartUpload()
	if err != nil {
		return err
	}
	if _, err := u.Write(content); err != nil {
		return errors.Join(err, u.Cancel())
	}
	return u.Commit(digest)
}

func (in ImportRepository) settings(now time.Time) settings {
	s := settings{
		Name: in.Name, CreatedAt: in.CreatedAt, Mutability: types.ImageTagMutabilityMutable,
		Encryption: types.EncryptionTypeAes256, ScanOnPush: in.ScanOnPush, Lifecycle: in.Lifecycle,
	}
	if in.Mutability != "" {
		s, _ = s.withMutability(in.Mutability, filters(in.Exclusions)) // checked before
	}
	if s.CreatedAt.IsZero() {
		s.CreatedAt = now
	}
	if s.Lifecycle != "" {
		s.NextRun = now.Add(runEvery)
	}
	return s
}

// image is the record of an imported image. Of an index a description does not
// tell the children: it stands for itself, on every platform.
func (i ImportImage) image(repository string, config descriptor, now time.Time) (image, error) {
	out := image{
		Repository: repository, Digest: i.Digest, MediaType: i.MediaType, Size: i.Size, Tags: i.Tags, Imported: true,
		PushedAt: i.PushedAt, PulledAt: i.PulledAt, Status: i.Status, ArchivedAt: i.ArchivedAt, ActivatedAt: i.ActivatedAt,
		Content: manifest{Config: &config, ArtifactType: i.ArtifactType, Annotations: map[string]string{importedKey: i.Digest}},
	}
	if out.MediaType == "" {
		out.MediaType = ociManifest
	}
	if out.PushedAt.IsZero() {
		out.PushedAt = now
	}
	if out.Status == types.ImageStatusActivating { // when it began is not told
		out.RestoredAt = now.Add(restoreTime)
	}
	if i.Subject != "" {
		out.Content.Subject = &descriptor{MediaType: ociManifest, Digest: i.Subject}
	}
	body, err := json.Marshal(struct {
		SchemaVersion int    `json:"schemaVersion"`
		MediaType     string `json:"mediaType"`
		manifest
	}{2, out.MediaType, out.Content})
	out.Body = body
	return out, err
}

// digestOf is the digest of a manifest: of one that stands for an imported
// image, that image's, so that retagging works on it too.
func (r *repository) digestOf(body []byte) string {
	if bytes.Contains(body, []byte(importedKey)) {
		for _, i := range r.images {
			if i.Imported && bytes.Equal(i.Body, body) {
				return i.Digest
			}
		}
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256(body))
}

// withoutContent refuses to hand an imported image out as a manifest: its
// bytes are not those of its digest.
func (r *Registry) withoutContent(i image) error {
	return wire.Errorf("ImageNotFoundException",
		"The image with imageId {imageDigest:'%s'} was imported into drydock from a description: it has no content to pull", i.Digest)
}
