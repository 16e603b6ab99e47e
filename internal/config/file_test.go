package config_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/config"
	"github.com/plimsoll-ecs/plimsoll/internal/golden"
)

const fleet = `account: "123456789012"
cluster: prod
registry: registry.example
services:
  web:
    service: web-v2
    containers: {app: web, nginx: web-nginx}
    wave: 2
    timeout: 5m
    protected: true
  worker:
    containers: {worker: jobs}
environments:
  stage:
    account: "210987654321"
    cluster: stage
    services:
      web: {timeout: 1m, protected: false}
      probe: {containers: {probe: probe}}
`

func parse(t *testing.T, text string) *config.File {
	t.Helper()
	f, err := config.Parse("plimsoll.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestEveryValueHasItsSource(t *testing.T) {
	f := parse(t, fleet)
	for _, tt := range []struct {
		name        string
		environment string
		flags       config.Flags
		env         map[string]string
		want        map[string]config.Value // by setting
	}{
		{
			"the file", "", config.Flags{Service: "web"}, nil,
			map[string]config.Value{
				"account": {Value: "123456789012", Source: "plimsoll.yaml:1:10"}, "cluster": {Value: "prod", Source: "plimsoll.yaml:2:10"},
				"service": {Value: "web-v2", Source: "plimsoll.yaml:6:14"}, "wave": {Value: "2", Source: "plimsoll.yaml:8:11"},
				"containers.app": {Value: "web", Source: "plimsoll.yaml:7:18"}, "containers.nginx": {Value: "web-nginx", Source: "plimsoll.yaml:7:18"},
				"timeout": {Value: "5m", Source: "plimsoll.yaml:9:14"}, "protected": {Value: "true", Source: "plimsoll.yaml:10:16"},
			},
		},
		{
			"ECS's name finds the service too", "", config.Flags{Service: "web-v2"}, nil,
			map[string]config.Value{"service": {Value: "web-v2", Source: "--service"}, "wave": {Value: "2", Source: "plimsoll.yaml:8:11"}},
		},
		{
			"so does its ARN", "", config.Flags{Service: "arn:aws:ecs:eu-west-1:123456789012:service/prod/web-v2"}, nil,
			map[string]config.Value{"service": {Value: "web-v2", Source: "--service"}, "region": {Value: "eu-west-1", Source: "--service"}, "timeout": {Value: "5m", Source: "plimsoll.yaml:9:14"}},
		},
		{
			"variables win", "", config.Flags{}, map[string]string{"ECS_CLUSTER": "other", "ECS_SERVICE": "worker", "ECR_REPOSITORY": "mine"},
			map[string]config.Value{
				"cluster": {Value: "other", Source: "ECS_CLUSTER"}, "service": {Value: "worker", Source: "ECS_SERVICE"},
				"containers.worker": {Value: "mine", Source: "ECR_REPOSITORY"},
			},
		},
		{
			"flags win over them", "", config.Flags{Cluster: "third", Service: "worker"}, map[string]string{"ECS_CLUSTER": "other"},
			map[string]config.Value{"cluster": {Value: "third", Source: "--cluster"}},
		},
		{
			"the variables of another service do not count", "", config.Flags{Service: "worker"},
			map[string]string{"ECS_SERVICE": "web", "TASK_DEFINITION": "web", "ECR_REPOSITORY": "web"},
			map[string]config.Value{"task_definition": {Value: "that of what runs", Source: "AWS"}, "containers.worker": {Value: "jobs", Source: "plimsoll.yaml:12:18"}},
		},
		{
			"nor do any where several are meant", "", config.Flags{Service: "worker", OneOfMany: true}, map[string]string{"TASK_DEFINITION": "web"},
			map[string]config.Value{"task_definition": {Value: "that of what runs", Source: "AWS"}},
		},
		{
			"an environment, member by member", "stage", config.Flags{Service: "web"}, nil,
			map[string]config.Value{
				"account": {Value: "210987654321", Source: "plimsoll.yaml:15:14"}, "cluster": {Value: "stage", Source: "plimsoll.yaml:16:14"},
				"registry": {Value: "registry.example", Source: "plimsoll.yaml:3:11"},
				"timeout":  {Value: "1m", Source: "plimsoll.yaml:18:22"}, "wave": {Value: "2", Source: "plimsoll.yaml:8:11"},
				"protected": {Value: "false", Source: "plimsoll.yaml:18:37"},
			},
		},
		{
			"a flag insists", "stage", config.Flags{Service: "web", Cluster: "prod"}, nil,
			map[string]config.Value{"cluster": {Value: "prod", Source: "--cluster"}},
		},
		{
			"one container by name", "", config.Flags{Service: "web", Container: "nginx"}, nil,
			map[string]config.Value{"containers.nginx": {Value: "web-nginx", Source: "plimsoll.yaml:7:18"}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			look := config.Lookup{File: f, Environment: tt.environment, EnvironmentSource: "--env", Getenv: env(tt.env)}
			s, err := look.Resolve(tt.flags)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]config.Value{}
			for _, e := range s.Explain() {
				if _, wanted := tt.want[e.Setting]; wanted {
					got[e.Setting] = config.Value{Value: e.Value, Source: e.Source}
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestWhatContradictsIsRefused(t *testing.T) {
	f := parse(t, fleet)
	for _, tt := range []struct {
		environment string
		flags       config.Flags
		env         map[string]string
		want        string
	}{
		{"stage", config.Flags{Service: "web"}, map[string]string{"ECS_CLUSTER": "prod"},
			`ECS_CLUSTER="prod": environment stage says stage (plimsoll.yaml:16:14); unset the variable, or insist with --cluster`},
		{"prd", config.Flags{Service: "web"}, nil, `--env="prd": there is no such environment; plimsoll.yaml has stage`},
		{"", config.Flags{Service: "arn:aws:ecs:eu-west-1:999999999999:service/prod/web-v2"}, nil,
			`--service="arn:aws:ecs:eu-west-1:999999999999:service/prod/web-v2": it is in 999999999999, but plimsoll.yaml:1:10 is in 123456789012`},
		{"", config.Flags{Service: "web", Repository: "mine"}, nil,
			`--repository="mine": which of the containers at plimsoll.yaml:7:18 is it for? Give --container, or unset it`},
		{"", config.Flags{Service: "web", Container: "ngin"}, nil,
			`--container="ngin": it is not among the containers at plimsoll.yaml:7:18 (did you mean "nginx"?); give --repository too`},
	} {
		look := config.Lookup{File: f, Environment: tt.environment, EnvironmentSource: "--env", Getenv: env(tt.env)}
		if _, err := look.Resolve(tt.flags); err == nil || err.Error() != tt.want {
			t.Errorf("%+v\ngot  %v\nwant %s", tt.flags, err, tt.want)
		}
	}
	s, err := config.Lookup{File: f, Getenv: env(nil)}.Resolve(config.Flags{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Require(&s.Service); err == nil || !strings.Contains(err.Error(), "plimsoll.yaml has worker, web") {
		t.Errorf("%v", err)
	}
}

func TestChoose(t *testing.T) {
	look := config.Lookup{File: parse(t, fleet), Getenv: env(nil)}
	stage := look
	stage.Environment = "stage"
	for _, tt := range []struct {
		look   config.Lookup
		choice config.Choice
		want   string
	}{
		{look, config.Choice{}, "[{ 1}]"},
		{look, config.Choice{All: true}, "[{worker 1} {web 2}]"},
		{stage, config.Choice{All: true}, "[{probe 1} {worker 1} {web 2}]"},
		{look, config.Choice{Waves: []int{2}}, "[{web 2}]"},
		{look, config.Choice{Services: []string{"web-v2", "worker", "web"}}, "[{worker 1} {web 2}]"},
		{look, config.Choice{Services: []string{"stranger"}}, "[{stranger 1}]"},
		{look, config.Choice{Waves: []int{3}}, `--wave="3": no service is in it; the waves of plimsoll.yaml are 1, 2`},
		{config.Lookup{Getenv: env(nil)}, config.Choice{All: true}, "not set: services for --all: name them in plimsoll.yaml (plimsoll init config writes one), or give --service"},
	} {
		chosen, err := tt.look.Choose(tt.choice)
		got := strings.ReplaceAll(strings.TrimSpace(fmt.Sprint(chosen)), "[]", "")
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%+v\ngot  %s\nwant %s", tt.choice, got, tt.want)
		}
	}
}

func TestTagsBecomeThePolicy(t *testing.T) {
	for rules, tags := range map[string]map[string]bool{
		"[semver]":                           {"v1.2.3": true, "v1.2.3-rc.1": false, "0123abc": false, "latest": false},
		"[prerelease]":                       {"v1.2.3": false, "v1.2.3-rc.1": true},
		"[semver, prerelease, sha]":          {"v1.2.3": true, "v1.2.3-rc.1": true, "0123abc": true, "latest": false},
		`[semver, {pattern: 'build-\d+'}]`:   {"v1.2.3": true, "build-7": true, "build-7x": false},
		`{pattern: '^release-\d{4}-\d{2}$'}`: {"release-2026-11": true, "v1.2.3": false},
		`[{pattern: '.*'}]`:                  {"anything": true, "latest": false, "main": false},
	} {
		look := config.Lookup{File: parse(t, "tags: {allow: "+rules+"}"), Getenv: env(nil)}
		s, err := look.Resolve(config.Flags{})
		if err != nil {
			t.Fatalf("%s: %v", rules, err)
		}
		for tag, want := range tags {
			if got := s.Tags.Value.Check(tag) == nil; got != want {
				t.Errorf("%s: %s allowed %t, want %t", rules, tag, got, want)
			}
		}
	}
}

func TestWhatIsWrongWithAFile(t *testing.T) {
	for text, want := range map[string]string{
		"clusters: prod":                                  `plimsoll.yaml:1:1: unknown member "clusters" (did you mean "cluster"?); known are account, region, registry, cluster, tags, retention, services, environments, maintenance, notifications, accounts, audit`,
		"services:\n  web:\n    until: complete":          `plimsoll.yaml:3:12: until: "complete" (did you mean "completed"?): want healthy, completed`,
		"services:\n  web:\n    timeout: 15":              `plimsoll.yaml:3:14: timeout: "15": want a time above 0, such as 90s, 15m or 1h30m`,
		"services:\n  web:\n":                             `plimsoll.yaml:2:8: web has no value: want {service, task_definition, containers, wave, protected, until, fail_after, timeout, desired_count, hooks, url}`,
		"services: {web: {containers: {app: 'web:v1'}}}":  `plimsoll.yaml:1:31: containers: app: "web:v1": want the name of an ECR repository, without registry and tag`,
		"services: {web: {containers: {app: h.io/web}}}":  `plimsoll.yaml:1:31: containers: app: "h.io/web": want the name of an ECR repository, without registry and tag`,
		"services: {web: {containers: {}}}":               `plimsoll.yaml:1:30: containers: name at least one, each with its repository`,
		"services: {web: {fail_after: 0}}":                `plimsoll.yaml:1:30: fail_after: 0: it must be above 0`,
		"services: {web: {desired_count: -1}}":            `plimsoll.yaml:1:33: desired_count: -1: it must not be below 0`,
		"services: {web: {task_definition: 'web:7'}}":     `plimsoll.yaml:1:35: task_definition: give the family alone, without a revision`,
		"services: {web: {hooks: {before: [{run: []}]}}}": `plimsoll.yaml:1:36: run: want a command, a word an item`,
		"cluster: 'a b'":                                  `plimsoll.yaml:1:10: cluster: "a b": want a name, without blanks`,
		"account: 012":                                    `plimsoll.yaml:1:10: account: "012": want 12 digits; in quotes, so that a leading 0 stays`,
		"registry: h.io/web":                              `plimsoll.yaml:1:11: registry: give the host alone, such as 123456789012.dkr.ecr.eu-west-1.amazonaws.com`,
		"tags: {allow: [{pattern: '('}]}":                 "plimsoll.yaml:1:15: tag pattern \"(\": error parsing regexp: missing closing ): `^(?:()$`",
		"tags: {allow: []}":                               `plimsoll.yaml:1:15: allow: no tag at all could be deployed`,
		"cluster: a\n---\ncluster: b":                     `plimsoll.yaml:1:1: one document is wanted, not several`,
		"":                                                `plimsoll.yaml:1:1: the file is empty`,
		"services: {web: {}}\nenvironments: {s: {services: {wbe: {wave: 2}}}}": `plimsoll.yaml:2:37: environment s: services has no "wbe" (did you mean "web"?); one of this environment alone needs its containers`,
	} {
		if _, err := config.Parse("plimsoll.yaml", []byte(text)); err == nil || err.Error() != want {
			t.Errorf("%s\ngot  %v\nwant %s", text, err, want)
		}
	}
}

// The address of a service is shown to everybody, and needs no quotes anywhere.
func TestURL(t *testing.T) {
	const odd = "plimsoll.yaml:1:23: url: want an address such as https://api.example.com; other characters than those of an address as %20 and so on"
	for url, want := range map[string]string{
		"https://api.example.com/a?b=c#d": "",
		"http://10.0.0.1:8080":            "",
		"www.example.com":                 odd,
		"ftp://www.example.com":           odd,
		"https://a/$HOME":                 odd,
		"https://a/b c":                   odd,
		"https://me:pw@example.com":       "plimsoll.yaml:1:23: url: leave out the user and the password: it is shown to everybody",
	} {
		f, err := config.Parse("plimsoll.yaml", []byte("services: {web: {url: '"+url+"'}}"))
		if want != "" {
			if err == nil || err.Error() != want {
				t.Errorf("%s\ngot  %v\nwant %s", url, err, want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		set, err := config.Lookup{File: f, Getenv: env(nil)}.Resolve(config.Flags{})
		if err != nil || set.URL.Value != url || set.URL.Source != "plimsoll.yaml:1:23" {
			t.Errorf("%s is %+v, %v", url, set.URL, err)
		}
	}
}

// Find goes up to the root of the repository and no further.
func TestFind(t *testing.T) {
	root := t.TempDir()
	write := func(name string) {
		t.Helper()
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("plimsoll.yaml")
	write("loose/deep/x")
	write("repository/.git/x")
	write("repository/deep/er/x")
	write("with/.git") // as in a work tree
	write("with/plimsoll.yaml")
	write("with/deep/x")
	for dir, want := range map[string]string{
		"": "plimsoll.yaml", "loose/deep": "", "repository/deep/er": "", "repository": "",
		"with/deep": "with/plimsoll.yaml", "with": "with/plimsoll.yaml",
	} {
		if want != "" {
			want = filepath.Join(root, want)
		}
		if got := config.Find(filepath.Join(root, dir)); got != want {
			t.Errorf("%s: %q, want %q", dir, got, want)
		}
	}
}

// Whatever is drafted is a file that can be read, and says the same.
func TestDraftsCanBeRead(t *testing.T) {
	name := rapid.StringMatching(`[a-zA-Z0-9][a-zA-Z0-9_-]{0,12}`)
	rapid.Check(t, func(t *rapid.T) {
		d := config.Draft{Account: "012345678901", Region: "eu-west-1", Cluster: name.Draw(t, "cluster"), Services: map[string]config.DraftService{}}
		for range rapid.IntRange(1, 4).Draw(t, "services") {
			d.Services[name.Draw(t, "service")] = config.DraftService{
				TaskDefinition: name.Draw(t, "family"),
				Containers:     map[string]string{name.Draw(t, "container"): rapid.StringMatching(`[a-z][a-z0-9]{1,8}(/[a-z0-9]{2,5})?`).Draw(t, "repository")},
			}
		}
		f, err := config.Parse("plimsoll.yaml", []byte(d.Text()))
		if err != nil {
			t.Fatalf("%v\n%s", err, d.Text())
		}
		for service, draft := range d.Services {
			s, err := config.Lookup{File: f, Getenv: env(nil)}.Resolve(config.Flags{Service: service})
			if err != nil {
				t.Fatal(err)
			}
			if s.Cluster.Value != d.Cluster || s.Account.Value != d.Account || s.TaskDefinition.Value != draft.TaskDefinition || draft.Containers[s.Container.Value] != s.Repository.Value {
				t.Fatalf("%+v of\n%s", s, d.Text())
			}
		}
	})
}

// No file makes the parser panic, and one that it takes can be explained.
func FuzzParse(f *testing.F) {
	f.Add(fleet)
	f.Add("tags: {allow: [semver, {pattern: 'x'}]}")
	f.Add("services: {web: {hooks: {before: [{run: [a]}], after: []}}}")
	f.Add("environments: {a: {services: {b: {containers: {c: d}}}}}")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := config.Parse("plimsoll.yaml", []byte(text))
		if err != nil {
			return
		}
		for _, environment := range append(file.EnvironmentNames(), "") {
			look := config.Lookup{File: file, Environment: environment, Getenv: env(nil)}
			chosen, err := look.Choose(config.Choice{All: true})
			if err != nil {
				continue
			}
			for _, c := range chosen {
				if s, err := look.Resolve(config.Flags{Service: c.Name}); err == nil {
					s.Explain()
				}
			}
		}
	})
}

// The published schema and reference are those of the structs.
func TestDocs(t *testing.T) {
	schema, err := config.Schema()
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(schema) {
		t.Fatal("the schema is no JSON")
	}
	golden.File(t, "../../docs/plimsoll.schema.json", string(schema))
	golden.Section(t, "../../docs/config.md", "reference", config.Reference())
}
