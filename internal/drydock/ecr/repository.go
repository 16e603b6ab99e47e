package ecr

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"

	"cuelabs.dev/go/oci/ociregistry/ociref"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

func (r *Registry) describeRegistry(*ecr.DescribeRegistryInput) (*ecr.DescribeRegistryOutput, error) {
	return &ecr.DescribeRegistryOutput{
		RegistryId:               &r.account,
		ReplicationConfiguration: &types.ReplicationConfiguration{Rules: []types.ReplicationRule{}},
	}, nil
}

func (r *Registry) createRepository(in *ecr.CreateRepositoryInput, tags []tag) (*ecr.CreateRepositoryOutput, error) {
	name := aws.ToString(in.RepositoryName)
	if len(name) < 2 || len(name) > 256 || !ociref.IsValidRepository(name) {
		return nil, invalid("repositoryName", "must satisfy regular expression '%s'",
			`(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*`)
	}
	if in.RegistryId != nil && *in.RegistryId != r.account {
		return nil, invalid("registryId", "drydock has the registry %s only", r.account)
	}
	if _, exists := r.state[name]; exists {
		return nil, wire.Errorf("RepositoryAlreadyExistsException",
			"The repository with name '%s' already exists in the registry with id '%s'", name, r.account)
	}
	s := settings{
		Name:       name,
		CreatedAt:  r.clock.Now(),
		Mutability: types.ImageTagMutabilityMutable,
		Encryption: types.EncryptionTypeAes256,
	}
	if in.ImageScanningConfiguration != nil {
		s.ScanOnPush = in.ImageScanningConfiguration.ScanOnPush
	}
	if e := in.EncryptionConfiguration; e != nil {
		if !slices.Contains(e.EncryptionType.Values(), e.EncryptionType) {
			return nil, invalid("encryptionType", "Member must satisfy enum value set: %s", e.EncryptionType.Values())
		}
		s.Encryption, s.KMSKey = e.EncryptionType, aws.ToString(e.KmsKey)
	}
	var err error
	if in.ImageTagMutability != "" || in.ImageTagMutabilityExclusionFilters != nil {
		if s, err = s.withMutability(in.ImageTagMutability, in.ImageTagMutabilityExclusionFilters); err != nil {
			return nil, err
		}
	}
	if s.Tags, err = merge(nil, tags); err != nil {
		return nil, err
	}
	if err := r.commit(changes{put: []record{s}}); err != nil {
		return nil, err
	}
	return &ecr.CreateRepositoryOutput{Repository: r.describe(s)}, nil
}

func (r *Registry) describe(s settings) *types.Repository {
	encryption := &types.EncryptionConfiguration{EncryptionType: s.Encryption}
	if s.KMSKey != "" {
		encryption.KmsKey = &s.KMSKey
	}
	return &types.Repository{
		CreatedAt:                          &s.CreatedAt,
		EncryptionConfiguration:            encryption,
		ImageScanningConfiguration:         &types.ImageScanningConfiguration{ScanOnPush: s.ScanOnPush},
		ImageTagMutability:                 s.Mutability,
		ImageTagMutabilityExclusionFilters: s.exclusionFilters(),
		RegistryId:                         &r.account,
		RepositoryArn:                      aws.String(r.arn(s.Name)),
		RepositoryName:                     &s.Name,
		RepositoryUri:                      aws.String(r.host() + "/" + s.Name),
	}
}

func (r *Registry) describeRepositories(in *ecr.DescribeRepositoriesInput) (*ecr.DescribeRepositoriesOutput, error) {
	out := &ecr.DescribeRepositoriesOutput{Repositories: []types.Repository{}}
	var found []settings
	if in.RepositoryNames != nil {
		if in.MaxResults != nil || in.NextToken != nil {
			return nil, invalid("repositoryNames", "cannot be used with maxResults or nextToken")
		}
		for _, name := range in.RepositoryNames {
			repo, err := r.repository(&name, in.RegistryId)
			if err != nil {
				return nil, err
			}
			found = append(found, repo.settings)
		}
	} else {
		for _, repo := range r.state {
			if in.RegistryId == nil || *in.RegistryId == r.account {
				found = append(found, repo.settings)
			}
		}
		var err error
		found, out.NextToken, err = page(found, func(s settings) string { return s.Name }, in.NextToken, in.MaxResults)
		if err != nil {
			return nil, err
		}
	}
	for _, s := range found {
		out.Repositories = append(out.Repositories, *r.describe(s))
	}
	return out, nil
}

