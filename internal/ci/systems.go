package ci

import (
	"cmp"
	"net/url"
	"strings"
)

// system is a CI system: the variable that only it sets, and how to read the
// others.
type system struct {
	name     System
	variable string
	read     func(getenv func(string) string) Run
}

// systems are asked in this order. GitHub's runner can itself be a build of
// CodeBuild, and any of them may run on a machine of Jenkins, whose variables
// are then still there: these two come last.
func systems() []system {
	return []system{
		{GitLab, "GITLAB_CI", gitLab},
		{GitHub, "GITHUB_ACTIONS", gitHub},
		{CircleCI, "CIRCLECI", circleCI},
		{Bitbucket, "BITBUCKET_BUILD_NUMBER", bitbucket},
		{Buildkite, "BUILDKITE", buildkite},
		{Azure, "TF_BUILD", azure},
		{Drone, "DRONE", drone},
		{CodeBuild, "CODEBUILD_BUILD_ID", codeBuild},
		{Jenkins, "JENKINS_URL", jenkins},
	}
}

// https://docs.gitlab.com/ci/variables/predefined_variables/
func gitLab(getenv func(string) string) Run {
	return Run{
		Actor: getenv("GITLAB_USER_LOGIN"), Commit: getenv("CI_COMMIT_SHA"), Tag: getenv("CI_COMMIT_TAG"),
		Branch:   cmp.Or(getenv("CI_COMMIT_BRANCH"), getenv("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME")),
		Pipeline: getenv("CI_PIPELINE_URL"), Job: getenv("CI_JOB_URL"),
		Environment: getenv("CI_ENVIRONMENT_NAME"), Project: getenv("CI_PROJECT_PATH"),
	}
}

// https://docs.github.com/en/actions/reference/workflows-and-actions/variables
// There is no variable for the address of a job, nor for the environment.
func gitHub(getenv func(string) string) Run {
	r := Run{
		// When somebody runs a workflow again, GITHUB_ACTOR is still the first one.
		Actor:  cmp.Or(getenv("GITHUB_TRIGGERING_ACTOR"), getenv("GITHUB_ACTOR")),
		Commit: getenv("GITHUB_SHA"), Project: getenv("GITHUB_REPOSITORY"),
	}
	switch getenv("GITHUB_REF_TYPE") {
	case "tag":
		r.Tag = getenv("GITHUB_REF_NAME")
	case "branch":
		r.Branch = cmp.Or(getenv("GITHUB_HEAD_REF"), getenv("GITHUB_REF_NAME"))
	}
	if id := getenv("GITHUB_RUN_ID"); id != "" {
		r.Pipeline = getenv("GITHUB_SERVER_URL") + "/" + r.Project + "/actions/runs/" + id
	}
	return r
}

// https://circleci.com/docs/reference/variables/
func circleCI(getenv func(string) string) Run {
	return Run{
		Actor: getenv("CIRCLE_USERNAME"), Commit: getenv("CIRCLE_SHA1"), Tag: getenv("CIRCLE_TAG"), Branch: getenv("CIRCLE_BRANCH"),
		Pipeline: getenv("CIRCLE_BUILD_URL"), Job: getenv("CIRCLE_BUILD_URL"),
		Project: joined(getenv("CIRCLE_PROJECT_USERNAME"), getenv("CIRCLE_PROJECT_REPONAME")),
	}
}

// https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/
// A person is known by an id only.
func bitbucket(getenv func(string) string) Run {
	r := Run{
		Actor: getenv("BITBUCKET_STEP_TRIGGERER_UUID"), Commit: getenv("BITBUCKET_COMMIT"), Tag: getenv("BITBUCKET_TAG"), Branch: getenv("BITBUCKET_BRANCH"),
		Environment: getenv("BITBUCKET_DEPLOYMENT_ENVIRONMENT"), Project: getenv("BITBUCKET_REPO_FULL_NAME"),
	}
	if r.Project != "" {
		r.Pipeline = "https://bitbucket.org/" + r.Project + "/pipelines/results/" + getenv("BITBUCKET_BUILD_NUMBER")
	}
	return r
}

// https://buildkite.com/docs/pipelines/configure/environment-variables
func buildkite(getenv func(string) string) Run {
	r := Run{
		Actor: getenv("BUILDKITE_BUILD_CREATOR"), Commit: getenv("BUILDKITE_COMMIT"), Tag: getenv("BUILDKITE_TAG"), Branch: getenv("BUILDKITE_BRANCH"),
		Pipeline: getenv("BUILDKITE_BUILD_URL"),
		Project:  joined(getenv("BUILDKITE_ORGANIZATION_SLUG"), getenv("BUILDKITE_PIPELINE_SLUG")),
	}
	if r.Commit == "HEAD" { // of a build that was started by hand, until the checkout
		r.Commit = ""
	}
	if r.Tag != "" { // then it is the branch's name too
		r.Branch = ""
	}
	if id := getenv("BUILDKITE_JOB_ID"); id != "" && r.Pipeline != "" {
		r.Job = r.Pipeline + "#" + id
	}
	return r
}

