package state

import (
	"encoding/json"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// eventRules are the rules of every event bus, each with its targets.
func eventRules(r reader) ([]json.RawMessage, error) {
	buses, err := r.list("EventBridge.ListEventBuses", nil, "EventBuses")
	if err != nil {
		return nil, err
	}
	var all []json.RawMessage
	for _, doc := range buses {
		var bus struct{ Name string }
		if err := json.Unmarshal(doc, &bus); err != nil {
			return nil, err
		}
		rules, err := r.list("EventBridge.ListRules", members{"EventBusName": bus.Name}, "Rules")
		if err != nil {
			return nil, err
		}
		for _, doc := range rules {
			var rule struct{ Name string }
			if err := json.Unmarshal(doc, &rule); err != nil {
				return nil, err
			}
			targets, err := r.list("EventBridge.ListTargetsByRule", members{"EventBusName": bus.Name, "Rule": rule.Name}, "Targets")
			if err != nil {
				return nil, err
			}
			one, err := wire.Encode(struct {
				Rule    json.RawMessage
				Targets []json.RawMessage
			}{doc, targets})
			if err != nil {
				return nil, err
			}
			all = append(all, one)
		}
	}
	return all, nil
}

// schedules are the schedules of every group, as GetSchedule has them.
func schedules(r reader) ([]json.RawMessage, error) {
	found, err := r.list("EventBridge Scheduler.ListSchedules", nil, "Schedules")
	if err != nil {
		return nil, err
	}
	for i, doc := range found {
		var one struct{ Name, GroupName string }
		if err := json.Unmarshal(doc, &one); err != nil {
			return nil, err
		}
		if err := r.api.Call(r.ctx, "EventBridge Scheduler.GetSchedule", members{"Name": one.Name, "GroupName": one.GroupName}, &found[i]); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// queues are the queues with their attributes: what is in them is nobody else's.
func queues(r reader) ([]json.RawMessage, error) {
	urls, err := r.names("SQS.ListQueues", members{"MaxResults": 1000}, "QueueUrls")
	if err != nil {
		return nil, err
	}
	var all []json.RawMessage
	for _, url := range urls {
		var answer json.RawMessage
		if err := r.api.Call(r.ctx, "SQS.GetQueueAttributes", members{"QueueUrl": url, "AttributeNames": []string{"All"}}, &answer); err != nil {
			return nil, err
		}
		one, err := wire.Encode(struct {
			QueueUrl   string
			Attributes json.RawMessage
		}{url, attributesOf(answer)})
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

func attributesOf(answer json.RawMessage) json.RawMessage {
	var members struct{ Attributes json.RawMessage }
	_ = json.Unmarshal(answer, &members) // an answer of the API is an object
	return members.Attributes
}
