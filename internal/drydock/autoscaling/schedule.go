package autoscaling

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/schedule"
)

// next is the first run of an action after t, within its start and end times.
func next(a types.ScheduledAction, t time.Time) time.Time {
	since := *a.CreationTime
	if a.StartTime != nil {
		since = *a.StartTime
	}
	when, err := schedule.Parse(*a.Schedule, aws.ToString(a.Timezone), since)
	if err != nil {
		return time.Time{} // checked when it was put
	}
	if !when.Once() && a.StartTime != nil && t.Before(*a.StartTime) {
		t = a.StartTime.Add(-1)
	}
	due := when.After(t)
	if !due.IsZero() && a.EndTime != nil && due.After(*a.EndTime) {
		return time.Time{}
	}
	return due
}
