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
