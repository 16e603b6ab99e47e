package awsapi

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// Most of what one call of ECR takes or gives.
const (
	maxImagesDescribed = 1000
	maxImagesFetched   = 100
)

// The media types of manifests that list others.
const (
	ociIndex           = "application/vnd.oci.image.index.v1+json"
	dockerManifestList = "application/vnd.docker.distribution.manifest.list.v2+json"
)

// ImagesOf implements survey.AWS: a call for every thousand images. An empty
// account or region is that of the client. Children of indexes are not known
// yet; see [Client.ReadChildrenOf].
func (c *Client) ImagesOf(ctx context.Context, registry audit.Place, name string) ([]audit.Image, error) {
	images, _, err := c.listImages(ctx, inRegistry(registry.Account), inRegion(registry.Region), name, math.MaxInt)
	return images, err
}

// listImages reads the images of a repository, archived ones too, until there
// are so many; whole is false when there are more.
func (c *Client) listImages(ctx context.Context, registry *string, where func(*ecr.Options), name string, most int) (images []audit.Image, whole bool, err error) {
	pages := ecr.NewDescribeImagesPaginator(c.ecr(), &ecr.DescribeImagesInput{
		RegistryId: registry, RepositoryName: &name, MaxResults: aws.Int32(maxImagesDescribed), Filter: anyStatus(),
	})
	for pages.HasMorePages() && len(images) < most {
		page, err := pages.NextPage(ctx, where)
		if err != nil {
			return nil, false, wrap("list the images of "+name, err)
		}
		images = slices.Grow(images, len(page.ImageDetails))
		for i := range page.ImageDetails {
			d := &page.ImageDetails[i]
			images = append(images, audit.Image{Image: shelved(d), Bytes: aws.ToInt64(d.ImageSizeInBytes)})
		}
	}
	return images, !pages.HasMorePages(), nil
}

// anyStatus has ECR show archived images too: without it DescribeImages shows
// active ones, as if the others had been deleted.
func anyStatus() *types.DescribeImagesFilter {
	return &types.DescribeImagesFilter{ImageStatus: types.ImageStatusFilterAny}
}

func shelved(d *types.ImageDetail) lifecycle.Image {
	return lifecycle.Image{
		Digest:          aws.ToString(d.ImageDigest),
		Tags:            d.ImageTags,
		Status:          lifecycle.Status(d.ImageStatus),
		PushedAt:        aws.ToTime(d.ImagePushedAt),
		LastPulledAt:    aws.ToTime(d.LastRecordedPullTime),
		LastArchivedAt:  aws.ToTime(d.LastArchivedAt),
		LastActivatedAt: aws.ToTime(d.LastActivatedAt),
		MediaType:       aws.ToString(d.ImageManifestMediaType),
		Subject:         aws.ToString(d.SubjectManifestDigest),
	}
}

// ReadChildrenOf implements survey.AWS: a call for every hundred indexes, and
// none where there are none. What an archived index lists cannot be read, and is
// not held by it either.
func (c *Client) ReadChildrenOf(ctx context.Context, registry audit.Place, name string, images []audit.Image) error {
	byDigest := map[string]*audit.Image{}
	var ids []types.ImageIdentifier
	for i := range images {
		m := &images[i]
		isIndex := m.MediaType == ociIndex || m.MediaType == dockerManifestList
		if isIndex && (m.Status == "" || m.Status == lifecycle.Active) {
			byDigest[m.Digest] = m
			ids = append(ids, types.ImageIdentifier{ImageDigest: &m.Digest})
		}
	}
	doing := "read the indexes of " + name
	for part := range slices.Chunk(ids, maxImagesFetched) {
		out, err := c.ecr().BatchGetImage(ctx, &ecr.BatchGetImageInput{
			RegistryId: inRegistry(registry.Account), RepositoryName: &name, ImageIds: part,
			AcceptedMediaTypes: []string{ociIndex, dockerManifestList},
		}, inRegion(registry.Region))
		if err != nil {
			return wrap(doing, err)
		}
		// Failures are indexes that went meanwhile: they hold nothing.
		for _, got := range out.Images {
			m := byDigest[aws.ToString(got.ImageId.ImageDigest)]
			if m == nil {
				continue
			}
			if m.Children, err = childrenOf(aws.ToString(got.ImageManifest)); err != nil {
				return fmt.Errorf("%s: %s: %w", doing, m.Digest, err)
			}
		}
	}
	return nil
}

// childrenOf are the digests that an index lists.
func childrenOf(manifest string) ([]string, error) {
	var index struct {
		Manifests []struct{ Digest string }
	}
	if err := json.Unmarshal([]byte(manifest), &index); err != nil {
		return nil, fmt.Errorf("its manifest: %w", err)
	}
	children := make([]string, len(index.Manifests))
	for i, m := range index.Manifests {
		children[i] = m.Digest
	}
	return children, nil
}

// inRegion sends a call to another region; "" is the client's own.
func inRegion(region string) func(*ecr.Options) {
	return func(o *ecr.Options) { o.Region = cmp.Or(region, o.Region) }
}

// inRegistry names another account's registry; nil is one's own.
func inRegistry(account string) *string {
	if account == "" {
		return nil
	}
	return &account
}
