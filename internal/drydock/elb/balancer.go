package elb

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// balancer is a load balancer. It is active as soon as it is created.
type balancer struct {
	Info       types.LoadBalancer
	Attributes map[string]string
	Tags       map[string]string
}

func balancerNotFound(arn string) error {
	return wire.Errorf("LoadBalancerNotFound", "Load balancers '[%s]' not found", arn)
}

func (e *ELB) balancer(arn *string) (*balancer, error) {
	b := e.balancers[aws.ToString(arn)]
	if b == nil {
		return nil, balancerNotFound(aws.ToString(arn))
	}
	return b, nil
}

func (e *ELB) createLoadBalancer(_ context.Context, in *elbv2.CreateLoadBalancerInput) (*elbv2.CreateLoadBalancerOutput, error) {
	if err := checkName("Load balancer", aws.ToString(in.Name)); err != nil {
		return nil, err
	}
	kind := cmp.Or(in.Type, types.LoadBalancerTypeEnumApplication)
	if kind != types.LoadBalancerTypeEnumApplication && kind != types.LoadBalancerTypeEnumNetwork {
		return nil, invalid("Load balancers of the type '%s' are not supported by drydock", kind)
	}
	scheme := cmp.Or(in.Scheme, types.LoadBalancerSchemeEnumInternetFacing)
	if !slices.Contains(scheme.Values(), scheme) {
		return nil, wire.Errorf("InvalidScheme", "Scheme '%s' is not valid", scheme)
	}
	zones, err := e.zones(kind, in.Subnets, in.SubnetMappings)
	if err != nil {
		return nil, err
	}
	given, err := newTags(in.Tags)
	if err != nil {
		return nil, err
	}
	out := &elbv2.CreateLoadBalancerOutput{}
	return out, e.change(func(now time.Time) error {
		for _, b := range e.balancers {
			if *b.Info.LoadBalancerName != *in.Name {
				continue
			}
			if b.Info.Type != kind || b.Info.Scheme != scheme || !slices.Equal(b.Info.SecurityGroups, in.SecurityGroups) || len(b.Info.AvailabilityZones) != len(zones) {
				return wire.Errorf("DuplicateLoadBalancerName", "A load balancer with the same name '%s' exists, but with different settings", *in.Name)
			}
			out.LoadBalancers = []types.LoadBalancer{b.Info}
			return nil
		}
		id := e.id()
		b := &balancer{
			Info: types.LoadBalancer{
				LoadBalancerName: in.Name, Type: kind, Scheme: scheme, CreatedTime: &now, AvailabilityZones: zones, SecurityGroups: in.SecurityGroups,
				IpAddressType: cmp.Or(in.IpAddressType, types.IpAddressTypeIpv4), State: &types.LoadBalancerState{Code: types.LoadBalancerStateEnumActive},
				VpcId: aws.String("vpc-0d57d0c0d57d0c0d5"), CanonicalHostedZoneId: aws.String("Z14GRHDCWA56QT"),
			},
			Attributes: balancerAttributes(kind), Tags: given,
		}
		prefix := "app"
		b.Info.DNSName = aws.String(fmt.Sprintf("%s-%d.%s.elb.amazonaws.com", *in.Name, 1_000_000_000+e.rand.IntN(1_000_000_000), e.Region))
		if kind == types.LoadBalancerTypeEnumNetwork {
			prefix = "net"
			b.Info.DNSName = aws.String(*in.Name + "-" + id + ".elb." + e.Region + ".amazonaws.com")
		}
		if scheme == types.LoadBalancerSchemeEnumInternal {
			b.Info.DNSName = aws.String("internal-" + *b.Info.DNSName)
		}
		b.Info.LoadBalancerArn = aws.String(e.arn("loadbalancer/" + prefix + "/" + *in.Name + "/" + id))
		e.balancers[*b.Info.LoadBalancerArn] = b
		e.markBalancer(b)
		out.LoadBalancers = []types.LoadBalancer{b.Info}
		return nil
	})
}

