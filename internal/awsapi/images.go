package awsapi

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
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

// RepositoryImages reads all images of a repository, archived ones too: a
// call for every thousand. An empty account is that of the credentials.
// Children of indexes are not known yet; see [Client.ReadChildren].
func (c *Client) RepositoryImages(ctx context.Context, account, name string) ([]audit.Image, error) {
	return c.repositoryImages(ctx, account, "", name)
}

// repositoryImages is RepositoryImages of any region, "" being the client's own.
func (c *Client) repositoryImages(ctx context.Context, account, region, name string) ([]audit.Image, error) {
	in := &ecr.DescribeImagesInput{
		RegistryId: inRegistry(account), RepositoryName: &name, MaxResults: aws.Int32(maxImagesDescribed),
		// Without a filter ECR leaves archived images out, and they would look deleted.
		Filter: &types.DescribeImagesFilter{ImageStatus: types.ImageStatusFilterAny},
	}
	var images []audit.Image
	pages := ecr.NewDescribeImagesPaginator(c.ecr(), in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx, inRegion(region))
		if err != nil {
			return nil, wrap("list the images of "+name, err)
		}
		images = slices.Grow(images, len(page.ImageDetails))
		for i := range page.ImageDetails {
			images = append(images, repositoryImage(&page.ImageDetails[i]))
		}
	}
	return images, nil
}

func repositoryImage(d *types.ImageDetail) audit.Image {
	return audit.Image{
		Bytes: aws.ToInt64(d.ImageSizeInBytes),
		Image: lifecycle.Image{
			Digest:          aws.ToString(d.ImageDigest),
			Tags:            d.ImageTags,
			Status:          lifecycle.Status(d.ImageStatus),
			PushedAt:        aws.ToTime(d.ImagePushedAt),
			LastPulledAt:    aws.ToTime(d.LastRecordedPullTime),
			LastArchivedAt:  aws.ToTime(d.LastArchivedAt),
			LastActivatedAt: aws.ToTime(d.LastActivatedAt),
			MediaType:       aws.ToString(d.ImageManifestMediaType),
			Subject:         aws.ToString(d.SubjectManifestDigest),
		},
	}
}

// ReadChildren fills in the Children of the indexes among the images: a call
// for every hundred indexes, and none where there are none. What an archived
// index lists cannot be read, and is not held by it either.
func (c *Client) ReadChildren(ctx context.Context, account, name string, images []audit.Image) error {
	return c.readChildren(ctx, account, "", name, images)
}

// readChildren is ReadChildren of any region.
func (c *Client) readChildren(ctx context.Context, account, region, name string, images []audit.Image) error {
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
			RegistryId: inRegistry(account), RepositoryName: &name, ImageIds: part,
			AcceptedMediaTypes: []string{ociIndex, dockerManifestList},
		}, inRegion(region))
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
