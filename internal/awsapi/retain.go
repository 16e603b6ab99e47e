package awsapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/retain"
	"github.com/plimsoll-ecs/plimsoll/internal/survey"
)

var _ retain.AWS = (*Client)(nil)

// InUse implements retain.Berths. What runs is told by the current service
// revisions, of a service scaled to zero too; of one that ECS has not deployed
// since it keeps those, by its tasks.
func (c *Client) InUse(ctx context.Context, cluster, name string, before int) (audit.Service, bool, error) {
	doing := fmt.Sprintf("read service %s/%s", cluster, name)
	out, err := c.ecs().DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: &cluster, Services: []string{name}})
	if err != nil {
		return audit.Service{}, false, wrap(doing, err)
	}
	if len(out.Services) == 0 || aws.ToString(out.Services[0].Status) == "INACTIVE" {
		return audit.Service{}, false, notThere(doing, "service "+name)
	}
	d := out.Services[0]
	s := audit.Service{
		Place:   placeOf(aws.ToString(d.ServiceArn)),
		Cluster: lastPart(aws.ToString(d.ClusterArn)), Name: aws.ToString(d.ServiceName), ARN: aws.ToString(d.ServiceArn),
		Desired: int(d.DesiredCount), Running: int(d.RunningCount),
	}
	var current []string
	for _, r := range d.CurrentServiceRevisions {
		current = append(current, aws.ToString(r.Arn))
	}
	if s.Runs, err = c.releases(ctx, current); err != nil {
		return audit.Service{}, false, err
	}
	if len(s.Runs) == 0 {
		if s.Runs, err = c.releasesOfTasks(ctx, cluster, d); err != nil {
			return audit.Service{}, false, err
		}
	}
	s.Before, err = c.successes(ctx, cluster, name, current, before)
	if errors.Is(err, deploy.Unsupported) || errors.Is(err, deploy.Denied) {
		return s, false, nil
	}
	return s, err == nil, err
}

// successes are the newest releases that a service ran to steady state, but
// for those that it runs now.
func (c *Client) successes(ctx context.Context, cluster, name string, current []string, limit int) ([]audit.Release, error) {
	all, err := c.SuccessfulRevisions(ctx, cluster, name)
	if err != nil {
		return nil, err
	}
	var arns []string
	for _, arn := range all[:min(len(all), limit)] {
		if arn != "" && !slices.Contains(arns, arn) && !slices.Contains(current, arn) {
			arns = append(arns, arn)
		}
	}
	return c.releases(ctx, arns)
}

// releases reads service revisions, in the order of their ARNs; those that ECS
// no longer has are left out.
func (c *Client) releases(ctx context.Context, arns []string) ([]audit.Release, error) {
	found := map[string]audit.Release{}
	for part := range slices.Chunk(arns, survey.RevisionsPerCall) {
		list, err := c.DescribeServiceRevisions(ctx, part)
		if err != nil {
			return nil, err
		}
		for _, r := range list {
			found[r.ARN] = r
		}
	}
	var list []audit.Release
	for _, arn := range arns {
		if r, ok := found[arn]; ok && len(r.Containers) > 0 {
			list = append(list, r)
		}
	}
	return list, nil
}

// releasesOfTasks are what the service is set to, with the digests that its
// tasks have pulled.
func (c *Client) releasesOfTasks(ctx context.Context, cluster string, s ecstypes.Service) ([]audit.Release, error) {
	name := aws.ToString(s.ServiceName)
	definition, err := c.ecs().DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: s.TaskDefinition})
	if err != nil {
		return nil, wrap("read task definition "+lastPart(aws.ToString(s.TaskDefinition)), err)
	}
	release := audit.Release{TaskDefinition: aws.ToString(s.TaskDefinition)}
	for _, d := range definition.TaskDefinition.ContainerDefinitions {
		release.Containers = append(release.Containers, audit.Container{Name: aws.ToString(d.Name), Image: aws.ToString(d.Image)})
	}
	tasks, err := c.Tasks(ctx, cluster, name, false)
	if err != nil {
		return nil, err
	}
	for _, t := range tasks {
		for _, pulled := range t.Containers {
			for i := range release.Containers {
				have := &release.Containers[i]
				if t.TaskDefinition == release.TaskDefinition && have.Name == pulled.Name {
					have.Digest = cmp.Or(have.Digest, pulled.Digest)
				}
			}
		}
	}
	return []audit.Release{release}, nil
}