// zones are the zones of the subnets. There is no VPC here: every subnet is
// taken for one of a zone of its own.
func (e *ELB) zones(kind types.LoadBalancerTypeEnum, subnets []string, mappings []types.SubnetMapping) ([]types.AvailabilityZone, error) {
	if len(subnets) > 0 && len(mappings) > 0 {
		return nil, invalid("You cannot specify both subnets and subnet mappings")
	}
	for _, m := range mappings {
		subnets = append(subnets, aws.ToString(m.SubnetId))
	}
	switch {
	case len(subnets) == 0:
		return nil, invalid("At least one subnet must be specified")
	case slices.Contains(subnets, ""):
		return nil, invalid("A subnet ID must be specified")
	case kind == types.LoadBalancerTypeEnumApplication && len(subnets) < 2:
		return nil, invalid("At least two subnets in two different Availability Zones must be specified")
	case len(subnets) > 6:
		return nil, invalid("At most six subnets can be specified")
	}
	var out []types.AvailabilityZone
	for i, subnet := range slices.Sorted(slices.Values(subnets)) {
		if len(out) > 0 && *out[len(out)-1].SubnetId == subnet {
			return nil, wire.Errorf("InvalidConfigurationRequest", "A load balancer cannot be attached to multiple subnets in the same Availability Zone")
		}
		out = append(out, types.AvailabilityZone{SubnetId: aws.String(subnet), ZoneName: aws.String(e.Region + string("abcdef"[i])), LoadBalancerAddresses: []types.LoadBalancerAddress{}})
	}
	return out, nil
}

func (e *ELB) describeLoadBalancers(_ context.Context, in *elbv2.DescribeLoadBalancersInput) (*elbv2.DescribeLoadBalancersOutput, error) {
	out := &elbv2.DescribeLoadBalancersOutput{LoadBalancers: []types.LoadBalancer{}}
	return out, e.change(func(time.Time) error {
		var found []types.LoadBalancer
		seen := map[string]bool{}
		for _, b := range inOrder(e.balancers) {
			arn, name := *b.Info.LoadBalancerArn, *b.Info.LoadBalancerName
			if len(in.LoadBalancerArns)+len(in.Names) > 0 && !slices.Contains(in.LoadBalancerArns, arn) && !slices.Contains(in.Names, name) {
				continue
			}
			seen[arn], seen[name] = true, true
			found = append(found, b.Info)
		}
		for _, wanted := range slices.Concat(in.LoadBalancerArns, in.Names) {
			if !seen[wanted] {
				return balancerNotFound(wanted)
			}
		}
		shown, next, err := page(found, in.Marker, in.PageSize)
		out.LoadBalancers, out.NextMarker = append(out.LoadBalancers, shown...), next
		return err
	})
}

// deleteLoadBalancer takes a load balancer with its listeners and rules. One
// that is not there is no error (API reference).
func (e *ELB) deleteLoadBalancer(_ context.Context, in *elbv2.DeleteLoadBalancerInput) (*elbv2.DeleteLoadBalancerOutput, error) {
	arn := aws.ToString(in.LoadBalancerArn)
	if arn == "" {
		return nil, invalid("A load balancer ARN must be specified")
	}
	return &elbv2.DeleteLoadBalancerOutput{}, e.change(func(time.Time) error {
		b := e.balancers[arn]
		if b == nil {
			return nil
		}
		if b.Attributes[protectionKey] == "true" {
			return wire.Errorf("OperationNotPermitted", "Load balancer '%s' cannot be deleted because deletion protection is enabled", arn)
		}
		for _, l := range inOrder(e.listeners) {
			if *l.Info.LoadBalancerArn == arn {
				e.forgetListener(l)
			}
		}
		delete(e.balancers, arn)
		e.dirty.Delete(bucketBalancers, arn)
		return nil
	})
}

// onBalancer changes one load balancer.
func (e *ELB) onBalancer(arn *string, change func(*balancer) error) error {
	return e.change(func(time.Time) error {
		b, err := e.balancer(arn)
		if err != nil {
			return err
		}
		if err := change(b); err != nil {
			return err
		}
		e.markBalancer(b)
		return nil
	})
}

func balancerAttribute(key, value string) types.LoadBalancerAttribute {
	return types.LoadBalancerAttribute{Key: &key, Value: &value}
}

func (e *ELB) describeLoadBalancerAttributes(_ context.Context, in *elbv2.DescribeLoadBalancerAttributesInput) (*elbv2.DescribeLoadBalancerAttributesOutput, error) {
	out := &elbv2.DescribeLoadBalancerAttributesOutput{}
	return out, e.change(func(time.Time) error {
		b, err := e.balancer(in.LoadBalancerArn)
		if err == nil {
			out.Attributes = shown(b.Attributes, balancerAttribute)
		}
		return err
	})
}

