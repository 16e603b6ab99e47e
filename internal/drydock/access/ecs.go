package access

import (
	"fmt"
	"strings"
)

// tasksService is whom a task's roles are passed to (developer guide, "Amazon
// ECS task execution IAM role").
const tasksService = "ecs-tasks.amazonaws.com"

func lastPart(nameOrARN string) string {
	return nameOrARN[strings.LastIndexByte(nameOrARN, '/')+1:]
}

// cluster is the name of the cluster that a request is about.
func (b *builder) cluster() string {
	if name := lastPart(b.in.text("cluster")); name != "" {
		return name
	}
	return "default"
}

func (b *builder) service(nameOrARN string) string {
	return b.arn("service/" + b.cluster() + "/" + lastPart(nameOrARN))
}

func (b *builder) task(idOrARN string) string {
	return b.arn("task/" + b.cluster() + "/" + lastPart(idOrARN))
}

func (b *builder) clusterARN(nameOrARN string) string { return b.arn("cluster/" + lastPart(nameOrARN)) }

func (b *builder) ecs() {
	in := b.in
	switch b.Operation {
	case "CreateCluster":
		name := in.text("clusterName")
		if name == "" {
			name = "default"
		}
		b.add(b.clusterARN(name))
	case "DescribeClusters":
		clusters := in.texts("clusters")
		if len(clusters) == 0 {
			clusters = []string{"default"}
		}
		b.add(each(clusters, b.clusterARN)...)
	case "DeleteCluster", "UpdateCluster", "UpdateClusterSettings", "PutClusterCapacityProviders", "ListAttributes", "ListContainerInstances",
		"RegisterContainerInstance", "DeregisterContainerInstance":
		b.add(b.clusterARN(b.cluster()))
	case "CreateService":
		b.add(b.service(in.text("serviceName")))
	case "UpdateService", "DeleteService", "ListServiceDeployments":
		b.add(b.service(in.text("service")))
	case "DescribeServices":
		b.add(each(in.texts("services"), b.service)...)
	case "DescribeServiceDeployments":
		b.ofService(in.texts("serviceDeploymentArns"))
	case "StopServiceDeployment", "ContinueServiceDeployment":
		b.ofService(in.texts("serviceDeploymentArn"))
	case "DescribeServiceRevisions":
		b.ofService(in.texts("serviceRevisionArns"))
	case "RegisterTaskDefinition":
		b.add(b.arn("task-definition/" + in.text("family") + ":*"))
	case "RunTask", "StartTask":
		arn, _ := b.world.TaskDefinition(in.text("taskDefinition"))
		if arn == "" {
			arn = b.named("task-definition/", in.text("taskDefinition"))
		}
		b.add(arn)
	case "DeleteTaskDefinitions":
		b.add(each(in.texts("taskDefinitions"), func(id string) string { return b.named("task-definition/", id) })...)
	case "StopTask", "ExecuteCommand":
		b.add(b.task(in.text("task")))
	case "DescribeTasks", "GetTaskProtection", "UpdateTaskProtection":
		b.add(each(in.texts("tasks"), b.task)...)
	case "ListTasks":
		b.add(b.arn("container-instance/" + b.cluster() + "/*"))
	case "DescribeContainerInstances", "UpdateContainerInstancesState":
		b.add(each(in.texts("containerInstances"), func(id string) string { return b.arn("container-instance/" + b.cluster() + "/" + lastPart(id)) })...)
	case "PutAttributes", "DeleteAttributes":
		b.add(b.arn("container-instance/" + b.cluster() + "/*"))
	case "CreateTaskSet", "UpdateTaskSet", "DeleteTaskSet", "DescribeTaskSets":
		b.add(b.arn("task-set/" + b.cluster() + "/" + lastPart(in.text("service")) + "/*"))
	case "UpdateServicePrimaryTaskSet":
		b.add(b.service(in.text("service")))
	case "CreateCapacityProvider":
		b.add(b.arn("capacity-provider/" + in.text("name")))
	case "UpdateCapacityProvider":
		b.add(b.named("capacity-provider/", in.text("name")))
	case "DeleteCapacityProvider":
		b.add(b.named("capacity-provider/", in.text("capacityProvider")))
	case "DescribeCapacityProviders":
		b.add(each(in.texts("capacityProviders"), func(id string) string { return b.named("capacity-provider/", id) })...)
	case "TagResource", "UntagResource", "ListTagsForResource":
		b.add(in.text("resourceArn"))
	}
	if len(b.needs) == 0 { // about no resource, or about nothing that was named
		b.add("*")
	}
	b.ecsKeys()
	b.passRoles()
}

