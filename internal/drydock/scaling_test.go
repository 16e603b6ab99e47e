package drydock

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	aastypes "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/smithy-go"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
)

// scaled is a drydock on a clock that the test turns, with a service of one
// task in it, and clients of it.
type scaled struct {
	*testing.T
	*Server
	ecs *ecs.Client
	aas *applicationautoscaling.Client
}

func newScaled(t *testing.T) *scaled {
	s, _ := quay(t)
	config := configOf(s)
	return &scaled{t, s, ecs.NewFromConfig(config), applicationautoscaling.NewFromConfig(config)}
}

func (s *scaled) desired() int {
	s.Helper()
	out, err := s.ecs.DescribeServices(s.Context(), &ecs.DescribeServicesInput{Cluster: aws.String("prod"), Services: []string{"api"}})
	if err != nil {
		s.Fatal(err)
	}
	return int(out.Services[0].DesiredCount)
}

func (s *scaled) setDesired(n int32) {
	s.Helper()
	if _, err := s.ecs.UpdateService(s.Context(), &ecs.UpdateServiceInput{Cluster: aws.String("prod"), Service: aws.String("api"), DesiredCount: &n}); err != nil {
		s.Fatal(err)
	}
}

const resourceID = "service/prod/api"

func (s *scaled) register(least, most *int32, suspended *aastypes.SuspendedState) error {
	_, err := s.aas.RegisterScalableTarget(s.Context(), &applicationautoscaling.RegisterScalableTargetInput{
		ServiceNamespace: aastypes.ServiceNamespaceEcs, ResourceId: aws.String(resourceID), ScalableDimension: aastypes.ScalableDimensionECSServiceDesiredCount,
		MinCapacity: least, MaxCapacity: most, SuspendedState: suspended,
	})
	return err
}

func (s *scaled) target() aastypes.ScalableTarget {
	s.Helper()
	out, err := s.aas.DescribeScalableTargets(s.Context(), &applicationautoscaling.DescribeScalableTargetsInput{ServiceNamespace: aastypes.ServiceNamespaceEcs})
	if err != nil || len(out.ScalableTargets) != 1 {
		s.Fatalf("%v, %d targets", err, len(out.ScalableTargets))
	}
	return out.ScalableTargets[0]
}

func (s *scaled) put(name, schedule string, least, most int32) {
	s.Helper()
	_, err := s.aas.PutScheduledAction(s.Context(), &applicationautoscaling.PutScheduledActionInput{
		ServiceNamespace: aastypes.ServiceNamespaceEcs, ResourceId: aws.String(resourceID), ScalableDimension: aastypes.ScalableDimensionECSServiceDesiredCount,
		ScheduledActionName: &name, Schedule: &schedule, Timezone: aws.String("Asia/Tokyo"),
		ScalableTargetAction: &aastypes.ScalableTargetAction{MinCapacity: &least, MaxCapacity: &most},
	})
	if err != nil {
		s.Fatal(err)
	}
}

func (s *scaled) advance(d time.Duration) {
	s.Helper()
	if err := s.Advance(d); err != nil {
		s.Fatal(err)
	}
}

func code(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode() + ": " + e.ErrorMessage()
	}
	return ""
}

