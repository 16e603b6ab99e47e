package elb

import (
	"cmp"
	"context"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// group is a target group.
type group struct {
	Info       types.TargetGroup // without its load balancers
	Attributes map[string]string
	Tags       map[string]string
	Static     []types.TargetDescription // targets that were registered by hand

	targets []*target
	used    bool // a listener or rule forwards to it
}

func (g *group) name() string { return *g.Info.TargetGroupName }

// delay is the deregistration delay.
func (g *group) delay() time.Duration {
	n, _ := strconv.Atoi(g.Attributes[delayKey]) // checked when it was set
	return time.Duration(n) * time.Second
}

func groupNotFound() error {
	return wire.Errorf("TargetGroupNotFound", "One or more target groups not found")
}

func (e *ELB) group(arn *string) (*group, error) {
	g := e.groups[aws.ToString(arn)]
	if g == nil {
		return nil, groupNotFound()
	}
	return g, nil
}

func (e *ELB) showGroup(g *group) types.TargetGroup {
	out := g.Info
	out.LoadBalancerArns = e.balancersOf(*g.Info.TargetGroupArn)
	return out
}

func (e *ELB) createTargetGroup(_ context.Context, in *elbv2.CreateTargetGroupInput) (*elbv2.CreateTargetGroupOutput, error) {
	info, err := newGroup(in)
	if err != nil {
		return nil, err
	}
	given, err := newTags(in.Tags)
	if err != nil {
		return nil, err
	}
	out := &elbv2.CreateTargetGroupOutput{}
	return out, e.change(func(time.Time) error {
		for _, g := range e.groups {
			if g.name() != *in.Name {
				continue
			}
			same := g.Info
			same.TargetGroupArn = nil
			if !reflect.DeepEqual(same, info) {
				return wire.Errorf("DuplicateTargetGroupName", "A target group with the same name '%s' exists, but with different settings", *in.Name)
			}
			out.TargetGroups = []types.TargetGroup{e.showGroup(g)}
			return nil
		}
		g := &group{Info: info, Attributes: groupAttributes(info.Protocol), Tags: given}
		g.Info.TargetGroupArn = aws.String(e.arn("targetgroup/" + *in.Name + "/" + e.id()))
		e.groups[*g.Info.TargetGroupArn] = g
		e.markGroup(g)
		out.TargetGroups = []types.TargetGroup{e.showGroup(g)}
		return nil
	})
}

// newGroup checks a request and fills in AWS's defaults.
func newGroup(in *elbv2.CreateTargetGroupInput) (types.TargetGroup, error) {
	g := types.TargetGroup{
		TargetGroupName: in.Name, TargetType: cmp.Or(in.TargetType, types.TargetTypeEnumInstance), IpAddressType: cmp.Or(in.IpAddressType, types.TargetGroupIpAddressTypeEnumIpv4),
		Protocol: in.Protocol, Port: in.Port, VpcId: in.VpcId,
		HealthCheckEnabled: aws.Bool(true), HealthCheckPath: in.HealthCheckPath, HealthCheckPort: cmp.Or(in.HealthCheckPort, aws.String("traffic-port")),
		HealthCheckProtocol: in.HealthCheckProtocol, HealthCheckIntervalSeconds: cmp.Or(in.HealthCheckIntervalSeconds, aws.Int32(30)), HealthCheckTimeoutSeconds: in.HealthCheckTimeoutSeconds,
		HealthyThresholdCount: cmp.Or(in.HealthyThresholdCount, aws.Int32(5)), UnhealthyThresholdCount: cmp.Or(in.UnhealthyThresholdCount, aws.Int32(2)),
		Matcher: in.Matcher,
	}
	if aws.ToString(in.ProtocolVersion) != "" { // Terraform sends an empty one
		g.ProtocolVersion = in.ProtocolVersion
	}
	if err := checkName("Target group", aws.ToString(in.Name)); err != nil {
		return g, err
	}
	switch {
	case !slices.Contains(g.TargetType.Values(), g.TargetType):
		return g, invalid("Target type '%s' is not valid", g.TargetType)
	case g.TargetType == types.TargetTypeEnumLambda || g.TargetType == types.TargetTypeEnumAlb:
		return g, invalid("Target groups of the type '%s' are not supported by drydock", g.TargetType)
	case in.Protocol == "":
		return g, invalid("A protocol must be specified")
	case !slices.Contains(in.Protocol.Values(), in.Protocol) || in.Protocol == types.ProtocolEnumGeneve:
		return g, invalid("Protocol '%s' is not valid", in.Protocol)
	case in.Port == nil:
		return g, invalid("A port must be specified")
	case aws.ToString(in.VpcId) == "":
		return g, invalid("A VPC ID must be specified")
	case in.HealthCheckEnabled != nil && !*in.HealthCheckEnabled:
		return g, wire.Errorf("InvalidConfigurationRequest", "Health check enabled must be true for target groups with target type '%s'", g.TargetType)
	}
	if balancedByApplication(g.Protocol) {
		g.ProtocolVersion = cmp.Or(g.ProtocolVersion, aws.String("HTTP1"))
		if v := *g.ProtocolVersion; v == "GRPC" {
			return g, invalid("Protocol version 'GRPC' is not supported by drydock")
		} else if v != "HTTP1" && v != "HTTP2" {
			return g, invalid("Protocol version '%s' is not valid", v)
		}
	} else if g.ProtocolVersion != nil {
		return g, invalid("Protocol version cannot be specified for target groups with protocol '%s'", g.Protocol)
	}
	g.HealthCheckProtocol = cmp.Or(g.HealthCheckProtocol, defaultCheck(g.Protocol))
	withCheckDefaults(&g)
	if err := checkRange("Port", in.Port, 1, 65535); err != nil {
		return g, err
	}
	return g, checkHealthCheck(g)
}

func defaultCheck(p types.ProtocolEnum) types.ProtocolEnum {
	if balancedByApplication(p) {
		return types.ProtocolEnumHttp
	}
	return types.ProtocolEnumTcp
}

// withCheckDefaults fills in what depends on the protocol of the check. The
// default timeout of HTTP checks is 5 seconds for Application Load Balancers
// and 6 for Network Load Balancers, whose guides differ in it.
func withCheckDefaults(g *types.TargetGroup) {
	if g.HealthCheckProtocol == types.ProtocolEnumTcp {
		g.HealthCheckTimeoutSeconds = cmp.Or(g.HealthCheckTimeoutSeconds, aws.Int32(10))
		return
	}
	timeout, codes := int32(5), "200"
	if !balancedByApplication(g.Protocol) {
		timeout, codes = 6, "200-399"
		if g.HealthCheckProtocol == types.ProtocolEnumHttps {
			timeout = 10
		}
	}
	g.HealthCheckTimeoutSeconds = cmp.Or(g.HealthCheckTimeoutSeconds, &timeout)
	g.HealthCheckPath = cmp.Or(g.HealthCheckPath, aws.String("/"))
	if g.Matcher == nil || g.Matcher.HttpCode == nil && g.Matcher.GrpcCode == nil {
		g.Matcher = &types.Matcher{HttpCode: &codes}
	}
}

func checkHealthCheck(g types.TargetGroup) error {
	switch g.HealthCheckProtocol {
	case types.ProtocolEnumHttp, types.ProtocolEnumHttps:
	case types.ProtocolEnumTcp:
		if balancedByApplication(g.Protocol) {
			return invalid("Health check protocol 'TCP' is not supported for target groups with protocol '%s'", g.Protocol)
		}
		if g.HealthCheckPath != nil || g.Matcher != nil {
			return wire.Errorf("InvalidConfigurationRequest", "You cannot specify a health check path or matcher for health checks with protocol 'TCP'")
		}
	default:
		return invalid("Health check protocol '%s' is not valid", g.HealthCheckProtocol)
	}
	for _, err := range []error{
		checkRange("Health check interval", g.HealthCheckIntervalSeconds, 5, 300),
		checkRange("Health check timeout", g.HealthCheckTimeoutSeconds, 2, 120),
		checkRange("Healthy threshold count", g.HealthyThresholdCount, 2, 10),
		checkRange("Unhealthy threshold count", g.UnhealthyThresholdCount, 2, 10),
	} {
		if err != nil {
			return err
		}
	}
	if *g.HealthCheckTimeoutSeconds >= *g.HealthCheckIntervalSeconds && balancedByApplication(g.Protocol) {
		return invalid("Health check timeout '%d' must be smaller than the interval '%d'", *g.HealthCheckTimeoutSeconds, *g.HealthCheckIntervalSeconds)
	}
	if p := *g.HealthCheckPort; p != "traffic-port" {
		if n, err := strconv.Atoi(p); err != nil || n < 1 || n > 65535 {
			return invalid("Health check port '%s' must be 'traffic-port' or a number from '1' to '65535'", p)
		}
	}
	if p := g.HealthCheckPath; p != nil && (!strings.HasPrefix(*p, "/") || len(*p) > 1024) {
		return invalid("Health check path '%s' must begin with a '/' character and have at most '1024' characters", *p)
	}
	if g.Matcher == nil {
		return nil
	}
	if g.Matcher.HttpCode == nil {
		return invalid("gRPC codes are not valid for target groups with this protocol version")
	}
	if _, err := parseCodes(*g.Matcher.HttpCode); err != nil {
		return invalid("Health check matcher HTTP code '%s' must be within '200-499' inclusive", *g.Matcher.HttpCode)
	}
	return nil
}

func (e *ELB) describeTargetGroups(_ context.Context, in *elbv2.DescribeTargetGroupsInput) (*elbv2.DescribeTargetGroupsOutput, error) {
	out := &elbv2.DescribeTargetGroupsOutput{TargetGroups: []types.TargetGroup{}}
	return out, e.change(func(time.Time) error {
		var found []types.TargetGroup
		seen := map[string]bool{}
		for _, g := range inOrder(e.groups) {
			shown := e.showGroup(g)
			arn := *shown.TargetGroupArn
			if in.LoadBalancerArn != nil && !slices.Contains(shown.LoadBalancerArns, *in.LoadBalancerArn) ||
				len(in.TargetGroupArns) > 0 && !slices.Contains(in.TargetGroupArns, arn) ||
				len(in.Names) > 0 && !slices.Contains(in.Names, g.name()) {
				continue
			}
			seen[arn], seen[g.name()] = true, true
			found = append(found, shown)
		}
		for _, wanted := range slices.Concat(in.TargetGroupArns, in.Names) {
			if !seen[wanted] {
				return groupNotFound()
			}
		}
		if in.LoadBalancerArn != nil && e.balancers[*in.LoadBalancerArn] == nil {
			return balancerNotFound(*in.LoadBalancerArn)
		}
		shown, next, err := page(found, in.Marker, in.PageSize)
		out.TargetGroups, out.NextMarker = append(out.TargetGroups, shown...), next
		return err
	})
}

func (e *ELB) modifyTargetGroup(_ context.Context, in *elbv2.ModifyTargetGroupInput) (*elbv2.ModifyTargetGroupOutput, error) {
	out := &elbv2.ModifyTargetGroupOutput{}
	return out, e.change(func(now time.Time) error {
		g, err := e.group(in.TargetGroupArn)
		if err != nil {
			return err
		}
		next := g.Info
		next.HealthCheckProtocol = cmp.Or(in.HealthCheckProtocol, next.HealthCheckProtocol)
		next.HealthCheckPort = cmp.Or(in.HealthCheckPort, next.HealthCheckPort)
		next.HealthCheckPath = cmp.Or(in.HealthCheckPath, next.HealthCheckPath)
		next.HealthCheckIntervalSeconds = cmp.Or(in.HealthCheckIntervalSeconds, next.HealthCheckIntervalSeconds)
		next.HealthCheckTimeoutSeconds = cmp.Or(in.HealthCheckTimeoutSeconds, next.HealthCheckTimeoutSeconds)
		next.HealthyThresholdCount = cmp.Or(in.HealthyThresholdCount, next.HealthyThresholdCount)
		next.UnhealthyThresholdCount = cmp.Or(in.UnhealthyThresholdCount, next.UnhealthyThresholdCount)
		next.Matcher = cmp.Or(in.Matcher, next.Matcher)
		if next.HealthCheckProtocol != g.Info.HealthCheckProtocol && next.HealthCheckProtocol == types.ProtocolEnumTcp {
			next.HealthCheckPath, next.Matcher = in.HealthCheckPath, in.Matcher
		}
		withCheckDefaults(&next)
		if in.HealthCheckEnabled != nil && !*in.HealthCheckEnabled {
			return wire.Errorf("InvalidConfigurationRequest", "Health check enabled must be true for target groups with target type '%s'", next.TargetType)
		}
		if err := checkHealthCheck(next); err != nil {
			return err
		}
		g.Info = next
		e.markGroup(g)
		for _, t := range g.targets {
			e.soon(g, t, now)
		}
		out.TargetGroups = []types.TargetGroup{e.showGroup(g)}
		return nil
	})
}

// deleteTargetGroup takes a group away with its targets. One that is not there
// is no error (API reference: the call has no such error). ECS services that
// use it are not asked.
func (e *ELB) deleteTargetGroup(_ context.Context, in *elbv2.DeleteTargetGroupInput) (*elbv2.DeleteTargetGroupOutput, error) {
	arn := aws.ToString(in.TargetGroupArn)
	if arn == "" {
		return nil, invalid("A target group ARN must be specified")
	}
	return &elbv2.DeleteTargetGroupOutput{}, e.change(func(time.Time) error {
		g := e.groups[arn]
		if g == nil {
			return nil
		}
		if e.inUse()[arn] {
			return wire.Errorf("ResourceInUse", "Target group '%s' is currently in use by a listener or a rule", arn)
		}
		for _, t := range slices.Clone(g.targets) {
			e.drop(g, t)
		}
		delete(e.groups, arn)
		e.dirty.Delete(bucketGroups, arn)
		return nil
	})
}

func (e *ELB) describeTargetGroupAttributes(_ context.Context, in *elbv2.DescribeTargetGroupAttributesInput) (*elbv2.DescribeTargetGroupAttributesOutput, error) {
	out := &elbv2.DescribeTargetGroupAttributesOutput{}
	return out, e.change(func(time.Time) error {
		g, err := e.group(in.TargetGroupArn)
		if err == nil {
			out.Attributes = shown(g.Attributes, groupAttribute)
		}
		return err
	})
}

func groupAttribute(key, value string) types.TargetGroupAttribute {
	return types.TargetGroupAttribute{Key: &key, Value: &value}
}

func (e *ELB) modifyTargetGroupAttributes(_ context.Context, in *elbv2.ModifyTargetGroupAttributesInput) (*elbv2.ModifyTargetGroupAttributesOutput, error) {
	out := &elbv2.ModifyTargetGroupAttributesOutput{}
	return out, e.change(func(time.Time) error {
		g, err := e.group(in.TargetGroupArn)
		if err != nil {
			return err
		}
		var request []given
		for _, a := range in.Attributes {
			request = append(request, given{a.Key, a.Value})
		}
		next, err := withAttributes("Target group", g.Attributes, request)
		if err != nil {
			return err
		}
		g.Attributes = next
		e.markGroup(g)
		out.Attributes = shown(maps.Clone(next), groupAttribute)
		return nil
	})
}

// codes are the statuses that a health check takes for a success.
type codes []struct{ from, to int }

// parseCodes reads "200", "200,302" or "200-299".
func parseCodes(matcher string) (codes, error) {
	var out codes
	for part := range strings.SplitSeq(matcher, ",") {
		first, last, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			last = first
		}
		from, err := strconv.Atoi(first)
		if err != nil {
			return nil, err
		}
		to, err := strconv.Atoi(last)
		if err != nil {
			return nil, err
		}
		if from < 200 || to > 599 || from > to {
			return nil, strconv.ErrRange
		}
		out = append(out, struct{ from, to int }{from, to})
	}
	return out, nil
}

func (c codes) match(code int) bool {
	return slices.ContainsFunc(c, func(r struct{ from, to int }) bool { return r.from <= code && code <= r.to })
}
