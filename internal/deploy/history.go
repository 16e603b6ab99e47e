package deploy

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
	"github.com/plimsoll-ecs/plimsoll/internal/taskdef"
)

// How a rollout of the [History] ended.
const (
	EndStable     = "stable"
	EndRolledBack = "rolled back"
	EndFailed     = "failed"
	EndSuperseded = "superseded"
	EndRolling    = "rolling" // it has not
)

// Past is one rollout of a service. Its JSON form is what --output json prints;
// fields are only ever added. What is not known is empty: a rollout that
// something else began has no commit, actor and pipeline. The newest change of the
// count of each revision is in between.
type Past struct {
	At             time.Time     `json:"at"`
	Duration       time.Duration `json:"durationNs,omitempty"` // 0 while it goes on
	ImageTag       string        `json:"imageTag,omitempty"`
	From           string        `json:"from,omitempty"`   // the version before, of the last rollout that was stable
	Change         string        `json:"change,omitempty"` // as [image.ChangeKind] has it
	Digest         string        `json:"digest,omitempty"`
	TaskDefinition string        `json:"taskDefinition"` // family:revision
	CopyOf         string        `json:"copyOf,omitempty"`
	Desired        int           `json:"desired,omitempty"`
	GitSHA         string        `json:"gitSha,omitempty"`
	Actor          string        `json:"actor,omitempty"`
	Pipeline       string        `json:"pipeline,omitempty"`
	Count          *CountChange  `json:"count,omitempty"`  // it is no rollout but a change of the count: then there is no end
	End            string        `json:"end"`              // one of the constants above
	Reason         string        `json:"reason,omitempty"` // ECS's own, where it did not go well
	RolledBackTo   string        `json:"rolledBackTo,omitempty"`
	RolledBackBy   string        `json:"rolledBackBy,omitempty"` // where a person did it, with rollback
}

// History is the rollouts of a service, the newest first, at most limit. ECS
// keeps its records for about 90 days; where it keeps none, history is the
// deployments that the service has now.
func History(ctx context.Context, p Ports, t Target, container string, limit int) ([]Past, error) {
	j := begin(p, t, 0, func(story.Event) {})
	s, err := j.found(ctx)
	if err != nil {
		return nil, err
	}
	records, err := j.records(ctx, s, limit+1) // the oldest says what came before
	if err != nil {
		return nil, err
	}
	documents := j.revisions(ctx, records)
	list := make([]Past, len(records))
	before := "" // the version that was stable last
	seen := map[string]bool{}
	for i, r := range slices.Backward(records) {
		list[i] = past(r, documents[r.TaskDefinition], container)
		var newer *rollout.ServiceDeployment
		if i > 0 {
			newer = &records[i-1]
		}
		list[i].End = ending(r, newer, verdictOf(documents[r.TaskDefinition]))
		if list[i].End == EndStable {
			list[i].Reason = ""
		}
		if seen[r.TaskDefinition] { // who registered a revision is not who comes back to it
			list[i].Actor, list[i].Pipeline = "", ""
		}
		seen[r.TaskDefinition] = true
		list[i].From, list[i].Change = before, image.ChangeKind(before, list[i].ImageTag)
		if list[i].End == EndStable && list[i].ImageTag != "" {
			before = list[i].ImageTag
		}
	}
	list = attribute(list, records, documents, container)
	return list[:min(len(list), limit)], nil
}

// records are ECS's own of the service, or made of its deployments.
func (j *job) records(ctx context.Context, s Service, limit int) ([]rollout.ServiceDeployment, error) {
	briefs, err := j.AWS.ServiceDeployments(ctx, j.target.Cluster, j.target.Service, limit)
	if errors.Is(err, Unsupported) {
		return currentRollouts(s), nil
	}
	if err != nil {
		return nil, err
	}
	arns := make([]string, len(briefs))
	for i, b := range briefs {
		arns[i] = b.ARN
	}
	details, err := j.AWS.DescribeServiceDeployments(ctx, arns)
	if errors.Is(err, Denied) {
		return briefs, nil
	}
	if err != nil {
		return nil, err
	}
	for i, b := range briefs {
		if d := slices.IndexFunc(details, func(d rollout.ServiceDeployment) bool { return d.ARN == b.ARN }); d >= 0 {
			briefs[i] = details[d]
		}
	}
	return briefs, nil
}

