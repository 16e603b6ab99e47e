package ecr

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

func (r *Registry) putImageTagMutability(in *ecr.PutImageTagMutabilityInput) (*ecr.PutImageTagMutabilityOutput, error) {
	repo, err := r.repository(in.RepositoryName, in.RegistryId)
	if err != nil {
		return nil, err
	}
	next, err := repo.withMutability(in.ImageTagMutability, in.ImageTagMutabilityExclusionFilters)
	if err != nil {
		return nil, err
	}
	return &ecr.PutImageTagMutabilityOutput{
		ImageTagMutability:                 next.Mutability,
		ImageTagMutabilityExclusionFilters: next.exclusionFilters(),
		RegistryId:                         &r.account,
		RepositoryName:                     &repo.Name,
	}, r.commit(changes{put: []record{next}})
}

// Filters of tags: at most five, of at most 128 characters (botocore:
// ImageTagMutabilityExclusionFilters).
const (
	maxExclusions      = 5
	maxExclusionLength = 128
)

// withMutability is the settings with another mutability: filters are needed
// where the mutability is one WITH_EXCLUSION, and refused where it is not.
func (s settings) withMutability(m types.ImageTagMutability, filters []types.ImageTagMutabilityExclusionFilter) (settings, error) {
	refuse := func(why string, args ...any) (settings, error) {
		return settings{}, invalid("imageTagMutabilityExclusionFilters", why, args...)
	}
	if m == "" && len(filters) > 0 {
		return refuse("ImageTagMutabilityExclusionFilters can't be specified when imageTagMutability is null")
	}
	if !slices.Contains(m.Values(), m) {
		return settings{}, invalid("imageTagMutability", "Member must satisfy enum value set: %s", m.Values())
	}
	excluding := m == types.ImageTagMutabilityMutableWithExclusion || m == types.ImageTagMutabilityImmutableWithExclusion
	switch {
	case excluding && len(filters) == 0:
		return refuse("ImageTagMutabilityExclusionFilters can't be null when imageTagMutability is set as %s", m)
	case !excluding && len(filters) > 0:
		return refuse("ImageTagMutabilityExclusionFilters must be null when imageTagMutability is set as %s", m)
	case len(filters) > maxExclusions:
		return refuse("Member must have length less than or equal to %d", maxExclusions)
	}
	s.Mutability, s.Exclusions = m, nil
	for _, f := range filters {
		filter := aws.ToString(f.Filter)
		if f.FilterType != types.ImageTagMutabilityExclusionFilterTypeWildcard {
			return refuse("Invalid value for 'filterType' in mutability exclusion filter: %s", f.FilterType)
		}
		if !isExclusion(filter) {
			return refuse("must satisfy regular expression '^[0-9a-zA-Z._*-]{1,%d}$'", maxExclusionLength)
		}
		s.Exclusions = append(s.Exclusions, filter)
	}
	return s, nil
}

func isExclusion(filter string) bool {
	if filter == "" || len(filter) > maxExclusionLength {
		return false
	}
	for _, c := range filter {
		switch {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		case c == '.', c == '_', c == '*', c == '-':
		default:
			return false
		}
	}
	return true
}

func (s settings) exclusionFilters() []types.ImageTagMutabilityExclusionFilter {
	var filters []types.ImageTagMutabilityExclusionFilter
	for _, f := range s.Exclusions {
		filters = append(filters, types.ImageTagMutabilityExclusionFilter{
			Filter:     aws.String(f),
			FilterType: types.ImageTagMutabilityExclusionFilterTypeWildcard,
		})
	}
	return filters
}

// frozen tells whether a tag, once given, stays with its image.
func (s settings) frozen(tag string) bool {
	return lifecycle.Frozen(string(s.Mutability), s.Exclusions, tag)
}