// What happens to a desired count outside of the range: nothing, until the
// target is registered again. What is not given stays.
func TestScalableTargetBringsTheCountIntoItsRange(t *testing.T) {
	s := newScaled(t)
	s.advance(5 * time.Minute)
	if err := s.register(aws.Int32(2), nil, nil); !strings.HasPrefix(code(err), "ValidationException") {
		t.Errorf("a new target without a maximum: %v", err)
	}
	if err := s.register(aws.Int32(4), aws.Int32(2), nil); code(err) != "ValidationException: Maximum capacity cannot be less than minimum capacity" {
		t.Errorf("a range upside down: %v", err)
	}
	if err := s.register(aws.Int32(2), aws.Int32(4), nil); err != nil {
		t.Fatal(err)
	}
	if got := s.desired(); got != 2 {
		t.Errorf("registered with 2 to 4, one task: desired %d", got)
	}
	s.advance(5 * time.Minute)
	s.setDesired(0)
	s.advance(24 * time.Hour)
	if got := s.desired(); got != 0 {
		t.Errorf("a count set by hand was changed to %d", got)
	}
	if err := s.register(nil, nil, &aastypes.SuspendedState{ScheduledScalingSuspended: aws.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	if got := s.desired(); got != 2 {
		t.Errorf("registered again: desired %d", got)
	}
	target := s.target()
	if *target.MinCapacity != 2 || *target.MaxCapacity != 4 || !*target.SuspendedState.ScheduledScalingSuspended || *target.SuspendedState.DynamicScalingInSuspended {
		t.Errorf("the target: %+v, suspended %+v", target, *target.SuspendedState)
	}
	activities, err := s.aas.DescribeScalingActivities(t.Context(), &applicationautoscaling.DescribeScalingActivitiesInput{ServiceNamespace: aastypes.ServiceNamespaceEcs})
	if err != nil || len(activities.ScalingActivities) != 2 {
		t.Fatalf("%v, %d activities", err, len(activities.ScalingActivities))
	}
	if a := activities.ScalingActivities[0]; *a.Description != "Setting desired count to 2." || *a.Cause != "minimum capacity was set to 2" ||
		a.StatusCode != aastypes.ScalingActivityStatusCodeSuccessful || *a.StatusMessage != "Successfully set desired count to 2. Change successfully fulfilled by ecs." {
		t.Errorf("the activity: %s, %s, %s", *a.Description, *a.Cause, *a.StatusMessage)
	}
}

// The on/off workflow: off for the night, on for the day, unless it is
// suspended. 9:00 UTC, where the clock starts, is 18:00 in Tokyo.
func TestScheduledActionsTurnTheServiceOffAndOn(t *testing.T) {
	s := newScaled(t)
	s.advance(5 * time.Minute)
	if err := s.register(aws.Int32(1), aws.Int32(3), nil); err != nil {
		t.Fatal(err)
	}
	s.put("off", "cron(0 20 * * ? *)", 0, 0)
	s.put("on", "cron(0 8 * * ? *)", 2, 3)
	for day := range 3 {
		s.advance(2 * time.Hour)
		if got := s.desired(); got != 0 {
			t.Errorf("evening %d: desired %d", day, got)
		}
		s.advance(12 * time.Hour)
		if got := s.desired(); got != 2 {
			t.Errorf("morning %d: desired %d", day, got)
		}
		s.advance(10 * time.Hour)
	}
	if err := s.register(nil, nil, &aastypes.SuspendedState{ScheduledScalingSuspended: aws.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	s.advance(3 * time.Hour)
	if got := s.desired(); got != 2 {
		t.Errorf("suspended: desired %d", got)
	}
	if err := s.register(nil, nil, &aastypes.SuspendedState{ScheduledScalingSuspended: aws.Bool(false)}); err != nil {
		t.Fatal(err)
	}
	s.advance(24 * time.Hour)
	if got := s.desired(); got != 0 {
		t.Errorf("resumed: desired %d", got)
	}
	activities, err := s.aas.DescribeScalingActivities(t.Context(), &applicationautoscaling.DescribeScalingActivitiesInput{ServiceNamespace: aastypes.ServiceNamespaceEcs, MaxResults: aws.Int32(2)})
	if err != nil {
		t.Fatal(err)
	}
	newest, before := activities.ScalingActivities[0], activities.ScalingActivities[1]
	texts := []string{*newest.Description, *newest.Cause, *before.Description, *before.Cause}
	for _, want := range []string{"Setting desired count to 0.", "maximum capacity was set to 0", "Setting min capacity to 0 and max capacity to 0", "scheduled action name off was triggered"} {
		if !strings.Contains(strings.Join(texts, "\n"), want) {
			t.Errorf("no %q in %q", want, texts)
		}
	}
	if _, err := s.aas.DeregisterScalableTarget(t.Context(), &applicationautoscaling.DeregisterScalableTargetInput{
		ServiceNamespace: aastypes.ServiceNamespaceEcs, ResourceId: aws.String(resourceID), ScalableDimension: aastypes.ScalableDimensionECSServiceDesiredCount,
	}); err != nil {
		t.Fatal(err)
	}
	s.advance(48 * time.Hour)
	if got := s.desired(); got != 0 {
		t.Errorf("deregistered: desired %d", got)
	}
}

// While a deployment is under way the count only goes up; it comes down after.
func TestScaleInWaitsForADeployment(t *testing.T) {
	s := newScaled(t)
	s.setDesired(3)
	if err := s.register(aws.Int32(1), aws.Int32(2), nil); err != nil {
		t.Fatal(err)
	}
	if got := s.desired(); got != 3 {
		t.Errorf("scaled in to %d during the first deployment", got)
	}
	s.advance(10 * time.Minute)
	if got := s.desired(); got != 2 {
		t.Errorf("after it: desired %d", got)
	}
}

func TestScalingSurvivesARestart(t *testing.T) {
	at, data := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC), t.TempDir()
	start := func(at time.Time) *scaled {
		server, err := Start(t.Context(), Options{Runtime: Simulated, Clock: clock.Manual(at), Data: data})
		if err != nil {
			t.Fatal(err)
		}
		config := configOf(server)
		return &scaled{t, server, ecs.NewFromConfig(config), applicationautoscaling.NewFromConfig(config)}
	}
	s := start(at)
	if _, err := s.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: aws.String("prod")}); err != nil {
		t.Fatal(err)
	}
	post(t, s.Endpoint(), "RegisterTaskDefinition", definition)
	post(t, s.Endpoint(), "CreateService", service)
	s.advance(5 * time.Minute)
	if err := s.register(aws.Int32(1), aws.Int32(3), nil); err != nil {
		t.Fatal(err)
	}
	s.put("off", "cron(0 20 * * ? *)", 0, 0)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = start(at.Add(24 * time.Hour)) // the evening was missed
	s.advance(time.Second)
	if got := s.desired(); got != 0 {
		t.Errorf("the run that was missed: desired %d", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
