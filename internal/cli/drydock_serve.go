package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
)

type drydockServe struct {
	drydockFlags
	Listen      string `help:"Address to listen on; port 0 is a free one." default:"127.0.0.1:4566" placeholder:"HOST:PORT"`
	AllowRemote bool   `help:"Let --listen be an address that other machines can reach. Whoever can may do anything."`
	ReadyFile   string `help:"File to write the export lines to once drydock answers; removed at the end." type:"path" placeholder:"FILE"`
}

// Help goes below the usage.
func (c *drydockServe) Help() string {
	return `In one shell:

  plimsoll drydock serve --ready-file drydock.env

and in another:

  . ./drydock.env
  eval "$(plimsoll drydock seed)"`
}

// Run serves until ctx ends.
func (c *drydockServe) Run(ctx context.Context, s *session) error {
	o, err := c.options(s, c.Listen)
	if err != nil {
		return err
	}
	o.AllowRemote = c.AllowRemote
	d, err := drydock.Start(ctx, o)
	if err != nil {
		return fmt.Errorf("start drydock: %w", err)
	}
	exports := exportLines(d)
	if s.json() {
		environment := map[string]string{}
		for _, v := range d.Env() {
			environment[v.Name] = v.Value
		}
		s.object(environment)
	} else {
		fmt.Fprint(s.sys.Stdout, exports)
	}
	fmt.Fprintf(s.sys.Stderr, "drydock answers on %s, containers: %s, time scale %v; end it with Ctrl-C\n", d.Addr, d.Runtime, c.TimeScale)
	fmt.Fprintf(s.sys.Stderr, "its page: %s\n", d.Page())
	if d.Remote() {
		fmt.Fprintf(s.sys.Stderr, "warning: %s is not loopback: drydock accepts any credentials, and whoever reaches it may do anything in it%s\n", c.Listen, alsoContainers(d.Runtime))
	}
	if c.ReadyFile != "" {
		if err := writeWhole(c.ReadyFile, exports); err != nil {
			return errors.Join(err, d.Close())
		}
		defer os.Remove(c.ReadyFile)
	}
	<-ctx.Done()
	return d.Close()
}

// alsoContainers: a task definition says which image runs, so that with real
// containers "anything" is not only in drydock.
func alsoContainers(r drydock.Runtime) string {
	if r == drydock.Docker {
		return ", and run any container on this machine"
	}
	return ""
}

func exportLines(d *drydock.Server) string {
	var b strings.Builder
	for _, v := range d.Env() {
		fmt.Fprintf(&b, "export %s=%s\n", v.Name, shellQuote(v.Value))
	}
	return b.String()
}

// writeWhole makes a file appear with all of its content or not at all:
// somebody waits for it to be there.
func writeWhole(name, content string) error {
	temporary, err := os.CreateTemp(filepath.Dir(name), ".ready-*")
	if err != nil {
		return fmt.Errorf("ready file: %w", err)
	}
	_, err = io.WriteString(temporary, content)
	err = errors.Join(err, temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("ready file: %w", errors.Join(err, os.Remove(temporary.Name())))
	}
	return nil
}
