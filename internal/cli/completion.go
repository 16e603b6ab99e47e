package cli

import (
	"fmt"
	"io"

	"github.com/alecthomas/kong"

	"github.com/plimsoll-ecs/plimsoll/internal/completion"
	"github.com/plimsoll-ecs/plimsoll/internal/config"
	"github.com/plimsoll-ecs/plimsoll/internal/grammar"
)

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish,powershell" help:"bash, zsh, fish or powershell."`
}

// Help goes below the usage.
func (c *completionCommand) Help() string {
	return `Completes commands, flags, their values, and the services and environments of
plimsoll.yaml. It asks nobody but this machine. In ~/.bashrc:

  source <(plimsoll completion bash)

zsh, in a directory of fpath; fish; PowerShell, in $PROFILE:

  plimsoll completion zsh > ~/.zfunc/_plimsoll
  plimsoll completion fish > ~/.config/fish/completions/plimsoll.fish
  plimsoll completion powershell | Out-String | Invoke-Expression`
}

// Run prints the script.
func (c *completionCommand) Run(k *kong.Context, s *session) error {
	script, err := completion.Script(c.Shell, grammar.Of(k.Model.Node))
	if err != nil {
		return err
	}
	_, err = io.WriteString(s.sys.Stdout, script)
	return err
}

type configuredCommand struct {
	What string `arg:"" enum:"services,environments" help:"services or environments."`
}

// Run prints the names, one a line. Nobody reads an error in the middle of a
// completion: a file that cannot be read has no names.
func (c *configuredCommand) Run(s *session) error {
	look, err := s.lookup()
	if err != nil || look.File == nil {
		return nil
	}
	names := look.File.EnvironmentNames()
	if c.What == "services" {
		chosen, err := look.Choose(config.Choice{All: true})
		if err != nil {
			return nil
		}
		names = nil
		for _, one := range chosen {
			names = append(names, one.Name)
		}
	}
	for _, name := range names {
		fmt.Fprintln(s.sys.Stdout, name)
	}
	return nil
}
