// Package state writes down everything that a drydock holds as one JSON
// document, in the shapes in which AWS's own API answers: it is made of those
// answers and cannot differ from them.
//
// [Dump] is the document. A section is a name and what to read for it; a new
// service adds a few lines to sections.
package state

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// Format is the number of the document's format. A change that would break
// whoever reads it makes a new one.
const Format = 1

// Place is whose state it is, and at what time.
type Place struct {
	Now     time.Time
	Account string
	Region  string
}

// Dump reads every section in turn. Everything is in an order that depends on
// the state alone, so that two dumps at one time, without a change between
// them, are the same bytes. Times are epoch seconds, as the API has them.
func Dump(ctx context.Context, api wire.Local, at Place) ([]byte, error) {
	var b bytes.Buffer
	head, err := wire.Encode(struct {
		Format  int
		Now     time.Time
		Account string
		Region  string
	}{Format, at.Now, at.Account, at.Region})
	if err != nil {
		return nil, err
	}
	b.Write(bytes.TrimSuffix(head, []byte("}")))
	for _, s := range sections() {
		items, err := s.read(reader{ctx, api})
		if err != nil {
			return nil, fmt.Errorf("state: %s: %w", s.name, err)
		}
		if items == nil {
			items = []json.RawMessage{}
		}
		doc, err := wire.Encode(items)
		if err != nil {
			return nil, fmt.Errorf("state: %s: %w", s.name, err)
		}
		fmt.Fprintf(&b, ",%q:%s", s.name, doc)
	}
	b.WriteString("}\n")
	return b.Bytes(), nil
}

// section is one list of the document.
type section struct {
	name string
	read func(reader) ([]json.RawMessage, error)
}

func sections() []section {
	return []section{
		{"clusters", clusters},
		{"taskDefinitions", taskDefinitions},
		{"services", services},
		{"serviceDeployments", serviceDeployments},
		{"serviceRevisions", serviceRevisions},
		{"tasks", tasks},
		{"containerInstances", containerInstances},
		{"loadBalancers", func(r reader) ([]json.RawMessage, error) {
			return r.list("ELB.DescribeLoadBalancers", nil, "loadBalancers")
		}},
		{"listeners", listeners},
		{"targetGroups", targetGroups},
		{"scalableTargets", scaling("DescribeScalableTargets", "ScalableTargets")},
		{"scalingPolicies", scaling("DescribeScalingPolicies", "ScalingPolicies")},
		{"scheduledActions", scaling("DescribeScheduledActions", "ScheduledActions")},
		{"repositories", repositories},
		{"logGroups", func(r reader) ([]json.RawMessage, error) {
			return r.list("CloudWatch Logs.DescribeLogGroups", nil, "logGroups")
		}},
		{"eventBuses", func(r reader) ([]json.RawMessage, error) {
			return r.list("EventBridge.ListEventBuses", nil, "EventBuses")
		}},
		{"eventRules", eventRules},
		{"schedules", schedules},
		{"queues", queues},
		{"topics", func(r reader) ([]json.RawMessage, error) { return r.list("SNS.ListTopics", nil, "topics") }},
		{"subscriptions", func(r reader) ([]json.RawMessage, error) {
			return r.list("SNS.ListSubscriptions", nil, "subscriptions")
		}},
		{"healthEvents", func(r reader) ([]json.RawMessage, error) { return r.list("Health.DescribeEvents", nil, "events") }},
	}
}

// reader asks the services.
type reader struct {
	ctx context.Context
	api wire.Local
}

// members are those of a request or an answer.
type members = map[string]any

// list is a member of the answer, of all its pages.
func (r reader) list(operation string, in members, member string) ([]json.RawMessage, error) {
	request := members{}
	for name, v := range in {
		request[name] = v
	}
	var all []json.RawMessage
	for {
		var answer map[string]json.RawMessage
		if err := r.api.Call(r.ctx, operation, request, &answer); err != nil {
			return nil, err
		}
		var items []json.RawMessage
		var token string
		if err := read(answer[member], &items); err != nil {
			return nil, fmt.Errorf("%s: %w", operation, err)
		}
		for _, paging := range []struct{ answer, request string }{{"nextToken", "nextToken"}, {"NextToken", "NextToken"}, {"nextMarker", "Marker"}} {
			var next string
			if err := read(answer[paging.answer], &next); err != nil {
				return nil, fmt.Errorf("%s: %w", operation, err)
			}
			if next != "" {
				token, request[paging.request] = next, next
			}
		}
		all = append(all, items...)
		if token == "" {
			return all, nil
		}
	}
}

// read decodes a member that may be absent.
func read(doc json.RawMessage, into any) error {
	if doc == nil {
		return nil
	}
	return json.Unmarshal(doc, into)
}

// names is list for a list of names or ARNs.
func (r reader) names(operation string, in members, member string) ([]string, error) {
	items, err := r.list(operation, in, member)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, item := range items {
		var name string
		if err := json.Unmarshal(item, &name); err != nil {
			return nil, fmt.Errorf("%s: %w", operation, err)
		}
		out = append(out, name)
	}
	return out, nil
}

// describe asks for ids, so many at a time, and is a member of the answers.
func (r reader) describe(operation string, in members, by string, ids []string, most int, member string) ([]json.RawMessage, error) {
	var all []json.RawMessage
	for some := range slices.Chunk(ids, most) {
		request := members{by: some}
		for name, v := range in {
			request[name] = v
		}
		items, err := r.list(operation, request, member)
		if err != nil {
			return nil, err
		}
		all = append(all, items...)
	}
	return all, nil
}
