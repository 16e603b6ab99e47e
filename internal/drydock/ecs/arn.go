package ecs

import (
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

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

// ours refuses an ARN of another partition's service, region, account or kind
// in ECS's words for them; a plain name passes. Some of the words are observed
// ("Invalid identifier: Identifier is for cluster x. Your cluster is y"), the
// others are formed like them.
func (e *ECS) ours(id, kind string) error {
	if !strings.HasPrefix(id, "arn:") {
		return nil
	}
	field := strings.SplitN(id, ":", 6)
	if len(field) != 6 || field[2] != "ecs" || strings.Count(field[5], "/") < 1 {
		return invalidIdentifier("Unexpected number of separators")
	}
	switch {
	case field[3] != e.Region:
		return invalidIdentifier("Identifier is for " + field[3] + ". Your region is " + e.Region)
	case field[4] != e.Account:
		return invalidIdentifier("Identifier is for " + field[4] + ". Your accountId is " + e.Account)
	}
	part := strings.Split(field[5], "/")
	if part[0] != kind {
		return invalidIdentifier("Identifier is for " + part[0] + ". Expected " + kind)
	}
	if most := partsOf(kind); len(part)-1 > most || part[len(part)-1] == "" {
		return invalidIdentifier("Unexpected number of separators")
	}
	return nil
}

// partsOf is how many parts an ARN of that kind has in the long format. ARNs
// in the format from before 2018 have no cluster and are taken as well.
func partsOf(kind string) int {
	switch kind {
	case "service", "task", "container-instance":
		return 2
	case "service-deployment", "service-revision":
		return 3
	}
	return 1
}

// within refuses an ARN that [ECS.ours] would, and one of another cluster.
func (e *ECS) within(c *cluster, id, kind string) error {
	if err := e.ours(id, kind); err != nil {
		return err
	}
	if _, part, ok := resource(id); ok && len(part) == 2 && part[0] != c.Name {
		return invalidIdentifier("Identifier is for cluster " + part[0] + ". Your cluster is " + c.Name)
	}
	return nil
}

func invalidIdentifier(what string) error {
	return wire.Errorf("InvalidParameterException", "Invalid identifier: %s", what)
}
