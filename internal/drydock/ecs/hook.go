package ecs

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// hook is one run of a lifecycle hook.
type hook struct {
	ID      string
	Kind    types.DeploymentLifecycleHookTargetType
	Target  string // ARN of the function; "" for PAUSE
	Stage   types.DeploymentLifecycleHookStage
	Step    int // of the traffic shift
	Place   int // among the hooks of the service
	Status  types.DeploymentLifecycleHookStatus
	Expires time.Time // on the calendar: it may be a person who answers
	Action  types.DeploymentLifecycleHookAction
	AskAt   time.Time // a function that said IN_PROGRESS is asked again then
}

// open is whether the hook still holds its deployment up.
func (h *hook) open() bool {
	return h.Status == types.DeploymentLifecycleHookStatusAwaitingAction || h.Status == types.DeploymentLifecycleHookStatusInProgress
}

func (h *hook) show() types.DeploymentLifecycleHookDetail {
	return types.DeploymentLifecycleHookDetail{
		HookId: aws.String(h.ID), TargetType: h.Kind, TargetArn: optional(h.Target),
		Status: h.Status, ExpiresAt: moment(h.Expires), TimeoutAction: h.Action,
	}
}

// HookAnswer is what a Lambda function that is a lifecycle hook returns: there
// is no Lambda here, so drydock is told beforehand (developer guide, "Lambda
// hooks for Amazon ECS service deployments").
type HookAnswer struct {
	ARN           string `json:"arn"`
	Status        string `json:"status"`                  // SUCCEEDED, FAILED or IN_PROGRESS
	CallBackDelay int    `json:"callBackDelay,omitempty"` // seconds after which IN_PROGRESS is asked again; 0 is 30
}

const (
	callBackDelay = 30 * time.Second // AWS's own, when the function does not say
	maxCallBack   = 24 * 60 * 60     // seconds
)

// AnswerHook says what a function answers from now on. An answer that no
// function can give is an InvalidParameterException.
func (e *ECS) AnswerHook(a HookAnswer) error {
	if !strings.HasPrefix(a.ARN, "arn:aws:lambda:") || len(a.ARN) > 255 {
		return wire.Errorf("InvalidParameterException", "%q is not the ARN of a Lambda function.", a.ARN)
	}
	switch types.DeploymentLifecycleHookStatus(a.Status) {
	case types.DeploymentLifecycleHookStatusSucceeded, types.DeploymentLifecycleHookStatusFailed, types.DeploymentLifecycleHookStatusInProgress:
	default:
		return wire.Errorf("InvalidParameterException", "A hook status is SUCCEEDED, FAILED or IN_PROGRESS, not %q.", a.Status)
	}
	if a.CallBackDelay < 0 || a.CallBackDelay > maxCallBack {
		return wire.Errorf("InvalidParameterException", "callBackDelay must be between 0 and %d seconds.", maxCallBack)
	}
	return e.change(func(time.Time) error {
		e.hooks[a.ARN] = &a
		e.dirty.Put(bucketHooks, a.ARN, &a)
		return nil
	})
}

// HookAnswers are what functions answer, by ARN.
func (e *ECS) HookAnswers() []HookAnswer {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := []HookAnswer{}
	for _, arn := range slices.Sorted(maps.Keys(e.hooks)) {
		out = append(out, *e.hooks[arn])
	}
	return out
}

// checkHooks holds lifecycle hooks to the API reference and to the
// constraints of the developer guide. A function that drydock was told no
// answer for is refused: a deployment must not go well because a gate was
// never asked.
func (e *ECS) checkHooks(c types.DeploymentConfiguration) error {
	invalid := func(format string, args ...any) error {
		return wire.Errorf("InvalidParameterException", format, args...)
	}
	if len(c.LifecycleHooks) > 0 && !staged(c) {
		return invalid("Lifecycle hooks are only valid with the deployment strategies BLUE_GREEN, LINEAR and CANARY.")
	}
	number := map[types.DeploymentLifecycleHookTargetType]int{}
	for _, h := range c.LifecycleHooks {
		kind := hookKind(h)
		if number[kind]++; number[kind] > maxHooks {
			return invalid("A service can have at most %d lifecycle hooks of the type %s.", maxHooks, kind)
		}
		if len(h.LifecycleStages) == 0 {
			return invalid("lifecycleStages must be provided for a lifecycle hook.")
		}
		for _, stage := range h.LifecycleStages {
			if !slices.Contains(stage.Values(), stage) {
				return invalid("Invalid lifecycle stage: %q.", string(stage))
			}
		}
		if t := h.TimeoutConfiguration; t != nil {
			if t.TimeoutInMinutes != nil && (*t.TimeoutInMinutes < 1 || *t.TimeoutInMinutes > maxHookMinutes) {
				return invalid("timeoutInMinutes must be between 1 and %d.", maxHookMinutes)
			}
			if t.Action != "" && !slices.Contains(t.Action.Values(), t.Action) {
				return invalid("Invalid timeout action: %q.", string(t.Action))
			}
		}
		arn := aws.ToString(h.HookTargetArn)
		switch kind {
		case types.DeploymentLifecycleHookTargetTypePause:
			if arn != "" || aws.ToString(h.RoleArn) != "" {
				return invalid("hookTargetArn and roleArn are not valid for a lifecycle hook of the type PAUSE.")
			}
			for _, stage := range h.LifecycleStages {
				if stage == types.DeploymentLifecycleHookStageTestTrafficShift || stage == types.DeploymentLifecycleHookStageProductionTrafficShift {
					return invalid("Lifecycle hooks of the type PAUSE are not valid at the stage %s.", stage)
				}
			}
		case types.DeploymentLifecycleHookTargetTypeAwsLambda:
			switch {
			case arn == "":
				return invalid("hookTargetArn must be provided for a lifecycle hook of the type AWS_LAMBDA.")
			case aws.ToString(h.RoleArn) == "":
				return invalid("roleArn must be provided for a lifecycle hook of the type AWS_LAMBDA.")
			case e.hooks[arn] == nil:
				return invalid("The Lambda function %s does not exist. Tell drydock what it answers: plimsoll drydock hook %s SUCCEEDED", arn, arn)
			}
		default:
			return invalid("Invalid lifecycle hook targetType: %q.", string(h.TargetType))
		}
	}
	return nil
}

