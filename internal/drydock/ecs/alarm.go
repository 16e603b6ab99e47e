package ecs

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// AlarmState is the state of a CloudWatch alarm.
type AlarmState string

// The states of an alarm, in CloudWatch's words.
const (
	AlarmOK               AlarmState = "OK"
	AlarmAlarm            AlarmState = "ALARM"
	AlarmInsufficientData AlarmState = "INSUFFICIENT_DATA"
)

// Alarm is all that deployments need to know of a CloudWatch alarm.
type Alarm struct {
	Name    string     `json:"name"`
	State   AlarmState `json:"state"`
	Updated time.Time  `json:"updated"` // of the state
}

// SetAlarm sets the state of an alarm, which it makes when there is none. What
// CloudWatch would refuse is an InvalidParameterException.
func (e *ECS) SetAlarm(name string, state AlarmState) (Alarm, error) {
	if name == "" || len(name) > 255 {
		return Alarm{}, wire.Errorf("InvalidParameterException", "The name of an alarm has between 1 and 255 characters.")
	}
	if state != AlarmOK && state != AlarmAlarm && state != AlarmInsufficientData {
		return Alarm{}, wire.Errorf("InvalidParameterException", "The state of an alarm is OK, ALARM or INSUFFICIENT_DATA, not %q.", state)
	}
	a := Alarm{Name: name, State: state}
	return a, e.change(func(now time.Time) error {
		a.Updated = now
		kept := a
		e.alarms[name] = &kept
		e.dirty.Put(bucketAlarms, name, &kept)
		for _, key := range slices.Sorted(maps.Keys(e.services)) {
			if s := e.services[key]; s.Status == statusActive && s.watches(name) {
				e.look(s, now)
			}
		}
		return nil
	})
}

// Alarms are those whose state was ever set, by name.
func (e *ECS) Alarms() []Alarm {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := []Alarm{}
	for _, name := range slices.Sorted(maps.Keys(e.alarms)) {
		out = append(out, *e.alarms[name])
	}
	return out
}

// watch is what a service deployment has to do with alarms.
type watch struct {
	AlarmStatus types.ServiceDeploymentRollbackMonitorsStatus // "" before alarms were known here
	Triggered   []string                                      // names of the alarms that ended it
	BakeFrom    time.Time                                     // a rolling update has landed and is watched from then on
}

// alarmBake is how long a rolling update is watched after it has landed. AWS
// computes it from the alarms' periods (developer guide, "How CloudWatch
// alarms detect Amazon ECS deployment failures"), which drydock's alarms do
// not have: this is one evaluation of five periods of a minute.
const alarmBake = 5 * time.Minute

// watches is whether the deployment under way depends on an alarm.
func (s *service) watches(name string) bool {
	r := s.current()
	return r != nil && r.live() && r.Configuration.Alarms != nil && slices.Contains(r.Configuration.Alarms.AlarmNames, name)
}

// checkAlarms holds deployment alarms to what can be watched. Whether the
// alarms exist is not checked, as ECS documents no error for that.
func checkAlarms(a *types.DeploymentAlarms) error {
	if a == nil {
		return nil
	}
	if a.Enable && len(a.AlarmNames) == 0 {
		return wire.Errorf("InvalidParameterException", "alarmNames can not be empty when deployment alarms are enabled.")
	}
	if slices.Contains(a.AlarmNames, "") {
		return wire.Errorf("InvalidParameterException", "alarmNames can not contain a blank name.")
	}
	return nil
}

// setWatch says at the start of a deployment whether alarms may end it. Those
// that are in ALARM already are no sign of the new revision: the deployment
// goes on without alarms then (developer guide, "How CloudWatch alarms detect
// Amazon ECS deployment failures").
func (e *ECS) setWatch(r *serviceDeployment) {
	r.AlarmStatus = types.ServiceDeploymentRollbackMonitorsStatusDisabled
	if a := r.Configuration.Alarms; a != nil && a.Enable && len(e.inAlarm(r)) == 0 {
		r.AlarmStatus = types.ServiceDeploymentRollbackMonitorsStatusMonitoring
	}
}

// inAlarm are the alarms of a deployment that are in ALARM now.
func (e *ECS) inAlarm(r *serviceDeployment) []string {
	var names []string
	if r.Configuration.Alarms != nil {
		for _, name := range r.Configuration.Alarms.AlarmNames {
			if a := e.alarms[name]; a != nil && a.State == AlarmAlarm {
				names = append(names, name)
			}
		}
	}
	return names
}

// alarmed fails the deployment when one of its alarms has gone off, and says
// so. The event's words were observed ("deployment failed: alarm detected.");
// those of the reasons follow the circuit breaker's.
func (e *ECS) alarmed(s *service, now time.Time) bool {
	r := s.current()
	if r == nil || r.Status != types.ServiceDeploymentStatusInProgress || r.AlarmStatus != types.ServiceDeploymentRollbackMonitorsStatusMonitoring {
		return false
	}
	names := e.inAlarm(r)
	if len(names) == 0 {
		return false
	}
	r.AlarmStatus, r.Triggered = types.ServiceDeploymentRollbackMonitorsStatusTriggered, names
	rollback := r.Configuration.Alarms.Rollback
	e.fail(s, "ECS deployment failed: alarm detected.", "alarm detected", rollback, now)
	if rollback {
		e.rollBack(s, "Service deployment rolled back because of the CloudWatch alarm "+strings.Join(names, ", ")+".", "ECS deployment failed: alarm detected: ", now)
	}
	return true
}

// held is whether a deployment whose tasks are all in place is not completed
// yet: its stages are not through, or it is still watched for alarms. Then it
// is looked at again in time.
func (e *ECS) held(s *service, now time.Time) bool {
	r := s.current()
	if r == nil || r.Status != types.ServiceDeploymentStatusInProgress {
		return false
	}
	if staged(r.Configuration) {
		return !r.reached(types.ServiceDeploymentLifecycleStageCleanUp)
	}
	if r.AlarmStatus != types.ServiceDeploymentRollbackMonitorsStatusMonitoring {
		return false
	}
	if r.BakeFrom.IsZero() {
		r.BakeFrom, r.Updated = now, now
	}
	bake := alarmBake
	if r.Configuration.BakeTimeInMinutes != nil {
		bake = minutes(r.Configuration.BakeTimeInMinutes)
	}
	end := r.BakeFrom.Add(e.Clock.Scale(bake))
	if now.Before(end) {
		e.look(s, end.Add(-1))
		return true
	}
	return false
}

// showAlarms adds what the deployment has to do with alarms; nothing for one
// without any.
func (d *serviceDeployment) showAlarms(out *types.ServiceDeployment) {
	a := d.Configuration.Alarms
	if a == nil {
		return
	}
	out.Alarms = &types.ServiceDeploymentAlarms{
		Status: d.AlarmStatus, AlarmNames: slices.Clone(a.AlarmNames), TriggeredAlarmNames: slices.Clone(d.Triggered),
	}
}
