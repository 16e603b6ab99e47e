package awsapi

import (
	"context"
	"net/url"
	"path"
)

// topics is SNS.
func topics() api { return api{id: "SNS", signing: "sns", version: "2010-03-31"} }

// Publish sends a message to the subscribers of an SNS topic.
func (c *Client) Publish(ctx context.Context, topicARN, subject, message string) error {
	err := c.askQuery(ctx, topics(), regionOf(topicARN), "Publish", url.Values{
		"TopicArn": {topicARN}, "Subject": {subject}, "Message": {message},
	}, nil)
	return wrap("publish to the topic "+path.Base(topicARN), err)
}
