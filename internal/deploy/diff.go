package deploy

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
	"github.com/plimsoll-ecs/plimsoll/internal/taskdef"
)

// The sides of a [Diff] that are not a revision of their own name.
const (
	SideRunning = "running" // what the service is set to
	SideNewest  = "newest"  // the newest ACTIVE revision of its family
	SideDeploy  = "deploy"  // what a deploy of an image would register
)

// DiffRequest asks how two task definitions of a service differ.
type DiffRequest struct {
	Target
	// From and To are one of the sides above, a revision number,
	// family:revision or an ARN. "" is what runs, and what a deploy would
	// register where there is an image, else the newest revision.
	From, To  string
	Image     image.Reference // for [SideDeploy]; the zero value is none
	Family    string          // "" means that of what runs
	Container string          // the one that gets the image; "" means the only one
	Base      string          // the template of [SideDeploy], as of a deploy
}

// Difference is what two task definitions do not have in common. Its JSON form
// is what --output json prints; fields are only ever added.
type Difference struct {
	From    Side             `json:"from"`
	To      Side             `json:"to"`
	Changes []taskdef.Change `json:"changes"` // by path
}

// Side is one of the two.
type Side struct {
	Name         string    `json:"name"` // family:revision; the family alone of what is not registered
	What         string    `json:"what,omitempty"`
	ImageTag     string    `json:"imageTag,omitempty"`
	RegisteredAt time.Time `json:"registeredAt,omitzero"`
	RegisteredBy string    `json:"registeredBy,omitempty"` // ARN
}

// Diff reads two task definitions and compares them. Values that look like
// secrets are not in the answer.
func Diff(ctx context.Context, p Ports, r DiffRequest) (Difference, error) {
	j := begin(p, r.Target, 0, func(story.Event) {})
	s, err := j.found(ctx)
	if err != nil {
		return Difference{}, err
	}
	if r.From == "" {
		r.From = SideRunning
	}
	if r.To == "" {
		r.To = SideNewest
		if r.Image.Repository != "" {
			r.To = SideDeploy
		}
	}
	from, a, err := j.side(ctx, s, r, r.From)
	if err != nil {
		return Difference{}, err
	}
	to, b, err := j.side(ctx, s, r, r.To)
	if err != nil {
		return Difference{}, err
	}
	return Difference{From: from, To: to, Changes: append([]taskdef.Change{}, taskdef.Diff(a, b)...)}, nil
}

// found is the service, or why there is none: [*PreflightError] for a name
// that is wrong.
func (j *job) found(ctx context.Context) (Service, error) {
	t := j.readTarget(ctx)
	if err := cannotBegin(ctx, t.caller.err, t.service.err); err != nil {
		return Service{}, err
	}
	list := judgeCaller(t.caller, j.target.Account, j.target.Region)
	if refusal(list, false) == nil && errors.Is(t.service.err, NotFound) {
		list = j.judgeTarget(ctx, &t, true)
	}
	if err := refusal(list, false); err != nil {
		return Service{}, err
	}
	return t.service.value, t.service.err
}

// side reads one side of a diff.
func (j *job) side(ctx context.Context, s Service, r DiffRequest, name string) (Side, *taskdef.Document, error) {
	what, place := name, name
	switch name {
	case SideRunning:
		place = s.TaskDefinition
	case SideNewest:
		place = baseName(Request{Family: r.Family}, s.TaskDefinition)
	case SideDeploy:
		if r.Image.Repository == "" {
			return Side{}, nil, &UsageError{"the side \"deploy\" needs an image", "give --image-tag"}
		}
		place = baseName(Request{Family: r.Family, Base: r.Base}, s.TaskDefinition)
		what = "what a deploy would register"
	default:
		what = ""
		if _, err := strconv.Atoi(name); err == nil {
			place = baseName(Request{Family: r.Family, Base: name}, s.TaskDefinition)
		} else if !strings.Contains(name, ":") {
			return Side{}, nil, &UsageError{fmt.Sprintf("%q is no side of a diff", name), "give running, newest, deploy, a revision number or family:revision"}
		}
	}
	doc, err := j.document(ctx, place)
	if errors.Is(err, NotFound) {
		return Side{}, nil, &PreflightError{Faults: []Fault{j.unknownFamily(ctx, place)}}
	}
	if err != nil {
		return Side{}, nil, err
	}
	if name != SideDeploy {
		return Side{
			Name: revisionName(doc), What: what, ImageTag: imageTagOf(doc, r.Container),
			RegisteredAt: doc.RegisteredAt(), RegisteredBy: doc.RegisteredBy(),
		}, doc, nil
	}
	container, err := doc.TargetContainer(r.Container)
	if err == nil {
		doc, err = doc.SetImage(container.Name, r.Image.String())
	}
	if err != nil {
		return Side{}, nil, &PreflightError{Faults: []Fault{{"container", err.Error(), "name the container with --container"}}}
	}
	return Side{Name: doc.Family(), What: what, ImageTag: r.Image.Tag}, doc, nil
}
