package health

import (
	"context"
	"encoding/base64"
	"slices"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecs"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// Source knows the retirements of an account and region, the oldest first.
type Source interface {
	Retirements() []ecs.Retirement
}

// api answers for one account and region.
type api struct {
	account, region string
	source          Source
}

// Service is the table of operations. Members are those of the API reference
// that mean something for a retirement.
func Service(account, region string, source Source) wire.Service {
	a := api{account, region, source}
	return wire.Service{
		Name:   "Health",
		Target: "AWSHealth_20160804",
		Operations: map[string]wire.Operation{
			"DescribeEvents":           wire.Typed(a.describeEvents),
			"DescribeEventDetails":     wire.Typed(a.describeEventDetails),
			"DescribeAffectedEntities": wire.Typed(a.describeAffectedEntities),
		},
	}
}

type event struct {
	Arn               string
	Service           string
	EventTypeCode     string
	EventTypeCategory string
	Region            string
	StartTime         time.Time
	EndTime           time.Time
	LastUpdatedTime   time.Time
	StatusCode        string
	EventScopeCode    string
}

func (a api) event(r ecs.Retirement) event {
	return event{
		Arn: eventARN(a.region, r), Service: product, EventTypeCode: retirementCode, EventTypeCategory: category, Region: a.region,
		StartTime: r.Start, EndTime: r.Start.Add(endsAfter), LastUpdatedTime: r.Updated, StatusCode: string(r.Status), EventScopeCode: scope,
	}
}

// timeRange is a span that includes its ends.
type timeRange struct{ From, To *time.Time }

func within(ranges []timeRange, t time.Time) bool {
	return len(ranges) == 0 || slices.ContainsFunc(ranges, func(r timeRange) bool {
		return (r.From == nil || !t.Before(*r.From)) && (r.To == nil || !t.After(*r.To))
	})
}

func among(wanted []string, value string) bool {
	return len(wanted) == 0 || slices.Contains(wanted, value)
}

type eventFilter struct {
	EventArns           []string
	Services            []string
	EventTypeCodes      []string
	EventTypeCategories []string
	Regions             []string
	AvailabilityZones   []string
	EventStatusCodes    []string
	EntityArns          []string
	EntityValues        []string
	StartTimes          []timeRange
	EndTimes            []timeRange
	LastUpdatedTimes    []timeRange
	Tags                []map[string]string
}

// fits is whether an event passes the filter. A retirement is of no zone, and
// what is affected has no tags.
func (f eventFilter) fits(e event, affected affected) bool {
	return among(f.EventArns, e.Arn) && among(f.Services, e.Service) && among(f.EventTypeCodes, e.EventTypeCode) &&
		among(f.EventTypeCategories, e.EventTypeCategory) && among(f.Regions, e.Region) && among(f.EventStatusCodes, e.StatusCode) &&
		among(f.EntityArns, affected.EntityArn) && among(f.EntityValues, affected.EntityValue) &&
		within(f.StartTimes, e.StartTime) && within(f.EndTimes, e.EndTime) && within(f.LastUpdatedTimes, e.LastUpdatedTime) &&
		len(f.AvailabilityZones) == 0 && len(f.Tags) == 0
}

type describeEventsInput struct {
	Filter     eventFilter
	NextToken  string
	MaxResults *int32
}

type describeEventsOutput struct {
	Events    []event
	NextToken string
}

// describeEvents lists the newest first.
func (a api) describeEvents(_ context.Context, in *describeEventsInput) (*describeEventsOutput, error) {
	all := []event{}
	for _, r := range slices.Backward(a.source.Retirements()) {
		if e := a.event(r); in.Filter.fits(e, a.affected(r)) {
			all = append(all, e)
		}
	}
	events, next, err := page(all, func(e event) string { return e.Arn }, in.MaxResults, in.NextToken)
	return &describeEventsOutput{events, next}, err
}

type affected struct {
	EntityArn       string
	EventArn        string
	EntityValue     string
	AwsAccountId    string
	LastUpdatedTime time.Time
	StatusCode      string
}

func (a api) affected(r ecs.Retirement) affected {
	return affected{
		EntityArn: "arn:aws:health:" + a.region + ":" + a.account + ":entity/" + r.ID, EventArn: eventARN(a.region, r),
		EntityValue: entity(r), AwsAccountId: a.account, LastUpdatedTime: r.Updated, StatusCode: entityStatus(r),
	}
}

type entityFilter struct {
	EventArns        []string
	EntityArns       []string
	EntityValues     []string
	StatusCodes      []string
	LastUpdatedTimes []timeRange
	Tags             []map[string]string
}

type describeAffectedEntitiesInput struct {
	Filter     *entityFilter
	NextToken  string
	MaxResults *int32
}

type describeAffectedEntitiesOutput struct {
	Entities  []affected
	NextToken string
}

// maxARNs is how many events one call may name (API reference, EntityFilter
// and DescribeEventDetails).
const maxARNs = 10

func (a api) describeAffectedEntities(_ context.Context, in *describeAffectedEntitiesInput) (*describeAffectedEntitiesOutput, error) {
	if in.Filter == nil {
		return nil, missing("filter")
	}
	f := *in.Filter
	if err := checkARNs("filter.eventArns", f.EventArns); err != nil {
		return nil, err
	}
	all := []affected{}
	for _, r := range a.source.Retirements() {
		e := a.affected(r)
		if among(f.EventArns, e.EventArn) && among(f.EntityArns, e.EntityArn) && among(f.EntityValues, e.EntityValue) &&
			among(f.StatusCodes, e.StatusCode) && within(f.LastUpdatedTimes, e.LastUpdatedTime) && len(f.Tags) == 0 {
			all = append(all, e)
		}
	}
	entities, next, err := page(all, func(e affected) string { return e.EntityArn }, in.MaxResults, in.NextToken)
	return &describeAffectedEntitiesOutput{entities, next}, err
}

type describeEventDetailsInput struct {
	EventArns []string
	Locale    string
}

type eventDetails struct {
	Event            event
	EventDescription struct{ LatestDescription string }
}

type eventError struct {
	EventArn     string
	ErrorName    string
	ErrorMessage string
}

type describeEventDetailsOutput struct {
	SuccessfulSet []eventDetails
	FailedSet     []eventError
}

func (a api) describeEventDetails(_ context.Context, in *describeEventDetailsInput) (*describeEventDetailsOutput, error) {
	if err := checkARNs("eventArns", in.EventArns); err != nil {
		return nil, err
	}
	if in.Locale != "" && in.Locale != "en" {
		return nil, wire.Errorf("UnsupportedLocale", "The specified locale is not supported.")
	}
	retirements := a.source.Retirements()
	out := &describeEventDetailsOutput{SuccessfulSet: []eventDetails{}, FailedSet: []eventError{}}
	for _, arn := range in.EventArns {
		i := slices.IndexFunc(retirements, func(r ecs.Retirement) bool { return eventARN(a.region, r) == arn })
		if i < 0 {
			out.FailedSet = append(out.FailedSet, eventError{arn, "ResourceNotFoundException", "The event is not found."})
			continue
		}
		d := eventDetails{Event: a.event(retirements[i])}
		d.EventDescription.LatestDescription = description(retirements[i])
		out.SuccessfulSet = append(out.SuccessfulSet, d)
	}
	return out, nil
}

func missing(member string) error {
	return wire.Errorf("ValidationException", "1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", member)
}

func checkARNs(member string, arns []string) error {
	if len(arns) == 0 {
		return missing(member)
	}
	if len(arns) > maxARNs {
		return wire.Errorf("ValidationException", "1 validation error detected: Value at '%s' failed to satisfy constraint: Member must have length less than or equal to %d", member, maxARNs)
	}
	return nil
}

// page cuts one page of 10 to 100 items; the token names the last item of the
// page before, so that a new event repeats nothing.
func page[T any](all []T, id func(T) string, maxResults *int32, token string) (items []T, next string, err error) {
	const least, most = 10, 100
	size := most
	if maxResults != nil {
		if size = int(*maxResults); size < least || size > most {
			return nil, "", wire.Errorf("ValidationException", "1 validation error detected: Value '%d' at 'maxResults' failed to satisfy constraint: Member must be between %d and %d", size, least, most)
		}
	}
	start := 0
	if token != "" {
		last, err := base64.RawURLEncoding.DecodeString(token)
		at := slices.IndexFunc(all, func(item T) bool { return id(item) == string(last) })
		if err != nil || at < 0 {
			return nil, "", wire.Errorf("InvalidPaginationToken", "The specified pagination token (nextToken) is not valid.")
		}
		start = at + 1
	}
	end := min(start+size, len(all))
	items = all[start:end:end]
	if end < len(all) {
		next = base64.RawURLEncoding.EncodeToString([]byte(id(items[len(items)-1])))
	}
	return items, next, nil
}
