package ecs

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// progress is how far a deployment of the strategies BLUE_GREEN, LINEAR and
// CANARY has come. The new service revision is the green one, the one that it
// replaces the blue one.
type progress struct {
	Stage      types.ServiceDeploymentLifecycleStage // "" in a rolling update
	Since      time.Time                             // when the stage, or the traffic step, began
	Step       int                                   // traffic steps that are done
	StepAt     time.Time                             // when the present share of traffic was given; zero: not yet
	Blue       string                                // ARN of the blue service revision; "" for the first one of a service
	Production float64                               // percent of production traffic that green gets; blue gets the rest
	Test       float64                               // the same of test traffic
	Hooks      []*hook                               // all that ran, oldest first
}

// Limits of the developer guide ("Amazon ECS blue/green service deployments
// workflow"), on the calendar: they are of the order of days.
const (
	stageMost      = 24 * time.Hour
	deploymentMost = 30 * 24 * time.Hour
)

// lifecycleStages are the stages in their order (developer guide, "Amazon ECS
// blue/green service deployments workflow").
func lifecycleStages() []types.ServiceDeploymentLifecycleStage {
	return []types.ServiceDeploymentLifecycleStage{
		types.ServiceDeploymentLifecycleStageReconcileService,
		types.ServiceDeploymentLifecycleStagePreScaleUp,
		types.ServiceDeploymentLifecycleStageScaleUp,
		types.ServiceDeploymentLifecycleStagePostScaleUp,
		types.ServiceDeploymentLifecycleStageTestTrafficShift,
		types.ServiceDeploymentLifecycleStagePostTestTrafficShift,
		types.ServiceDeploymentLifecycleStageProductionTrafficShift,
		types.ServiceDeploymentLifecycleStagePostProductionTrafficShift,
		types.ServiceDeploymentLifecycleStageBakeTime,
		types.ServiceDeploymentLifecycleStageCleanUp,
	}
}

// reached is whether the deployment is at a stage or behind it.
func (p *progress) reached(stage types.ServiceDeploymentLifecycleStage) bool {
	all := lifecycleStages()
	return slices.Index(all, p.Stage) >= slices.Index(all, stage)
}

// following is the stage after the present one.
func (p *progress) following() types.ServiceDeploymentLifecycleStage {
	all := lifecycleStages()
	return all[min(slices.Index(all, p.Stage)+1, len(all)-1)]
}

// staging is the service deployment that is going through its stages now; nil
// when there is none.
func (s *service) staging() *serviceDeployment {
	r := s.current()
	if r == nil || !staged(r.Configuration) {
		return nil
	}
	switch r.Status {
	case types.ServiceDeploymentStatusPending, types.ServiceDeploymentStatusInProgress, types.ServiceDeploymentStatusRollbackRequested:
		return r
	}
	return nil
}

// prepare says which revision a new service deployment replaces: the last one
// that was completed, else the newest of those that are there.
func (s *service) prepare(r *serviceDeployment) {
	if !staged(r.Configuration) {
		return
	}
	switch {
	case s.LastCompleted != nil:
		r.Blue = s.revision(s.LastCompleted.Revision).ARN
	case len(r.Sources) > 0:
		r.Blue = r.Sources[0]
	}
}

// decide is what the scheduler does next: a rolling update, two revisions
// side by side, or the rounds of a daemon service.
func (e *ECS) decide(s *service, now time.Time) moves {
	if s.Daemon {
		return e.guard(s, now)
	}
	f := e.fleet(s, now)
	if s.staging() == nil {
		return roll(f)
	}
	return sideBySide(f, e.counts(s))
}

// counts is how many tasks each deployment of the service is to have at the
// present stage. Green is brought up beside blue; blue stays complete until
// CLEAN_UP, so that traffic can go back to it at any time. What else there is
// belongs to deployments that were superseded, and goes. Only where there has
// never been a completed deployment, those tasks may be all that serves, and
// stay without being replaced.
func (e *ECS) counts(s *service) []int {
	r := s.staging()
	up := r.reached(types.ServiceDeploymentLifecycleStageScaleUp)
	clean := r.reached(types.ServiceDeploymentLifecycleStageCleanUp)
	n := make([]int, len(s.Deployments))
	for i, d := range s.Deployments {
		switch {
		case i == 0 && up:
			n[i] = s.Desired
		case i == 0 || clean:
		case s.LastCompleted == nil:
			for _, t := range e.tasksOf(s, d.ID) {
				if t.DesiredStatus == statusRunning && n[i] < s.Desired {
					n[i]++
				}
			}
		case d.ID == s.LastCompleted.ID:
			n[i] = s.Desired
		}
	}
	return n
}

