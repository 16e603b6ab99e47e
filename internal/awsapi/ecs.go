package awsapi

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
)

var _ deploy.AWS = (*Client)(nil)

// Cluster implements deploy.Clusters.
func (c *Client) Cluster(ctx context.Context, name string) (deploy.Cluster, error) {
	doing := "read cluster " + name
	out, err := c.ecs().DescribeClusters(ctx, &ecs.DescribeClustersInput{Clusters: []string{name}})
	if err != nil {
		return deploy.Cluster{}, wrap(doing, err)
	}
	if len(out.Clusters) == 0 {
		return deploy.Cluster{}, notThere(doing, "cluster "+name)
	}
	cl := out.Clusters[0]
	return deploy.Cluster{ARN: aws.ToString(cl.ClusterArn), Name: aws.ToString(cl.ClusterName), Status: aws.ToString(cl.Status)}, nil
}

// ClusterNames implements deploy.Clusters.
func (c *Client) ClusterNames(ctx context.Context) ([]string, error) {
	var names []string
	pages := ecs.NewListClustersPaginator(c.ecs(), &ecs.ListClustersInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap("list clusters", err)
		}
		names = append(names, lastParts(page.ClusterArns)...)
	}
	return names, nil
}

// ServiceNames implements deploy.Services.
func (c *Client) ServiceNames(ctx context.Context, cluster string) ([]string, error) {
	var names []string
	pages := ecs.NewListServicesPaginator(c.ecs(), &ecs.ListServicesInput{Cluster: &cluster, MaxResults: aws.Int32(100)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap("list services of "+cluster, err)
		}
		names = append(names, lastParts(page.ServiceArns)...)
	}
	return names, nil
}

// UpdateService implements deploy.Services.
func (c *Client) UpdateService(ctx context.Context, u deploy.Update) (deploy.Service, error) {
	in := &ecs.UpdateServiceInput{Cluster: &u.Cluster, Service: &u.Service, ForceNewDeployment: u.Force}
	if u.TaskDefinition != "" {
		in.TaskDefinition = &u.TaskDefinition
	}
	if u.Desired != nil {
		in.DesiredCount = aws.Int32(int32(*u.Desired))
	}
	doing := fmt.Sprintf("update service %s/%s", u.Cluster, u.Service)
	out, err := c.ecs().UpdateService(ctx, in)
	if err != nil {
		return deploy.Service{}, wrap(doing, err)
	}
	if out.Service == nil {
		return deploy.Service{}, fmt.Errorf("%s: the answer has no service", doing)
	}
	return service(*out.Service), nil
}

// maxTasks bounds how many tasks are read at once: five calls.
const maxTasks = 400

// Tasks implements deploy.Services.
func (c *Client) Tasks(ctx context.Context, cluster, name string, stopped bool) ([]rollout.Task, error) {
	doing := fmt.Sprintf("read the tasks of %s/%s", cluster, name)
	desired := types.DesiredStatusRunning
	if stopped {
		desired = types.DesiredStatusStopped
	}
	var arns []string
	pages := ecs.NewListTasksPaginator(c.ecs(), &ecs.ListTasksInput{Cluster: &cluster, ServiceName: &name, DesiredStatus: desired})
	for pages.HasMorePages() && len(arns) < maxTasks {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap(doing, err)
		}
		arns = append(arns, page.TaskArns...)
	}
	tasks := []rollout.Task{}
	for part := range slices.Chunk(arns, 100) {
		out, err := c.ecs().DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: &cluster, Tasks: part})
		if err != nil {
			return nil, wrap(doing, err)
		}
		for _, t := range out.Tasks {
			tasks = append(tasks, task(t))
		}
	}
	slices.SortFunc(tasks, func(a, b rollout.Task) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return tasks, nil
}

// Tag implements deploy.Services.
func (c *Client) Tag(ctx context.Context, arn string, tags map[string]string) error {
	in := &ecs.TagResourceInput{ResourceArn: &arn}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		in.Tags = append(in.Tags, types.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
	}
	_, err := c.ecs().TagResource(ctx, in)
	return wrap("tag "+path.Base(arn), err)
}

