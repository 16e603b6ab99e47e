package ecr

import (
	"slices"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// previewTime is how long a preview is in progress. It takes some seconds on
// AWS: the SDK's waiter asks every five.
const previewTime = 2 * time.Second

// preview is what a lifecycle policy would do, were it to run now.
type preview struct {
	text    string
	readyAt time.Time
	taken   []taken // in the order of describeImages
}

// taken is an image with what becomes of it.
type taken struct {
	image
	action lifecycle.Action
	rule   int
}

func (r *Registry) startLifecyclePolicyPreview(in *ecr.StartLifecyclePolicyPreviewInput) (*ecr.StartLifecyclePolicyPreviewOutput, error) {
	repo, err := r.repository(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	text := repo.Lifecycle
	if in.LifecyclePolicyText != nil {
		text = *in.LifecyclePolicyText
	} else if text == "" {
		return nil, r.lifecyclePolicyNotFound(repo.Name)
	}
	policy, err := parsePolicy(text)
	if err != nil {
		return nil, err
	}
	now := r.clock.Now()
	if now.Before(r.previews[repo.Name].readyAt) {
		return nil, wire.Errorf("LifecyclePolicyPreviewInProgressException",
			"The previous lifecycle policy preview request for the repository with name '%s' in the registry with id '%s' has not completed. Wait and try again.", repo.Name, r.account)
	}
	p := preview{text: text, readyAt: now.Add(r.clock.Scale(previewTime))}
	for _, d := range repo.evaluate(policy, now).Decisions {
		// What goes with its subject goes by no rule: a preview knows rules only.
		if d.Action != "" && d.Rule != 0 {
			p.taken = append(p.taken, taken{image: repo.images[d.Digest], action: d.Action, rule: d.Rule})
		}
	}
	r.previews[repo.Name] = p
	return &ecr.StartLifecyclePolicyPreviewOutput{
		LifecyclePolicyText: answered(text),
		RegistryId:          &r.account,
		RepositoryName:      &repo.Name,
		Status:              types.LifecyclePolicyPreviewStatusInProgress,
	}, nil
}

// previewPageMax is how many results a page of a preview has at most; other
// lists of ECR have ten times as many.
const previewPageMax = 100

func (r *Registry) getLifecyclePolicyPreview(in *ecr.GetLifecyclePolicyPreviewInput) (*ecr.GetLifecyclePolicyPreviewOutput, error) {
	repo, err := r.repository(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	if err := checkPreview(in); err != nil {
		return nil, err
	}
	p, ok := r.previews[repo.Name]
	if !ok {
		return nil, wire.Errorf("LifecyclePolicyPreviewNotFoundException",
			"Lifecycle policy preview does not exist for the repository with name '%s' in the registry with id '%s'", repo.Name, r.account)
	}
	out := &ecr.GetLifecyclePolicyPreviewOutput{
		LifecyclePolicyText: answered(p.text),
		PreviewResults:      []types.LifecyclePolicyPreviewResult{},
		RegistryId:          &r.account,
		RepositoryName:      &repo.Name,
		Status:              types.LifecyclePolicyPreviewStatusInProgress,
	}
	if r.clock.Now().Before(p.readyAt) {
		return out, nil
	}
	out.Status, out.Summary = types.LifecyclePolicyPreviewStatusComplete, p.summary()
	found := slices.DeleteFunc(slices.Clone(p.taken), func(t taken) bool { return !t.asked(in) })
	found, out.NextToken, err = page(found, func(t taken) string { return order(t.image) }, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	for _, t := range found {
		out.PreviewResults = append(out.PreviewResults, t.result())
	}
	return out, nil
}

func checkPreview(in *ecr.GetLifecyclePolicyPreviewInput) error {
	if in.ImageIds != nil {
		if in.MaxResults != nil || in.NextToken != nil {
			return invalid("imageIds", "cannot be used with maxResults or nextToken")
		}
		if err := checkBatch("imageIds", len(in.ImageIds)); err != nil {
			return err
		}
	}
	if in.MaxResults != nil && *in.MaxResults > previewPageMax {
		return invalid("maxResults", "must be between 1 and %d", previewPageMax)
	}
	if in.Filter != nil {
		return checkFilter(in.Filter.TagStatus, "")
	}
	return nil
}

// asked tells whether a request is about the image.
func (t taken) asked(in *ecr.GetLifecyclePolicyPreviewInput) bool {
	if in.Filter != nil && !t.listed(in.Filter.TagStatus, types.ImageStatusFilterAny) {
		return false
	}
	return in.ImageIds == nil || slices.ContainsFunc(in.ImageIds, func(id types.ImageIdentifier) bool {
		return (id.ImageDigest == nil || *id.ImageDigest == t.Digest) && (id.ImageTag == nil || slices.Contains(t.Tags, *id.ImageTag))
	})
}

func (t taken) result() types.LifecyclePolicyPreviewResult {
	action := &types.LifecyclePolicyRuleAction{Type: types.ImageActionTypeExpire}
	if t.action == lifecycle.Transition {
		action.Type, action.TargetStorageClass = types.ImageActionTypeTransition, types.LifecyclePolicyTargetStorageClassArchive
	}
	return types.LifecyclePolicyPreviewResult{
		Action:              action,
		AppliedRulePriority: aws.Int32(int32(t.rule)),
		ImageDigest:         &t.Digest,
		ImagePushedAt:       &t.PushedAt,
		ImageTags:           t.Tags,
		StorageClass:        t.storageClass(),
	}
}

func (p preview) summary() *types.LifecyclePolicyPreviewSummary {
	var expiring, transitioning int32
	for _, t := range p.taken {
		if t.action == lifecycle.Transition {
			transitioning++
		} else {
			expiring++
		}
	}
	s := &types.LifecyclePolicyPreviewSummary{ExpiringImageTotalCount: &expiring}
	if transitioning > 0 {
		s.TransitioningImageTotalCounts = []types.TransitioningImageTotalCount{{
			ImageTotalCount: &transitioning, TargetStorageClass: types.LifecyclePolicyTargetStorageClassArchive,
		}}
	}
	return s
}
