package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/noun"
	"github.com/plimsoll-ecs/plimsoll/internal/retain"
)

type lifecycleApply struct {
	policyFile
	Shield    bool   `help:"Keep the policy in force, with a first rule that protects pins (keep-*)."`
	Yes       bool   `help:"Do not ask."`
	NoPreview bool   `help:"Do not ask AWS's own preview."`
	Safe      string `help:"So long nothing that is in use may go." default:"14d" placeholder:"14d"`
	KeepOld   string `name:"keep-old" help:"Folder for the old policy; the working directory when not given." type:"existingdir" placeholder:"DIR"`
	adviceFlags
}

// Help goes below the usage.
func (c *lifecycleApply) Help() string {
	return `Without --policy it is what plimsoll lifecycle advise writes; with --shield it is
the policy in force, and before it a rule that spares what plimsoll pin has pinned.
The change is shown, and asked for on a terminal; elsewhere --yes is wanted. Just
before it is made all is read once more: it is refused (exit 3) when somebody has
changed the policy, when something else is in use than was shown, or when the policy
would take what is in use. The old policy is kept in a file, and the command that
puts it back is printed.

  plimsoll lifecycle apply --policy policy.json
  plimsoll lifecycle apply --shield`
}

// Run puts a policy.
func (c *lifecycleApply) Run(ctx context.Context, s *session) error {
	safe, err := parseAhead(c.Safe)
	if err != nil {
		return err
	}
	q, change, err := c.plan(ctx, s, safe)
	if err != nil {
		return err
	}
	q.ports.Keep = keepOld(c.KeepOld, time.Now)
	if err := q.expected(change.Repository); err != nil {
		return err
	}
	if !change.Changes() {
		return s.applied(applied{Repository: q.repository, Unchanged: true})
	}
	if !c.NoPreview {
		if err := retain.CrossCheck(ctx, q.ports, &change); err != nil {
			return err
		}
	}
	if err := s.showChange(change); err != nil {
		return err
	}
	if err := change.Check(); err != nil {
		return &refusedError{err}
	}
	if !c.Yes {
		if err := s.ask(fmt.Sprintf("put this policy on %s?", q.repository)); err != nil {
			return err
		}
	}
	file, err := retain.PutPolicy(ctx, q.ports, change, c.Rollbacks)
	if refused, ok := errors.AsType[*retain.PolicyRefusedError](err); ok {
		return &refusedError{refused}
	}
	if err != nil {
		if file != "" {
			err = fmt.Errorf("%w (the old policy is in %s)", err, file)
		}
		return err
	}
	a := applied{Repository: q.repository, Old: file, StillTaken: change.Outlook.InUse}
	a.undo(change)
	return s.applied(a)
}

// plan works out what would change.
func (c *lifecycleApply) plan(ctx context.Context, s *session, safe time.Duration) (*quay, retain.PolicyChange, error) {
	if c.Shield {
		if c.Policy != "" {
			return nil, retain.PolicyChange{}, &usageError{errors.New("--shield keeps the policy in force, and --policy puts another"), "give one of them"}
		}
		q, err := s.quay(ctx, c.Repository, c.Rollbacks)
		if err != nil {
			return nil, retain.PolicyChange{}, err
		}
		change, err := retain.PlanShield(ctx, q.ports, q.repository, c.Rollbacks, safe)
		if refused, ok := errors.AsType[*retain.PolicyRefusedError](err); ok {
			err = &refusedError{refused}
		}
		return q, change, err
	}
	q, text, err := c.wanted(ctx, s)
	if err != nil {
		return nil, retain.PolicyChange{}, err
	}
	change, err := retain.PlanPolicy(ctx, q.ports, q.repository, text, c.Rollbacks, safe)
	return q, change, invalidPolicy(c.Policy, err)
}

// wanted is the policy to put: that of the file, or what is advised.
func (c *lifecycleApply) wanted(ctx context.Context, s *session) (*quay, string, error) {
	if c.Policy != "" {
		text, err := c.read(s)
		if err != nil {
			return nil, "", err
		}
		q, err := s.quay(ctx, c.Repository, c.Rollbacks)
		return q, text, err
	}
	a, err := c.advise(ctx, s)
	if err != nil {
		return nil, "", err
	}
	if a.advice.Policy == "" {
		return nil, "", &refusedError{&retain.PolicyRefusedError{What: a.advice.Why, Do: a.keepPresent()}}
	}
	return a.quay, a.advice.Policy, nil
}