func hookKind(h types.DeploymentLifecycleHook) types.DeploymentLifecycleHookTargetType {
	if h.TargetType == "" {
		return types.DeploymentLifecycleHookTargetTypeAwsLambda
	}
	return h.TargetType
}

// runHooks starts the hooks of a stage, all at once, when it is reached, and
// says whether all are through. One that says no fails the deployment.
func (e *ECS) runHooks(s *service, r *serviceDeployment, stage types.DeploymentLifecycleHookStage, step int, now time.Time) (done bool, next []time.Time) {
	done = true
	waited := false
	for place, h := range r.Configuration.LifecycleHooks {
		if !slices.Contains(h.LifecycleStages, stage) {
			continue
		}
		i := slices.IndexFunc(r.Hooks, func(k *hook) bool { return k.Stage == stage && k.Step == step && k.Place == place })
		if i < 0 {
			r.Hooks = append(r.Hooks, e.startHook(s, r, h, stage, step, place, now))
			i = len(r.Hooks) - 1
		}
		k := r.Hooks[i]
		if k.open() {
			waited = true
			e.ask(s, r, k, now)
		}
		switch {
		case k.open():
			done = false
			next = append(next, k.Expires)
			if !k.AskAt.IsZero() {
				next = append(next, k.AskAt)
			}
		case k.refused():
			e.giveBack(s, "the lifecycle hook "+k.ID+" at "+string(stage)+" "+k.verdict(), now)
			return false, nil
		}
	}
	if done && waited {
		r.Since = now // the 24 hours of a stage do not count what it waited for hooks
	}
	return done, next
}

func (e *ECS) startHook(s *service, r *serviceDeployment, h types.DeploymentLifecycleHook, stage types.DeploymentLifecycleHookStage, step, place int, now time.Time) *hook {
	k := &hook{
		Kind: hookKind(h), Target: aws.ToString(h.HookTargetArn), Stage: stage, Step: step, Place: place,
		Action: types.DeploymentLifecycleHookActionRollback, Expires: now.Add(hookMinutes * time.Minute),
		Status: types.DeploymentLifecycleHookStatusInProgress,
	}
	prefix := "ecs-lambda-" // not documented; that of PAUSE is
	if k.Kind == types.DeploymentLifecycleHookTargetTypePause {
		prefix, k.Status = "ecs-pause-", types.DeploymentLifecycleHookStatusAwaitingAction
	}
	k.ID = prefix + e.token()
	if t := h.TimeoutConfiguration; t != nil {
		if t.TimeoutInMinutes != nil {
			k.Expires = now.Add(minutes(t.TimeoutInMinutes))
		}
		if t.Action != "" {
			k.Action = t.Action
		}
	}
	r.Updated = now
	e.tellHook(s, r, k, now)
	return k
}

