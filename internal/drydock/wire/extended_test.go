package wire_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// What a request had that the SDK's struct has not comes back in the answer,
// in its place; what the answer has itself counts.
func TestUnknownMembersComeBack(t *testing.T) {
	request := `{"clientToken":"t","serviceName":"old","gone":null,"sparkle":{"n":12345678901234567890},
		"networkConfiguration":{"awsvpcConfiguration":{"subnets":["s"],"mesh":1.50},"future":[1]},
		"capacityProviderStrategy":[{"capacityProvider":"FARGATE"},{"capacityProvider":"FARGATE_SPOT","bid":"low"}]}`
	extra, err := wire.Unknown([]byte(request), new(ecs.CreateServiceInput))
	if err != nil {
		t.Fatal(err)
	}
	name, one, two := "new", "FARGATE", "FARGATE_SPOT"
	got, err := wire.Encode(struct{ Service wire.Extended }{wire.Extended{Extra: extra, Value: struct {
		ServiceName              *string
		NetworkConfiguration     *types.NetworkConfiguration
		CapacityProviderStrategy []types.CapacityProviderStrategyItem
	}{
		&name,
		&types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"x", "y"}}},
		[]types.CapacityProviderStrategyItem{{CapacityProvider: &one}, {CapacityProvider: &two, Weight: 3}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"service":{"capacityProviderStrategy":[{"base":0,"capacityProvider":"FARGATE","weight":0},{"base":0,"bid":"low","capacityProvider":"FARGATE_SPOT","weight":3}],` +
		`"networkConfiguration":{"awsvpcConfiguration":{"mesh":1.50,"subnets":["x","y"]},"future":[1]},"serviceName":"new","sparkle":{"n":12345678901234567890}}}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

func TestNothingUnknown(t *testing.T) {
	for _, body := range []string{`{}`, `{"serviceName":null,"new":null}`, `{"tags":[{"key":"a"}],"deploymentConfiguration":{"maximumPercent":1}}`} {
		if extra, err := wire.Unknown([]byte(body), new(ecs.CreateServiceInput)); err != nil || extra != nil {
			t.Errorf("%s: %s, %v", body, extra, err)
		}
	}
}