// Untag implements deploy.Services.
func (c *Client) Untag(ctx context.Context, arn string, keys ...string) error {
	_, err := c.ecs().UntagResource(ctx, &ecs.UntagResourceInput{ResourceArn: &arn, TagKeys: keys})
	return wrap("untag "+path.Base(arn), err)
}

// TaskDefinition implements deploy.TaskDefinitions.
func (c *Client) TaskDefinition(ctx context.Context, name string) ([]byte, error) {
	var body []byte
	_, err := c.ecs().DescribeTaskDefinition(ctx,
		&ecs.DescribeTaskDefinitionInput{TaskDefinition: &name, Include: []types.TaskDefinitionField{types.TaskDefinitionFieldTags}},
		ecs.WithAPIOptions(keepBody(&body)))
	if err != nil {
		return nil, wrap("read task definition "+rollout.RevisionName(name), err)
	}
	return body, nil
}

// Register implements deploy.TaskDefinitions.
func (c *Client) Register(ctx context.Context, document []byte) ([]byte, error) {
	if !json.Valid(document) {
		return nil, fmt.Errorf("register task definition: the document is not JSON")
	}
	var body []byte
	// The input only has to pass the SDK's check for required members; its
	// place is taken by the document.
	_, err := c.ecs().RegisterTaskDefinition(ctx,
		&ecs.RegisterTaskDefinitionInput{Family: aws.String("-"), ContainerDefinitions: []types.ContainerDefinition{}},
		ecs.WithAPIOptions(sendBody(document), keepBody(&body)))
	if err != nil {
		return nil, wrap("register task definition", err)
	}
	return body, nil
}

// Revisions implements deploy.TaskDefinitions.
func (c *Client) Revisions(ctx context.Context, family string, active bool, limit int) ([]string, error) {
	in := &ecs.ListTaskDefinitionsInput{
		FamilyPrefix: &family, Sort: types.SortOrderDesc, Status: types.TaskDefinitionStatusActive, MaxResults: aws.Int32(int32(min(limit, 100))),
	}
	if !active {
		in.Status = types.TaskDefinitionStatusInactive
	}
	var arns []string
	pages := ecs.NewListTaskDefinitionsPaginator(c.ecs(), in)
	for pages.HasMorePages() && len(arns) < limit {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap("list the revisions of "+family, err)
		}
		// The prefix is the whole name of the family, says the API reference;
		// elsewhere (moto) it is a prefix.
		for _, arn := range page.TaskDefinitionArns {
			if name, _, _ := strings.Cut(rollout.RevisionName(arn), ":"); name == family {
				arns = append(arns, arn)
			}
		}
	}
	return arns[:min(len(arns), limit)], nil
}

// Families implements deploy.TaskDefinitions.
func (c *Client) Families(ctx context.Context, prefix string) ([]string, error) {
	in := &ecs.ListTaskDefinitionFamiliesInput{Status: types.TaskDefinitionFamilyStatusActive}
	if prefix != "" {
		in.FamilyPrefix = &prefix
	}
	var names []string
	pages := ecs.NewListTaskDefinitionFamiliesPaginator(c.ecs(), in)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, wrap("list task definition families", err)
		}
		names = append(names, page.Families...)
	}
	return names, nil
}

// ServiceDeployment implements deploy.ServiceDeployments.
func (c *Client) ServiceDeployment(ctx context.Context, arn string) (rollout.ServiceDeployment, error) {
	records, err := c.DescribeServiceDeployments(ctx, []string{arn})
	switch {
	case err != nil:
		return rollout.ServiceDeployment{}, err
	case len(records) == 0:
		return rollout.ServiceDeployment{}, notThere("read service deployment "+path.Base(arn), "service deployment "+path.Base(arn))
	}
	return records[0], nil
}