// token is 43 characters as AWS's hook ids have behind their prefix.
func (e *ECS) token() string {
	b := make([]byte, 32)
	for i := 0; i < len(b); i += 8 {
		binary.LittleEndian.PutUint64(b[i:], e.rand.Uint64())
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// ask sees whether an open hook has come to an end: its time is over, or the
// function says so.
func (e *ECS) ask(s *service, r *serviceDeployment, k *hook, now time.Time) {
	if !now.Before(k.Expires) {
		e.settleHook(s, r, k, types.DeploymentLifecycleHookStatusTimedOut, now)
		return
	}
	if k.Kind == types.DeploymentLifecycleHookTargetTypePause || now.Before(k.AskAt) {
		return
	}
	a := e.hooks[k.Target]
	if a == nil { // never: it was there when the service was accepted
		return
	}
	if status := types.DeploymentLifecycleHookStatus(a.Status); status != types.DeploymentLifecycleHookStatusInProgress {
		e.settleHook(s, r, k, status, now)
		return
	}
	wait := callBackDelay
	if a.CallBackDelay > 0 {
		wait = time.Duration(a.CallBackDelay) * time.Second
	}
	k.AskAt = now.Add(e.Clock.Scale(wait))
}

// refused is whether the hook ends the deployment.
func (h *hook) refused() bool {
	return h.Status == types.DeploymentLifecycleHookStatusFailed ||
		h.Status == types.DeploymentLifecycleHookStatusTimedOut && h.Action == types.DeploymentLifecycleHookActionRollback
}

func (h *hook) verdict() string {
	if h.Status == types.DeploymentLifecycleHookStatusTimedOut {
		return "timed out"
	}
	return "failed"
}

func (e *ECS) settleHook(s *service, r *serviceDeployment, k *hook, status types.DeploymentLifecycleHookStatus, now time.Time) {
	k.Status, k.AskAt, r.Updated = status, time.Time{}, now
	e.tellHook(s, r, k, now)
}

// hookChange is the detail of an "ECS Hook State Change" (developer guide,
// "Amazon ECS service deployment hook state change events").
type hookChange struct {
	EventType            string `json:"eventType"`
	EventName            string `json:"eventName"`
	HookID               string `json:"hookId"`
	HookType             string `json:"hookType"`
	ExpiresAt            string `json:"expiresAt"`
	LifecycleStage       string `json:"lifecycleStage"`
	ClusterARN           string `json:"clusterArn"`
	ServiceARN           string `json:"serviceArn"`
	ServiceDeploymentARN string `json:"serviceDeploymentArn"`
	UpdatedAt            string `json:"updatedAt"`
}

// tellHook sends what a hook has come to. The one example of AWS's is of type
// INFO; that failures are of type ERROR follows its other events.
func (e *ECS) tellHook(s *service, r *serviceDeployment, k *hook, now time.Time) {
	kind := "INFO"
	if k.Status == types.DeploymentLifecycleHookStatusFailed || k.Status == types.DeploymentLifecycleHookStatusTimedOut {
		kind = "ERROR"
	}
	e.emit(now, "ECS Hook State Change", r.ARN, hookChange{
		EventType: kind, EventName: "HOOK_" + string(k.Status), HookID: k.ID, HookType: string(k.Kind),
		ExpiresAt: k.Expires.UTC().Format(eventSeconds), LifecycleStage: string(k.Stage), ClusterARN: e.arn("cluster", s.Cluster),
		ServiceARN: s.ARN, ServiceDeploymentARN: r.ARN, UpdatedAt: now.UTC().Format(eventMillis),
	})
}

// continueServiceDeployment answers a PAUSE hook; the scheduler takes it from
// there at its next tick. The hook must be waiting and its deployment
// IN_PROGRESS (developer guide, "Continuing service deployments"); the model
// names no exception of its own for one that is not.
func (e *ECS) continueServiceDeployment(_ context.Context, in *ecs.ContinueServiceDeploymentInput) (*ecs.ContinueServiceDeploymentOutput, error) {
	arn, id := aws.ToString(in.ServiceDeploymentArn), aws.ToString(in.HookId)
	status := types.DeploymentLifecycleHookStatusSucceeded
	switch in.Action {
	case "", types.DeploymentLifecycleHookActionContinue:
	case types.DeploymentLifecycleHookActionRollback:
		status = types.DeploymentLifecycleHookStatusFailed
	default:
		return nil, wire.Errorf("InvalidParameterException", "Invalid action: %q.", string(in.Action))
	}
	if arn == "" || id == "" {
		return nil, wire.Errorf("InvalidParameterException", "serviceDeploymentArn and hookId can not be blank.")
	}
	err := e.change(func(now time.Time) error {
		s, r := e.record(arn)
		if r == nil {
			return wire.Errorf("ServiceDeploymentNotFoundException", "Service deployment not found.")
		}
		i := slices.IndexFunc(r.Hooks, func(k *hook) bool { return k.ID == id })
		switch {
		case i < 0:
			return wire.Errorf("InvalidParameterException", "The service deployment has no lifecycle hook with the hookId %s.", id)
		case r.Status != types.ServiceDeploymentStatusInProgress:
			return wire.Errorf("InvalidParameterException", "The service deployment is in the state %s and cannot be continued.", r.Status)
		case r.Hooks[i].Status != types.DeploymentLifecycleHookStatusAwaitingAction:
			return wire.Errorf("InvalidParameterException", "The lifecycle hook is in the state %s and does not await an action.", r.Hooks[i].Status)
		}
		e.settleHook(s, r, r.Hooks[i], status, now)
		e.markService(s)
		e.look(s, now)
		return nil
	})
	return &ecs.ContinueServiceDeploymentOutput{ServiceDeploymentArn: &arn}, err
}

// record finds a service deployment by its ARN; both are nil when there is none.
func (e *ECS) record(arn string) (*service, *serviceDeployment) {
	if s := e.owned(arn, "service-deployment"); s != nil {
		if r := s.recordByARN(arn); r != nil {
			return s, r
		}
	}
	return nil, nil
}
