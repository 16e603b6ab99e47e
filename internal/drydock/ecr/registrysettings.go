package ecr

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// registrySettings is the record of what is set for the registry as a whole.
type registrySettings struct {
	Policy    string // the registry policy; "" for none
	ScanRules []scanRule
	Account   map[string]string // account settings that were put, by name
}

const bucketRegistry = "ecr.registry"

func (r *Registry) loadSettings() error {
	return r.store.Load(bucketRegistry, func(_ string, doc []byte) error { return json.Unmarshal(doc, &r.registry) })
}

// changeRegistry stores settings and only then makes them visible.
func (r *Registry) changeRegistry(next registrySettings) error {
	if err := r.store.Update(func(tx *store.Tx) error { return tx.Put(bucketRegistry, "settings", next) }); err != nil {
		return fmt.Errorf("store the registry's settings: %w", err)
	}
	r.registry = next
	return nil
}

func (r *Registry) putRegistryPolicy(in *ecr.PutRegistryPolicyInput) (*ecr.PutRegistryPolicyOutput, error) {
	text := aws.ToString(in.PolicyText)
	var doc struct{ Statement json.RawMessage }
	if len(text) > maxPolicy || json.Unmarshal([]byte(text), &doc) != nil || doc.Statement == nil {
		return nil, invalid("PolicyText", "Invalid registry policy provided")
	}
	next := r.registry
	next.Policy = text
	return &ecr.PutRegistryPolicyOutput{PolicyText: &text, RegistryId: &r.account}, r.changeRegistry(next)
}

func (r *Registry) registryPolicy() (string, error) {
	if r.registry.Policy == "" {
		return "", wire.Errorf("RegistryPolicyNotFoundException", "Registry policy does not exist in the registry with id '%s'", r.account)
	}
	return r.registry.Policy, nil
}

func (r *Registry) getRegistryPolicy(*ecr.GetRegistryPolicyInput) (*ecr.GetRegistryPolicyOutput, error) {
	text, err := r.registryPolicy()
	if err != nil {
		return nil, err
	}
	return &ecr.GetRegistryPolicyOutput{PolicyText: &text, RegistryId: &r.account}, nil
}

func (r *Registry) deleteRegistryPolicy(*ecr.DeleteRegistryPolicyInput) (*ecr.DeleteRegistryPolicyOutput, error) {
	text, err := r.registryPolicy()
	if err != nil {
		return nil, err
	}
	next := r.registry
	next.Policy = ""
	return &ecr.DeleteRegistryPolicyOutput{PolicyText: &text, RegistryId: &r.account}, r.changeRegistry(next)
}

const blobMounting = "BLOB_MOUNTING"

// accountValues is what a setting of the account may be, its default first.
// Blob mounting is on here until it is put off; AWS has it off.
func accountValues(name string) []string {
	switch name {
	case "BASIC_SCAN_TYPE_VERSION":
		return []string{"AWS_NATIVE"}
	case "REGISTRY_POLICY_SCOPE":
		return []string{"V2"}
	case blobMounting:
		return []string{"ENABLED", "DISABLED"}
	}
	return nil
}

func (r *Registry) accountSetting(name string) string {
	if value, ok := r.registry.Account[name]; ok {
		return value
	}
	return accountValues(name)[0]
}

func checkAccountSetting(name string) error {
	if accountValues(name) == nil {
		return invalid("name", "must be one of BASIC_SCAN_TYPE_VERSION, REGISTRY_POLICY_SCOPE and BLOB_MOUNTING")
	}
	return nil
}

func (r *Registry) getAccountSetting(in *ecr.GetAccountSettingInput) (*ecr.GetAccountSettingOutput, error) {
	name := aws.ToString(in.Name)
	if err := checkAccountSetting(name); err != nil {
		return nil, err
	}
	return &ecr.GetAccountSettingOutput{Name: &name, Value: aws.String(r.accountSetting(name))}, nil
}

