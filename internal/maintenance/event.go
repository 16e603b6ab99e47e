package maintenance

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
)

// EventError is input that is no event.
type EventError struct {
	Line int // of the input; 0 where it is about all of it
	Why  string
}

func (e *EventError) Error() string {
	if e.Line == 0 {
		return "read the event: " + e.Why
	}
	return fmt.Sprintf("read the event: line %d: %s", e.Line, e.Why)
}

// Hint says what is wanted.
func (e *EventError) Hint() string {
	return "give an AWS Health event as EventBridge delivers it: one, an array of them, or one a line"
}

// ParseEvents reads events as EventBridge delivers them: one, several after one
// another, an array, each of them as it is or in the envelope of SNS or SQS.
// Events about anything but retirements are left out; notices is empty then.
//
// AWS's samples contradict each other, and the one in its developer guide is no
// JSON: there the members that matter are picked out of the text.
func ParseEvents(data []byte) ([]Notice, error) {
	var notices []Notice
	events := 0
	decoder := json.NewDecoder(bytes.NewReader(data))
	for {
		var one json.RawMessage
		err := decoder.Decode(&one)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			more, n := salvage(data[min(int(decoder.InputOffset()), len(data)):])
			if n == 0 {
				return nil, &EventError{lineOf(data, err), "it is not JSON: " + err.Error()}
			}
			notices, events = append(notices, more...), events+n
			break
		}
		more, n := unwrap(one, 0)
		notices, events = append(notices, more...), events+n
	}
	if events == 0 {
		return nil, &EventError{Why: "there is none in it"}
	}
	return Merge(notices), nil
}

// lineOf is the line that a JSON error is about.
func lineOf(data []byte, err error) int {
	at := len(data)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		at = min(int(syntax.Offset), at)
	}
	return 1 + bytes.Count(data[:at], []byte("\n"))
}

// nesting bounds envelopes in envelopes: SQS around SNS around an event is 3.
const nesting = 6

// envelope is anything that an event may arrive in, and the event itself.
type envelope struct {
	event
	Message text              // of SNS
	Records []json.RawMessage // of a batch for Lambda
	Body    text              // of a message in it
	SNS     json.RawMessage   `json:"Sns"`
}

// event is an AWS Health event. Members of other shapes than AWS documents are
// taken as not given.
type event struct {
	ID         text `json:"id"`
	DetailType text `json:"detail-type"`
	Account    text
	Time       instant
	Region     text
	Resources  texts
	Detail     detail
}

type detail struct {
	EventARN         text `json:"eventArn"`
	EventTypeCode    text `json:"eventTypeCode"`
	EventRegion      text `json:"eventRegion"`
	CommunicationID  text `json:"communicationId"`
	StatusCode       text `json:"statusCode"`
	StartTime        instant
	LastUpdatedTime  instant
	AffectedAccount  text
	AffectedEntities affectedList
}

type affected struct {
	EntityValue text
	Status      text
}

// unwrap finds the notices in a JSON value, and counts the events.
func unwrap(raw json.RawMessage, depth int) (notices []Notice, events int) {
	if depth > nesting {
		return nil, 0
	}
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return nil, 0
	}
	add := func(inner json.RawMessage) {
		more, n := unwrap(inner, depth+1)
		notices, events = append(notices, more...), events+n
	}
	switch raw[0] {
	case '[':
		var list []json.RawMessage
		_ = json.Unmarshal(raw, &list) // it is valid JSON, and an array
		for _, inner := range list {
			add(inner)
		}
	case '"':
		var inner string
		if json.Unmarshal(raw, &inner) == nil && json.Valid([]byte(inner)) {
			add(json.RawMessage(inner))
		}
	case '{':
		var e envelope
		if err := json.Unmarshal(raw, &e); err != nil {
			return nil, 0
		}
		switch {
		case e.Detail.EventTypeCode != "" || e.DetailType != "":
			return e.notices(), 1
		case len(e.Records) > 0:
			for _, record := range e.Records {
				add(record)
			}
		case len(e.SNS) > 0:
			add(e.SNS)
		default:
			for _, inner := range []text{e.Body, e.Message} {
				if json.Valid([]byte(inner)) && inner != "" {
					add(json.RawMessage(inner))
				} else {
					more, n := salvage([]byte(inner))
					notices, events = append(notices, more...), events+n
				}
			}
		}
	}
	return notices, events
}

