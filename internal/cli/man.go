package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/plimsoll-ecs/plimsoll/internal/grammar"
	"github.com/plimsoll-ecs/plimsoll/internal/manual"
)

type manCommand struct {
	Dir string `arg:"" help:"Where to; it is made when it is not there." placeholder:"DIR"`
}

// Run writes a page for every command, for packages of plimsoll.
func (c *manCommand) Run(k *kong.Context, s *session) error {
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return err
	}
	built := thisBuild()
	day, _, _ := strings.Cut(built.Date, "T")
	program := grammar.Of(k.Model.Node)
	for _, one := range program.All() {
		page := manual.Page(program, one, manual.Edition{Version: built.Version, Date: day})
		if err := os.WriteFile(filepath.Join(c.Dir, manual.PageName(one)), []byte(page), 0o644); err != nil {
			return fmt.Errorf("man pages: %w", err)
		}
	}
	return nil
}
