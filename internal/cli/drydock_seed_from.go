package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/account"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/client"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/fleet"
	"github.com/plimsoll-ecs/plimsoll/internal/noun"
	"github.com/plimsoll-ecs/plimsoll/internal/strictyaml"
)

// plantFiles plants what files say: exports in JSON together, then the fleets
// in YAML. All are read before anything is planted.
func (c *drydockSeed) plantFiles(ctx context.Context, s *session, endpoint string) error {
	var export []account.Document
	type plan struct {
		file  string
		fleet fleet.Fleet
	}
	var fleets []plan
	for _, file := range c.From {
		text, err := os.ReadFile(file)
		if err != nil {
			return &usageError{err, ""}
		}
		if bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) && json.Valid(text) {
			export = append(export, account.Document{Name: filepath.Base(file), Content: text})
			continue
		}
		docs, err := strictyaml.Documents(file, text)
		if err != nil {
			return &usageError{err, "a file in JSON is one object; anything else is read as YAML"}
		}
		for _, d := range docs {
			p := plan{file: file}
			if err := d.Decode(&p.fleet); err != nil {
				return &usageError{err, "docs/scenarios.md describes a fleet: what a scenario has under given"}
			}
			fleets = append(fleets, p)
		}
	}
	there := client.New(endpoint, cmp.Or(s.sys.Getenv("AWS_REGION"), drydock.DefaultRegion), nil)
	if len(export) > 0 {
		if err := importExport(ctx, s, there, export); err != nil {
			return err
		}
	}
	for _, p := range fleets {
		host, err := registryOf(endpoint)
		if err != nil {
			return err
		}
		planted, err := fleet.Planter{Client: there, Registry: host, Folder: filepath.Dir(p.file)}.Plant(ctx, p.fleet)
		if err != nil {
			return fmt.Errorf("%s: %w", p.file, err)
		}
		printPlanted(s, planted)
	}
	return nil
}

// registryOf is the registry of a drydock: the host of its endpoint.
func registryOf(endpoint string) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", &usageError{fmt.Errorf("endpoint %q: %w", endpoint, err), ""}
	}
	return u.Host, nil
}

func importExport(ctx context.Context, s *session, there *client.Client, export []account.Document) error {
	var done drydock.Imported
	err := there.Control(ctx, http.MethodPost, "import", drydock.ImportRequest{Documents: export}, &done)
	if refused, ok := errors.AsType[*client.ControlError](err); ok && refused.Status == http.StatusBadRequest {
		var why drydock.ImportFaults
		if json.Unmarshal([]byte(refused.Text), &why) == nil && len(why.Faults) > 0 {
			return &usageError{errors.New(strings.Join(why.Faults, "\n")), "nothing was imported"}
		}
		return &usageError{err, "nothing was imported"}
	}
	if err != nil {
		return err
	}
	if s.json() {
		s.object(done)
		return nil
	}
	fmt.Fprintf(s.sys.Stdout, "imported %s, %s (%s), %s with %s\n", noun.Count(len(done.Clusters), "cluster"), noun.Count(len(done.Services), "service"),
		noun.Count(done.TaskDefinitions, "task definition"), noun.Count(len(done.Repositories), "repository"), noun.Count(done.Images, "image"))
	for _, note := range done.Notes {
		fmt.Fprintf(s.sys.Stderr, "note: %s\n", note)
	}
	return nil
}

func printPlanted(s *session, planted fleet.Planted) {
	if s.json() {
		s.object(map[string][]string{"planted": planted.Made})
	} else {
		for _, made := range planted.Made {
			fmt.Fprintln(s.sys.Stdout, made)
		}
	}
	for key := range planted.Waiting {
		fmt.Fprintf(s.sys.Stderr, "note: the service %s/%s has no task: its image is not among those of the fleet\n", key.Cluster, key.Service)
	}
}
