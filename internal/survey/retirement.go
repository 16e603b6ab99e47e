package survey

import (
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
)

// RetirementsOf are the retirements of an event of AWS Health, by what it says
// is affected: one for each service, and one for the tasks of their own of each
// cluster. AWS's own samples write a service as cluster|service, with blanks
// around the bar, and as cluster/service; a task is its ARN.
func RetirementsOf(event string, at time.Time, affected []string) []audit.Retirement {
	var list []audit.Retirement
	for _, value := range slices.Compact(slices.Sorted(slices.Values(affected))) {
		cluster, service, isTask := entity(value)
		if cluster == "" {
			continue
		}
		i := slices.IndexFunc(list, func(r audit.Retirement) bool { return r.Cluster == cluster && r.Service == service })
		if i < 0 {
			list = append(list, audit.Retirement{Event: event, At: at.UTC(), Cluster: cluster, Service: service})
			i = len(list) - 1
		}
		if isTask {
			list[i].Tasks = append(list[i].Tasks, value)
		}
	}
	return list
}

// entity takes the name of what is affected apart. A task in the short form of
// its ARN, which has no cluster, is none that can be found.
func entity(value string) (cluster, service string, isTask bool) {
	name := value
	if strings.HasPrefix(value, "arn:") {
		kind, rest, _ := strings.Cut(value[strings.LastIndex(value, ":")+1:], "/")
		parts := strings.Split(rest, "/")
		switch {
		case kind == "task" && len(parts) == 2:
			return parts[0], "", true
		case kind == "service" && len(parts) == 2:
			return parts[0], parts[1], false
		}
		return "", "", false
	}
	for _, separator := range []string{"|", "/"} {
		if before, after, ok := strings.Cut(name, separator); ok {
			return strings.TrimSpace(before), strings.TrimSpace(after), false
		}
	}
	return "", "", false
}
