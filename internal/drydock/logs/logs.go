// Package logs is drydock's CloudWatch Logs: the log groups, streams and
// events of one account and region.
//
// Clients reach it over the wire, through the operations of [Logs.Service];
// the scheduler and the runtimes write to it with [Logs.EnsureGroup],
// [Logs.EnsureStream] and [Logs.Append], as ECS does with the awslogs driver.
//
// Refusals carry AWS's exceptions and wording. What drydock does not do (filter
// patterns for JSON, log classes other than STANDARD, …) it refuses; it never
// answers as if it had done it.
package logs

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// Options says whose logs these are and where they are kept.
type Options struct {
	Account string // 12 digits
	Region  string // "eu-west-1"
	Clock   *clock.Clock
	Store   *store.Store
}

// Logs holds the log groups of one account and region. It is safe for
// concurrent use.
type Logs struct {
	account, region string
	clock           *clock.Clock
	store           *store.Store

	mu      sync.Mutex
	groups  map[string]*group
	seq     uint64          // the last number given to an event or a stream
	unsaved map[*group]bool // groups whose events the store does not have yet
}

// New reads what the store has of the account and region.
func New(o Options) (*Logs, error) {
	l := &Logs{
		account: o.Account, region: o.Region, clock: o.Clock, store: o.Store,
		groups: map[string]*group{}, unsaved: map[*group]bool{},
	}
	if err := l.load(); err != nil {
		return nil, fmt.Errorf("reading the logs of %s in %s: %w", o.Account, o.Region, err)
	}
	return l, nil
}

// Close writes to the store what it does not have yet.
func (l *Logs) Close() error {
	l.clock.Cancel(l.flushKey())
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.save(); err != nil {
		return fmt.Errorf("saving log events: %w", err)
	}
	return nil
}

// Service is the API, for a [wire.Mux].
func (l *Logs) Service() wire.Service {
	return wire.Service{
		Name:   "CloudWatch Logs",
		Target: "Logs_20140328",
		Operations: map[string]wire.Operation{
			"CreateLogGroup":        wire.Typed(l.createLogGroup),
			"CreateLogStream":       wire.Typed(l.createLogStream),
			"DeleteLogGroup":        wire.Typed(l.deleteLogGroup),
			"DeleteLogStream":       wire.Typed(l.deleteLogStream),
			"DeleteRetentionPolicy": wire.Typed(l.deleteRetentionPolicy),
			"DescribeLogGroups":     wire.Typed(l.describeLogGroups),
			"DescribeLogStreams":    wire.Typed(l.describeLogStreams),
			"FilterLogEvents":       wire.Typed(l.filterLogEvents),
			"GetLogEvents":          wire.Typed(l.getLogEvents),
			"ListTagsForResource":   wire.Typed(l.listTagsForResource),
			"ListTagsLogGroup":      wire.Typed(l.listTagsLogGroup),
			"PutLogEvents":          wire.Typed(l.putLogEvents),
			"PutRetentionPolicy":    wire.Typed(l.putRetentionPolicy),
			"TagResource":           wire.Typed(l.tagResource),
			"UntagResource":         wire.Typed(l.untagResource),
		},
	}
}

// NoGroupError says that a container's log group does not exist.
type NoGroupError struct {
	Group string
}

func (e *NoGroupError) Error() string {
	return "ResourceNotFoundException: The specified log group does not exist."
}

// EnsureGroup makes the log group if there is none (awslogs-create-group).
func (l *Logs) EnsureGroup(name string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.groups[name] != nil {
		return nil
	}
	var c checks
	c.groupName("logGroupName", &name)
	if err := c.err(); err != nil {
		return err
	}
	return l.addGroup(groupDoc{Name: name})
}

// EnsureStream makes the stream if there is none, as the awslogs driver does
// before it starts a container. The error is a [*NoGroupError] when there is
// no such group.
func (l *Logs) EnsureStream(group, stream string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _, err := l.ensureStream(group, stream)
	return err
}

func (l *Logs) ensureStream(groupName, streamName string) (*group, *stream, error) {
	g, ok := l.groups[groupName]
	if !ok {
		return nil, nil, &NoGroupError{groupName}
	}
	if s, ok := g.streams[streamName]; ok {
		return g, s, nil
	}
	var c checks
	c.streamName("logStreamName", &streamName)
	if err := c.err(); err != nil {
		return nil, nil, err
	}
	s, err := l.addStream(g, streamName)
	return g, s, err
}

// maxLine is where the awslogs driver cuts a line, in bytes: 256 KiB less the
// 26 that AWS counts for every event (moby's daemon/logger/awslogs).
const maxLine = 256<<10 - eventOverhead

// Append writes a line of output to a stream, and makes the stream if there
// is none. An empty line leaves no event and a very long one leaves several,
// both as with the awslogs driver. The error is a [*NoGroupError] when there
// is no such group.
func (l *Logs) Append(group, stream string, at time.Time, line string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	g, s, err := l.ensureStream(group, stream)
	if err != nil {
		return err
	}
	now := l.clock.Now()
	line = strings.ToValidUTF8(line, string(utf8.RuneError))
	for len(line) > 0 {
		n := len(line)
		if n > maxLine {
			n = maxLine
			for !utf8.RuneStart(line[n]) {
				n--
			}
		}
		l.addEvent(g, s, at, now, line[:n])
		line = line[n:]
	}
	g.trim(now)
	return nil
}

// find is the group of that name, rid of what its retention has ended.
func (l *Logs) find(name string) (*group, error) {
	g, ok := l.groups[name]
	if !ok {
		return nil, noGroup()
	}
	if g.trim(l.clock.Now()) {
		l.saveSoon(g)
	}
	return g, nil
}

func (l *Logs) sortedGroups() []*group {
	return slices.SortedFunc(maps.Values(l.groups), func(a, b *group) int { return strings.Compare(a.Name, b.Name) })
}

func (l *Logs) groupARN(name string) string {
	return fmt.Sprintf("arn:aws:logs:%s:%s:log-group:%s", l.region, l.account, name)
}

func noGroup() error {
	return wire.Errorf("ResourceNotFoundException", "The specified log group does not exist.")
}

func noStream() error {
	return wire.Errorf("ResourceNotFoundException", "The specified log stream does not exist.")
}

func invalid(format string, args ...any) error {
	return wire.Errorf("InvalidParameterException", format, args...)
}
