package awsapi

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"strings"
)

// identity is IAM, which a partition has once. (AWS General Reference, "AWS
// Identity and Access Management endpoints and quotas".)
func identity(region string) api {
	s := api{id: "IAM", signing: "iam", version: "2010-05-08", home: "us-east-1"}
	switch {
	case strings.HasPrefix(region, "cn-"):
		s.host, s.home = "iam.cn-north-1", "cn-north-1"
	case strings.HasPrefix(region, "us-gov-"):
		s.host, s.home = "iam.us-gov", "us-gov-west-1"
	case strings.HasPrefix(region, "eusc-"):
		s.host, s.home = "iam.eusc-de-east-1", "eusc-de-east-1"
	}
	return s
}

// TrustPolicy implements deploy.Roles. IAM gives the document as a part of a
// URL (GetRole in the IAM API reference).
func (c *Client) TrustPolicy(ctx context.Context, role string) ([]byte, error) {
	doing := "read role " + path.Base(role)
	var out struct {
		Document string `xml:"GetRoleResult>Role>AssumeRolePolicyDocument"`
	}
	if err := c.askQuery(ctx, identity(c.cfg.Region), "", "GetRole", url.Values{"RoleName": {path.Base(role)}}, &out); err != nil {
		return nil, wrap(doing, err)
	}
	document, err := url.QueryUnescape(out.Document)
	if err != nil {
		return nil, fmt.Errorf("%s: its trust policy: %w", doing, err)
	}
	return []byte(document), nil
}
