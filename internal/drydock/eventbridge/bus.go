package eventbridge

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/constraint"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// notOfName tells the characters that names of rules and targets do not have.
func notOfName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(".-_", r)
}

// checkName holds a name to its length and characters; slash is whether it may have
// slashes, as names of buses may.
func checkName(member string, name *string, most int, slash bool) error {
	var c constraint.Checks
	if c.Present(member, name != nil) {
		c.Length(member, name, 1, most)
	}
	if err := c.Err(); err != nil {
		return err
	}
	if strings.ContainsFunc(*name, func(r rune) bool { return notOfName(r) && (r != '/' || !slash) }) {
		return invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+", *name, member)
	}
	return nil
}

func (b *Buses) createEventBus(_ context.Context, in *createEventBusInput) (*createEventBusOutput, error) {
	if err := checkName("name", in.Name, 256, true); err != nil {
		return nil, err
	}
	switch name := *in.Name; {
	case in.EventSourceName != nil, strings.HasPrefix(name, "aws.partner/"):
		return nil, notFound("Event source %s does not exist.", name)
	case strings.Contains(name, "/"):
		return nil, invalid("Event bus name should not contain /.")
	}
	tags, err := merge(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	out := &createEventBusOutput{EventBusArn: aws.String(b.arn("event-bus/" + *in.Name)), Description: in.Description}
	return out, b.change(func(now time.Time) error {
		if b.buses[*in.Name] != nil {
			return wire.Errorf("ResourceAlreadyExistsException", "Event bus %s already exists.", *in.Name)
		}
		b.buses[*in.Name] = &bus{Name: *in.Name, Description: aws.ToString(in.Description), Tags: tags, Created: now, Modified: now}
		b.dirty.Put(bucketBuses, *in.Name, b.buses[*in.Name])
		return nil
	})
}

// deleteEventBus is no error when there is no such bus. One that has rules cannot be
// deleted.
func (b *Buses) deleteEventBus(_ context.Context, in *nameInput) (*struct{}, error) {
	name := strings.TrimPrefix(aws.ToString(in.Name), b.arn("event-bus/"))
	return &struct{}{}, b.change(func(time.Time) error {
		if name == defaultBus {
			return invalid("Cannot delete event bus default.")
		}
		for _, r := range b.rules {
			if r.Bus == name {
				return invalid("Event bus %s can't be deleted since it has rules.", name)
			}
		}
		if b.buses[name] != nil {
			delete(b.buses, name)
			b.dirty.Delete(bucketBuses, name)
		}
		return nil
	})
}

func (b *Buses) show(of *bus) shownBus {
	out := shownBus{Name: aws.String(of.Name), Arn: aws.String(b.arn("event-bus/" + of.Name)), CreationTime: aws.Time(of.Created), LastModifiedTime: aws.Time(of.Modified)}
	if of.Description != "" {
		out.Description = aws.String(of.Description)
	}
	return out
}

func (b *Buses) describeEventBus(_ context.Context, in *nameInput) (*shownBus, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	of, err := b.bus(in.Name)
	if err != nil {
		return nil, err
	}
	out := b.show(of)
	return &out, nil
}

// mostListed is how many items one page lists.
const mostListed = 100

func itself(s string) string { return s }

func (b *Buses) listEventBuses(_ context.Context, in *listEventBusesInput) (*listEventBusesOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var names []string
	for name := range b.buses {
		if strings.HasPrefix(name, aws.ToString(in.NamePrefix)) {
			names = append(names, name)
		}
	}
	names, next, err := constraint.Page(names, itself, "limit", in.Limit, mostListed, in.NextToken)
	out := &listEventBusesOutput{EventBuses: []shownBus{}, NextToken: next}
	for _, name := range names {
		out.EventBuses = append(out.EventBuses, b.show(b.buses[name]))
	}
	return out, err
}

// maxTags is the most tags of a rule or bus.
const maxTags = 50

func merge(old map[string]string, tags []tag) (map[string]string, error) {
	out, err := constraint.Tags(old, tags, 0)
	if err == nil && len(out) > maxTags {
		err = wire.Errorf("LimitExceededException", "A resource can have at most %d tags.", maxTags)
	}
	return out, err
}

// tagged finds what a request about tags names, with how to store its tags.
func (b *Buses) tagged(arn *string) (tags map[string]string, set func(map[string]string), err error) {
	resource := strings.TrimPrefix(aws.ToString(arn), b.arn(""))
	kind, name, _ := strings.Cut(resource, "/")
	switch kind {
	case "event-bus":
		if of := b.buses[name]; of != nil {
			return of.Tags, func(tags map[string]string) {
				of.Tags = tags
				b.dirty.Put(bucketBuses, of.Name, of)
			}, nil
		}
		return nil, nil, notFound("Event bus %s does not exist.", name)
	case "rule":
		if !strings.Contains(name, "/") {
			name = defaultBus + "/" + name
		}
		if r := b.rules[name]; r != nil {
			return r.Tags, func(tags map[string]string) {
				r.Tags = tags
				b.mark(r)
			}, nil
		}
		bus, rule, _ := strings.Cut(name, "/")
		return nil, nil, notFound("Rule %s does not exist on EventBus %s.", rule, bus)
	}
	return nil, nil, invalid("Parameter ResourceARN is not valid. Reason: Provided Arn is not in correct format.")
}

func (b *Buses) tagResource(_ context.Context, in *tagResourceInput) (*struct{}, error) {
	return &struct{}{}, b.change(func(time.Time) error {
		old, set, err := b.tagged(in.ResourceARN)
		if err != nil {
			return err
		}
		tags, err := merge(old, in.Tags)
		if err == nil {
			set(tags)
		}
		return err
	})
}

func (b *Buses) untagResource(_ context.Context, in *untagResourceInput) (*struct{}, error) {
	return &struct{}{}, b.change(func(time.Time) error {
		old, set, err := b.tagged(in.ResourceARN)
		if err != nil {
			return err
		}
		tags := maps.Clone(old)
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
		set(tags)
		return nil
	})
}

func (b *Buses) listTagsForResource(_ context.Context, in *resourceInput) (*listTagsForResourceOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	tags, _, err := b.tagged(in.ResourceARN)
	if err != nil {
		return nil, err
	}
	out := &listTagsForResourceOutput{Tags: []tag{}}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		out.Tags = append(out.Tags, tag{Key: &key, Value: aws.String(tags[key])})
	}
	return out, nil
}
