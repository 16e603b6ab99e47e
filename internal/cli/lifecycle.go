package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/awsapi"
	"github.com/plimsoll-ecs/plimsoll/internal/config"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/noun"
	"github.com/plimsoll-ecs/plimsoll/internal/retain"
	"github.com/plimsoll-ecs/plimsoll/internal/survey"
)

type lifecycleCommand struct {
	Show     lifecycleShow     `cmd:"" help:"Draw the load line of a repository: its images against the cut of the policy."`
	Simulate lifecycleSimulate `cmd:"" help:"Show what a lifecycle policy would take, and what of it is in use."`
	Lint     lifecycleLint     `cmd:"" help:"Say what a lifecycle policy does that it does not seem to."`
	Advise   lifecycleAdvise   `cmd:"" help:"Write the smallest policy that takes nothing in use, and prove it."`
	Apply    lifecycleApply    `cmd:"" help:"Put a lifecycle policy, after showing what it changes. The old one is kept in a file."`
}

// policyFile is a lifecycle policy in a file.
type policyFile struct {
	Policy string `help:"Lifecycle policy, JSON; - is standard input." placeholder:"FILE"`
}

// read is the text of the file with the name to call it by.
func (f policyFile) read(s *session) (string, error) {
	var text []byte
	var err error
	if f.Policy == "-" {
		text, err = io.ReadAll(s.sys.Stdin)
	} else {
		text, err = os.ReadFile(f.Policy)
	}
	if err != nil {
		return "", &usageError{fmt.Errorf("read the policy: %w", err), "--policy FILE, or - for standard input"}
	}
	return string(text), nil
}

// invalidPolicy says where a policy is wrong that ECR would refuse.
func invalidPolicy(name string, err error) error {
	refused, ok := errors.AsType[*lifecycle.PolicyError](err)
	if !ok {
		return err
	}
	return &usageError{
		fmt.Errorf("%s:%d:%d: %s", name, refused.Line, refused.Column, refused.Detail),
		"ECR would say: " + refused.Constraint,
	}
}

// rollbackDepth is how far back counts as used.
type rollbackDepth struct {
	Rollbacks int `help:"So many earlier releases of each service count as in use: a rollback goes to them." default:"3" placeholder:"3"`
}

// Validate is called by kong.
func (d rollbackDepth) Validate() error {
	if d.Rollbacks < 0 || d.Rollbacks > 50 {
		return fmt.Errorf("--rollbacks=%d: it is 0 to 50", d.Rollbacks)
	}
	return nil
}

// quay is where commands about a lifecycle policy work.
type quay struct {
	client     *awsapi.Client
	ports      retain.PolicyPorts
	settings   config.Settings
	repository string
}

// quay finds the repository and prepares the calls to AWS; of these it makes
// none.
func (s *session) quay(ctx context.Context, repository string, rollbacks int) (*quay, error) {
	look, err := s.lookup()
	if err != nil {
		return nil, err
	}
	set, err := look.Resolve(config.Flags{Repository: repository})
	if err == nil {
		err = set.Require(&set.Repository)
	}
	if err != nil {
		return nil, err
	}
	client, err := awsapi.New(ctx, awsapi.Options{Log: s.log(), Region: s.regionOf(look, set)})
	if err != nil {
		return nil, err
	}
	spots, err := s.spots(ctx, look)
	if err != nil {
		return nil, err
	}
	return &quay{client: client, settings: set, repository: set.Repository.Value, ports: retain.PolicyPorts{
		ECR:   client,
		Fleet: func(ctx context.Context) (audit.Fleet, error) { return s.inUse(ctx, spots, rollbacks) },
		Now:   time.Now,
	}}, nil
}

// inUse reads what runs in all places. It fails where that is not known.
func (s *session) inUse(ctx context.Context, spots []survey.Spot, rollbacks int) (audit.Fleet, error) {
	fleet, err := survey.Survey(ctx, spots, survey.Options{RollbackTargets: rollbacks})
	if err != nil {
		return fleet, err
	}
	unseen, err := retain.Seen(fleet)
	for _, b := range unseen {
		fmt.Fprintf(s.sys.Stderr, "not seen: %s: %s (%s)\n", b.About, b.Reason, b.Action)
	}
	return fleet, err
}

// usage reads the repository and who uses its images. One in another account
// than the settings expect is refused.
func (q *quay) usage(ctx context.Context, rollbacks int) (audit.Repository, []retain.PolicyUse, error) {
	repo, uses, err := retain.Usage(ctx, q.ports, q.repository, rollbacks)
	if err != nil {
		return repo, nil, err
	}
	return repo, uses, q.expected(repo)
}

func (q *quay) expected(repo audit.Repository) error {
	for _, wrong := range []struct {
		what, is string
		want     config.Value
	}{{"account", repo.Account, q.settings.Account}, {"region", repo.Region, q.settings.Region}} {
		if wrong.want.Value != "" && wrong.want.Value != wrong.is {
			return &refusedError{fmt.Errorf("%s is in %s %s, and %s says %s", repo.Name, wrong.what, wrong.is, wrong.want.Source, wrong.want.Value)}
		}
	}
	return nil
}

// parseAhead reads how far ahead to look: +14d, 14d, 36h.
func parseAhead(text string) (time.Duration, error) {
	d, err := parseSpan(strings.TrimPrefix(text, "+"))
	if err != nil {
		return 0, &usageError{fmt.Errorf("%q is no time ahead", text), "for example +14d, 90d or 36h"}
	}
	return d, nil
}

// fileSize says bytes as people do.
func fileSize(n int64) string {
	size, unit := float64(n), "B"
	for _, next := range []string{"kB", "MB", "GB", "TB"} {
		if size < 1000 {
			break
		}
		size, unit = size/1000, next
	}
	if unit == "B" || size >= 100 {
		return fmt.Sprintf("%.0f %s", size, unit)
	}
	return fmt.Sprintf("%.1f %s", size, unit)
}

// ahead says how far off a time is, as it is given: 14d.
func ahead(d time.Duration) string {
	if d > 0 && d%(24*time.Hour) == 0 {
		return noun.Count(int(d/(24*time.Hour)), "day")
	}
	return d.String()
}

// keepOld writes a policy into a new file of the folder. A second one of the
// same second has a number: nothing is overwritten.
func keepOld(folder string, now func() time.Time) func(repository, policy string) (string, error) {
	return func(repository, policy string) (string, error) {
		stem := filepath.Join(cmp.Or(folder, "."), fmt.Sprintf("%s-lifecycle-%s",
			strings.ReplaceAll(repository, "/", "-"), now().UTC().Format("20060102-150405")))
		name := stem + ".json"
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		for n := 2; errors.Is(err, fs.ErrExist); n++ {
			name = fmt.Sprintf("%s-%d.json", stem, n)
			f, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		}
		if err != nil {
			return "", err
		}
		_, err = f.WriteString(policy)
		return name, errors.Join(err, f.Close())
	}
}
