package loadline

import (
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle/cadence"
)

// clock tells when pushes come, to many images.
type clock struct {
	model cadence.Model
	known map[int]cadence.Window
}

// after is when the n-th push comes. What need not be exact is found between
// numbers that are asked for once.
func (c *clock) after(n int, exact bool) cadence.Window {
	const few = 32
	if exact || n <= few {
		return c.ask(n)
	}
	low, high := few, few+few/16
	for high < n {
		low, high = high, high+high/16
	}
	part := float64(n-low) / float64(high-low)
	a, b := c.ask(low), c.ask(high)
	return cadence.Window{
		Earliest: between(a.Earliest, b.Earliest, part),
		Likely:   between(a.Likely, b.Likely, part),
		Latest:   between(a.Latest, b.Latest, part),
	}
}

func (c *clock) ask(n int) cadence.Window {
	if w, ok := c.known[n]; ok {
		return w
	}
	if c.known == nil {
		c.known = map[int]cadence.Window{}
	}
	c.known[n] = c.model.After(n)
	return c.known[n]
}

func between(a, b time.Time, part float64) time.Time {
	if a.IsZero() || b.IsZero() {
		return time.Time{}
	}
	return a.Add(time.Duration(part * float64(b.Sub(a))))
}
