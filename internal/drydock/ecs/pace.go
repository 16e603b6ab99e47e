package ecs

import (
	"math/bits"
	"time"
)

// AWS's own durations. The clock scales them; calendar ages are never scaled.
// From the event stamps of a Fargate service with one task: "has started" to
// "registered targets" 40 s, to "has stopped 1 running tasks" 50 s more; other
// stamps lie 9.6 s and 10.0 s apart, so the service scheduler looks about
// every 10 s. A task that exits at once is replaced every 49 to 53 s, which
// leaves 40 s from start to exit too. A scale-in shows DEPROVISIONING for 10 s.
// TestTimelines holds the stamps of three real services against these.
const (
	tickEvery     = 10 * time.Second // the service scheduler's own rhythm
	provisionFor  = 20 * time.Second // PROVISIONING: the network interface
	pullFor       = 12 * time.Second // PENDING: pull, before the runtime starts anything
	activateFor   = 2 * time.Second  // ACTIVATING
	deactivateFor = 2 * time.Second  // DEACTIVATING
	deprovisionIn = 10 * time.Second // DEPROVISIONING
	retryPullFor  = 18 * time.Second // between two attempts to pull an image that is not there

	// A task without a health check of any kind counts as healthy when it has
	// been RUNNING for 40 s (API reference, minimumHealthyPercent).
	settleFor = 40 * time.Second

	defaultStopTimeout = 30 * time.Second // between SIGTERM and SIGKILL

	// Task starts that fail before RUNNING are throttled, up to 27 minutes
	// (developer guide, service throttle logic). The formula is unpublished;
	// a real service with a missing tag waited 0 s, then 242 s.
	backOffFirst = 4 * time.Minute
	backOffMost  = 27 * time.Minute

	// How long a task that retires may wait for its replacement. AWS says that
	// it is stopped without one when none can start (developer guide, task
	// maintenance), and does not say when.
	retireGrace = time.Hour
)

// Calendar ages.
const (
	stoppedVisible = time.Hour     // DescribeTasks shows a stopped task at least that long
	steadyEvery    = 6 * time.Hour // "has reached a steady state" is repeated
	eventsKept     = 100           // service events, DescribeServices

	// Deleted services and clusters are shown as INACTIVE for a time that AWS
	// does not promise; service deployments for 90 days (ListServiceDeployments).
	inactiveVisible = 24 * time.Hour
	recordsKept     = 90 * 24 * time.Hour
)

// backOff is how long the next start waits after that many consecutive tasks
// failed before they ran.
func backOff(failures int) time.Duration {
	if failures < 2 {
		return 0
	}
	shift := min(failures-2, bits.Len64(uint64(backOffMost/backOffFirst)))
	return min(backOffFirst<<shift, backOffMost)
}
