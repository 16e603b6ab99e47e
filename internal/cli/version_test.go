package cli

import (
	"runtime/debug"
	"testing"
)

func TestStamp(t *testing.T) {
	settings := func(modified string) []debug.BuildSetting {
		return []debug.BuildSetting{
			{Key: "GOARCH", Value: "arm64"}, {Key: "GOOS", Value: "linux"}, {Key: "vcs", Value: "git"},
			{Key: "vcs.revision", Value: "8ef19af"}, {Key: "vcs.time", Value: "2026-11-21T15:00:00Z"}, {Key: "vcs.modified", Value: modified},
		}
	}
	for name, test := range map[string]struct {
		info debug.BuildInfo
		want string
	}{
		"a release": {
			debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Version: "v1.2.0"}, Settings: settings("false")},
			"plimsoll v1.2.0\ncommit    8ef19af\ndate      2026-11-21T15:00:00Z\ngo        go1.26.0\nplatform  linux/arm64\n",
		},
		"a working copy": {
			debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Version: "v1.2.1-0.20261121150000-8ef19af+dirty"}, Settings: settings("true")},
			"plimsoll v1.2.1-0.20261121150000-8ef19af+dirty\ncommit    8ef19af, with changes that are not committed\ndate      2026-11-21T15:00:00Z\ngo        go1.26.0\nplatform  linux/arm64\n",
		},
		"go install of a version: no VCS": {
			debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Version: "v1.2.0"}, Settings: settings("")[:2]},
			"plimsoll v1.2.0\ngo        go1.26.0\nplatform  linux/arm64\n",
		},
		"an archive of the source": {
			debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Version: "(devel)"}, Settings: settings("")[:2]},
			"plimsoll devel\ngo        go1.26.0\nplatform  linux/arm64\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := stampOf(&test.info).String(); got != test.want {
				t.Errorf("got\n%swant\n%s", got, test.want)
			}
		})
	}
}
