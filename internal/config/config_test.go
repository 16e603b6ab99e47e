package config_test

import (
	"testing"

	"github.com/plimsoll-ecs/plimsoll/internal/config"
)

func env(kv map[string]string) func(string) string {
	return func(name string) string { return kv[name] }
}

func TestFlagsWinOverVariables(t *testing.T) {
	s, err := config.Resolve(config.Flags{Cluster: "flag"}, env(map[string]string{"ECS_CLUSTER": "variable", "ECS_SERVICE": "api"}))
	if err != nil {
		t.Fatal(err)
	}
	if want := (config.Value{Value: "flag", Source: "--cluster"}); s.Cluster != want {
		t.Errorf("cluster %+v, want %+v", s.Cluster, want)
	}
	if want := (config.Value{Value: "api", Source: "ECS_SERVICE"}); s.Service != want {
		t.Errorf("service %+v, want %+v", s.Service, want)
	}
}

func TestRequireNamesEverythingThatIsMissing(t *testing.T) {
	s, err := config.Resolve(config.Flags{Service: "api"}, env(nil))
	if err != nil {
		t.Fatal(err)
	}
	err = s.Require(&s.Cluster, &s.Service, &s.Repository)
	want := "not set: ECR repository: give --repository or set ECR_REPOSITORY; cluster: give --cluster or set ECS_CLUSTER"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestBlanksAreRefusedWithTheirSource(t *testing.T) {
	_, err := config.Resolve(config.Flags{}, env(map[string]string{"ECS_CLUSTER": "prod "}))
	want := `ECS_CLUSTER="prod ": it has blanks at its ends`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestARNsAndURIsBecomeNames(t *testing.T) {
	s, err := config.Resolve(config.Flags{}, env(map[string]string{
		"ECS_CLUSTER":     "arn:aws:ecs:eu-west-1:123456789012:cluster/prod",
		"ECS_SERVICE":     "arn:aws:ecs:eu-west-1:123456789012:service/prod/api",
		"TASK_DEFINITION": "arn:aws:ecs:eu-west-1:123456789012:task-definition/api",
		"ECR_REPOSITORY":  "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/web",
	}))
	if err != nil {
		t.Fatal(err)
	}
	for what, pair := range map[string][2]string{
		"cluster":    {s.Cluster.Value, "prod"},
		"service":    {s.Service.Value, "api"},
		"family":     {s.TaskDefinition.Value, "api"},
		"registry":   {s.Registry.Value, "123456789012.dkr.ecr.eu-west-1.amazonaws.com"},
		"repository": {s.Repository.Value, "team/web"},
		"account":    {s.Account.Value, "123456789012"},
		"region":     {s.Region.Value, "eu-west-1"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s %q, want %q", what, pair[0], pair[1])
		}
	}
	s, err = config.Resolve(config.Flags{Service: "arn:aws:ecs:eu-west-1:123456789012:service/prod/api"}, env(nil))
	if err != nil || s.Cluster.Value != "prod" || s.Cluster.Source != "--service" {
		t.Errorf("cluster %+v, %v: the service's ARN names it", s.Cluster, err)
	}
}

func TestNamesThatContradictOneAnotherAreRefused(t *testing.T) {
	const service = "arn:aws:ecs:eu-west-1:123456789012:service/prod/api"
	for _, tt := range []struct {
		flags config.Flags
		want  string
	}{
		{config.Flags{Cluster: "stage", Service: service}, `--service="` + service + `": it is in cluster prod, but --cluster says stage`},
		{config.Flags{Cluster: "arn:aws:ecs:us-east-1:123456789012:cluster/prod", Service: service}, `--service="` + service + `": it is in eu-west-1, but --cluster is in us-east-1`},
		{config.Flags{Cluster: service}, `--cluster="` + service + `": it is the ARN of a service, not of a cluster`},
		{config.Flags{Cluster: "arn:aws:s3:::bucket"}, `--cluster="arn:aws:s3:::bucket": it is not the ARN of anything in ECS`},
		{config.Flags{Service: "arn:aws:ecs:eu-west-1:123456789012:service"}, `--service="arn:aws:ecs:eu-west-1:123456789012:service": the ARN names nothing`},
		{config.Flags{TaskDefinition: "api:7"}, `--task-definition="api:7": give the family without its revision; deploy takes that as --base 7`},
		{config.Flags{Registry: "https://127.0.0.1:5000"}, `--registry="https://127.0.0.1:5000": give the host alone, such as 123456789012.dkr.ecr.eu-west-1.amazonaws.com`},
		{config.Flags{Registry: "127.0.0.1:5000", Repository: "127.0.0.1:5001/web"}, `--repository="127.0.0.1:5001/web": it is in 127.0.0.1:5001, but --registry says 127.0.0.1:5000`},
	} {
		if _, err := config.Resolve(tt.flags, env(nil)); err == nil || err.Error() != tt.want {
			t.Errorf("%+v\ngot  %v\nwant %s", tt.flags, err, tt.want)
		}
	}
}
