package sqs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/listing"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// refusal is an error by its code in the JSON protocol and by the one that it had
// in the Query protocol, which SDKs still show.
func refusal(code, query, format string, args ...any) error {
	e := wire.Errorf(code, format, args...)
	e.Query = query
	return e
}

func noQueue() error {
	return refusal("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
}

func missing(parameter string) error {
	return refusal("MissingParameterException", "MissingParameter", "The request must contain the parameter %s.", parameter)
}

func invalid(value any, parameter, reason string) error {
	return refusal("InvalidParameterValueException", "InvalidParameterValue", "Value %v for parameter %s is invalid. Reason: %s", value, parameter, reason)
}

func (q *Queues) arn(name string) string {
	return "arn:aws:sqs:" + q.Region + ":" + q.Account + ":" + name
}

func (q *Queues) url(name string) string { return "http://" + q.Host() + "/" + q.Account + "/" + name }

// byARN is nil when there is no such queue.
func (q *Queues) byARN(arn string) *queue {
	name, ours := strings.CutPrefix(arn, q.arn(""))
	if !ours {
		return nil
	}
	return q.queues[name]
}

// queue finds a queue by its address, whatever host and port it was made with.
func (q *Queues) queue(url *string) (*queue, error) {
	if aws.ToString(url) == "" {
		return nil, missing("QueueUrl")
	}
	part := strings.Split(*url, "/")
	of := q.queues[part[len(part)-1]]
	if of == nil || len(part) > 1 && part[len(part)-2] != q.Account {
		return nil, noQueue()
	}
	return of, nil
}

func isName(name string) bool {
	other := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	}
	return name != "" && len(name) <= 80 && !strings.ContainsFunc(name, other)
}

// createQueue answers with the queue that is there when it has the attributes that
// were asked for.
func (q *Queues) createQueue(_ context.Context, in *createQueueInput) (*createQueueOutput, error) {
	name := aws.ToString(in.QueueName)
	switch {
	case name == "":
		return nil, missing("QueueName")
	case strings.HasSuffix(name, ".fifo"):
		return nil, refusal("UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation", "drydock has standard queues only.")
	case !isName(name):
		return nil, refusal("InvalidParameterValueException", "InvalidParameterValue", "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	return &createQueueOutput{QueueUrl: aws.String(q.url(name))}, q.change(func(now time.Time) error {
		if err := q.checkAttributes(in.Attributes); err != nil {
			return err
		}
		if old := q.queues[name]; old != nil {
			for _, attribute := range slices.Sorted(maps.Keys(in.Attributes)) {
				if in.Attributes[attribute] != old.Attributes[attribute] {
					return refusal("QueueNameExists", "QueueAlreadyExists", "A queue already exists with the same name and a different value for attribute %s", attribute)
				}
			}
			return nil
		}
		of := &queue{Name: name, Attributes: with(nil, in.Attributes), Tags: maps.Clone(in.Tags), Created: now, Modified: now}
		q.queues[name] = of
		q.mark(of)
		return nil
	})
}

func (q *Queues) deleteQueue(_ context.Context, in *queueInput) (*struct{}, error) {
	return &struct{}{}, q.change(func(time.Time) error {
		of, err := q.queue(in.QueueUrl)
		if err != nil {
			return err
		}
		q.drop(of, func(*message) bool { return true })
		delete(q.queues, of.Name)
		q.dirty.Delete(bucketQueues, of.Name)
		of.tell()
		return nil
	})
}

func (q *Queues) getQueueURL(_ context.Context, in *getQueueURLInput) (*createQueueOutput, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch name := aws.ToString(in.QueueName); {
	case name == "":
		return nil, missing("QueueName")
	case q.queues[name] == nil, in.QueueOwnerAWSAccountId != nil && *in.QueueOwnerAWSAccountId != q.Account:
		return nil, noQueue()
	default:
		return &createQueueOutput{QueueUrl: aws.String(q.url(name))}, nil
	}
}

// maxPage is how many queues one page lists.
const maxPage = 1000

// page lists the addresses of queues. AWS gives a token for the next page only
// where a page size was given.
func (q *Queues) page(names []string, size *int32, token *string) ([]string, *string, error) {
	limit := maxPage
	if size != nil {
		if *size < 1 || *size > maxPage {
			return nil, nil, invalid(*size, "MaxResults", fmt.Sprintf("Must be between 1 and %d.", maxPage))
		}
		limit = int(*size)
	}
	names, next, ok := listing.Page(names, func(name string) string { return name }, listing.Ascending, token, limit)
	if !ok {
		return nil, nil, invalid(*token, "NextToken", "Invalid or expired next token.")
	}
	var urls []string
	for _, name := range names {
		urls = append(urls, q.url(name))
	}
	return urls, next, nil
}

