package cli

import (
	"fmt"
	"runtime/debug"
	"strings"
)

type versionCommand struct{}

// Run prints the version that the go command stamped into the binary.
func (versionCommand) Run(s *session) error {
	version, revision := buildVersion()
	if s.json() {
		s.object(map[string]string{"version": version, "revision": revision})
		return nil
	}
	_, err := fmt.Fprintln(s.sys.Stdout, strings.TrimSpace("plimsoll "+version+" "+revision))
	return err
}

func buildVersion() (version, revision string) {
	version = "devel"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return version, ""
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		version = info.Main.Version
	}
	for _, set := range info.Settings {
		if set.Key == "vcs.revision" {
			revision = set.Value
		}
	}
	return version, revision
}