func (e *ELB) modifyLoadBalancerAttributes(_ context.Context, in *elbv2.ModifyLoadBalancerAttributesInput) (*elbv2.ModifyLoadBalancerAttributesOutput, error) {
	out := &elbv2.ModifyLoadBalancerAttributesOutput{}
	return out, e.onBalancer(in.LoadBalancerArn, func(b *balancer) error {
		var request []given
		for _, a := range in.Attributes {
			request = append(request, given{a.Key, a.Value})
		}
		next, err := withAttributes("Load balancer", b.Attributes, request)
		if err != nil {
			return err
		}
		b.Attributes = next
		out.Attributes = shown(maps.Clone(next), balancerAttribute)
		return nil
	})
}

// describeCapacityReservation says that no capacity is reserved: nothing here
// reserves any.
func (e *ELB) describeCapacityReservation(_ context.Context, in *elbv2.DescribeCapacityReservationInput) (*elbv2.DescribeCapacityReservationOutput, error) {
	return &elbv2.DescribeCapacityReservationOutput{DecreaseRequestsRemaining: aws.Int32(2), CapacityReservationState: []types.ZonalCapacityReservationState{}}, e.change(func(time.Time) error {
		_, err := e.balancer(in.LoadBalancerArn)
		return err
	})
}

func (e *ELB) setSecurityGroups(_ context.Context, in *elbv2.SetSecurityGroupsInput) (*elbv2.SetSecurityGroupsOutput, error) {
	if len(in.SecurityGroups) == 0 || slices.Contains(in.SecurityGroups, "") {
		return nil, invalid("At least one security group must be specified")
	}
	return &elbv2.SetSecurityGroupsOutput{SecurityGroupIds: in.SecurityGroups}, e.onBalancer(in.LoadBalancerArn, func(b *balancer) error {
		b.Info.SecurityGroups = in.SecurityGroups
		return nil
	})
}

func (e *ELB) setSubnets(_ context.Context, in *elbv2.SetSubnetsInput) (*elbv2.SetSubnetsOutput, error) {
	out := &elbv2.SetSubnetsOutput{}
	return out, e.onBalancer(in.LoadBalancerArn, func(b *balancer) error {
		zones, err := e.zones(b.Info.Type, in.Subnets, in.SubnetMappings)
		if err != nil {
			return err
		}
		b.Info.AvailabilityZones, b.Info.IpAddressType = zones, cmp.Or(in.IpAddressType, b.Info.IpAddressType)
		out.AvailabilityZones, out.IpAddressType = zones, b.Info.IpAddressType
		return nil
	})
}

func (e *ELB) setIPAddressType(_ context.Context, in *elbv2.SetIpAddressTypeInput) (*elbv2.SetIpAddressTypeOutput, error) {
	if !slices.Contains(in.IpAddressType.Values(), in.IpAddressType) {
		return nil, invalid("IP address type '%s' is not valid", in.IpAddressType)
	}
	return &elbv2.SetIpAddressTypeOutput{IpAddressType: in.IpAddressType}, e.onBalancer(in.LoadBalancerArn, func(b *balancer) error {
		b.Info.IpAddressType = in.IpAddressType
		return nil
	})
}

// balancersOf are the load balancers that forward to a target group.
func (e *ELB) balancersOf(group string) []string {
	arns := []string{}
	for _, r := range inOrder(e.rules) {
		if slices.Contains(forwardsTo(r.Info.Actions), group) {
			arns = append(arns, *e.listeners[r.Listener].Info.LoadBalancerArn)
		}
	}
	slices.Sort(arns)
	return slices.Compact(arns)
}

// inUse are the target groups that a listener or rule forwards to. A
// listener's default action is a rule too.
func (e *ELB) inUse() map[string]bool {
	out := map[string]bool{}
	for _, r := range e.rules {
		for _, arn := range forwardsTo(r.Info.Actions) {
			out[arn] = true
		}
	}
	return out
}

// child makes the ARN of what belongs to a resource: the listener of a load
// balancer, the rule of a listener.
func (e *ELB) child(kind, parent string) string {
	_, resource, _ := strings.Cut(parent, "/")
	return e.arn(kind + "/" + resource + "/" + e.id())
}
