package awsapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

var _ deploy.Clues = (*Client)(nil)

// registryOf is how ECR is asked for the registry of an image: its account,
// and the region where that is another.
func (c *Client) registryOf(doing string, ref image.Reference) (*string, func(*ecr.Options), error) {
	registry, isECR := image.ParseECRHost(ref.Registry)
	switch {
	case isECR:
		return &registry.Account, func(o *ecr.Options) { o.Region = registry.Region }, nil
	case c.isEndpoint(ref.Registry):
		return nil, func(*ecr.Options) {}, nil
	}
	return nil, nil, fmt.Errorf("%s: %s is not an ECR registry: %w", doing, ref.Registry, deploy.Unsupported)
}

// maxShelved bounds what is read of a repository: ten calls.
const maxShelved = 10_000

// Shelved implements deploy.Shelf.
func (c *Client) Shelved(ctx context.Context, ref image.Reference) ([]lifecycle.Image, bool, error) {
	account, where, err := c.registryOf("list the images of "+ref.Repository, ref)
	if err != nil {
		return nil, false, err
	}
	all, whole, err := c.listImages(ctx, account, where, ref.Repository, maxShelved)
	if err != nil {
		return nil, false, err
	}
	images := make([]lifecycle.Image, len(all))
	for i := range all {
		images[i] = all[i].Image
	}
	return images, whole, nil
}

// LifecyclePolicy implements deploy.Shelf.
func (c *Client) LifecyclePolicy(ctx context.Context, ref image.Reference) ([]byte, error) {
	doing := "read the lifecycle policy of " + ref.Repository
	account, where, err := c.registryOf(doing, ref)
	if err != nil {
		return nil, err
	}
	out, err := c.ecr().GetLifecyclePolicy(ctx, &ecr.GetLifecyclePolicyInput{RegistryId: account, RepositoryName: &ref.Repository}, where)
	if err != nil {
		return nil, wrap(doing, err)
	}
	return []byte(aws.ToString(out.LifecyclePolicyText)), nil
}

// manifest is what of a manifest says where it runs: its parts, for an index,
// or where its config is.
type manifest struct {
	Manifests []struct {
		Platform    platform          `json:"platform"`
		Annotations map[string]string `json:"annotations"`
	} `json:"manifests"`
	Config struct {
		Digest    string `json:"digest"`
		MediaType string `json:"mediaType"`
	} `json:"config"`
}

// platform has the same members in an index and in an image's config.
type platform struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
	Variant      string `json:"variant"`
}

func (p platform) String() string {
	return strings.TrimSuffix(p.OS+"/"+p.Architecture+"/"+p.Variant, "/")
}

// Platforms implements deploy.Shelf.
func (c *Client) Platforms(ctx context.Context, ref image.Reference) ([]string, error) {
	doing := "read the platforms of " + ref.String()
	account, where, err := c.registryOf(doing, ref)
	if err != nil {
		return nil, err
	}
	id := types.ImageIdentifier{ImageTag: &ref.Tag}
	if ref.Digest != "" {
		id = types.ImageIdentifier{ImageDigest: &ref.Digest}
	}
	out, err := c.ecr().BatchGetImage(ctx, &ecr.BatchGetImageInput{
		RegistryId: account, RepositoryName: &ref.Repository, ImageIds: []types.ImageIdentifier{id},
		AcceptedMediaTypes: []string{
			"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json",
			"application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json",
		},
	}, where)
	if err != nil {
		return nil, wrap(doing, err)
	}
	if len(out.Images) == 0 {
		return nil, notThere(doing, "image "+ref.String())
	}
	var m manifest
	if err := json.Unmarshal([]byte(aws.ToString(out.Images[0].ImageManifest)), &m); err != nil {
		return nil, fmt.Errorf("%s: its manifest: %w", doing, err)
	}
	var platforms []string
	for _, part := range m.Manifests {
		// BuildKit's attestations stand beside the images as unknown/unknown.
		if part.Platform.OS != "unknown" && part.Annotations["vnd.docker.reference.type"] == "" {
			platforms = append(platforms, part.Platform.String())
		}
	}
	if len(m.Manifests) > 0 || m.Config.Digest == "" {
		return platforms, nil
	}
	layer, err := c.ecr().GetDownloadUrlForLayer(ctx, &ecr.GetDownloadUrlForLayerInput{
		RegistryId: account, RepositoryName: &ref.Repository, LayerDigest: &m.Config.Digest,
	}, where)
	if err != nil {
		return nil, wrap(doing, err)
	}
	var config platform
	if err := c.download(ctx, aws.ToString(layer.DownloadUrl), &config); err != nil {
		return nil, fmt.Errorf("%s: its config: %w", doing, err)
	}
	if config.OS == "" && config.Architecture == "" {
		return nil, nil
	}
	return []string{config.String()}, nil
}

// download reads a small JSON document from where ECR says. The address is
// signed, and so is in no error.
func (c *Client) download(ctx context.Context, address string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return errors.New("the address that ECR gave is not one")
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		if failed, ok := errors.AsType[*url.Error](err); ok {
			err = failed.Err
		}
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the answer is %s", answer.Status)
	}
	const most = 4 << 20 // of an image's config
	return json.NewDecoder(io.LimitReader(answer.Body, most)).Decode(into)
}

// Parameter implements deploy.SecretMetadata. DescribeParameters shows no
// value.
func (c *Client) Parameter(ctx context.Context, name string) (bool, error) {
	found, err := c.Parameters(ctx, regionOf(name), parameterNames(name))
	return len(found) > 0, err
}

// parameterNames are the names that may be meant: the ARN of /token and that
// of token are the same.
func parameterNames(name string) []string {
	_, path, isARN := strings.Cut(name, ":parameter/")
	switch {
	case !isARN:
		return []string{name}
	case strings.Contains(path, "/"):
		return []string{"/" + path}
	}
	return []string{path, "/" + path}
}

// targetGroupName is the name in arn:…:targetgroup/NAME/ID.
func targetGroupName(arn string) string {
	_, rest, ok := strings.Cut(arn, ":targetgroup/")
	if !ok {
		return arn
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

// regionOf is the region that an ARN names, "" of anything else.
func regionOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		return ""
	}
	return parts[3]
}

func loadBalancers(list []ecstypes.LoadBalancer) []deploy.LoadBalancer {
	var out []deploy.LoadBalancer
	for _, l := range list {
		if l.TargetGroupArn == nil { // a Classic Load Balancer
			continue
		}
		out = append(out, deploy.LoadBalancer{
			TargetGroup: *l.TargetGroupArn, Container: aws.ToString(l.ContainerName), ContainerPort: int(aws.ToInt32(l.ContainerPort)),
		})
	}
	return out
}
