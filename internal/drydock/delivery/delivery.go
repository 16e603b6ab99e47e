// Package delivery brings what EventBridge rules and EventBridge Scheduler's
// schedules send to their targets: tasks of ECS that it runs, SQS queues, SNS topics
// and CloudWatch Logs groups. It is where the permissions of both are asked, since a
// rule without them does nothing on AWS and nobody is told.
//
// [Courier.Deliver] does it and says what came of it. What does not arrive goes to
// the target's dead-letter queue, where there is one, and is reported.
package delivery

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/iam"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/iam/policy"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/sqs"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// Queues are those of SQS, by ARN.
type Queues interface {
	Deliver(arn, sender, body string, attributes map[string]sqs.Attribute) error
	PolicyOf(arn string) string
}

// Topics are those of SNS, by ARN.
type Topics interface {
	Deliver(arn, body string) error
	PolicyOf(arn string) string
}

// Logs are log groups, by name.
type Logs interface {
	Append(group, stream string, at time.Time, line string) error
}

// Roles judge what a role may do when a service has taken it on. Roles that do not
// exist may do anything. Package iam has them.
type Roles interface {
	Assumable(role, service, source string) error
	AllowedNeed(role, session string, n iam.Need) error
}

// Options are the surroundings of a [Courier].
type Options struct {
	Account, Region string
	Clock           *clock.Clock
	ECS             wire.Local // has ECS.RunTask
	// TaskDefinition finds a revision by family, family:revision or ARN, and the ARNs
	// of its roles; arn is "" when there is none.
	TaskDefinition func(id string) (arn string, roles []string)
	Queues         Queues
	Topics         Topics
	Logs           Logs
	Roles          Roles
	// Report is told of what did not arrive.
	Report func(p Parcel, err *FailedError)
}

// Courier delivers. It keeps nothing.
type Courier struct{ Options }

// New makes a [Courier].
func New(o Options) *Courier { return &Courier{o} }

// Parcel is one thing for one target.
type Parcel struct {
	Service     string // that sends it, "events.amazonaws.com"
	From        string // ARN of the rule or schedule
	StartedBy   string // of tasks
	Target      string // ARN
	Role        string // ARN, "" for none
	Body        string // what the target gets
	Overrides   string // of tasks: the input that the target was given, "" for none
	Tasks       *Tasks
	DeadLetters string // ARN of a queue, "" for none
}

// FailedError says why something did not arrive.
type FailedError struct {
	Code    string // AWS's, such as InvalidParameterException
	Message string
}

func (e *FailedError) Error() string { return e.Code + ": " + e.Message }

// Deliver brings a parcel to its target. It must not be called with anything of
// drydock locked.
func (c *Courier) Deliver(p Parcel) {
	err := c.deliver(p)
	if err == nil {
		return
	}
	failed, ok := errors.AsType[*FailedError](err)
	if refused, is := errors.AsType[*wire.Error](err); is && !ok {
		failed = &FailedError{refused.Code, refused.Message}
	} else if !ok {
		failed = &FailedError{"InternalException", err.Error()}
	}
	if p.DeadLetters != "" {
		if err := c.bury(p, failed); err != nil {
			failed.Message += " (and the dead-letter queue: " + err.Error() + ")"
		}
	}
	c.Report(p, failed)
}

// kind is a service and the type of a resource of it, by ARN.
func kind(arn string) (service, resource string) {
	part := strings.SplitN(arn, ":", 6)
	if len(part) < 6 {
		return "", ""
	}
	return part[2], part[5]
}

func (c *Courier) deliver(p Parcel) error {
	service, resource := kind(p.Target)
	switch {
	case service == "ecs" && p.Tasks != nil:
		return c.runTask(p)
	case service == "sqs":
		if err := c.may(p, "sqs:SendMessage", c.Queues.PolicyOf(p.Target)); err != nil {
			return err
		}
		return c.Queues.Deliver(p.Target, p.Service, p.Body, nil)
	case service == "sns":
		if err := c.may(p, "sns:Publish", c.Topics.PolicyOf(p.Target)); err != nil {
			return err
		}
		return c.Topics.Deliver(p.Target, p.Body)
	case service == "logs":
		group, _, _ := strings.Cut(strings.TrimPrefix(resource, "log-group:"), ":")
		now := c.Clock.Now()
		if err := c.Logs.Append(group, now.Format("2006-01-02"), now, p.Body); err != nil {
			return &FailedError{"ResourceNotFoundException", err.Error()}
		}
		return nil
	}
	return &FailedError{"NotDelivered", "drydock delivers to ECS, SQS, SNS and CloudWatch Logs only"}
}

