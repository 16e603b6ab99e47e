package awsapi

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

func TestReplicates(t *testing.T) {
	rule := func(prefixes ...string) types.ReplicationRule {
		var r types.ReplicationRule
		for _, p := range prefixes {
			r.RepositoryFilters = append(r.RepositoryFilters, types.RepositoryFilter{Filter: aws.String(p), FilterType: types.RepositoryFilterTypePrefixMatch})
		}
		return r
	}
	for _, c := range []struct {
		rule types.ReplicationRule
		want bool
	}{
		{rule(), true},
		{rule("team/"), true},
		{rule("other", "team/web"), true},
		{rule("web"), false},
		{rule("team/web-admin"), false},
	} {
		if got := replicates(c.rule, "team/web"); got != c.want {
			t.Errorf("%+v: %t", c.rule.RepositoryFilters, got)
		}
	}
}
