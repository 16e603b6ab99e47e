package leastprivilege

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
)

// Scope is what policies are for: some services of an account and region, and
// what they are made of.
type Scope struct {
	Account  string // 12 digits
	Region   string
	Services []Service
	Topics   []string // ARNs of SNS topics that are told
	Queues   []string // ARNs of SQS queues that retirement notices come from
	Sources  []string // ARNs of ECR repositories that lost images are copied from
}

// Service is one service, by names in the scope's own place and by ARNs for
// what may be elsewhere.
type Service struct {
	Cluster, Name, Family string
	Repositories          []string // ARNs of those that its images are pushed to and deployed from
	Pulls                 []string // ARNs of those that its tasks pull from, sidecars and all
	LogGroups             []string // ARNs
	Secrets               []string // ARNs in Secrets Manager
	Parameters            []string // ARNs in the Parameter Store
	ExecutionRole         string   // ARN; "" without one
	TaskRole              string   // ARN; "" without one
	Balanced              bool     // it has target groups
	Scaled                bool     // Application Auto Scaling knows it
}

// partition is the partition of a region. (AWS Fault Isolation Boundaries,
// "Partitions".)
func (s Scope) partition() string {
	switch {
	case strings.HasPrefix(s.Region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(s.Region, "us-gov-"):
		return "aws-us-gov"
	case strings.HasPrefix(s.Region, "eusc-"):
		return "aws-eusc"
	}
	return "aws"
}

// tasksService is ECS when it takes a role for a task, in every partition. (ECS
// developer guide, "Amazon ECS task execution IAM role".)
const tasksService = "ecs-tasks.amazonaws.com"

// arn is the ARN of something in the scope's place.
func (s Scope) arn(service, resource string) string {
	return "arn:" + s.partition() + ":" + service + ":" + s.Region + ":" + s.Account + ":" + resource
}

// global is the ARN of something of IAM.
func (s Scope) global(resource string) string {
	return "arn:" + s.partition() + ":iam::" + s.Account + ":" + resource
}

// RoleARN is the ARN of a role of the scope's account by its name.
func (s Scope) RoleARN(name string) string { return s.global("role/" + name) }

// RepositoryARN is the ARN of a repository, in the scope's place where account
// and region are "".
func (s Scope) RepositoryARN(account, region, name string) string {
	return "arn:" + s.partition() + ":ecr:" + cmp.Or(region, s.Region) + ":" + cmp.Or(account, s.Account) + ":repository/" + name
}

// QueueARN is the ARN of an SQS queue by its URL, or by the ARN itself; ok is false
// for anything else. (SQS developer guide, "Queue and message identifiers".)
func (s Scope) QueueARN(name string) (arn string, ok bool) {
	if parts := strings.Split(name, ":"); len(parts) == 6 && parts[0] == "arn" && parts[2] == "sqs" && parts[5] != "" && !strings.ContainsAny(name, "*?") {
		return name, true
	}
	u, err := url.Parse(name)
	if err != nil || u.Host == "" {
		return "", false
	}
	path := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(path) != 2 || strings.Trim(path[0], "0123456789") != "" || len(path[0]) != 12 || path[1] == "" || strings.ContainsAny(path[1], "*?") {
		return "", false
	}
	region := s.Region
	if label := strings.Split(u.Hostname(), "."); len(label) > 3 && label[0] == "sqs" {
		region = label[1]
	}
	return "arn:" + s.partition() + ":sqs:" + region + ":" + path[0] + ":" + path[1], true
}

// ParameterARN is the ARN of a parameter of the Parameter Store by its name. (The
// slash that a name begins with is not written twice.)
func (s Scope) ParameterARN(name string) string {
	return s.arn("ssm", "parameter/"+strings.TrimPrefix(name, "/"))
}

// LogGroupARN is the ARN of a log group, without the ":*" that some of its ARNs
// end in.
func (s Scope) LogGroupARN(region, name string) string {
	return "arn:" + s.partition() + ":logs:" + cmp.Or(region, s.Region) + ":" + s.Account + ":log-group:" + name
}

// families are the services by family, one of each, in order.
func (s Scope) families() []Service {
	byFamily := map[string]Service{}
	var names []string
	for _, one := range s.Services {
		have, known := byFamily[one.Family]
		if !known {
			names = append(names, one.Family)
			have = one
		} else {
			have.Pulls = union(have.Pulls, one.Pulls)
			have.LogGroups = union(have.LogGroups, one.LogGroups)
			have.Secrets = union(have.Secrets, one.Secrets)
			have.Parameters = union(have.Parameters, one.Parameters)
		}
		byFamily[one.Family] = have
	}
	slices.Sort(names)
	var out []Service
	for _, name := range names {
		out = append(out, byFamily[name])
	}
	return out
}

func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}
