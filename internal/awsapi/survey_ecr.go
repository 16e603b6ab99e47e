package awsapi

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
)

// Repositories implements survey.AWS.
func (c *Client) Repositories(ctx context.Context, registry audit.Place, names []string) ([]audit.Repository, error) {
	in := &ecr.DescribeRepositoriesInput{RegistryId: &registry.Account, RepositoryNames: names}
	if len(names) == 0 { // a page has a size only where there are no names
		in.MaxResults = aws.Int32(1000)
	}
	var list []audit.Repository
	pages := ecr.NewDescribeRepositoriesPaginator(c.ecr(), in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx, inRegion(registry.Region))
		if err != nil {
			return list, wrap("list the repositories of "+registry.Account, err)
		}
		for _, r := range page.Repositories {
			list = append(list, repository(registry, r))
		}
	}
	return list, nil
}

func repository(registry audit.Place, r types.Repository) audit.Repository {
	out := audit.Repository{
		Place: registry, Name: aws.ToString(r.RepositoryName), ARN: aws.ToString(r.RepositoryArn), URI: aws.ToString(r.RepositoryUri),
		Mutability: string(r.ImageTagMutability),
	}
	for _, f := range r.ImageTagMutabilityExclusionFilters {
		out.Exclusions = append(out.Exclusions, aws.ToString(f.Filter))
	}
	return out
}

// RepositoryPolicy implements survey.AWS.
func (c *Client) RepositoryPolicy(ctx context.Context, registry audit.Place, name string) (string, time.Time, error) {
	out, err := c.ecr().GetLifecyclePolicy(ctx, &ecr.GetLifecyclePolicyInput{RegistryId: &registry.Account, RepositoryName: &name}, inRegion(registry.Region))
	if err != nil {
		return "", time.Time{}, wrap("read the lifecycle policy of "+name, err)
	}
	return aws.ToString(out.LifecyclePolicyText), aws.ToTime(out.LastEvaluatedAt), nil
}
