package retain

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle/advice"
)

// PolicyPorts is everything outside that a change of a lifecycle policy needs.
type PolicyPorts struct {
	ECR PolicyStore
	// Fleet reads what runs, and what a rollback could go back to.
	Fleet func(context.Context) (audit.Fleet, error)
	// Keep puts the policy that is about to be replaced into a file and says
	// where.
	Keep func(repository, policy string) (file string, err error)
	Now  func() time.Time
}

// PolicyStore reads and writes what lifecycle policies are about.
type PolicyStore interface {
	// RepositoryWithImages is a repository with its policy and all its images, the
	// children of indexes too. [deploy.NotFound] when there is none.
	RepositoryWithImages(ctx context.Context, name string) (audit.Repository, error)
	// PutPolicy puts a lifecycle policy in place of the one that is there.
	PutPolicy(ctx context.Context, repository, text string) error
	// PreviewPolicy is what AWS says that a run of the policy would take now.
	// [deploy.Denied] where that may not be asked.
	PreviewPolicy(ctx context.Context, repository, text string) ([]Previewed, error)
}

// Previewed is an image that AWS's preview takes.
type Previewed struct {
	Digest string
	Action lifecycle.Action
	Rule   int
}

// PolicyChange is a change of a policy that nobody has made yet.
type PolicyChange struct {
	Repository audit.Repository
	Uses       []PolicyUse
	Text       string // of the policy to come
	Policy     lifecycle.Policy
	Outlook    Outlook
	// Shields: it is the policy in force with a rule for pins before it, so it takes
	// nothing that this one does not take. It is refused for none of that.
	Shields bool
}

// PlanPolicy reads what a policy would change. rollbacks is how many earlier
// releases of each service count as used; until is up to when nothing used may
// go.
func PlanPolicy(ctx context.Context, p PolicyPorts, repository, text string, rollbacks int, horizon time.Duration) (PolicyChange, error) {
	policy, err := lifecycle.ParsePolicy([]byte(text))
	if err != nil {
		return PolicyChange{}, err
	}
	repo, uses, err := Usage(ctx, p, repository, rollbacks)
	if err != nil {
		return PolicyChange{}, err
	}
	return PolicyChange{
		Repository: repo, Uses: uses, Text: text, Policy: policy,
		Outlook: Foresee(repo, policy, uses, AsOf(repo, p.Now()), horizon),
	}, nil
}

// PlanShield plans the policy in force with a first rule that protects pins.
func PlanShield(ctx context.Context, p PolicyPorts, repository string, rollbacks int, horizon time.Duration) (PolicyChange, error) {
	repo, uses, err := Usage(ctx, p, repository, rollbacks)
	if err != nil {
		return PolicyChange{}, err
	}
	if repo.Policy == "" {
		return PolicyChange{}, &PolicyRefusedError{
			What: repo.Name + " has no lifecycle policy, and so nothing takes what is pinned",
			Do:   "plimsoll lifecycle advise writes one, where there is something to tidy",
		}
	}
	text, err := advice.Shield(repo.Policy)
	if err != nil {
		return PolicyChange{}, fmt.Errorf("the policy of %s: %w", repo.Name, err)
	}
	policy, err := lifecycle.ParsePolicy([]byte(text))
	if err != nil {
		return PolicyChange{}, err
	}
	return PolicyChange{
		Repository: repo, Uses: uses, Text: text, Policy: policy, Shields: true,
		Outlook: Foresee(repo, policy, uses, AsOf(repo, p.Now()), horizon),
	}, nil
}

// Usage reads a repository and who uses its images.
func Usage(ctx context.Context, p PolicyPorts, repository string, rollbacks int) (audit.Repository, []PolicyUse, error) {
	repo, err := p.ECR.RepositoryWithImages(ctx, repository)
	if err != nil {
		return repo, nil, err
	}
	fleet, err := p.Fleet(ctx)
	if err != nil {
		return repo, nil, err
	}
	return repo, UsesOf(fleet, repo, rollbacks), nil
}

// AsOf is now by AWS's calendar: this machine's clock, or the latest time that
// AWS tells of the repository, should that be ahead. A clock that is behind
// would make images younger than they are, and a policy look safe.
func AsOf(repo audit.Repository, now time.Time) time.Time {
	latest := now
	for _, t := range append([]time.Time{repo.EvaluatedAt}, newestTimes(repo)...) {
		if t.After(latest) {
			latest = t
		}
	}
	return latest
}

func newestTimes(repo audit.Repository) []time.Time {
	var times []time.Time
	for i := range repo.Images {
		m := &repo.Images[i]
		times = append(times, m.PushedAt, m.LastPulledAt, m.LastArchivedAt, m.LastActivatedAt)
	}
	return times
}

// Changes reports whether the policy to come says something else than the one
// in force. Spaces and the order of rules make no difference.
func (c PolicyChange) Changes() bool {
	before, err := lifecycle.ParsePolicy([]byte(c.Repository.Policy))
	return err != nil || !sameRules(before, c.Policy)
}

