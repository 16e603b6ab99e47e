package term

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/golden"
)

func auditSample() audit.Report {
	now := time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)
	in := func(days int) time.Time { return now.AddDate(0, 0, days) }
	tokyo := audit.Place{Account: "123456789012", Region: "ap-northeast-1"}
	dublin := audit.Place{Account: "210987654321", Region: "eu-west-1"}
	service := func(p audit.Place, name string) audit.Object {
		return audit.Object{Kind: audit.ServiceObject, Place: p, Name: name}
	}
	const registry = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/"
	const shared = "rule 2 of repository shop keeps the newest 10 images, and everybody who pushes to shop moves the line"
	r := audit.Report{
		At: now, Horizon: 14 * 24 * time.Hour,
		Seen: audit.Seen{Clusters: 3, Services: 12, Tasks: 31, Schedules: 2, Repositories: 1, Images: 214, Safe: 2},
		Blind: []audit.Blind{
			{Place: dublin, Action: "ecr:GetLifecyclePolicy", About: "repository legacy", Reason: "AccessDeniedException: not \x1b[31mauthorized"},
		},
		Findings: []audit.Finding{{
			Code: "PL001", Severity: audit.Error, Object: service(tokyo, "prod/checkout"), Container: "app",
			Image: registry + "shop:v1.4.2", Digest: "sha256:" + strings.Repeat("a", 64),
			What: "prod/checkout cannot restart: its image is gone",
			Why:  "ECS pulls sha256:aaaaaaaaaaaa, which repository shop no longer has; the next task that is replaced does not come back",
			Fix: []audit.Fix{
				{Say: "bring the image back from a replica, another account or the archive", Command: "plimsoll rescue --cluster prod --service checkout"},
				{Say: "deploy the newest image of the repository, which is other code than what ran", Command: "plimsoll deploy --image-tag v1.9.0 --force --cluster prod --service checkout"},
			},
		}},
	}
	for i := range 16 {
		r.Findings = append(r.Findings, audit.Finding{
			Code: "PL011", Severity: audit.Warning, Object: service(tokyo, fmt.Sprintf("prod/web-%02d", i)), Container: "app", Image: registry + "shop:v1.7.0",
			What: fmt.Sprintf("prod/web-%02d will not be able to restart: its image sinks below the load line", i), Why: shared,
			When: &audit.When{Earliest: in(1), Likely: in(3 + i), Latest: in(9 + i), Pushes: 3},
			Fix:  []audit.Fix{{Say: "pin the digest that runs", Command: fmt.Sprintf("plimsoll pin --cluster prod --service web-%02d", i)}},
		})
	}
	return audit.Report{
		At: r.At, Horizon: r.Horizon, Seen: r.Seen, Blind: r.Blind,
		Findings: append(r.Findings,
			audit.Finding{Code: "PL021", Severity: audit.Warning, Object: service(dublin, "prod/batch"), What: "prod/batch runs a floating tag", Accepted: "the vendor publishes nothing else (until 2027-03-01)"},
			audit.Finding{Code: "PL023", Severity: audit.Note, Object: audit.Object{Kind: audit.RepositoryObject, Place: tokyo, Name: "shop"}, What: "tags of shop can be moved", Why: "the repository is MUTABLE"},
			audit.Finding{Code: "PL080", Severity: audit.Note, Object: service(dublin, "prod/\x1b]0;title\a\u202emirror"), What: "mirror's image is in\nanother registry"},
		),
	}
}

func TestAuditGolden(t *testing.T) {
	for _, c := range []struct {
		name  string
		width int
		all   bool
	}{{"audit-0", 0, false}, {"audit-80", 80, false}, {"audit-40", 40, false}, {"audit-80-all", 80, true}} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			term := New(Options{Out: &out, Err: &bytes.Buffer{}, OutWidth: columns(c.width)})
			if err := term.Audit(Audit{Report: auditSample(), All: c.all, More: "plimsoll audit --long"}); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(out.String()) {
				line = strings.TrimRight(line, "\n")
				if c.width > 0 && lipgloss.Width(line) > c.width && !strings.Contains(line, " plimsoll ") { // a command stays whole
					t.Errorf("%q has %d columns", line, lipgloss.Width(line))
				}
				if line != strings.TrimRight(line, " ") {
					t.Errorf("%q ends in blanks", line)
				}
			}
			golden.File(t, "testdata/"+c.name+".golden", out.String())
		})
	}
}

func TestNameInASentence(t *testing.T) {
	for _, c := range []struct {
		sentence, name string
		want           int
	}{
		{"prod/web cannot restart", "prod/web", 0},
		{"nothing protects 1 image of web in use", "web", 28},
		{"web-api and web: the other", "web", 12},
		{"webs", "web", -1},
		{"the cobweb", "web", -1},
		{"nothing", "", -1},
	} {
		if got := wordIn(c.sentence, c.name); got != c.want {
			t.Errorf("%q in %q: %d, want %d", c.name, c.sentence, got, c.want)
		}
	}
}

func TestAuditCard(t *testing.T) {
	lost := audit.Finding{Code: "PL001", Severity: audit.Error, Object: audit.Object{Kind: audit.ServiceObject, Name: "prod/web"}}
	for _, c := range []struct {
		name     string
		seen     audit.Seen
		findings []audit.Finding
		want     string
	}{
		{"well", audit.Seen{Services: 12, Safe: 12}, nil, "✓ 12 services, and all could restart at any time within 14 days\n  findings  none\n"},
		{"lost", audit.Seen{Services: 12, Safe: 9}, []audit.Finding{lost}, "✕ 1 of 12 services cannot restart; 2 more may not be able to within 14 days\n  findings  1 error\n"},
		{"later", audit.Seen{Services: 12, Safe: 9}, nil, "! all could restart now; 3 of 12 services may not be able to within 14 days\n"},
		{"none", audit.Seen{}, nil, "! no service was seen\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			term := New(Options{Out: &out, Err: &bytes.Buffer{}})
			if err := term.Audit(Audit{Report: audit.Report{Horizon: 14 * 24 * time.Hour, Seen: c.seen, Findings: c.findings}}); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(out.String(), c.want) {
				t.Errorf("got:\n%s\nwant:\n%s", out.String(), c.want)
			}
		})
	}
}