// sideBySide gives every group its number of tasks, however many that are
// together: minimumHealthyPercent and maximumPercent are for rolling updates.
// Throttled starts hold the first group up, which is the new one; the others
// ran before. A task that is to be replaced goes when another one is healthy in
// its place.
func sideBySide(f fleet, counts []int) moves {
	m := moves{start: make([]int, len(f.groups)), stop: make([][]string, len(f.groups))}
	if f.halted {
		return m
	}
	for i, g := range f.groups {
		if missing := counts[i] - g.staying(); missing > 0 && !(i == 0 && f.paused) {
			m.start[i] = missing
		}
		surplus, leave := g.staying()-counts[i], g.replaced(counts[i])
		for _, t := range g.leastUseful() {
			switch {
			case t.protected && !t.replaceable(): // UpdateTaskProtection holds CLEAN_UP up, too
				continue
			case t.replaceable() && leave > 0:
				leave--
			case !t.replaceable() && surplus > 0:
				surplus--
			default:
				continue
			}
			m.stop[i] = append(m.stop[i], t.id)
		}
	}
	return m
}

// advance moves the service deployment on by at most one stage, and says when
// it is worth looking again.
func (e *ECS) advance(s *service, now time.Time) []time.Time {
	r := s.staging()
	if r == nil || r.Status != types.ServiceDeploymentStatusInProgress || s.primary().RolloutState != rolloutInProgress {
		return nil
	}
	if r.Stage == "" {
		r.Stage, r.Since = types.ServiceDeploymentLifecycleStagePreScaleUp, now
		if len(r.Sources) > 1 { // "more than 1 service revision in an ACTIVE state"
			r.Stage = types.ServiceDeploymentLifecycleStageReconcileService
		}
		r.Updated = now
		return []time.Time{now}
	}
	if end := r.Started.Add(deploymentMost); !now.Before(end) {
		e.giveBack(s, "the service deployment took more than 30 days", now)
		return []time.Time{now}
	}
	done, next := e.stageDone(s, r, now)
	if s.current().Status != types.ServiceDeploymentStatusInProgress { // a hook or limit ended it
		return []time.Time{now}
	}
	if done && r.Stage != types.ServiceDeploymentLifecycleStageCleanUp {
		r.Stage, r.Since, r.Updated = r.following(), now, now
		next = []time.Time{now}
	}
	for i, n := range e.counts(s) {
		if i > 0 { // green is to have all from the start, whenever its tasks begin
			s.Deployments[i].Desired = n
		}
	}
	return next
}

// stageDone does what belongs to the present stage, and says whether that is
// over.
func (e *ECS) stageDone(s *service, r *serviceDeployment, now time.Time) (done bool, next []time.Time) {
	limit := func(done bool) (bool, []time.Time) {
		if end := r.Since.Add(stageMost); !done && now.Before(end) {
			return false, []time.Time{end}
		} else if !done {
			e.giveBack(s, "the lifecycle stage "+string(r.Stage)+" took more than 24 hours", now)
		}
		return done, nil
	}
	switch r.Stage {
	case types.ServiceDeploymentLifecycleStageReconcileService:
		if done, next := limit(e.reconciled(s)); !done {
			return false, next
		}
		return e.runHooks(s, r, types.DeploymentLifecycleHookStageReconcileService, 0, now)
	case types.ServiceDeploymentLifecycleStagePreScaleUp:
		return e.runHooks(s, r, types.DeploymentLifecycleHookStagePreScaleUp, 0, now)
	case types.ServiceDeploymentLifecycleStageScaleUp:
		return limit(e.scaledUp(s, now))
	case types.ServiceDeploymentLifecycleStagePostScaleUp:
		return e.runHooks(s, r, types.DeploymentLifecycleHookStagePostScaleUp, 0, now)
	case types.ServiceDeploymentLifecycleStageTestTrafficShift:
		e.route(r, r.Production, 100, now)
		return e.runHooks(s, r, types.DeploymentLifecycleHookStageTestTrafficShift, 0, now)
	case types.ServiceDeploymentLifecycleStagePostTestTrafficShift:
		return e.runHooks(s, r, types.DeploymentLifecycleHookStagePostTestTrafficShift, 0, now)
	case types.ServiceDeploymentLifecycleStageProductionTrafficShift:
		return e.shift(s, r, now)
	case types.ServiceDeploymentLifecycleStagePostProductionTrafficShift:
		return e.runHooks(s, r, types.DeploymentLifecycleHookStagePostProductionTrafficShift, 0, now)
	case types.ServiceDeploymentLifecycleStageBakeTime:
		end := r.Since.Add(e.Clock.Scale(r.bake()))
		return !now.Before(end), []time.Time{end}
	}
	return true, nil // CLEAN_UP: the scheduler ends blue, and with it the deployment
}

