package ecr

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// runEvery is how often a lifecycle policy runs. AWS says that an image is
// gone within 24 hours of meeting a rule, of a new policy too.
const runEvery = 24 * time.Hour

func (r *Registry) putLifecyclePolicy(in *ecr.PutLifecyclePolicyInput) (*ecr.PutLifecyclePolicyOutput, error) {
	repo, err := r.repository(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	text := aws.ToString(in.LifecyclePolicyText)
	if _, err := parsePolicy(text); err != nil {
		return nil, err
	}
	next := repo.settings
	if next.Lifecycle == "" { // a policy that replaces another one keeps its hour
		next.NextRun = r.clock.Now().Add(runEvery)
	}
	next.Lifecycle = text
	if err := r.commit(changes{put: []record{next}}); err != nil {
		return nil, err
	}
	r.scheduleRun(next)
	return &ecr.PutLifecyclePolicyOutput{
		LifecyclePolicyText: answered(text),
		RegistryId:          &r.account,
		RepositoryName:      &repo.Name,
	}, nil
}

// parsePolicy reads the text of a policy, or refuses it as ECR does.
func parsePolicy(text string) (lifecycle.Policy, error) {
	policy, err := lifecycle.ParsePolicy([]byte(text))
	if refused, ok := errors.AsType[*lifecycle.PolicyError](err); ok {
		return policy, invalid("LifecyclePolicyText", "%s", refused.Constraint)
	}
	return policy, err
}

// answered is the text of a valid policy as ECR answers with it: compact, the
// rules by priority. Terraform users meet that as a difference that never
// goes away.
func answered(text string) *string {
	type rule struct{ RulePriority int }
	var doc struct {
		Rules []json.RawMessage `json:"rules"`
	}
	_ = json.Unmarshal([]byte(text), &doc) // ParsePolicy has read it
	slices.SortStableFunc(doc.Rules, func(a, b json.RawMessage) int {
		var first, second rule
		_ = errors.Join(json.Unmarshal(a, &first), json.Unmarshal(b, &second))
		return cmp.Compare(first.RulePriority, second.RulePriority)
	})
	var compact bytes.Buffer
	compact.WriteString(`{"rules":[`)
	for n, rule := range doc.Rules {
		if n > 0 {
			compact.WriteByte(',')
		}
		_ = json.Compact(&compact, rule)
	}
	compact.WriteString(`]}`)
	return aws.String(compact.String())
}

// withLifecycle finds a repository that has a lifecycle policy.
func (r *Registry) withLifecycle(name, registryID *string) (*repository, error) {
	repo, err := r.repository(name, registryID)
	if err != nil {
		return nil, err
	}
	if repo.Lifecycle == "" {
		return nil, r.lifecyclePolicyNotFound(repo.Name)
	}
	return repo, nil
}

func (r *Registry) getLifecyclePolicy(in *ecr.GetLifecyclePolicyInput) (*ecr.GetLifecyclePolicyOutput, error) {
	repo, err := r.withLifecycle(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	return &ecr.GetLifecyclePolicyOutput{
		LastEvaluatedAt:     nilIfZero(repo.EvaluatedAt),
		LifecyclePolicyText: answered(repo.Lifecycle),
		RegistryId:          &r.account,
		RepositoryName:      &repo.Name,
	}, nil
}

func (r *Registry) deleteLifecyclePolicy(in *ecr.DeleteLifecyclePolicyInput) (*ecr.DeleteLifecyclePolicyOutput, error) {
	repo, err := r.withLifecycle(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	had := repo.settings
	next := had
	next.Lifecycle, next.NextRun, next.EvaluatedAt = "", time.Time{}, time.Time{}
	if err := r.commit(changes{put: []record{next}}); err != nil {
		return nil, err
	}
	r.clock.Cancel(lifecycleKey(repo.Name))
	return &ecr.DeleteLifecyclePolicyOutput{
		LastEvaluatedAt:     nilIfZero(had.EvaluatedAt),
		LifecyclePolicyText: answered(had.Lifecycle),
		RegistryId:          &r.account,
		RepositoryName:      &repo.Name,
	}, nil
}

func lifecycleKey(repository string) string { return "ecr lifecycle " + repository }

func (r *Registry) scheduleRun(s settings) {
	if s.Lifecycle == "" {
		return
	}
	r.clock.At(s.NextRun, lifecycleKey(s.Name), func(now time.Time) {
		r.mu.Lock()
		defer r.mu.Unlock()
		repo, ok := r.state[s.Name]
		if !ok || repo.Lifecycle == "" || repo.NextRun.After(now) {
			return // deleted while this call was on its way
		}
		if err := r.run(repo, now); err != nil {
			r.log.Error("a lifecycle policy did not run", "repository", s.Name, "error", err)
		}
		next := repo.settings
		if !next.NextRun.After(now) { // it could not be stored; a day later it may
			next.NextRun = now.Add(runEvery)
		}
		r.scheduleRun(next)
	})
}

// run applies the lifecycle policy of a repository, all of it or nothing.
func (r *Registry) run(repo *repository, now time.Time) error {
	policy, err := parsePolicy(repo.Lifecycle)
	if err != nil {
		return fmt.Errorf("the policy that was accepted: %w", err)
	}
	next := repo.settings
	next.NextRun, next.EvaluatedAt = now.Add(runEvery), now
	put := []record{next}
	var gone, archived []image
	for _, d := range repo.evaluate(policy, now).Decisions {
		i := repo.images[d.Digest]
		switch d.Action {
		case lifecycle.Expire:
			gone = append(gone, i)
		case lifecycle.Transition:
			i = i.archived(now)
			put, archived = append(put, i), append(archived, i)
		default:
			continue
		}
		r.log.Info("lifecycle policy", "repository", repo.Name, "digest", d.Digest, "tags", i.Tags, "action", d.Action, "rule", d.Rule)
	}
	if err := r.remove(repo, gone, put...); err != nil {
		return err
	}
	for _, i := range archived {
		r.tellStorageClass(i)
	}
	return nil
}

// evaluate judges the images of a repository, in the order of their digests.
func (repo *repository) evaluate(policy lifecycle.Policy, now time.Time) lifecycle.Result {
	judged := make([]lifecycle.Image, 0, len(repo.images))
	for _, digest := range slices.Sorted(maps.Keys(repo.images)) {
		judged = append(judged, repo.images[digest].judged())
	}
	return lifecycle.Evaluate(policy, judged, now, lifecycle.OneReading())
}

// judged is the image as package lifecycle wants it.
func (i image) judged() lifecycle.Image {
	out := lifecycle.Image{
		Digest:          i.Digest,
		Tags:            i.Tags,
		Status:          lifecycle.Status(i.status()),
		PushedAt:        i.PushedAt,
		LastPulledAt:    i.PulledAt,
		LastArchivedAt:  i.ArchivedAt,
		LastActivatedAt: i.ActivatedAt,
		MediaType:       i.MediaType,
	}
	for _, d := range i.Content.Manifests {
		out.Children = append(out.Children, d.Digest)
	}
	if s := i.Content.Subject; s != nil {
		out.Subject = s.Digest
	}
	return out
}

// storageClass is the class of an image as a preview names it.
func (i image) storageClass() types.LifecyclePolicyStorageClass {
	if i.status() == types.ImageStatusActive {
		return types.LifecyclePolicyStorageClassStandard
	}
	return types.LifecyclePolicyStorageClassArchive
}