func (q *Queues) listQueues(_ context.Context, in *listQueuesInput) (*listQueuesOutput, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var names []string
	for name := range q.queues {
		if strings.HasPrefix(name, aws.ToString(in.QueueNamePrefix)) {
			names = append(names, name)
		}
	}
	urls, next, err := q.page(names, in.MaxResults, in.NextToken)
	return &listQueuesOutput{QueueUrls: urls, NextToken: next}, err
}

// listDeadLetterSourceQueues lists the queues whose dead letters come to one.
func (q *Queues) listDeadLetterSourceQueues(_ context.Context, in *listDeadLetterSourceQueuesInput) (*listDeadLetterSourceQueuesOutput, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	of, err := q.queue(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	var names []string
	for name, source := range q.queues {
		if r, _ := source.redrive(); r.DeadLetterTargetArn == q.arn(of.Name) {
			names = append(names, name)
		}
	}
	urls, next, err := q.page(names, in.MaxResults, in.NextToken)
	if urls == nil {
		urls = []string{}
	}
	return &listDeadLetterSourceQueuesOutput{QueueUrls: urls, NextToken: next}, err
}

func (q *Queues) getQueueAttributes(_ context.Context, in *getQueueAttributesInput) (*getQueueAttributesOutput, error) {
	out := &getQueueAttributesOutput{}
	return out, q.change(func(now time.Time) error {
		of, err := q.queue(in.QueueUrl)
		if err != nil {
			return err
		}
		q.expire(of, now)
		all := q.shown(of, now)
		for _, name := range in.AttributeNames {
			switch value, has := all[name]; {
			case name == "All":
				out.Attributes = all
				return nil
			case has:
				if out.Attributes == nil {
					out.Attributes = map[string]string{}
				}
				out.Attributes[name] = value
			case !slices.Contains(fifo(), name) && !slices.ContainsFunc(attributes(), func(a attribute) bool { return a.name == name }):
				return refusal("InvalidAttributeName", "InvalidAttributeName", "Unknown Attribute %s.", name)
			}
		}
		return nil
	})
}

func (q *Queues) setQueueAttributes(_ context.Context, in *setQueueAttributesInput) (*struct{}, error) {
	return &struct{}{}, q.change(func(now time.Time) error {
		of, err := q.queue(in.QueueUrl)
		if err != nil {
			return err
		}
		if err := q.checkAttributes(in.Attributes); err != nil {
			return err
		}
		of.Attributes, of.Modified = with(of.Attributes, in.Attributes), now
		q.mark(of)
		of.tell()
		return nil
	})
}

// purgePause is how often a queue can be purged.
const purgePause = time.Minute

func (q *Queues) purgeQueue(_ context.Context, in *queueInput) (*struct{}, error) {
	return &struct{}{}, q.change(func(now time.Time) error {
		of, err := q.queue(in.QueueUrl)
		if err != nil {
			return err
		}
		if !of.Purged.IsZero() && now.Sub(of.Purged) < purgePause {
			return refusal("PurgeQueueInProgress", "AWS.SimpleQueueService.PurgeQueueInProgress", "Only one PurgeQueue operation on %s is allowed every 60 seconds.", of.Name)
		}
		q.drop(of, func(*message) bool { return true })
		of.Purged = now
		q.mark(of)
		return nil
	})
}

// maxTags is the most tags of a queue.
const maxTags = 50

func (q *Queues) tagQueue(_ context.Context, in *tagQueueInput) (*struct{}, error) {
	return &struct{}{}, q.change(func(time.Time) error {
		of, err := q.queue(in.QueueUrl)
		if err != nil {
			return err
		}
		tags := map[string]string{}
		maps.Copy(tags, of.Tags)
		maps.Copy(tags, in.Tags)
		if len(tags) > maxTags {
			return refusal("InvalidParameterValueException", "InvalidParameterValue", "Too many tags added for queue %s.", of.Name)
		}
		of.Tags = tags
		q.mark(of)
		return nil
	})
}

func (q *Queues) untagQueue(_ context.Context, in *untagQueueInput) (*struct{}, error) {
	return &struct{}{}, q.change(func(time.Time) error {
		of, err := q.queue(in.QueueUrl)
		if err != nil {
			return err
		}
		for _, key := range in.TagKeys {
			delete(of.Tags, key)
		}
		q.mark(of)
		return nil
	})
}

func (q *Queues) listQueueTags(_ context.Context, in *queueInput) (*listQueueTagsOutput, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	of, err := q.queue(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	return &listQueueTagsOutput{Tags: maps.Clone(of.Tags)}, nil
}
