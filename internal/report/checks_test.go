package report_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/golden"
	"github.com/plimsoll-ecs/plimsoll/internal/report"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

func TestChecksJUnit(t *testing.T) {
	checks := []story.Check{
		{Name: "cluster", State: story.CheckOK, Why: "prod is active"},
		{Name: "image", State: story.CheckFail, Why: "there is no image web:v9 <]]>&\x1b[31m", Do: "push it first"},
		{Name: "circuit breaker", State: story.CheckWarn, Why: "it is off", Do: "enable it"},
		{Name: "logs", State: story.CheckSkipped, Why: "no permission to look", Do: "allow logs:DescribeLogGroups"},
	}
	for _, strict := range []bool{false, true} {
		var out bytes.Buffer
		if err := report.ChecksJUnit(&out, "prod/api", checks, strict, time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)); err != nil {
			t.Fatal(err)
		}
		golden.File(t, fmt.Sprintf("testdata/checks-strict-%t.xml", strict), out.String())
	}
}
