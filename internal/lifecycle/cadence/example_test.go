package cadence_test

import (
	"fmt"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle/cadence"
)

// A team pushes twice on working days; on Friday evening somebody asks when ten
// more images will have come.
func Example() {
	now := time.Date(2026, 11, 20, 19, 0, 0, 0, time.UTC)
	var pushes []time.Time
	for d := range 120 {
		morning := now.AddDate(0, 0, -d).Add(-9 * time.Hour)
		if w := morning.Weekday(); w != time.Saturday && w != time.Sunday {
			pushes = append(pushes, morning, morning.Add(5*time.Hour))
		}
	}
	m := cadence.Learn(pushes, now)
	w := m.After(10)
	fmt.Println("earliest", w.Earliest.Format("Mon 2 Jan"))
	fmt.Println("likely", w.Likely.Format("Mon 2 Jan"))
	fmt.Println("latest", w.Latest.Format("Mon 2 Jan"))
	_, likely, _ := m.Within(7 * 24 * time.Hour)
	fmt.Println("in a week", likely)
	// Output:
	// earliest Fri 27 Nov
	// likely Fri 27 Nov
	// latest Mon 30 Nov
	// in a week 10
}
