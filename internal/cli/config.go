package cli

import (
	"context"
	"fmt"

	"github.com/plimsoll-ecs/plimsoll/internal/config"
	"github.com/plimsoll-ecs/plimsoll/internal/term"
)

type configCommand struct {
	Explain configExplain `cmd:"" help:"Show every setting and where it comes from. Asks nobody but this machine."`
}

type configExplain struct {
	deployManyNames
}

// Help goes below the usage.
func (c *configExplain) Help() string {
	return `Flags win over variables, and these over plimsoll.yaml. Without --service all
services of the file are shown.

  plimsoll config explain --service web --env stage`
}

// Run explains the settings.
func (c *configExplain) Run(_ context.Context, s *session) error {
	look, err := s.lookup()
	if err != nil {
		return err
	}
	choice := c.choice()
	if !choice.Many() && len(choice.Services) == 0 && look.File != nil && s.sys.Getenv("ECS_SERVICE") == "" {
		choice.All = len(look.File.Services) > 0
	}
	chosen, err := look.Choose(choice)
	if err != nil {
		return err
	}
	flags := c.flags()
	if err := aboutOne(flags, len(chosen)); err != nil {
		return err
	}
	for i, one := range chosen {
		flags.Cluster, flags.Service, flags.OneOfMany = c.Cluster, one.Name, len(chosen) > 1
		set, err := look.Resolve(flags)
		if err != nil {
			return err
		}
		if i > 0 && !s.json() {
			fmt.Fprintln(s.sys.Stdout)
		}
		if err := s.explain(look, set); err != nil {
			return err
		}
	}
	return nil
}

// explain shows the settings of one service.
func (s *session) explain(look config.Lookup, set config.Settings) error {
	rows := set.Explain()
	if s.json() {
		s.object(struct {
			Service     string             `json:"service"`
			Environment string             `json:"environment,omitempty"`
			Settings    []config.Explained `json:"settings"`
		}{set.Service.Value, look.Environment, rows})
		return nil
	}
	table := term.Table{Header: []string{"SETTING", "VALUE", "FROM"}}
	if look.Environment != "" {
		table.Rows = append(table.Rows, []string{"environment", look.Environment, look.EnvironmentSource})
	}
	for _, row := range rows {
		table.Rows = append(table.Rows, []string{row.Setting, row.Value, row.Source})
	}
	return s.terminal().Table(table)
}
