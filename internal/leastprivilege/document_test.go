package leastprivilege_test

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/iam/policy"
	"github.com/plimsoll-ecs/plimsoll/internal/leastprivilege"
)

func TestPartitions(t *testing.T) {
	for region, want := range map[string]string{"eu-west-1": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov", "eusc-de-east-1": "aws-eusc"} {
		s := leastprivilege.Scope{Account: "123456789012", Region: region}
		if got := s.RoleARN("x"); got != "arn:"+want+":iam::123456789012:role/x" {
			t.Errorf("%s: %s", region, got)
		}
	}
}

func TestQueueARN(t *testing.T) {
	s := leastprivilege.Scope{Account: "123456789012", Region: "eu-west-1"}
	const arn = "arn:aws:sqs:eu-west-1:210987654321:retirements"
	for name, want := range map[string]string{
		"https://sqs.eu-west-1.amazonaws.com/210987654321/retirements":      arn,
		"https://sqs.us-east-1.amazonaws.com/210987654321/retirements.fifo": "arn:aws:sqs:us-east-1:210987654321:retirements.fifo",
		"http://127.0.0.1:4566/210987654321/retirements":                    arn,
		arn:           arn,
		"retirements": "", "https://sqs.eu-west-1.amazonaws.com/retirements": "", "arn:aws:sns:eu-west-1:210987654321:x": "",
		"https://sqs.eu-west-1.amazonaws.com/210987654321/*": "", "arn:aws:sqs:eu-west-1:210987654321:*": "", "": "",
	} {
		if got, ok := s.QueueARN(name); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v; want %q", name, got, ok, want)
		}
	}
}

func TestSubjects(t *testing.T) {
	good := map[leastprivilege.Subject]func() (leastprivilege.Subject, error){
		"project_path:a/b/c:ref_type:tag:ref:v*":    func() (leastprivilege.Subject, error) { return leastprivilege.GitLabTag("a/b/c", "v*") },
		"project_path:a/b:ref_type:branch:ref:main": func() (leastprivilege.Subject, error) { return leastprivilege.GitLabBranch("a/b", "main") },
		"repo:a/b:environment:production":           func() (leastprivilege.Subject, error) { return leastprivilege.GitHubEnvironment("a/b", "production") },
		"repo:a/b:environment:eu%3Aproduction": func() (leastprivilege.Subject, error) {
			return leastprivilege.GitHubEnvironment("a/b", "eu:production")
		},
		"repo:a/b:ref:refs/tags/v*":            func() (leastprivilege.Subject, error) { return leastprivilege.GitHubTag("a/b", "v*") },
		"repo:a/b:ref:refs/heads/release/next": func() (leastprivilege.Subject, error) { return leastprivilege.GitHubBranch("a/b", "release/next") },
	}
	for want, made := range good {
		if got, err := made(); err != nil || got != want {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
	for _, project := range []string{"", "web", "team/*", "team/", "team/web:x", "team/we b", "a/b\n"} {
		for _, made := range []func(string, string) (leastprivilege.Subject, error){leastprivilege.GitLabTag, leastprivilege.GitHubTag, leastprivilege.GitHubEnvironment} {
			var wrong *leastprivilege.SubjectError
			if got, err := made(project, "v1"); !errors.As(err, &wrong) {
				t.Errorf("project %q: %q, %v", project, got, err)
			}
		}
	}
	for _, ref := range []string{"", "*", "**", "?*", "a b", "a'b", "$x"} {
		if got, err := leastprivilege.GitLabTag("a/b", ref); err == nil {
			t.Errorf("ref %q: %q", ref, got)
		}
	}
}

// scopes are services of all kinds, with what they may lack.
func scopes(t *rapid.T) leastprivilege.Scope {
	in := leastprivilege.Scope{Account: "123456789012", Region: rapid.SampledFrom([]string{"eu-west-1", "cn-north-1"}).Draw(t, "region")}
	name := rapid.StringMatching(`[a-z][a-z0-9-]{0,12}`)
	for range rapid.IntRange(1, 4).Draw(t, "services") {
		s := leastprivilege.Service{Cluster: name.Draw(t, "cluster"), Name: name.Draw(t, "service"), Family: name.Draw(t, "family"), Balanced: rapid.Bool().Draw(t, "balanced"), Scaled: rapid.Bool().Draw(t, "scaled")}
		s.Repositories = []string{in.RepositoryARN("", "", name.Draw(t, "repository"))}
		s.Pulls = s.Repositories
		if rapid.Bool().Draw(t, "roles") {
			s.ExecutionRole, s.TaskRole = in.RoleARN(name.Draw(t, "execution")), in.RoleARN(name.Draw(t, "task"))
			s.LogGroups = []string{in.LogGroupARN("", "/ecs/"+name.Draw(t, "group"))}
			s.Parameters = []string{in.ParameterARN("/" + name.Draw(t, "parameter"))}
		}
		in.Services = append(in.Services, s)
	}
	return in
}

// Whatever the services: the policies are ones that IAM takes; nothing but what
// AWS knows no resource for is allowed on *; roles are passed to tasks alone.
func TestPoliciesOfAnyScope(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := scopes(t)
		everything := slices.DeleteFunc(leastprivilege.Features(), func(f leastprivilege.Feature) bool { return f.Account })
		d := leastprivilege.Policy(in, everything...)
		if _, err := policy.Parse(d.JSON(), policy.Identity); err != nil {
			t.Fatalf("%v\n%s", err, d.JSON())
		}
		for _, s := range d.Statement {
			star := slices.Contains(s.Resource, "*")
			if star && !slices.Contains([]string{"Anywhere", "Parameters", "Balancers"}, s.Sid) {
				t.Errorf("%s is allowed on *", s.Sid)
			}
			if slices.Contains(s.Action, "iam:PassRole") && (star || len(s.Action) != 1 || len(s.Condition) != 1 || s.Condition[0].Key != "iam:PassedToService") {
				t.Errorf("roles are passed too widely: %v", s)
			}
			for _, action := range s.Action {
				if strings.Contains(action, "*") {
					t.Errorf("%s is more than one action", action)
				}
			}
		}
		if len(d.Statement) == 0 {
			t.Error("nothing is allowed")
		}
	})
}

