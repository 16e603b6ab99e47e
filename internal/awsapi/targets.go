package awsapi

import (
	"cmp"
	"context"
	"net/url"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
)

func loadBalancing() api {
	return api{id: "Elastic Load Balancing v2", signing: "elasticloadbalancing", version: "2015-12-01"}
}

// TargetGroup implements deploy.TargetGroups.
func (c *Client) TargetGroup(ctx context.Context, arn string) (deploy.TargetGroup, error) {
	doing := "read target group " + targetGroupName(arn)
	var out struct {
		Groups []struct {
			TargetGroupName     string
			HealthCheckProtocol string
			HealthCheckPort     string
			HealthCheckPath     string
			Matcher             struct{ HttpCode, GrpcCode string }
		} `xml:"DescribeTargetGroupsResult>TargetGroups>member"`
	}
	if err := c.askQuery(ctx, loadBalancing(), "", "DescribeTargetGroups", url.Values{"TargetGroupArns.member.1": {arn}}, &out); err != nil {
		return deploy.TargetGroup{}, wrap(doing, err)
	}
	if len(out.Groups) == 0 {
		return deploy.TargetGroup{}, notThere(doing, "target group "+targetGroupName(arn))
	}
	g := out.Groups[0]
	return deploy.TargetGroup{
		Name: g.TargetGroupName, Protocol: g.HealthCheckProtocol, Port: g.HealthCheckPort, Path: g.HealthCheckPath,
		Matcher: cmp.Or(g.Matcher.HttpCode, g.Matcher.GrpcCode),
	}, nil
}

// Targets implements deploy.TargetGroups.
func (c *Client) Targets(ctx context.Context, arn string) ([]deploy.TargetState, error) {
	var out struct {
		Targets []struct {
			Target struct {
				Id   string
				Port int
			}
			TargetHealth struct{ State, Reason, Description string }
		} `xml:"DescribeTargetHealthResult>TargetHealthDescriptions>member"`
	}
	if err := c.askQuery(ctx, loadBalancing(), "", "DescribeTargetHealth", url.Values{"TargetGroupArn": {arn}}, &out); err != nil {
		return nil, wrap("read the targets of "+targetGroupName(arn), err)
	}
	var targets []deploy.TargetState
	for _, t := range out.Targets {
		targets = append(targets, deploy.TargetState{
			ID: t.Target.Id, Port: t.Target.Port, State: t.TargetHealth.State, Reason: t.TargetHealth.Reason, Description: t.TargetHealth.Description,
		})
	}
	return targets, nil
}
