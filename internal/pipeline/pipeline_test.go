package pipeline

import (
	"errors"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/golden"
)

// What is written, to be read.
func TestFiles(t *testing.T) {
	for name, plan := range plans() {
		if err := plan.Check(); err != nil {
			t.Fatal(err)
		}
		file, err := GitLab(plan)
		if err != nil {
			t.Fatal(err)
		}
		golden.File(t, path.Join("testdata", name, "gitlab-ci.yml"), file.Text)
		files, err := GitHub(plan)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			golden.File(t, path.Join("testdata", name, path.Base(file.Name)), file.Text)
		}
	}
}

// The components are the same jobs.
func TestComponents(t *testing.T) {
	files, err := Components()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		golden.File(t, "../../"+file.Name, file.Text)
	}
}

func TestIncludeIsTheSamePipelineElsewhere(t *testing.T) {
	plan := plans()["variables"]
	own, err := GitLab(plan)
	if err != nil {
		t.Fatal(err)
	}
	included, err := GitLabInclude(plan)
	if err != nil {
		t.Fatal(err)
	}
	if included.Text != own.Text || included.Name == own.Name {
		t.Errorf("%s and %s", included.Name, own.Name)
	}
}

func TestCheckRefuses(t *testing.T) {
	for what, spoil := range map[string]func(*Plan){
		"cluster":                      func(p *Plan) { p.Names.Cluster = "prod; rm -rf /" },
		"service":                      func(p *Plan) { p.Services = []string{"a b"} },
		"repository":                   func(p *Plan) { p.Images[0].Repository = "$CI_JOB_TOKEN" },
		"registry":                     func(p *Plan) { p.Names.Registry = "https://host" },
		"region":                       func(p *Plan) { p.Names.Region = "tokyo" },
		"Dockerfile":                   func(p *Plan) { p.Images[0].Dockerfile = "../Dockerfile" },
		"environment":                  func(p *Plan) { p.Environments[0].Name = "a'b" },
		"environment of plimsoll.yaml": func(p *Plan) { p.Environments[0].Config = "${{ x }}" },
		"URL":                          func(p *Plan) { p.Environments[0].URL = "javascript:alert(1)" },
		"role":                         func(p *Plan) { p.Environments[0].Role = "deploy" },
		"role of the build":            func(p *Plan) { p.BuildRole = "arn:aws:iam::1:role/x" },
		"version":                      func(p *Plan) { p.Plimsoll.Version = "latest" },
		"SHA-256":                      func(p *Plan) { p.Plimsoll.SHA256 = "0" },
		"action":                       func(p *Plan) { p.GitHub.Uses = "plimsoll" },
		"time of the audit":            func(p *Plan) { p.GitHub.Night = "nightly" },
		"time to stop":                 func(p *Plan) { p.GitHub.Stop = "0 13 * * *" },
		"configuration":                func(p *Plan) { p.Config = "a b" },
	} {
		plan := plans()["variables"]
		plan.Images = slices.Clone(plan.Images)
		spoil(&plan)
		bad, ok := errors.AsType[*InvalidError](plan.Check())
		if !ok || bad.What != what {
			t.Errorf("%s: %v", what, plan.Check())
		}
	}
}

func TestEnvironmentsHaveNamesOfTheirOwn(t *testing.T) {
	plan := plans()["services"]
	plan.Environments[1].Name = plan.Environments[0].Name
	if plan.Check() == nil {
		t.Error("two environments of one name")
	}
}

