package wire_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// What is called in process is asked in the service's own protocol and answers
// as it does over HTTP.
func TestLocalCalls(t *testing.T) {
	var asked string
	query := func(_ context.Context, c wire.Call) (any, error) {
		asked = c.Operation + " " + string(c.Body)
		return struct{ RoleName string }{"deployer"}, nil
	}
	local := wire.NewLocal(
		wire.Service{Name: "ECS", Target: targetECS, Operations: map[string]wire.Operation{
			"ListClusters": wire.Typed(func(_ context.Context, in *ecs.ListClustersInput) (*ecs.ListClustersOutput, error) {
				if aws.ToInt32(in.MaxResults) > 100 {
					return nil, wire.Errorf("InvalidParameterException", "too many")
				}
				return &ecs.ListClustersOutput{ClusterArns: []string{"a"}, NextToken: in.NextToken}, nil
			}),
			"Now": func(context.Context, wire.Call) (any, error) {
				return struct{ At time.Time }{time.UnixMilli(1500)}, nil
			},
		}},
		wire.Service{Name: "IAM", Scope: "iam", Version: "2010-05-08", Operations: map[string]wire.Operation{"ListRoles": query}},
	)
	var page struct {
		ClusterArns []string
		NextToken   string
	}
	if err := local.Call(t.Context(), "ECS.ListClusters", map[string]any{"maxResults": 100, "nextToken": "t"}, &page); err != nil || len(page.ClusterArns) != 1 || page.NextToken != "t" {
		t.Errorf("%+v, %v", page, err)
	}
	err := local.Call(t.Context(), "ECS.ListClusters", map[string]any{"maxResults": 101}, &page)
	if refused, ok := errors.AsType[*wire.Error](err); !ok || refused.Code != "InvalidParameterException" {
		t.Errorf("got %v", err)
	}
	var now struct{ At float64 }
	if err := local.Call(t.Context(), "ECS.Now", nil, &now); err != nil || now.At != 1.5 {
		t.Errorf("%v, %v", now, err)
	}
	var role struct{ RoleName string }
	if err := local.Call(t.Context(), "IAM.ListRoles", map[string]any{"PathPrefix": "/a&b", "MaxItems": 5, "Names": []string{"x", "y"}}, &role); err != nil || role.RoleName != "deployer" {
		t.Errorf("%v, %v", role, err)
	}
	if want := "ListRoles Action=ListRoles&MaxItems=5&Names.member.1=x&Names.member.2=y&PathPrefix=%2Fa%26b&Version=2010-05-08"; asked != want {
		t.Errorf("asked %s, want %s", asked, want)
	}
	if local.Call(t.Context(), "IAM.CreateRole", nil, &role) == nil {
		t.Error("an operation that is not there")
	}
}