// DescribeServiceDeployments implements deploy.ServiceDeployments.
func (c *Client) DescribeServiceDeployments(ctx context.Context, arns []string) ([]rollout.ServiceDeployment, error) {
	var found []types.ServiceDeployment
	for part := range slices.Chunk(arns, 20) {
		out, err := c.ecs().DescribeServiceDeployments(ctx, &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: part})
		if err != nil {
			return nil, wrap("read service deployment "+strings.Join(lastParts(part), ", "), err)
		}
		found = append(found, out.ServiceDeployments...)
	}
	var revisions []string
	for _, d := range found {
		if d.TargetServiceRevision != nil {
			revisions = append(revisions, aws.ToString(d.TargetServiceRevision.Arn))
		}
		if d.Rollback != nil {
			revisions = append(revisions, aws.ToString(d.Rollback.ServiceRevisionArn))
		}
	}
	known, err := c.serviceRevisions(ctx, revisions)
	if err != nil {
		return nil, err
	}
	records := make([]rollout.ServiceDeployment, len(found))
	for i, d := range found {
		records[i] = serviceDeployment(d, known)
	}
	return records, nil
}

func serviceDeployment(d types.ServiceDeployment, known map[string]serviceRevision) rollout.ServiceDeployment {
	record := rollout.ServiceDeployment{
		ARN:        aws.ToString(d.ServiceDeploymentArn),
		Status:     string(d.Status),
		Reason:     aws.ToString(d.StatusReason),
		CreatedAt:  aws.ToTime(d.CreatedAt),
		FinishedAt: firstTime(d.FinishedAt, d.StoppedAt),
		Stage:      string(d.LifecycleStage),
	}
	if d.DeploymentConfiguration != nil {
		record.Strategy = string(d.DeploymentConfiguration.Strategy)
	}
	for _, h := range d.LifecycleHookDetails {
		record.Hooks = append(record.Hooks, rollout.Hook{
			ID: aws.ToString(h.HookId), Status: string(h.Status), ExpiresAt: aws.ToTime(h.ExpiresAt), OnExpiry: string(h.TimeoutAction),
		})
	}
	if d.Alarms != nil {
		record.Alarms = d.Alarms.TriggeredAlarmNames
	}
	if b := d.DeploymentCircuitBreaker; b != nil && b.Status != types.ServiceDeploymentRollbackMonitorsStatusDisabled {
		record.Failures, record.Threshold = int(b.FailureCount), int(b.Threshold)
	}
	if d.TargetServiceRevision != nil {
		target := known[aws.ToString(d.TargetServiceRevision.Arn)]
		record.TaskDefinition, record.Digests = target.taskDefinition, target.digests
		record.Requested = int(d.TargetServiceRevision.RequestedTaskCount)
	}
	if d.Rollback != nil {
		record.RollbackReason = aws.ToString(d.Rollback.Reason)
		record.RolledBackTo = known[aws.ToString(d.Rollback.ServiceRevisionArn)].taskDefinition
	}
	return record
}

// ServiceDeployments implements deploy.ServiceDeployments.
func (c *Client) ServiceDeployments(ctx context.Context, cluster, name string, limit int) ([]rollout.ServiceDeployment, error) {
	var briefs []types.ServiceDeploymentBrief
	in := &ecs.ListServiceDeploymentsInput{Cluster: &cluster, Service: &name} // the SDK has no paginator for it
	for more := true; more && len(briefs) < limit; more = in.NextToken != nil {
		out, err := c.ecs().ListServiceDeployments(ctx, in)
		if err != nil {
			return nil, wrap(fmt.Sprintf("list the service deployments of %s/%s", cluster, name), err)
		}
		briefs = append(briefs, out.ServiceDeployments...)
		in.NextToken = out.NextToken
	}
	slices.SortStableFunc(briefs, func(a, b types.ServiceDeploymentBrief) int {
		return aws.ToTime(b.CreatedAt).Compare(aws.ToTime(a.CreatedAt))
	})
	briefs = briefs[:min(len(briefs), limit)]
	var revisions []string
	for _, b := range briefs {
		revisions = append(revisions, aws.ToString(b.TargetServiceRevisionArn))
	}
	known, err := c.serviceRevisions(ctx, revisions)
	if err != nil {
		return nil, err
	}
	var records []rollout.ServiceDeployment
	for _, b := range briefs {
		records = append(records, rollout.ServiceDeployment{
			ARN:            aws.ToString(b.ServiceDeploymentArn),
			Status:         string(b.Status),
			Reason:         aws.ToString(b.StatusReason),
			TaskDefinition: known[aws.ToString(b.TargetServiceRevisionArn)].taskDefinition,
			CreatedAt:      aws.ToTime(b.CreatedAt),
			FinishedAt:     aws.ToTime(b.FinishedAt),
		})
	}
	return records, nil
}

