package ecr

import (
	"errors"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"

	"cuelabs.dev/go/oci/ociregistry/ociref"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// Push stores a manifest and gives it the tag, where tag is not "". It
// answers with the digest. The manifest's layers or children must be in the
// repository. A manifest that is there already is no error, except that a
// push to a tag that is immutable is refused even when it would change
// nothing: docker users see it so (aws/containers-roadmap#2179).
func (r *Registry) Push(repository, tag, mediaType string, body []byte) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	repo, err := r.repository(&repository, nil)
	if err != nil {
		return "", err
	}
	i, err := r.push(repo, tag, mediaType, body)
	if refused, ok := errors.AsType[*wire.Error](err); ok && refused.Code == codeAlreadyExists {
		if tag != "" && repo.frozen(tag) {
			return "", tagAlreadyExists(repo.settings, tag)
		}
		return i.Digest, nil
	}
	return i.Digest, err
}

// push is what PutImage and a push through the registry have in common. With
// an ImageAlreadyExistsException it answers with the image that exists.
func (r *Registry) push(repo *repository, tag, mediaType string, body []byte) (image, error) {
	content, mediaType, err := parseManifest(body, mediaType)
	if err != nil {
		return image{}, err
	}
	if tag != "" && !ociref.IsValidTag(tag) {
		return image{}, invalid("imageTag", "must satisfy regular expression '%s'", tagPattern)
	}
	next := image{
		Repository: repo.Name,
		Digest:     repo.digestOf(body),
		MediaType:  mediaType,
		Body:       body,
		Content:    content,
		PushedAt:   r.clock.Now(),
	}
	old, known := repo.images[next.Digest]
	if known {
		// A new tag does not make the image younger (containers-roadmap#2746).
		next = old
		if old.status() != types.ImageStatusActive {
			// An image in the archive "can be restored … by re-pushing the
			// image" (ECR user guide, Archiving an image), and at once.
			next = next.activated(r.clock.Now())
		} else if tag == "" || repo.tags[tag] == next.Digest {
			return next, r.imageAlreadyExists(repo.Name, next.Digest, tag)
		}
	} else if next.Size, err = r.weigh(repo, content); err != nil {
		return image{}, err
	}
	if on, _ := r.scanOnPush(repo.settings); on && !known && next.scannable() {
		next = r.scanned(next)
	}
	if tag == "" || repo.tags[tag] == next.Digest {
		return next, r.pushed(next, tag, nil)
	}
	if len(next.Tags) >= maxTagsOfImage {
		return image{}, wire.Errorf("LimitExceededException", "The image already has the maximum number of tags, %d.", maxTagsOfImage)
	}
	next = next.with(tag)
	var put []record
	if owner, taken := repo.tags[tag]; taken {
		if repo.frozen(tag) {
			return image{}, tagAlreadyExists(repo.settings, tag)
		}
		// The image that had the tag stays, untagged and as old as it is:
		// that is how a moved tag feeds a lifecycle rule for untagged images.
		put = append(put, repo.images[owner].without(tag))
	}
	return next, r.pushed(next, tag, put)
}

// pushed commits a pushed image, together with other changes, and tells of it.
func (r *Registry) pushed(i image, tag string, put []record) error {
	if err := r.commit(changes{put: append([]record{i}, put...)}); err != nil {
		return err
	}
	r.tellPush(i, tag)
	r.scheduleScan(i)
	return nil
}

const (
	maxTagsOfImage = 1000
	tagPattern     = "[a-zA-Z0-9_][a-zA-Z0-9-._]{0,127}"
	digestPattern  = "[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+"
)

// weigh checks that all that a manifest refers to is in the repository, and
// tells its size: the sum of its layers and configuration; of an index, "the
// max size of all manifests in the list" (ImageDetail in the API reference).
func (r *Registry) weigh(repo *repository, m manifest) (int64, error) {
	var size int64
	var layers, images []string
	for _, d := range m.blobs() {
		l, ok := repo.layers[d.Digest]
		if !ok && len(d.URLs) == 0 {
			layers = append(layers, d.Digest)
		}
		size += l.Size
	}
	for _, d := range m.Manifests {
		child, ok := repo.images[d.Digest]
		if !ok {
			images = append(images, d.Digest)
		}
		size = max(size, child.Size)
	}
	if layers != nil {
		return 0, r.missingForPush(CodeLayersNotFound, "Layers", repo.Name, layers)
	}
	if images != nil {
		return 0, r.missingForPush(CodeReferencedNotFound, "Images", repo.Name, images)
	}
	return size, nil
}

func (r *Registry) putImage(in *ecr.PutImageInput) (*ecr.PutImageOutput, error) {
	repo, err := r.repository(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	body := []byte(aws.ToString(in.ImageManifest))
	if have := repo.digestOf(body); in.ImageDigest != nil && *in.ImageDigest != have {
		return nil, wire.Errorf("ImageDigestDoesNotMatchException",
			"The specified image digest '%s' does not match the digest that Amazon ECR calculated for the image: '%s'", *in.ImageDigest, have)
	}
	if in.ImageTag != nil && *in.ImageTag == "" {
		return nil, invalid("imageTag", "must satisfy regular expression '%s'", tagPattern)
	}
	i, err := r.push(repo, aws.ToString(in.ImageTag), aws.ToString(in.ImageManifestMediaType), body)
	if err != nil {
		return nil, err
	}
	return &ecr.PutImageOutput{Image: r.answer(i, in.ImageTag)}, nil
}
