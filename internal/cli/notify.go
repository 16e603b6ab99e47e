package cli

import (
	"context"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/awsapi"
	"github.com/plimsoll-ecs/plimsoll/internal/config"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/maintenance"
	"github.com/plimsoll-ecs/plimsoll/internal/notify"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// notify tells those whom plimsoll.yaml names. One who cannot be told is worth a
// warning, and changes nothing else.
func (s *session) notify(ctx context.Context, client *awsapi.Client, m notify.Message) {
	look, err := s.lookup()
	if err != nil {
		return // the command has said so
	}
	list, err := look.Notifications()
	if err != nil || len(list) == 0 {
		return
	}
	if s.term != nil { // the verdict is shown before anybody is waited for
		if err := s.term.Close(); err != nil {
			s.warn("%v", err)
		}
	}
	sender := notify.Sender{Topic: client, To: s.destinations(list, s.warn)}
	m.Place = client.Region()
	if pipeline := s.provenance().Pipeline; strings.HasPrefix(pipeline, "https://") || strings.HasPrefix(pipeline, "http://") {
		m.Links = append(m.Links, notify.Link{Name: "pipeline", URL: pipeline})
	}
	for _, err := range sender.Send(ctx, m) {
		s.warn("%v", err)
	}
}

// destinations are those that the environment has the URL of.
func (s *session) destinations(list []config.Notification, warn func(string, ...any)) []notify.Destination {
	var to []notify.Destination
	for _, n := range list {
		d := notify.Destination{Kind: notify.Kind(n.To), Topic: n.Topic}
		for _, on := range n.On {
			d.On = append(d.On, notify.Event(on))
		}
		if d.Kind != notify.SNS {
			if d.URL = s.sys.Getenv(n.Variable()); d.URL == "" {
				warn("nobody is notified by %s: %s is not set", n.To, n.Variable())
				continue
			}
		}
		to = append(to, d)
	}
	return to
}

// notifyOf tells what a command came to with some services. What changed
// nothing, and meant to, is no news.
func (s *session) notifyOf(ctx context.Context, client *awsapi.Client, command string, results []deploy.Result, sum story.Verdict) {
	m := notify.Verdicts(command, results, sum, time.Now())
	if command == "" || m.Verdict == deploy.Unchanged || m.Verdict == deploy.Started || len(results) == 0 {
		return
	}
	s.notify(ctx, client, m)
}

// maintained is the message on a run of maintenance; news is false where nothing
// was done and nothing stands in the way, as most of the time.
func maintained(results []deploy.Result, sum story.Verdict, at time.Time) (m notify.Message, news bool) {
	var told []deploy.Result
	for _, r := range results {
		if r.Verdict.Outcome != deploy.Unchanged && r.Verdict.Outcome != maintenance.Waiting {
			told = append(told, r)
		}
	}
	m = notify.Verdicts("maintenance run", told, sum, at)
	m.Event = notify.Maintenance
	return m, len(told) > 0
}

// toldVerdict ends a command about one service, as verdict does, and notifies.
func (s *session) toldVerdict(ctx context.Context, h *harbour, command string) func(story.Verdict, error) error {
	return func(v story.Verdict, err error) error {
		told := v
		if told.Outcome == "" && err != nil {
			told = story.Verdict{Outcome: deploy.Errored, ExitCode: exitCode(err), Summary: err.Error()}
		}
		if told.ExitCode != 2 { // how the command was typed concerns nobody else
			s.notifyOf(ctx, h.client, command, []deploy.Result{{Target: h.target, Verdict: told, Err: err}}, story.Verdict{})
		}
		return verdict(v, err)
	}
}

// unless is a text where a condition does not hold.
func unless(condition bool, text string) string {
	if condition {
		return ""
	}
	return text
}
