package health

import (
	"net/http"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecs"
)

// Emitter takes the events that AWS Health sends to EventBridge.
type Emitter interface {
	Emit(at time.Time, detailType string, resources []string, detail any)
}

// Notifier sends an event when a retirement is announced, begins and is over.
type Notifier struct {
	Account string
	Region  string
	Events  Emitter
}

// detail is an event of AWS Health as EventBridge has it. Times are written as
// RFC 1123 has them, unlike everywhere else (AWS Health user guide, Amazon
// EventBridge schema).
type detail struct {
	EventARN          string           `json:"eventArn"`
	Service           string           `json:"service"`
	EventScopeCode    string           `json:"eventScopeCode"`
	CommunicationID   string           `json:"communicationId"`
	LastUpdatedTime   string           `json:"lastUpdatedTime"`
	EventRegion       string           `json:"eventRegion"`
	EventTypeCode     string           `json:"eventTypeCode"`
	EventTypeCategory string           `json:"eventTypeCategory"`
	StatusCode        string           `json:"statusCode"`
	StartTime         string           `json:"startTime"`
	EndTime           string           `json:"endTime"`
	EventDescription  []latest         `json:"eventDescription"`
	AffectedEntities  []affectedEntity `json:"affectedEntities"`
	Page              string           `json:"page"`
	TotalPages        string           `json:"totalPages"`
	AffectedAccount   string           `json:"affectedAccount"`
}

type latest struct {
	Language          string `json:"language"`
	LatestDescription string `json:"latestDescription"`
}

type affectedEntity struct {
	EntityValue     string `json:"entityValue"`
	Status          string `json:"status"`
	LastUpdatedTime string `json:"lastUpdatedTime"`
}

// Notify implements [ecs.Notifier]. Each status is a communication of its own
// about the same event.
func (n Notifier) Notify(r ecs.Retirement) {
	stamp := func(t time.Time) string { return t.UTC().Format(http.TimeFormat) }
	n.Events.Emit(r.Updated, "AWS Health Event", []string{r.Cluster + "|" + r.Service}, detail{
		EventARN: eventARN(n.Region, r), Service: product, EventScopeCode: scope,
		CommunicationID: r.ID + "-" + string(r.Status), LastUpdatedTime: stamp(r.Updated), EventRegion: n.Region,
		EventTypeCode: retirementCode, EventTypeCategory: category, StatusCode: string(r.Status),
		StartTime: stamp(r.Start), EndTime: stamp(r.Start.Add(endsAfter)),
		EventDescription: []latest{{"en_US", description(r)}},
		AffectedEntities: []affectedEntity{{entity(r), entityStatus(r), stamp(r.Updated)}},
		Page:             "1", TotalPages: "1", AffectedAccount: n.Account,
	})
}
