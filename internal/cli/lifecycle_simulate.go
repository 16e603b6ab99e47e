package cli

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/noun"
	"github.com/plimsoll-ecs/plimsoll/internal/retain"
	"github.com/plimsoll-ecs/plimsoll/internal/term"
)

type lifecycleSimulate struct {
	policyFile
	At         string   `help:"How far ahead to look, such as +14d; the next run when not given." placeholder:"+14d"`
	Repository []string `help:"ECR repository (ECR_REPOSITORY); several times for several." placeholder:"NAME" group:"Names"`
	NoPreview  bool     `help:"Do not ask AWS's own preview."`
	rollbackDepth
}

// Help goes below the usage.
func (c *lifecycleSimulate) Help() string {
	return `Without --policy it is the policy in force. Pushes to come are not guessed, and
no tag moves. The next run is compared with AWS's own preview, which settles what
AWS's documentation leaves open. Nothing is changed.

  plimsoll lifecycle simulate --policy new.json --at +14d

The exit code is 8 when something would go that is in use, or that a rollback
could go back to.`
}

// Run shows what would go.
func (c *lifecycleSimulate) Run(ctx context.Context, s *session) error {
	horizon, err := parseAhead(cmp.Or(c.At, "0s"))
	if err != nil {
		return err
	}
	text := ""
	if c.Policy != "" {
		if text, err = c.read(s); err != nil {
			return err
		}
	}
	repositories := c.Repository
	if len(repositories) == 0 {
		repositories = []string{""}
	}
	lost := false
	var fleet fleetOnce
	for i, repository := range repositories {
		if i > 0 && !s.json() {
			fmt.Fprintln(s.sys.Stdout)
		}
		outlook, err := c.outlook(ctx, s, &fleet, repository, text, horizon)
		if err != nil {
			return err
		}
		lost = lost || outlook.InUse > 0
	}
	if lost {
		return &exitError{8}
	}
	return nil
}

// outlook shows one repository.
func (c *lifecycleSimulate) outlook(ctx context.Context, s *session, fleet *fleetOnce, repository, text string, horizon time.Duration) (retain.Outlook, error) {
	q, err := s.quay(ctx, repository, c.Rollbacks)
	if err != nil {
		return retain.Outlook{}, err
	}
	q.ports.Fleet = fleet.of(q.ports.Fleet)
	repo, uses, err := q.usage(ctx, c.Rollbacks)
	if err != nil {
		return retain.Outlook{}, err
	}
	name := c.Policy
	if name == "" {
		text, name = repo.Policy, "the policy in force"
	}
	change := retain.PolicyChange{Repository: repo, Uses: uses, Text: text}
	if text != "" {
		if change.Policy, err = lifecycle.ParsePolicy([]byte(text)); err != nil {
			return retain.Outlook{}, invalidPolicy(name, err)
		}
	}
	change.Outlook = retain.Foresee(repo, change.Policy, uses, retain.AsOf(repo, q.ports.Now()), horizon)
	if text != "" && !c.NoPreview {
		if err := retain.CrossCheck(ctx, q.ports, &change); err != nil {
			return retain.Outlook{}, err
		}
	}
	if s.json() {
		s.object(change.Outlook)
		return change.Outlook, nil
	}
	if text == "" {
		fmt.Fprintf(s.sys.Stdout, "%s: %s, %s; it has no lifecycle policy, so nothing goes\n", repo.Name, noun.Count(len(repo.Images), "image"), fileSize(change.Outlook.Bytes))
		return change.Outlook, nil
	}
	return change.Outlook, s.showOutlook(change)
}

// fleetOnce reads the fleet for the first repository, and not again.
type fleetOnce struct{ known *audit.Fleet }

func (o *fleetOnce) of(read func(context.Context) (audit.Fleet, error)) func(context.Context) (audit.Fleet, error) {
	return func(ctx context.Context) (audit.Fleet, error) {
		if o.known == nil {
			fleet, err := read(ctx)
			if err != nil {
				return fleet, err
			}
			o.known = &fleet
		}
		return *o.known, nil
	}
}

// mostShown is how many images a table has that are not in use.
const mostShown = 20

func (s *session) showOutlook(c retain.PolicyChange) error {
	o := c.Outlook
	fmt.Fprintf(s.sys.Stdout, "%s: %s\n", o.Repository, sumOf(o))
	if len(o.Going) > 0 {
		fmt.Fprintln(s.sys.Stdout)
		if err := s.terminal().Table(byRule(c)); err != nil {
			return err
		}
		fmt.Fprintln(s.sys.Stdout)
		shown := o.Going[:min(len(o.Going), o.InUse+mostShown)]
		if err := s.terminal().Table(goingTable(o, shown)); err != nil {
			return err
		}
		if rest := len(o.Going) - len(shown); rest > 0 {
			fmt.Fprintf(s.sys.Stdout, "and %d more, none of them needed (--output json has them all)\n", rest)
		}
	}
	return s.showPreview(o)
}

