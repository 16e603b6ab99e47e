package rollout

import (
	"fmt"
	"time"
)

// Hook is a lifecycle hook of the stage that a service deployment is at.
type Hook struct {
	ID        string
	Status    string    // AWAITING_ACTION, IN_PROGRESS, SUCCEEDED, FAILED or TIMED_OUT
	ExpiresAt time.Time // zero where ECS does not say
	OnExpiry  string    // what ECS does then: CONTINUE or ROLLBACK
}

// Hold is what keeps a rollout where it is: a PAUSE hook that waits for
// somebody's answer, by ContinueServiceDeployment. ("Pause hooks for Amazon ECS
// service deployments", developer guide.)
type Hold struct {
	Record    string    `json:"serviceDeploymentArn"`
	HookID    string    `json:"hookId"`
	Stage     string    `json:"stage"` // in lower case: "post test traffic shift"
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
	OnExpiry  string    `json:"onExpiry,omitempty"` // CONTINUE or ROLLBACK
}

// String is the hold in one sentence.
func (h Hold) String() string {
	s := fmt.Sprintf("a PAUSE hook holds the rollout at %s until somebody answers", h.Stage)
	then := ""
	switch h.OnExpiry {
	case "CONTINUE":
		then = "ECS goes on by itself"
	case "ROLLBACK":
		then = "ECS rolls back"
	}
	if then == "" || h.ExpiresAt.IsZero() {
		return s
	}
	return fmt.Sprintf("%s; at %s %s", s, h.ExpiresAt.Local().Format("2006-01-02 15:04"), then)
}

// hold is the hook that waits for an answer, nil where none does.
func (r *ServiceDeployment) hold() *Hold {
	if r == nil || r.over() {
		return nil
	}
	for _, h := range r.Hooks {
		if h.Status == "AWAITING_ACTION" {
			return &Hold{Record: r.ARN, HookID: h.ID, Stage: stageName(r.Stage), ExpiresAt: h.ExpiresAt, OnExpiry: h.OnExpiry}
		}
	}
	return nil
}

// newHold is the news that a hook has begun to wait.
func (t *Tracker) newHold() []News {
	h := t.record.hold()
	if h == nil || h.HookID == t.toldHold {
		return nil
	}
	t.toldHold = h.HookID
	return []News{{Kind: Held, Message: h.String()}}
}