// serviceRevision is what a service revision wants to run.
type serviceRevision struct {
	taskDefinition string
	digests        map[string]string // by container
}

// serviceRevisions reads service revisions, by ARN. One whose digests are fixed
// never changes again and is read once.
func (c *Client) serviceRevisions(ctx context.Context, arns []string) (map[string]serviceRevision, error) {
	found := map[string]serviceRevision{}
	var unknown []string
	for _, arn := range arns {
		if known, ok := c.revisions.Load(arn); ok {
			found[arn] = known.(serviceRevision)
		} else if arn != "" && !slices.Contains(unknown, arn) {
			unknown = append(unknown, arn)
		}
	}
	for part := range slices.Chunk(unknown, 20) {
		out, err := c.ecs().DescribeServiceRevisions(ctx, &ecs.DescribeServiceRevisionsInput{ServiceRevisionArns: part})
		if err != nil {
			return nil, wrap("read service revisions", err)
		}
		for _, r := range out.ServiceRevisions {
			revision := serviceRevision{taskDefinition: aws.ToString(r.TaskDefinition), digests: map[string]string{}}
			for _, i := range r.ContainerImages {
				if i.ImageDigest != nil {
					revision.digests[aws.ToString(i.ContainerName)] = *i.ImageDigest
				}
			}
			arn := aws.ToString(r.ServiceRevisionArn)
			found[arn] = revision
			if len(revision.digests) > 0 {
				c.revisions.Store(arn, revision)
			}
		}
	}
	return found, nil
}

// RollBack implements deploy.ServiceDeployments.
func (c *Client) RollBack(ctx context.Context, arn string) error {
	_, err := c.ecs().StopServiceDeployment(ctx, &ecs.StopServiceDeploymentInput{
		ServiceDeploymentArn: &arn, StopType: types.StopServiceDeploymentStopTypeRollback,
	})
	return wrap("roll back service deployment "+path.Base(arn), err)
}

