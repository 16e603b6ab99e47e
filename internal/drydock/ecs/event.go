package ecs

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/identifier"
)

// event is one line of a service's own log.
type event struct {
	ID      string
	Created time.Time
	Message string
}

// tell adds a service event, in AWS's words: "(service NAME) …". A message
// that is already among the newest ones and not older than six hours is
// dropped, as ECS drops duplicates until the problem is solved; told is false
// then.
func (e *ECS) tell(s *service, now time.Time, format string, args ...any) (told bool) {
	message := "(service " + s.Name + ") " + fmt.Sprintf(format, args...)
	for _, old := range s.Events[:min(len(s.Events), 3)] {
		if old.Message == message && now.Sub(old.Created) < steadyEvery {
			return false
		}
	}
	e.say(s, now, message)
	return true
}

// say adds a service event, repeated or not.
func (e *ECS) say(s *service, now time.Time, message string) {
	s.Events = slices.Insert(s.Events, 0, event{ID: identifier.UUID(e.rand), Created: now, Message: message})
	s.Events = s.Events[:min(len(s.Events), eventsKept)]
}

// taskList is how events name tasks: "(task ID) (task ID)".
func taskList(ids []string) string {
	named := make([]string, len(ids))
	for i, id := range ids {
		named[i] = "(task " + id + ")"
	}
	return strings.Join(named, " ")
}