// Every value that is let through comes out of the YAML as it went in.
func TestScalar(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[ -~]{1,40}`).Draw(t, "text")
		var got map[string]any
		if err := yaml.Unmarshal([]byte("key: "+scalar(text)+"\n"), &got); err != nil {
			t.Fatal(err)
		}
		if got["key"] != text {
			t.Fatalf("%q became %#v", text, got["key"])
		}
		var items []any
		if err := yaml.Unmarshal([]byte(list(text, "x")+"\n"), &items); err != nil || items[0] != text {
			t.Fatalf("%q in a list became %#v, %v", text, items, err)
		}
	})
}

// What is let through comes out as it went in, in YAML that can be read, and no
// shell, GitLab or GitHub would take it for more than itself.
func TestWhatIsLetThrough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := func(name string) string {
			return rapid.OneOf(rapid.StringMatching(`[A-Za-z0-9._/:@-]{1,12}`), rapid.StringMatching(`[ -~]{1,12}`)).Draw(t, name)
		}
		plan := Plan{
			Names:        Names{Cluster: word("cluster"), Service: word("service")},
			Images:       []Image{{Dockerfile: word("Dockerfile")}},
			Environments: []Environment{{Name: word("environment"), URL: "https://" + word("URL")}},
			GitHub:       Actions{Uses: "a/b@c"},
		}
		for _, spoil := range []func(){
			func() {},
			func() { plan.Names = Names{} },
			func() { plan.Environments[0].URL = "" },
			func() { plan.Environments[0].Name = "production" },
			func() { plan.Images[0].Dockerfile = "Dockerfile" },
		} {
			if spoil(); plan.Check() == nil {
				readable(t, plan)
			}
		}
	})
}

// readable requires that both systems read the values of a plan.
func readable(t *rapid.T, plan Plan) {
	file, err := GitLab(plan)
	if err != nil {
		t.Fatal(err)
	}
	var jobs map[string]job
	if err := yaml.Unmarshal([]byte(file.Text), &jobs); err != nil {
		t.Fatalf("%v\n%s", err, file.Text)
	}
	environment := plan.Environments[0].Name
	deploy, build := jobs["plimsoll:deploy:"+environment], jobs["plimsoll:build"]
	if deploy.Environment.Name != environment || build.Variables["PLIMSOLL_DOCKERFILE"] != plan.Images[0].Dockerfile {
		t.Fatalf("%+v\n%s", plan, file.Text)
	}
	if cluster := plan.Names.Cluster; cluster != "" && jobs[gitlabBase].Variables["ECS_CLUSTER"] != cluster {
		t.Fatalf("%+v\n%s", plan, file.Text)
	}
	for _, value := range []string{plan.Names.Cluster, plan.Names.Service, plan.Images[0].Dockerfile, environment} {
		if strings.ContainsAny(value, "$`\"'\\ ;|<>(){}\n") {
			t.Fatalf("%q was let through", value)
		}
	}
	files, err := GitHub(plan)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		var workflow map[string]any
		if err := yaml.Unmarshal([]byte(file.Text), &workflow); err != nil {
			t.Fatalf("%s: %v\n%s", file.Name, err, file.Text)
		}
	}
}

// Whatever a plan lacks is left out, and no line is left without its value.
func TestNothingIsLeftOpen(t *testing.T) {
	plan := Plan{Images: []Image{{}}, Environments: []Environment{{Name: "x"}}, GitHub: Actions{Uses: "a/b@c"}}
	file, err := GitLab(plan)
	if err != nil {
		t.Fatal(err)
	}
	files, err := GitHub(plan)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, file) {
		for line := range strings.Lines(file.Text) {
			if strings.HasSuffix(line, " \n") || strings.Contains(line, "%") && !strings.Contains(line, "printf") {
				t.Errorf("%s: %q", file.Name, line)
			}
		}
	}
}

// No access key is in any of it, and nothing that is called latest and is another
// thing tomorrow.
func TestNoKeysNothingLatest(t *testing.T) {
	files, err := Components()
	if err != nil {
		t.Fatal(err)
	}
	for name, plan := range plans() {
		file, err := GitLab(plan)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		workflows, err := GitHub(plan)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		files = append(append(files, file), workflows...)
	}
	wrong := regexp.MustCompile(`(?i)latest|ACCESS_KEY|secrets\.`)
	for _, file := range files {
		if found := wrong.FindString(file.Text); found != "" {
			t.Errorf("%s has %q", file.Name, found)
		}
	}
}
