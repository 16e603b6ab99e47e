package account

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecr"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecs"
)

// tasksSide is what goes to ECS.
func (x *export) tasksSide(n renaming) ecs.Import {
	var out ecs.Import
	seen := map[string]bool{}
	addCluster := func(c ecs.ImportCluster) {
		if !seen[c.Name] {
			seen[c.Name] = true
			out.Clusters = append(out.Clusters, c)
		}
	}
	for _, c := range x.clusters {
		if c.Status == "INACTIVE" {
			x.note("the cluster %s is INACTIVE and left out", c.ClusterName)
			continue
		}
		addCluster(ecs.ImportCluster{Name: cmp.Or(c.ClusterName, last(c.ClusterArn)), Settings: c.Settings, Tags: tagsOf(c.Tags)})
	}
	for _, d := range x.definitions {
		made, err := d.definition(n)
		if err != nil {
			x.fault("task definition: %v", err)
			continue
		}
		out.Definitions = append(out.Definitions, made)
	}
	for _, s := range x.services {
		if s.Status == "INACTIVE" || s.Status == "DRAINING" {
			x.note("the service %s is %s and left out", s.ServiceName, s.Status)
			continue
		}
		if s.SchedulingStrategy == "DAEMON" {
			x.note("the service %s is a daemon and left out", s.ServiceName)
			continue
		}
		made := x.service(s, n)
		addCluster(ecs.ImportCluster{Name: made.Cluster})
		out.Services = append(out.Services, made)
	}
	return out
}

// answered lists the members that DescribeTaskDefinition adds to what was
// registered.
func answered() []string {
	return []string{"taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities", "registeredAt", "registeredBy", "deregisteredAt", "deleteRequestedAt", "tags"}
}

func (d definitionDoc) definition(n renaming) (ecs.ImportDefinition, error) {
	doc, err := object(d.TaskDefinition)
	if err != nil {
		return ecs.ImportDefinition{}, err
	}
	var known struct {
		Family                       string
		TaskDefinitionArn            string
		Revision                     int
		Status                       string
		RegisteredAt, DeregisteredAt moment
	}
	if err := json.Unmarshal(d.TaskDefinition, &known); err != nil {
		return ecs.ImportDefinition{}, err
	}
	for _, name := range answered() {
		delete(doc, name)
	}
	raw, err := json.Marshal(n.within(doc))
	if err != nil {
		return ecs.ImportDefinition{}, err
	}
	return ecs.ImportDefinition{
		Family: known.Family, Revision: known.Revision, Inactive: known.Status != "" && known.Status != "ACTIVE",
		Registered: known.RegisteredAt.Time, Deregistered: known.DeregisteredAt.Time, Document: raw, Tags: tagsOf(d.Tags),
	}, nil
}

func (x *export) service(s serviceDoc, n renaming) ecs.ImportService {
	cluster := cmp.Or(last(s.ClusterArn), "default")
	out := ecs.ImportService{
		Cluster: cluster, Name: cmp.Or(s.ServiceName, last(s.ServiceArn)), TaskDefinition: last(s.TaskDefinition),
		Desired: s.DesiredCount, Running: s.RunningCount, Tags: tagsOf(s.Tags), Images: x.pins(s, n),
		Settings: sdk.CreateServiceInput{
			DesiredCount: aws.Int32(int32(s.DesiredCount)),
			LaunchType:   types.LaunchType(s.LaunchType), CapacityProviderStrategy: s.CapacityProviderStrategy,
			NetworkConfiguration: s.NetworkConfiguration, PlacementConstraints: s.PlacementConstraints, PlacementStrategy: s.PlacementStrategy,
			HealthCheckGracePeriodSeconds: s.HealthCheckGracePeriodSeconds, PropagateTags: types.PropagateTags(s.PropagateTags),
			AvailabilityZoneRebalancing: types.AvailabilityZoneRebalancing(s.AvailabilityZoneRebalancing),
			EnableECSManagedTags:        s.EnableECSManagedTags, EnableExecuteCommand: s.EnableExecuteCommand,
		},
	}
	if s.PlatformVersion != "" {
		out.Settings.PlatformVersion = &s.PlatformVersion
	}
	if len(s.CapacityProviderStrategy) > 0 {
		out.Settings.LaunchType = "" // the API knows one of the two
	}
	if c := s.DeploymentConfiguration; c != nil {
		out.Settings.DeploymentConfiguration = &types.DeploymentConfiguration{
			MaximumPercent: c.MaximumPercent, MinimumHealthyPercent: c.MinimumHealthyPercent, DeploymentCircuitBreaker: c.DeploymentCircuitBreaker,
		}
		if c.Strategy != "" && c.Strategy != "ROLLING" {
			x.note("the service %s deploys by %s; here it is ROLLING", out.Name, c.Strategy)
		}
	}
	if len(s.LoadBalancers) > 0 || len(s.ServiceRegistries) > 0 {
		x.note("the service %s comes without its load balancers and service registries", out.Name)
	}
	if c := s.DeploymentController.Type; c != "" && c != "ECS" {
		x.note("the service %s is deployed by %s there, by ECS here", out.Name, c)
	}
	if s.LaunchType == "EC2" || s.LaunchType == "EXTERNAL" {
		x.note("the service %s runs on %s: drydock has no instances, so that no task of it starts", out.Name, s.LaunchType)
	}
	return out
}

