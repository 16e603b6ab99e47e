package leastprivilege

import (
	"fmt"
	"regexp"
	"strings"
)

// Issuer is an OpenID Connect provider whose tokens a role is taken with.
type Issuer struct {
	URL      string // https://gitlab.com
	Audience string // what its tokens are for
}

// name is the issuer as ARNs and condition keys have it.
func (i Issuer) name() string {
	return strings.TrimSuffix(strings.TrimPrefix(i.URL, "https://"), "/")
}

// GitHub is the issuer of GitHub Actions. (GitHub docs, "Configuring OpenID
// Connect in Amazon Web Services".)
func GitHub() Issuer {
	return Issuer{"https://token.actions.githubusercontent.com", "sts.amazonaws.com"}
}

// GitLab is the issuer of a GitLab; "" is gitlab.com. The audience is what
// id_tokens of the pipeline ask for.
func GitLab(url string) Issuer {
	if url == "" {
		url = "https://gitlab.com"
	}
	url = strings.TrimSuffix(url, "/")
	return Issuer{url, url}
}

// Subject is whose tokens are trusted, as the sub claim has it. A star in it
// stands for any characters.
type Subject string

// SubjectError is what cannot be a project, a ref or an environment.
type SubjectError struct{ What, Text, Want string }

func (e *SubjectError) Error() string { return fmt.Sprintf("%s %q: want %s", e.What, e.Text, e.Want) }

// Hint says why that matters.
func (e *SubjectError) Hint() string {
	return "what the trust policy leaves open, anybody may use to take the role"
}

// GitLabTag is the jobs of tags of a project, GitLabBranch those of a branch.
// (GitLab docs, "ID token authentication": sub is
// project_path:GROUP/PROJECT:ref_type:TYPE:ref:NAME.)
func GitLabTag(project, tag string) (Subject, error) { return gitLab(project, "tag", tag) }

// GitLabBranch is the jobs of a branch of a project.
func GitLabBranch(project, branch string) (Subject, error) { return gitLab(project, "branch", branch) }

func gitLab(project, kind, ref string) (Subject, error) {
	if !regexp.MustCompile(`^[\w.-]+(/[\w.-]+)+$`).MatchString(project) {
		return "", &SubjectError{"GitLab project", project, "GROUP/PROJECT, without * and ?"}
	}
	if err := checkRef(ref); err != nil {
		return "", err
	}
	return Subject("project_path:" + project + ":ref_type:" + kind + ":ref:" + ref), nil
}

// GitHubEnvironment is the jobs of a repository in an environment. (GitHub docs,
// "OpenID Connect reference", "Example subject claims".)
func GitHubEnvironment(repository, environment string) (Subject, error) {
	if err := checkGitHub(repository); err != nil {
		return "", err
	}
	// In the claim a colon of the name is written %3A.
	if environment == "" || strings.ContainsAny(environment, "*?\n\"'") {
		return "", &SubjectError{"environment", environment, "its name, without * and ?"}
	}
	return Subject("repo:" + repository + ":environment:" + strings.ReplaceAll(environment, ":", "%3A")), nil
}

// GitHubTag is the jobs of tags of a repository that are in no environment.
func GitHubTag(repository, tag string) (Subject, error) { return gitHub(repository, "tags", tag) }

// GitHubBranch is the jobs of a branch of a repository that are in no
// environment.
func GitHubBranch(repository, branch string) (Subject, error) {
	return gitHub(repository, "heads", branch)
}

func gitHub(repository, kind, ref string) (Subject, error) {
	if err := checkGitHub(repository); err != nil {
		return "", err
	}
	if err := checkRef(ref); err != nil {
		return "", err
	}
	return Subject("repo:" + repository + ":ref:refs/" + kind + "/" + ref), nil
}

func checkGitHub(repository string) error {
	if !regexp.MustCompile(`^[\w.-]+/[\w.-]+$`).MatchString(repository) {
		return &SubjectError{"GitHub repository", repository, "OWNER/REPOSITORY, without * and ?"}
	}
	return nil
}

// checkRef refuses a ref that would trust every ref, or that is none.
func checkRef(ref string) error {
	if strings.Trim(ref, "*?") == "" || strings.ContainsAny(ref, " ~^:\\[\n\"'$") {
		return &SubjectError{"ref", ref, "a name such as main, or a pattern such as v*"}
	}
	return nil
}

// TrustTokens lets tokens of an issuer take a role: those for its audience and
// of the subject.
func TrustTokens(in Scope, i Issuer, s Subject) Document {
	operator := "StringEquals"
	if strings.ContainsAny(string(s), "*?") {
		operator = "StringLike"
	}
	return Document{policyVersion, []Statement{{
		Effect: "Allow", Principal: &Principal{Federated: i.arn(in)}, Action: []string{"sts:AssumeRoleWithWebIdentity"},
		Condition: Conditions{{"StringEquals", i.name() + ":aud", []string{i.Audience}}, {operator, i.name() + ":sub", []string{string(s)}}},
	}}}
}

func (i Issuer) arn(in Scope) string { return in.global("oidc-provider/" + i.name()) }

// TrustTasks lets ECS take a role for tasks of the account and region. The
// conditions are AWS's against a confused deputy. (ECS developer guide, "Amazon
// ECS task IAM role".)
func TrustTasks(in Scope) Document {
	return Document{policyVersion, []Statement{{
		Effect: "Allow", Principal: &Principal{Service: tasksService}, Action: []string{"sts:AssumeRole"},
		Condition: Conditions{{"StringEquals", "aws:SourceAccount", []string{in.Account}}, {"ArnLike", "aws:SourceArn", []string{in.arn("ecs", "*")}}},
	}}}
}
