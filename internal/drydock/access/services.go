package access

import "strings"

func (b *builder) ecr() {
	switch b.Operation {
	case "GetAuthorizationToken", "DescribeRegistry", "GetRegistryPolicy", "PutRegistryPolicy", "DeleteRegistryPolicy",
		"GetRegistryScanningConfiguration", "PutRegistryScanningConfiguration", "PutReplicationConfiguration", "GetAccountSetting", "PutAccountSetting",
		"CreatePullThroughCacheRule", "DeletePullThroughCacheRule", "DescribePullThroughCacheRules", "UpdatePullThroughCacheRule", "ValidatePullThroughCacheRule",
		"CreateRepositoryCreationTemplate", "DeleteRepositoryCreationTemplate", "DescribeRepositoryCreationTemplates", "UpdateRepositoryCreationTemplate":
		b.add("*")
	case "TagResource", "UntagResource", "ListTagsForResource":
		b.add(b.in.text("resourceArn"))
	default:
		names := append(b.in.texts("repositoryName"), b.in.texts("repositoryNames")...)
		if len(names) == 0 {
			names = []string{"*"} // DescribeRepositories of all: repository/* in AWS's refusals
		}
		b.add(each(names, func(name string) string { return b.arn("repository/" + name) })...)
	}
	if b.Operation == "ListImageReferrers" {
		for i := range b.needs {
			b.needs[i].Action = "ecr:BatchGetImage" // the API reference: the caller "must have the ecr:BatchGetImage permission"
		}
	}
	for i, n := range b.needs {
		if _, name, ok := strings.Cut(n.Resources[0], ":repository/"); ok && b.Operation != "CreateRepository" {
			b.needs[i].Repository = name
		}
	}
}

// Repository is what an action of docker's side needs.
func Repository(action, name string, at Place, w World) Need {
	b := &builder{Call: Call{Service: "ecr"}, place: at, world: w}
	arn := b.arn("repository/" + name)
	return Need{Action: action, Resources: []string{arn}, Context: b.context(arn), Repository: name}
}

// logs: refusals of AWS name a log group as log-group:NAME:log-stream:, and
// the reference as log-group:NAME; policies are written for either, mostly
// log-group:NAME:*.
func (b *builder) logs() {
	group, stream := b.in.text("logGroupName"), b.in.text("logStreamName")
	if group == "" {
		group = b.in.text("logGroupIdentifier")
	}
	if strings.HasPrefix(group, "arn:") {
		group = strings.TrimSuffix(group[strings.LastIndex(group, ":log-group:")+1:], ":*")
		group = strings.TrimPrefix(group, "log-group:")
	}
	ofGroup := func(group string) { b.either(b.arn("log-group:"+group+":log-stream:"), b.arn("log-group:"+group)) }
	switch b.Operation {
	case "CreateLogStream", "DeleteLogStream", "PutLogEvents", "GetLogEvents":
		b.add(b.arn("log-group:" + group + ":log-stream:" + stream))
	case "DescribeLogGroups":
		b.add(b.arn("log-group::log-stream:"))
	case "TagResource", "UntagResource", "ListTagsForResource":
		arn := strings.TrimSuffix(b.in.text("resourceArn"), ":*")
		b.either(arn, arn+":log-stream:")
	case "StartLiveTail":
		for _, arn := range b.in.texts("logGroupIdentifiers") {
			b.either(strings.TrimSuffix(arn, ":*")+":log-stream:", arn)
		}
		if len(b.needs) == 0 { // names no group: refused for that only after it is allowed
			b.add("*")
		}
	default:
		ofGroup(group)
	}
}

