package build

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Login is a user of a registry; for ECR, what GetAuthorizationToken gives.
type Login struct {
	Registry string // host, with its port if any
	User     string
	Password string
}

// String names the login without its password, whatever verb prints it.
func (l Login) String() string { return l.User + "@" + l.Registry }

// GoString is for %#v.
func (l Login) GoString() string { return "build.Login(" + l.String() + ")" }

// userConfig is docker's configuration folder of the user; "" when there is
// no telling.
func userConfig(env []string) string {
	if dir := lookup(env, "DOCKER_CONFIG"); dir != "" {
		return dir
	}
	if home := lookup(env, "HOME"); home != "" {
		return filepath.Join(home, ".docker")
	}
	if home := lookup(env, "USERPROFILE"); home != "" {
		return filepath.Join(home, ".docker")
	}
	return ""
}

// writeConfig makes a docker configuration in dir: the user's own, and the
// login. docker login would write the password into the user's folder, or
// into a credential store that everyone on a shared runner can ask.
func writeConfig(dir, user string, login Login) (string, error) {
	config := filepath.Join(dir, "config")
	if err := os.Mkdir(config, 0o700); err != nil {
		return "", fmt.Errorf("making a docker configuration: %w", err)
	}
	own := "" // the user's config.json; none without a home
	if user != "" {
		own = filepath.Join(user, "config.json")
		if err := borrow(config, user); err != nil {
			return "", fmt.Errorf("making the docker configuration of the user visible: %w", err)
		}
	}
	data, err := withLogin(own, login)
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(config, "config.json"), data, 0o600); err != nil {
		return "", fmt.Errorf("writing a docker configuration: %w", err)
	}
	return config, nil
}

// withLogin is the config.json at path with one more login. What it holds
// besides, known to us or not, stays.
func withLogin(path string, login Login) ([]byte, error) {
	document := map[string]json.RawMessage{}
	if err := readJSON(path, &document); err != nil {
		return nil, err
	}
	if document == nil { // the file says null
		document = map[string]json.RawMessage{}
	}
	put := func(section, key string, value any) error {
		entries := map[string]json.RawMessage{}
		if raw, ok := document[section]; ok {
			if err := json.Unmarshal(raw, &entries); err != nil {
				return fmt.Errorf("reading %s: %s: %w", path, section, err)
			}
		}
		if entries == nil { // "auths": null
			entries = map[string]json.RawMessage{}
		}
		var err error
		if entries[key], err = json.Marshal(value); err != nil {
			return err
		}
		document[section], err = json.Marshal(entries)
		return err
	}
	// docker asks the helper of a registry before credsStore, and takes an
	// empty helper for "look into auths" (cli/config/configfile,
	// getConfiguredCredentialStore). Without it a configured store would be
	// asked, and would not know this login.
	token := base64.StdEncoding.EncodeToString([]byte(login.User + ":" + login.Password))
	if err := errors.Join(
		put("auths", login.Registry, map[string]string{"auth": token}),
		put("credHelpers", login.Registry, ""),
	); err != nil {
		return nil, err
	}
	return json.Marshal(document)
}

// readJSON reads a file; one that does not exist leaves into as it is.
func readJSON(path string, into any) error {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(data) == 0 {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		return fmt.Errorf("reading the docker configuration %s: %w", path, err)
	}
	return nil
}

// borrow makes the rest of the user's configuration visible in dir. What
// docker only reads is linked: contexts, plugins, and the certificates that
// DOCKER_TLS_VERIFY looks for here. buildx writes next to what it reads, so it
// gets a copy of its builders.
func borrow(dir, user string) error {
	for _, name := range []string{"contexts", "cli-plugins", "ca.pem", "cert.pem", "key.pem"} {
		target, err := filepath.Abs(filepath.Join(user, name))
		if err != nil {
			return err
		}
		if _, err := os.Stat(target); err != nil {
			continue
		}
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return copyBuilders(filepath.Join(dir, "buildx"), filepath.Join(user, "buildx"))
}

// copyBuilders copies what buildx knows about its builders, without the
// records it keeps of every build. A folder that does not exist is empty.
func copyBuilders(to, from string) error {
	const limit = 1 << 20 // a builder is a page of JSON
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch {
		case rel == "refs", rel == "activity", rel == "history":
			return filepath.SkipDir
		case entry.IsDir():
			return os.Mkdir(filepath.Join(to, rel), 0o700)
		case !entry.Type().IsRegular():
			return nil
		}
		if info, err := entry.Info(); err != nil || info.Size() > limit {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), data, 0o600)
	})
}
