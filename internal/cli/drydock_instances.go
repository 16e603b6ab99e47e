package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock"
)

type drydockInstances struct {
	Add       instancesAdd       `cmd:"" help:"Register new container instances with a cluster."`
	List      instancesList      `cmd:"" help:"Show the container instances of a cluster."`
	Terminate instancesTerminate `cmd:"" help:"End an instance with all that runs on it."`
}

type instancesAdd struct {
	runningDrydock
	Cluster string `arg:"" help:"Name of the cluster."`
	Count   int    `help:"How many." default:"1" placeholder:"N"`
	Type    string `help:"Instance type: what CPU and memory they have." default:"t3.medium" placeholder:"TYPE"`
	Zone    string `help:"Availability Zone; spread over them when not given." placeholder:"NAME"`
}

// Help goes below the usage.
func (c *instancesAdd) Help() string {
	return `Services of the launch type EC2 and daemon services place their tasks on them.

  plimsoll drydock instances add prod --count 3 --type m6i.large
  aws ecs update-container-instances-state --cluster prod \
      --status DRAINING --container-instances ID`
}

// Run registers container instances.
func (c *instancesAdd) Run(ctx context.Context, s *session) error {
	in := drydock.NewInstances{Cluster: c.Cluster, Count: c.Count, InstanceType: c.Type, Zone: c.Zone}
	var added drydock.Instances
	if err := c.call(ctx, s, http.MethodPost, "instances", in, &added); err != nil {
		return err
	}
	return printInstances(s, added)
}

type instancesList struct {
	runningDrydock
	Cluster string `arg:"" help:"Name of the cluster."`
}

// Help goes below the usage.
func (c *instancesList) Help() string {
	return `  plimsoll drydock instances list prod`
}

// Run lists the container instances of a cluster.
func (c *instancesList) Run(ctx context.Context, s *session) error {
	var all drydock.Instances
	if err := c.call(ctx, s, http.MethodGet, "instances?"+url.Values{"cluster": {c.Cluster}}.Encode(), nil, &all); err != nil {
		return err
	}
	return printInstances(s, all)
}

type instancesTerminate struct {
	runningDrydock
	Cluster string `arg:"" help:"Name of the cluster."`
	ID      string `arg:"" help:"Id of the container instance."`
}

// Help goes below the usage.
func (c *instancesTerminate) Help() string {
	return `Services start new tasks elsewhere, where there is room.

  plimsoll drydock instances terminate prod ID`
}

// Run ends an instance and lists those that stay.
func (c *instancesTerminate) Run(ctx context.Context, s *session) error {
	var left drydock.Instances
	path := "instances/" + url.PathEscape(lastOf(c.ID)) + "?" + url.Values{"cluster": {c.Cluster}}.Encode()
	if err := c.call(ctx, s, http.MethodDelete, path, nil, &left); err != nil {
		return err
	}
	return printInstances(s, left)
}

// lastOf is the id at the end of an ARN.
func lastOf(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

func printInstances(s *session, all drydock.Instances) error {
	if s.json() {
		for _, i := range all.Instances {
			s.object(i)
		}
		return nil
	}
	table := tabwriter.NewWriter(s.sys.Stdout, 0, 0, 2, ' ', 0)
	for _, i := range all.Instances {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", lastOf(i.ARN), i.EC2, i.Type, i.Zone, i.Status)
	}
	return table.Flush()
}
