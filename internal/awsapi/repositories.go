package awsapi

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

// Repository implements deploy.Repositories.
func (c *Client) Repository(ctx context.Context, ref image.Reference) (deploy.Repository, error) {
	doing := "read repository " + ref.Repository
	id, there, err := c.registryOf(doing, ref)
	if err != nil {
		return deploy.Repository{}, err
	}
	out, err := c.ecr().DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{RegistryId: id, RepositoryNames: []string{ref.Repository}}, there)
	if err != nil {
		return deploy.Repository{}, wrap(doing, err)
	}
	if len(out.Repositories) == 0 {
		return deploy.Repository{}, notThere(doing, "repository "+ref.Repository)
	}
	r := deploy.Repository{Mutability: string(out.Repositories[0].ImageTagMutability)}
	for _, f := range out.Repositories[0].ImageTagMutabilityExclusionFilters {
		r.Exclusions = append(r.Exclusions, aws.ToString(f.Filter))
	}
	return r, nil
}

// RepositoryNames implements deploy.Repositories.
func (c *Client) RepositoryNames(ctx context.Context, ref image.Reference) ([]string, error) {
	const doing = "list repositories"
	id, there, err := c.registryOf(doing, ref)
	if err != nil {
		return nil, err
	}
	var names []string
	pages := ecr.NewDescribeRepositoriesPaginator(c.ecr(), &ecr.DescribeRepositoriesInput{RegistryId: id, MaxResults: aws.Int32(1000)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx, there)
		if err != nil {
			return nil, wrap(doing, err)
		}
		for _, r := range page.Repositories {
			names = append(names, aws.ToString(r.RepositoryName))
		}
	}
	return names, nil
}
