package deploy

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// fargate is a template that uses everything there is to look at.
const fargate = `{"family":"web","requiresCompatibilities":["FARGATE"],
 "executionRoleArn":"arn:aws:iam::` + account + `:role/web-execution","taskRoleArn":"arn:aws:iam::` + account + `:role/app/web-task",
 "containerDefinitions":[{"name":"web","image":"` + repo + `:v1.0.0","environment":[{"name":"MODE","value":"x"}],
 "secrets":[{"name":"DB","valueFrom":"arn:aws:secretsmanager:eu-west-1:` + account + `:secret:db-AbCdEf:password::"},
  {"name":"TOKEN","valueFrom":"arn:aws:ssm:eu-west-1:` + account + `:parameter/web/token"}],
 "logConfiguration":{"logDriver":"awslogs","options":{"awslogs-group":"/web"}}}]}`

// furnished is a harbour with all that fargate needs.
func furnished() *harbour {
	h := newHarbour()
	h.deployments[0].td = h.define(fargate)
	h.around.trust["web-task"] = h.around.trust["web-execution"]
	h.around.secrets = map[string]Secret{"arn:aws:secretsmanager:eu-west-1:" + account + ":secret:db-AbCdEf": {Versions: map[string][]string{"1": {"AWSCURRENT"}}}}
	h.around.secretKeys = map[string][]string{"arn:aws:secretsmanager:eu-west-1:" + account + ":secret:db-AbCdEf": {"password", "user"}}
	h.around.parameters = []string{"/web/token"}
	h.set = func(s *Service) { s.TargetGroups = []string{"arn:tg"} }
	return h
}

