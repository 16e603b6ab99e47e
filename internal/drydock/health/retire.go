package health

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecs"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// Retirer announces the retirement of the tasks of a service; wait is nil for
// the account's own waiting period. A fault of the caller is a [*wire.Error].
type Retirer interface {
	Retire(cluster, service string, wait *time.Duration) (ecs.Retirement, error)
}

// Announcement is the answer of [Retire].
type Announcement struct {
	EventARN string    `json:"eventArn"`
	Cluster  string    `json:"cluster"`
	Service  string    `json:"service"`
	Tasks    []string  `json:"tasks"` // ARNs
	Start    time.Time `json:"start"`
}

// maxWait bounds how far ahead a retirement can be announced.
const maxWait = 365 * 24 * time.Hour

// Retire serves POST /_drydock/retire with {"cluster","service","seconds"};
// without seconds the account's fargateTaskRetirementWaitPeriod counts. Only
// a JSON content type is accepted, so that a web page in some browser cannot
// post to it.
func Retire(region string, tasks Retirer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Content-Type") != "application/json" {
			http.Error(w, "the content type must be application/json", http.StatusUnsupportedMediaType)
			return
		}
		var in struct {
			Cluster string   `json:"cluster"`
			Service string   `json:"service"`
			Seconds *float64 `json:"seconds"`
		}
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&in)
		if err != nil || in.Service == "" || in.Seconds != nil && (*in.Seconds < 0 || *in.Seconds > maxWait.Seconds()) {
			http.Error(w, `want {"cluster": C, "service": S, "seconds": N}, N between 0 and a year, or none`, http.StatusBadRequest)
			return
		}
		var wait *time.Duration
		if in.Seconds != nil {
			d := time.Duration(*in.Seconds * float64(time.Second))
			wait = &d
		}
		retired, err := tasks.Retire(in.Cluster, in.Service, wait)
		if refused, ok := errors.AsType[*wire.Error](err); ok {
			http.Error(w, refused.Error(), http.StatusBadRequest)
			return
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(Announcement{ // the client hung up: nobody is left to tell
			EventARN: eventARN(region, retired), Cluster: retired.Cluster, Service: retired.Service, Tasks: retired.Tasks, Start: retired.Start,
		})
	})
}
