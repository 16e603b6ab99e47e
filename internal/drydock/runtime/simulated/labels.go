package simulated

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/runtime"
)

// Prefix is of every label that an image speaks to drydock with.
const Prefix = "plimsoll.drydock."

// Check says what is wrong with the labels of an image, as a container would
// that starts with them.
func Check(labels map[string]string) error {
	if _, err := parse(forCommand(labels, nil)); err != nil {
		return err
	}
	for label := range labels {
		if rest, ok := strings.CutPrefix(label, Prefix+ofCommand); ok {
			word, _, _ := strings.Cut(rest, ".")
			if _, err := parse(forCommand(labels, []string{word})); err != nil {
				return err
			}
		}
	}
	return nil
}

// defaultStartDelay is about what a small image takes on Fargate from the
// first byte pulled to its process running.
const defaultStartDelay = 5 * time.Second

// ofCommand is of labels that hold for one command only.
const ofCommand = "run."

// forCommand is the labels of a container that runs command. Where the image
// has labels for that command (its first word) these are all that counts: it
// is a program of its own, and one that ends by itself.
func forCommand(labels map[string]string, command []string) map[string]string {
	out, own := map[string]string{}, map[string]string{}
	for label, value := range labels {
		rest, ok := strings.CutPrefix(label, Prefix+ofCommand)
		if !ok {
			out[label] = value
			continue
		}
		if word, name, ok := strings.Cut(rest, "."); !ok || name == "" || word == "" {
			out[label] = value // malformed: parse says so
		} else if len(command) > 0 && command[0] == word {
			own[Prefix+name] = value
		}
	}
	if len(own) == 0 {
		return out
	}
	if after := Prefix + "exit-after"; own[after] == "" {
		own[after] = "1s"
	}
	return own
}

// behaviour is what the labels of an image make its container do.
type behaviour struct {
	startDelay time.Duration
	exits      bool // by itself, exitAfter it started
	exitAfter  time.Duration
	exitCode   int
	log        []string
	stubborn   bool // it ignores SIGTERM
	failing    span // when its health check fails
	target     answer
}

// answer is how a load balancer finds it.
type answer struct {
	failing span // when its requests are refused
	code    int  // 0: whatever the target group wants
}

// span is a stretch of a container's life, counted from its start; to itself
// lies outside.
type span struct{ from, to time.Duration }

// parse reads the labels of an image. One that is malformed, or that nobody
// knows, is an error that names it: a rehearsal must not go well because of a
// typing mistake.
func parse(labels map[string]string) (behaviour, error) {
	b := behaviour{startDelay: defaultStartDelay}
	for _, label := range slices.Sorted(maps.Keys(labels)) {
		name, ours := strings.CutPrefix(label, Prefix)
		if !ours {
			continue
		}
		value := labels[label]
		var err error
		switch name {
		case "start-delay":
			b.startDelay, err = duration(value)
		case "exit-after":
			b.exits = true
			b.exitAfter, err = duration(value)
		case "exit-code":
			b.exitCode, err = strconv.Atoi(value)
			if err != nil || b.exitCode < 0 || b.exitCode > 255 {
				err = fmt.Errorf("want a number from 0 to 255")
			}
		case "log":
			b.log = strings.Split(strings.ReplaceAll(value, `\n`, "\n"), "\n")
		case "health":
			b.failing, err = health(value)
		case "target-health":
			b.target, err = targetHealth(value)
		case "ignore-sigterm":
			b.stubborn, err = strconv.ParseBool(value)
			if err != nil {
				err = fmt.Errorf("want true or false")
			}
		case "platform": // what the image claims to be built for; the scheduler judges it
		case "findings": // what a scan of it finds; ECR reads it
		default:
			err = fmt.Errorf("no such label")
		}
		if err != nil {
			return behaviour{startDelay: defaultStartDelay}, fmt.Errorf("image label %s=%q: %w", label, value, err)
		}
	}
	return b, nil
}

func duration(value string) (time.Duration, error) {
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 || d > longest {
		return 0, fmt.Errorf("want a duration such as 1m30s")
	}
	return d, nil
}

const (
	longest = 10 * 365 * 24 * time.Hour // no label asks for more
	never   = 2 * longest
)

func health(value string) (span, error) {
	kind, after, timed := strings.Cut(value, "=")
	d, err := duration(after)
	switch {
	case value == "healthy":
		return span{}, nil
	case value == "unhealthy":
		return span{0, never}, nil
	case kind == "healthy-after" && timed && err == nil:
		return span{0, d}, nil
	case kind == "unhealthy-after" && timed && err == nil:
		return span{d, never}, nil
	}
	return span{}, fmt.Errorf("want healthy, unhealthy, healthy-after=DURATION or unhealthy-after=DURATION")
}

func targetHealth(value string) (answer, error) {
	if given, isCode := strings.CutPrefix(value, "code="); isCode {
		code, err := strconv.Atoi(given)
		if err != nil || code < 200 || code > 599 {
			return answer{}, fmt.Errorf("want a code from 200 to 599")
		}
		return answer{code: code}, nil
	}
	failing, err := health(value)
	if err != nil {
		return answer{}, fmt.Errorf("%w, or code=NUMBER", err)
	}
	return answer{failing: failing}, nil
}

// verdict is a change of a container's health, so long after its start.
type verdict struct {
	after time.Duration
	kind  runtime.Kind
}

// ECS's defaults for a health check that does not say.
const (
	defaultInterval = 30 * time.Second
	defaultRetries  = 3
)

// verdicts is what a health check comes to, by docker's rules: a probe every
// interval, the first one interval after the start; one that passes makes the
// container healthy; retries in a row that fail make it unhealthy, where those
// in the start period count only after one has passed.
func verdicts(check runtime.HealthCheck, failing span) []verdict {
	interval := check.Interval
	if interval <= 0 {
		interval = defaultInterval
	}
	retries := check.Retries
	if retries <= 0 {
		retries = defaultRetries
	}
	// probe is the first probe at or after d.
	probe := func(d time.Duration) time.Duration { return max(1, (d+interval-1)/interval) * interval }
	streak := time.Duration(retries-1) * interval

	first, bad, good := probe(0), probe(failing.from), probe(failing.to)
	if bad >= good { // no probe fails
		return []verdict{{first, runtime.Healthy}}
	}
	var out []verdict
	unhealthy := bad + streak
	if bad > first {
		out = append(out, verdict{first, runtime.Healthy})
	} else {
		unhealthy = probe(max(check.StartPeriod, 0)) + streak
	}
	if unhealthy < good {
		out = append(out, verdict{unhealthy, runtime.Unhealthy})
	}
	if failing.to < never {
		out = append(out, verdict{good, runtime.Healthy})
	}
	return out
}