func TestChecks(t *testing.T) {
	three := 3
	only := func(name string) map[string]Secret {
		return map[string]Secret{"arn:aws:secretsmanager:eu-west-1:" + account + ":secret:db-AbCdEf": map[string]Secret{
			"deleted": {Deleted: time.Unix(1, 0)}, "empty": {}, "previous": {Versions: map[string][]string{"1": {"AWSPREVIOUS"}}},
		}[name]}
	}
	for _, tc := range []struct {
		name    string
		harbour func(*harbour)
		request func(*Request)
		state   story.CheckState
		want    string // check: why
		code    int
	}{
		{"all is well", nil, nil, story.CheckOK, "platform: web:v1.1.0 runs on linux/amd64", 0},
		{"wrong architecture", func(h *harbour) { h.around.platforms = []string{"linux/arm64"} }, nil, story.CheckFail, "platform: web:v1.1.0 is for linux/arm64, the task runs on linux/amd64", 3},
		{"wrong system", func(h *harbour) { h.around.platforms = []string{"windows/amd64"} }, nil, story.CheckFail, "platform: web:v1.1.0 is for windows/amd64", 3},
		{"one of an index", func(h *harbour) { h.around.platforms = []string{"linux/arm64/v8", "linux/amd64"} }, nil, story.CheckOK, "platform: ", 0},
		{"no platform", func(h *harbour) { h.around.platforms = nil }, nil, story.CheckSkipped, "platform: ", 0},
		{"secret gone", func(h *harbour) { h.around.secrets = nil }, nil, story.CheckFail, "secrets: there is no secret db-AbCdEf", 3},
		{"secret deleted", func(h *harbour) { h.around.secrets = only("deleted") }, nil, story.CheckFail, "secrets: secret db-AbCdEf is scheduled for deletion", 3},
		{"secret without value", func(h *harbour) { h.around.secrets = only("empty") }, nil, story.CheckFail, "secrets: secret db-AbCdEf has no value yet", 3},
		{"secret without current value", func(h *harbour) { h.around.secrets = only("previous") }, nil, story.CheckFail, "secrets: secret db-AbCdEf has no version AWSCURRENT", 3},
		{"keys are not asked for", func(h *harbour) { h.around.secretKeys = nil }, nil, story.CheckOK, "secrets: 1 secret is there", 0},
		{"keys are asked for", func(h *harbour) {
			for arn := range h.around.secretKeys {
				h.around.secretKeys[arn] = []string{"user"}
			}
		}, func(r *Request) { r.CheckSecretKeys = true }, story.CheckFail, "secrets: secret db-AbCdEf has no key password", 3},
		{"parameter gone", func(h *harbour) { h.around.parameters = nil }, nil, story.CheckFail, "parameters: there is no parameter /web/token", 3},
		{"log group gone", func(h *harbour) { h.around.noLogGroup = true }, nil, story.CheckFail, "logs: there is no log group /web", 3},
		{"role gone", func(h *harbour) { delete(h.around.trust, "web-task") }, nil, story.CheckWarn, "roles: there is no task role web-task", 0},
		{"role for others", func(h *harbour) {
			h.around.trust["web-task"] = `{"Statement":{"Effect":"Allow","Principal":{"Service":["ec2.amazonaws.com"]},"Action":"sts:AssumeRole"}}`
		}, nil, story.CheckFail, "roles: the task role web-task cannot be assumed by ECS tasks", 3},
		{"target group gone", func(h *harbour) { h.around.noTarget = true }, nil, story.CheckFail, "load balancer: there is no target group arn:tg", 3},
		{"outside of autoscaling", func(h *harbour) { h.scaling = &Scaling{Min: 1, Max: 2} }, func(r *Request) { r.Desired = &three }, story.CheckWarn, "autoscaling: 3 tasks is outside of the 1 to 2", 0},
		{"strict", func(h *harbour) { h.scaling = &Scaling{Min: 1, Max: 2} }, func(r *Request) { r.Desired, r.Strict = &three, true }, story.CheckWarn, "autoscaling: ", 3},
		{"no breaker", func(h *harbour) { h.set = func(s *Service) { s.Breaker = false } }, nil, story.CheckWarn, "circuit breaker: it is off", 0},
		{"stuck", func(h *harbour) { h.set = func(s *Service) { s.MaximumPercent = 100 } }, nil, story.CheckFail, "capacity: this deployment could never move", 3},
		{"mutable", func(h *harbour) { h.around.repository.Mutability = "MUTABLE" }, nil, story.CheckWarn, "repository: tag v1.1.0 of web can be overwritten", 0},
		{"mutable but for releases", func(h *harbour) { h.around.repository = Repository{"MUTABLE_WITH_EXCLUSION", []string{"v*"}} }, nil, story.CheckOK, "repository: ", 0},
		{"nothing to go back to", func(h *harbour) {
			delete(h.images, repo+":v1.0.0")
			h.set = func(s *Service) { s.Running, s.Deployments[0].RolloutState = 2, "COMPLETED" }
		}, nil, story.CheckWarn, "rollback target: web:2 needs web:v1.0.0, which ECR no longer has", 0},
		{"back by the digest of a tag that moved", func(h *harbour) {
			h.fixed = map[string]string{"v1.0.0": digestOf("c")}
			h.images[repo+":keep"] = digestOf("c")
		}, nil, story.CheckOK, "rollback target: web:2, by the digest it ran: web:v1.0.0 no longer stands for it", 0},
		{"back by the digest of a tag that is gone", func(h *harbour) {
			h.fixed = map[string]string{"v1.0.0": digestOf("c")}
			h.images[repo+":keep"] = digestOf("c")
			delete(h.images, repo+":v1.0.0")
			h.set = func(s *Service) { s.Running, s.Deployments[0].RolloutState = 2, "COMPLETED" }
		}, nil, story.CheckOK, "rollback target: web:2, by the digest it ran", 0},
		{"the digest to go back to is gone", func(h *harbour) {
			h.fixed = map[string]string{"v1.0.0": digestOf("c")}
			delete(h.images, repo+":v1.0.0")
			h.set = func(s *Service) { s.Running, s.Deployments[0].RolloutState = 2, "COMPLETED" }
		}, nil, story.CheckWarn, "rollback target: web:2 needs web:v1.0.0 (sha256:cccccccccccc), which ECR no longer has", 0},
		{"a tag that is gone, without records to go back by", func(h *harbour) {
			h.records = false
			h.fixed = map[string]string{"v1.0.0": digestOf("c")}
			h.images[repo+":keep"] = digestOf("c")
			delete(h.images, repo+":v1.0.0")
			h.set = func(s *Service) { s.Running, s.Deployments[0].RolloutState = 2, "COMPLETED" }
		}, nil, story.CheckWarn, "rollback target: web:2 needs web:v1.0.0, which ECR no longer has", 0},
		{"no permission", func(h *harbour) { h.fail["Secret"], h.fail["TrustPolicy"] = Denied, Denied }, nil, story.CheckSkipped, "secrets: no permission to look", 0},
		{"AWS is ill", func(h *harbour) { h.fail["Scaling"] = fmt.Errorf("500"); h.scaling = &Scaling{} }, nil, story.CheckSkipped, "autoscaling: 500", 0},
		{"CodeDeploy", func(h *harbour) { h.set = func(s *Service) { s.Controller = "CODE_DEPLOY" } }, nil, story.CheckFail, "controller: service web is deployed by CODE_DEPLOY", 3},
		{"what runs", nil, func(r *Request) { r.Image = image.Reference{} }, story.CheckOK, "image: " + repo + ":v1.0.0 is sha256:", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, r := furnished(), request("v1.1.0")
				if tc.harbour != nil {
					tc.harbour(h)
				}
				if tc.request != nil {
					tc.request(&r)
				}
				report, err := Inspect(t.Context(), ports(t, h), r)
				if err != nil {
					t.Fatal(err)
				}
				name, why, _ := strings.Cut(tc.want, ": ")
				found := false
				for _, c := range report.Checks {
					found = found || c.Name == name && c.State == tc.state && strings.HasPrefix(c.Why, why)
					if c.State == story.CheckFail && tc.state != story.CheckFail {
						t.Errorf("%+v", c)
					}
				}
				if !found || report.ExitCode != tc.code {
					t.Errorf("exit %d, want %d; no %s %q in\n%+v", report.ExitCode, tc.code, tc.state, tc.want, report.Checks)
				}
				if got := h.changes(); got != "" {
					t.Errorf("changed: %s", got)
				}
			})
		})
	}
}