// https://learn.microsoft.com/en-us/azure/devops/pipelines/build/variables
func azure(getenv func(string) string) Run {
	r := Run{
		Actor: getenv("BUILD_REQUESTEDFOR"), Commit: getenv("BUILD_SOURCEVERSION"),
		Environment: getenv("ENVIRONMENT_NAME"), Project: getenv("BUILD_REPOSITORY_NAME"),
	}
	r.Tag, r.Branch = ref(cmp.Or(getenv("SYSTEM_PULLREQUEST_SOURCEBRANCH"), getenv("BUILD_SOURCEBRANCH")))
	collection, project, id := getenv("SYSTEM_COLLECTIONURI"), getenv("SYSTEM_TEAMPROJECT"), getenv("BUILD_BUILDID")
	if collection != "" && project != "" && id != "" {
		r.Pipeline = strings.TrimSuffix(collection, "/") + "/" + url.PathEscape(project) + "/_build/results?buildId=" + url.QueryEscape(id)
		if job := getenv("SYSTEM_JOBID"); job != "" {
			r.Job = r.Pipeline + "&view=logs&j=" + url.QueryEscape(job)
		}
	}
	return r
}

// https://docs.drone.io/pipeline/environment/reference/
func drone(getenv func(string) string) Run {
	r := Run{
		Actor: cmp.Or(getenv("DRONE_BUILD_TRIGGER"), getenv("DRONE_COMMIT_AUTHOR")), Commit: getenv("DRONE_COMMIT_SHA"), Tag: getenv("DRONE_TAG"),
		Branch:   cmp.Or(getenv("DRONE_SOURCE_BRANCH"), getenv("DRONE_BRANCH")),
		Pipeline: getenv("DRONE_BUILD_LINK"), Environment: getenv("DRONE_DEPLOY_TO"), Project: getenv("DRONE_REPO"),
	}
	if r.Tag != "" {
		r.Branch = ""
	}
	return r
}

// https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
func codeBuild(getenv func(string) string) Run {
	r := Run{Actor: getenv("CODEBUILD_INITIATOR"), Commit: getenv("CODEBUILD_RESOLVED_SOURCE_VERSION")}
	// "branch/name", "tag/name" or "pr/number", of a build that a webhook started.
	switch kind, name, _ := strings.Cut(getenv("CODEBUILD_WEBHOOK_TRIGGER"), "/"); kind {
	case "tag":
		r.Tag = name
	case "branch":
		r.Branch = name
	default:
		r.Tag, r.Branch = ref(cmp.Or(getenv("CODEBUILD_WEBHOOK_HEAD_REF"), getenv("CODEBUILD_SOURCE_VERSION")))
	}
	// arn:aws:codebuild:REGION:ACCOUNT:build/PROJECT:ID
	r.Project, _, _ = strings.Cut(getenv("CODEBUILD_BUILD_ID"), ":")
	if arn := strings.SplitN(getenv("CODEBUILD_BUILD_ARN"), ":", 6); len(arn) == 6 && arn[1] == "aws" {
		r.Pipeline = "https://" + arn[3] + ".console.aws.amazon.com/codesuite/codebuild/" + arn[4] + "/projects/" + r.Project +
			"/build/" + strings.TrimPrefix(arn[5], "build/") + "/"
	}
	return r
}

// https://www.jenkins.io/doc/book/pipeline/jenkinsfile/#using-environment-variables
// Tag and branch are told by multibranch projects and by the git plugin; who
// started it by the plugin "build user vars", or of a change by its author.
func jenkins(getenv func(string) string) Run {
	r := Run{
		Actor: cmp.Or(getenv("BUILD_USER_ID"), getenv("CHANGE_AUTHOR")), Commit: getenv("GIT_COMMIT"), Tag: getenv("TAG_NAME"),
		Pipeline: getenv("BUILD_URL"), Job: getenv("BUILD_URL"), Project: getenv("JOB_NAME"),
	}
	if r.Tag == "" {
		r.Branch = cmp.Or(getenv("CHANGE_BRANCH"), getenv("BRANCH_NAME"), strings.TrimPrefix(getenv("GIT_BRANCH"), "origin/"))
	}
	return r
}

// ref is the tag or the branch that a full name such as refs/tags/v1.0.0 means.
func ref(name string) (tag, branch string) {
	if rest, ok := strings.CutPrefix(name, "refs/tags/"); ok {
		return rest, ""
	}
	if rest, ok := strings.CutPrefix(name, "refs/heads/"); ok {
		return "", rest
	}
	return "", ""
}

// joined is "owner/name", or nothing where either is not told.
func joined(owner, name string) string {
	if owner == "" || name == "" {
		return ""
	}
	return owner + "/" + name
}
