package pipeline

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// job is what matters of a job of GitLab.
type job struct {
	Extends       string
	Stage         string
	Script        []string
	Needs         []any
	ResourceGroup string         `yaml:"resource_group"`
	Variables     map[string]any `yaml:"variables"`
	Rules         []struct {
		If           string
		When         string
		AllowFailure bool `yaml:"allow_failure"`
	}
	Environment struct {
		Name, URL, Action string
		OnStop            string `yaml:"on_stop"`
	}
	IDTokens  map[string]struct{ Aud string } `yaml:"id_tokens"`
	Services  []string
	Artifacts struct {
		When    string
		Reports map[string]string
	}
}

func gitlabJobs(t *testing.T, plan Plan) map[string]job {
	t.Helper()
	file, err := GitLab(plan)
	if err != nil {
		t.Fatal(err)
	}
	var jobs map[string]job
	if err := yaml.Unmarshal([]byte(file.Text), &jobs); err != nil {
		t.Fatal(err)
	}
	return jobs
}

// What has to be true of the jobs of every plan.
func TestGitLabJobs(t *testing.T) {
	for name, plan := range plans() {
		jobs := gitlabJobs(t, plan)
		for id, j := range jobs {
			if id == gitlabBase {
				if j.IDTokens["PLIMSOLL_ID_TOKEN"].Aud == "" {
					t.Errorf("%s: no ID token", name)
				}
				continue
			}
			if j.Extends != gitlabBase || j.Stage != "build" && j.Stage != "deploy" || len(j.Rules) == 0 {
				t.Errorf("%s: %s extends %q in stage %q", name, id, j.Extends, j.Stage)
			}
			for _, need := range j.Needs {
				if _, there := jobs[need.(string)]; !there {
					t.Errorf("%s: %s needs %s, which is no job", name, id, need)
				}
			}
			if stop := j.Environment.OnStop; stop != "" {
				if jobs[stop].Environment.Action != "stop" || jobs[stop].Environment.Name != j.Environment.Name {
					t.Errorf("%s: %s is stopped by %s", name, id, stop)
				}
			}
			if j.Environment.Name != "" && j.ResourceGroup != j.Environment.Name {
				t.Errorf("%s: %s works in %s and does not queue for it", name, id, j.Environment.Name)
			}
			for _, rule := range j.Rules {
				// A manual job that may not fail blocks its pipeline until somebody starts it.
				if rule.When == "manual" && !rule.AllowFailure {
					t.Errorf("%s: %s blocks the pipeline", name, id)
				}
			}
		}
	}
}

// Only tags of releases build and deploy, and only by themselves.
func TestGitLabReleasesTagsAlone(t *testing.T) {
	const want = `$PLIMSOLL_TASK == null && $CI_PIPELINE_SOURCE != "schedule" && $CI_COMMIT_TAG =~ /^v\d+\.\d+\.\d+$/`
	jobs := gitlabJobs(t, plans()["variables"])
	for _, id := range []string{"plimsoll:build", "plimsoll:deploy:production"} {
		if rules := jobs[id].Rules; len(rules) != 1 || rules[0].If != want || rules[0].When != "" {
			t.Errorf("%s: %+v", id, rules)
		}
	}
	if !slices.Equal(jobs["plimsoll:build"].Services, []string{"docker:29-dind"}) {
		t.Errorf("services %v", jobs["plimsoll:build"].Services)
	}
}

// The second environment waits for the first one and for somebody's click.
func TestGitLabPromotes(t *testing.T) {
	jobs := gitlabJobs(t, plans()["services"])
	first, second := jobs["plimsoll:deploy:stage"], jobs["plimsoll:deploy:production"]
	if !slices.Contains(second.Needs, any("plimsoll:deploy:stage")) || second.Rules[0].When != "manual" || first.Rules[0].When != "" {
		t.Errorf("first %+v\nsecond %+v", first, second)
	}
	if first.Variables["PLIMSOLL_ENV"] != "stage" || second.Variables["PLIMSOLL_ENV"] != nil {
		t.Errorf("environments %v and %v", first.Variables, second.Variables)
	}
}

// The variables are those that pipelines of this kind have for long.
func TestGitLabVariables(t *testing.T) {
	base := gitlabJobs(t, plans()["variables"])[gitlabBase]
	for _, name := range []string{"ECR_REGISTRY", "ECR_REPOSITORY", "ECS_CLUSTER", "ECS_SERVICE", "TASK_DEFINITION", "AWS_DEFAULT_REGION"} {
		if base.Variables[name] == nil {
			t.Errorf("%s is not set in %v", name, slices.Sorted(maps.Keys(base.Variables)))
		}
	}
}

// A component declares the inputs that it uses and uses those that it declares.
func TestComponentInputs(t *testing.T) {
	files, err := Components()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		head, body, _ := strings.Cut(file.Text, "\n---\n")
		var spec struct {
			Spec struct{ Inputs map[string]any }
		}
		if err := yaml.Unmarshal([]byte(head), &spec); err != nil {
			t.Fatal(err)
		}
		used := map[string]bool{}
		for _, m := range regexp.MustCompile(`\$\[\[ inputs\.([a-z0-9-]+) \]\]`).FindAllStringSubmatch(body, -1) {
			used[m[1]] = true
		}
		declared := slices.Sorted(maps.Keys(spec.Spec.Inputs))
		if !slices.Equal(declared, slices.Sorted(maps.Keys(used))) {
			t.Errorf("%s declares %v and uses %v", file.Name, declared, slices.Sorted(maps.Keys(used)))
		}
		var jobs map[string]job
		if err := yaml.Unmarshal([]byte(body), &jobs); err != nil {
			t.Errorf("%s: %v", file.Name, err)
		}
	}
}