// currentRollouts makes records of what DescribeServices shows.
func currentRollouts(s Service) []rollout.ServiceDeployment {
	var list []rollout.ServiceDeployment
	for _, d := range s.Deployments {
		r := rollout.ServiceDeployment{TaskDefinition: d.TaskDefinition, CreatedAt: d.CreatedAt, Requested: d.Desired, Reason: d.RolloutReason}
		switch {
		case d.RolloutState == "COMPLETED":
			r.Status, r.FinishedAt, r.Reason = "SUCCESSFUL", d.UpdatedAt, ""
		case d.RolloutState == "FAILED":
			r.Status, r.FinishedAt = "STOPPED", d.UpdatedAt
		default:
			r.Status = "IN_PROGRESS"
		}
		list = append(list, r)
	}
	return list
}

// revisions reads the task definitions of rollouts, those that are still there
// and may be read.
func (j *job) revisions(ctx context.Context, records []rollout.ServiceDeployment) map[string]*taskdef.Document {
	const atOnce = 8
	found := map[string]*taskdef.Document{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for _, r := range records {
		mu.Lock()
		_, seen := found[r.TaskDefinition]
		found[r.TaskDefinition] = nil
		mu.Unlock()
		if seen || r.TaskDefinition == "" {
			continue
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if doc, err := j.document(ctx, r.TaskDefinition); err == nil {
				mu.Lock()
				found[r.TaskDefinition] = doc
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return found
}

// past is what is known of one rollout, but for what the others tell; doc is
// nil where it cannot be read.
func past(r rollout.ServiceDeployment, doc *taskdef.Document, container string) Past {
	one := Past{
		At: r.CreatedAt, TaskDefinition: rollout.RevisionName(r.TaskDefinition), Desired: r.Requested,
		Reason: cmp.Or(r.RollbackReason, r.Reason), RolledBackTo: rollout.RevisionName(r.RolledBackTo),
	}
	if !r.FinishedAt.IsZero() {
		one.Duration = r.FinishedAt.Sub(r.CreatedAt)
	}
	if doc == nil {
		return one
	}
	tags := doc.Tags()
	one.ImageTag, one.Digest, one.CopyOf = imageTagOf(doc, container), tags[tagDigest], tags[tagCopyOf]
	one.GitSHA, one.Actor, one.Pipeline = tags[tagGitSHA], tags[tagActor], tags[tagPipeline]
	if c, err := doc.TargetContainer(container); err == nil {
		one.Digest = cmp.Or(r.Digests[c.Name], one.Digest)
	}
	return one
}

// verdictOf is what plimsoll noted on a revision.
func verdictOf(doc *taskdef.Document) string {
	if doc == nil {
		return ""
	}
	return doc.Tags()[tagVerdict]
}

// ending reads ECS's status of a service deployment. STOPPED stands for two
// things that ECS tells apart in prose only: it failed and was left so, or a
// newer one came while it went on.
func ending(r rollout.ServiceDeployment, newer *rollout.ServiceDeployment, verdict string) string {
	switch r.Status {
	case "SUCCESSFUL":
		return EndStable
	case "ROLLBACK_SUCCESSFUL":
		return EndRolledBack
	case "ROLLBACK_FAILED":
		return EndFailed
	case "STOPPED":
		if verdict == "failed" || newer == nil || !newer.CreatedAt.Before(r.FinishedAt) {
			return EndFailed
		}
		return EndSuperseded
	}
	return EndRolling
}
