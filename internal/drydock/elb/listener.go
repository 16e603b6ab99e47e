package elb

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// listener is a listener of a load balancer.
type listener struct {
	Info       types.Listener
	Attributes map[string]string
	Tags       map[string]string
}

// rule is a rule of a listener; the default one has its default actions.
type rule struct {
	Info     types.Rule
	Listener string // ARN
	Tags     map[string]string
}

const defaultPriority = "default"

func (e *ELB) listener(arn *string) (*listener, error) {
	l := e.listeners[aws.ToString(arn)]
	if l == nil {
		return nil, wire.Errorf("ListenerNotFound", "One or more listeners not found")
	}
	return l, nil
}

func (e *ELB) rule(arn *string) (*rule, error) {
	r := e.rules[aws.ToString(arn)]
	if r == nil {
		return nil, wire.Errorf("RuleNotFound", "One or more rules not found")
	}
	return r, nil
}

// forwardsTo are the target groups of actions, by ARN.
func forwardsTo(actions []types.Action) []string {
	var out []string
	for _, a := range actions {
		if a.ForwardConfig != nil {
			for _, g := range a.ForwardConfig.TargetGroups {
				out = append(out, *g.TargetGroupArn)
			}
		}
	}
	return out
}

// complete checks actions and fills in what AWS shows of them: a forward to
// one target group is shown in both of its forms.
func (e *ELB) complete(b *balancer, protocol types.ProtocolEnum, actions []types.Action) ([]types.Action, error) {
	if len(actions) == 0 {
		return nil, invalid("Actions must be specified")
	}
	if len(actions) > 10 {
		return nil, wire.Errorf("TooManyActions", "A rule can have at most 10 actions")
	}
	out := slices.Clone(actions)
	for i := range out {
		a := &out[i]
		switch a.Type {
		case types.ActionTypeEnumForward:
			if err := e.completeForward(b, protocol, a); err != nil {
				return nil, err
			}
		case types.ActionTypeEnumFixedResponse:
			if a.FixedResponseConfig == nil || aws.ToString(a.FixedResponseConfig.StatusCode) == "" {
				return nil, invalid("A status code must be specified for a fixed-response action")
			}
		case types.ActionTypeEnumRedirect:
			if a.RedirectConfig == nil || a.RedirectConfig.StatusCode == "" {
				return nil, invalid("A status code must be specified for a redirect action")
			}
			whole := *a.RedirectConfig
			whole.Host, whole.Path = cmp.Or(whole.Host, aws.String("#{host}")), cmp.Or(whole.Path, aws.String("/#{path}"))
			whole.Port, whole.Protocol = cmp.Or(whole.Port, aws.String("#{port}")), cmp.Or(whole.Protocol, aws.String("#{protocol}"))
			whole.Query = cmp.Or(whole.Query, aws.String("#{query}"))
			a.RedirectConfig = &whole
		case types.ActionTypeEnumAuthenticateCognito, types.ActionTypeEnumAuthenticateOidc, types.ActionTypeEnumJwtValidation:
			return nil, wire.Errorf("InvalidLoadBalancerAction", "Actions of the type '%s' are not supported by drydock", a.Type)
		default:
			return nil, invalid("Action type '%s' is not valid", a.Type)
		}
		if b.Info.Type == types.LoadBalancerTypeEnumNetwork && a.Type != types.ActionTypeEnumForward {
			return nil, wire.Errorf("InvalidLoadBalancerAction", "Actions of the type '%s' are not supported by network load balancers", a.Type)
		}
	}
	return out, nil
}

