package wire_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

func TestDecodeForm(t *testing.T) {
	var got elbv2.CreateRuleInput
	form := "Action=CreateRule&Version=2015-12-01&ListenerArn=arn%3Aa&Priority=7&Tags=&Future.member.1=x" +
		"&Conditions.member.1.Field=path-pattern&Conditions.member.1.Values.member.10=/b&Conditions.member.1.Values.member.2=/a" +
		"&Actions.member.1.Type=forward&Actions.member.1.ForwardConfig.TargetGroups.member.1.Weight=3" +
		"&Actions.member.1.ForwardConfig.TargetGroupStickinessConfig.Enabled=true"
	if err := wire.DecodeForm([]byte(form), &got); err != nil {
		t.Fatal(err)
	}
	want := elbv2.CreateRuleInput{
		ListenerArn: aws.String("arn:a"), Priority: aws.Int32(7), Tags: []types.Tag{},
		Conditions: []types.RuleCondition{{Field: aws.String("path-pattern"), Values: []string{"/a", "/b"}}},
		Actions: []types.Action{{Type: types.ActionTypeEnumForward, ForwardConfig: &types.ForwardActionConfig{
			TargetGroups: []types.TargetGroupTuple{{Weight: aws.Int32(3)}}, TargetGroupStickinessConfig: &types.TargetGroupStickinessConfig{Enabled: aws.Bool(true)},
		}}},
	}
	ignored := cmpopts.IgnoreUnexported(want, types.RuleCondition{}, types.Action{}, types.ForwardActionConfig{}, types.TargetGroupTuple{}, types.TargetGroupStickinessConfig{})
	if diff := cmp.Diff(want, got, ignored); diff != "" {
		t.Error(diff)
	}
}

func TestDecodeFormErrorsNameTheMember(t *testing.T) {
	for form, want := range map[string]string{
		"Priority=seven":                       "MalformedInput: Priority must be an integer",
		"Priority=2147483648":                  "MalformedInput: Priority must be an integer",
		"Priority.Deep=1":                      "MalformedInput: Priority must be a single value",
		"Tags=x":                               "MalformedInput: Tags must be a list",
		"Tags.member.x.Key=a":                  "MalformedInput: Tags must be a list",
		"Tags.member.1=a":                      "MalformedInput: Tags.member.1 must be a structure",
		"Actions.member.2.Order=a":             "MalformedInput: Actions.member.1.Order must be an integer",
		"ListenerArn=%zz":                      `MalformedQueryString: the request body is not a form: invalid URL escape "%zz"`,
		"Conditions.member.1.Values.member.0=": "MalformedInput: Conditions.member.1.Values must be a list",
	} {
		if err := wire.DecodeForm([]byte(form), new(elbv2.CreateRuleInput)); fmt.Sprint(err) != want {
			t.Errorf("%s: %v, want %s", form, err, want)
		}
	}
}

func FuzzDecodeForm(f *testing.F) {
	f.Add("Tags.member.1.Key=a&Tags.member.2=&Actions.member.1.ForwardConfig.TargetGroups.member.1.Weight=1")
	f.Fuzz(func(t *testing.T, form string) {
		_ = wire.DecodeForm([]byte(form), new(elbv2.CreateRuleInput)) // it must not panic
	})
}
