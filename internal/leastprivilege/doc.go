// Package leastprivilege knows what each part of plimsoll asks of AWS, and
// writes the policies that allow exactly that.
//
// [Features] is the list: which IAM action on which kind of resource, and what is
// lost without it. [Policy] makes a policy of it for the services of a [Scope];
// [Roles] goes on to the roles of a pipeline and of the tasks, with who may take
// them, which [Render] writes as JSON, Terraform or CloudFormation.
//
// The list is held to the truth by tests: every feature is rehearsed on drydock
// under a role that has the policy and nothing else. What the code calls beyond the
// list is refused there, what it never calls is found in the log of the requests,
// and without any single action on any single resource a rehearsal fails.
package leastprivilege
