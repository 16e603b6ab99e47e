package awsapi

import (
	"context"
	"fmt"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
)

// cloudWatchLogs names its operations after a date.
func cloudWatchLogs() api {
	return api{id: "CloudWatch Logs", signing: "logs", version: "Logs_20140328"}
}

// logQuestion is a GetLogEvents.
type logQuestion struct {
	Group     string `json:"logGroupName"`
	Stream    string `json:"logStreamName"`
	FromHead  bool   `json:"startFromHead"`
	Limit     int    `json:"limit,omitempty"`
	NextToken string `json:"nextToken,omitempty"`
}

// logAnswer is a page of a log stream.
type logAnswer struct {
	Events []struct {
		Message string `json:"message"`
	} `json:"events"`
	NextForwardToken string `json:"nextForwardToken"`
}

// Tail implements deploy.Logs.
func (c *Client) Tail(ctx context.Context, from deploy.LogStream, n int) ([]string, error) {
	var page logAnswer
	err := c.askJSON(ctx, cloudWatchLogs(), from.Region, "GetLogEvents", logQuestion{Group: from.Group, Stream: from.Stream, Limit: n}, &page)
	if err != nil {
		return nil, wrap(fmt.Sprintf("read log %s %s", from.Group, from.Stream), err)
	}
	var lines []string
	for _, e := range page.Events {
		lines = append(lines, strings.TrimRight(e.Message, "\r\n"))
	}
	return lines[max(0, len(lines)-n):], nil
}

// LogGroups implements deploy.LogGroups.
func (c *Client) LogGroups(ctx context.Context, region, prefix string) ([]string, error) {
	ask := struct {
		Prefix    string `json:"logGroupNamePrefix,omitempty"`
		NextToken string `json:"nextToken,omitempty"`
	}{Prefix: prefix}
	var names []string
	for more := true; more && len(names) < 200; more = ask.NextToken != "" {
		var page struct {
			LogGroups []struct {
				Name string `json:"logGroupName"`
			} `json:"logGroups"`
			NextToken string `json:"nextToken"`
		}
		if err := c.askJSON(ctx, cloudWatchLogs(), region, "DescribeLogGroups", ask, &page); err != nil {
			return nil, wrap("list log groups", err)
		}
		for _, g := range page.LogGroups {
			names = append(names, g.Name)
		}
		ask.NextToken = page.NextToken
	}
	return names, nil
}
