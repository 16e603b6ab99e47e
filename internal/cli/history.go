package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/config"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/term"
)

type historyCommand struct {
	Limit int  `short:"n" help:"How many rollouts." default:"20" placeholder:"20"`
	Long  bool `short:"l" help:"Whole digests, pipelines and reasons: a paragraph a rollout."`
	servicesNames
	containerName
}

// Validate is called by kong.
func (c *historyCommand) Validate() error {
	if c.Limit < 1 || c.Limit > 1000 {
		return fmt.Errorf("--limit=%d: it must be between 1 and 1000", c.Limit)
	}
	return nil
}

// Help goes below the usage.
func (c *historyCommand) Help() string {
	return `Rollouts that others began are in it too, with what is known of them. ECS keeps
its records for about 90 days. Of a change of the count it keeps none: the newest of
each revision is told, where plimsoll made it.

  plimsoll history
  plimsoll history --long -n 3`
}

// Run shows the rollouts of a service, the newest first.
func (c *historyCommand) Run(ctx context.Context, s *session) error {
	harbours, err := s.harbours(ctx, c.servicesNames, config.Flags{Container: c.Container})
	if err != nil {
		return err
	}
	if len(harbours) > 1 {
		return c.many(ctx, s, harbours)
	}
	h := harbours[0]
	list, err := deploy.History(ctx, h.ports, h.target, h.settings.Container.Value, c.Limit)
	if err != nil {
		return err
	}
	if s.json() {
		for _, p := range list {
			s.object(p)
		}
		return nil
	}
	if len(list) == 0 {
		fmt.Fprintf(s.sys.Stdout, "%s/%s has no rollouts\n", h.target.Cluster, h.target.Service)
		return nil
	}
	if c.Long {
		return s.terminal().Paragraphs(historyLong(list))
	}
	return s.terminal().Table(toned(historyTable(list), "ENDED", endTone))
}

func historyTable(list []deploy.Past) term.Table {
	t := term.Table{
		Header: []string{"WHEN", "VERSION", "CHANGE", "REVISION", "TASKS", "COMMIT", "BY", "ENDED", "TOOK"},
		Spare:  []string{"TASKS", "COMMIT", "BY", "CHANGE", "TOOK"}, // --long has them all
	}
	for _, p := range list {
		t.Rows = append(t.Rows, []string{
			p.At.Local().Format("2006-01-02 15:04"), p.ImageTag, changeOf(p), revisionOf(p), tasksOf(p), shortCommit(p.GitSHA), p.Actor, endOf(p), took(p),
		})
	}
	return t
}

func historyLong(list []deploy.Past) term.Table {
	t := term.Table{Header: []string{"when", "version", "change", "revision", "digest", "tasks", "commit", "by", "pipeline", "ended", "took", "reason"}}
	for _, p := range list {
		t.Rows = append(t.Rows, []string{
			p.At.Local().Format(time.DateTime), p.ImageTag, cmp.Or(countOf(p), image.Change(p.From, p.ImageTag)), revisionOf(p), p.Digest, tasksOf(p),
			p.GitSHA, p.Actor, p.Pipeline, endOf(p), took(p), p.Reason,
		})
	}
	return t
}

// changeOf is what kind of change a rollout was, or which of the count.
func changeOf(p deploy.Past) string { return cmp.Or(countOf(p), p.Change) }

// countOf is a change of the count: "stop, 4 -> 0".
func countOf(p deploy.Past) string {
	if p.Count == nil {
		return ""
	}
	return p.Count.String()
}

// tasksOf is how many tasks were asked for; ECS tells it of what is there.
func tasksOf(p deploy.Past) string {
	if p.Desired == 0 && p.Count == nil {
		return ""
	}
	return fmt.Sprint(p.Desired)
}

// revisionOf is a rollout's revision, and which one it is a copy of.
func revisionOf(p deploy.Past) string {
	if p.CopyOf != "" {
		return p.TaskDefinition + " (= " + p.CopyOf + ")"
	}
	return p.TaskDefinition
}

func endOf(p deploy.Past) string {
	if p.End == deploy.EndRolledBack && p.RolledBackTo != "" {
		end := p.End + " to " + p.RolledBackTo
		if p.RolledBackBy != "" {
			end += " by " + p.RolledBackBy
		}
		return end
	}
	return p.End
}

func took(p deploy.Past) string {
	if p.Duration == 0 {
		return ""
	}
	return term.Age(p.Duration)
}

// shortCommit is a commit id as git abbreviates it.
func shortCommit(sha string) string {
	if len(sha) == 40 && strings.Trim(sha, "0123456789abcdef") == "" {
		return sha[:7]
	}
	return sha
}
