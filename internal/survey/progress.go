package survey

import (
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/noun"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// progress counts what was found and what was read of it.
type progress struct {
	services, done        int
	repositories, shelved int
	images                int
}

func (s *survey) say(kind story.Kind, message string) {
	s.Tell(story.Event{Time: time.Now(), Kind: kind, Step: story.Survey, Message: message})
}

func (s *survey) begin() { s.say(story.Begin, "read ECS and ECR") }

// failed tells that the survey is over, and why.
func (s *survey) failed(err error) error {
	s.say(story.Failed, "nothing could be read")
	return err
}

// progress changes the counts and tells them.
func (s *survey) progress(change func(*progress)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.told)
	t := s.told
	e := story.Event{Time: time.Now(), Kind: story.Progress, Step: story.Survey, Done: int64(t.done), Total: int64(t.services), Unit: "services"}
	if t.repositories > 0 {
		e.Done, e.Total, e.Unit = int64(t.shelved), int64(t.repositories), "repositories"
	}
	s.Tell(e)
}

// done sums up.
func (s *survey) done(f audit.Fleet) {
	images := 0
	for _, r := range f.Repositories {
		images += len(r.Images)
	}
	parts := []string{noun.Count(len(f.Services), "service"), noun.Count(len(f.Tasks), "task")}
	if len(f.Schedules) > 0 {
		parts = append(parts, noun.Count(len(f.Schedules), "schedule"))
	}
	parts = append(parts, noun.Count(images, "image")+" in "+noun.Count(len(f.Repositories), "repository"))
	text := strings.Join(parts, ", ")
	if len(f.Places) > 1 {
		text += ", " + noun.Count(len(f.Places), "place")
	}
	s.say(story.End, text)
}
