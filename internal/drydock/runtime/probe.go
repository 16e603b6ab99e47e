package runtime

import "time"

// Probe is a request that a load balancer makes of a container to see whether
// it can take traffic.
type Probe struct {
	TaskID    string
	Container string
	Protocol  string // HTTP, HTTPS or TCP
	Port      int    // of the container
	Path      string // HTTP and HTTPS: with its query
	Timeout   time.Duration
}

// Finding is what came of a [Probe].
type Finding struct {
	Outcome Outcome
	Code    int // Answered: the status
	// Until is when the next probe could find something else; zero when any
	// could. A container whose life is known beforehand need not be asked
	// every few seconds of two weeks.
	Until time.Time
}

// Outcome is how a [Probe] ended.
type Outcome int

// What a probe can come to.
const (
	Answered Outcome = iota + 1 // with a status, to be compared with the target group's
	Passed                      // as the target group wants it, whatever that is
	Refused                     // there was no connection, or no answer that makes sense
	TimedOut
)