// notices are what an event announces, one for each thing that is affected.
func (e event) notices() []Notice {
	d := e.Detail
	if d.EventTypeCode != retirementCode {
		return nil
	}
	// eventRegion is where the tasks are; region is where the copy was delivered.
	base := Notice{
		Retirement: audit.Retirement{
			Place: audit.Place{Account: string(cmp.Or(d.AffectedAccount, e.Account)), Region: string(cmp.Or(d.EventRegion, e.Region))},
			Event: string(cmp.Or(d.EventARN, d.CommunicationID, e.ID)),
			At:    time.Time(d.StartTime),
		},
		Updated: time.Time(d.LastUpdatedTime),
	}
	if base.Updated.IsZero() {
		base.Updated = time.Time(e.Time)
	}
	base.Announced = base.Updated
	all := slices.Clone(d.AffectedEntities)
	for _, r := range e.Resources {
		all = append(all, affected{EntityValue: text(r)})
	}
	var notices []Notice
	seen := map[entity]bool{}
	for _, a := range all {
		found, ok := parseEntity(string(a.EntityValue))
		if !ok {
			continue
		}
		n := base
		n.Cluster, n.Service = found.cluster, found.service
		if found.place.Region != "" {
			n.Place = found.place
		}
		found.place = audit.Place{}
		if seen[found] {
			continue
		}
		seen[found] = true
		if found.task != "" {
			n.Tasks = []string{found.task}
		}
		n.Over = isOver(string(d.StatusCode)) || isOver(string(a.Status))
		notices = append(notices, n)
	}
	return notices
}

// isOver tells AWS Health's words for what is done: an event is closed, an
// entity resolved.
func isOver(status string) bool {
	return strings.EqualFold(status, "closed") || strings.EqualFold(status, "RESOLVED")
}

// text is a string, or "" for anything else.
type text string

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (t *text) UnmarshalJSON(raw []byte) error {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		*t = text(s)
	}
	return nil
}

// texts is a list of strings, or one.
type texts []string

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (t *texts) UnmarshalJSON(raw []byte) error {
	var list []text
	if json.Unmarshal(raw, &list) != nil {
		var one text
		_ = one.UnmarshalJSON(raw)
		list = []text{one}
	}
	for _, s := range list {
		*t = append(*t, string(s))
	}
	return nil
}

// affectedList is a list of what is affected; items of another shape are empty.
type affectedList []affected

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (l *affectedList) UnmarshalJSON(raw []byte) error {
	var list []json.RawMessage
	_ = json.Unmarshal(raw, &list)
	for _, item := range list {
		var a affected
		if json.Unmarshal(item, &a) == nil {
			*l = append(*l, a)
		}
	}
	return nil
}

// instant is a time in any of the forms that AWS Health gives it: RFC 1123 in
// events, RFC 3339 in the envelope, seconds since 1970 in the API.
type instant time.Time

// UnmarshalJSON implements json.Unmarshaler. It never fails.
func (i *instant) UnmarshalJSON(raw []byte) error {
	var seconds float64
	if json.Unmarshal(raw, &seconds) == nil {
		if seconds > 0 && seconds < 1e11 {
			*i = instant(time.UnixMilli(int64(seconds * 1000)).UTC())
		}
		return nil
	}
	var s text
	_ = s.UnmarshalJSON(raw)
	*i = parseInstant(string(s))
	return nil
}

func parseInstant(s string) instant {
	s = strings.TrimSpace(s)
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return instant(t.UTC())
	}
	if t, err := mail.ParseDate(s); err == nil {
		return instant(t.UTC())
	}
	return instant{}
}
