package leastprivilege

import "slices"

// Features is the list of what plimsoll does and needs. A test fails where it
// differs from what a rehearsal of the feature calls; docs/iam.md is made of it.
func Features() []Feature {
	return []Feature{
		{
			Name: "push", Commands: []string{"push", "release"}, Usual: true,
			Gives: "push an image to ECR, never over a tag that exists",
			Needs: []Need{
				{"ecr:GetAuthorizationToken", Anywhere, ""},
				{"ecr:BatchGetImage", Repositories, ""},
				{"ecr:BatchCheckLayerAvailability", Repositories, ""},
				{"ecr:InitiateLayerUpload", Repositories, ""},
				{"ecr:UploadLayerPart", Repositories, ""},
				{"ecr:CompleteLayerUpload", Repositories, ""},
				{"ecr:PutImage", Repositories, ""},
			},
		},
		{
			Name: "deploy", Commands: []string{"deploy", "release", "check"}, Usual: true,
			Gives: "check everything, register a revision, update the service, follow it to its verdict, and put it back when it fails",
			Needs: slices.Concat(finding(), records(), failures(), checking(), following(), []Need{
				{"ecs:RegisterTaskDefinition", TaskDefinitions, ""},
				{"ecs:TagResource", TaskDefinitions, ""},
				{"ecs:UpdateService", Services, ""},
				{"iam:PassRole", PassedRoles, ""},
				{"ecs:StopServiceDeployment", Services, "a failed rollout is put back by another deployment, not by ECS's own way back"},
				{"ecs:StopServiceDeployment", ServiceDeployments, "a failed rollout is put back by another deployment, not by ECS's own way back"},
			}),
		},
		{
			Name: "rollback", Commands: []string{"rollback"}, Usual: true,
			Gives: "go back to the last revision that was stable",
			Needs: slices.Concat(finding(), records(), starting(), following(), []Need{
				{"ecs:ListServiceDeployments", Services, ""},
				{"ecr:DescribeImages", Repositories, "it is not checked whether the image to go back to is still there"},
				{"ecs:ListTasks", Instances, "it is not shown which tasks fail on the way back"},
				{"ecs:DescribeTasks", Tasks, "it is not shown which tasks fail on the way back"},
				{"ecs:ListTaskDefinitions", Anywhere, twin},
				{"ecs:RegisterTaskDefinition", TaskDefinitions, ""},
				{"ecs:TagResource", TaskDefinitions, ""},
				{"ecs:UpdateService", Services, ""},
				{"iam:PassRole", PassedRoles, ""},
				{"ecs:StopServiceDeployment", Services, "a rollout under way is ended by another deployment, not by ECS's own way back"},
				{"ecs:StopServiceDeployment", ServiceDeployments, "a rollout under way is ended by another deployment, not by ECS's own way back"},
			}),
		},
		{
			Name: "scale", Commands: []string{"scale", "stop", "start"}, Usual: true,
			Gives: "change the count; turn the service off and on again, autoscaling with it",
			Needs: slices.Concat(finding(), []Need{
				{"ecs:UpdateService", Services, ""},
				{"ecs:TagResource", Services, ""},
				{"ecs:TagResource", TaskDefinitions, "history does not say who changed the count"},
				{"ecs:UntagResource", Services, "the service keeps the note of the count that it was stopped with"},
				{"ecs:ListTasks", Instances, ""},
				{"ecs:DescribeTasks", Tasks, ""},
				{"application-autoscaling:DescribeScalableTargets", Anywhere, "autoscaling is left on while the service is off"},
				{"application-autoscaling:RegisterScalableTarget", ScalableTargets, "autoscaling is left on while the service is off"},
				{"ecs:DescribeServiceDeployments", Services, "start does not check whether the image is still there"},
				{"ecs:DescribeServiceDeployments", ServiceDeployments, "start does not check whether the image is still there"},
				{"ecs:DescribeServiceRevisions", Services, "start does not check whether the image is still there"},
				{"ecs:DescribeServiceRevisions", ServiceRevisions, "start does not check whether the image is still there"},
				{"ecr:DescribeImages", Repositories, "start does not check whether the image is still there"},
			}, starting(), following()),
		},
		{
			Name: "look", Commands: []string{"status", "history", "diff", "wait"}, Usual: true,
			Gives: "show what runs, what ran when, and follow a rollout",
			Needs: slices.Concat(finding(), records(), []Need{
				{"ecs:ListServiceDeployments", Services, ""},
				{"ecs:ListTasks", Instances, "the tasks are not shown"},
				{"ecs:DescribeTasks", Tasks, "the tasks are not shown"},
			}),
		},
		{
			Name: "diagnose", Commands: []string{"diagnose"}, Usual: true,
			Gives: "find out what is wrong with a service",
			Needs: slices.Concat(finding(), records(), failures(), []Need{
				{"ecr:DescribeImages", Repositories, "it is not said whether the image is gone, and what is there in its place"},
			}),
		},
		{
			Name: "run", Commands: []string{"run", "deploy with hooks"}, Usual: true,
			Gives: "run a command in a one-off task of the service, such as a migration",
			Needs: slices.Concat(finding(), []Need{
				{"ecs:RunTask", TaskDefinitions, ""},
				{"iam:PassRole", PassedRoles, ""},
				{"ecs:DescribeTasks", Tasks, ""},
				{"ecs:StopTask", Tasks, "a task that takes too long, or that is interrupted, runs on"},
				{"logs:GetLogEvents", LogStreams, "what the command writes is not shown"},
			}),
		},
		{
			Name: "pin", Commands: []string{"pin", "unpin", "deploy with pin: true"},
			Gives: "keep the images that services restart from, by tags",
			Needs: append(pinning(), []Need{
				{"ecr:BatchDeleteImage", Repositories, ""},
			}...),
		},
		{
			Name: "rescue", Commands: []string{"rescue"},
			Gives: "bring back images in use that were archived, have lost their tags or are gone, and pin them",
			Needs: append(pinning(), []Need{
				{"ecr:UpdateImageStorageClass", Repositories, "what is in the archive stays there"},
				{"ecr:GetAuthorizationToken", Anywhere, ""},
				{"ecr:BatchGetImage", Sources, ""},
				{"ecr:GetDownloadUrlForLayer", Sources, ""},
				{"ecr:BatchCheckLayerAvailability", Repositories, ""},
				{"ecr:InitiateLayerUpload", Repositories, ""},
				{"ecr:UploadLayerPart", Repositories, ""},
				{"ecr:CompleteLayerUpload", Repositories, ""},
				{"ecr:DescribeRegistry", Anywhere, "it is not known where the repository is replicated to, and replicas are not looked at"},
				{"ecs:DescribeTaskDefinition", Anywhere, "of an image that is lost it is not said which commit to build again"},
			}...),
		},
		{
			Name: "secret-keys", Commands: []string{"check --check-secret-keys", "deploy --check-secret-keys"},
			Gives: "check that secrets have the keys that task definitions name: the pipeline may then read their values",
			Needs: slices.Concat(finding(), records(), checking(), []Need{
				{"secretsmanager:GetSecretValue", Secrets, "the keys are not checked"},
			}),
		},
		{
			Name: "maintenance", Commands: []string{"maintenance plan", "maintenance run"},
			Gives: "replace tasks that AWS is going to retire, ahead of time",
			Needs: append(replacing(), []Need{
				{"health:DescribeEvents", Anywhere, ""},
				{"health:DescribeAffectedEntities", HealthEvents, ""},
				{"ecr:DescribeRepositories", AllRepositories, "nothing that a plan shows"},
				{"ecr:BatchGetImage", Repositories, "it is not known whether all parts of an image of several platforms are there"},
				{"ecr:GetLifecyclePolicy", Repositories, "it is not known whether the images are there when the day comes"},
			}...),
		},
		{
			Name: "queue", Commands: []string{"maintenance run --queue"},
			Gives: "take the notices from an SQS queue; beside maintenance",
			Needs: []Need{
				{"sqs:ReceiveMessage", Queues, ""},
				{"sqs:DeleteMessage", Queues, "a message with which nothing is left to do comes again"},
			},
		},
		{
			Name: "lambda", Commands: []string{"maintenance lambda"},
			Gives: "do what `maintenance run` does as a Lambda function, which is handed the notices",
			Needs: replacing(),
		},
		{
			Name: "notify", Commands: []string{"notifications in plimsoll.yaml"},
			Gives: "tell SNS topics what deploys came to",
			Needs: []Need{{"sns:Publish", Topics, "the topics are not told, which changes no verdict"}},
		},
		{
			Name: "audit", Commands: []string{"audit", "lifecycle show", "lifecycle simulate", "lifecycle advise"}, Usual: true, Account: true,
			Gives: "find out what of all that runs could not restart; what may not be read is a finding",
			Needs: auditing(),
		},
		{
			Name: "roles", Commands: []string{"audit --roles", "audit roles"}, Usual: true, Account: true,
			Gives: "judge the roles of the task definitions, and those of pipelines",
			Needs: append(auditing(), []Need{
				{"iam:ListRoles", Account, unseen},
				{"iam:GetRole", Account, unseen},
				{"iam:ListRolePolicies", Account, unseen},
				{"iam:GetRolePolicy", Account, unseen},
				{"iam:ListAttachedRolePolicies", Account, unseen},
				{"iam:GetPolicy", Account, unseen},
				{"iam:GetPolicyVersion", Account, unseen},
			}...),
		},
		{
			Name: "lifecycle", Commands: []string{"lifecycle apply"}, Account: true,
			Gives: "put a lifecycle policy, once it is sure that it takes nothing in use",
			Needs: append(auditing(), []Need{
				{"ecr:PutLifecyclePolicy", Repositories, ""},
				{"ecr:StartLifecyclePolicyPreview", Repositories, "AWS's own preview is not asked"},
				{"ecr:GetLifecyclePolicyPreview", Repositories, "AWS's own preview is not asked"},
			}...),
		},
		{
			Name: "init", Commands: []string{"init config", "init iam"}, Account: true,
			Gives: "write plimsoll.yaml and roles from what runs; for people, not for pipelines",
			Needs: []Need{
				{"ecs:ListClusters", Account, ""},
				{"ecs:ListServices", Account, ""},
				{"ecs:DescribeServices", Account, ""},
				{"ecs:DescribeTaskDefinition", Account, ""},
				{"application-autoscaling:DescribeScalableTargets", Account, "a service is taken to be scaled, and its role may suspend that"},
			},
		},
	}
}

