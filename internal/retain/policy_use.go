package retain

import (
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

// PolicyUse is an image of a repository that is in use.
type PolicyUse struct {
	Digest   string
	By       string // "prod/api"
	Since    time.Time
	Rollback bool // nothing runs it, but a rollback could go to it
}

// UsesOf are the uses of a repository's images in a fleet: what services and
// tasks run, what schedules would start, and the last so many releases of each
// service. A digest counts wherever it was pulled from: equal bytes are one
// image.
func UsesOf(fleet audit.Fleet, repo audit.Repository, rollbacks int) []PolicyUse {
	b := newBook(repo)
	for _, s := range fleet.Services {
		by := s.Cluster + "/" + s.Name
		for _, r := range s.Runs {
			b.note(r.Containers, PolicyUse{By: by, Since: r.At})
		}
		for _, r := range s.Before[:min(len(s.Before), rollbacks)] {
			b.note(r.Containers, PolicyUse{By: by, Since: r.At, Rollback: true})
		}
	}
	for _, t := range fleet.Tasks {
		_, group, _ := strings.Cut(t.Group, ":")
		b.note(t.Containers, PolicyUse{By: t.Cluster + "/" + group, Since: t.StartedAt})
	}
	for _, s := range fleet.Schedules {
		if s.Enabled {
			b.note(starts(fleet, s.TaskDefinition).Containers, PolicyUse{By: s.Kind + " " + s.Name})
		}
	}
	return b.uses
}

// starts is the revision that a schedule starts: the one it names, or the newest
// of the family that it names.
func starts(fleet audit.Fleet, name string) audit.Revision {
	if named, ok := fleet.Definitions[name]; ok {
		return named
	}
	var newest audit.Revision
	for _, r := range fleet.Definitions {
		if r.Family == path.Base(name) && r.Active && r.Number > newest.Number {
			newest = r
		}
	}
	return newest
}

// book collects the uses of one repository.
type book struct {
	name  string
	there map[string]bool   // digests
	tags  map[string]string // digest of each tag
	uses  []PolicyUse
	at    map[PolicyUse]int // where in uses, by all but the time
}

func newBook(repo audit.Repository) *book {
	b := &book{name: repo.Name, there: map[string]bool{}, tags: map[string]string{}, at: map[PolicyUse]int{}}
	for i := range repo.Images {
		b.there[repo.Images[i].Digest] = true
		for _, tag := range repo.Images[i].Tags {
			b.tags[tag] = repo.Images[i].Digest
		}
	}
	return b
}

func (b *book) note(containers []audit.Container, u PolicyUse) {
	for _, c := range containers {
		ref, err := image.Parse(c.Image)
		here := err == nil && ref.Repository == b.name
		u.Digest = c.Digest
		switch {
		case u.Digest == "" && here && ref.Digest != "":
			u.Digest = ref.Digest
		case u.Digest == "" && here: // nothing pins it: a start resolves the tag
			u.Digest = b.tags[ref.Tag]
		}
		if u.Digest != "" && (here || b.there[u.Digest]) {
			b.add(u)
		}
	}
}

// add notes each user of an image once, with the longest use.
func (b *book) add(u PolicyUse) {
	key := PolicyUse{Digest: u.Digest, By: u.By, Rollback: u.Rollback}
	at, known := b.at[key]
	switch {
	case !known:
		b.at[key] = len(b.uses)
		b.uses = append(b.uses, u)
	case !u.Since.IsZero() && (b.uses[at].Since.IsZero() || u.Since.Before(b.uses[at].Since)):
		b.uses[at].Since = u.Since
	}
}

// Seen refuses a fleet in which something that runs could not be read: what is
// in use is not known then. That schedules could not be read is returned, to be
// said: most fleets have none that matters here.
func Seen(fleet audit.Fleet) (unseen []audit.Blind, err error) {
	for _, b := range fleet.Blind {
		service, _, _ := strings.Cut(b.Action, ":")
		switch service {
		case "ecs", "sts":
			return nil, &BlindError{b}
		case "events", "scheduler":
			unseen = append(unseen, b)
		}
	}
	return unseen, nil
}

// BlindError is why it is not known what is in use.
type BlindError struct{ Blind audit.Blind }

func (e *BlindError) Error() string {
	return fmt.Sprintf("what is in use is not known: %s: %s", e.Blind.About, e.Blind.Reason)
}

// Hint says what to do.
func (e *BlindError) Hint() string { return "allow " + e.Blind.Action + " to the role that runs this" }