func (e *ELB) completeForward(b *balancer, protocol types.ProtocolEnum, a *types.Action) error {
	forward := types.ForwardActionConfig{}
	if a.ForwardConfig != nil {
		forward = *a.ForwardConfig
	}
	if len(forward.TargetGroups) == 0 {
		if aws.ToString(a.TargetGroupArn) == "" {
			return invalid("A target group ARN must be specified")
		}
		forward.TargetGroups = []types.TargetGroupTuple{{TargetGroupArn: a.TargetGroupArn}}
	} else if a.TargetGroupArn != nil && (len(forward.TargetGroups) != 1 || aws.ToString(forward.TargetGroups[0].TargetGroupArn) != *a.TargetGroupArn) {
		return wire.Errorf("InvalidLoadBalancerAction", "You cannot specify both a target group ARN and another forward configuration")
	}
	if len(forward.TargetGroups) > 5 {
		return wire.Errorf("TooManyUniqueTargetGroupsPerLoadBalancer", "An action can forward to at most 5 target groups")
	}
	forward.TargetGroups = slices.Clone(forward.TargetGroups)
	for i := range forward.TargetGroups {
		tuple := &forward.TargetGroups[i]
		g, err := e.group(tuple.TargetGroupArn)
		if err != nil {
			return err
		}
		if balancedByApplication(g.Info.Protocol) != balancedByApplication(protocol) {
			return wire.Errorf("IncompatibleProtocols", "The protocol '%s' of target group '%s' does not fit a listener with protocol '%s'", g.Info.Protocol, *tuple.TargetGroupArn, protocol)
		}
		for _, other := range e.balancersOf(*tuple.TargetGroupArn) {
			if other != *b.Info.LoadBalancerArn {
				return wire.Errorf("TargetGroupAssociationLimit", "The following target groups cannot be associated with more than one load balancer: %s", *tuple.TargetGroupArn)
			}
		}
		if balancedByApplication(protocol) {
			if err := checkRange("Weight", tuple.Weight, 0, 999); err != nil {
				return err
			}
			tuple.Weight = cmp.Or(tuple.Weight, aws.Int32(1))
		}
	}
	if balancedByApplication(protocol) && forward.TargetGroupStickinessConfig == nil {
		forward.TargetGroupStickinessConfig = &types.TargetGroupStickinessConfig{Enabled: aws.Bool(false)}
	}
	a.ForwardConfig, a.TargetGroupArn = &forward, nil
	if len(forward.TargetGroups) == 1 {
		a.TargetGroupArn = forward.TargetGroups[0].TargetGroupArn
	}
	return nil
}

// checkListener holds a listener to the protocols of its load balancer.
func (e *ELB) checkListener(b *balancer, l types.Listener) error {
	application := b.Info.Type == types.LoadBalancerTypeEnumApplication
	switch {
	case l.Port == nil:
		return invalid("A port must be specified")
	case l.Protocol == "":
		return invalid("A listener protocol must be specified")
	case !slices.Contains(l.Protocol.Values(), l.Protocol) || l.Protocol == types.ProtocolEnumGeneve || application != balancedByApplication(l.Protocol):
		return wire.Errorf("UnsupportedProtocol", "Listener protocol '%s' is not supported by load balancers of the type '%s'", l.Protocol, b.Info.Type)
	case (l.Protocol == types.ProtocolEnumHttps || l.Protocol == types.ProtocolEnumTls) && len(l.Certificates) == 0:
		return invalid("A certificate must be specified for %s listeners", l.Protocol)
	}
	if err := checkRange("Port", l.Port, 1, 65535); err != nil {
		return err
	}
	for _, other := range e.listeners {
		if *other.Info.LoadBalancerArn == *b.Info.LoadBalancerArn && *other.Info.Port == *l.Port && aws.ToString(other.Info.ListenerArn) != aws.ToString(l.ListenerArn) {
			return wire.Errorf("DuplicateListener", "A listener already exists on this port for this load balancer '%s'", *b.Info.LoadBalancerArn)
		}
	}
	return nil
}