// twin is what is lost where the revisions of a family may not be listed.
const twin = "a copy of a revision may be registered though there is one"

// finding is to find a service and what it runs.
func finding() []Need {
	return []Need{
		{"ecs:DescribeClusters", Clusters, "a cluster that is not there is told as a service that is not there"},
		{"ecs:DescribeServices", Services, ""},
		{"ecs:DescribeTaskDefinition", Anywhere, ""},
	}
}

// records is to read what ECS has written down of rollouts.
func records() []Need {
	const without = "it is not known which digests ran, and what a rollout goes back to"
	return []Need{
		{"ecs:DescribeServiceDeployments", Services, without},
		{"ecs:DescribeServiceDeployments", ServiceDeployments, without},
		{"ecs:DescribeServiceRevisions", Services, without},
		{"ecs:DescribeServiceRevisions", ServiceRevisions, without},
	}
}

// pinning is to find what services restart from, and to give it tags.
func pinning() []Need {
	return []Need{
		{"ecs:DescribeServices", Services, ""},
		{"ecs:ListServiceDeployments", Services, ""},
		{"ecs:DescribeServiceRevisions", Services, ""},
		{"ecs:DescribeServiceRevisions", ServiceRevisions, ""},
		{"ecr:DescribeImages", Repositories, ""},
		{"ecr:BatchGetImage", Repositories, ""},
		{"ecr:PutImage", Repositories, ""},
		{"ecr:GetLifecyclePolicy", Repositories, "it is not said whether the lifecycle policy spares the pins"},
	}
}

