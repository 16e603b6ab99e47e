package access

import (
	"slices"
	"strings"
	"testing"
)

// quay is a world with one definition and one role.
type quay struct{}

func (quay) TaskDefinition(id string) (string, []string) {
	if id != "web" && id != "web:3" {
		return "", nil
	}
	return "arn:aws:ecs:r:1:task-definition/web:3", []string{"arn:aws:iam::1:role/task", "arn:aws:iam::1:role/execution"}
}

func (quay) Tags(arn string) map[string]string {
	if arn == "arn:aws:ecs:r:1:service/prod/api" {
		return map[string]string{"team": "harbour"}
	}
	return nil
}

func (quay) RoleARN(name string) string {
	if name == "ci" {
		return "arn:aws:iam::1:role/ops/ci"
	}
	return ""
}

func (quay) UserARN(string) string { return "" }

// told is needs as lines: action, and the names of the resource.
func told(needs []Need) string {
	var lines []string
	for _, n := range needs {
		lines = append(lines, n.Action+" "+strings.ReplaceAll(strings.Join(n.Resources, "|"), ":r:1:", "::"))
	}
	return strings.Join(lines, "\n")
}

func TestNeeds(t *testing.T) {
	for call, want := range map[string]string{
		`ecs:UpdateService {"cluster":"prod","service":"api","desiredCount":1}`:                               "ecs:UpdateService arn:aws:ecs::service/prod/api",
		`ecs:UpdateService {"cluster":"arn:aws:ecs:r:1:cluster/prod","service":"api","taskDefinition":"web"}`: "ecs:UpdateService arn:aws:ecs::service/prod/api\niam:PassRole arn:aws:iam::1:role/task\niam:PassRole arn:aws:iam::1:role/execution",
		`ecs:DescribeServices {"services":["a","arn:aws:ecs:r:1:service/default/b"]}`:                         "ecs:DescribeServices arn:aws:ecs::service/default/a\necs:DescribeServices arn:aws:ecs::service/default/b",
		`ecs:DescribeServices {}`: "ecs:DescribeServices *",
		`ecs:CreateService {"serviceName":"api","taskDefinition":"gone","tags":[{"key":"a","value":"b"}]}`:   "ecs:CreateService arn:aws:ecs::service/default/api\necs:TagResource arn:aws:ecs::service/default/api",
		`ecs:RegisterTaskDefinition {"family":"web","taskRoleArn":"t","executionRoleArn":"t"}`:               "ecs:RegisterTaskDefinition arn:aws:ecs::task-definition/web:*\niam:PassRole arn:aws:iam::1:role/t",
		`ecs:RunTask {"taskDefinition":"web","overrides":{"taskRoleArn":"arn:aws:iam::1:role/x"}}`:           "ecs:RunTask arn:aws:ecs::task-definition/web:3\niam:PassRole arn:aws:iam::1:role/task\niam:PassRole arn:aws:iam::1:role/execution\niam:PassRole arn:aws:iam::1:role/x",
		`ecs:DescribeTasks {"cluster":"prod","tasks":["0a","0b"]}`:                                           "ecs:DescribeTasks arn:aws:ecs::task/prod/0a\necs:DescribeTasks arn:aws:ecs::task/prod/0b",
		`ecs:ListTasks {"cluster":"prod"}`:                                                                   "ecs:ListTasks arn:aws:ecs::container-instance/prod/*",
		`ecs:StopServiceDeployment {"serviceDeploymentArn":"arn:aws:ecs:r:1:service-deployment/prod/api/x"}`: "ecs:StopServiceDeployment arn:aws:ecs::service-deployment/prod/api/x\necs:StopServiceDeployment arn:aws:ecs::service/prod/api",
		`ecs:DescribeTaskDefinition {"taskDefinition":"web"}`:                                                "ecs:DescribeTaskDefinition *",
		`ecs:TagResource {"resourceArn":"arn:aws:ecs:r:1:cluster/prod","tags":[{"key":"a","value":"b"}]}`:    "ecs:TagResource arn:aws:ecs::cluster/prod",
		`ecr:GetAuthorizationToken {}`:                                                                       "ecr:GetAuthorizationToken *",
		`ecr:PutImage {"repositoryName":"web"}`:                                                              "ecr:PutImage arn:aws:ecr::repository/web",
		`ecr:DescribeRepositories {"repositoryNames":["a","b"]}`:                                             "ecr:DescribeRepositories arn:aws:ecr::repository/a\necr:DescribeRepositories arn:aws:ecr::repository/b",
		`ecr:DescribeRepositories {}`:                                                                        "ecr:DescribeRepositories arn:aws:ecr::repository/*",
		`ecr:ListImageReferrers {"repositoryName":"web"}`:                                                    "ecr:BatchGetImage arn:aws:ecr::repository/web",
		`logs:CreateLogStream {"logGroupName":"/a","logStreamName":"s/1"}`:                                   "logs:CreateLogStream arn:aws:logs::log-group:/a:log-stream:s/1",
		`logs:FilterLogEvents {"logGroupIdentifier":"arn:aws:logs:r:1:log-group:/a:*"}`:                      "logs:FilterLogEvents arn:aws:logs::log-group:/a:log-stream:|arn:aws:logs::log-group:/a",
		`sts:AssumeRole RoleArn=x`:                                                                           "",
		`iam:GetRole RoleName=ci`:                                                                            "iam:GetRole arn:aws:iam::1:role/ops/ci",
		`iam:CreateRole RoleName=x&Path=/a/&Tags.member.1.Key=k&Tags.member.1.Value=v`:                       "iam:CreateRole arn:aws:iam::1:role/a/x\niam:TagRole arn:aws:iam::1:role/a/x",
		`iam:AttachRolePolicy RoleName=ci&PolicyArn=arn:aws:iam::aws:policy/ReadOnlyAccess`:                  "iam:AttachRolePolicy arn:aws:iam::1:role/ops/ci",
		`iam:ListRoles `: "iam:ListRoles *",
		`ssm:GetParameters {"Names":["/a/b","c:3"]}`:                                           "ssm:GetParameters arn:aws:ssm::parameter/a/b\nssm:GetParameters arn:aws:ssm::parameter/c",
		`secretsmanager:GetSecretValue {"SecretId":"db"}`:                                      "secretsmanager:GetSecretValue arn:aws:secretsmanager::secret:db-??????",
		`secretsmanager:ListSecrets {}`:                                                        "secretsmanager:ListSecrets *",
		`elasticloadbalancing:DescribeTargetHealth TargetGroupArn=arn:x`:                       "elasticloadbalancing:DescribeTargetHealth *",
		`elasticloadbalancing:DeleteTargetGroup TargetGroupArn=arn:x`:                          "elasticloadbalancing:DeleteTargetGroup arn:x",
		`elasticloadbalancing:AddTags ResourceArns.member.1=arn:x&ResourceArns.member.2=arn:y`: "elasticloadbalancing:AddTags arn:x\nelasticloadbalancing:AddTags arn:y",
		`application-autoscaling:RegisterScalableTarget {}`:                                    "application-autoscaling:RegisterScalableTarget arn:aws:application-autoscaling::scalable-target/*",
		`health:DescribeEvents {}`:                                                             "health:DescribeEvents *",
	} {
		name, body, _ := strings.Cut(call, " ")
		service, operation, _ := strings.Cut(name, ":")
		c := Call{Service: service, Operation: operation, Body: []byte(body), Form: !strings.HasPrefix(body, "{")}
		if got := told(Needs(c, Place{"1", "r"}, quay{})); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", call, got, want)
		}
	}
}

