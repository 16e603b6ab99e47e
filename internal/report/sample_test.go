package report_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/golden"
	"github.com/plimsoll-ecs/plimsoll/internal/report"
)

// hostile is what a name or a message from outside may hold.
const hostile = `</style><script>alert("x")</script>]]>&'` + "\x1b[31m\x00\u202e"

func now() time.Time { return time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC) }

func tokyo() audit.Place  { return audit.Place{Account: "123456789012", Region: "ap-northeast-1"} }
func dublin() audit.Place { return audit.Place{Account: "210987654321", Region: "eu-west-1"} }

func service(p audit.Place, name string) audit.Object {
	return audit.Object{Kind: audit.ServiceObject, Place: p, Name: name, ARN: "arn:aws:ecs:" + p.Region + ":" + p.Account + ":service/" + name}
}

func repository(p audit.Place, name string) audit.Object {
	return audit.Object{Kind: audit.RepositoryObject, Place: p, Name: name, ARN: "arn:aws:ecr:" + p.Region + ":" + p.Account + ":repository/" + name}
}

// sample is an audit with something of everything.
func sample() report.Document {
	const registry = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/"
	digest := func(c byte) string { return "sha256:" + string(bytes.Repeat([]byte{c}, 64)) }
	in := func(days int) time.Time { return now().AddDate(0, 0, days) }
	const shared = "Rule 2 of repository shop keeps the newest 10 images; everybody who pushes to shop moves the line."
	findings := []audit.Finding{
		{
			Code: "PL001", Severity: audit.Error, Object: service(tokyo(), "prod/checkout"), Container: "app",
			Image: registry + "shop:v1.4.2", Digest: digest('a'),
			What: "prod/checkout cannot restart: its image is gone",
			Why:  "ECS pulls " + digest('a')[:19] + "…, which repository shop no longer has. Both tasks run from it since 3 Nov; the next one that is replaced does not come back.",
			Fix: []audit.Fix{
				{Say: "bring the image back from a replica, another account or the archive", Command: "plimsoll rescue --cluster prod --service checkout"},
				{Say: "deploy the newest image of the repository, which is other code than what ran", Command: "plimsoll deploy --image-tag v1.9.0 --force --cluster prod --service checkout"},
			},
		},
		{
			Code: "PL011", Severity: audit.Warning, Object: service(tokyo(), "prod/web"), Container: "app",
			Image: registry + "shop:v1.7.0", Digest: digest('b'),
			What: "prod/web will not be able to restart: its image sinks below the load line", Why: shared,
			When: &audit.When{Earliest: in(1), Likely: in(3), Latest: in(8), Pushes: 3, Rule: 2},
			Fix: []audit.Fix{
				{Say: "pin the digest that runs", Command: "plimsoll pin --cluster prod --service web"},
				{Say: "write a lifecycle policy that never takes an image in use", Command: "plimsoll lifecycle advise --repository shop"},
			},
		},
		{
			Code: "PL011", Severity: audit.Warning, Object: service(tokyo(), "prod/worker"), Container: "worker",
			Image: registry + "shop:worker-v1.7.0", Digest: digest('c'),
			What: "prod/worker will not be able to restart: its image sinks below the load line", Why: shared,
			When: &audit.When{Earliest: in(9), Likely: in(9), Latest: in(9), Rule: 3},
			Fix:  []audit.Fix{{Say: "pin the digest that runs", Command: "plimsoll pin --cluster prod --service worker"}},
		},
		{
			Code: "PL021", Severity: audit.Warning, Object: service(dublin(), "prod/batch"), Container: "app", Image: "batch:latest",
			What: "prod/batch runs a floating tag", Why: "latest names another image after every push.",
			Accepted: "the vendor publishes nothing else (until 2027-03-01)",
		},
		{
			Code: "PL023", Severity: audit.Note, Object: repository(tokyo(), "shop"),
			What: "tags of shop can be moved", Why: "The repository is MUTABLE.",
		},
		{
			Code: "PL080", Severity: audit.Note, Object: service(dublin(), "prod/"+hostile), Container: hostile, Image: hostile,
			What: hostile + " is in another registry", Why: hostile,
			Fix: []audit.Fix{{Say: hostile, Command: hostile}},
		},
	}
	return report.Document{
		Report: audit.Report{
			At: now(), Horizon: 14 * 24 * time.Hour, Findings: findings,
			Seen:  audit.Seen{Clusters: 3, Services: 12, Tasks: 31, Schedules: 2, Repositories: 4, Images: 214, Safe: 9},
			Blind: []audit.Blind{{Place: dublin(), Action: "ecr:GetLifecyclePolicy", About: "repository legacy", Reason: "AccessDeniedException: not authorized " + hostile}},
		},
		Rules: []audit.Explanation{
			{Code: "PL001", Severity: audit.Error, Title: "The image of a service is gone", Means: "ECS fixes the digest of an image when a service is deployed and pulls that digest from then on.\n\nWhere ECR no longer has it, a task that stops is not replaced.", Matters: "A restart needs it.", Mend: "Deploy another image.", Accept: "Never."},
			{Code: "PL011", Severity: audit.Warning, Title: "The image of a service will be deleted", Means: "A lifecycle rule takes the image within the horizon.", Matters: "A restart needs it.", Mend: "Deploy another image.", Accept: "Never."},
			{Code: "PL021", Severity: audit.Warning, Title: "A floating tag", Means: "A tag that moves says nothing about what runs.", Matters: "A restart needs it.", Mend: "Deploy another image.", Accept: "Never."},
			{Code: "PL023", Severity: audit.Note, Title: "Tags can be moved", Means: "Make the repository immutable.", Matters: "A restart needs it.", Mend: "Deploy another image.", Accept: "Never."},
		},
		Judged: []audit.Object{
			service(tokyo(), "prod/checkout"), service(tokyo(), "prod/web"), service(tokyo(), "prod/worker"), service(tokyo(), "prod/search"),
			repository(tokyo(), "shop"), repository(tokyo(), "search"), service(dublin(), "prod/batch"),
		},
		LoadLines: []report.LoadLine{{Place: tokyo(), Repository: "shop", SVG: `<svg viewBox="0 0 400 60" role="img" aria-label="3 images in use above the line"><path d="M0 40h400" stroke="currentColor"/><circle cx="60" cy="25" r="8" fill="currentColor"/></svg>`}},
		Undrawn:   2,
		Retirements: []audit.Retirement{
			{Place: tokyo(), Event: "arn:aws:health:ap-northeast-1::event/ECS/X/1", At: in(5), Cluster: "prod", Service: "checkout"},
			{Place: tokyo(), Event: "arn:aws:health:ap-northeast-1::event/ECS/X/2", At: in(5), Cluster: "prod", Tasks: []string{"arn:aws:ecs:ap-northeast-1:123456789012:task/prod/0123456789abcdef0123456789abcdef"}},
		},
		FailOn:  report.FailWarning,
		Version: "v1.2.3",
	}
}

// many is a sample with n findings.
func many(n int) report.Document {
	d := sample()
	few := d.Findings[:5]
	d.Findings = nil
	for i := range n {
		f := few[i%len(few)]
		f.Object.Name = fmt.Sprintf("%s-%04d", f.Object.Name, i)
		f.What = fmt.Sprintf("%s (%d)", f.What, i)
		d.Findings = append(d.Findings, f)
	}
	slices.SortStableFunc(d.Findings, func(a, b audit.Finding) int { return int(b.Severity - a.Severity) })
	return d
}

func write(t *testing.T, f report.Format, d report.Document) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := report.Write(&b, f, d); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGoldens(t *testing.T) {
	for format, name := range map[report.Format]string{
		report.AsJSON: "audit.json", report.AsSARIF: "audit.sarif", report.AsJUnit: "audit-junit.xml", report.AsHTML: "audit.html",
	} {
		t.Run(name, func(t *testing.T) {
			got := write(t, format, sample())
			if again := write(t, format, sample()); !bytes.Equal(got, again) {
				t.Error("the same document gives other bytes")
			}
			golden.File(t, "testdata/"+name, string(got))
		})
	}
}