func (r *Registry) putAccountSetting(in *ecr.PutAccountSettingInput) (*ecr.PutAccountSettingOutput, error) {
	name, value := aws.ToString(in.Name), aws.ToString(in.Value)
	if err := checkAccountSetting(name); err != nil {
		return nil, err
	}
	if !slices.Contains(accountValues(name), value) {
		return nil, invalid("value", "must be one of %s", strings.Join(accountValues(name), ", "))
	}
	next := r.registry
	next.Account = map[string]string{name: value}
	for other, v := range r.registry.Account {
		if other != name {
			next.Account[other] = v
		}
	}
	return &ecr.PutAccountSettingOutput{Name: &name, Value: &value}, r.changeRegistry(next)
}

// MountsLayers tells whether a push may take layers from another repository
// (the account setting BLOB_MOUNTING).
func (r *Registry) MountsLayers() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.accountSetting(blobMounting) == "ENABLED"
}

func (r *Registry) putReplicationConfiguration(in *ecr.PutReplicationConfigurationInput) (*ecr.PutReplicationConfigurationOutput, error) {
	if in.ReplicationConfiguration == nil || in.ReplicationConfiguration.Rules == nil {
		return nil, invalid("replicationConfiguration", "must not be null")
	}
	if len(in.ReplicationConfiguration.Rules) > 0 {
		return nil, invalid("replicationConfiguration", "drydock is one region of one account: there is nowhere to replicate to")
	}
	return &ecr.PutReplicationConfigurationOutput{ReplicationConfiguration: &types.ReplicationConfiguration{Rules: []types.ReplicationRule{}}}, nil
}

func (r *Registry) describeImageReplicationStatus(in *ecr.DescribeImageReplicationStatusInput) (*ecr.DescribeImageReplicationStatusOutput, error) {
	repo, _, err := r.one(in.RepositoryName, in.RegistryId, in.ImageId)
	if err != nil {
		return nil, err
	}
	return &ecr.DescribeImageReplicationStatusOutput{ImageId: in.ImageId, RepositoryName: &repo.Name, ReplicationStatuses: []types.ImageReplicationStatus{}}, nil
}

func (r *Registry) describePullThroughCacheRules(in *ecr.DescribePullThroughCacheRulesInput) (*ecr.DescribePullThroughCacheRulesOutput, error) {
	if len(in.EcrRepositoryPrefixes) > 0 {
		return nil, wire.Errorf("PullThroughCacheRuleNotFoundException", "The pull through cache rule was not found. Specify a valid pull through cache rule and try again.")
	}
	return &ecr.DescribePullThroughCacheRulesOutput{PullThroughCacheRules: []types.PullThroughCacheRule{}}, nil
}

func (r *Registry) describeRepositoryCreationTemplates(in *ecr.DescribeRepositoryCreationTemplatesInput) (*ecr.DescribeRepositoryCreationTemplatesOutput, error) {
	if len(in.Prefixes) > 0 {
		return nil, wire.Errorf("TemplateNotFoundException", "The specified repository creation template can't be found. Verify the registry ID and prefix and try again.")
	}
	return &ecr.DescribeRepositoryCreationTemplatesOutput{RegistryId: &r.account, RepositoryCreationTemplates: []types.RepositoryCreationTemplate{}}, nil
}

func (r *Registry) getSigningConfiguration(*ecr.GetSigningConfigurationInput) (*ecr.GetSigningConfigurationOutput, error) {
	return nil, wire.Errorf("SigningConfigurationNotFoundException", "The specified signing configuration was not found. This occurs when attempting to retrieve or delete a signing configuration that does not exist.")
}

func (r *Registry) listPullTimeUpdateExclusions(*ecr.ListPullTimeUpdateExclusionsInput) (*ecr.ListPullTimeUpdateExclusionsOutput, error) {
	return &ecr.ListPullTimeUpdateExclusionsOutput{PullTimeUpdateExclusions: []string{}}, nil
}
