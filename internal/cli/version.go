package cli

import (
	"fmt"
	"io"
	"runtime/debug"
	"strings"
)

type versionCommand struct{}

// Help goes below the usage.
func (versionCommand) Help() string {
	return `All of it comes from the go command, which stamps what it builds; nothing is
written in by hand.

  plimsoll version
  plimsoll version --output json`
}

// Run prints what the go command stamped into the binary.
func (versionCommand) Run(s *session) error {
	b := thisBuild()
	if s.json() {
		s.object(b)
		return nil
	}
	_, err := io.WriteString(s.sys.Stdout, b.String())
	return err
}

// stamp is where a binary comes from.
type stamp struct {
	Version  string `json:"version"`  // the git tag, or what the go command makes of a commit without one; "devel" outside of git
	Revision string `json:"revision"` // the commit; "" where the go command stamped none
	Modified bool   `json:"modified"` // built with changes that are not committed
	Date     string `json:"date"`     // of the commit, not of the build: two builds of it are the same
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// String has one thing a line; the first is enough for a bug report's title.
func (b stamp) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "plimsoll %s\n", b.Version)
	if b.Revision != "" {
		modified := ""
		if b.Modified {
			modified = ", with changes that are not committed"
		}
		fmt.Fprintf(&s, "commit    %s%s\ndate      %s\n", b.Revision, modified, b.Date)
	}
	fmt.Fprintf(&s, "go        %s\nplatform  %s\n", b.Go, b.Platform)
	return s.String()
}

// thisBuild is the stamp of the binary that runs.
func thisBuild() stamp {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return stamp{Version: "devel"}
	}
	return stampOf(info)
}

func stampOf(info *debug.BuildInfo) stamp {
	set := map[string]string{}
	for _, s := range info.Settings {
		set[s.Key] = s.Value
	}
	b := stamp{
		Version: "devel", Revision: set["vcs.revision"], Modified: set["vcs.modified"] == "true", Date: set["vcs.time"],
		Go: info.GoVersion, Platform: set["GOOS"] + "/" + set["GOARCH"],
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		b.Version = info.Main.Version
	}
	return b
}

func buildVersion() (version, revision string) {
	b := thisBuild()
	return b.Version, b.Revision
}
