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
		{"a laptop that says it is no CI", map[string]string{"USER": "aki", "CI": "false"}, ci.Run{Actor: "aki"}},
		{"the article's variables alone", map[string]string{"CI_COMMIT_TAG": "v1.0.0"}, ci.Run{Tag: "v1.0.0"}},
		{"any CI", map[string]string{"CI": "true", "CI_COMMIT_SHA": "abc"}, ci.Run{System: ci.Other, Commit: "abc"}},
		{
			"gitlab, a tag",
			map[string]string{
				"CI": "true", "GITLAB_CI": "true", "GITLAB_USER_LOGIN": "aki", "CI_COMMIT_SHA": "abc", "CI_COMMIT_TAG": "v1.0.0",
				"CI_PIPELINE_URL": "https://gitlab.example/p/1", "CI_JOB_URL": "https://gitlab.example/j/2",
				"CI_ENVIRONMENT_NAME": "production", "CI_PROJECT_PATH": "acme/api",
			},
			ci.Run{
				System: ci.GitLab, Actor: "aki", Commit: "abc", Tag: "v1.0.0", Pipeline: "https://gitlab.example/p/1", Job: "https://gitlab.example/j/2",
				Environment: "production", Project: "acme/api",
			},
		},
		{"gitlab, a branch", map[string]string{"GITLAB_CI": "true", "CI_COMMIT_BRANCH": "main"}, ci.Run{System: ci.GitLab, Branch: "main"}},
		{
			"gitlab, a merge request", map[string]string{"GITLAB_CI": "true", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "feature"},
			ci.Run{System: ci.GitLab, Branch: "feature"},
		},
		{
			"github, a tag",
			map[string]string{
				"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "aki", "GITHUB_SHA": "abc", "GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1.0.0",
				"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/api", "GITHUB_RUN_ID": "7",
			},
			ci.Run{System: ci.GitHub, Actor: "aki", Commit: "abc", Tag: "v1.0.0", Pipeline: "https://github.com/acme/api/actions/runs/7", Project: "acme/api"},
		},
		{
			"github, a branch is no tag",
			map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_REF_TYPE": "branch", "GITHUB_REF_NAME": "main"},
			ci.Run{System: ci.GitHub, Branch: "main"},
		},
		{
			"github, a pull request that somebody else runs again",
			map[string]string{
				"GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "aki", "GITHUB_TRIGGERING_ACTOR": "emi",
				"GITHUB_REF_TYPE": "branch", "GITHUB_REF_NAME": "12/merge", "GITHUB_HEAD_REF": "feature",
			},
			ci.Run{System: ci.GitHub, Actor: "emi", Branch: "feature"},
		},
		{
			"github on a runner of codebuild is github",
			map[string]string{"GITHUB_ACTIONS": "true", "CODEBUILD_BUILD_ID": "runner:1"},
			ci.Run{System: ci.GitHub},
		},
		{
			"circleci",
			map[string]string{
				"CI": "true", "CIRCLECI": "true", "CIRCLE_USERNAME": "aki", "CIRCLE_SHA1": "abc", "CIRCLE_TAG": "v1.0.0",
				"CIRCLE_BUILD_URL": "https://circleci.com/gh/acme/api/7", "CIRCLE_PROJECT_USERNAME": "acme", "CIRCLE_PROJECT_REPONAME": "api",
			},
			ci.Run{
				System: ci.CircleCI, Actor: "aki", Commit: "abc", Tag: "v1.0.0", Pipeline: "https://circleci.com/gh/acme/api/7", Job: "https://circleci.com/gh/acme/api/7",
				Project: "acme/api",
			},
		},
		{
			"bitbucket",
			map[string]string{
				"CI": "true", "BITBUCKET_BUILD_NUMBER": "7", "BITBUCKET_STEP_TRIGGERER_UUID": "{0}", "BITBUCKET_COMMIT": "abc", "BITBUCKET_BRANCH": "main",
				"BITBUCKET_DEPLOYMENT_ENVIRONMENT": "production", "BITBUCKET_REPO_FULL_NAME": "acme/api",
			},
			ci.Run{
				System: ci.Bitbucket, Actor: "{0}", Commit: "abc", Branch: "main", Pipeline: "https://bitbucket.org/acme/api/pipelines/results/7",
				Environment: "production", Project: "acme/api",
			},
		},
		{
			"buildkite, a tag",
			map[string]string{
				"CI": "true", "BUILDKITE": "true", "BUILDKITE_BUILD_CREATOR": "Aki", "BUILDKITE_COMMIT": "HEAD", "BUILDKITE_TAG": "v1.0.0", "BUILDKITE_BRANCH": "v1.0.0",
				"BUILDKITE_BUILD_URL": "https://buildkite.com/acme/api/builds/7", "BUILDKITE_JOB_ID": "0a",
				"BUILDKITE_ORGANIZATION_SLUG": "acme", "BUILDKITE_PIPELINE_SLUG": "api",
			},
			ci.Run{
				System: ci.Buildkite, Actor: "Aki", Tag: "v1.0.0", Pipeline: "https://buildkite.com/acme/api/builds/7",
				Job: "https://buildkite.com/acme/api/builds/7#0a", Project: "acme/api",
			},
		},
		{
			"azure",
			map[string]string{
				"TF_BUILD": "True", "BUILD_REQUESTEDFOR": "Aki", "BUILD_SOURCEVERSION": "abc", "BUILD_SOURCEBRANCH": "refs/tags/v1.0.0",
				"SYSTEM_COLLECTIONURI": "https://dev.azure.com/acme/", "SYSTEM_TEAMPROJECT": "Our API", "BUILD_BUILDID": "7", "SYSTEM_JOBID": "0a",
				"ENVIRONMENT_NAME": "production", "BUILD_REPOSITORY_NAME": "api",
			},
			ci.Run{
				System: ci.Azure, Actor: "Aki", Commit: "abc", Tag: "v1.0.0", Pipeline: "https://dev.azure.com/acme/Our%20API/_build/results?buildId=7",
				Job: "https://dev.azure.com/acme/Our%20API/_build/results?buildId=7&view=logs&j=0a", Environment: "production", Project: "api",
			},
		},
		{"azure, a branch", map[string]string{"TF_BUILD": "True", "BUILD_SOURCEBRANCH": "refs/heads/main"}, ci.Run{System: ci.Azure, Branch: "main"}},
		{
			"drone",
			map[string]string{
				"CI": "true", "DRONE": "true", "DRONE_BUILD_TRIGGER": "aki", "DRONE_COMMIT_AUTHOR": "emi", "DRONE_COMMIT_SHA": "abc", "DRONE_TAG": "v1.0.0", "DRONE_BRANCH": "main",
				"DRONE_BUILD_LINK": "https://drone.example/acme/api/7", "DRONE_DEPLOY_TO": "production", "DRONE_REPO": "acme/api",
			},
			ci.Run{
				System: ci.Drone, Actor: "aki", Commit: "abc", Tag: "v1.0.0", Pipeline: "https://drone.example/acme/api/7", Environment: "production", Project: "acme/api",
			},
		},
		{
			"codebuild, by a webhook",
			map[string]string{
				"CODEBUILD_BUILD_ID": "api:0a-1b", "CODEBUILD_BUILD_ARN": "arn:aws:codebuild:eu-west-1:123456789012:build/api:0a-1b",
				"CODEBUILD_INITIATOR": "GitHub-Hookshot/1", "CODEBUILD_RESOLVED_SOURCE_VERSION": "abc", "CODEBUILD_WEBHOOK_TRIGGER": "tag/v1.0.0",
			},
			ci.Run{
				System: ci.CodeBuild, Actor: "GitHub-Hookshot/1", Commit: "abc", Tag: "v1.0.0", Project: "api",
				Pipeline: "https://eu-west-1.console.aws.amazon.com/codesuite/codebuild/123456789012/projects/api/build/api:0a-1b/",
			},
		},
		{
			"codebuild, by hand",
			map[string]string{"CODEBUILD_BUILD_ID": "api:0a", "CODEBUILD_SOURCE_VERSION": "refs/heads/main"},
			ci.Run{System: ci.CodeBuild, Branch: "main", Project: "api"},
		},
		{
			"jenkins, multibranch",
			map[string]string{
				"JENKINS_URL": "https://jenkins.example/", "BUILD_USER_ID": "aki", "GIT_COMMIT": "abc", "TAG_NAME": "v1.0.0", "BRANCH_NAME": "v1.0.0",
				"BUILD_URL": "https://jenkins.example/job/api/7/", "JOB_NAME": "acme/api",
			},
			ci.Run{
				System: ci.Jenkins, Actor: "aki", Commit: "abc", Tag: "v1.0.0", Pipeline: "https://jenkins.example/job/api/7/", Job: "https://jenkins.example/job/api/7/", Project: "acme/api",
			},
		},
		{"jenkins, the git plugin", map[string]string{"JENKINS_URL": "x", "GIT_BRANCH": "origin/main"}, ci.Run{System: ci.Jenkins, Branch: "main"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ci.Detect(func(name string) string { return tt.env[name] })
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDialect(t *testing.T) {
	for system, want := range map[ci.System]ci.Dialect{
		ci.GitLab: ci.GitLabDialect, ci.GitHub: ci.GitHubDialect, ci.CircleCI: ci.PlainDialect, ci.Other: ci.PlainDialect, "": ci.PlainDialect,
	} {
		if got := (ci.Run{System: system}).Dialect(); got != want {
			t.Errorf("%q speaks %s, want %s", system, got, want)
		}
	}
}