func sameRules(a, b lifecycle.Policy) bool {
	return slices.EqualFunc(a.Rules(), b.Rules(), func(x, y lifecycle.Rule) bool {
		same := slices.Equal(x.TagPatterns, y.TagPatterns) && slices.Equal(x.TagPrefixes, y.TagPrefixes)
		return same && x.Priority == y.Priority && x.Description == y.Description && x.TagStatus == y.TagStatus &&
			x.StorageClass == y.StorageClass && x.CountType == y.CountType && x.CountNumber == y.CountNumber && x.Action == y.Action
	})
}

// Check refuses a change that would take what is in use.
func (c PolicyChange) Check() error {
	if c.Outlook.InUse == 0 || c.Shields {
		return nil
	}
	g := c.Outlook.Going[0]
	return &PolicyRefusedError{
		What: fmt.Sprintf("rule %d would take %s, which %s", g.Rule, g.Name(), g.needs()),
		Do:   "plimsoll lifecycle advise writes one that takes nothing in use; plimsoll pin keeps what runs under any policy with a rule for keep-*",
	}
}

// Back says why the policy in force could not be put back once this one has
// replaced it: the old one takes what is in use, which is most often why it is
// replaced. nil means that it could.
func (c PolicyChange) Back() error {
	old, err := lifecycle.ParsePolicy([]byte(c.Repository.Policy))
	if err != nil {
		return err
	}
	back := PolicyChange{Policy: old}
	back.Outlook = Foresee(c.Repository, old, c.Uses, c.Outlook.At, c.Outlook.Until.Sub(c.Outlook.At))
	return back.Check()
}

// PolicyRefusedError is why a policy was not put.
type PolicyRefusedError struct{ What, Do string }

func (e *PolicyRefusedError) Error() string { return e.What }

// Hint says what to do.
func (e *PolicyRefusedError) Hint() string { return e.Do }

// PutPolicy makes a change: it reads everything once more, refuses when the
// policy or what is in use is not what the change was made for, keeps the old
// policy, puts the new one, and reads it back. It returns the file with the old
// policy, "" where there was none.
func PutPolicy(ctx context.Context, p PolicyPorts, c PolicyChange, rollbacks int) (string, error) {
	repo, uses, err := Usage(ctx, p, c.Repository.Name, rollbacks)
	if err != nil {
		return "", err
	}
	const again = "run the command again, and look at what it says now"
	switch {
	case repo.Policy != c.Repository.Policy:
		return "", &PolicyRefusedError{"somebody has changed the lifecycle policy of " + repo.Name + " meanwhile", again}
	case !slices.Equal(digestsOf(uses), digestsOf(c.Uses)):
		return "", &PolicyRefusedError{"what is in use of " + repo.Name + " has changed meanwhile", again}
	}
	fresh := c
	fresh.Outlook = Foresee(repo, c.Policy, uses, AsOf(repo, p.Now()), c.Outlook.Until.Sub(c.Outlook.At))
	if err := fresh.Check(); err != nil {
		return "", err
	}
	file := ""
	if repo.Policy != "" {
		if file, err = p.Keep(repo.Name, repo.Policy); err != nil {
			return "", fmt.Errorf("keep the old policy: %w", err)
		}
	}
	if err := p.ECR.PutPolicy(ctx, repo.Name, c.Text); err != nil {
		return file, err
	}
	after, err := p.ECR.RepositoryWithImages(ctx, repo.Name)
	if err != nil {
		return file, fmt.Errorf("the policy was put; read it back: %w", err)
	}
	put, err := lifecycle.ParsePolicy([]byte(after.Policy))
	if err != nil || !sameRules(put, c.Policy) {
		return file, errors.New("the policy was put, and another one is in force: somebody else works on " + repo.Name)
	}
	return file, nil
}

// digestsOf are the digests in use, once each, sorted.
func digestsOf(uses []PolicyUse) []string {
	var digests []string
	for _, u := range uses {
		digests = append(digests, u.Digest)
	}
	slices.Sort(digests)
	return slices.Compact(digests)
}

// CrossCheck asks AWS's own preview and compares: what it settles is settled in
// the outlook, what it takes beyond that is added, and what differs is said.
// Where it may not be asked, that is said.
func CrossCheck(ctx context.Context, p PolicyPorts, c *PolicyChange) error {
	previewed, err := p.ECR.PreviewPolicy(ctx, c.Repository.Name, c.Text)
	if errors.Is(err, deploy.Denied) || errors.Is(err, deploy.Unsupported) {
		c.Outlook.Preview.Unasked = err.Error()
		return nil
	}
	if err != nil {
		return err
	}
	result := lifecycle.Evaluate(c.Policy, bare(c.Repository.Images), c.Outlook.At, lifecycle.Options{})
	c.Outlook.settle(result, previewed)
	c.overrule(previewed)
	return nil
}
