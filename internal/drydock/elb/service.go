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
			"CreateTargetGroup":             wire.TypedQuery(e.createTargetGroup),
			"DescribeTargetGroups":          wire.TypedQuery(e.describeTargetGroups),
			"ModifyTargetGroup":             wire.TypedQuery(e.modifyTargetGroup),
			"DeleteTargetGroup":             wire.TypedQuery(e.deleteTargetGroup),
			"DescribeTargetGroupAttributes": wire.TypedQuery(e.describeTargetGroupAttributes),
			"ModifyTargetGroupAttributes":   wire.TypedQuery(e.modifyTargetGroupAttributes),
			"RegisterTargets":               wire.TypedQuery(e.registerTargets),
			"DeregisterTargets":             wire.TypedQuery(e.deregisterTargets),
			"DescribeTargetHealth":          wire.TypedQuery(e.describeTargetHealth),

			"CreateLoadBalancer":             wire.TypedQuery(e.createLoadBalancer),
			"DescribeLoadBalancers":          wire.TypedQuery(e.describeLoadBalancers),
			"DeleteLoadBalancer":             wire.TypedQuery(e.deleteLoadBalancer),
			"DescribeLoadBalancerAttributes": wire.TypedQuery(e.describeLoadBalancerAttributes),
			"ModifyLoadBalancerAttributes":   wire.TypedQuery(e.modifyLoadBalancerAttributes),
			"DescribeCapacityReservation":    wire.TypedQuery(e.describeCapacityReservation),
			"SetSecurityGroups":              wire.TypedQuery(e.setSecurityGroups),
			"SetSubnets":                     wire.TypedQuery(e.setSubnets),
			"SetIpAddressType":               wire.TypedQuery(e.setIPAddressType),

			"CreateListener":             wire.TypedQuery(e.createListener),
			"DescribeListeners":          wire.TypedQuery(e.describeListeners),
			"ModifyListener":             wire.TypedQuery(e.modifyListener),
			"DeleteListener":             wire.TypedQuery(e.deleteListener),
			"DescribeListenerAttributes": wire.TypedQuery(e.describeListenerAttributes),
			"ModifyListenerAttributes":   wire.TypedQuery(e.modifyListenerAttributes),

			"CreateRule":        wire.TypedQuery(e.createRule),
			"DescribeRules":     wire.TypedQuery(e.describeRules),
			"ModifyRule":        wire.TypedQuery(e.modifyRule),
			"DeleteRule":        wire.TypedQuery(e.deleteRule),
			"SetRulePriorities": wire.TypedQuery(e.setRulePriorities),

			"AddTags":      wire.TypedQuery(e.addTags),
			"RemoveTags":   wire.TypedQuery(e.removeTags),
			"DescribeTags": wire.TypedQuery(e.describeTags),
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
