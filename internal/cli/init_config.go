package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/awsapi"
	"github.com/plimsoll-ecs/plimsoll/internal/config"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/pipeline"
	"github.com/plimsoll-ecs/plimsoll/internal/strictyaml"
	"github.com/plimsoll-ecs/plimsoll/internal/taskdef"
)

type initCommand struct {
	Config initConfig `cmd:"" help:"Write plimsoll.yaml from services that run, or from ecspresso's configuration."`
	GitLab initGitLab `cmd:"" name:"gitlab" help:"Write .gitlab-ci.yml: build and deploy of tags, rollback, off and on, a nightly audit."`
	GitHub initGitHub `cmd:"" name:"github" help:"Write workflows for GitHub Actions: build, deploy, rollback, scale, a nightly audit."`
	IAM    initIAM    `cmd:"" name:"iam" help:"Write the roles of a pipeline and of tasks: least privilege for exactly these services."`
}

type initConfig struct {
	Cluster string   `help:"ECS cluster (ECS_CLUSTER); the only one when not given." placeholder:"NAME"`
	Service []string `help:"Service, several times for several; all of the cluster when not given." placeholder:"NAME"`
	From    []string `help:"Take the names from ecspresso's configuration instead, YAML or JSON; several times for several services. Asks AWS nothing." placeholder:"FILE"`
	Yes     bool     `help:"Ask nothing, and write over a file that is there." aliases:"force"`
}

// Help goes below the usage.
func (c *initConfig) Help() string {
	return `How a file that is there would change is shown first, and asked for on a terminal;
elsewhere --yes is wanted.

  plimsoll init config --cluster prod
  plimsoll init config --from ecspresso.yml`
}

// Run writes the file.
func (c *initConfig) Run(ctx context.Context, s *session) error {
	name := cmp.Or(s.globals.Config, s.sys.Getenv("PLIMSOLL_CONFIG"), config.FileName)
	draft, err := c.draft(ctx, s)
	if err != nil {
		return err
	}
	text := draft.Text()
	if _, err := config.Parse(name, []byte(text)); err != nil {
		return fmt.Errorf("what was found makes no configuration: %w", err)
	}
	if err := s.writeFiles("", []pipeline.File{{Name: name, Text: text}}, c.Yes); err != nil || s.json() {
		return err
	}
	fmt.Fprintln(s.sys.Stderr, "look at what it comes to with: plimsoll config explain")
	return nil
}

func (c *initConfig) draft(ctx context.Context, s *session) (config.Draft, error) {
	if len(c.From) > 0 {
		return c.imported(s)
	}
	return c.live(ctx, s)
}

// live drafts what runs in a cluster.
func (c *initConfig) live(ctx context.Context, s *session) (config.Draft, error) {
	set, err := config.Resolve(config.Flags{Cluster: c.Cluster}, s.sys.Getenv)
	if err != nil {
		return config.Draft{}, err
	}
	client, err := s.client(ctx)
	if err != nil {
		return config.Draft{}, err
	}
	caller, err := client.Caller(ctx)
	if err != nil {
		return config.Draft{}, err
	}
	cluster := set.Cluster.Value
	if cluster == "" {
		if cluster, err = onlyCluster(ctx, client); err != nil {
			return config.Draft{}, err
		}
	}
	names := c.Service
	if len(names) == 0 {
		names, err = client.ServiceNames(ctx, cluster)
		if errors.Is(err, deploy.NotFound) {
			return config.Draft{}, notThere(ctx, "cluster", cluster, client.ClusterNames)
		}
		if err != nil {
			return config.Draft{}, err
		}
	}
	if len(names) == 0 {
		return config.Draft{}, &usageError{fmt.Errorf("cluster %s has no services", cluster), "choose another one with --cluster"}
	}
	d := config.Draft{Account: caller.Account, Region: caller.Region, Cluster: cluster, Services: map[string]config.DraftService{}}
	registries := []string{image.ECR{Account: caller.Account, Region: caller.Region}.Host(), s.sys.Getenv("ECR_REGISTRY")}
	for _, name := range names {
		if err := addLive(ctx, s, client, &d, name, registries); err != nil {
			return config.Draft{}, err
		}
	}
	return d, nil
}

// onlyCluster is the cluster of an account that has one.
func onlyCluster(ctx context.Context, client *awsapi.Client) (string, error) {
	names, err := client.ClusterNames(ctx)
	switch {
	case err != nil:
		return "", err
	case len(names) == 1:
		return names[0], nil
	case len(names) == 0:
		return "", &usageError{errors.New("there is no cluster in this account and region"), "check AWS_REGION and the credentials"}
	}
	slices.Sort(names)
	return "", &usageError{fmt.Errorf("which cluster? There are %s", strings.Join(names, ", ")), "give one with --cluster"}
}