// applied is what became of it.
type applied struct {
	Repository string `json:"repository"`
	Unchanged  bool   `json:"unchanged,omitempty"`
	Old        string `json:"old,omitempty"`         // file with the policy before
	Undo       string `json:"undo,omitempty"`        // command
	Refused    string `json:"undoRefused,omitempty"` // why plimsoll itself would not undo it
	StillTaken int    `json:"stillTaken,omitempty"`  // images in use that the rules behind a shield take
}

func (s *session) applied(a applied) error {
	switch {
	case s.json():
		s.object(a)
	case a.Unchanged:
		fmt.Fprintf(s.sys.Stdout, "%s has that policy already\n", a.Repository)
	default:
		fmt.Fprintf(s.sys.Stdout, "%s: the policy is in force; ECR runs it within 24 hours\n", a.Repository)
		if a.StillTaken > 0 {
			fmt.Fprintf(s.sys.Stdout, "%s not pinned, and still taken: pin what runs, by plimsoll pin\n", noun.Forms(a.StillTaken, "image in use is", "images in use are"))
		}
		if a.Old != "" {
			fmt.Fprintf(s.sys.Stdout, "the old one is in %s\n", a.Old)
		}
		if a.Refused != "" {
			fmt.Fprintf(s.sys.Stdout, "plimsoll would not put that back: %s\n", a.Refused)
		}
		fmt.Fprintf(s.sys.Stdout, "to undo it before that: %s\n", a.Undo)
	}
	return nil
}

// undo is the command that makes the change undone. This one refuses a policy that
// takes what is in use; the aws CLI puts back what was there.
func (a *applied) undo(c retain.PolicyChange) {
	switch refused := c.Back(); {
	case a.Old == "":
		a.Undo = "aws ecr delete-lifecycle-policy --repository-name " + a.Repository
	case refused != nil:
		a.Refused = refused.Error()
		a.Undo = fmt.Sprintf("aws ecr put-lifecycle-policy --repository-name %s --lifecycle-policy-text %s", a.Repository, shellQuote("file://"+a.Old))
	default:
		a.Undo = fmt.Sprintf("plimsoll lifecycle apply --repository %s --policy %s", a.Repository, shellQuote(a.Old))
	}
}

// showChange is the story before it is made.
func (s *session) showChange(c retain.PolicyChange) error {
	if s.json() {
		return nil
	}
	if c.Repository.Policy == "" {
		fmt.Fprintf(s.sys.Stdout, "+ %s\n", strings.ReplaceAll(indented(c.Text), "\n", "\n+ "))
	} else if err := lineDiff(s.sys.Stdout, indented(c.Repository.Policy), indented(c.Text)); err != nil {
		return err
	}
	fmt.Fprintf(s.sys.Stdout, "\n%s: %s\n", c.Repository.Name, sumOf(c.Outlook))
	if c.Outlook.InUse > 0 {
		if err := s.terminal().Table(goingTable(c.Outlook, c.Outlook.Going[:c.Outlook.InUse])); err != nil {
			return err
		}
	}
	if err := s.showPreview(c.Outlook); err != nil {
		return err
	}
	fmt.Fprintln(s.sys.Stdout)
	return nil
}

// document is a policy with its members in the order in which the user guide of
// ECR has them.
type document struct {
	Rules []documentRule `json:"rules"`
}

type documentRule struct {
	Priority    any `json:"rulePriority,omitempty"`
	Description any `json:"description,omitempty"`
	Selection   struct {
		TagStatus      any `json:"tagStatus,omitempty"`
		TagPatternList any `json:"tagPatternList,omitempty"`
		TagPrefixList  any `json:"tagPrefixList,omitempty"`
		StorageClass   any `json:"storageClass,omitempty"`
		CountType      any `json:"countType,omitempty"`
		CountUnit      any `json:"countUnit,omitempty"`
		CountNumber    any `json:"countNumber,omitempty"`
	} `json:"selection"`
	Action any `json:"action,omitempty"`
}

// indented is a policy a member a line and in one order, so that a difference
// is a line. One with members that nobody has heard of stays as it is.
func indented(policy string) string {
	var d document
	decoder := json.NewDecoder(strings.NewReader(policy))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&d) != nil {
		return policy
	}
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil { // of what was JSON a moment ago
		return policy
	}
	return string(text)
}

// ask waits for a yes on the terminal; without a terminal nobody can give it.
func (s *session) ask(question string) error {
	if !isTerminal(s.sys.Stdin) || s.json() {
		return &usageError{errors.New("nobody is there to ask; nothing was changed"), "--yes puts it without asking"}
	}
	fmt.Fprintf(s.sys.Stderr, "%s [y/N] ", question)
	answer, err := s.answersIn().ReadString('\n')
	if err != nil && answer == "" {
		fmt.Fprintln(s.sys.Stderr)
	}
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
		return &refusedError{errors.New("you said no")}
	}
	return nil
}
