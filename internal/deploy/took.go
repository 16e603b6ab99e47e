package deploy

import (
	"slices"
	"strings"
	"time"
)

// pastTimes is how long the last rollouts of a service took that came to be
// stable, the newest first: the value of [tagTook], "98s 102s". It goes from
// revision to revision with the verdicts, so knowing it costs no call.
type pastTimes []time.Duration

// mostTimes is how many are kept.
const mostTimes = 5

// parseTimes reads what [pastTimes.String] wrote; what somebody else wrote there
// is left out.
func parseTimes(s string) pastTimes {
	var times pastTimes
	for word := range strings.FieldsSeq(s) {
		if d, err := time.ParseDuration(word); err == nil && d > 0 && len(times) < mostTimes {
			times = append(times, d)
		}
	}
	return times
}

// timesBefore is what a revision knows, where this job has read it: that of what
// runs before a rollout it has, as a rule, and another call it is not worth.
func (j *job) timesBefore(arn string) pastTimes {
	j.mu.Lock()
	defer j.mu.Unlock()
	doc := j.documents[arn]
	if doc == nil {
		return nil
	}
	return parseTimes(doc.Tags()[tagTook])
}

// with adds the newest.
func (p pastTimes) with(d time.Duration) pastTimes {
	if d <= 0 {
		return p
	}
	all := append(pastTimes{d}, p...)
	return all[:min(len(all), mostTimes)]
}

func (p pastTimes) String() string {
	words := make([]string, len(p))
	for i, d := range p {
		if d = d.Round(time.Second); p[i] < 10*time.Second {
			d = max(p[i].Round(100*time.Millisecond), 100*time.Millisecond)
		}
		words[i] = d.String()
	}
	return strings.Join(words, " ")
}

// usual is what a rollout takes: the median, so that one night of waiting for an
// image does not count; of two the longer. 0 when nothing is known.
func (p pastTimes) usual() time.Duration {
	if len(p) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(p))
	return sorted[len(sorted)/2]
}