func (e *ELB) createListener(_ context.Context, in *elbv2.CreateListenerInput) (*elbv2.CreateListenerOutput, error) {
	given, err := newTags(in.Tags)
	if err != nil {
		return nil, err
	}
	out := &elbv2.CreateListenerOutput{}
	return out, e.change(func(time.Time) error {
		b, err := e.balancer(in.LoadBalancerArn)
		if err != nil {
			return err
		}
		l := &listener{
			Info: types.Listener{
				LoadBalancerArn: in.LoadBalancerArn, Port: in.Port, Protocol: in.Protocol,
				Certificates: in.Certificates, SslPolicy: in.SslPolicy, AlpnPolicy: in.AlpnPolicy, MutualAuthentication: in.MutualAuthentication,
			},
			Attributes: listenerAttributes(in.Protocol), Tags: given,
		}
		if err := e.checkListener(b, l.Info); err != nil {
			return err
		}
		if l.Info.DefaultActions, err = e.complete(b, in.Protocol, in.DefaultActions); err != nil {
			return err
		}
		withTLSDefaults(&l.Info)
		l.Info.ListenerArn = aws.String(e.child("listener", *in.LoadBalancerArn))
		e.listeners[*l.Info.ListenerArn] = l
		e.markListener(l)
		e.addRule(&rule{Listener: *l.Info.ListenerArn, Info: types.Rule{
			Priority: aws.String(defaultPriority), IsDefault: aws.Bool(true), Actions: l.Info.DefaultActions, Conditions: []types.RuleCondition{},
		}})
		out.Listeners = []types.Listener{l.Info}
		return nil
	})
}

func withTLSDefaults(l *types.Listener) {
	if l.Protocol != types.ProtocolEnumHttps && l.Protocol != types.ProtocolEnumTls {
		return
	}
	l.SslPolicy = cmp.Or(l.SslPolicy, aws.String("ELBSecurityPolicy-2016-08"))
	if l.Protocol == types.ProtocolEnumHttps && l.MutualAuthentication == nil {
		l.MutualAuthentication = &types.MutualAuthenticationAttributes{Mode: aws.String("off")}
	}
}

func (e *ELB) describeListeners(_ context.Context, in *elbv2.DescribeListenersInput) (*elbv2.DescribeListenersOutput, error) {
	if in.LoadBalancerArn == nil && len(in.ListenerArns) == 0 {
		return nil, invalid("You must specify either listener ARNs or a load balancer ARN")
	}
	out := &elbv2.DescribeListenersOutput{Listeners: []types.Listener{}}
	return out, e.change(func(time.Time) error {
		if in.LoadBalancerArn != nil {
			if _, err := e.balancer(in.LoadBalancerArn); err != nil {
				return err
			}
		}
		for _, arn := range in.ListenerArns {
			if _, err := e.listener(&arn); err != nil {
				return err
			}
		}
		var found []types.Listener
		for _, l := range inOrder(e.listeners) {
			if (in.LoadBalancerArn == nil || *in.LoadBalancerArn == *l.Info.LoadBalancerArn) && (len(in.ListenerArns) == 0 || slices.Contains(in.ListenerArns, *l.Info.ListenerArn)) {
				found = append(found, l.Info)
			}
		}
		shown, next, err := page(found, in.Marker, in.PageSize)
		out.Listeners, out.NextMarker = append(out.Listeners, shown...), next
		return err
	})
}

