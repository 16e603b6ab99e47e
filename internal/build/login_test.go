package build

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// userFolder is a docker configuration as people have it.
func userFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"config.json": `{"auths":{"ghcr.io":{"auth":"Z2l0OmdpdA=="},"https://index.docker.io/v1/":{}},` +
			`"credsStore":"desktop","credHelpers":{"gcr.io":"gcloud"},"currentContext":"remote","HttpHeaders":{"X-Team":"shop"},"new":[1,2.50]}`,
		"contexts/meta/ab/meta.json":  `{"Name":"remote"}`,
		"cli-plugins/docker-buildx":   "#!/bin/sh\n",
		"buildx/instances/team":       `{"Name":"team"}`,
		"buildx/current":              `{"Name":"team"}`,
		"buildx/refs/default/0/abc":   `{}`,
		"buildx/activity/team":        "2026-03-02T12:00:00Z",
		"trust/private/do-not-touch":  "x",
		"ca.pem":                      "certificate",
		"desktop/some-socket-or-such": "x",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// fingerprint is all that a write to a folder would change.
func fingerprint(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		var data []byte
		if info.Mode().IsRegular() {
			if data, err = os.ReadFile(path); err != nil {
				return err
			}
		}
		all[path] = fmt.Sprintf("%v %v %s", info.Mode(), info.ModTime(), data)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestConfigIsTheUsersWithALogin(t *testing.T) {
	user := userFolder(t)
	before := fingerprint(t, user)
	dir := t.TempDir()
	config, err := writeConfig(dir, user, Login{Registry: "127.0.0.1:5000", User: "AWS", Password: "s3cret"})
	if err != nil {
		t.Fatal(err)
	}

	data, err := os.ReadFile(filepath.Join(config, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(`{"auths":{"ghcr.io":{"auth":"Z2l0OmdpdA=="},"https://index.docker.io/v1/":{},"127.0.0.1:5000":{"auth":"QVdTOnMzY3JldA=="}},
		"credsStore":"desktop","credHelpers":{"gcr.io":"gcloud","127.0.0.1:5000":""},"currentContext":"remote","HttpHeaders":{"X-Team":"shop"},"new":[1,2.50]}`), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("config.json (-want +got):\n%s", diff)
	}
	if !strings.Contains(string(data), "2.50") {
		t.Error("a number was written differently")
	}

	for _, name := range []string{"contexts/meta/ab/meta.json", "cli-plugins/docker-buildx", "ca.pem", "buildx/instances/team", "buildx/current"} {
		if _, err := os.Stat(filepath.Join(config, name)); err != nil {
			t.Errorf("not visible: %v", err)
		}
	}
	for _, name := range []string{"buildx/refs", "buildx/activity", "trust", "desktop"} {
		if _, err := os.Stat(filepath.Join(config, name)); err == nil {
			t.Errorf("%s is visible", name)
		}
	}
	for path, mode := range map[string]os.FileMode{config: 0o700, filepath.Join(config, "config.json"): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s has mode %v, want %v (%v)", path, info.Mode().Perm(), mode, err)
		}
	}
	// What docker and buildx write goes to the copy.
	if err := os.WriteFile(filepath.Join(config, "buildx", "current"), []byte("other"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, fingerprint(t, user)); diff != "" {
		t.Errorf("the user's folder changed:\n%s", diff)
	}
}

func TestConfigWithoutAUser(t *testing.T) {
	// Without a home nothing is read, least of all a config.json that happens
	// to lie in the working directory.
	t.Chdir(t.TempDir())
	if err := os.WriteFile("config.json", []byte("not docker's"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, user := range []string{"", filepath.Join(t.TempDir(), "none"), t.TempDir()} {
		config, err := writeConfig(t.TempDir(), user, Login{Registry: "r", User: "AWS", Password: "p"})
		if err != nil {
			t.Fatalf("%q: %v", user, err)
		}
		if data, err := os.ReadFile(filepath.Join(config, "config.json")); err != nil || string(data) != `{"auths":{"r":{"auth":"QVdTOnA="}},"credHelpers":{"r":""}}` {
			t.Errorf("%q: %s, %v", user, data, err)
		}
	}
}

func TestConfigThatIsNoJSON(t *testing.T) {
	user := t.TempDir()
	for _, text := range []string{`{"auths":`, `[]`, `{"auths":7}`} {
		path := filepath.Join(user, "config.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := writeConfig(t.TempDir(), user, Login{Registry: "r", Password: "s3cret"}); err == nil || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestLoginIsNeverPrinted(t *testing.T) {
	l := Login{Registry: "r", User: "AWS", Password: "s3cret"}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if text := fmt.Sprintf(format+format, l, &l); strings.Contains(text, "s3cret") {
			t.Errorf("%s prints %s", format, text)
		}
		if text := fmt.Sprintf(format, PushOptions{Login: &l}); strings.Contains(text, "s3cret") {
			t.Errorf("%s of options prints %s", format, text)
		}
	}
}

func TestUserConfig(t *testing.T) {
	for want, env := range map[string][]string{
		"/x":         {"HOME=/home/me", "DOCKER_CONFIG=/old", "DOCKER_CONFIG=/x"},
		"/h/.docker": {"HOME=/h"},
		"":           nil,
	} {
		if got := userConfig(env); got != want {
			t.Errorf("userConfig(%v) = %q, want %q", env, got, want)
		}
	}
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte(`{"auths":{"a":{}},"credHelpers":null}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "config.json")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := withLogin(path, Login{Registry: "r", User: "u", Password: "p"})
		if err != nil {
			return
		}
		var before, after map[string]json.RawMessage
		if err := json.Unmarshal(got, &after); err != nil {
			t.Fatalf("%s: %v", got, err)
		}
		_ = json.Unmarshal(data, &before)
		for key := range maps.Keys(before) {
			if _, ok := after[key]; !ok {
				t.Errorf("%q is lost", key)
			}
		}
	})
}
