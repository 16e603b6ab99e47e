package ecs

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// Emitter takes the events that ECS sends to EventBridge. It may keep detail and
// render it later, and must not call back.
type Emitter interface {
	Emit(at time.Time, detailType string, resources []string, detail any)
}

// Formats of times in events: tasks and services have milliseconds, deployments
// have none (developer guide, Amazon ECS events).
const (
	eventMillis  = "2006-01-02T15:04:05.000Z"
	eventSeconds = "2006-01-02T15:04:05Z"
)

// later has send called when the change that is being made is stored.
func (e *ECS) later(send func()) { e.outbox = append(e.outbox, send) }

// flush sends what the change that was just made has to tell, tasks first: of
// each task that came another way, one event with what it came to.
func (e *ECS) flush(now time.Time) {
	if e.Events != nil {
		for _, t := range e.touched {
			if look := t.look(); look != t.told {
				t.told = look
				e.tellTask(t, now)
			}
		}
	}
	clear(e.touched)
	e.touched = e.touched[:0]
	for _, send := range e.outbox {
		send()
	}
	clear(e.outbox)
	e.outbox = e.outbox[:0]
}

// look is what ECS sends an event about when it changes: the states of a task
// and of its containers. Tags and health alone are not told.
func (t *task) look() string {
	var b strings.Builder
	b.WriteString(t.LastStatus + " " + t.DesiredStatus)
	for _, c := range t.Containers {
		b.WriteString(" " + c.LastStatus)
	}
	return b.String()
}

func (e *ECS) tellTask(t *task, now time.Time) {
	e.Events.Emit(now, "ECS Task State Change", []string{t.ARN}, taskChange{e.showTask(t), now})
}

// taskChange is the detail of an "ECS Task State Change": a task as
// DescribeTasks shows it, with what is different in events: times are written
// out, a network interface is called "eni", there are no tags but the time of
// the change.
type taskChange struct {
	shown types.Task
	at    time.Time
}

// MarshalJSON renders the detail, when somebody reads the event.
func (c taskChange) MarshalJSON() ([]byte, error) {
	c.shown.Tags = nil
	for i := range c.shown.Attachments {
		c.shown.Attachments[i].Type = aws.String("eni")
	}
	return eventDetail(c.shown, c.at, nil)
}

// eventDetail is something of the API as events have it: with times written
// out, the time of the change, and members that only events have.
func eventDetail(shown any, at time.Time, more map[string]string) ([]byte, error) {
	doc, err := wire.Encode(shown)
	if err != nil {
		return nil, err
	}
	detail, err := membersOf(doc)
	if err != nil {
		return nil, fmt.Errorf("as event: %w", err)
	}
	for name, v := range detail {
		if n, isNumber := v.(json.Number); isNumber && strings.HasSuffix(name, "At") {
			seconds, err := n.Float64()
			if err != nil {
				return nil, fmt.Errorf("as event: %s: %w", name, err)
			}
			detail[name] = time.UnixMilli(int64(seconds*1000 + 0.5)).UTC().Format(eventMillis)
		}
	}
	detail["updatedAt"] = at.UTC().Format(eventMillis)
	for name, v := range more {
		detail[name] = v
	}
	return json.Marshal(detail)
}

// serviceAction is the detail of an "ECS Service Action".
type serviceAction struct {
	EventType  string `json:"eventType"`
	EventName  string `json:"eventName"`
	ClusterARN string `json:"clusterArn"`
	CreatedAt  string `json:"createdAt"`
	Reason     string `json:"reason,omitempty"`
}

// tellAction sends an "ECS Service Action"; kind is INFO, WARN or ERROR.
func (e *ECS) tellAction(s *service, kind, name, reason string, now time.Time) {
	e.emit(now, "ECS Service Action", s.ARN, serviceAction{
		EventType: kind, EventName: name, ClusterARN: e.arn("cluster", s.Cluster), CreatedAt: now.UTC().Format(eventMillis), Reason: reason,
	})
}

// deploymentChange is the detail of an "ECS Deployment State Change".
type deploymentChange struct {
	EventType    string `json:"eventType"`
	EventName    string `json:"eventName"`
	DeploymentID string `json:"deploymentId"`
	UpdatedAt    string `json:"updatedAt"`
	Reason       string `json:"reason"`
}

// tellDeployment sends the state that a deployment has come to. A deployment
// that somebody stopped fails without an event: SERVICE_DEPLOYMENT_FAILED is
// for those that the circuit breaker ended (developer guide).
func (e *ECS) tellDeployment(s *service, d *deployment, now time.Time) {
	kind := "INFO"
	if d.RolloutState == rolloutFailed {
		kind = "ERROR"
	}
	e.emit(now, "ECS Deployment State Change", s.ARN, deploymentChange{
		EventType: kind, EventName: "SERVICE_DEPLOYMENT_" + d.RolloutState, DeploymentID: d.ID, UpdatedAt: now.UTC().Format(eventSeconds), Reason: d.Reason,
	})
}

func (e *ECS) emit(now time.Time, detailType, resource string, detail any) {
	if e.Events != nil {
		e.later(func() { e.Events.Emit(now, detailType, []string{resource}, detail) })
	}
}
