package awsapi

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/maintenance"
)

// queues is SQS, by its JSON protocol.
func queues() api { return api{id: "SQS", signing: "sqs", version: "AmazonSQS", json: "1.0"} }

// regionOfQueue is the region in a queue's URL,
// https://sqs.eu-west-1.amazonaws.com/123456789012/name; "" where it has none.
func regionOfQueue(queue string) string {
	u, err := url.Parse(queue)
	if err != nil {
		return ""
	}
	parts := strings.Split(u.Hostname(), ".")
	if len(parts) >= 4 && parts[0] == "sqs" && parts[2] == "amazonaws" {
		return parts[1]
	}
	return ""
}

// Receive implements maintenance.Queue.
func (c *Client) Receive(ctx context.Context, queue string) ([]maintenance.Message, error) {
	// Waiting a second asks all servers of the queue; not waiting asks some, and
	// may find nothing where there is something. (SQS developer guide, "Short and
	// long polling".)
	in := struct {
		QueueURL            string `json:"QueueUrl"`
		MaxNumberOfMessages int
		WaitTimeSeconds     int
	}{queue, 10, 1}
	var out struct {
		Messages []struct {
			MessageID     string `json:"MessageId"`
			ReceiptHandle string
			Body          string
		}
	}
	if err := c.askJSON(ctx, queues(), regionOfQueue(queue), "ReceiveMessage", in, &out); err != nil {
		return nil, wrap("read the queue "+path.Base(queue), err)
	}
	messages := make([]maintenance.Message, len(out.Messages))
	for i, m := range out.Messages {
		messages[i] = maintenance.Message{ID: m.MessageID, Receipt: m.ReceiptHandle, Body: m.Body}
	}
	return messages, nil
}

// Delete implements maintenance.Queue.
func (c *Client) Delete(ctx context.Context, queue string, m maintenance.Message) error {
	in := struct {
		QueueURL      string `json:"QueueUrl"`
		ReceiptHandle string
	}{queue, m.Receipt}
	err := c.askJSON(ctx, queues(), regionOfQueue(queue), "DeleteMessage", in, nil)
	return wrap(fmt.Sprintf("delete message %s of the queue %s", m.ID, path.Base(queue)), err)
}
