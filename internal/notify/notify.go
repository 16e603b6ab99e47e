// Package notify tells people and programs what a command came to: a
// Slack-compatible webhook, any URL that takes JSON, or an SNS topic. A
// [Message] is made of verdicts ([Verdicts]); [Sender.Send] gives it to those
// who want to know.
//
// A notification is a courtesy. Sending is bounded in time, and one that fails
// is an error to be shown as a warning: it never changes a verdict, and never
// names the URL of a webhook, with which anybody could write there.
package notify

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Event is what there may be news of.
type Event string

// The events.
const (
	Failure     Event = "failure"     // a deploy, or another change, that did not get there
	Success     Event = "success"     // one that did
	Finding     Event = "finding"     // of an audit
	Maintenance Event = "maintenance" // services redeployed before AWS retires their tasks, or that could not be
)

// Message is a piece of news.
type Message struct {
	Event   Event     `json:"event"`
	Time    time.Time `json:"time"`
	Command string    `json:"command"`         // "deploy", "maintenance run"
	Place   string    `json:"place,omitempty"` // account and region
	Title   string    `json:"title"`           // one line
	Verdict string    `json:"verdict"`         // the outcome, in a word
	OK      bool      `json:"ok"`
	Cause   string    `json:"cause,omitempty"` // one sentence or two
	Lines   []Line    `json:"lines,omitempty"` // of several services
	Next    []string  `json:"next,omitempty"`  // commands worth typing now
	Links   []Link    `json:"links,omitempty"`
}

// Line is one service of several.
type Line struct {
	Name    string `json:"name"`
	Verdict string `json:"verdict"`
	OK      bool   `json:"ok"`
	Cause   string `json:"cause,omitempty"`
}

// Link is a page with more.
type Link struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

// Kind is how a destination takes messages.
type Kind string

// The kinds.
const (
	Slack Kind = "slack"
	JSON  Kind = "json"
	SNS   Kind = "sns"
)

// Destination is somebody to be told.
type Destination struct {
	Kind  Kind
	URL   string  // of Slack and JSON; a secret
	Topic string  // of SNS, an ARN
	On    []Event // empty: all but Success
}

// String names it without its URL.
func (d Destination) String() string {
	if d.Kind == SNS {
		return d.Topic
	}
	return "the " + string(d.Kind) + " webhook"
}

// GoString names it without its URL, for %#v.
func (d Destination) GoString() string { return d.String() }

// wants reports whether it is to be told of an event.
func (d Destination) wants(e Event) bool {
	if len(d.On) == 0 {
		return e != Success
	}
	return slices.Contains(d.On, e)
}

// Publisher publishes to SNS topics.
type Publisher interface {
	Publish(ctx context.Context, topicARN, subject, message string) error
}

// Sender sends messages. Its zero value sends to nobody.
type Sender struct {
	To    []Destination
	Topic Publisher    // nil where no destination is a topic
	HTTP  *http.Client // nil is one that follows no redirects
	// Sleep waits between tries; nil is in real time.
	Sleep func(context.Context, time.Duration) error
}

// limit bounds all tries of a message.
const limit = 20 * time.Second

// Send tells all who want to know, at once. The errors are those of
// destinations that could not be told; ctx may be done already, for what was
// interrupted is news too.
func (s Sender) Send(ctx context.Context, m Message) []error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	errs := make([]error, len(s.To))
	var wg sync.WaitGroup
	for i, d := range s.To {
		if d.wants(m.Event) {
			wg.Go(func() {
				if err := s.send(ctx, d, m); err != nil {
					errs[i] = fmt.Errorf("notify %s: %w", d, err)
				}
			})
		}
	}
	wg.Wait()
	return slices.DeleteFunc(errs, func(err error) bool { return err == nil })
}

func (s Sender) send(ctx context.Context, d Destination, m Message) error {
	if d.Kind == SNS {
		if s.Topic == nil {
			return errors.New("there is no connection to AWS")
		}
		return s.Topic.Publish(ctx, d.Topic, subject(m), plain(m))
	}
	var content any = m
	if d.Kind == Slack {
		content = slack(m)
	}
	body, err := json.Marshal(content)
	if err != nil {
		return fmt.Errorf("encode the message: %w", err)
	}
	return s.post(ctx, d.URL, body)
}

// The tries of a webhook.
const (
	tries   = 4
	longest = 8 * time.Second // between two of them, whatever the other side asks for
)

// post sends a body, and once more after a while where that may help.
func (s Sender) post(ctx context.Context, to string, body []byte) error {
	wait := 500 * time.Millisecond
	for try := 1; ; try++ {
		after, err := s.try(ctx, to, body)
		if err == nil || try == tries || after < 0 {
			return err
		}
		sleep := s.Sleep
		if sleep == nil {
			sleep = pause
		}
		if slept := sleep(ctx, min(cmp.Or(after, wait), longest)); slept != nil {
			return err
		}
		wait *= 2
	}
}

// try sends a body once. after is how long the other side wants to be left
// alone, 0 where it does not say; below 0 another try is of no use.
func (s Sender) try(ctx context.Context, to string, body []byte) (after time.Duration, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil || request.URL.Host == "" {
		return -1, errors.New("its URL is none")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "plimsoll")
	client := s.HTTP
	if client == nil {
		client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	answer, err := client.Do(request)
	if err != nil {
		// Go's error names the URL, which is a secret.
		if named, ok := errors.AsType[*url.Error](err); ok {
			err = named.Err
		}
		return 0, err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10)) // only so that the connection can be used again
	_ = answer.Body.Close()
	switch code := answer.StatusCode; {
	case code >= 200 && code < 300:
		return 0, nil
	case code == http.StatusTooManyRequests, code >= 500:
		seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
		return max(0, time.Duration(seconds)*time.Second), fmt.Errorf("it answered %s", answer.Status)
	default:
		return -1, fmt.Errorf("it answered %s", answer.Status)
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
