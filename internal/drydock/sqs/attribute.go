package sqs

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/iam/policy"
)

// attribute is one that can be set (SetQueueAttributes in the API reference).
type attribute struct {
	name    string
	initial string // "" for one that is not there unless it is set
	check   func(value string) bool
}

func attributes() []attribute {
	return []attribute{
		{"DelaySeconds", "0", between(0, 900)},
		{"MaximumMessageSize", "1048576", between(1024, 1048576)},
		{"MessageRetentionPeriod", "345600", between(60, 1209600)},
		{"ReceiveMessageWaitTimeSeconds", "0", between(0, 20)},
		{"VisibilityTimeout", "30", between(0, 43200)},
		{"SqsManagedSseEnabled", "true", truth},
		{"Policy", "", isPolicy},
		{"RedrivePolicy", "", isRedrive},
		{"RedriveAllowPolicy", "", func(v string) bool { return json.Valid([]byte(v)) }},
		{"KmsMasterKeyId", "", func(string) bool { return true }},
		{"KmsDataKeyReusePeriodSeconds", "", between(60, 86400)},
	}
}

func between(least, most int) func(string) bool {
	return func(v string) bool {
		n, err := strconv.Atoi(v)
		return err == nil && n >= least && n <= most
	}
}

func truth(v string) bool { return v == "true" || v == "false" }

func isPolicy(v string) bool {
	_, err := policy.Parse(v, policy.Resource)
	return err == nil
}

func isRedrive(v string) bool {
	var r redrive
	if json.Unmarshal([]byte(v), &r) != nil {
		return false
	}
	n, err := r.MaxReceiveCount.Int64()
	return err == nil && n >= 1 && n <= 1000 && strings.Count(r.DeadLetterTargetArn, ":") == 5
}

// fifo are the attributes of queues that drydock does not have.
func fifo() []string {
	return []string{"FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"}
}

// checkAttributes holds attributes to their rules. "" takes away what has no
// initial value.
func (q *Queues) checkAttributes(given map[string]string) error {
	for name, value := range given {
		i := slices.IndexFunc(attributes(), func(a attribute) bool { return a.name == name })
		switch {
		case slices.Contains(fifo(), name):
			return refusal("UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation", "drydock has standard queues only.")
		case i < 0:
			return refusal("InvalidAttributeName", "InvalidAttributeName", "Unknown Attribute %s.", name)
		case value == "" && attributes()[i].initial == "":
		case !attributes()[i].check(value):
			return refusal("InvalidAttributeValue", "InvalidAttributeValue", "Invalid value for the parameter %s.", name)
		}
	}
	if text := given["RedrivePolicy"]; text != "" {
		var r redrive
		if json.Unmarshal([]byte(text), &r) != nil || q.byARN(r.DeadLetterTargetArn) == nil {
			return refusal("InvalidParameterValueException", "InvalidParameterValue",
				"Value %s for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist.", text)
		}
	}
	return nil
}

// with lays attributes over others.
func with(old, given map[string]string) map[string]string {
	out := map[string]string{}
	for _, a := range attributes() {
		value, isGiven := given[a.name]
		if !isGiven {
			value = old[a.name]
		}
		if a.name == "SqsManagedSseEnabled" && given["KmsMasterKeyId"] != "" && !isGiven {
			value = "false" // a key of one's own takes its place
		}
		if value == "" {
			value = a.initial
		}
		if value != "" {
			out[a.name] = value
		}
	}
	return out
}

// duration is an attribute that is a number of seconds.
func (of *queue) duration(name string) time.Duration {
	n, _ := strconv.Atoi(of.Attributes[name]) // checked when it was set
	return time.Duration(n) * time.Second
}

// shown is every attribute of a queue, the counted ones included.
func (q *Queues) shown(of *queue, now time.Time) map[string]string {
	out := map[string]string{}
	for name, value := range of.Attributes {
		out[name] = value
	}
	ready, flying, delayed := 0, 0, 0
	for _, m := range of.messages {
		switch {
		case !m.Visible.After(now):
			ready++
		case m.Receives > 0:
			flying++
		default:
			delayed++
		}
	}
	out["QueueArn"] = q.arn(of.Name)
	out["CreatedTimestamp"] = fmt.Sprint(of.Created.Unix())
	out["LastModifiedTimestamp"] = fmt.Sprint(of.Modified.Unix())
	out["ApproximateNumberOfMessages"] = fmt.Sprint(ready)
	out["ApproximateNumberOfMessagesNotVisible"] = fmt.Sprint(flying)
	out["ApproximateNumberOfMessagesDelayed"] = fmt.Sprint(delayed)
	return out
}