// may asks whether a parcel may go to a queue or topic: by its role, or without one
// by the target's own policy.
func (c *Courier) may(p Parcel, action, document string) error {
	if p.Role == "" {
		if !ServiceMay(document, p.Service, action, p.Target, p.From, c.Account) {
			return &FailedError{"NO_PERMISSIONS", fmt.Sprintf("no statement of the policy of %s allows %s to %s for %s", p.Target, p.Service, action, p.From)}
		}
		return nil
	}
	return c.byRole(p, action, p.Target, "", "")
}

// byRole asks whether the role of a parcel may do something, in a context of one key;
// "" for none.
func (c *Courier) byRole(p Parcel, action, resource, key, value string) error {
	n := iam.Need{Action: action, Resource: resource, Context: policy.NewContext()}
	if key != "" {
		n.Context.Add(key, value)
	}
	err := c.Roles.Assumable(p.Role, p.Service, p.From)
	if err == nil {
		err = c.Roles.AllowedNeed(p.Role, session(p.From), n)
	}
	if refused, ok := errors.AsType[*wire.Error](err); ok {
		return &FailedError{"NO_PERMISSIONS", refused.Message}
	}
	if err != nil {
		return &FailedError{"NO_PERMISSIONS", err.Error()}
	}
	return nil
}

// session is the name of a role's session for a rule or schedule.
func session(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

func (c *Courier) runTask(p Parcel) error {
	id := p.Tasks.definition()
	arn, roles := c.TaskDefinition(id)
	if p.Role != "" {
		if err := c.byRole(p, "ecs:RunTask", cmp.Or(arn, id), "ecs:cluster", p.Target); err != nil {
			return err
		}
		for _, role := range roles {
			if err := c.byRole(p, "iam:PassRole", role, "iam:PassedToService", "ecs-tasks.amazonaws.com"); err != nil {
				return err
			}
		}
	}
	request, err := p.Tasks.request(p.Target, p.StartedBy, p.Overrides)
	if err != nil {
		return err
	}
	var answer struct {
		Failures []struct{ Reason string }
	}
	if err := c.ECS.Call(context.Background(), "ECS.RunTask", request, &answer); err != nil {
		return err
	}
	if len(answer.Failures) > 0 {
		return &FailedError{"ClientException", answer.Failures[0].Reason}
	}
	return nil
}

// bury sends what could not be delivered to a dead-letter queue, with the reason as
// attributes of the message (EventBridge user guide, Using dead-letter queues).
func (c *Courier) bury(p Parcel, why *FailedError) error {
	text := func(v string) sqs.Attribute { return sqs.Attribute{DataType: "String", StringValue: &v} }
	of := "RULE_ARN"
	if p.Service == schedulerService {
		of = "SCHEDULE_ARN"
	}
	if p.Service == schedulerService {
		if err := c.byRole(p, "sqs:SendMessage", p.DeadLetters, "", ""); err != nil {
			return err
		}
	} else if !ServiceMay(c.Queues.PolicyOf(p.DeadLetters), p.Service, "sqs:SendMessage", p.DeadLetters, p.From, c.Account) {
		return fmt.Errorf("its policy does not allow %s to send", p.Service)
	}
	return c.Queues.Deliver(p.DeadLetters, p.Service, p.Body, map[string]sqs.Attribute{
		of: text(p.From), "TARGET_ARN": text(p.Target), "ERROR_CODE": text(why.Code), "ERROR_MESSAGE": text(why.Message),
	})
}

// schedulerService is what EventBridge Scheduler is called in policies; its
// dead letters are sent by the schedule's role.
const schedulerService = "scheduler.amazonaws.com"

// overridesOf is a target's input as the overrides of a task.
func overridesOf(input string) (json.RawMessage, error) {
	if input == "" {
		return nil, nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(input), &members); err != nil {
		return nil, &FailedError{"InvalidParameterException", "the input is not the JSON of a task's overrides: " + err.Error()}
	}
	return json.RawMessage(input), nil
}
