package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
	"github.com/plimsoll-ecs/plimsoll/internal/taskdef"
)

// CountChange is a change of the desired count. ECS keeps no record of those.
type CountChange struct {
	Act  string `json:"act"` // scale, stop or start
	From int    `json:"from"`
	To   int    `json:"to"`
}

func (c CountChange) String() string { return fmt.Sprintf("%s, %d -> %d", c.Act, c.From, c.To) }

// actTags are the tags of what is done to a service without a new revision. They
// are on the revision that runs: tags of the service belong to whoever else keeps
// it, Terraform first of all, to whom each would be drift.
func actTags() []string {
	return []string{tagBackAt, tagBackBy, tagBackPipeline, tagCount, tagCountAt, tagCountBy, tagCountPipeline, tagWithdrawnBy}
}

// noteBack notes on a revision who has brought the service back to it, with the
// time that ECS gives the deployment: history finds ECS's record of it by that.
func (j *job) noteBack(ctx context.Context, arn string, start rollout.Start, by Provenance) {
	p, _ := start.Answer.Primary()
	at := p.CreatedAt
	if at.IsZero() {
		at = j.Now()
	}
	j.noteAct(ctx, arn, map[string]string{
		tagBackAt: at.UTC().Format(time.RFC3339Nano), tagBackBy: by.Actor, tagBackPipeline: by.Pipeline,
	})
}

// noteCount notes on the revision that runs who has changed the count.
func (j *job) noteCount(ctx context.Context, s Service, c CountChange, by Provenance) {
	j.noteAct(ctx, s.TaskDefinition, map[string]string{
		tagCount: fmt.Sprintf("%s %d to %d", c.Act, c.From, c.To), tagCountAt: j.Now().UTC().Format(time.RFC3339Nano),
		tagCountBy: by.Actor, tagCountPipeline: by.Pipeline,
	})
}

// noteAct sets tags of a revision. What is not known now empties what was known of
// the act before. It is worth a note at most.
func (j *job) noteAct(ctx context.Context, arn string, tags map[string]string) {
	for key, value := range tags {
		tags[key] = tagValue(value)
	}
	if err := j.AWS.Tag(context.WithoutCancel(ctx), arn, tags); err != nil {
		j.say(story.Note, story.Update, "could not note on %s who did this; history will not say: %v", rollout.RevisionName(arn), err)
	}
}

// countedOn is the change of the count that a revision knows of, if it does.
func countedOn(doc *taskdef.Document, container string) (Past, bool) {
	if doc == nil {
		return Past{}, false
	}
	tags := doc.Tags()
	c := CountChange{}
	at, err := time.Parse(time.RFC3339Nano, tags[tagCountAt])
	if n, _ := fmt.Sscanf(tags[tagCount], "%s %d to %d", &c.Act, &c.From, &c.To); n != 3 || err != nil {
		return Past{}, false
	}
	return Past{
		At: at, ImageTag: imageTagOf(doc, container), TaskDefinition: revisionName(doc), Desired: c.To,
		Count: &c, Actor: tags[tagCountBy], Pipeline: tags[tagCountPipeline],
	}, true
}

// broughtBack finds the record of the rollout that came back to a revision, by the
// time noted there: the nearest, for ECS does not say which deployment a record
// is of.
func broughtBack(records []rollout.ServiceDeployment, doc *taskdef.Document) (at int, ok bool) {
	const most = time.Minute
	noted, err := time.Parse(time.RFC3339Nano, doc.Tags()[tagBackAt])
	if err != nil {
		return 0, false
	}
	nearest := most
	for i, r := range records {
		if off := r.CreatedAt.Sub(noted).Abs(); r.TaskDefinition == doc.ARN() && off < nearest {
			at, ok, nearest = i, true, off
		}
	}
	return at, ok
}

// attribute names who came back to a revision, and who changed the count of one;
// list are the rollouts of records, and what it answers with has both.
func attribute(list []Past, records []rollout.ServiceDeployment, documents map[string]*taskdef.Document, container string) []Past {
	var counts []Past
	for _, doc := range documents {
		if doc == nil {
			continue
		}
		tags := doc.Tags()
		if i, ok := broughtBack(records, doc); ok {
			list[i].Actor, list[i].Pipeline = tags[tagBackBy], tags[tagBackPipeline]
		}
		for i, r := range records {
			if r.TaskDefinition == doc.ARN() && list[i].End == EndRolledBack && tags[tagWithdrawn] != "" && recordID(r) == tags[tagWithdrawn] {
				list[i].RolledBackBy = tags[tagWithdrawnBy]
			}
		}
		if c, ok := countedOn(doc, container); ok {
			counts = append(counts, c)
		}
	}
	if len(list) > 0 { // what was before the oldest is not told
		oldest := list[len(list)-1].At
		counts = slices.DeleteFunc(counts, func(c Past) bool { return c.At.Before(oldest) })
	}
	list = append(list, counts...)
	slices.SortStableFunc(list, func(a, b Past) int { return b.At.Compare(a.At) })
	return list
}

// recordID is the last part of a record's ARN.
func recordID(r rollout.ServiceDeployment) string { return r.ARN[strings.LastIndexByte(r.ARN, '/')+1:] }