func (e *ELB) modifyListener(_ context.Context, in *elbv2.ModifyListenerInput) (*elbv2.ModifyListenerOutput, error) {
	out := &elbv2.ModifyListenerOutput{}
	return out, e.change(func(time.Time) error {
		l, err := e.listener(in.ListenerArn)
		if err != nil {
			return err
		}
		b, err := e.balancer(l.Info.LoadBalancerArn)
		if err != nil {
			return err
		}
		next := l.Info
		next.Port, next.Protocol = cmp.Or(in.Port, next.Port), cmp.Or(in.Protocol, next.Protocol)
		next.SslPolicy, next.MutualAuthentication = cmp.Or(in.SslPolicy, next.SslPolicy), cmp.Or(in.MutualAuthentication, next.MutualAuthentication)
		if in.Certificates != nil {
			next.Certificates = in.Certificates
		}
		if in.AlpnPolicy != nil {
			next.AlpnPolicy = in.AlpnPolicy
		}
		if next.Protocol == types.ProtocolEnumHttp || next.Protocol == types.ProtocolEnumTcp {
			next.SslPolicy, next.Certificates, next.MutualAuthentication = nil, nil, nil
		}
		if err := e.checkListener(b, next); err != nil {
			return err
		}
		if in.DefaultActions != nil {
			if next.DefaultActions, err = e.complete(b, next.Protocol, in.DefaultActions); err != nil {
				return err
			}
		}
		withTLSDefaults(&next)
		l.Info = next
		e.markListener(l)
		for _, r := range e.rulesOf(*l.Info.ListenerArn) {
			if *r.Info.IsDefault {
				r.Info.Actions = next.DefaultActions
				e.markRule(r)
			}
		}
		out.Listeners = []types.Listener{next}
		return nil
	})
}

func (e *ELB) deleteListener(_ context.Context, in *elbv2.DeleteListenerInput) (*elbv2.DeleteListenerOutput, error) {
	return &elbv2.DeleteListenerOutput{}, e.change(func(time.Time) error {
		l, err := e.listener(in.ListenerArn)
		if err == nil {
			e.forgetListener(l)
		}
		return err
	})
}

func (e *ELB) forgetListener(l *listener) {
	for _, r := range e.rulesOf(*l.Info.ListenerArn) {
		e.forgetRule(r)
	}
	delete(e.listeners, *l.Info.ListenerArn)
	e.dirty.Delete(bucketListeners, *l.Info.ListenerArn)
}

func listenerAttribute(key, value string) types.ListenerAttribute {
	return types.ListenerAttribute{Key: &key, Value: &value}
}

func (e *ELB) describeListenerAttributes(_ context.Context, in *elbv2.DescribeListenerAttributesInput) (*elbv2.DescribeListenerAttributesOutput, error) {
	out := &elbv2.DescribeListenerAttributesOutput{}
	return out, e.change(func(time.Time) error {
		l, err := e.listener(in.ListenerArn)
		if err == nil {
			out.Attributes = shown(l.Attributes, listenerAttribute)
		}
		return err
	})
}

func (e *ELB) modifyListenerAttributes(_ context.Context, in *elbv2.ModifyListenerAttributesInput) (*elbv2.ModifyListenerAttributesOutput, error) {
	out := &elbv2.ModifyListenerAttributesOutput{}
	return out, e.change(func(time.Time) error {
		l, err := e.listener(in.ListenerArn)
		if err != nil {
			return err
		}
		var request []given
		for _, a := range in.Attributes {
			request = append(request, given{a.Key, a.Value})
		}
		next, err := withAttributes("Listener", l.Attributes, request)
		if err != nil {
			return err
		}
		l.Attributes = next
		e.markListener(l)
		out.Attributes = shown(maps.Clone(next), listenerAttribute)
		return nil
	})
}

func (e *ELB) addRule(r *rule) {
	r.Info.RuleArn = aws.String(e.child("listener-rule", r.Listener))
	e.rules[*r.Info.RuleArn] = r
	e.markRule(r)
}

func (e *ELB) forgetRule(r *rule) {
	delete(e.rules, *r.Info.RuleArn)
	e.dirty.Delete(bucketRules, *r.Info.RuleArn)
}

// rulesOf are the rules of a listener by priority, the default one last.
func (e *ELB) rulesOf(listener string) []*rule {
	var out []*rule
	for _, r := range inOrder(e.rules) {
		if r.Listener == listener {
			out = append(out, r)
		}
	}
	rank := func(r *rule) int {
		if n, err := strconv.Atoi(*r.Info.Priority); err == nil {
			return n
		}
		return 1 << 20 // above every priority
	}
	slices.SortStableFunc(out, func(a, b *rule) int { return rank(a) - rank(b) })
	return out
}