func service(s types.Service) deploy.Service {
	out := deploy.Service{
		ARN:            aws.ToString(s.ServiceArn),
		Name:           aws.ToString(s.ServiceName),
		TaskDefinition: aws.ToString(s.TaskDefinition),
		Controller:     "ECS", // ECS leaves it out when it is the default
		Record:         aws.ToString(s.CurrentServiceDeployment),
		Tags:           map[string]string{},
		LoadBalancers:  loadBalancers(s.LoadBalancers),
		Exec:           s.EnableExecuteCommand,
	}
	if s.DeploymentController != nil && s.DeploymentController.Type != "" {
		out.Controller = string(s.DeploymentController.Type)
	}
	out.Daemon = s.SchedulingStrategy == types.SchedulingStrategyDaemon
	out.Strategy, out.MaximumPercent, out.MinimumPercent = "ROLLING", 200, 100 // ECS's defaults
	if c := s.DeploymentConfiguration; c != nil {
		out.Strategy = cmp.Or(string(c.Strategy), out.Strategy)
		out.MaximumPercent = int(cmp.Or(aws.ToInt32(c.MaximumPercent), 200))
		if c.MinimumHealthyPercent != nil {
			out.MinimumPercent = int(*c.MinimumHealthyPercent)
		}
		if out.Strategy != "ROLLING" {
			out.Shift = shift(c)
		}
	}
	for _, b := range s.LoadBalancers {
		if b.TargetGroupArn != nil {
			out.TargetGroups = append(out.TargetGroups, *b.TargetGroupArn)
		}
	}
	if c := s.DeploymentConfiguration; c != nil && c.DeploymentCircuitBreaker != nil {
		out.Breaker = c.DeploymentCircuitBreaker.Enable
		out.RollsBack = c.DeploymentCircuitBreaker.Enable && c.DeploymentCircuitBreaker.Rollback
	}
	for _, t := range s.Tags {
		out.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	out.Service = rollout.Service{
		Status:  aws.ToString(s.Status),
		Desired: int(s.DesiredCount),
		Running: int(s.RunningCount),
		Pending: int(s.PendingCount),

		LoadBalanced: len(s.LoadBalancers) > 0,
	}
	if c := s.DeploymentConfiguration; c != nil {
		out.MinHealthyPercent = int(aws.ToInt32(c.MinimumHealthyPercent))
		if out.Strategy == "ROLLING" && !out.Daemon {
			out.MaxPercent = out.MaximumPercent
		}
	}
	for _, d := range s.Deployments {
		out.Deployments = append(out.Deployments, rollout.Deployment{
			ID:             aws.ToString(d.Id),
			Status:         aws.ToString(d.Status),
			TaskDefinition: aws.ToString(d.TaskDefinition),
			RolloutState:   string(d.RolloutState),
			RolloutReason:  aws.ToString(d.RolloutStateReason),
			Desired:        int(d.DesiredCount),
			Running:        int(d.RunningCount),
			Pending:        int(d.PendingCount),
			FailedTasks:    int(d.FailedTasks),
			CreatedAt:      aws.ToTime(d.CreatedAt),
			UpdatedAt:      aws.ToTime(d.UpdatedAt),
		})
	}
	for _, e := range s.Events {
		out.Events = append(out.Events, rollout.Event{ID: aws.ToString(e.Id), At: aws.ToTime(e.CreatedAt), Message: aws.ToString(e.Message)})
	}
	return out
}

func task(t types.Task) rollout.Task {
	out := rollout.Task{
		ID:             path.Base(aws.ToString(t.TaskArn)),
		StartedBy:      aws.ToString(t.StartedBy),
		TaskDefinition: aws.ToString(t.TaskDefinitionArn),
		Zone:           aws.ToString(t.AvailabilityZone),
		LastStatus:     aws.ToString(t.LastStatus),
		Stopping:       aws.ToString(t.DesiredStatus) == string(types.DesiredStatusStopped),
		Health:         string(t.HealthStatus),
		StopCode:       string(t.StopCode),
		StoppedReason:  aws.ToString(t.StoppedReason),
		CreatedAt:      aws.ToTime(t.CreatedAt),
		StoppedAt:      firstTime(t.StoppedAt, t.StoppingAt),
		PullStarted:    aws.ToTime(t.PullStartedAt),
		PullStopped:    aws.ToTime(t.PullStoppedAt),
		StartedAt:      aws.ToTime(t.StartedAt),
	}
	for _, c := range t.Containers {
		container := rollout.Container{
			Name:   aws.ToString(c.Name),
			Image:  aws.ToString(c.Image),
			Digest: aws.ToString(c.ImageDigest),
			Status: aws.ToString(c.LastStatus),
			Reason: aws.ToString(c.Reason),
			Health: string(c.HealthStatus),
		}
		if c.ExitCode != nil {
			code := int(*c.ExitCode)
			container.ExitCode = &code
		}
		out.Containers = append(out.Containers, container)
	}
	return out
}

func firstTime(times ...*time.Time) time.Time {
	for _, t := range times {
		if t != nil {
			return *t
		}
	}
	return time.Time{}
}

// lastParts are the names at the end of ARNs.
func lastParts(arns []string) []string {
	names := make([]string, len(arns))
	for i, arn := range arns {
		names[i] = path.Base(arn)
	}
	return names
}
