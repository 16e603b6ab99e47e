package awsapi

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// The Parameter Store speaks AWS JSON 1.1 as ECS does. One operation of it is
// all that is needed, and the SDK's module for it costs every start of the
// program 2 ms; so the operation is sent as raw bytes through a client of ECS,
// under the name of SSM.

// maxFilter is how many names a filter of DescribeParameters takes
// (ParameterStringFilter in the SSM API reference).
const maxFilter = 50

// Parameters implements deploy.Secrets. DescribeParameters knows no values.
func (c *Client) Parameters(ctx context.Context, region string, names []string) ([]string, error) {
	var found []string
	for part := range slices.Chunk(names, maxFilter) {
		for next, more := "", true; more; more = next != "" {
			page, err := c.describeParameters(ctx, region, part, next)
			if err != nil {
				return nil, err
			}
			for _, p := range page.Parameters {
				found = append(found, p.Name)
			}
			next = page.NextToken
		}
	}
	return found, nil
}

// parameterPage is what counts of an answer of DescribeParameters.
type parameterPage struct {
	Parameters []struct{ Name string }
	NextToken  string
}

func (c *Client) describeParameters(ctx context.Context, region string, names []string, next string) (parameterPage, error) {
	const doing = "look for parameters"
	type filter struct {
		Key, Option string
		Values      []string
	}
	request, err := json.Marshal(struct {
		ParameterFilters []filter
		MaxResults       int
		NextToken        string `json:",omitempty"`
	}{[]filter{{"Name", "Equals", names}}, maxFilter, next})
	if err != nil {
		return parameterPage{}, fmt.Errorf("%s: %w", doing, err)
	}
	var answer []byte
	_, err = c.ecs().ListClusters(ctx, &ecs.ListClustersInput{}, c.asSSM(region, "DescribeParameters"), ecs.WithAPIOptions(sendBody(request), keepBody(&answer)))
	if err != nil {
		err = wrap(doing, err)
		if refused, ok := errors.AsType[*Error](err); ok && strings.HasPrefix(refused.Action, "ecs:") {
			refused.Action = "ssm:DescribeParameters"
		}
		return parameterPage{}, err
	}
	var page parameterPage
	if err := json.Unmarshal(answer, &page); err != nil {
		return parameterPage{}, fmt.Errorf("%s: read the answer: %w", doing, err)
	}
	return page, nil
}

// asSSM makes a call to ECS one to SSM: another endpoint, another name in the
// signature and another operation. The budget for calls to ECS does not count
// it, as that goes by the operation's name.
func (c *Client) asSSM(region, operation string) func(*ecs.Options) {
	region = cmp.Or(region, c.cfg.Region)
	return func(o *ecs.Options) {
		o.Region = region
		if o.BaseEndpoint == nil {
			endpoint := "https://ssm." + region + "." + domainOf(region)
			o.BaseEndpoint = &endpoint
		}
		ecs.WithSigV4SigningName("ssm")(o)
		ecs.WithSigV4SigningRegion(region)(o)
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			if err := stack.Initialize.Insert(&awsmiddleware.RegisterServiceMetadata{
				ServiceID: "SSM", SigningName: "ssm", Region: region, OperationName: operation,
			}, "PlimsollLog", middleware.Before); err != nil {
				return err
			}
			return stack.Serialize.Insert(middleware.SerializeMiddlewareFunc("PlimsollTarget",
				func(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error) {
					if request, ok := in.Request.(*smithyhttp.Request); ok {
						request.Header.Set("X-Amz-Target", "AmazonSSM."+operation)
					}
					return next.HandleSerialize(ctx, in)
				}), "OperationSerializer", middleware.After)
		})
	}
}

// domainOf is the domain of AWS's services in a region. (AWS Fault Isolation
// Boundaries, "Partitions".)
func domainOf(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "amazonaws.com.cn"
	case strings.HasPrefix(region, "eusc-"):
		return "amazonaws.eu"
	}
	return "amazonaws.com"
}
