package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle/advice"
	"github.com/plimsoll-ecs/plimsoll/internal/noun"
	"github.com/plimsoll-ecs/plimsoll/internal/retain"
	"github.com/plimsoll-ecs/plimsoll/internal/term"
)

// adviceFlags say what is wanted of a policy.
type adviceFlags struct {
	Repository string   `help:"ECR repository (ECR_REPOSITORY)." placeholder:"NAME" group:"Names"`
	Horizon    string   `help:"How long what is in use must be safe without a deploy." default:"90d" placeholder:"90d"`
	Notice     string   `help:"The longest notice of a retirement (fargateTaskRetirementWaitPeriod)." default:"14d" placeholder:"14d"`
	Keep       []string `help:"Tags that are never taken, a pattern; releases when not given." placeholder:"PATTERN"`
	Few        []string `help:"Tags of which a few are kept, a pattern; dev-*, test-*, pr-*, feature-* and snapshot-* when not given." placeholder:"PATTERN"`
	FewCount   int      `help:"How many these few are." default:"10" placeholder:"10"`
	rollbackDepth
}

// advised is a piece of advice with what it is about.
type advised struct {
	quay    *quay
	repo    audit.Repository
	uses    []retain.PolicyUse
	request advice.Request
	advice  advice.Advice
}

func (c *adviceFlags) advise(ctx context.Context, s *session) (*advised, error) {
	horizon, err := parseAhead(c.Horizon)
	if err != nil {
		return nil, err
	}
	notice, err := parseAhead(c.Notice)
	if err != nil {
		return nil, err
	}
	const longest = 2 * 365 * 24 * time.Hour
	switch {
	case c.FewCount < 1:
		return nil, &usageError{fmt.Errorf("--few-count=%d: it must be above 0", c.FewCount), ""}
	case horizon < 24*time.Hour || horizon > longest || notice > longest:
		return nil, &usageError{errors.New("--horizon is 1d to 730d, and --notice at most 730d"), ""}
	}
	q, err := s.quay(ctx, c.Repository, c.Rollbacks)
	if err != nil {
		return nil, err
	}
	repo, uses, err := q.usage(ctx, c.Rollbacks)
	if err != nil {
		return nil, err
	}
	r := advice.Request{
		Now: retain.AsOf(repo, q.ports.Now()), Horizon: horizon, Notice: notice, Keep: c.Keep, Few: c.Few, FewCount: c.FewCount,
		Frozen: func(tag string) bool { return lifecycle.Frozen(repo.Mutability, repo.Exclusions, tag) },
	}
	for _, i := range repo.Images {
		r.Images = append(r.Images, advice.Image(i))
	}
	for _, u := range uses {
		r.Used = append(r.Used, advice.Use{Digest: u.Digest, By: u.By, Rollback: u.Rollback})
	}
	return &advised{quay: q, repo: repo, uses: uses, request: r, advice: advice.Advise(r)}, nil
}

type lifecycleAdvise struct {
	Write string `help:"Write the policy into this file. One that is there is left alone." type:"path" placeholder:"FILE"`
	adviceFlags
}

// Help goes below the usage.
func (c *lifecycleAdvise) Help() string {
	return `The policy has the fewest rules that tidy the repository. It never takes an
image in use, or one that a rollback could go to: that is proved by a simulation,
day by day to the horizon, with the pushes that the last 30 days let expect, before
it is shown. Nothing is changed.

  plimsoll lifecycle advise --write policy.json
  plimsoll lifecycle apply --policy policy.json`
}

// Run shows the advice.
func (c *lifecycleAdvise) Run(ctx context.Context, s *session) error {
	a, err := c.advise(ctx, s)
	if err != nil {
		return err
	}
	steps := []advice.Step{}
	if a.repo.Mutability != "IMMUTABLE" && a.repo.Mutability != "IMMUTABLE_WITH_EXCLUSION" {
		steps = advice.Immutability(a.request, a.advice, a.repo.Name)
	}
	if c.Write != "" && a.advice.Policy != "" {
		if err := writeNew(c.Write, a.advice.Policy); err != nil {
			return err
		}
	}
	if s.json() {
		s.object(struct {
			Repository string `json:"repository"`
			advice.Advice
			Document     json.RawMessage `json:"document,omitempty"` // the policy as JSON
			Immutability []advice.Step   `json:"immutability,omitempty"`
		}{a.repo.Name, a.advice, json.RawMessage(a.advice.Policy), steps})
		return nil
	}
	return s.showAdvice(a, steps, fromHere(c.Write))
}

// fromHere is a file as it is called in the working directory, where it is in it.
func fromHere(file string) string {
	here, err := os.Getwd()
	if err != nil {
		return file
	}
	if name, err := filepath.Rel(here, file); err == nil && filepath.IsLocal(name) {
		return name
	}
	return file
}