// sumOf is an outlook in a line.
func sumOf(o retain.Outlook) string {
	when := "the next run"
	if o.Until.After(o.At) {
		when = "a policy run within " + ahead(o.Until.Sub(o.At))
	}
	if len(o.Going) == 0 {
		return fmt.Sprintf("%s takes none of %s (%s)", when, noun.Count(o.Images, "image"), fileSize(o.Bytes))
	}
	var bytes int64
	for _, g := range o.Going {
		bytes += g.Bytes
	}
	use := "none that a service needs"
	if o.InUse > 0 {
		use = fmt.Sprintf("%d that services NEED", o.InUse)
	}
	return fmt.Sprintf("%s takes %d of %s (%s of %s), %s", when, len(o.Going), noun.Count(o.Images, "image"), fileSize(bytes), fileSize(o.Bytes), use)
}

// byRule sums up what each rule takes.
func byRule(c retain.PolicyChange) term.Table {
	type sum struct {
		images, used int
		bytes        int64
	}
	sums := map[int]*sum{}
	for _, g := range c.Outlook.Going {
		if sums[g.Rule] == nil {
			sums[g.Rule] = &sum{}
		}
		sums[g.Rule].images++
		sums[g.Rule].bytes += g.Bytes
		if len(g.Users) > 0 {
			sums[g.Rule].used++
		}
	}
	words := map[int]string{0: "with its subject"}
	for _, r := range c.Policy.Rules() {
		words[r.Priority] = ruleWords(r)
	}
	table := term.Table{Header: []string{"RULE", "TAKES", "IMAGES", "NEEDED", "SIZE"}}
	for _, rule := range slices.Sorted(maps.Keys(sums)) {
		n := sums[rule]
		table.Rows = append(table.Rows, []string{ruleNumber(rule), words[rule], fmt.Sprint(n.images), fmt.Sprint(n.used), fileSize(n.bytes)})
	}
	return table
}

func ruleNumber(rule int) string {
	if rule == 0 {
		return ""
	}
	return fmt.Sprint(rule)
}

// ruleWords says what a rule takes.
func ruleWords(r lifecycle.Rule) string {
	what := string(r.TagStatus)
	switch {
	case r.TagPrefixes != nil:
		what = strings.Join(r.TagPrefixes, "… and ") + "…"
	case r.TagPatterns != nil:
		what = strings.Join(r.TagPatterns, " and ")
	case r.TagStatus == lifecycle.AnyTag:
		what = "any image"
	}
	switch r.CountType {
	case lifecycle.CountMoreThan:
		what += fmt.Sprintf(" beyond the newest %d", r.CountNumber)
	case lifecycle.SincePulled:
		what += fmt.Sprintf(" not pulled for %s", noun.Count(r.CountNumber, "day"))
	case lifecycle.SinceTransitioned:
		what = "archived for " + noun.Count(r.CountNumber, "day")
	default:
		what += " older than " + noun.Count(r.CountNumber, "day")
	}
	if r.Action == lifecycle.Transition {
		what += ", to the archive"
	}
	return what
}

func goingTable(o retain.Outlook, going []retain.Going) term.Table {
	table := term.Table{Header: []string{"IMAGE", "DIGEST", "RULE", "WHEN", "SIZE", "NEEDED BY"}}
	doubts := slices.ContainsFunc(going, func(g retain.Going) bool { return g.Doubt != "" })
	if doubts {
		table.Header = append(table.Header, "HANGS ON")
	}
	for _, g := range going {
		when := "next run"
		if g.At.After(o.At) {
			when = "from " + g.At.Local().Format(time.DateTime)
		}
		by := strings.Join(g.Users, ", ")
		if g.Back {
			by += " (rollback)"
		}
		row := []string{strings.Join(g.Tags, ", "), image.ShortDigest(g.Digest), ruleNumber(g.Rule), when, fileSize(g.Bytes), by}
		if doubts {
			row = append(row, g.Doubt)
		}
		table.Rows = append(table.Rows, row)
	}
	return table
}

func (s *session) showPreview(o retain.Outlook) error {
	p := o.Preview
	switch {
	case p.Unasked != "":
		fmt.Fprintf(s.sys.Stdout, "\nAWS's preview was not asked: %s\n", p.Unasked)
	case !p.Asked:
	case len(p.Differs) == 0:
		settled := ""
		if p.Settled > 0 {
			settled = fmt.Sprintf(", and settles what was open for %d of them", p.Settled)
		}
		fmt.Fprintf(s.sys.Stdout, "\nAWS's preview of the next run agrees: it takes %s%s\n", noun.Count(p.Takes, "image"), settled)
	default:
		fmt.Fprintf(s.sys.Stdout, "\nAWS's preview of the next run differs; what AWS says counts:\n")
		table := term.Table{Header: []string{"IMAGE", "HERE", "AWS"}}
		for _, d := range p.Differs {
			table.Rows = append(table.Rows, []string{d.Name, d.Here, d.AWS})
		}
		return s.terminal().Table(table)
	}
	return nil
}
