package ecs

import "strings"

// arn builds an ARN in the long format, which every account has had since
// 2020: arn:aws:ecs:REGION:ACCOUNT:kind/part/part.
func (e *ECS) arn(kind string, parts ...string) string {
	return "arn:aws:ecs:" + e.Region + ":" + e.Account + ":" + kind + "/" + strings.Join(parts, "/")
}

// lastPart is the name at the end of an ARN; anything else is a name already.
// ECS takes either wherever it takes a cluster, service or task.
func lastPart(nameOrARN string) string {
	if !strings.HasPrefix(nameOrARN, "arn:") {
		return nameOrARN
	}
	return nameOrARN[strings.LastIndexByte(nameOrARN, '/')+1:]
}

// resource splits an ARN into its kind and the parts behind it; ok is false
// for an ARN that is not of ECS.
func resource(arn string) (kind string, parts []string, ok bool) {
	field := strings.SplitN(arn, ":", 6)
	if len(field) != 6 || field[0] != "arn" || field[2] != "ecs" {
		return "", nil, false
	}
	part := strings.Split(field[5], "/")
	return part[0], part[1:], len(part) > 1
}