func TestConditionKeys(t *testing.T) {
	needs := Needs(Call{Service: "ecs", Operation: "UpdateService", Body: []byte(`{"cluster":"prod","service":"api","taskDefinition":"web","enableExecuteCommand":true,"tags":[{"key":"a","value":"b"}]}`)}, Place{"1", "r"}, quay{})
	for key, want := range map[string]string{
		"ecs:cluster": "arn:aws:ecs:r:1:cluster/prod", "ecs:service": "arn:aws:ecs:r:1:service/prod/api", "ecs:task-definition": "arn:aws:ecs:r:1:task-definition/web:3",
		"ecs:enable-execute-command": "true", "aws:ResourceTag/team": "harbour", "ecs:ResourceTag/team": "harbour", "aws:RequestTag/a": "b", "aws:TagKeys": "a", "aws:RequestedRegion": "r",
	} {
		if got := needs[0].Context.Get(key); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
	if got := needs[1].Context.Get("iam:PassedToService"); len(got) != 1 || got[0] != "ecs-tasks.amazonaws.com" {
		t.Errorf("iam:PassedToService: %q", got)
	}
}

// Whatever a call says, it needs something to be allowed.
func TestEveryCallNeedsSomething(t *testing.T) {
	services := []string{"ecs", "ecr", "logs", "iam", "ssm", "secretsmanager", "health", "events", "scheduler", "sqs", "sns", "elasticloadbalancing", "application-autoscaling", "other"}
	operations := []string{"ListClusters", "UpdateService", "DescribeServices", "TagResource", "RunTask", "PutImage", "GetRole", "GetParameters", "Anything", "StartLiveTail", "DescribeTasks", "DescribeServiceDeployments"}
	bodies := []string{``, `null`, `[]`, `{}`, `{"services":[]}`, `{"services":{}}`, `{"tags":[null]}`, `{"overrides":[]}`, `{"serviceDeploymentArns":["a"]}`, `a.member.0=1&b.member.99999=1`, `Tags.member.1=x`}
	for _, service := range services {
		for _, operation := range operations {
			for _, body := range bodies {
				for _, form := range []bool{false, true} {
					c := Call{Service: service, Operation: operation, Body: []byte(body), Form: form}
					needs := Needs(c, Place{"1", "r"}, quay{})
					lacks := len(needs) == 0 || slices.ContainsFunc(needs, func(n Need) bool { return n.Action == "" || len(n.Resources) == 0 })
					if lacks {
						t.Errorf("%s:%s %q (a form: %v) needs %+v", service, operation, body, form, needs)
					}
				}
			}
		}
	}
}
