package state

import (
	"encoding/json"
	"errors"
	"slices"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// The most that one call describes, by AWS's API reference.
const (
	mostClusters = 100
	mostServices = 10
	mostTasks    = 100 // or container instances
	mostRecords  = 20  // service deployments or revisions
)

func clusters(r reader) ([]json.RawMessage, error) {
	arns, err := r.clusterARNs()
	if err != nil {
		return nil, err
	}
	include := []string{"ATTACHMENTS", "CONFIGURATIONS", "SETTINGS", "STATISTICS", "TAGS"}
	return r.describe("ECS.DescribeClusters", members{"include": include}, "clusters", arns, mostClusters, "clusters")
}

func (r reader) clusterARNs() ([]string, error) {
	return r.names("ECS.ListClusters", nil, "clusterArns")
}

// taskDefinitions are the whole answers of DescribeTaskDefinition, which has
// the tags beside the definition.
func taskDefinitions(r reader) ([]json.RawMessage, error) {
	var all []json.RawMessage
	for _, status := range []string{"ACTIVE", "INACTIVE"} {
		arns, err := r.names("ECS.ListTaskDefinitions", members{"status": status}, "taskDefinitionArns")
		if err != nil {
			return nil, err
		}
		for _, arn := range arns {
			var definition json.RawMessage
			if err := r.api.Call(r.ctx, "ECS.DescribeTaskDefinition", members{"taskDefinition": arn, "include": []string{"TAGS"}}, &definition); err != nil {
				return nil, err
			}
			all = append(all, definition)
		}
	}
	return all, nil
}

// inClusters puts what each cluster has together.
func inClusters(r reader, read func(cluster string) ([]json.RawMessage, error)) ([]json.RawMessage, error) {
	arns, err := r.clusterARNs()
	if err != nil {
		return nil, err
	}
	var all []json.RawMessage
	for _, cluster := range arns {
		items, err := read(cluster)
		if err != nil {
			return nil, err
		}
		all = append(all, items...)
	}
	return all, nil
}

func services(r reader) ([]json.RawMessage, error) {
	return inClusters(r, func(cluster string) ([]json.RawMessage, error) {
		arns, err := r.names("ECS.ListServices", members{"cluster": cluster, "maxResults": 100}, "serviceArns")
		if err != nil {
			return nil, err
		}
		return r.describe("ECS.DescribeServices", members{"cluster": cluster, "include": []string{"TAGS"}}, "services", arns, mostServices, "services")
	})
}

// serviceDeployments are those that ECS keeps of the services that are there,
// each service's newest first.
func serviceDeployments(r reader) ([]json.RawMessage, error) {
	return inClusters(r, func(cluster string) ([]json.RawMessage, error) {
		services, err := r.names("ECS.ListServices", members{"cluster": cluster, "maxResults": 100}, "serviceArns")
		if err != nil {
			return nil, err
		}
		var arns []string
		for _, service := range services {
			briefs, err := r.list("ECS.ListServiceDeployments", members{"cluster": cluster, "service": service, "maxResults": 100}, "serviceDeployments")
			if err != nil {
				return nil, err
			}
			for _, doc := range briefs {
				var brief struct{ ServiceDeploymentArn string }
				if err := json.Unmarshal(doc, &brief); err != nil {
					return nil, err
				}
				arns = append(arns, brief.ServiceDeploymentArn)
			}
		}
		return r.describe("ECS.DescribeServiceDeployments", nil, "serviceDeploymentArns", arns, mostRecords, "serviceDeployments")
	})
}

// serviceRevisions are those that service deployments went from and to: no
// call lists them.
func serviceRevisions(r reader) ([]json.RawMessage, error) {
	records, err := serviceDeployments(r)
	if err != nil {
		return nil, err
	}
	var arns []string
	for _, doc := range records {
		type revision struct{ Arn string }
		var record struct {
			TargetServiceRevision  revision
			SourceServiceRevisions []revision
		}
		if err := json.Unmarshal(doc, &record); err != nil {
			return nil, err
		}
		for _, of := range append(record.SourceServiceRevisions, record.TargetServiceRevision) {
			arns = append(arns, of.Arn)
		}
	}
	slices.Sort(arns)
	arns = slices.DeleteFunc(slices.Compact(arns), func(arn string) bool { return arn == "" })
	return r.describe("ECS.DescribeServiceRevisions", nil, "serviceRevisionArns", arns, mostRecords, "serviceRevisions")
}

// tasks are those that are to run, and the stopped ones that ECS still shows.
func tasks(r reader) ([]json.RawMessage, error) {
	return inClusters(r, func(cluster string) ([]json.RawMessage, error) {
		var arns []string
		for _, desired := range []string{"RUNNING", "STOPPED"} {
			some, err := r.names("ECS.ListTasks", members{"cluster": cluster, "desiredStatus": desired}, "taskArns")
			if err != nil {
				return nil, err
			}
			arns = append(arns, some...)
		}
		return r.describe("ECS.DescribeTasks", members{"cluster": cluster, "include": []string{"TAGS"}}, "tasks", arns, mostTasks, "tasks")
	})
}

func containerInstances(r reader) ([]json.RawMessage, error) {
	return inClusters(r, func(cluster string) ([]json.RawMessage, error) {
		arns, err := r.names("ECS.ListContainerInstances", members{"cluster": cluster}, "containerInstanceArns")
		if err != nil {
			return nil, err
		}
		return r.describe("ECS.DescribeContainerInstances", members{"cluster": cluster, "include": []string{"TAGS"}}, "containerInstances", arns, mostTasks, "containerInstances")
	})
}

// repository is a repository with what belongs to it alone.
type repository struct {
	Repository           json.RawMessage
	Tags                 []json.RawMessage
	RepositoryPolicyText string
	LifecyclePolicyText  string
	Images               []json.RawMessage
}

func repositories(r reader) ([]json.RawMessage, error) {
	found, err := r.list("ECR.DescribeRepositories", nil, "repositories")
	if err != nil {
		return nil, err
	}
	var all []json.RawMessage
	for _, doc := range found {
		one, err := r.repository(doc)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

func (r reader) repository(doc json.RawMessage) (json.RawMessage, error) {
	var named struct{ RepositoryName, RepositoryArn string }
	if err := json.Unmarshal(doc, &named); err != nil {
		return nil, err
	}
	of := members{"repositoryName": named.RepositoryName}
	out := repository{Repository: doc}
	var err error
	if out.RepositoryPolicyText, err = r.policy("ECR.GetRepositoryPolicy", of, "RepositoryPolicyNotFoundException"); err != nil {
		return nil, err
	}
	if out.LifecyclePolicyText, err = r.policy("ECR.GetLifecyclePolicy", of, "LifecyclePolicyNotFoundException"); err != nil {
		return nil, err
	}
	if out.Tags, err = r.list("ECR.ListTagsForResource", members{"resourceArn": named.RepositoryArn}, "tags"); err != nil {
		return nil, err
	}
	any := members{"repositoryName": named.RepositoryName, "filter": members{"imageStatus": "ANY"}, "maxResults": 1000}
	if out.Images, err = r.list("ECR.DescribeImages", any, "imageDetails"); err != nil {
		return nil, err
	}
	if out.Images == nil {
		out.Images = []json.RawMessage{}
	}
	return wire.Encode(out)
}

// policy is the text of a policy, "" for a repository that has none.
func (r reader) policy(operation string, of members, none string) (string, error) {
	var answer struct{ PolicyText, LifecyclePolicyText string }
	err := r.api.Call(r.ctx, operation, of, &answer)
	if refused, ok := errors.AsType[*wire.Error](err); ok && refused.Code == none {
		return "", nil
	}
	return answer.PolicyText + answer.LifecyclePolicyText, err
}

// listeners are those of every load balancer, each with its rules.
func listeners(r reader) ([]json.RawMessage, error) {
	balancers, err := r.list("ELB.DescribeLoadBalancers", nil, "loadBalancers")
	if err != nil {
		return nil, err
	}
	var all []json.RawMessage
	for _, doc := range balancers {
		var balancer struct{ LoadBalancerArn string }
		if err := json.Unmarshal(doc, &balancer); err != nil {
			return nil, err
		}
		listeners, err := r.list("ELB.DescribeListeners", members{"LoadBalancerArn": balancer.LoadBalancerArn}, "listeners")
		if err != nil {
			return nil, err
		}
		for _, doc := range listeners {
			var listener struct{ ListenerArn string }
			if err := json.Unmarshal(doc, &listener); err != nil {
				return nil, err
			}
			rules, err := r.list("ELB.DescribeRules", members{"ListenerArn": listener.ListenerArn}, "rules")
			if err != nil {
				return nil, err
			}
			one, err := wire.Encode(struct {
				Listener json.RawMessage
				Rules    []json.RawMessage
			}{doc, rules})
			if err != nil {
				return nil, err
			}
			all = append(all, one)
		}
	}
	return all, nil
}

// targetGroups are the target groups, each with the health of its targets.
func targetGroups(r reader) ([]json.RawMessage, error) {
	groups, err := r.list("ELB.DescribeTargetGroups", nil, "targetGroups")
	if err != nil {
		return nil, err
	}
	for i, doc := range groups {
		var group struct{ TargetGroupArn string }
		if err := json.Unmarshal(doc, &group); err != nil {
			return nil, err
		}
		health, err := r.list("ELB.DescribeTargetHealth", members{"TargetGroupArn": group.TargetGroupArn}, "targetHealthDescriptions")
		if err != nil {
			return nil, err
		}
		if groups[i], err = wire.Encode(struct {
			TargetGroup json.RawMessage
			Targets     []json.RawMessage
		}{doc, health}); err != nil {
			return nil, err
		}
	}
	return groups, nil
}

// scaling is a list of Application Auto Scaling, whose members begin with a
// capital.
func scaling(operation, member string) func(reader) ([]json.RawMessage, error) {
	return func(r reader) ([]json.RawMessage, error) {
		return r.list("Application Auto Scaling."+operation, members{"ServiceNamespace": "ecs"}, member)
	}
}