// ofService is for what belongs to a service: the Service Authorization
// Reference requires both the thing itself and its service.
func (b *builder) ofService(arns []string) {
	for _, arn := range arns {
		field := strings.SplitN(arn, ":", 6)
		part := strings.Split(field[len(field)-1], "/")
		if len(part) < 3 {
			b.add(arn)
			continue
		}
		b.add(arn, b.arn("service/"+part[1]+"/"+part[2]))
	}
}

// ecsKeys adds ECS's own condition keys.
func (b *builder) ecsKeys() {
	in := b.in
	for _, n := range b.needs {
		if b.Operation != "CreateCluster" && b.Operation != "DescribeClusters" && b.Operation != "RegisterTaskDefinition" {
			n.Context.Add("ecs:cluster", b.clusterARN(b.clusterOf(n.Resources[0])))
		}
		if name := in.text("service"); name != "" {
			n.Context.Add("ecs:service", b.service(name))
		} else if name := in.text("serviceName"); name != "" && b.Operation == "ListTasks" {
			n.Context.Add("ecs:service", b.service(name))
		}
		if id := in.text("taskDefinition"); id != "" {
			if arn, _ := b.world.TaskDefinition(id); arn != "" {
				n.Context.Add("ecs:task-definition", arn)
			}
		}
		if on, given := in["enableExecuteCommand"].(bool); given {
			n.Context.Add("ecs:enable-execute-command", fmt.Sprint(on))
		}
	}
}

// clusterOf is the cluster of a resource that says it, else of the request.
func (b *builder) clusterOf(arn string) string {
	field := strings.SplitN(arn, ":", 6)
	part := strings.Split(field[len(field)-1], "/")
	if len(field) == 6 && len(part) > 1 {
		switch part[0] {
		case "service", "task", "cluster", "service-deployment", "service-revision", "container-instance", "task-set":
			return part[1]
		}
	}
	return b.cluster()
}

// passRoles adds iam:PassRole for the roles that a call hands to tasks. ECS
// asks for it when a definition is registered, when a task is run, and when a
// service is created or updated to a definition (observed in error reports of
// each; an UpdateService of the count alone passes no role).
func (b *builder) passRoles() {
	var roles []string
	switch b.Operation {
	case "RegisterTaskDefinition":
		roles = []string{b.in.text("taskRoleArn"), b.in.text("executionRoleArn")}
	case "RunTask", "StartTask":
		_, roles = b.world.TaskDefinition(b.in.text("taskDefinition"))
		overrides := b.in.object("overrides")
		roles = append(roles, overrides.text("taskRoleArn"), overrides.text("executionRoleArn"))
	case "CreateService", "UpdateService", "CreateTaskSet":
		if id := b.in.text("taskDefinition"); id != "" {
			_, roles = b.world.TaskDefinition(id)
		}
	}
	seen := map[string]bool{"": true}
	for _, role := range roles {
		if seen[role] {
			continue
		}
		seen[role] = true
		if !strings.HasPrefix(role, "arn:") {
			role = "arn:aws:iam::" + b.place.Account + ":role/" + role
		}
		n := Need{Action: "iam:PassRole", Resources: []string{role}, Context: b.context(role)}
		n.Context.Add("iam:PassedToService", tasksService)
		b.needs = append(b.needs, n)
	}
}
