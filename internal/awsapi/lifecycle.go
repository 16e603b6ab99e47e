package awsapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/retain"
)

var _ retain.PolicyStore = (*Client)(nil)

// RepositoryWithImages implements retain.PolicyStore.
func (c *Client) RepositoryWithImages(ctx context.Context, name string) (audit.Repository, error) {
	out, err := c.ecr().DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{RepositoryNames: []string{name}})
	if err != nil {
		return audit.Repository{}, wrap("look up repository "+name, err)
	}
	if len(out.Repositories) == 0 {
		return audit.Repository{}, notThere("look up repository "+name, "repository "+name)
	}
	found := out.Repositories[0]
	repo := repository(audit.Place{Account: aws.ToString(found.RegistryId), Region: c.Region()}, found)
	repo.Policy, repo.EvaluatedAt, err = c.RepositoryPolicy(ctx, repo.Place, name)
	if err != nil && !errors.Is(err, deploy.NotFound) {
		return repo, err
	}
	if repo.Images, err = c.ImagesOf(ctx, repo.Place, name); err != nil {
		return repo, err
	}
	return repo, c.ReadChildrenOf(ctx, repo.Place, name, repo.Images)
}

// PutPolicy implements retain.PolicyStore.
func (c *Client) PutPolicy(ctx context.Context, repository, text string) error {
	_, err := c.ecr().PutLifecyclePolicy(ctx, &ecr.PutLifecyclePolicyInput{RepositoryName: &repository, LifecyclePolicyText: &text})
	return wrap("put the lifecycle policy of "+repository, err)
}

// How long a preview is waited for. It takes seconds, and minutes in a large
// repository.
const (
	firstLook   = 250 * time.Millisecond
	longestLook = 5 * time.Second
	previewTime = 5 * time.Minute
)

// PreviewPolicy implements retain.PolicyStore. A preview is kept beside the
// repository and touches no image.
func (c *Client) PreviewPolicy(ctx context.Context, repository, text string) ([]retain.Previewed, error) {
	ctx, cancel := context.WithTimeout(ctx, previewTime)
	defer cancel()
	doing := "preview the lifecycle policy of " + repository
	wait := firstLook
	for {
		_, err := c.ecr().StartLifecyclePolicyPreview(ctx, &ecr.StartLifecyclePolicyPreviewInput{RepositoryName: &repository, LifecyclePolicyText: &text})
		if _, busy := errors.AsType[*types.LifecyclePolicyPreviewInProgressException](err); !busy {
			if err != nil {
				return nil, wrap(doing, err)
			}
			break
		}
		if err := pause(ctx, &wait); err != nil { // somebody else's goes on
			return nil, wrap(doing, err)
		}
	}
	for wait = firstLook; ; {
		out, err := c.ecr().GetLifecyclePolicyPreview(ctx, &ecr.GetLifecyclePolicyPreviewInput{RepositoryName: &repository, MaxResults: aws.Int32(100)})
		if err != nil {
			return nil, wrap(doing, err)
		}
		switch out.Status {
		case types.LifecyclePolicyPreviewStatusComplete:
			return c.previewed(ctx, doing, repository, out)
		case types.LifecyclePolicyPreviewStatusInProgress:
		default:
			return nil, fmt.Errorf("%s: ECR says %s: %w", doing, out.Status, deploy.Unsupported)
		}
		if err := pause(ctx, &wait); err != nil {
			return nil, wrap(doing, err)
		}
	}
}

// pause waits, each time longer.
func pause(ctx context.Context, wait *time.Duration) error {
	defer func() { *wait = min(2**wait, longestLook) }()
	return deploy.Sleep(ctx, *wait)
}

// previewed reads a preview's pages, of which the first is there.
func (c *Client) previewed(ctx context.Context, doing, repository string, page *ecr.GetLifecyclePolicyPreviewOutput) ([]retain.Previewed, error) {
	var list []retain.Previewed
	for {
		list = slices.Grow(list, len(page.PreviewResults))
		for _, r := range page.PreviewResults {
			p := retain.Previewed{Digest: aws.ToString(r.ImageDigest), Rule: int(aws.ToInt32(r.AppliedRulePriority)), Action: lifecycle.Expire}
			if r.Action != nil && r.Action.Type == types.ImageActionTypeTransition {
				p.Action = lifecycle.Transition
			}
			list = append(list, p)
		}
		if page.NextToken == nil {
			return list, nil
		}
		var err error
		page, err = c.ecr().GetLifecyclePolicyPreview(ctx, &ecr.GetLifecyclePolicyPreviewInput{
			RepositoryName: &repository, MaxResults: aws.Int32(100), NextToken: page.NextToken,
		})
		if err != nil {
			return nil, wrap(doing, err)
		}
	}
}
