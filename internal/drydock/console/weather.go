package console

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecs"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/faults"
	"github.com/plimsoll-ecs/plimsoll/internal/lapse"
	"github.com/plimsoll-ecs/plimsoll/internal/noun"
)

// eventsShown is how much of the event stream is on the page.
const eventsShown = 40

// weather is what troubles the drydock, or will.
type weather struct {
	Faults      []faultView
	Retirements []retirementView
}

// faultView is a fault in force.
type faultView struct {
	ID                int
	Kind, Match, Says string
}

// retirementView is a retirement that is not over.
type retirementView struct {
	Service, Status, When string
	Start                 time.Time
	Tasks                 int
}

func (c *Console) weather(now time.Time) weather {
	var w weather
	for _, f := range c.views.Faults() {
		w.Faults = append(w.Faults, faultView{f.ID, string(f.Kind), f.Match, saysFault(f)})
	}
	for _, r := range c.views.Retirements() {
		if r.Status == ecs.RetirementClosed {
			continue
		}
		w.Retirements = append(w.Retirements, retirementView{
			Service: r.Cluster + "/" + r.Service, Status: string(r.Status), When: lapse.Until(now, r.Start), Start: r.Start, Tasks: len(r.Tasks),
		})
	}
	return w
}

func saysFault(f faults.Report) string {
	says := "every call"
	if f.Rate > 0 {
		says = fmt.Sprintf("%g %% of the calls", f.Rate*100)
	}
	if f.Count > 0 {
		says += fmt.Sprintf(", %d at most", f.Count)
	}
	if f.Skip > 0 {
		says += fmt.Sprintf(", after %d", f.Skip)
	}
	return says + fmt.Sprintf("; struck %s of %s", noun.Digits(f.Struck), noun.Digits(f.Matched))
}

// happening is an event of the stream.
type happening struct {
	ID      string
	At      time.Time
	When    string
	Kind    string // what kind of thing it happened to
	About   string
	What    string
	Class   string // "bad" for what went wrong, else ""
	Warning string // the same in a word
}

type eventDoc struct {
	ID         string
	DetailType string `json:"detail-type"`
	Time       time.Time
	Resources  []string
	Detail     struct {
		LastStatus, DesiredStatus, StoppedReason, Group string
		EventName, EventType, Reason                    string
		EventTypeCode, StatusCode                       string
		ActionType                                      string `json:"action-type"`
		RepositoryName                                  string `json:"repository-name"`
		ImageTag                                        string `json:"image-tag"`
	}
}

func (c *Console) happenings(now time.Time) []happening {
	var out []happening
	for _, doc := range c.views.Events(eventsShown) {
		var e eventDoc
		if err := json.Unmarshal(doc, &e); err != nil {
			c.views.Log.Error("an event cannot be shown", "error", err)
			continue
		}
		out = append(out, show(e, now))
	}
	return out
}

func show(e eventDoc, now time.Time) happening {
	d := e.Detail
	h := happening{ID: e.ID, At: e.Time, When: when(now, e.Time), Kind: e.DetailType}
	if len(e.Resources) > 0 {
		h.About = lastPart(e.Resources[0])
	}
	var what []string
	add := func(parts ...string) {
		for _, p := range parts {
			if p != "" {
				what = append(what, p)
			}
		}
	}
	switch e.DetailType {
	case "ECS Task State Change":
		h.Kind, h.About = "task", shortID(h.About)
		if group, isService := strings.CutPrefix(d.Group, "service:"); isService {
			h.About = group + " " + h.About
		}
		add(d.LastStatus)
		if d.LastStatus != d.DesiredStatus && d.DesiredStatus == "STOPPED" {
			add("→ STOPPED")
		}
		if d.LastStatus == "STOPPED" {
			add(d.StoppedReason)
		}
	case "ECS Deployment State Change", "ECS Service Action":
		h.Kind = "service"
		add(d.EventName, d.Reason)
	case "ECR Image Action":
		h.Kind = "image"
		h.About = strings.TrimSuffix(d.RepositoryName+":"+d.ImageTag, ":")
		add(d.ActionType)
	case "AWS Health Event":
		h.Kind = "health"
		add(d.EventTypeCode, d.StatusCode)
	default:
		add(d.EventName, d.Reason)
	}
	h.What = strings.Join(what, " ")
	if d.EventType == "ERROR" || d.EventType == "WARN" {
		h.Class, h.Warning = "bad", strings.ToLower(d.EventType)
	}
	return h
}
