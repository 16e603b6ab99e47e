package drydock

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// Forms and documents that nobody would send to load balancers and
// autoscaling: an error of AWS's at worst, and a clock that goes on.
func TestBalancingAndScalingSurviveAnything(t *testing.T) {
	s, operations := quay(t)
	call := func(op, body string) any {
		t.Helper()
		answer, err := operations[op](t.Context(), wire.Call{Body: []byte(body)})
		if err != nil {
			t.Fatalf("%s: %v", op, err)
		}
		return answer
	}
	arn := func(answer any, member string) string {
		doc, err := wire.Encode(answer)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(doc), `"`+member+`":"`)
		found, _, ok := strings.Cut(rest, `"`)
		if !ok {
			t.Fatalf("no %s in %s", member, doc)
		}
		return found
	}
	group := arn(call("ELB.CreateTargetGroup", "Name=web&Protocol=HTTP&Port=80&VpcId=v&TargetType=ip"), "targetGroupArn")
	network := arn(call("ELB.CreateLoadBalancer", "Name=net&Type=network&Subnets.member.1=a"), "loadBalancerArn")
	balancer := arn(call("ELB.CreateLoadBalancer", "Name=web&Subnets.member.1=a&Subnets.member.2=b"), "loadBalancerArn")
	listener := arn(call("ELB.CreateListener", "LoadBalancerArn="+url.QueryEscape(balancer)+"&Protocol=HTTP&Port=80&DefaultActions.member.1.Type=forward&DefaultActions.member.1.TargetGroupArn="+url.QueryEscape(group)), "listenerArn")
	const scalable = `"ServiceNamespace":"ecs","ResourceId":"service/prod/api","ScalableDimension":"ecs:service:DesiredCount"`
	call("Application Auto Scaling.RegisterScalableTarget", `{`+scalable+`,"MinCapacity":1,"MaxCapacity":2}`)

	whole := url.Values{
		"TargetGroupArn": {group}, "LoadBalancerArn": {balancer}, "ListenerArn": {listener}, "Name": {"x"}, "Protocol": {"HTTP"}, "Port": {"81"}, "VpcId": {"v"}, "TargetType": {"ip"},
		"Priority": {"1"}, "Subnets.member.1": {"a"}, "Subnets.member.2": {"b"}, "ResourceArns.member.1": {group},
	}
	names := strings.Fields(`TargetGroupArn LoadBalancerArn ListenerArn RuleArn Name Names Protocol ProtocolVersion Port VpcId TargetType IpAddressType Matcher Matcher.HttpCode Matcher.GrpcCode
		HealthCheckProtocol HealthCheckPort HealthCheckPath HealthCheckEnabled HealthCheckIntervalSeconds HealthCheckTimeoutSeconds HealthyThresholdCount UnhealthyThresholdCount
		Targets Targets.member.1 Targets.member.1.Id Targets.member.1.Port Targets.member.x.Id Attributes Attributes.member.1 Attributes.member.1.Key Type Scheme Subnets Subnets.member.1 Subnets.member.0
		SubnetMappings.member.1 SubnetMappings.member.1.SubnetId SecurityGroups SecurityGroups.member.1 DefaultActions DefaultActions.member.1 DefaultActions.member.1.Type
		DefaultActions.member.1.TargetGroupArn DefaultActions.member.1.ForwardConfig DefaultActions.member.1.ForwardConfig.TargetGroups.member.1 DefaultActions.member.1.ForwardConfig.TargetGroups.member.1.Weight
		DefaultActions.member.1.RedirectConfig.StatusCode Actions Actions.member.1.Type Actions.member.1.TargetGroupArn Conditions Conditions.member.1 Conditions.member.1.Field Conditions.member.1.Values
		Conditions.member.1.PathPatternConfig Priority RulePriorities.member.1 RulePriorities.member.1.RuleArn Certificates Certificates.member.1 MutualAuthentication
		Tags Tags.member.1 Tags.member.1.Key TagKeys.member.1 ResourceArns.member.1 Marker PageSize Include TargetGroupArns.member.1 ListenerArns.member.1 RuleArns.member.1`)
	values := []string{"", "x", "0", "-1", "2147483648", "forward", "redirect", "fixed-response", "HTTP", "HTTPS", "TCP", "lambda", "network", "path-pattern", "true", group, balancer, network, listener, "default", strings.Repeat("y", 2000), "\x00\xff"}
	forms := []string{"", "=", "&&", "%zz", "a.b.c=1", strings.Repeat("a.", 5000) + "=1", "Tags.member.99999999999999999999.Key=a"}
	for _, name := range names {
		for _, value := range values {
			forms = append(forms, url.Values{name: {value}}.Encode())
			almost := maps.Clone(whole)
			almost[name] = []string{value}
			forms = append(forms, almost.Encode())
		}
	}
	documents := []string{`{}`, `null`, `[]`, `{` + scalable + `}`}
	for _, name := range strings.Fields(`ServiceNamespace ResourceId ResourceIds ScalableDimension MinCapacity MaxCapacity RoleARN SuspendedState Tags PolicyName PolicyNames PolicyType
		StepScalingPolicyConfiguration TargetTrackingScalingPolicyConfiguration PredictiveScalingPolicyConfiguration ScheduledActionName ScheduledActionNames Schedule Timezone StartTime EndTime
		ScalableTargetAction MaxResults NextToken ResourceARN TagKeys`) {
		for _, value := range []string{`null`, `""`, `0`, `-1`, `2147483647`, `253402300799`, `-62135596800`, `true`, `[]`, `{}`, `[null]`, `[""]`, `"service/prod/api"`, `"service//"`, `"TargetTrackingScaling"`,
			`"rate(1 minute)"`, `"cron(* * * * ? *)"`, `"at(9999-01-01T00:00:00)"`, `"Asia/Tokyo"`, `{"TargetValue":1}`, `{"MinCapacity":3,"MaxCapacity":1}`, `{"MinCapacity":2147483647}`, `{"ScheduledScalingSuspended":null}`, `{"StepAdjustments":[null]}`} {
			documents = append(documents, fmt.Sprintf(`{%s,"PolicyName":"p","ScheduledActionName":"a","Schedule":"rate(7 minutes)","ScalableTargetAction":{"MinCapacity":1},%q:%s}`, scalable, name, value))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(operations)) {
		bodies := documents
		switch {
		case strings.HasPrefix(name, "ELB."):
			bodies = forms
		case !strings.HasPrefix(name, "Application Auto Scaling."):
			continue
		}
		for _, body := range bodies {
			survives(t, name, operations[name], body)
		}
	}
	if err := s.Advance(2 * time.Hour); err != nil {
		t.Error(err)
	}
}