// replacing is to replace the tasks of a service by new ones of the same images,
// and to put it back when they fail.
func replacing() []Need {
	const tasks = "it is not known which tasks are still the old ones, nor why new ones fail"
	return slices.Concat(finding(), records(), following(), []Need{
		{"ecs:ListTasks", Instances, tasks},
		{"ecs:DescribeTasks", Tasks, tasks},
		{"ecr:DescribeImages", Repositories, "it is not known whether the new tasks could start"},
		{"ecs:UpdateService", Services, ""},
		{"iam:PassRole", PassedRoles, ""},
		{"ecs:ListTaskDefinitions", Anywhere, twin},
		{"ecs:RegisterTaskDefinition", TaskDefinitions, ""},
		{"ecs:TagResource", TaskDefinitions, ""},
		{"ecs:TagResource", Services, "a notice that comes again is not known to be done"},
		{"ecs:StopServiceDeployment", Services, ""},
		{"ecs:StopServiceDeployment", ServiceDeployments, ""},
		{"logs:GetLogEvents", LogStreams, "the last lines of a failed container are not shown, and no cause is found in them"},
	})
}

// failures is to find out why tasks fail.
func failures() []Need {
	const without = "it is not known why tasks fail, and a release that cannot start is given up later"
	return []Need{
		{"ecs:ListTasks", Instances, without},
		{"ecs:DescribeTasks", Tasks, without},
		{"logs:GetLogEvents", LogStreams, "the last lines of a failed container are not shown, and no cause is found in them"},
	}
}

