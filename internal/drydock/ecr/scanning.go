package ecr

import (
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// scanRule is a rule of the registry's scanning configuration: the repositories
// whose names match a filter are scanned at that frequency.
type scanRule struct {
	Frequency types.ScanFrequency
	Filters   []string // with * for anything
}

func (r *Registry) scanningConfiguration() *types.RegistryScanningConfiguration {
	out := &types.RegistryScanningConfiguration{ScanType: types.ScanTypeBasic, Rules: []types.RegistryScanningRule{}}
	for _, rule := range r.registry.ScanRules {
		out.Rules = append(out.Rules, types.RegistryScanningRule{ScanFrequency: rule.Frequency, RepositoryFilters: scanFilters(rule.Filters)})
	}
	return out
}

func scanFilters(filters []string) []types.ScanningRepositoryFilter {
	out := []types.ScanningRepositoryFilter{}
	for _, f := range filters {
		out = append(out, types.ScanningRepositoryFilter{Filter: &f, FilterType: types.ScanningRepositoryFilterTypeWildcard})
	}
	return out
}

func (r *Registry) getRegistryScanningConfiguration(*ecr.GetRegistryScanningConfigurationInput) (*ecr.GetRegistryScanningConfigurationOutput, error) {
	return &ecr.GetRegistryScanningConfigurationOutput{RegistryId: &r.account, ScanningConfiguration: r.scanningConfiguration()}, nil
}

// putRegistryScanningConfiguration takes basic scanning: on push, or by hand.
// Amazon Inspector, and with it enhanced and continuous scanning, is not here.
func (r *Registry) putRegistryScanningConfiguration(in *ecr.PutRegistryScanningConfigurationInput) (*ecr.PutRegistryScanningConfigurationOutput, error) {
	switch in.ScanType {
	case "", types.ScanTypeBasic:
	case types.ScanTypeEnhanced:
		return nil, invalid("scanType", "drydock has the scan type BASIC only")
	default:
		return nil, invalid("scanType", "Member must satisfy enum value set: %s", in.ScanType.Values())
	}
	if len(in.Rules) > 2 {
		return nil, invalid("rules", "Member must have length less than or equal to 2")
	}
	next := r.registry
	next.ScanRules = nil
	for _, rule := range in.Rules {
		if rule.ScanFrequency != types.ScanFrequencyScanOnPush && rule.ScanFrequency != types.ScanFrequencyManual {
			return nil, invalid("scanFrequency", "basic scanning has the frequencies SCAN_ON_PUSH and MANUAL")
		}
		kept := scanRule{Frequency: rule.ScanFrequency}
		pattern := regexp.MustCompile(`^[a-z0-9*](?:[._\-/a-z0-9*]?[a-z0-9*]+)*$`)
		for _, f := range rule.RepositoryFilters {
			filter := aws.ToString(f.Filter)
			if len(filter) > 255 || !pattern.MatchString(filter) || f.FilterType != types.ScanningRepositoryFilterTypeWildcard {
				return nil, invalid("repositoryFilters", "must be wildcards that satisfy regular expression '%s'", pattern)
			}
			kept.Filters = append(kept.Filters, filter)
		}
		next.ScanRules = append(next.ScanRules, kept)
	}
	if err := r.changeRegistry(next); err != nil {
		return nil, err
	}
	return &ecr.PutRegistryScanningConfigurationOutput{RegistryScanningConfiguration: r.scanningConfiguration()}, nil
}

// scanOnPush tells whether the images of a repository are scanned when they are
// pushed, by its own setting or the registry's, and by which filters of the
// latter.
func (r *Registry) scanOnPush(s settings) (on bool, filters []string) {
	for _, rule := range r.registry.ScanRules {
		for _, filter := range rule.Filters {
			if rule.Frequency == types.ScanFrequencyScanOnPush && wildcard(filter, s.Name) {
				filters = append(filters, filter)
			}
		}
	}
	return s.ScanOnPush || filters != nil, filters
}

// wildcard tells whether a filter matches a name: "a filter without a wildcard
// matches all repository names that contain the filter" (user guide, Filters to
// choose which repositories are scanned).
func wildcard(filter, name string) bool {
	if !strings.Contains(filter, "*") {
		return strings.Contains(name, filter)
	}
	part := strings.Split(filter, "*")
	rest, ok := strings.CutPrefix(name, part[0])
	if !ok {
		return false
	}
	last := part[len(part)-1]
	for _, p := range part[1 : len(part)-1] {
		if _, rest, ok = strings.Cut(rest, p); !ok {
			return false
		}
	}
	return strings.HasSuffix(rest, last)
}

func (r *Registry) batchGetRepositoryScanningConfiguration(in *ecr.BatchGetRepositoryScanningConfigurationInput) (*ecr.BatchGetRepositoryScanningConfigurationOutput, error) {
	if n := len(in.RepositoryNames); n < 1 || n > 25 {
		return nil, invalid("repositoryNames", "must have 1 to 25 members")
	}
	out := &ecr.BatchGetRepositoryScanningConfigurationOutput{
		ScanningConfigurations: []types.RepositoryScanningConfiguration{}, Failures: []types.RepositoryScanningConfigurationFailure{},
	}
	for _, name := range in.RepositoryNames {
		repo, ok := r.state[name]
		if !ok {
			out.Failures = append(out.Failures, types.RepositoryScanningConfigurationFailure{
				FailureCode:    types.ScanningConfigurationFailureCodeRepositoryNotFound,
				FailureReason:  aws.String(repositoryNotFound(name, r.account).Message),
				RepositoryName: &name,
			})
			continue
		}
		on, filters := r.scanOnPush(repo.settings)
		c := types.RepositoryScanningConfiguration{
			RepositoryArn: aws.String(r.arn(name)), RepositoryName: &name, ScanOnPush: on,
			ScanFrequency: types.ScanFrequencyManual, AppliedScanFilters: scanFilters(filters),
		}
		if on {
			c.ScanFrequency = types.ScanFrequencyScanOnPush
		}
		out.ScanningConfigurations = append(out.ScanningConfigurations, c)
	}
	return out, nil
}