// writeNew writes a file that is not there yet.
func writeNew(name, text string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return &refusedError{fmt.Errorf("%s is there already", name)}
	}
	if err != nil {
		return &usageError{err, ""}
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

func (s *session) showAdvice(a *advised, steps []advice.Step, file string) error {
	out, v := s.sys.Stdout, a.advice
	running, back := counts(a.uses)
	fmt.Fprintf(out, "%s: %s, %s; %d in use, %d more to roll back to\n", a.repo.Name, noun.Count(v.Now.Images, "image"), fileSize(v.Now.Bytes), running, back)
	for _, note := range v.Notes {
		s.sentence("", "note: "+note, 2)
	}
	if v.Policy == "" {
		fmt.Fprintf(out, "no policy: %s\n", v.Why)
		s.warnOfPresent(a)
	} else {
		if file == "" {
			fmt.Fprintf(out, "\n%s", v.Policy)
		}
		fmt.Fprintln(out)
		for _, r := range v.Reasons {
			s.sentence("", fmt.Sprintf("rule %d: %s", r.Rule, r.Say), 2)
		}
		fmt.Fprintln(out)
		row := func(when string, size advice.Size) []string {
			return []string{when, fmt.Sprint(size.Images), fileSize(size.Bytes)}
		}
		then := fmt.Sprintf("in %d days", v.Days)
		table := term.Table{Header: []string{"", "IMAGES", "SIZE AT MOST"}, Rows: [][]string{
			row("now", v.Now), row("after the first run", v.First), row(then+", with this policy", v.Then), row(then+", without any", v.Undone),
		}}
		if err := s.terminal().Table(table); err != nil {
			return err
		}
		fmt.Fprintln(out)
		s.sentence("", fmt.Sprintf("proved: until %s no run takes an image in use or one to roll back to, with %s",
			v.Until.Local().Format(time.DateOnly), pushesOf(v.Streams)), 2)
	}
	for i, step := range steps {
		if i == 0 {
			fmt.Fprintln(out, "\nto make the tags immutable, in this order:")
		}
		fmt.Fprintf(out, "%d. %s\n", i+1, step.Do)
		s.sentence("   ", step.Why, 3)
		if step.Command == "" {
			continue
		}
		if file != "" && strings.HasPrefix(step.Command, "plimsoll lifecycle apply") {
			step.Command += " --policy " + file
		}
		fmt.Fprintf(out, "   %s\n", step.Command)
	}
	if file != "" && v.Policy != "" {
		fmt.Fprintf(s.sys.Stderr, "%s is written\n", file)
	}
	return nil
}

// present is the outlook of the policy in force, and whether that takes what is
// needed.
func (a *advised) present() (retain.Outlook, bool) {
	policy, err := lifecycle.ParsePolicy([]byte(a.repo.Policy))
	if err != nil { // none
		return retain.Outlook{}, false
	}
	o := retain.Foresee(a.repo, policy, a.uses, a.request.Now, a.request.Horizon)
	return o, o.InUse > 0
}

// keepPresent says how to go on with a policy in force that is not safe, "" where it is.
func (a *advised) keepPresent() string {
	if _, unsafe := a.present(); !unsafe {
		return ""
	}
	return fmt.Sprintf("the policy in force takes what is in use: pin that, by plimsoll pin, and plimsoll lifecycle apply --shield --repository %s", a.repo.Name)
}

// warnOfPresent says when the policy in force takes what is needed, where no
// other one takes its place.
func (s *session) warnOfPresent(a *advised) {
	if o, unsafe := a.present(); unsafe {
		fmt.Fprintf(s.sys.Stdout, "the policy in force is not safe: %s; take it away:\n  aws ecr delete-lifecycle-policy --repository-name %s\n", sumOf(o), a.repo.Name)
		fmt.Fprintf(s.sys.Stdout, "or pin what runs, by plimsoll pin, and keep it with a rule for pins before the others:\n  plimsoll lifecycle apply --shield --repository %s\n", a.repo.Name)
	}
}

// counts are how many digests are in use, and how many only a rollback needs.
func counts(uses []retain.PolicyUse) (running, back int) {
	seen := map[string]bool{}
	for _, only := range []bool{false, true} {
		for _, u := range uses {
			if u.Rollback != only || seen[u.Digest] {
				continue
			}
			seen[u.Digest] = true
			if only {
				back++
			} else {
				running++
			}
		}
	}
	return running, back
}

// pushesOf says what was simulated.
func pushesOf(streams []advice.Stream) string {
	perDay := 0.0
	for _, s := range streams {
		perDay += s.PerDay
	}
	if perDay == 0 {
		return "no pushes, as in the last 30 days"
	}
	return fmt.Sprintf("%.1f pushes a day, as in the last 30 days, and every tag moving that can move", perDay)
}
