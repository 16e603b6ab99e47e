package report_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/report"
)

func TestVerdictOfThePage(t *testing.T) {
	lost := audit.Finding{Code: "PL001", Severity: audit.Error, Object: service(tokyo(), "prod/web")}
	again, other := lost, lost
	again.Code = "PL042"
	other.Object.Name = "prod/api"
	other.Accepted = "it is switched off for good"
	sure := lost
	sure.When = &audit.When{Likely: now().AddDate(0, 0, 2)}
	for _, c := range []struct {
		name           string
		services, safe int
		findings       []audit.Finding
		want           []string
	}{
		{"all well", 12, 12, nil, []string{"All 12 services could restart at any time", "<b>12<small> of 12</small></b> could restart today", `class="verdict good"`}},
		{"the one", 1, 1, nil, []string{"The service could restart at any time"}},
		{"a service is lost once", 12, 11, []audit.Finding{lost, again}, []string{"1 service cannot restart", "<b>11<small> of 12</small></b> could restart today", `class="verdict bad"`}},
		{"accepting mends nothing", 12, 10, []audit.Finding{lost, other}, []string{"2 services cannot restart"}},
		{"later", 12, 11, []audit.Finding{sure}, []string{"1 service may not be able to restart within 14 days", "<b>12<small> of 12</small></b> could restart today", `class="verdict warn"`}},
		{"nothing seen", 0, 0, nil, []string{"No service was seen", "Nothing was found that counts."}},
	} {
		t.Run(c.name, func(t *testing.T) {
			page := string(write(t, report.AsHTML, report.Document{Report: audit.Report{
				At: now(), Horizon: 14 * 24 * time.Hour, Findings: c.findings, Seen: audit.Seen{Services: c.services, Safe: c.safe},
			}}))
			for _, want := range c.want {
				if !strings.Contains(page, want) {
					t.Errorf("no %q in the page:\n%s", want, page[strings.Index(page, "<header>"):])
				}
			}
		})
	}
}

// The page asks nobody for anything, and what comes from outside is text.
func TestPageIsWhole(t *testing.T) {
	page := string(write(t, report.AsHTML, sample()))
	if got := regexp.MustCompile(`(?i)(src|href|action)\s*=\s*"[^#"d]|url\(|@import|<script|<link rel="stylesheet`).FindAllString(page, -1); got != nil {
		t.Errorf("the page refers to %q", got)
	}
	if i := strings.IndexAny(page, "\x00\x1b\u202e"); i >= 0 {
		t.Errorf("a control character at %d", i)
	}
}

// A page is sent by mail: a hundred findings stay small, and of two thousand
// the first sight is not all of them.
func TestPageStaysSmall(t *testing.T) {
	if n := len(write(t, report.AsHTML, many(100))); n > 100_000 {
		t.Errorf("100 findings make %d bytes", n)
	}
	page := write(t, report.AsHTML, many(2000))
	if n := len(page); n > 2_000_000 {
		t.Errorf("2,000 findings make %d bytes", n)
	}
	if folded := regexp.MustCompile(`<details class="code" open>`).FindAll(page, -1); folded != nil {
		t.Errorf("%d groups of hundreds of findings are open", len(folded))
	}
}

func BenchmarkHTML(b *testing.B) {
	d := many(2000)
	for b.Loop() {
		var out bytes.Buffer
		if err := report.HTML(&out, d); err != nil {
			b.Fatal(err)
		}
	}
}
