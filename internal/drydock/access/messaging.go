package access

import "strings"

// passed are the services that a role may be passed to for a target.
const (
	eventsService    = "events.amazonaws.com"
	schedulerService = "scheduler.amazonaws.com"
)

// events: a rule of the default bus is rule/NAME, one of another bus rule/BUS/NAME.
func (b *builder) events() {
	bus := strings.TrimPrefix(b.in.text("EventBusName"), b.arn("event-bus/"))
	rule := func(name string) string {
		if bus == "" || bus == "default" {
			return b.arn("rule/" + name)
		}
		return b.arn("rule/" + bus + "/" + name)
	}
	switch b.Operation {
	case "PutEvents":
		b.add(b.entryBuses()...)
	case "CreateEventBus", "DeleteEventBus", "DescribeEventBus":
		name := b.in.text("Name")
		if name == "" {
			name = "default"
		}
		b.add(b.named("event-bus/", name))
	case "ListEventBuses", "ListRules", "ListRuleNamesByTarget", "TestEventPattern":
		b.add("*")
	case "TagResource", "UntagResource", "ListTagsForResource":
		b.add(b.in.text("ResourceARN"))
	default:
		b.add(rule(b.in.text("Name") + b.in.text("Rule")))
	}
	b.passToTarget(eventsService)
}

// entryBuses are the buses of the entries of a PutEvents.
func (b *builder) entryBuses() []string {
	var out []string
	seen := map[string]bool{}
	entries, _ := b.in["Entries"].([]any)
	for _, e := range entries {
		entry, _ := e.(map[string]any)
		name := input(entry).text("EventBusName")
		if name == "" {
			name = "default"
		}
		if arn := b.named("event-bus/", name); !seen[arn] {
			seen[arn] = true
			out = append(out, arn)
		}
	}
	if out == nil {
		return []string{b.arn("event-bus/default")}
	}
	return out
}

// passToTarget adds iam:PassRole for the roles that rules, targets and schedules are given.
func (b *builder) passToTarget(to string) {
	var given []string
	targets, _ := b.in["Targets"].([]any)
	for _, t := range targets {
		target, _ := t.(map[string]any)
		given = append(given, input(target).text("RoleArn"))
	}
	given = append(given, b.in.text("RoleArn"), b.in.object("Target").text("RoleArn"))
	seen := map[string]bool{"": true}
	for _, role := range given {
		if seen[role] {
			continue
		}
		seen[role] = true
		n := Need{Action: "iam:PassRole", Resources: []string{role}, Context: b.context(role)}
		n.Context.Add("iam:PassedToService", to)
		b.needs = append(b.needs, n)
	}
}

// scheduler: a schedule is schedule/GROUP/NAME.
func (b *builder) scheduler() {
	group := b.in.text("GroupName")
	if group == "" {
		group = "default"
	}
	switch b.Operation {
	case "ListSchedules", "ListScheduleGroups":
		b.add("*")
	case "CreateScheduleGroup", "DeleteScheduleGroup", "GetScheduleGroup":
		b.add(b.arn("schedule-group/" + b.in.text("Name")))
	case "TagResource", "UntagResource", "ListTagsForResource":
		b.add(b.in.text("ResourceArn"))
	default:
		b.add(b.arn("schedule/" + group + "/" + b.in.text("Name")))
	}
	b.passToTarget(schedulerService)
}

// sqs: a queue is named by its address, and a batch needs what one message does.
func (b *builder) sqs() {
	name := b.in.text("QueueName")
	if url := b.in.text("QueueUrl"); url != "" {
		name = url[strings.LastIndexByte(url, '/')+1:]
	}
	if b.Operation == "ListQueues" {
		name = "*"
	}
	b.single(b.arn(name))
	if b.Operation == "CreateQueue" {
		if tags := b.in.object("tags"); len(tags) > 0 {
			b.needs = append(b.needs, Need{Action: "sqs:TagQueue", Resources: []string{b.arn(name)}, Context: b.context(b.arn(name))})
		}
	}
}

// sns: a subscription is named by its ARN, which begins with its topic's.
func (b *builder) sns() {
	arn := ""
	for _, member := range []string{"TopicArn", "TargetArn", "ResourceArn", "SubscriptionArn"} {
		if arn = b.in.text(member); arn != "" {
			break
		}
	}
	if part := strings.Split(arn, ":"); len(part) > 6 {
		arn = strings.Join(part[:6], ":")
	}
	switch {
	case b.Operation == "CreateTopic":
		arn = b.arn(b.in.text("Name"))
	case arn == "":
		arn = "*"
	}
	b.single(arn)
}

// single is add for an operation whose batches need the permission of a single one.
func (b *builder) single(resource string) {
	n := Need{Action: b.Service + ":" + strings.TrimSuffix(b.Operation, "Batch"), Resources: []string{resource}, Context: b.context(resource)}
	b.needs = append(b.needs, n)
}
