package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/config"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// aFleet is a service whose image is gone, and one whose image is there.
func aFleet() audit.Fleet {
	const digest = "sha256:4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"
	place := audit.Place{Account: "123456789012", Region: "eu-west-1"}
	at := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	service := func(name, digest string) audit.Service {
		revision := "arn:aws:ecs:eu-west-1:123456789012:task-definition/" + name + ":1"
		return audit.Service{
			Place: place, Cluster: "prod", Name: name, ARN: "arn:aws:ecs:eu-west-1:123456789012:service/prod/" + name, Controller: "ECS", Desired: 1, Running: 1,
			Runs: []audit.Release{{TaskDefinition: revision, At: at, Containers: []audit.Container{
				{Name: "app", Image: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop:v1.0.0", Digest: digest},
			}}},
		}
	}
	return audit.Fleet{
		TakenAt: at, Places: []audit.Place{place},
		Services: []audit.Service{service("api", digest), service("web", strings.Replace(digest, "4", "5", 1))},
		Repositories: []audit.Repository{{
			Place: place, Name: "shop", ARN: "arn:aws:ecr:eu-west-1:123456789012:repository/shop", URI: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop",
			Mutability: "IMMUTABLE", Images: []audit.Image{{Image: lifecycle.Image{Digest: digest, Tags: []string{"v1.0.0"}, PushedAt: at.AddDate(0, 0, -3)}}},
		}},
	}
}

// audited is what writeAudit makes of the fleet.
func audited(t *testing.T, o auditOutput, globals Globals, file *config.File) (stdout, stderr string, err error) {
	t.Helper()
	if err := o.check(); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	s := &session{sys: System{Getenv: func(string) string { return "" }, Stdout: &out, Stderr: &errs}, globals: &globals, file: file}
	rules, baseline, err := o.accepted(config.Lookup{File: file})
	if err != nil {
		return "", "", err
	}
	fleet := aFleet()
	found := audit.Judge(fleet, audit.Options{Now: fleet.TakenAt, Horizon: 14 * 24 * time.Hour, Accept: rules, Baseline: baseline})
	err = s.writeAudit(fleet, found, o)
	return out.String(), errs.String(), err
}

func exit(t *testing.T, err error) int {
	t.Helper()
	if err == nil {
		return 0
	}
	if e, ok := errors.AsType[*exitError](err); ok {
		return e.code
	}
	t.Fatal(err)
	return 1
}

func TestAuditTableAndFiles(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	out, errs, err := audited(t, auditOutput{
		Format: []string{"table", "json=" + in("a.json"), "sarif=" + in("a.sarif"), "junit=" + in("a.xml"), "html=" + in("a.html"), "table=" + in("a.txt")}, FailOn: "error",
	}, Globals{}, nil)
	if code := exit(t, err); code != 8 {
		t.Errorf("exit %d", code)
	}
	if !strings.Contains(out, "1 of 2 services cannot restart") || errs != "" {
		t.Errorf("stdout:\n%s\nstderr:\n%s", out, errs)
	}
	for name, want := range map[string]string{
		"a.json": `"failed": true`, "a.sarif": `"ruleId": "PL0`, "a.xml": `name="prod/api"`, "a.html": "1 service cannot restart", "a.txt": "1 of 2 services cannot restart",
	} {
		if text, err := os.ReadFile(in(name)); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s has no %q: %v\n%s", name, want, err, text)
		}
	}
}

func TestAuditAsJSON(t *testing.T) {
	for name, c := range map[string]struct {
		format  string
		globals Globals
	}{"--format json": {"json", Globals{}}, "--output json": {"table", Globals{Output: "json"}}} {
		t.Run(name, func(t *testing.T) {
			out, errs, err := audited(t, auditOutput{Format: []string{c.format}, FailOn: "never"}, c.globals, nil)
			if exit(t, err) != 0 || errs != "" || !json.Valid([]byte(out)) {
				t.Errorf("%v\n%s\n%s", err, out, errs)
			}
		})
	}
}

// Where only files were written, stderr says why the command fails.
func TestAuditFailsAloud(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.sarif")
	out, errs, err := audited(t, auditOutput{Format: []string{"sarif"}, Out: file, FailOn: "error"}, Globals{}, nil)
	if code := exit(t, err); code != 8 || out != "" || !strings.HasPrefix(errs, "plimsoll: findings at or above error: ") {
		t.Errorf("exit %d, stdout %q, stderr %q", code, out, errs)
	}
}

func TestBaselineAcceptsWhatIsKnown(t *testing.T) {
	file := filepath.Join(t.TempDir(), "baseline.json")
	_, errs, err := audited(t, auditOutput{Format: []string{"table"}, FailOn: "error", WriteBaseline: file}, Globals{}, nil)
	if exit(t, err) != 0 || !strings.Contains(errs, "use it with --baseline") {
		t.Errorf("%v: %s", err, errs)
	}
	out, _, err := audited(t, auditOutput{Format: []string{"table"}, FailOn: "note", Baseline: file, Long: true}, Globals{}, nil)
	if exit(t, err) != 0 || !strings.Contains(out, "known: it is in the baseline") {
		t.Errorf("%v: %s", err, out)
	}
	if err := os.WriteFile(file, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, _, err = audited(t, auditOutput{Format: []string{"table"}, FailOn: "note", Baseline: file}, Globals{}, nil)
	if err == nil || exitCode(err) != 2 || !strings.Contains(err.Error(), "--baseline=") || hintOf(err) == "" {
		t.Errorf("a broken baseline: %v, hint %q", err, hintOf(err))
	}
}

func TestIgnoredFindingsDoNotFail(t *testing.T) {
	file, err := config.Parse("plimsoll.yaml", []byte("audit: {ignore: [{object: prod/*, reason: it is going to be removed}, {object: shop, reason: so is that}]}"))
	if err != nil {
		t.Fatal(err)
	}
	out, _, err := audited(t, auditOutput{Format: []string{"table"}, FailOn: "note", Long: true}, Globals{}, file)
	if exit(t, err) != 0 || !strings.Contains(out, "it is going to be removed") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestWhatFormatsCannotBe(t *testing.T) {
	for want, o := range map[string]auditOutput{
		"there is table, json, sarif, junit, html":         {Format: []string{"pdf"}},
		"the name of the file is missing":                  {Format: []string{"json="}},
		"another report goes to stdout already; give each": {Format: []string{"table", "json"}},
		"another report goes to a.out already":             {Format: []string{"table=a.out", "json=a.out"}},
		"another report goes to b.out already":             {Format: []string{"table", "json"}, Out: "b.out"},
		"--out: every --format has a file of its own":      {Format: []string{"json=a.json"}, Out: "b.out"},
	} {
		if err := o.check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %s", o, err, want)
		}
	}
}

// Code scanning is pointed at plimsoll.yaml by its name in the repository.
func TestAnchor(t *testing.T) {
	root := t.TempDir()
	deep := filepath.Join(root, "deploy", "prod")
	for _, dir := range []string{deep, filepath.Join(root, ".git")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	file, err := config.Parse(filepath.Join(deep, "plimsoll.yaml"), []byte("cluster: prod"))
	if err != nil {
		t.Fatal(err)
	}
	if got := (&session{file: file}).anchor().File; got != "deploy/prod/plimsoll.yaml" {
		t.Errorf("got %q", got)
	}
	if got := (&session{}).anchor().File; got != "" {
		t.Errorf("without a file: %q", got)
	}
}