// pins are the digests that a service runs by: those of its newest service
// revision of that task definition, else those of its running tasks.
func (x *export) pins(s serviceDoc, n renaming) []ecs.ImportPin {
	var newest time.Time
	var out []ecs.ImportPin
	for _, r := range x.revisions {
		if r.ServiceArn != s.ServiceArn || last(r.TaskDefinition) != last(s.TaskDefinition) || r.CreatedAt.Before(newest) {
			continue
		}
		newest, out = r.CreatedAt.Time, nil
		for _, i := range r.ContainerImages {
			if i.ImageDigest != "" {
				out = append(out, ecs.ImportPin{Container: i.ContainerName, Image: n.text(i.Image), Digest: i.ImageDigest})
			}
		}
	}
	if out != nil {
		return out
	}
	for _, t := range x.tasks {
		if t.Group != "service:"+s.ServiceName || t.ClusterArn != s.ClusterArn || last(t.TaskDefinitionArn) != last(s.TaskDefinition) || t.LastStatus != "RUNNING" {
			continue
		}
		for _, c := range t.Containers {
			if c.ImageDigest != "" {
				out = append(out, ecs.ImportPin{Container: c.Name, Image: n.text(c.Image), Digest: c.ImageDigest})
			}
		}
		return out
	}
	if s.RunningCount > 0 {
		x.note("no service revision or running task of %s is in the export: its tags are resolved anew", s.ServiceName)
	}
	return nil
}

// imagesSide is what goes to ECR.
func (x *export) imagesSide() []ecr.ImportRepository {
	var out []ecr.ImportRepository
	at := map[string]int{}
	for _, r := range x.repositories {
		b := r.body()
		made := ecr.ImportRepository{
			Name: b.RepositoryName, CreatedAt: b.CreatedAt.Time, Mutability: ecrtypes.ImageTagMutability(b.ImageTagMutability),
			ScanOnPush: b.ImageScanningConfiguration.ScanOnPush, Lifecycle: r.LifecyclePolicyText,
		}
		for _, f := range b.ImageTagMutabilityExclusionFilters {
			made.Exclusions = append(made.Exclusions, f.Filter)
		}
		for _, i := range r.Images {
			made.Images = append(made.Images, i.image())
		}
		at[made.Name] = len(out)
		out = append(out, made)
	}
	for _, p := range x.policies {
		i, ok := at[p.RepositoryName]
		if !ok {
			x.fault("the lifecycle policy of %s: that repository is not in the export", p.RepositoryName)
			continue
		}
		out[i].Lifecycle = p.LifecyclePolicyText
	}
	for _, d := range x.images {
		i, ok := at[d.RepositoryName]
		if !ok {
			x.fault("the image %s: its repository %q is not in the export", d.ImageDigest, d.RepositoryName)
			continue
		}
		out[i].Images = append(out[i].Images, d.image())
	}
	return out
}

func (i imageDoc) image() ecr.ImportImage {
	return ecr.ImportImage{
		Digest: i.ImageDigest, MediaType: i.ImageManifestMediaType, ArtifactType: i.ArtifactMediaType, Tags: i.ImageTags, Size: i.ImageSizeInBytes,
		PushedAt: i.ImagePushedAt.Time, PulledAt: i.LastRecordedPullTime.Time, Status: ecrtypes.ImageStatus(i.ImageStatus),
		ArchivedAt: i.LastArchivedAt.Time, ActivatedAt: i.LastActivatedAt.Time, Subject: i.SubjectManifestDigest,
	}
}

// logGroups are those that the services' containers write to. An export of ECS
// and ECR does not have them, and no task starts without.
func logGroups(in ecs.Import) []string {
	inUse := map[string]bool{}
	for _, s := range in.Services {
		inUse[s.TaskDefinition] = true
	}
	groups := map[string]bool{}
	for _, d := range in.Definitions {
		if !inUse[d.Family+":"+strconv.Itoa(d.Revision)] {
			continue
		}
		var doc struct {
			ContainerDefinitions []struct {
				LogConfiguration struct {
					LogDriver string
					Options   map[string]string
				}
			}
		}
		if json.Unmarshal(d.Document, &doc) != nil {
			continue // ECS says what is wrong with it
		}
		for _, c := range doc.ContainerDefinitions {
			if group := c.LogConfiguration.Options["awslogs-group"]; c.LogConfiguration.LogDriver == "awslogs" && group != "" {
				groups[group] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(groups))
}

// findings notes what somebody should know who takes the import for the
// account.
func (x *export) findings(a *Account, from origin, here Here) {
	if from.account != "" && (from.account != here.Account || from.region != here.Region) {
		x.note("account %s in %s is %s in %s here: ARNs and registry names are changed to it", from.account, from.region, here.Account, here.Region)
	}
	if len(a.LogGroups) > 0 {
		x.note("log groups are made as the task definitions name them: %s", strings.Join(a.LogGroups, ", "))
	}
	images, indexes := 0, 0
	there := map[string]bool{}
	for _, r := range a.Repositories {
		for _, i := range r.Images {
			images++
			there[r.Name+"@"+i.Digest] = true
			if strings.Contains(i.MediaType, "index") || strings.Contains(i.MediaType, "manifest.list") {
				indexes++
			}
		}
	}
	if images > 0 {
		x.note("%d images come as descriptions: they keep digest, tags, size and times, and have no content to pull with docker", images)
	}
	if indexes > 0 {
		x.note("%d of them are indexes, whose children a description does not tell: a lifecycle policy judges each image by itself", indexes)
	}
	for _, s := range a.ECS.Services {
		for _, p := range s.Images {
			_, rest, ours := strings.Cut(p.Image, here.Account+".dkr.ecr."+here.Region+".amazonaws.com/")
			name, _, _ := strings.Cut(rest, "@")
			name, _, _ = strings.Cut(name, ":")
			if ours && !there[name+"@"+p.Digest] {
				x.note("%s", fmt.Sprintf("the service %s runs %s, which is not in the repository %s (any more): its tasks run, and no other one can start", s.Name, p.Digest, name))
			}
		}
	}
}
