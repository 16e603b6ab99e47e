package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/diagnose"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
	"github.com/plimsoll-ecs/plimsoll/internal/taskdef"
)

// inquiry finds out what stands behind the failures of one service. It reads
// what a cause gives reason to read, and states what those reads show: a fact
// that nothing proves is left out.
type inquiry struct {
	*job
	shelves  map[string]*shelf // by registry/repository, read once
	asOf     time.Time         // see notBefore
	patience time.Duration     // with the reads about one failure

	mu     sync.Mutex
	unread []string // the actions that are not allowed, and would have told more
}

func (j *job) newInquiry() *inquiry {
	return &inquiry{job: j, shelves: map[string]*shelf{}, asOf: j.Now(), patience: clueTimeout}
}

// notBefore takes in times that AWS gave: this machine's clock may be behind
// AWS's, and what has happened is not in the future.
func (q *inquiry) notBefore(times ...time.Time) {
	for _, t := range times {
		if t.After(q.asOf) {
			q.asOf = t
		}
	}
}

// times are when things happened to a service.
func (s Service) times() []time.Time {
	var times []time.Time
	for _, e := range s.Events {
		times = append(times, e.At)
	}
	for _, d := range s.Deployments {
		times = append(times, d.CreatedAt, d.UpdatedAt)
	}
	return times
}

// clueTimeout bounds the reads about one failure while a rollout is watched: a
// verdict must not wait for an explanation.
const clueTimeout = 3 * time.Second

// subject is the failure that facts are looked for.
type subject struct {
	service   Service
	doc       *taskdef.Document // of the task; nil when it cannot be read
	task      rollout.Task      // the zero Task for what is no task's failure
	container string            // "" when none can be named
	diagnosis diagnose.Diagnosis
	words     string // what ECS said
}

// answer is what an inquiry brought.
type answer struct {
	facts []string
	links []story.Link
}

func (a *answer) say(format string, args ...any) {
	if fact := fmt.Sprintf(format, args...); !slices.Contains(a.facts, fact) {
		a.facts = append(a.facts, fact)
	}
}

// join looks for the facts behind a diagnosis.
func (q *inquiry) join(ctx context.Context, s subject) answer {
	var a answer
	if s.doc == nil {
		return a
	}
	ctx, cancel := context.WithTimeout(ctx, q.patience)
	defer cancel()
	look, ok := map[string]func(context.Context, subject, *answer){
		"digest-gone":               q.joinImage,
		"image-not-found":           q.joinImage,
		"image-archived":            q.joinImage,
		"repository-missing":        q.joinImage,
		"platform-mismatch":         q.joinPlatform,
		"exec-format":               q.joinPlatform,
		"secret-missing":            q.joinSecrets,
		"secret-deleted":            q.joinSecrets,
		"secret-key":                q.joinSecrets,
		"secret-denied":             q.joinRoles,
		"role-assume":               q.joinRoles,
		"pull-denied":               q.joinRoles,
		"log-group":                 q.joinLogGroups,
		"oom":                       q.joinMemory,
		"exit-137":                  q.joinMemory,
		"heap":                      q.joinMemory,
		"container-health":          q.joinHealthCheck,
		"elb-code":                  q.joinTargets,
		"elb-timeout":               q.joinTargets,
		"elb-health":                q.joinTargets,
		"env-missing":               q.joinEnvironment,
		"undefined-value":           q.joinEnvironment,
		"entrypoint-missing":        q.joinPlatform,
		"entrypoint-not-executable": q.joinPlatform,
	}[s.diagnosis.ID]
	if ok {
		look(ctx, s, &a)
	}
	return a
}

// can reports whether a read brought something. One that is not allowed is
// remembered by its action; what is not there is the caller's to say.
func (q *inquiry) can(err error) bool {
	if err == nil {
		return true
	}
	if errors.Is(err, Denied) {
		q.mu.Lock()
		defer q.mu.Unlock()
		if action := deniedAction(err); action != "" && !slices.Contains(q.unread, action) {
			q.unread = append(q.unread, action)
		}
	}
	return false
}

// deniedAction is the IAM action that the hint of an error names.
func deniedAction(err error) string {
	var hinted interface{ Hint() string }
	if !errors.As(err, &hinted) {
		return ""
	}
	action, _, _ := strings.Cut(strings.TrimPrefix(hinted.Hint(), "allow "), " ")
	return action
}

// containers are those of the subject that are in question: the one that is
// named, else all.
func (s subject) containers() []taskdef.Container {
	all := s.doc.Containers()
	if i := slices.IndexFunc(all, func(c taskdef.Container) bool { return c.Name == s.container }); i >= 0 {
		return all[i : i+1]
	}
	return all
}

// region is where the service is.
func (s subject) region() string {
	if parts := strings.SplitN(s.service.ARN, ":", 6); len(parts) == 6 {
		return parts[3]
	}
	return ""
}

// shelf is what is known of a repository.
type shelf struct {
	images []lifecycle.Image
	whole  bool
	err    error

	policy   *lifecycle.Policy // nil when it is not known
	noPolicy bool              // there is none
}

// date is a day and a time as a person reads them anywhere.
func date(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }

func listOf(names []string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
