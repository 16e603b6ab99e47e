package awsapi

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/survey"
)

// health is AWS Health, which answers for all regions of a partition in one.
// (AWS Health user guide, "Endpoints for the AWS Health API".)
func health(region string) api {
	s := api{id: "Health", signing: "health", host: "health.us-east-1", home: "us-east-1", version: "AWSHealth_20160804"}
	switch {
	case strings.HasPrefix(region, "cn-"):
		s.host, s.home = "health.cn-northwest-1", "cn-northwest-1"
	case strings.HasPrefix(region, "us-gov-"):
		s.host, s.home = "health.us-gov-west-1", "us-gov-west-1"
	}
	return s
}

// healthEvent is an announcement of AWS Health.
type healthEvent struct {
	ARN   string `json:"arn"`
	Start epoch  `json:"startTime"`
}

// Retirements implements survey.AWS.
func (c *Client) Retirements(ctx context.Context) ([]audit.Retirement, error) {
	events, err := c.retirementEvents(ctx)
	if err != nil {
		return nil, err
	}
	starts := map[string]time.Time{}
	var arns []string
	for _, e := range events {
		starts[e.ARN] = e.Start.time()
		arns = append(arns, e.ARN)
	}
	var list []audit.Retirement
	for part := range slices.Chunk(arns, 10) {
		affected, err := c.affected(ctx, part)
		for event, values := range affected {
			list = append(list, survey.RetirementsOf(event, starts[event], values)...)
		}
		if err != nil {
			return list, err
		}
	}
	return list, nil
}

// retirementEvents are those that are announced or under way.
func (c *Client) retirementEvents(ctx context.Context) ([]healthEvent, error) {
	type filter struct {
		Services []string `json:"services"`
		Codes    []string `json:"eventTypeCodes"`
		Statuses []string `json:"eventStatusCodes"`
		Regions  []string `json:"regions"`
	}
	in := struct {
		Filter     filter `json:"filter"`
		MaxResults int    `json:"maxResults"`
		NextToken  string `json:"nextToken,omitempty"`
	}{filter{[]string{"ECS"}, []string{"AWS_ECS_TASK_PATCHING_RETIREMENT"}, []string{"open", "upcoming"}, []string{c.cfg.Region}}, 100, ""}
	var events []healthEvent
	for {
		var out struct {
			Events    []healthEvent `json:"events"`
			NextToken string        `json:"nextToken"`
		}
		if err := c.askJSON(ctx, health(c.cfg.Region), "", "DescribeEvents", in, &out); err != nil {
			return nil, healthRefusal(err)
		}
		events = append(events, out.Events...)
		if in.NextToken = out.NextToken; in.NextToken == "" {
			return events, nil
		}
	}
}

// healthRefusal says in plain words what a missing support plan means.
func healthRefusal(err error) error {
	err = wrap("read what AWS Health has announced", err)
	if refused, ok := errors.AsType[*Error](err); ok && refused.Code == "SubscriptionRequiredException" {
		refused.Message = "the API takes a support plan of Business or above; EventBridge delivers the same events without one"
	}
	return err
}

// affected is what each of up to ten events is about.
func (c *Client) affected(ctx context.Context, events []string) (map[string][]string, error) {
	type filter struct {
		Events []string `json:"eventArns"`
	}
	in := struct {
		Filter     filter `json:"filter"`
		MaxResults int    `json:"maxResults"`
		NextToken  string `json:"nextToken,omitempty"`
	}{filter{events}, 100, ""}
	found := map[string][]string{}
	for {
		var out struct {
			Entities []struct {
				Event  string `json:"eventArn"`
				Value  string `json:"entityValue"`
				Status string `json:"statusCode"`
			} `json:"entities"`
			NextToken string `json:"nextToken"`
		}
		if err := c.askJSON(ctx, health(c.cfg.Region), "", "DescribeAffectedEntities", in, &out); err != nil {
			return found, healthRefusal(err)
		}
		for _, e := range out.Entities {
			if e.Status != "RESOLVED" {
				found[e.Event] = append(found[e.Event], e.Value)
			}
		}
		if in.NextToken = out.NextToken; in.NextToken == "" {
			return found, nil
		}
	}
}