func (b *builder) iam() {
	global := func(resource string) string { return "arn:aws:iam::" + b.place.Account + ":" + resource }
	role, user := b.in.text("RoleName"), b.in.text("UserName")
	path := func() string {
		if p := b.in.text("Path"); p != "" {
			return p
		}
		return "/"
	}
	switch {
	case b.Operation == "CreateRole":
		b.add(global("role" + path() + role))
	case b.Operation == "CreateUser":
		b.add(global("user" + path() + user))
	case b.Operation == "CreatePolicy":
		b.add(global("policy" + path() + b.in.text("PolicyName")))
	case b.Operation == "CreateServiceLinkedRole":
		b.add(global("role/aws-service-role/" + b.in.text("AWSServiceName") + "/*"))
		b.needs[0].Context.Add("iam:AWSServiceName", b.in.text("AWSServiceName"))
	case b.Operation == "CreateOpenIDConnectProvider":
		b.add(global("oidc-provider/" + strings.TrimSuffix(strings.TrimPrefix(b.in.text("Url"), "https://"), "/")))
	case b.Operation == "SimulatePrincipalPolicy":
		b.add(b.in.text("PolicySourceArn"))
	case role != "":
		arn := b.world.RoleARN(role)
		if arn == "" {
			arn = global("role/" + role)
		}
		b.add(arn)
	case user != "":
		arn := b.world.UserARN(user)
		if arn == "" {
			arn = global("user/" + user)
		}
		b.add(arn)
	case b.in.text("PolicyArn") != "":
		b.add(b.in.text("PolicyArn"))
	case b.in.text("OpenIDConnectProviderArn") != "":
		b.add(b.in.text("OpenIDConnectProviderArn"))
	default:
		b.add("*")
	}
	if arn := b.in.text("PolicyArn"); arn != "" && (role != "" || user != "") {
		b.needs[0].Context.Add("iam:PolicyARN", arn)
	}
}

// others are the services of which deploys need a little.
func (b *builder) others() {
	switch b.Service {
	case "ssm":
		b.ssm()
	case "secretsmanager":
		b.secrets()
	case "health":
		b.add(append(b.in.texts("eventArns"), b.in.object("filter").texts("eventArns")...)...)
	case "elasticloadbalancing":
		b.balancing()
	case "application-autoscaling":
		if !strings.HasPrefix(b.Operation, "Describe") {
			b.add(b.arn("scalable-target/*"))
		}
	case "events":
		b.events()
	case "scheduler":
		b.scheduler()
	case "sqs":
		b.sqs()
	case "sns":
		b.sns()
	}
	if len(b.needs) == 0 {
		b.add("*")
	}
}

func (b *builder) ssm() {
	parameter := func(name string) string {
		if strings.HasPrefix(name, "arn:") {
			return name
		}
		name, _, _ = strings.Cut(name, ":") // a version or label
		return b.arn("parameter/" + strings.TrimPrefix(name, "/"))
	}
	switch b.Operation {
	case "AddTagsToResource", "RemoveTagsFromResource", "ListTagsForResource":
		b.add(parameter(b.in.text("ResourceId")))
	case "GetParametersByPath":
		b.add(parameter(b.in.text("Path")))
	default:
		b.add(each(append(b.in.texts("Name"), b.in.texts("Names")...), parameter)...)
	}
}

// secrets: a secret that is named without the six characters at the end of its
// ARN is checked with ?????? in their place, which policies that are written
// for the name match.
func (b *builder) secrets() {
	id := b.in.text("SecretId")
	if id == "" {
		id = b.in.text("Name")
	}
	switch {
	case id == "": // ListSecrets
	case strings.HasPrefix(id, "arn:"):
		b.add(id)
	default:
		b.add(b.arn("secret:" + id + "-??????"))
	}
}

func (b *builder) balancing() {
	switch b.Operation {
	case "CreateTargetGroup":
		b.add(b.arn("targetgroup/" + b.in.text("Name") + "/*"))
	case "CreateLoadBalancer":
		kind := "app"
		if b.in.text("Type") == "network" {
			kind = "net"
		}
		b.add(b.arn("loadbalancer/" + kind + "/" + b.in.text("Name") + "/*"))
	case "AddTags", "RemoveTags":
		b.add(b.in.texts("ResourceArns")...)
	default:
		if strings.HasPrefix(b.Operation, "Describe") {
			return
		}
		for _, member := range []string{"RuleArn", "ListenerArn", "TargetGroupArn", "LoadBalancerArn"} {
			if arn := b.in.text(member); arn != "" {
				b.add(arn)
				return
			}
		}
	}
}
