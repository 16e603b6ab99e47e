package ecr

import (
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// Outlook is what the lifecycle policy of a repository has in store.
type Outlook struct {
	NextRun   time.Time                     // zero without a policy
	Rules     []lifecycle.Rule              // by priority
	Decisions map[string]lifecycle.Decision // of the next run, by digest, if nothing changes until then
}

// Outlook judges the images of a repository as the next run of its policy
// will. A repository that is not there has none.
func (r *Registry) Outlook(repository string) (Outlook, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	repo, ok := r.state[repository]
	if !ok || repo.Lifecycle == "" {
		return Outlook{}, nil
	}
	policy, err := parsePolicy(repo.Lifecycle)
	if err != nil {
		return Outlook{}, err
	}
	out := Outlook{NextRun: repo.NextRun, Rules: policy.Rules(), Decisions: map[string]lifecycle.Decision{}}
	for _, d := range repo.evaluate(policy, repo.NextRun).Decisions {
		out.Decisions[d.Digest] = d
	}
	return out, nil
}
