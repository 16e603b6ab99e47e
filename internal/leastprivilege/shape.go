package leastprivilege

import (
	"maps"
	"slices"
	"strings"
)

// Shape is a kind of resource that a policy names. Where an action knows no
// resources, or the list of them cannot be known, it is everything; the types
// are those of the Service Authorization Reference.
type Shape string

// The shapes.
const (
	Anywhere           Shape = "Anywhere"           // the action knows no resources
	Account            Shape = "Account"            // everything: an audit reads all of an account
	Clusters           Shape = "Clusters"           // the clusters themselves
	Services           Shape = "Services"           // the services themselves
	ServiceDeployments Shape = "ServiceDeployments" // ECS's records of their rollouts
	ServiceRevisions   Shape = "ServiceRevisions"   // what each of them ran
	Instances          Shape = "Instances"          // of the cluster, by which ListTasks is authorized
	Tasks              Shape = "Tasks"              // of the cluster: they have no names of their own
	TaskDefinitions    Shape = "TaskDefinitions"    // all revisions of the families
	PassedRoles        Shape = "PassedRoles"        // execution and task roles, to ECS tasks alone
	ReadRoles          Shape = "ReadRoles"          // the same roles, to look at
	Repositories       Shape = "Repositories"       // the ECR repositories
	AllRepositories    Shape = "AllRepositories"    // of the account and region: they are listed
	LogStreams         Shape = "LogStreams"         // of the log groups
	LogGroups          Shape = "LogGroups"          // of the account and region: they are listed by prefix
	Secrets            Shape = "Secrets"            // of Secrets Manager, which the task definitions name
	Parameters         Shape = "Parameters"         // the action knows no resources; where task definitions name parameters
	Balancers          Shape = "Balancers"          // the action knows no resources; where services have target groups
	ScalableTargets    Shape = "ScalableTargets"    // of the account and region: their ids are not the services' names
	HealthEvents       Shape = "HealthEvents"       // AWS Health's, about ECS
	Topics             Shape = "Topics"             // SNS topics of notifications
	Queues             Shape = "Queues"             // SQS queues of retirement notices
	Sources            Shape = "Sources"            // ECR repositories that lost images are copied from
)

// Means says in a table what a shape comes to.
func (s Shape) Means() string {
	const here = "arn:aws:ecs:REGION:ACCOUNT:"
	return map[Shape]string{
		Anywhere:           "`*` (AWS knows no resource for it)",
		Account:            "`*`: an audit reads all of an account",
		Clusters:           "`" + here + "cluster/CLUSTER`",
		Services:           "`" + here + "service/CLUSTER/SERVICE`",
		ServiceDeployments: "`" + here + "service-deployment/CLUSTER/SERVICE/*`",
		ServiceRevisions:   "`" + here + "service-revision/CLUSTER/SERVICE/*`",
		Instances:          "`" + here + "container-instance/CLUSTER/*`",
		Tasks:              "`" + here + "task/CLUSTER/*`",
		TaskDefinitions:    "`" + here + "task-definition/FAMILY:*`",
		PassedRoles:        "the execution role and the task role, with `iam:PassedToService` being `ecs-tasks.amazonaws.com`",
		ReadRoles:          "the execution role and the task role",
		Repositories:       "`arn:aws:ecr:REGION:ACCOUNT:repository/NAME`",
		AllRepositories:    "`arn:aws:ecr:REGION:ACCOUNT:repository/*`",
		LogStreams:         "`arn:aws:logs:REGION:ACCOUNT:log-group:NAME:log-stream:*`",
		LogGroups:          "`arn:aws:logs:REGION:ACCOUNT:log-group:*`",
		Secrets:            "the secrets that the task definition names",
		Parameters:         "`*` (AWS knows no resource for it), where the task definition names parameters",
		Balancers:          "`*` (AWS knows no resource for it), where the service has a target group",
		ScalableTargets:    "`arn:aws:application-autoscaling:REGION:ACCOUNT:scalable-target/*`, where the service is scaled",
		HealthEvents:       "`arn:aws:health:*::event/ECS/*`",
		Topics:             "the topics of `notifications` in plimsoll.yaml",
		Queues:             "the queues that `--queue` names",
		Sources:            "the repositories that `--from` names",
	}[s]
}

// resources are the ARNs of a shape in a scope, sorted, each once. There are
// none where the scope has nothing of the kind: then the action is not needed.
func (s Shape) resources(in Scope) []string {
	set := map[string]bool{}
	add := func(arns ...string) {
		for _, arn := range arns {
			if arn != "" {
				set[arn] = true
			}
		}
	}
	switch s {
	case Anywhere, Account:
		add("*")
	case AllRepositories:
		add(in.arn("ecr", "repository/*"))
	case LogGroups:
		add(in.arn("logs", "log-group:*"))
	case HealthEvents:
		add("arn:" + in.partition() + ":health:*::event/ECS/*")
	case Topics:
		add(in.Topics...)
	case Queues:
		add(in.Queues...)
	case Sources:
		add(in.Sources...)
	}
	for _, service := range in.Services {
		add(s.of(service, in)...)
	}
	return slices.Sorted(maps.Keys(set))
}

// of are the ARNs of a shape that belong to one service.
func (s Shape) of(service Service, in Scope) []string {
	ecs := func(kind, rest string) string { return in.arn("ecs", kind+"/"+service.Cluster+rest) }
	switch s {
	case Clusters:
		return []string{ecs("cluster", "")}
	case Services:
		return []string{ecs("service", "/"+service.Name)}
	case ServiceDeployments:
		return []string{ecs("service-deployment", "/"+service.Name+"/*")}
	case ServiceRevisions:
		return []string{ecs("service-revision", "/"+service.Name+"/*")}
	case Instances:
		return []string{ecs("container-instance", "/*")}
	case Tasks:
		return []string{ecs("task", "/*")}
	case TaskDefinitions:
		return []string{in.arn("ecs", "task-definition/"+service.Family+":*")}
	case PassedRoles, ReadRoles:
		return []string{service.ExecutionRole, service.TaskRole}
	case Repositories:
		return service.Repositories
	case LogStreams:
		return each(service.LogGroups, func(arn string) string { return arn + ":log-stream:*" })
	case Secrets:
		return service.Secrets
	case Parameters:
		return where(len(service.Parameters) > 0, "*")
	case Balancers:
		return where(service.Balanced, "*")
	case ScalableTargets:
		return where(service.Scaled, in.arn("application-autoscaling", "scalable-target/*"))
	}
	return nil
}

// conditions are those that go with a shape.
func (s Shape) conditions() Conditions {
	if s == PassedRoles {
		return Conditions{{"StringEquals", "iam:PassedToService", []string{tasksService}}}
	}
	return nil
}

func where(is bool, arn string) []string {
	if is {
		return []string{arn}
	}
	return nil
}

func each(list []string, f func(string) string) []string {
	var out []string
	for _, s := range list {
		out = append(out, f(s))
	}
	return out
}

// nameOf is the last part of an ARN's path.
func nameOf(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }
