package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/plimsoll-ecs/plimsoll/internal/config"
)

func TestSettingsOfAFleet(t *testing.T) {
	name := filepath.Join(t.TempDir(), config.FileName)
	const text = `cluster: prod
services:
  site:
    service: web
    containers:
      app: shop/web
    protected: true
`
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	file, err := config.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	variables := map[string]string{"ECS_CLUSTER": "prod", "ECS_SERVICE": "api", "ECR_REPOSITORY": "shop/api"}
	for _, tt := range []struct {
		file                 *config.File
		cluster, service     string
		repository, cluster2 string
		protected            bool
	}{
		{file, "prod", "web", "shop/web", "prod", true},
		{file, "staging", "web", "", "staging", false}, // of that name, and another one
		{file, "prod", "site", "", "prod", false},      // the file's own name is none of ECS's
		{file, "prod", "api", "shop/api", "prod", false},
		{nil, "prod", "api", "shop/api", "prod", false},
		{nil, "prod", "web", "", "prod", false}, // the variables are not about it
		{nil, "staging", "api", "", "staging", false},
	} {
		look := config.Lookup{File: tt.file, Getenv: func(name string) string { return variables[name] }}
		s, err := look.SettingsOf(tt.cluster, tt.service)
		if err != nil {
			t.Errorf("%s/%s: %v", tt.cluster, tt.service, err)
		}
		if s.Repository.Value != tt.repository || s.Protected.Value != tt.protected || s.Cluster.Value != tt.cluster2 {
			t.Errorf("%s/%s: repository %q, protected %v, cluster %q", tt.cluster, tt.service, s.Repository.Value, s.Protected.Value, s.Cluster.Value)
		}
	}
}
