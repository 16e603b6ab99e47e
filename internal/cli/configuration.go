package cli

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/config"
)

// lookup is where settings are looked for: the command line, the environment,
// and plimsoll.yaml where there is one. The file is read once.
func (s *session) lookup() (config.Lookup, error) {
	look := config.Lookup{Getenv: s.sys.Getenv}
	switch {
	case s.globals.Env != "":
		look.Environment, look.EnvironmentSource = s.globals.Env, "--env"
	case s.sys.Getenv("PLIMSOLL_ENV") != "":
		look.Environment, look.EnvironmentSource = s.sys.Getenv("PLIMSOLL_ENV"), "PLIMSOLL_ENV"
	}
	if s.file == nil {
		name := cmp.Or(s.globals.Config, s.sys.Getenv("PLIMSOLL_CONFIG"))
		if name == "" {
			if name = found(); name == "" {
				return look, nil
			}
		}
		file, err := config.Read(name)
		if err != nil {
			return look, err
		}
		s.file = file
	}
	look.File = s.file
	return look, nil
}

// found is the plimsoll.yaml that is meant here, as one would type its name;
// "" is none.
func found() string {
	dir, err := os.Getwd()
	if err != nil {
		return "" // a directory that is gone has no configuration
	}
	name := config.Find(dir)
	if relative, err := filepath.Rel(dir, name); err == nil && name != "" {
		return relative
	}
	return name
}

// regionOf is the region that the file asks for, where the environment leaves
// it open; "" leaves it to the SDK.
func (s *session) regionOf(look config.Lookup, set config.Settings) string {
	if look.File == nil || !strings.HasPrefix(set.Region.Source, look.File.Name()+":") {
		return ""
	}
	if s.sys.Getenv("AWS_REGION") != "" || s.sys.Getenv("AWS_DEFAULT_REGION") != "" {
		return ""
	}
	return set.Region.Value
}
