package maintenance

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Answer is what a Lambda function answers: to a batch of a queue, the messages
// that are to come again. (Lambda developer guide, "Handling errors for an SQS
// event source", ReportBatchItemFailures.)
type Answer struct {
	BatchItemFailures []ItemFailure `json:"batchItemFailures"`
	Services          []Told        `json:"services,omitempty"` // what became of each, for people
}

// ItemFailure names a message that is to come again.
type ItemFailure struct {
	ItemIdentifier string `json:"itemIdentifier"`
}

// Told is what became of one service.
type Told struct {
	Service string `json:"service"`
	Outcome string `json:"outcome"`
	Summary string `json:"summary"`
}

// UnsettledError is why an event that came by itself is not done with. Lambda
// tries an asynchronous invocation again, and then gives it to the dead-letter
// queue or the failure destination.
type UnsettledError struct{ Services []Told }

func (e *UnsettledError) Error() string {
	var list []string
	for _, s := range e.Services {
		list = append(list, fmt.Sprintf("%s: %s: %s", s.Service, s.Outcome, s.Summary))
	}
	return "not all is done: " + strings.Join(list, "; ")
}

// Invoke handles one invocation of a Lambda function: an event as EventBridge
// sends it, or a batch of them from a queue. run does the work for the notices.
// A message of a batch fails alone; an event that came by itself fails the
// invocation when something is left to do.
func Invoke(ctx context.Context, input json.RawMessage, run func(context.Context, []Notice) (Outcome, error)) (Answer, error) {
	batch, ok := batchOf(input)
	if !ok {
		notices, err := ParseEvents(input)
		if err != nil {
			return Answer{}, err
		}
		outcome, err := run(ctx, notices)
		if err != nil {
			return Answer{}, err
		}
		told := outcome.told()
		if !outcome.Settled(Delivery{Notices: notices}.events()) {
			return Answer{}, &UnsettledError{slices.DeleteFunc(told, func(s Told) bool { return s.Outcome == "stable" || s.Outcome == "unchanged" })}
		}
		return Answer{BatchItemFailures: []ItemFailure{}, Services: told}, nil
	}
	outcome, err := run(ctx, Announced(batch))
	if err != nil {
		return Answer{}, err // all of them come again
	}
	answer := Answer{BatchItemFailures: []ItemFailure{}, Services: outcome.told()}
	for _, d := range batch {
		if d.Err != nil || !outcome.Settled(d.events()) {
			answer.BatchItemFailures = append(answer.BatchItemFailures, ItemFailure{d.ID})
		}
	}
	return answer, nil
}

// batchOf reads a batch of SQS, if it is one.
func batchOf(input json.RawMessage) ([]Delivery, bool) {
	var batch struct {
		Records []struct {
			MessageID   string `json:"messageId"`
			EventSource string `json:"eventSource"`
			Body        string `json:"body"`
		}
	}
	if json.Unmarshal(input, &batch) != nil || len(batch.Records) == 0 || batch.Records[0].EventSource != "aws:sqs" {
		return nil, false
	}
	var deliveries []Delivery
	for _, r := range batch.Records {
		notices, err := ParseEvents([]byte(r.Body))
		deliveries = append(deliveries, Delivery{Message{ID: r.MessageID, Body: r.Body}, notices, err})
	}
	return deliveries, true
}

// timesADay is how often a message comes again at most in a day, with a
// visibility timeout of half an hour.
const timesADay = 48

// Repeats reports whether an invocation is about messages alone that came before
// today: what is refused about them has been told.
func Repeats(input json.RawMessage) bool {
	var batch struct {
		Records []struct {
			Attributes struct {
				ApproximateReceiveCount string
			} `json:"attributes"`
		}
	}
	if json.Unmarshal(input, &batch) != nil || len(batch.Records) == 0 {
		return false
	}
	for _, r := range batch.Records {
		if n, err := strconv.Atoi(r.Attributes.ApproximateReceiveCount); err != nil || n%timesADay == 1 {
			return false
		}
	}
	return true
}

func (o Outcome) told() []Told {
	var list []Told
	for _, r := range o.Results {
		list = append(list, Told{r.Target.String(), r.Verdict.Outcome, r.Verdict.Summary})
	}
	return list
}
