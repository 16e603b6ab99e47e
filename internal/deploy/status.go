package deploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// State is a service at one moment, for people to read. Its JSON form is what
// --output json prints; fields are only ever added.
type State struct {
	Cluster        string         `json:"cluster"`
	Service        string         `json:"service"`
	Status         string         `json:"status"`
	Desired        int            `json:"desired"`
	Running        int            `json:"running"`
	Pending        int            `json:"pending"`
	TaskDefinition string         `json:"taskDefinition"` // family:revision
	Images         []ImageState   `json:"images"`
	Rolling        bool           `json:"rolling"`
	Failed         string         `json:"failed,omitempty"` // why the last rollout failed, in ECS's words, where it did and nothing came after it
	Rollout        rollout.View   `json:"rollout"`
	GitSHA         string         `json:"gitSha,omitempty"` // of the deploy, where plimsoll did it; likewise below
	Actor          string         `json:"actor,omitempty"`
	Pipeline       string         `json:"pipeline,omitempty"`
	DeployedAt     string         `json:"deployedAt,omitempty"` // RFC 3339
	Verdict        string         `json:"verdict,omitempty"`
	StoppedFrom    string         `json:"stoppedFrom,omitempty"` // the count before stop, while stopped
	LastCount      *Past          `json:"lastCount,omitempty"`   // who changed the count last, while this revision ran
	Events         []ServiceEvent `json:"events,omitempty"`      // the newest ten, newest first
}

// ImageState is the image of one container.
type ImageState struct {
	Container string   `json:"container"`
	Image     string   `json:"image"`
	Digests   []string `json:"digests,omitempty"` // what the running tasks pulled: one, or more while it changes
}

// ServiceEvent is one thing that ECS said of a service.
type ServiceEvent struct {
	Time    time.Time `json:"time"`
	Message string    `json:"message"`
}

// Status reads a service. A target that is not there comes back as
// [*PreflightError].
func Status(ctx context.Context, p Ports, t Target) (State, error) {
	j := begin(p, t, 0, func(story.Event) {})
	s, err := j.found(ctx)
	if err != nil {
		return State{}, err
	}
	doc, err := j.document(ctx, s.TaskDefinition)
	if err != nil {
		return State{}, err
	}
	tasks, err := p.AWS.Tasks(ctx, t.Cluster, t.Service, false)
	if err != nil && !errors.Is(err, Denied) { // the service itself says enough
		return State{}, fmt.Errorf("status of %s: %w", t, err)
	}
	tags := doc.Tags()
	state := State{
		Cluster:        t.Cluster,
		Service:        t.Service,
		Status:         s.Status,
		Desired:        s.Desired,
		Running:        s.Running,
		Pending:        s.Pending,
		TaskDefinition: revisionName(doc),
		Rolling:        s.Rolling(),
		GitSHA:         tags[tagGitSHA],
		Actor:          tags[tagActor],
		Pipeline:       tags[tagPipeline],
		DeployedAt:     tags[tagAt],
		Verdict:        tags[tagVerdict],
	}
	if s.Desired == 0 {
		state.StoppedFrom = s.Tags[tagDesired]
	}
	if c, ok := countedOn(doc, ""); ok {
		state.LastCount = &c
	}
	for _, c := range doc.Containers() {
		state.Images = append(state.Images, ImageState{Container: c.Name, Image: c.Image, Digests: digests(tasks, doc.ARN(), c.Name)})
	}
	for _, e := range s.Events[:min(len(s.Events), 10)] {
		state.Events = append(state.Events, ServiceEvent{Time: e.At, Message: e.Message})
	}
	if primary, ok := s.Primary(); ok {
		if primary.RolloutState == "FAILED" {
			state.Failed = cmp.Or(primary.RolloutReason, "ECS does not say why")
		}
		tracker := rollout.Follow(rollout.Start{
			DeploymentID: primary.ID, TaskDefinition: primary.TaskDefinition, Answer: s.Service,
			ImageTags: j.imageTags(ctx, s),
		})
		tracker.Observe(rollout.Observation{At: p.Now(), Service: s.Service, Tasks: tasks, ServiceDeployment: j.shifting(ctx, s)})
		state.Rollout = tracker.View()
	}
	return state, nil
}

// shifting is ECS's record of a rollout under way that shifts traffic: only that
// says at which stage it is. nil for any other, and where it cannot be read.
func (j *job) shifting(ctx context.Context, s Service) *rollout.ServiceDeployment {
	if s.Strategy == "ROLLING" || s.Record == "" || !s.Rolling() {
		return nil
	}
	record, err := j.AWS.ServiceDeployment(ctx, s.Record)
	if err != nil {
		return nil
	}
	return &record
}

// imageTags are the versions of all revisions that the service has deployments
// of, by ARN. One that cannot be read goes without.
func (j *job) imageTags(ctx context.Context, s Service) map[string]string {
	tags := map[string]string{}
	for _, d := range s.Deployments {
		if doc, err := j.document(ctx, d.TaskDefinition); err == nil {
			tags[d.TaskDefinition] = imageTagOf(doc, "")
		}
	}
	return tags
}

// digests are the distinct digests that tasks of a revision have of a container.
func digests(tasks []rollout.Task, revision, container string) []string {
	seen := map[string]bool{}
	var list []string
	for _, t := range tasks {
		for _, c := range t.Containers {
			if t.TaskDefinition == revision && c.Name == container && c.Digest != "" && !seen[c.Digest] {
				seen[c.Digest] = true
				list = append(list, c.Digest)
			}
		}
	}
	return list
}