// bake is how long blue stays after the last shift. The first revision of a
// service has no blue beside which it could.
func (r *serviceDeployment) bake() time.Duration {
	if r.Blue == "" {
		return 0
	}
	return minutes(r.Configuration.BakeTimeInMinutes)
}

// shift gives green its shares of production traffic one after the other. The
// hooks of PRE_PRODUCTION_TRAFFIC_SHIFT run before every step and those of
// PRODUCTION_TRAFFIC_SHIFT at it (developer guide, "Lifecycle hooks for Amazon
// ECS service deployments"). Which lifecycleStage AWS shows before the first
// step is not documented, PRE_PRODUCTION_TRAFFIC_SHIFT not being one of the
// enum; drydock shows PRODUCTION_TRAFFIC_SHIFT.
func (e *ECS) shift(s *service, r *serviceDeployment, now time.Time) (done bool, next []time.Time) {
	steps := trafficSteps(r.Configuration)
	if r.Step >= len(steps) {
		return true, nil
	}
	if r.StepAt.IsZero() {
		if done, next := e.runHooks(s, r, types.DeploymentLifecycleHookStagePreProductionTrafficShift, r.Step, now); !done {
			return false, next
		}
		r.StepAt = now
		e.route(r, steps[r.Step], r.Test, now)
	}
	if done, next := e.runHooks(s, r, types.DeploymentLifecycleHookStageProductionTrafficShift, r.Step, now); !done {
		return false, next
	}
	if last := r.Step == len(steps)-1; !last && r.Blue != "" {
		if end := r.StepAt.Add(e.Clock.Scale(stepBake(r.Configuration))); now.Before(end) {
			return false, []time.Time{end}
		}
	}
	r.Step, r.StepAt, r.Since = r.Step+1, time.Time{}, now
	return r.Step >= len(steps), []time.Time{now}
}

// route sets the shares of traffic that the green revision gets, in percent.
// It is the one place where traffic moves: what a service's load balancers
// have to be told (advancedConfiguration) belongs here.
func (e *ECS) route(r *serviceDeployment, production, test float64, now time.Time) {
	if r.Production != production || r.Test != test {
		r.Production, r.Test, r.Updated = production, test, now
	}
}

// reconciled is whether the tasks of superseded deployments are gone.
func (e *ECS) reconciled(s *service) bool {
	for i, d := range s.Deployments {
		if i > 0 && s.LastCompleted != nil && d.ID != s.LastCompleted.ID && len(e.tasksOf(s, d.ID)) > 0 {
			return false
		}
	}
	return true
}

// scaledUp is whether green has as many healthy tasks as the service wants.
func (e *ECS) scaledUp(s *service, now time.Time) bool {
	ready := 0
	for _, t := range e.tasksOf(s, s.primary().ID) {
		if ok, _ := e.healthy(s, t, now); ok && t.LastStatus == statusRunning && t.DesiredStatus == statusRunning {
			ready++
		}
	}
	return ready >= s.Desired
}

// giveBack fails the deployment and puts all traffic back on blue, whether or
// not the service asks for rollbacks: that is what AWS documents of limits and
// hooks. The words of the reasons are drydock's.
func (e *ECS) giveBack(s *service, why string, now time.Time) {
	e.fail(s, "ECS deployment failed: "+why+".", why, true, now)
	e.rollBack(s, "Service deployment rolled back because "+why+".", "ECS deployment failed: ", now)
}

// endStages is for a service deployment that does not go on: a hook that waits
// is over, and green gets no traffic any more.
func (e *ECS) endStages(s *service, r *serviceDeployment, now time.Time) {
	if r.Stage == "" {
		return
	}
	e.route(r, 0, 0, now)
	for _, h := range r.Hooks {
		if h.open() {
			e.settleHook(s, r, h, types.DeploymentLifecycleHookStatusFailed, now)
		}
	}
}

// showProgress adds the stage, the hooks and the shares of traffic.
func (d *serviceDeployment) showProgress(out *types.ServiceDeployment) {
	if d.Stage == "" {
		return
	}
	out.LifecycleStage = d.Stage
	for _, h := range d.Hooks {
		out.LifecycleHookDetails = append(out.LifecycleHookDetails, h.show())
	}
	share := func(r *types.ServiceRevisionSummary, production, test float64) {
		r.RequestedProductionTrafficWeight, r.RequestedTestTrafficWeight = aws.Float64(production), aws.Float64(test)
	}
	share(out.TargetServiceRevision, d.Production, d.Test)
	for i := range out.SourceServiceRevisions {
		if r := &out.SourceServiceRevisions[i]; aws.ToString(r.Arn) == d.Blue {
			share(r, 100-d.Production, 100-d.Test)
		} else {
			share(r, 0, 0)
		}
	}
}
