package awsapi

import (
	"context"
	"slices"
)

func systemsManager() api { return api{id: "SSM", signing: "ssm", version: "AmazonSSM"} }

// maxFilter is how many names a filter of DescribeParameters takes
// (ParameterStringFilter in the SSM API reference).
const maxFilter = 50

// Parameters implements deploy.Secrets. DescribeParameters knows no values.
func (c *Client) Parameters(ctx context.Context, region string, names []string) ([]string, error) {
	type filter struct {
		Key, Option string
		Values      []string
	}
	type question struct {
		ParameterFilters []filter
		MaxResults       int
		NextToken        string `json:",omitempty"`
	}
	var found []string
	for part := range slices.Chunk(names, maxFilter) {
		ask := question{ParameterFilters: []filter{{"Name", "Equals", part}}, MaxResults: maxFilter}
		for more := true; more; more = ask.NextToken != "" {
			var page struct {
				Parameters []struct{ Name string }
				NextToken  string
			}
			if err := c.askJSON(ctx, systemsManager(), region, "DescribeParameters", ask, &page); err != nil {
				return nil, wrap("look for parameters", err)
			}
			for _, p := range page.Parameters {
				found = append(found, p.Name)
			}
			ask.NextToken = page.NextToken
		}
	}
	return found, nil
}