// free refuses a priority that another rule of the listener has.
func (e *ELB) free(listener string, priority int32, self string) error {
	if priority < 1 || priority > 50000 {
		return invalid("Priority '%d' must be between '1' and '50000'", priority)
	}
	for _, r := range e.rulesOf(listener) {
		if *r.Info.Priority == strconv.Itoa(int(priority)) && *r.Info.RuleArn != self {
			return wire.Errorf("PriorityInUse", "Priority '%d' is currently in use", priority)
		}
	}
	return nil
}

// completeConditions checks conditions and fills in the second form in which
// AWS shows those on paths and hosts.
func completeConditions(conditions []types.RuleCondition) ([]types.RuleCondition, error) {
	if len(conditions) == 0 {
		return nil, invalid("A condition must be specified")
	}
	out := slices.Clone(conditions)
	for i := range out {
		c := &out[i]
		switch aws.ToString(c.Field) {
		case "path-pattern":
			if c.PathPatternConfig != nil && len(c.Values) == 0 {
				c.Values = c.PathPatternConfig.Values
			}
			c.PathPatternConfig = &types.PathPatternConditionConfig{Values: c.Values}
		case "host-header":
			if c.HostHeaderConfig != nil && len(c.Values) == 0 {
				c.Values = c.HostHeaderConfig.Values
			}
			c.HostHeaderConfig = &types.HostHeaderConditionConfig{Values: c.Values}
		case "http-header", "http-request-method", "query-string", "source-ip":
			continue
		default:
			return nil, invalid("Condition field '%s' must be one of '[path-pattern, host-header, http-header, http-request-method, query-string, source-ip]'", aws.ToString(c.Field))
		}
		if len(c.Values) == 0 {
			return nil, invalid("A condition value must be specified")
		}
	}
	return out, nil
}

func (e *ELB) createRule(_ context.Context, in *elbv2.CreateRuleInput) (*elbv2.CreateRuleOutput, error) {
	given, err := newTags(in.Tags)
	if err != nil {
		return nil, err
	}
	if len(in.Transforms) > 0 {
		return nil, invalid("Transforms are not supported by drydock")
	}
	out := &elbv2.CreateRuleOutput{}
	return out, e.change(func(time.Time) error {
		l, err := e.listener(in.ListenerArn)
		if err != nil {
			return err
		}
		b, err := e.balancer(l.Info.LoadBalancerArn)
		if err != nil {
			return err
		}
		if b.Info.Type == types.LoadBalancerTypeEnumNetwork {
			return wire.Errorf("InvalidConfigurationRequest", "Rules are not supported by network load balancers")
		}
		if in.Priority == nil {
			return invalid("A priority must be specified")
		}
		if err := e.free(*in.ListenerArn, *in.Priority, ""); err != nil {
			return err
		}
		conditions, err := completeConditions(in.Conditions)
		if err != nil {
			return err
		}
		actions, err := e.complete(b, l.Info.Protocol, in.Actions)
		if err != nil {
			return err
		}
		r := &rule{Listener: *in.ListenerArn, Tags: given, Info: types.Rule{
			Priority: aws.String(strconv.Itoa(int(*in.Priority))), IsDefault: aws.Bool(false), Conditions: conditions, Actions: actions,
		}}
		e.addRule(r)
		out.Rules = []types.Rule{r.Info}
		return nil
	})
}

