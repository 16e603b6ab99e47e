package awsapi

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
)

// Tail implements deploy.Logs.
func (c *Client) Tail(ctx context.Context, from deploy.LogStream, n int) ([]string, error) {
	out, err := c.logs().GetLogEvents(ctx, &cloudwatchlogs.GetLogEventsInput{
		LogGroupName:  &from.Group,
		LogStreamName: &from.Stream,
		Limit:         aws.Int32(int32(n)),
		StartFromHead: aws.Bool(false),
	}, func(o *cloudwatchlogs.Options) {
		if from.Region != "" {
			o.Region = from.Region
		}
	})
	if err != nil {
		return nil, wrap(fmt.Sprintf("read log %s %s", from.Group, from.Stream), err)
	}
	var lines []string
	for _, e := range out.Events {
		lines = append(lines, strings.TrimRight(aws.ToString(e.Message), "\r\n"))
	}
	return lines[max(0, len(lines)-n):], nil
}
