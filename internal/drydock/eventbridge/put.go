package eventbridge

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/constraint"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/events"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/identifier"
)

// maxEntries is the most bytes of all entries of a PutEvents.
const maxEntries = 1 << 20

// putEvents puts each entry on its bus, or says in its place what is wrong with it.
func (b *Buses) putEvents(_ context.Context, in *putEventsInput) (*putEventsOutput, error) {
	var c constraint.Checks
	if c.Present("entries", in.Entries != nil) {
		c.Count("entries", len(in.Entries), 1, 10)
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	size := 0
	for _, e := range in.Entries {
		size += len(aws.ToString(e.Source)) + len(aws.ToString(e.DetailType)) + len(aws.ToString(e.Detail)) + len(strings.Join(e.Resources, ""))
	}
	if size > maxEntries {
		return nil, invalid("Total size of the entries in the request is over the limit.")
	}
	out := &putEventsOutput{}
	for _, e := range in.Entries {
		result := b.putEvent(e)
		if result.ErrorCode != nil {
			out.FailedEntryCount++
		}
		out.Entries = append(out.Entries, result)
	}
	return out, nil
}

func (b *Buses) putEvent(e putEventsEntry) putEventsResult {
	failed := func(code, message string) putEventsResult {
		return putEventsResult{ErrorCode: &code, ErrorMessage: &message}
	}
	source, detail := aws.ToString(e.Source), aws.ToString(e.Detail)
	var object map[string]json.RawMessage
	switch {
	case source == "":
		return failed("InvalidArgument", "Parameter Source is not valid. Reason: Source is a required argument.")
	case aws.ToString(e.DetailType) == "":
		return failed("InvalidArgument", "Parameter DetailType is not valid. Reason: DetailType is a required argument.")
	case detail == "":
		return failed("InvalidArgument", "Parameter Detail is not valid. Reason: Detail is a required argument.")
	case strings.HasPrefix(source, "aws."):
		return failed("NotAuthorizedForSourceException", "Not authorized for the source.")
	case json.Unmarshal([]byte(detail), &object) != nil:
		return failed("MalformedDetail", "Detail is malformed.")
	}
	id, err := b.putOn(e)
	if err != nil { // no answer of AWS's could be found: a rehearsal had better hear of it
		return failed("ResourceNotFoundException", err.Error())
	}
	return putEventsResult{EventId: &id}
}

// putOn puts a valid entry on its bus. What is for the default bus goes to the stream,
// which hands it to [Buses.Take] with the events of AWS's services.
func (b *Buses) putOn(e putEventsEntry) (id string, err error) {
	at := b.Clock.Now()
	if e.Time != nil {
		at = *e.Time
	}
	event := events.Event{
		Version: "0", Source: *e.Source, DetailType: *e.DetailType, Time: at.UTC().Format(time.RFC3339), Account: b.Account, Region: b.Region,
		Resources: append([]string{}, e.Resources...), Detail: json.RawMessage(*e.Detail),
	}
	b.mu.Lock()
	of, err := b.bus(e.EventBusName)
	if err == nil && of.Name != defaultBus {
		event.ID = identifier.UUID(b.rand)
		b.route(of.Name, event)
	}
	b.mu.Unlock()
	if err != nil || event.ID != "" {
		return event.ID, err
	}
	return b.Put(event), nil
}