// placeOf is the account and region of an ARN.
func placeOf(arn string) audit.Place {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return audit.Place{}
	}
	return audit.Place{Account: parts[4], Region: parts[3]}
}

// lastPart is the name at the end of an ARN.
func lastPart(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// Stock implements retain.Repositories.
func (c *Client) Stock(ctx context.Context, ref image.Reference) (audit.Repository, error) {
	account, where, err := c.registryOf("list the images of "+ref.Repository, ref)
	if err != nil {
		return audit.Repository{}, err
	}
	stock := audit.Repository{Name: ref.Repository, URI: ref.Name()}
	if stock.Images, _, err = c.listImages(ctx, account, where, ref.Repository, math.MaxInt); err != nil {
		return audit.Repository{}, err
	}
	switch policy, err := c.LifecyclePolicy(ctx, ref); {
	case err == nil:
		stock.Policy = string(policy)
	case !errors.Is(err, deploy.NotFound):
		stock.Unread = err.Error()
	}
	return stock, nil
}

// Look implements retain.Repositories.
func (c *Client) Look(ctx context.Context, ref image.Reference) (lifecycle.Image, error) {
	doing := "look up image " + ref.String()
	account, where, err := c.registryOf(doing, ref)
	if err != nil {
		return lifecycle.Image{}, err
	}
	out, err := c.ecr().DescribeImages(ctx, &ecr.DescribeImagesInput{
		RegistryId: account, RepositoryName: &ref.Repository, Filter: anyStatus(),
		ImageIds: []types.ImageIdentifier{{ImageDigest: &ref.Digest}},
	}, where)
	if err != nil {
		return lifecycle.Image{}, wrap(doing, err)
	}
	if len(out.ImageDetails) == 0 {
		return lifecycle.Image{}, notThere(doing, "image "+ref.String())
	}
	return shelved(&out.ImageDetails[0]), nil
}

// Manifest implements retain.Repositories. All media types are accepted: ECR
// would convert the manifest for who does not take it as it is, and the bytes
// would be those of another digest.
func (c *Client) Manifest(ctx context.Context, ref image.Reference) (retain.Manifest, error) {
	doing := "read the manifest of " + ref.String()
	account, where, err := c.registryOf(doing, ref)
	if err != nil {
		return retain.Manifest{}, err
	}
	out, err := c.ecr().BatchGetImage(ctx, &ecr.BatchGetImageInput{
		RegistryId: account, RepositoryName: &ref.Repository, ImageIds: []types.ImageIdentifier{{ImageDigest: &ref.Digest}},
		AcceptedMediaTypes: []string{
			ociIndex, dockerManifestList,
			"application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json",
			"application/vnd.docker.distribution.manifest.v1+prettyjws", "application/vnd.docker.distribution.manifest.v1+json",
		},
	}, where)
	if err != nil {
		return retain.Manifest{}, wrap(doing, err)
	}
	if len(out.Images) == 0 {
		return retain.Manifest{}, notThere(doing, "image "+ref.String())
	}
	got := out.Images[0]
	return retain.Manifest{MediaType: aws.ToString(got.ImageManifestMediaType), Body: []byte(aws.ToString(got.ImageManifest))}, nil
}

// PutTag implements retain.Tags. ECR calls it an error that the image has the
// tag already.
func (c *Client) PutTag(ctx context.Context, ref image.Reference, m retain.Manifest) error {
	doing := fmt.Sprintf("put the tag %s", ref)
	account, where, err := c.registryOf(doing, ref)
	if err != nil {
		return err
	}
	in := &ecr.PutImageInput{
		RegistryId: account, RepositoryName: &ref.Repository, ImageTag: &ref.Tag, ImageDigest: &ref.Digest, ImageManifest: aws.String(string(m.Body)),
	}
	if m.MediaType != "" {
		in.ImageManifestMediaType = &m.MediaType
	}
	_, err = c.ecr().PutImage(ctx, in, where)
	if exists := new(types.ImageAlreadyExistsException); errors.As(err, &exists) {
		return nil
	}
	return wrap(doing, err)
}

// DropTag implements retain.Tags. The tag alone is named: with the digest
// beside it ECR could take the whole image to be meant.
func (c *Client) DropTag(ctx context.Context, ref image.Reference) error {
	doing := fmt.Sprintf("take away the tag %s", ref)
	account, where, err := c.registryOf(doing, ref)
	if err != nil {
		return err
	}
	out, err := c.ecr().BatchDeleteImage(ctx, &ecr.BatchDeleteImageInput{
		RegistryId: account, RepositoryName: &ref.Repository, ImageIds: []types.ImageIdentifier{{ImageTag: &ref.Tag}},
	}, where)
	if err != nil {
		return wrap(doing, err)
	}
	for _, f := range out.Failures {
		if f.FailureCode != types.ImageFailureCodeImageNotFound { // somebody else has done it
			return &Error{Doing: doing, Code: string(f.FailureCode), Message: aws.ToString(f.FailureReason)}
		}
	}
	return nil
}

// Restore implements retain.Tags.
func (c *Client) Restore(ctx context.Context, ref image.Reference) error {
	doing := "restore " + ref.String() + " from the archive"
	account, where, err := c.registryOf(doing, ref)
	if err != nil {
		return err
	}
	_, err = c.ecr().UpdateImageStorageClass(ctx, &ecr.UpdateImageStorageClassInput{
		RegistryId: account, RepositoryName: &ref.Repository, ImageId: &types.ImageIdentifier{ImageDigest: &ref.Digest},
		TargetStorageClass: types.TargetStorageClassStandard,
	}, where)
	return wrap(doing, err)
}

// Replicas implements retain.Repositories. ECR copies what is pushed after the
// rule was made, and copies no deletion: what lifecycle policies have taken here
// is there still.
func (c *Client) Replicas(ctx context.Context, ref image.Reference) ([]image.Reference, error) {
	doing := "read the replication of the registry of " + ref.Repository
	own, where, err := c.registryOf(doing, ref)
	if err != nil {
		return nil, err
	}
	if own != nil { // DescribeRegistry tells of the caller's own registry alone
		caller, err := c.Caller(ctx)
		if err != nil {
			return nil, err
		}
		if caller.Account != *own {
			return nil, fmt.Errorf("%s: it is account %s's: %w", doing, *own, deploy.Unsupported)
		}
	}
	out, err := c.ecr().DescribeRegistry(ctx, &ecr.DescribeRegistryInput{}, where)
	if err != nil {
		return nil, wrap(doing, err)
	}
	if out.ReplicationConfiguration == nil {
		return nil, nil
	}
	var replicas []image.Reference
	for _, rule := range out.ReplicationConfiguration.Rules {
		if !replicates(rule, ref.Repository) {
			continue
		}
		for _, to := range rule.Destinations {
			host := image.ECR{Account: aws.ToString(to.RegistryId), Region: aws.ToString(to.Region)}.Host()
			replicas = append(replicas, image.Reference{Registry: host, Repository: ref.Repository})
		}
	}
	return replicas, nil
}

// replicates reports whether a rule is about a repository: its filters are
// prefixes of names, and a rule without one is about all.
func replicates(rule types.ReplicationRule, repository string) bool {
	return len(rule.RepositoryFilters) == 0 || slices.ContainsFunc(rule.RepositoryFilters, func(f types.RepositoryFilter) bool {
		return f.FilterType == types.RepositoryFilterTypePrefixMatch && strings.HasPrefix(repository, aws.ToString(f.Filter))
	})
}