func (e *ELB) describeRules(_ context.Context, in *elbv2.DescribeRulesInput) (*elbv2.DescribeRulesOutput, error) {
	if (in.ListenerArn == nil) == (len(in.RuleArns) == 0) {
		return nil, invalid("You must specify either a listener ARN or rule ARNs")
	}
	out := &elbv2.DescribeRulesOutput{Rules: []types.Rule{}}
	return out, e.change(func(time.Time) error {
		var found []types.Rule
		for _, arn := range in.RuleArns {
			r, err := e.rule(&arn)
			if err != nil {
				return err
			}
			found = append(found, r.Info)
		}
		if in.ListenerArn != nil {
			if _, err := e.listener(in.ListenerArn); err != nil {
				return err
			}
			for _, r := range e.rulesOf(*in.ListenerArn) {
				found = append(found, r.Info)
			}
		}
		shown, next, err := page(found, in.Marker, in.PageSize)
		out.Rules, out.NextMarker = append(out.Rules, shown...), next
		return err
	})
}

func (e *ELB) modifyRule(_ context.Context, in *elbv2.ModifyRuleInput) (*elbv2.ModifyRuleOutput, error) {
	if len(in.Transforms) > 0 {
		return nil, invalid("Transforms are not supported by drydock")
	}
	out := &elbv2.ModifyRuleOutput{}
	return out, e.change(func(time.Time) error {
		r, err := e.rule(in.RuleArn)
		if err != nil {
			return err
		}
		if *r.Info.IsDefault {
			return wire.Errorf("OperationNotPermitted", "Default rule '%s' cannot be modified", *r.Info.RuleArn)
		}
		l := e.listeners[r.Listener]
		next := r.Info
		if in.Conditions != nil {
			if next.Conditions, err = completeConditions(in.Conditions); err != nil {
				return err
			}
		}
		if in.Actions != nil {
			if next.Actions, err = e.complete(e.balancers[*l.Info.LoadBalancerArn], l.Info.Protocol, in.Actions); err != nil {
				return err
			}
		}
		r.Info = next
		e.markRule(r)
		out.Rules = []types.Rule{next}
		return nil
	})
}

func (e *ELB) deleteRule(_ context.Context, in *elbv2.DeleteRuleInput) (*elbv2.DeleteRuleOutput, error) {
	return &elbv2.DeleteRuleOutput{}, e.change(func(time.Time) error {
		r, err := e.rule(in.RuleArn)
		if err != nil {
			return err
		}
		if *r.Info.IsDefault {
			return wire.Errorf("OperationNotPermitted", "Default rule '%s' cannot be deleted", *r.Info.RuleArn)
		}
		e.forgetRule(r)
		return nil
	})
}

func (e *ELB) setRulePriorities(_ context.Context, in *elbv2.SetRulePrioritiesInput) (*elbv2.SetRulePrioritiesOutput, error) {
	if len(in.RulePriorities) == 0 {
		return nil, invalid("At least one rule priority must be specified")
	}
	out := &elbv2.SetRulePrioritiesOutput{Rules: []types.Rule{}}
	return out, e.change(func(time.Time) error {
		next := map[*rule]int32{}
		for _, p := range in.RulePriorities {
			r, err := e.rule(p.RuleArn)
			if err != nil {
				return err
			}
			if *r.Info.IsDefault {
				return wire.Errorf("OperationNotPermitted", "Default rule '%s' cannot be modified", *r.Info.RuleArn)
			}
			next[r] = aws.ToInt32(p.Priority)
		}
		taken := map[string]bool{} // by the rules that keep theirs, and then by those that get one
		for _, r := range e.rules {
			if _, moves := next[r]; !moves {
				taken[r.Listener+*r.Info.Priority] = true
			}
		}
		for r, n := range next {
			at := r.Listener + strconv.Itoa(int(n))
			if n < 1 || n > 50000 {
				return invalid("Priority '%d' must be between '1' and '50000'", n)
			}
			if taken[at] {
				return wire.Errorf("PriorityInUse", "Priority '%d' is currently in use", n)
			}
			taken[at] = true
		}
		for _, p := range in.RulePriorities {
			r := e.rules[*p.RuleArn]
			r.Info.Priority = aws.String(strconv.Itoa(int(next[r])))
			e.markRule(r)
			out.Rules = append(out.Rules, r.Info)
		}
		return nil
	})
}
