package maintenance

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// ward answers as AWS Health does.
type ward struct {
	events   []HealthEvent
	entities []HealthEntity
	err      error // of what is affected
}

func (w ward) RetirementEvents(context.Context, string) ([]HealthEvent, error) { return w.events, nil }

func (w ward) AffectedEntities(context.Context, []string) ([]HealthEntity, error) {
	return w.entities, w.err
}

func TestRetirements(t *testing.T) {
	const task = "arn:aws:ecs:eu-west-1:123456789012:task/prod/0123"
	w := ward{events: []HealthEvent{{ARN: "e", Region: "eu-west-1", Start: time.Unix(1_795_600_000, 0), Status: "upcoming"}}, err: errors.New("refused")}
	for _, value := range []string{
		"prod|web", "prod | web", "prod/api", "arn:aws:ecs:eu-west-1:123456789012:service/prod/job", task, task + "4", "nonsense", "arn:aws:s3:::bucket",
	} {
		w.entities = append(w.entities, HealthEntity{Event: "e", Value: value, Account: "123456789012", Status: "PENDING"})
	}
	w.entities = append(w.entities, HealthEntity{Event: "e", Value: "prod/done", Account: "123456789012", Status: "RESOLVED"})
	notices, err := FromHealth(t.Context(), w)
	if err == nil {
		t.Error("what could not be read is not said")
	}
	var lines []string
	for _, r := range Retirements(notices) {
		lines = append(lines, r.Region+" "+r.Cluster+" "+r.Service+" "+strings.Join(r.Tasks, " "))
		if r.At.Location() != time.UTC || r.At.Unix() != 1_795_600_000 {
			t.Errorf("%v", r.At)
		}
	}
	want := []string{"eu-west-1 prod web ", "eu-west-1 prod api ", "eu-west-1 prod job ", "eu-west-1 prod  " + task + " " + task + "4"}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("retirements (-want +got)\n%s", diff)
	}
}
