package awsapi

import (
	"context"
	"errors"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/maintenance"
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

// needsPlan is how the AWS Health API refuses accounts without a Business,
// Enterprise On-Ramp or Enterprise Support plan.
const needsPlan = "SubscriptionRequiredException"

// HealthPlanError is AWS Health's refusal of an account whose support plan does
// not have the API.
type HealthPlanError struct{ err error }

func (e *HealthPlanError) Error() string {
	return "the AWS Health API is not part of this account's support plan: " + e.err.Error()
}

// Hint says what there is without it.
func (e *HealthPlanError) Hint() string {
	return "the same notices reach EventBridge in every account: give one with --event FILE, or a queue of them with --queue URL"
}

// Unwrap returns the refusal.
func (e *HealthPlanError) Unwrap() error { return e.err }

// Is reports whether target is deploy.Unsupported.
func (e *HealthPlanError) Is(target error) bool { return target == deploy.Unsupported }

// wrapHealth is wrap, for calls to AWS Health.
func wrapHealth(doing string, err error) error {
	err = wrap(doing, err)
	if refused, ok := errors.AsType[*Error](err); ok && refused.Code == needsPlan {
		return &HealthPlanError{err}
	}
	return err
}

// RetirementEvents implements maintenance.Health.
func (c *Client) RetirementEvents(ctx context.Context, code string) ([]maintenance.HealthEvent, error) {
	type filter struct {
		Services         []string `json:"services"`
		EventTypeCodes   []string `json:"eventTypeCodes"`
		Regions          []string `json:"regions"`
		EventStatusCodes []string `json:"eventStatusCodes"`
	}
	in := struct {
		Filter     filter `json:"filter"`
		MaxResults int    `json:"maxResults"`
		NextToken  string `json:"nextToken,omitempty"`
	}{filter{[]string{"ECS"}, []string{code}, []string{c.cfg.Region}, []string{"open", "upcoming"}}, 100, ""}
	var events []maintenance.HealthEvent
	for {
		var page struct {
			Events []struct {
				ARN             string `json:"arn"`
				Region          string `json:"region"`
				StartTime       epoch  `json:"startTime"`
				LastUpdatedTime epoch  `json:"lastUpdatedTime"`
				StatusCode      string `json:"statusCode"`
			} `json:"events"`
			NextToken string `json:"nextToken"`
		}
		if err := c.askJSON(ctx, health(c.cfg.Region), "", "DescribeEvents", in, &page); err != nil {
			return nil, wrapHealth("ask AWS Health for retirements", err)
		}
		for _, e := range page.Events {
			events = append(events, maintenance.HealthEvent{
				ARN: e.ARN, Region: e.Region, Start: e.StartTime.time(), Updated: e.LastUpdatedTime.time(), Status: e.StatusCode,
			})
		}
		if in.NextToken = page.NextToken; in.NextToken == "" {
			return events, nil
		}
	}
}

// AffectedEntities implements maintenance.Health.
func (c *Client) AffectedEntities(ctx context.Context, events []string) ([]maintenance.HealthEntity, error) {
	type filter struct {
		EventARNs []string `json:"eventArns"`
	}
	in := struct {
		Filter     filter `json:"filter"`
		MaxResults int    `json:"maxResults"`
		NextToken  string `json:"nextToken,omitempty"`
	}{filter{events}, 100, ""}
	var entities []maintenance.HealthEntity
	for {
		var page struct {
			Entities []struct {
				EventARN     string `json:"eventArn"`
				EntityValue  string `json:"entityValue"`
				AWSAccountID string `json:"awsAccountId"`
				StatusCode   string `json:"statusCode"`
			} `json:"entities"`
			NextToken string `json:"nextToken"`
		}
		if err := c.askJSON(ctx, health(c.cfg.Region), "", "DescribeAffectedEntities", in, &page); err != nil {
			return entities, wrapHealth("ask AWS Health what retires", err)
		}
		for _, e := range page.Entities {
			entities = append(entities, maintenance.HealthEntity{Event: e.EventARN, Value: e.EntityValue, Account: e.AWSAccountID, Status: e.StatusCode})
		}
		if in.NextToken = page.NextToken; in.NextToken == "" {
			return entities, nil
		}
	}
}

// Retirements implements survey.AWS.
func (c *Client) Retirements(ctx context.Context) ([]audit.Retirement, error) {
	notices, err := maintenance.FromHealth(ctx, c)
	return maintenance.Retirements(notices), err
}