// addLive drafts one service: which of its containers come from our registry.
func addLive(ctx context.Context, s *session, client *awsapi.Client, d *config.Draft, name string, registries []string) error {
	service, err := client.Service(ctx, d.Cluster, name)
	if errors.Is(err, deploy.NotFound) {
		return notThere(ctx, "service", name, func(ctx context.Context) ([]string, error) { return client.ServiceNames(ctx, d.Cluster) })
	}
	if err != nil {
		return err
	}
	if service.Status != "ACTIVE" || service.Controller != "ECS" {
		fmt.Fprintf(s.sys.Stderr, "note: %s is left out: it is %s, and deployed by %s\n", name, strings.ToLower(service.Status), service.Controller)
		return nil
	}
	raw, err := client.TaskDefinition(ctx, service.TaskDefinition)
	if err != nil {
		return err
	}
	doc, err := taskdef.Parse(raw)
	if err != nil {
		return fmt.Errorf("task definition of %s: %w", name, err)
	}
	draft := config.DraftService{Containers: map[string]string{}}
	for _, container := range doc.Containers() {
		ref, err := image.Parse(container.Image)
		if err != nil || !slices.Contains(registries, ref.Registry) {
			continue // a sidecar from elsewhere is not ours to deploy
		}
		draft.Containers[container.Name] = ref.Repository
		if ref.Tag != "" {
			d.Tags = append(d.Tags, ref.Tag)
		}
	}
	if len(draft.Containers) == 0 {
		fmt.Fprintf(s.sys.Stderr, "note: no container of %s has an image of this account's registry\n", name)
	}
	d.Services[service.Name] = draft
	return nil
}

// notThere is the error for a name that AWS does not know, with the one that
// was probably meant.
func notThere(ctx context.Context, what, name string, list func(context.Context) ([]string, error)) error {
	names, _ := list(ctx) // only to be helpful
	return &usageError{fmt.Errorf("there is no %s %s%s", what, name, strictyaml.Meant(name, names)), ""}
}

// imported drafts what ecspresso's configurations say.
func (c *initConfig) imported(s *session) (config.Draft, error) {
	all := config.Draft{Services: map[string]config.DraftService{}}
	for _, name := range c.From {
		text, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			return all, &usageError{fmt.Errorf("--from=%s: there is no such file", name), ""}
		}
		if err != nil {
			return all, err
		}
		one, definition, err := config.Ecspresso(name, text)
		if err != nil {
			return all, err
		}
		for _, place := range []struct {
			what, said string
			to         *string
		}{{"cluster", one.Cluster, &all.Cluster}, {"region", one.Region, &all.Region}} {
			if *place.to != "" && place.said != *place.to {
				return all, &usageError{fmt.Errorf("%s is in %s %s, the others in %s", name, place.what, place.said, *place.to), "make a file for each"}
			}
			*place.to = place.said
		}
		for service, draft := range one.Services {
			if definition != "" {
				note := readDefinition(&draft, filepath.Join(filepath.Dir(name), definition))
				if note != "" {
					fmt.Fprintf(s.sys.Stderr, "note: %s: %s; the family and the containers are left out\n", service, note)
				}
			}
			all.Services[service] = draft
		}
	}
	return all, nil
}

// readDefinition takes the family and the repositories from a file with a task
// definition; the note is why it could not.
func readDefinition(draft *config.DraftService, name string) (note string) {
	text, err := os.ReadFile(name)
	if err != nil {
		return err.Error()
	}
	var doc struct {
		Family               string `json:"family"`
		ContainerDefinitions []struct{ Name, Image string }
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return fmt.Sprintf("%s is not plain JSON (%v)", name, err)
	}
	if !strings.Contains(doc.Family, "{{") {
		draft.TaskDefinition = doc.Family
	}
	for _, c := range doc.ContainerDefinitions {
		host, rest, _ := strings.Cut(c.Image, "/")
		if _, ours := image.ParseECRHost(host); ours { // the tag may be a template
			repository, _, _ := strings.Cut(rest, ":")
			repository, _, _ = strings.Cut(repository, "@")
			if draft.Containers == nil {
				draft.Containers = map[string]string{}
			}
			draft.Containers[c.Name] = repository
		}
	}
	return ""
}
