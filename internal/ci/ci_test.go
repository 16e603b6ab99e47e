package ci_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-ecs/plimsoll/internal/ci"
)

func TestDetect(t *testing.T) {
	for _, tt := range []struct {
		name string
		env  map[string]string
		want ci.Run
	}{
		{"a laptop", map[string]string{"USER": "aki"}, ci.Run{Actor: "aki"}},
		{"the article's variables alone", map[string]string{"CI_COMMIT_TAG": "v1.0.0"}, ci.Run{Tag: "v1.0.0"}},
		{
			"gitlab",
			map[string]string{"GITLAB_CI": "true", "GITLAB_USER_LOGIN": "aki", "CI_COMMIT_SHA": "abc", "CI_COMMIT_TAG": "v1.0.0", "CI_PIPELINE_URL": "https://gitlab.example/p/1"},
			ci.Run{System: "gitlab", Actor: "aki", Commit: "abc", Tag: "v1.0.0", Pipeline: "https://gitlab.example/p/1"},
		},
		{
			"github, a tag",
			map[string]string{
				"GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "aki", "GITHUB_SHA": "abc", "GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1.0.0",
				"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/api", "GITHUB_RUN_ID": "7",
			},
			ci.Run{System: "github", Actor: "aki", Commit: "abc", Tag: "v1.0.0", Pipeline: "https://github.com/acme/api/actions/runs/7"},
		},
		{
			"github, a branch is no tag",
			map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_REF_TYPE": "branch", "GITHUB_REF_NAME": "main"},
			ci.Run{System: "github"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ci.Detect(func(name string) string { return tt.env[name] })
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