func TestMovement(t *testing.T) {
	for _, tc := range []struct {
		desired, most, least int
		stuck                bool
	}{
		{1, 200, 100, false}, {1, 100, 0, false}, {1, 100, 50, true}, {1, 100, 100, true}, {2, 150, 50, false},
		{3, 125, 100, true}, {4, 100, 100, true}, {4, 100, 75, false}, {10, 120, 90, false}, {0, 100, 100, false},
	} {
		s := Service{Strategy: "ROLLING", MaximumPercent: tc.most, MinimumPercent: tc.least}
		s.Running = tc.desired
		checks := checkMovement(s, tc.desired)
		if got := refusal(checks, false) != nil; got != tc.stuck {
			t.Errorf("%d x %d/%d: %v", tc.desired, tc.most, tc.least, checks)
		}
		if s.Running = 0; refusal(checkMovement(s, tc.desired), false) != nil {
			t.Errorf("%d x %d/%d: nothing runs, so nothing is in the way", tc.desired, tc.most, tc.least)
		}
	}
}

func TestLifecycleOfWhatIsDeployed(t *testing.T) {
	policy, err := lifecycle.ParsePolicy([]byte(`{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":2},"action":{"type":"expire"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	stock := Stock{At: now}
	for i, letter := range []string{"a", "b", "c"} { // c is the newest
		stock.Images = append(stock.Images, lifecycle.Image{Digest: digestOf(letter), Tags: []string{"v1.0." + fmt.Sprint(i)}, PushedAt: now.Add(time.Duration(i-9) * time.Hour)})
	}
	ref := image.Reference{Registry: host, Repository: "web", Tag: "v1.0.0"}
	for _, tc := range []struct {
		deploying, running string
		state              story.CheckState
		why                string
	}{
		{"a", "c", story.CheckFail, "rule 1 of web deletes web:v1.0.0 at its next run"},
		{"c", "a", story.CheckWarn, "rule 1 of web deletes what runs now"},
		{"c", "b", story.CheckOK, "the policy of web keeps web:v1.0.0 for 2 further images"},
	} {
		checks := judgeStock(policy, stock, ref, digestOf(tc.deploying), digestOf(tc.running))
		if len(checks) != 1 || checks[0].State != tc.state || !strings.HasPrefix(checks[0].Why, tc.why) {
			t.Errorf("deploying %s while %s runs: %+v", tc.deploying, tc.running, checks)
		}
	}
}

func TestWaitForCurrent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, r := newHarbour(), request("v1.1.0")
		h.deployments[0].began = time.Now()
		r.WaitFor = true
		if v, err := Deploy(t.Context(), ports(t, h), r, (&log{}).tell); err != nil || v.Outcome != Stable {
			t.Errorf("%+v, %v", v, err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		h, r := newHarbour(), request("v1.1.0")
		h.deployments[0].began = time.Now()
		r.WaitFor, r.Timeout = true, 10*time.Second
		v, err := Deploy(t.Context(), ports(t, h), r, (&log{}).tell)
		if ExitCode(err, v) != 3 || !strings.Contains(err.Error(), "still under way after 10s") || h.changes() != "" {
			t.Errorf("%+v, %v, %s", v, err, h.changes())
		}
	})
}

func TestParameterNames(t *testing.T) {
	for valueFrom, want := range map[string]string{
		"/prod/token": " [/prod/token]",
		"token":       " [token]",
		"arn:aws:ssm:eu-west-1:" + account + ":parameter/prod/token": "eu-west-1 [/prod/token]",
		"arn:aws:ssm:eu-west-1:" + account + ":parameter/token":      "eu-west-1 [token /token]",
		"arn:aws:ssm:eu-west-1:999999999999:parameter/token":         " []",
		"arn:aws:s3:::bucket": " []",
	} {
		if region, names := parameterNames(valueFrom, account); fmt.Sprint(region, " ", names) != want {
			t.Errorf("%s: %s %v", valueFrom, region, names)
		}
	}
}

func TestCallerIsARole(t *testing.T) {
	const ci = "arn:aws:sts::" + account + ":assumed-role/ci/job-1"
	if !isRoleOf(ci, "arn:aws:iam::"+account+":role/teams/ci") || isRoleOf(ci, "arn:aws:iam::"+account+":role/ci2") ||
		isRoleOf(ci, "arn:aws:iam::999999999999:role/ci") || isRoleOf("arn:aws:iam::"+account+":user/ci", "arn:aws:iam::"+account+":role/ci") {
		t.Error("the session is of role ci, and of no other")
	}
}

// A network without a way to an endpoint must not hold a deploy up.
func TestALookThatHangsIsSkipped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := func(ctx context.Context) []story.Check {
			<-ctx.Done()
			return []story.Check{unseen("roles", ctx.Err())}
		}
		began := time.Now()
		checks := lookAll(t.Context(), hang, hang)
		if len(checks) != 2 || checks[0].State != story.CheckSkipped || time.Since(began) > lookTimeout {
			t.Errorf("%v after %s", checks, time.Since(began))
		}
	})
}