// Every form has the same roles, whose documents IAM takes.
func TestRender(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, issuer := scopes(t), leastprivilege.GitHub()
		subject, err := leastprivilege.GitHubEnvironment("team/web", "production")
		if err != nil {
			t.Fatal(err)
		}
		p := leastprivilege.Pipeline{Name: "ci", Issuer: &issuer, Existing: rapid.Bool().Draw(t, "existing"), Deploy: subject, Audit: subject}
		stacks := leastprivilege.Roles(in, p, leastprivilege.Usual())
		var names []string
		for _, s := range stacks {
			for _, r := range s.Roles {
				names = append(names, r.Name)
				if _, err := policy.Parse(r.Trust.JSON(), policy.Trust); err != nil {
					t.Errorf("%s: %v", r.Name, err)
				}
			}
		}
		for _, format := range []leastprivilege.Format{leastprivilege.AsJSON, leastprivilege.AsTerraform, leastprivilege.AsCloudFormation} {
			files, err := leastprivilege.Render(format, stacks)
			if err != nil {
				t.Fatal(err)
			}
			all := ""
			for _, f := range files {
				all += f.Name + "\n" + f.Text
				if strings.HasSuffix(f.Name, ".json") && !json.Valid([]byte(f.Text)) {
					t.Errorf("%s is no JSON", f.Name)
				}
			}
			for _, name := range names {
				if !strings.Contains(all, name) {
					t.Errorf("%s lacks role %s", format, name)
				}
			}
		}
	})
}

// A template has what CloudFormation's types ask for, refers to what is in it,
// and names things as it has to.
func TestCloudFormation(t *testing.T) {
	in := leastprivilege.Scope{Account: "123456789012", Region: "eu-west-1"}
	in.Services = []leastprivilege.Service{{Cluster: "prod", Name: "api", Family: "api", Pulls: []string{in.RepositoryARN("", "", "web")}, ExecutionRole: in.RoleARN("api-execution"), TaskRole: in.RoleARN("api-task")}}
	issuer := leastprivilege.GitLab("")
	subject, err := leastprivilege.GitLabTag("team/web", "v*")
	if err != nil {
		t.Fatal(err)
	}
	files, err := leastprivilege.Render(leastprivilege.AsCloudFormation, leastprivilege.Roles(in, leastprivilege.Pipeline{Name: "ci", Issuer: &issuer, Deploy: subject, Audit: subject}, leastprivilege.Usual()))
	if err != nil || len(files) != 2 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		var template struct {
			AWSTemplateFormatVersion string
			Resources                map[string]struct {
				Type, DependsOn string
				Properties      map[string]json.RawMessage
			}
			Outputs map[string]struct{ Value map[string][]string }
		}
		if err := json.Unmarshal([]byte(f.Text), &template); err != nil || template.AWSTemplateFormatVersion != "2010-09-09" {
			t.Fatalf("%s: %v", f.Name, err)
		}
		required := map[string][]string{"AWS::IAM::Role": {"AssumeRolePolicyDocument", "RoleName"}, "AWS::IAM::OIDCProvider": {"Url", "ClientIdList"}}
		for id, r := range template.Resources {
			if !regexp.MustCompile(`^[A-Za-z0-9]+$`).MatchString(id) || required[r.Type] == nil {
				t.Errorf("%s: %s of type %s", f.Name, id, r.Type)
			}
			for _, property := range required[r.Type] {
				if r.Properties[property] == nil {
					t.Errorf("%s: %s has no %s", f.Name, id, property)
				}
			}
			if _, there := template.Resources[r.DependsOn]; r.DependsOn != "" && !there {
				t.Errorf("%s: %s depends on %s, which is not there", f.Name, id, r.DependsOn)
			}
		}
		for id, o := range template.Outputs {
			if get := o.Value["Fn::GetAtt"]; len(get) != 2 || template.Resources[get[0]].Type != "AWS::IAM::Role" {
				t.Errorf("%s: output %s is %v", f.Name, id, o.Value)
			}
		}
	}
}
