// Package ci knows the CI system a command runs in: who started it, for which
// commit and tag, and where its log can be read. History is told from these.
package ci

import "cmp"

// Run is what the CI system says about this run. Everything is "" outside of
// a CI system, or where the system does not tell.
type Run struct {
	System      System
	Actor       string // who started it
	Commit      string // full commit id
	Tag         string // the git tag that the run is for
	Branch      string // the branch that it is for; of a merge request its source
	Pipeline    string // address of the run
	Job         string // address of the job, where it has one of its own
	Environment string // what the CI system calls the place that the job deploys to
	Project     string // the repository, as the system names it: "acme/api"
}

// System is a CI system.
type System string

// The systems that are known.
const (
	GitLab    System = "gitlab"
	GitHub    System = "github"
	CircleCI  System = "circleci"
	Bitbucket System = "bitbucket"
	Buildkite System = "buildkite"
	Azure     System = "azure"
	Drone     System = "drone"
	CodeBuild System = "codebuild"
	Jenkins   System = "jenkins"
	Other     System = "other" // one that sets CI and is none of these
)

// Detect reads the variables that CI systems set; each is one that the
// system's documentation names. getenv is os.Getenv or a stand-in.
func Detect(getenv func(string) string) Run {
	for _, s := range systems() {
		if getenv(s.variable) != "" {
			run := s.read(getenv)
			run.System = s.name
			return run
		}
	}
	// CI_COMMIT_TAG alone is what the article's script goes by.
	run := Run{Actor: cmp.Or(getenv("USER"), getenv("LOGNAME")), Commit: getenv("CI_COMMIT_SHA"), Tag: getenv("CI_COMMIT_TAG")}
	if given := getenv("CI"); given != "" && given != "false" {
		run.System = Other
	}
	return run
}

// Dialect is what a job's log and files are written in.
type Dialect string

// The dialects. Plain has nothing of its own: lines, as in any pipe.
const (
	PlainDialect  Dialect = "none"
	GitLabDialect Dialect = "gitlab"
	GitHubDialect Dialect = "github"
)

// Dialects are all that can be asked for by name.
func Dialects() []string {
	return []string{string(GitLabDialect), string(GitHubDialect), string(PlainDialect)}
}

// Dialect is what the system understands.
func (r Run) Dialect() Dialect {
	switch r.System {
	case GitLab:
		return GitLabDialect
	case GitHub:
		return GitHubDialect
	}
	return PlainDialect
}