// checking is the checks of a deploy, which take what they may not look at as
// skipped.
func checking() []Need {
	return append(starting(), []Need{
		{"ecr:DescribeImages", Repositories, "it is not checked whether the image is there"},
		{"ecr:DescribeRepositories", Repositories, "it is not checked whether tags of the repository can move"},
		{"ecr:GetLifecyclePolicy", Repositories, "it is not checked whether the next lifecycle run would take the image"},
		{"ecr:BatchGetImage", Repositories, "it is not checked whether the image is for the platform of the tasks"},
		{"ecr:GetDownloadUrlForLayer", Repositories, "it is not checked whether the image is for the platform of the tasks"},
		{"application-autoscaling:DescribeScalableTargets", Anywhere, "it is not checked whether autoscaling would change the count"},
	}...)
}

// starting is to check what a task needs to start besides its images.
func starting() []Need {
	return []Need{
		{"iam:GetRole", ReadRoles, "it is not checked whether ECS tasks may take the roles"},
		{"logs:DescribeLogGroups", LogGroups, "it is not checked whether the log group is there"},
		{"secretsmanager:DescribeSecret", Secrets, "it is not checked whether the secrets are there"},
		{"ssm:DescribeParameters", Parameters, "it is not checked whether the parameters are there"},
		{"elasticloadbalancing:DescribeTargetGroups", Balancers, "it is not checked whether the target groups are there"},
	}
}

// following is what is shown of a rollout besides.
func following() []Need {
	return []Need{
		{"elasticloadbalancing:DescribeTargetHealth", Balancers, "it is not shown how many targets of the load balancer are healthy"},
	}
}

// unseen is what is lost without an action of an audit.
const unseen = "what it reads is not judged; the audit names the action"

// auditing is to read everything that runs and the images it comes from.
func auditing() []Need {
	return []Need{
		{"ecs:ListClusters", Account, unseen},
		{"ecs:ListServices", Account, unseen},
		{"ecs:DescribeServices", Account, unseen},
		{"ecs:ListTasks", Account, unseen},
		{"ecs:DescribeTasks", Account, unseen},
		{"ecs:ListServiceDeployments", Account, unseen},
		{"ecs:DescribeServiceRevisions", Account, unseen},
		{"ecs:DescribeTaskDefinition", Account, unseen},
		{"ecr:DescribeRepositories", Account, unseen},
		{"ecr:DescribeImages", Account, unseen},
		{"ecr:BatchGetImage", Account, unseen},
		{"ecr:GetLifecyclePolicy", Account, unseen},
		{"application-autoscaling:DescribeScalableTargets", Account, unseen},
		{"events:ListEventBuses", Account, unseen},
		{"events:ListRules", Account, unseen},
		{"events:ListTargetsByRule", Account, unseen},
		{"scheduler:ListSchedules", Account, unseen},
		{"scheduler:GetSchedule", Account, unseen},
		{"health:DescribeEvents", Account, unseen},
		{"health:DescribeAffectedEntities", Account, unseen},
	}
}
