package ecr

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
)

func TestRegistryPolicy(t *testing.T) {
	st := store.Memory()
	f := fixtureOn(t, st, clock.Manual(start()))
	_, err := f.GetRegistryPolicy(t.Context(), &ecr.GetRegistryPolicyInput{})
	if got := wantCode(t, err, "RegistryPolicyNotFoundException"); got != "Registry policy does not exist in the registry with id '123456789012'" {
		t.Error(got)
	}
	_, err = f.PutRegistryPolicy(t.Context(), &ecr.PutRegistryPolicyInput{PolicyText: aws.String(`{}`)})
	wantCode(t, err, CodeInvalidParameter)
	text := `{"Version":"2012-10-17","Statement":[]}`
	_, err = f.PutRegistryPolicy(t.Context(), &ecr.PutRegistryPolicyInput{PolicyText: &text})
	wantCode(t, err, "")
	f = fixtureOn(t, st, f.clock)
	got, err := f.DeleteRegistryPolicy(t.Context(), &ecr.DeleteRegistryPolicyInput{})
	wantCode(t, err, "")
	if *got.PolicyText != text {
		t.Error(*got.PolicyText)
	}
	_, err = f.DeleteRegistryPolicy(t.Context(), &ecr.DeleteRegistryPolicyInput{})
	wantCode(t, err, "RegistryPolicyNotFoundException")
}

func TestAccountSettings(t *testing.T) {
	st := store.Memory()
	f := fixtureOn(t, st, clock.Manual(start()))
	put := func(name, value string) error {
		_, err := f.PutAccountSetting(t.Context(), &ecr.PutAccountSettingInput{Name: &name, Value: &value})
		return err
	}
	wantCode(t, put("BASIC_SCAN_TYPE_VERSION", "AWS_NATIVE"), "")
	wantCode(t, put("BASIC_SCAN_TYPE_VERSION", "CLAIR"), CodeInvalidParameter)
	wantCode(t, put("COLOUR", "V2"), CodeInvalidParameter)
	if !f.registry.MountsLayers() {
		t.Error("layers are not mounted")
	}
	wantCode(t, put("BLOB_MOUNTING", "DISABLED"), "")
	f = fixtureOn(t, st, f.clock)
	if f.registry.MountsLayers() {
		t.Error("layers are mounted all the same")
	}
	got, err := f.GetAccountSetting(t.Context(), &ecr.GetAccountSettingInput{Name: aws.String("REGISTRY_POLICY_SCOPE")})
	wantCode(t, err, "")
	if *got.Value != "V2" {
		t.Error(*got.Value)
	}
}

// What drydock has none of can be asked for, and is not made up.
func TestWhatTheRegistryHasNoneOf(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "app")
	f.push(t, "app", "v1", "one")
	rules, err := f.DescribePullThroughCacheRules(t.Context(), &ecr.DescribePullThroughCacheRulesInput{})
	wantCode(t, err, "")
	templates, err := f.DescribeRepositoryCreationTemplates(t.Context(), &ecr.DescribeRepositoryCreationTemplatesInput{})
	wantCode(t, err, "")
	status, err := f.DescribeImageReplicationStatus(t.Context(), &ecr.DescribeImageReplicationStatusInput{RepositoryName: aws.String("app"), ImageId: byTag("v1")})
	wantCode(t, err, "")
	if len(rules.PullThroughCacheRules)+len(templates.RepositoryCreationTemplates)+len(status.ReplicationStatuses) != 0 {
		t.Error("there are some")
	}
	_, err = f.DescribePullThroughCacheRules(t.Context(), &ecr.DescribePullThroughCacheRulesInput{EcrRepositoryPrefixes: []string{"hub"}})
	wantCode(t, err, "PullThroughCacheRuleNotFoundException")
	_, err = f.GetSigningConfiguration(t.Context(), &ecr.GetSigningConfigurationInput{})
	wantCode(t, err, "SigningConfigurationNotFoundException")
	_, err = f.PutReplicationConfiguration(t.Context(), &ecr.PutReplicationConfigurationInput{ReplicationConfiguration: &types.ReplicationConfiguration{Rules: []types.ReplicationRule{}}})
	wantCode(t, err, "")
	_, err = f.PutReplicationConfiguration(t.Context(), &ecr.PutReplicationConfigurationInput{ReplicationConfiguration: &types.ReplicationConfiguration{Rules: []types.ReplicationRule{
		{Destinations: []types.ReplicationDestination{{Region: aws.String("us-east-1"), RegistryId: aws.String(account)}}},
	}}})
	wantCode(t, err, CodeInvalidParameter)
}

func TestListImageReferrers(t *testing.T) {
	f := newFixture(t)
	f.repository(t, "app")
	subject := f.push(t, "app", "v1", "one")
	config := addLayer(t, f.registry, "app", []byte("{}"))
	for _, kind := range []string{"application/spdx+json", "application/vnd.dev.cosign"} {
		body := marshal(t, map[string]any{
			"schemaVersion": 2, "mediaType": ociManifest, "artifactType": kind,
			"config": map[string]any{"mediaType": "application/vnd.oci.empty.v1+json", "digest": config, "size": 2},
			"layers": []any{}, "subject": map[string]any{"mediaType": ociManifest, "digest": subject, "size": 1},
		})
		if err := f.put(t.Context(), "app", "", body); err != nil {
			t.Fatal(err)
		}
	}
	list := func(filter *types.ListImageReferrersFilter) []types.ImageReferrer {
		t.Helper()
		var all []types.ImageReferrer
		var token *string
		for {
			out, err := f.ListImageReferrers(t.Context(), &ecr.ListImageReferrersInput{
				RepositoryName: aws.String("app"), SubjectId: &types.SubjectIdentifier{ImageDigest: &subject}, Filter: filter, MaxResults: aws.Int32(1), NextToken: token,
			})
			wantCode(t, err, "")
			all = append(all, out.Referrers...)
			if token = out.NextToken; token == nil {
				break
			}
		}
		return all
	}
	if got := list(nil); len(got) != 2 || got[0].ArtifactStatus != types.ArtifactStatusActive || *got[0].Size == 0 {
		t.Errorf("%d referrers", len(got))
	}
	if got := list(&types.ListImageReferrersFilter{ArtifactTypes: []string{"application/spdx+json"}}); len(got) != 1 || *got[0].ArtifactType != "application/spdx+json" {
		t.Errorf("%d SBOMs", len(got))
	}
	if got := list(&types.ListImageReferrersFilter{ArtifactStatus: types.ArtifactStatusFilterArchived}); len(got) != 0 {
		t.Errorf("%d in the archive", len(got))
	}
	subject = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
	if got := list(nil); len(got) != 0 {
		t.Errorf("%d referrers of nothing", len(got))
	}
}
