package maintenance

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
)

// Notice is one announcement: that the tasks of a service, or tasks of their
// own, will be ended.
type Notice struct {
	audit.Retirement
	// Announced is when AWS first said so, as far as that is known: a task that
	// started later is not meant.
	Announced time.Time
	Updated   time.Time // when AWS last said something of it
	Over      bool      // there is nothing left to replace, says AWS
}

// entity is what a notice is about, as one of AWS's spellings has it: "a|b",
// "a | b" and "a/b" for a service, or the ARN of a service or of a task. AWS's
// own samples use all of them.
type entity struct {
	place   audit.Place // where an ARN says it
	cluster string
	service string // "" for a task
	task    string // ARN
}

func parseEntity(text string) (entity, bool) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "arn:") {
		return parseARN(text)
	}
	for _, separator := range []string{"|", "/"} {
		cluster, service, ok := strings.Cut(text, separator)
		cluster, service = strings.TrimSpace(cluster), strings.TrimSpace(service)
		if ok && isName(cluster) && isName(service) {
			return entity{cluster: cluster, service: service}, true
		}
	}
	return entity{}, false
}

// parseARN reads arn:PARTITION:ecs:REGION:ACCOUNT:service/CLUSTER/NAME, or
// task/CLUSTER/ID. The short forms from before 2019 do not name the cluster.
func parseARN(text string) (entity, bool) {
	parts := strings.SplitN(text, ":", 6)
	if len(parts) != 6 || parts[2] != "ecs" {
		return entity{}, false
	}
	e := entity{place: audit.Place{Account: parts[4], Region: parts[3]}}
	path := strings.Split(parts[5], "/")
	if len(path) != 3 || !isName(path[1]) || !isName(path[2]) {
		return entity{}, false
	}
	e.cluster = path[1]
	switch path[0] {
	case "service":
		e.service = path[2]
	case "task":
		e.task = text
	default:
		return entity{}, false
	}
	return e, true
}

// isName holds a name to the characters that ECS takes: what comes from a queue
// may have been written by anybody.
func isName(s string) bool {
	return s != "" && len(s) <= 255 && strings.IndexFunc(s, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_'
	}) < 0
}

// Merge makes one notice of those that say the same of the same: events come
// twice, page by page, in a copy for the backup Region, and again when their
// status changes. The newest word counts for whether it is over, the oldest for
// when it was announced.
func Merge(notices []Notice) []Notice {
	type key struct {
		audit.Place
		event, cluster, service, task string
	}
	at := map[key]int{}
	var merged []Notice
	for _, n := range notices {
		k := key{Place: n.Place, event: n.Event, cluster: n.Cluster, service: n.Service}
		if n.Service == "" {
			k.task = strings.Join(n.Tasks, " ")
		}
		i, known := at[k]
		if !known {
			at[k] = len(merged)
			n.Tasks = slices.Clone(n.Tasks)
			merged = append(merged, n)
			continue
		}
		m := &merged[i]
		m.Announced = earlier(m.Announced, n.Announced)
		if n.Updated.After(m.Updated) {
			m.Updated, m.Over, m.At = n.Updated, n.Over, cmp.Or(n.At, m.At)
		}
		for _, t := range n.Tasks {
			if !slices.Contains(m.Tasks, t) {
				m.Tasks = append(m.Tasks, t)
			}
		}
	}
	return merged
}

// earlier is the earlier one of two times, of which either may be unknown.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
