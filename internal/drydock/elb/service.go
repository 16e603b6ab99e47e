package elb

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// Service is the table of operations.
func (e *ELB) Service() wire.Service {
	return wire.Service{
		Name:    "ELB",
		Scope:   "elasticloadbalancing",
		Version: "2015-12-01",
		Operations: map[string]wire.Operation{
			"CreateTargetGroup":             wire.Form(e.createTargetGroup),
			"DescribeTargetGroups":          wire.Form(e.describeTargetGroups),
			"ModifyTargetGroup":             wire.Form(e.modifyTargetGroup),
			"DeleteTargetGroup":             wire.Form(e.deleteTargetGroup),
			"DescribeTargetGroupAttributes": wire.Form(e.describeTargetGroupAttributes),
			"ModifyTargetGroupAttributes":   wire.Form(e.modifyTargetGroupAttributes),
			"RegisterTargets":               wire.Form(e.registerTargets),
			"DeregisterTargets":             wire.Form(e.deregisterTargets),
			"DescribeTargetHealth":          wire.Form(e.describeTargetHealth),

			"CreateLoadBalancer":             wire.Form(e.createLoadBalancer),
			"DescribeLoadBalancers":          wire.Form(e.describeLoadBalancers),
			"DeleteLoadBalancer":             wire.Form(e.deleteLoadBalancer),
			"DescribeLoadBalancerAttributes": wire.Form(e.describeLoadBalancerAttributes),
			"ModifyLoadBalancerAttributes":   wire.Form(e.modifyLoadBalancerAttributes),
			"DescribeCapacityReservation":    wire.Form(e.describeCapacityReservation),
			"SetSecurityGroups":              wire.Form(e.setSecurityGroups),
			"SetSubnets":                     wire.Form(e.setSubnets),
			"SetIpAddressType":               wire.Form(e.setIPAddressType),

			"CreateListener":             wire.Form(e.createListener),
			"DescribeListeners":          wire.Form(e.describeListeners),
			"ModifyListener":             wire.Form(e.modifyListener),
			"DeleteListener":             wire.Form(e.deleteListener),
			"DescribeListenerAttributes": wire.Form(e.describeListenerAttributes),
			"ModifyListenerAttributes":   wire.Form(e.modifyListenerAttributes),

			"CreateRule":        wire.Form(e.createRule),
			"DescribeRules":     wire.Form(e.describeRules),
			"ModifyRule":        wire.Form(e.modifyRule),
			"DeleteRule":        wire.Form(e.deleteRule),
			"SetRulePriorities": wire.Form(e.setRulePriorities),

			"AddTags":      wire.Form(e.addTags),
			"RemoveTags":   wire.Form(e.removeTags),
			"DescribeTags": wire.Form(e.describeTags),
		},
	}
}

// invalid is AWS's ValidationError.
func invalid(format string, args ...any) error {
	return wire.Errorf("ValidationError", format, args...)
}

// checkName holds the name of a load balancer or target group to AWS's rules
// (API reference, CreateTargetGroup).
func checkName(kind, name string) error {
	if name == "" {
		return invalid("%s name must be specified", kind)
	}
	if len(name) > 32 {
		return invalid("%s name '%s' cannot be longer than '32' characters", kind, name)
	}
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
			return invalid("%s name '%s' can only contain characters that are alphanumeric characters and hyphens(-)", kind, name)
		}
	}
	if name[0] == '-' || name[len(name)-1] == '-' {
		return invalid("%s name '%s' cannot begin or end with a hyphen(-)", kind, name)
	}
	return nil
}

// checkRange holds an optional number to its range.
func checkRange(what string, n *int32, least, most int32) error {
	if n != nil && (*n < least || *n > most) {
		return invalid("%s '%d' must be between '%d' and '%d'", what, *n, least, most)
	}
	return nil
}

// inOrder are the records by their ARNs: the order of every list.
func inOrder[T any](records map[string]*T) []*T {
	out := make([]*T, 0, len(records))
	for _, arn := range slices.Sorted(maps.Keys(records)) {
		out = append(out, records[arn])
	}
	return out
}

// page cuts a list as Marker and PageSize have it. A marker is the number of
// the element that comes first.
func page[T any](list []T, marker *string, size *int32) ([]T, *string, error) {
	if err := checkRange("PageSize", size, 1, 400); err != nil {
		return nil, nil, err
	}
	from := 0
	if marker != nil && *marker != "" {
		var err error
		if from, err = strconv.Atoi(*marker); err != nil || from < 0 {
			return nil, nil, invalid("Invalid marker '%s'", *marker)
		}
	}
	from = min(from, len(list))
	most := int(aws.ToInt32(cmp.Or(size, aws.Int32(400))))
	to := min(from+most, len(list))
	if to < len(list) {
		return list[from:to], aws.String(strconv.Itoa(to)), nil
	}
	return list[from:], nil, nil
}
