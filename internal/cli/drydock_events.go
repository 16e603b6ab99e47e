package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

type drydockEvents struct {
	Follow bool   `short:"f" help:"Go on with what comes, until interrupted or drydock ends."`
	Since  string `help:"Leave out everything up to the event of that id." placeholder:"ID"`
	runningDrydock
}

// Help goes below the usage.
func (c *drydockEvents) Help() string {
	return `The last 10,000 events that reached EventBridge, oldest first. --output json
prints them as EventBridge has them, one a line.

  plimsoll drydock events --follow --output json`
}

// Run prints the events of a running drydock.
func (c *drydockEvents) Run(ctx context.Context, s *session) error {
	query := url.Values{"follow": {strconv.FormatBool(c.Follow)}}
	if c.Since != "" {
		query.Set("since", c.Since)
	}
	answer, err := c.open(ctx, s, http.MethodGet, "events?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	defer answer.Close()
	lines := bufio.NewReader(answer)
	for {
		doc, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) || c.Follow && ctx.Err() != nil { // an interrupt is how following ends
			return nil
		}
		if err == nil {
			err = c.show(s, doc)
		}
		if err != nil {
			return fmt.Errorf("events of drydock: %w", err)
		}
	}
}

func (c *drydockEvents) show(s *session, doc []byte) error {
	if s.json() {
		_, err := s.sys.Stdout.Write(doc)
		return err
	}
	var e shownEvent
	if err := json.Unmarshal(doc, &e); err != nil {
		return err
	}
	parts := []string{e.Time, e.DetailType}
	if len(e.Resources) > 0 {
		parts = append(parts, strings.Join(e.Resources, " "))
	}
	_, err := fmt.Fprintln(s.sys.Stdout, strings.Join(append(parts, e.news()), "  "))
	return err
}

// shownEvent is what of an event fits a line.
type shownEvent struct {
	Time       string   `json:"time"`
	DetailType string   `json:"detail-type"`
	Resources  []string `json:"resources"`
	Detail     struct {
		LastStatus    string `json:"lastStatus"`
		StoppedReason string `json:"stoppedReason"`
		EventName     string `json:"eventName"`
		Reason        string `json:"reason"`
		EventTypeCode string `json:"eventTypeCode"`
		StatusCode    string `json:"statusCode"`
		StartTime     string `json:"startTime"`

		// ECR's, whose image actions have no resources.
		Action     string `json:"action-type"`
		ScanStatus string `json:"scan-status"`
		Repository string `json:"repository-name"`
		Digest     string `json:"image-digest"`
		Tag        string `json:"image-tag"`
		Class      string `json:"target-storage-class"`
	} `json:"detail"`
}

// image is the image of an event of ECR: its tag where there is one.
func (e shownEvent) image() string {
	d := e.Detail
	switch {
	case d.Tag != "":
		return d.Repository + ":" + d.Tag
	case d.Digest != "":
		return d.Repository + "@" + d.Digest
	}
	return ""
}

// news is what happened: the state of a task with the reason of its end, the
// name of what a service did, a notice of AWS Health, or what ECR did to an
// image.
func (e shownEvent) news() string {
	d := e.Detail
	var parts []string
	for _, part := range []string{d.LastStatus, d.StoppedReason, d.EventName, d.Reason, d.EventTypeCode, d.StatusCode, d.StartTime, d.Action, d.ScanStatus, e.image(), d.Class} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "  ")
}
