package report

import (
	"io"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// ChecksJUnit writes the checks of a deploy as JUnit XML: a case for each of
// them. A warning fails its case where it fails the check too.
func ChecksJUnit(w io.Writer, service string, checks []story.Check, strict bool, at time.Time) error {
	suite := junitSuite{Name: service, Timestamp: at.UTC().Format("2006-01-02T15:04:05")}
	for _, check := range checks {
		c := junitCase{Class: service, Name: check.Name, Time: "0"}
		text := strings.TrimSpace(check.Why + "\n" + check.Do)
		switch {
		case check.State == story.CheckFail, check.State == story.CheckWarn && strict:
			c.Failure = &junitFailure{Type: string(check.State), Message: check.Why, Text: text}
			suite.Failures++
		case check.State == story.CheckSkipped:
			c.Skipped = &junitSkipped{Message: strings.ReplaceAll(text, "\n", "; ")}
			suite.Skipped++
		default:
			c.Out = text
		}
		suite.Cases = append(suite.Cases, c)
		suite.Tests++
	}
	return writeJUnit(w, junitSuites{
		Name: "plimsoll check", Tests: suite.Tests, Failures: suite.Failures, Skipped: suite.Skipped, Suites: []junitSuite{suite},
	})
}