func (r *Registry) deleteRepository(in *ecr.DeleteRepositoryInput) (*ecr.DeleteRepositoryOutput, error) {
	repo, err := r.repository(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	if len(repo.images) > 0 && !in.Force {
		return nil, wire.Errorf("RepositoryNotEmptyException",
			"The repository with name '%s' in registry with id '%s' cannot be deleted because it still contains images", repo.Name, r.account)
	}
	var drop []record
	var blobs []string
	images := maps.Clone(repo.images)
	for _, i := range images {
		drop = append(drop, i)
	}
	for digest, l := range repo.layers {
		drop = append(drop, l)
		blobs = append(blobs, digest)
	}
	if err := r.commit(changes{drop: append(drop, repo.settings)}); err != nil {
		return nil, err
	}
	for _, digest := range slices.Sorted(maps.Keys(images)) {
		r.tellDelete(images[digest], images[digest].ids())
	}
	r.clock.Cancel(lifecycleKey(repo.Name))
	delete(r.previews, repo.Name)
	return &ecr.DeleteRepositoryOutput{Repository: r.describe(repo.settings)}, r.sweep(blobs)
}

// change commits one change to the settings of a repository.
func (r *Registry) change(repo *repository, change func(*settings)) error {
	next := repo.settings
	change(&next)
	return r.commit(changes{put: []record{next}})
}

func (r *Registry) putImageScanningConfiguration(in *ecr.PutImageScanningConfigurationInput) (*ecr.PutImageScanningConfigurationOutput, error) {
	repo, err := r.repository(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	if in.ImageScanningConfiguration == nil {
		return nil, invalid("imageScanningConfiguration", "must not be null")
	}
	return &ecr.PutImageScanningConfigurationOutput{
		ImageScanningConfiguration: in.ImageScanningConfiguration,
		RegistryId:                 &r.account,
		RepositoryName:             &repo.Name,
	}, r.change(repo, func(s *settings) { s.ScanOnPush = in.ImageScanningConfiguration.ScanOnPush })
}

// maxPolicy is the length of the longest repository policy, in bytes.
const maxPolicy = 10240

func (r *Registry) setRepositoryPolicy(in *ecr.SetRepositoryPolicyInput) (*ecr.SetRepositoryPolicyOutput, error) {
	repo, err := r.repository(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	text := aws.ToString(in.PolicyText)
	var doc struct{ Statement json.RawMessage }
	if len(text) > maxPolicy || json.Unmarshal([]byte(text), &doc) != nil || doc.Statement == nil {
		return nil, invalid("PolicyText", "Invalid repository policy provided")
	}
	return &ecr.SetRepositoryPolicyOutput{
		PolicyText:     &text,
		RegistryId:     &r.account,
		RepositoryName: &repo.Name,
	}, r.change(repo, func(s *settings) { s.Policy = text })
}

// withPolicy finds a repository that has a policy.
func (r *Registry) withPolicy(name, registryID *string) (*repository, error) {
	repo, err := r.repository(name, registryID)
	if err != nil {
		return nil, err
	}
	if repo.Policy == "" {
		return nil, wire.Errorf("RepositoryPolicyNotFoundException",
			"Repository policy does not exist for the repository with name '%s' in the registry with id '%s'", repo.Name, r.account)
	}
	return repo, nil
}

func (r *Registry) getRepositoryPolicy(in *ecr.GetRepositoryPolicyInput) (*ecr.GetRepositoryPolicyOutput, error) {
	repo, err := r.withPolicy(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	return &ecr.GetRepositoryPolicyOutput{
		PolicyText:     aws.String(repo.Policy),
		RegistryId:     &r.account,
		RepositoryName: &repo.Name,
	}, nil
}

func (r *Registry) deleteRepositoryPolicy(in *ecr.DeleteRepositoryPolicyInput) (*ecr.DeleteRepositoryPolicyOutput, error) {
	repo, err := r.withPolicy(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	return &ecr.DeleteRepositoryPolicyOutput{
		PolicyText:     aws.String(repo.Policy),
		RegistryId:     &r.account,
		RepositoryName: &repo.Name,
	}, r.change(repo, func(s *settings) { s.Policy = "" })
}
