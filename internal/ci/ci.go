// Package ci knows the CI system a command runs in: who started it, for which
// commit and tag, and where its log can be read. History is told from these.
package ci

import "cmp"

// Run is what the CI system says about this run. Everything is "" outside of
// a CI system, or where the system does not tell.
type Run struct {
	System   string // "gitlab", "github", …
	Actor    string // who started it
	Commit   string // full commit id
	Tag      string // the git tag that the run is for
	Pipeline string // address of the run
}

// Detect reads the variables that CI systems set. getenv is os.Getenv or a
// stand-in.
func Detect(getenv func(string) string) Run {
	switch {
	case getenv("GITLAB_CI") != "":
		return Run{
			System: "gitlab", Actor: getenv("GITLAB_USER_LOGIN"), Commit: getenv("CI_COMMIT_SHA"),
			Tag: getenv("CI_COMMIT_TAG"), Pipeline: getenv("CI_PIPELINE_URL"),
		}
	case getenv("GITHUB_ACTIONS") != "":
		r := Run{System: "github", Actor: getenv("GITHUB_ACTOR"), Commit: getenv("GITHUB_SHA")}
		if getenv("GITHUB_REF_TYPE") == "tag" {
			r.Tag = getenv("GITHUB_REF_NAME")
		}
		if id := getenv("GITHUB_RUN_ID"); id != "" {
			r.Pipeline = getenv("GITHUB_SERVER_URL") + "/" + getenv("GITHUB_REPOSITORY") + "/actions/runs/" + id
		}
		return r
	}
	// CI_COMMIT_TAG alone is what the article's script goes by.
	return Run{Actor: cmp.Or(getenv("USER"), getenv("LOGNAME")), Commit: getenv("CI_COMMIT_SHA"), Tag: getenv("CI_COMMIT_TAG")}
}
