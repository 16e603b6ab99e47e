package cli

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/behaviour"
)

type drydockBehaviour struct {
	List  behaviourList  `cmd:"" default:"1" help:"Show what containers are made to do, by image (the default)."`
	Set   behaviourSet   `cmd:"" help:"Lay labels over those of an image, for tasks that start from now on."`
	Clear behaviourClear `cmd:"" help:"Let images behave by their own labels again: all of them, or one."`
}

type behaviourList struct{ runningDrydock }

// Help goes below the usage.
func (c *behaviourList) Help() string {
	return `  plimsoll drydock behaviour list`
}

// Run lists the behaviours in force.
func (c *behaviourList) Run(ctx context.Context, s *session) error {
	var answer drydock.Behaviours
	if err := c.call(ctx, s, http.MethodGet, "behaviours", nil, &answer); err != nil {
		return err
	}
	return printBehaviours(s, answer)
}

type behaviourSet struct {
	runningDrydock
	Image  string   `arg:"" help:"repository, repository:tag, a digest, or a pattern with *."`
	Labels []string `arg:"" help:"Labels of the simulated runtime, without plimsoll.drydock. in front." placeholder:"LABEL=VALUE"`
}

// Help goes below the usage.
func (c *behaviourSet) Help() string {
	return `The labels are those of docs/drydock.md. Tasks that run already go on as they
are. With --data it is kept with everything else. Containers of the docker
runtime do what they do.

  plimsoll drydock behaviour set web:v1.1.0 exit-after=1m exit-code=1
  plimsoll drydock behaviour set 'web:v2.*' health=unhealthy
  plimsoll drydock behaviour clear`
}

// Run sets the behaviour of an image.
func (c *behaviourSet) Run(ctx context.Context, s *session) error {
	b := behaviour.Behaviour{Image: c.Image, Labels: map[string]string{}}
	for _, label := range c.Labels {
		name, value, isPair := strings.Cut(label, "=")
		if !isPair || name == "" {
			return &usageError{fmt.Errorf("%q is no label", label), "want LABEL=VALUE, such as exit-code=1"}
		}
		b.Labels[strings.TrimPrefix(name, "plimsoll.drydock.")] = value
	}
	var answer drydock.Behaviours
	if err := c.call(ctx, s, http.MethodPost, "behaviours", b, &answer); err != nil {
		return err
	}
	return printBehaviours(s, answer)
}

type behaviourClear struct {
	runningDrydock
	Image string `arg:"" optional:"" help:"What it was set for, as list shows it."`
}

// Help goes below the usage.
func (c *behaviourClear) Help() string {
	return `  plimsoll drydock behaviour clear
  plimsoll drydock behaviour clear web:v1.1.0`
}

// Run takes behaviours out of force and lists those that stay.
func (c *behaviourClear) Run(ctx context.Context, s *session) error {
	path := "behaviours"
	if c.Image != "" {
		path += "?image=" + url.QueryEscape(c.Image)
	}
	var left drydock.Behaviours
	if err := c.call(ctx, s, http.MethodDelete, path, nil, &left); err != nil {
		return err
	}
	return printBehaviours(s, left)
}

func printBehaviours(s *session, b drydock.Behaviours) error {
	if s.json() {
		for _, one := range b.Behaviours {
			s.object(one)
		}
		return nil
	}
	if len(b.Behaviours) == 0 {
		_, err := fmt.Fprintln(s.sys.Stdout, "no behaviours: containers do what the labels of their images say")
		return err
	}
	table := tabwriter.NewWriter(s.sys.Stdout, 0, 0, 2, ' ', 0)
	for _, one := range b.Behaviours {
		var labels []string
		for _, name := range slices.Sorted(maps.Keys(one.Labels)) {
			labels = append(labels, name+"="+one.Labels[name])
		}
		fmt.Fprintf(table, "%s\t%s\n", one.Image, strings.Join(labels, " "))
	}
	return table.Flush()
}
