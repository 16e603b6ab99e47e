package secretsmanager

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/constraint"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/listing"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// Value is the value of a secret as text, for ECS: of the version with the
// staging label or the id, both "" for AWSCURRENT. id is a name or an ARN. An
// error is a [*wire.Error] in the words of GetSecretValue.
func (m *Manager) Value(id, stage, versionID string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, v, err := m.read(id, optional(versionID), optional(stage))
	if err != nil {
		return "", err
	}
	if err := m.accessed(s); err != nil {
		return "", err
	}
	if v.Text != nil {
		return *v.Text, nil
	}
	return string(v.Binary), nil
}

// ARN is the resource that reading a secret is authorized on, by a name or an
// ARN of it: its ARN, or of one that is not there what its ARN would look like.
func (m *Manager) ARN(id string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s, err := m.find(id); err == nil {
		return s.ARN
	}
	if strings.HasPrefix(id, "arn:") {
		return id
	}
	return m.arnPrefix() + id + "-" + strings.Repeat("?", suffixLength)
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// read finds a secret and one of its versions.
func (m *Manager) read(id string, versionID, stage *string) (secret, version, error) {
	s, err := m.alive(id)
	if err != nil {
		return s, version{}, err
	}
	if versionID == nil {
		label := stageCurrent
		if stage != nil {
			label = *stage
		}
		n := s.byStage(label)
		if n < 0 {
			return s, version{}, wire.Errorf(codeNotFound, "Secrets Manager can't find the specified secret value for staging label: %s", label)
		}
		return s, s.Versions[n], nil
	}
	n := s.byID(*versionID)
	switch {
	case n < 0:
		return s, version{}, wire.Errorf(codeNotFound, "Secrets Manager can't find the specified secret value for VersionId: %s", *versionID)
	case stage != nil && !s.Versions[n].has(*stage):
		return s, version{}, wire.Errorf(codeInvalidRequest, "You provided a VersionStage that is not associated to the provided VersionId.")
	}
	return s, s.Versions[n], nil
}

// accessed notes the day on which a value was read: LastAccessedDate has no
// time (API reference).
func (m *Manager) accessed(s secret) error {
	today := m.Clock.Now().UTC().Truncate(24 * time.Hour)
	if s.Accessed.Equal(today) {
		return nil
	}
	s.Accessed = today
	return m.put(s)
}

func (m *Manager) getSecretValue(_ context.Context, in *secretsmanager.GetSecretValueInput) (*secretsmanager.GetSecretValueOutput, error) {
	var c constraint.Checks
	checkID(&c, in.SecretId)
	c.Length("versionId", in.VersionId, 32, 64)
	c.Length("versionStage", in.VersionStage, 1, 256)
	if err := c.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s, v, err := m.read(*in.SecretId, in.VersionId, in.VersionStage)
	if err != nil {
		return nil, err
	}
	return &secretsmanager.GetSecretValueOutput{
		ARN: &s.ARN, Name: &s.Name, CreatedDate: &v.Created,
		SecretBinary: v.Binary, SecretString: v.Text, VersionId: &v.ID, VersionStages: v.Stages,
	}, m.accessed(s)
}

func (m *Manager) batchGetSecretValue(_ context.Context, in *secretsmanager.BatchGetSecretValueInput) (*secretsmanager.BatchGetSecretValueOutput, error) {
	var c constraint.Checks
	limit := c.Limit("maxResults", in.MaxResults, 20)
	if in.SecretIdList != nil {
		c.Count("secretIdList", len(in.SecretIdList), 1, 20)
	}
	checkFilters(&c, in.Filters)
	if err := c.Err(); err != nil {
		return nil, err
	}
	if (in.SecretIdList == nil) == (in.Filters == nil) {
		return nil, wire.Errorf(codeInvalidParameter, "Either 'SecretIdList' or 'Filters' must be provided, but not both.")
	}
	if in.SecretIdList != nil && in.MaxResults != nil {
		return nil, wire.Errorf(codeInvalidParameter, "'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided.")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	out := &secretsmanager.BatchGetSecretValueOutput{SecretValues: []types.SecretValueEntry{}, Errors: []types.APIErrorType{}}
	ids := in.SecretIdList
	if ids == nil {
		matching := slices.DeleteFunc(m.sorted(), func(s secret) bool { return !s.Deleted.IsZero() || !s.matches(in.Filters, m.Region) })
		page, next, ok := listing.Page(matching, func(s secret) string { return s.Name }, listing.Ascending, in.NextToken, limit)
		if !ok {
			return nil, badToken()
		}
		out.NextToken = next
		for _, s := range page {
			ids = append(ids, s.ARN)
		}
	}
	for _, id := range ids {
		s, v, err := m.read(id, nil, nil)
		if err == nil {
			err = m.accessed(s)
		}
		if refused, ok := errors.AsType[*wire.Error](err); ok {
			out.Errors = append(out.Errors, types.APIErrorType{SecretId: &id, ErrorCode: &refused.Code, Message: &refused.Message})
			continue
		}
		if err != nil {
			return nil, err
		}
		out.SecretValues = append(out.SecretValues, types.SecretValueEntry{
			ARN: &s.ARN, Name: &s.Name, CreatedDate: &v.Created,
			SecretBinary: v.Binary, SecretString: v.Text, VersionId: &v.ID, VersionStages: v.Stages,
		})
	}
	return out, nil
}

func (m *Manager) describeSecret(_ context.Context, in *secretsmanager.DescribeSecretInput) (*secretsmanager.DescribeSecretOutput, error) {
	s, err := m.named(in.SecretId, m.find)
	if err != nil {
		return nil, err
	}
	return &secretsmanager.DescribeSecretOutput{
		ARN: &s.ARN, Name: &s.Name, Description: optional(s.Description), KmsKeyId: optional(s.KMSKey),
		CreatedDate: &s.Created, LastChangedDate: &s.Changed, LastAccessedDate: moment(s.Accessed),
		// "The date the secret is scheduled for deletion" (API reference).
		DeletedDate: moment(s.Ends),
		Tags:        s.tags(), VersionIdsToStages: s.stages(),
	}, nil
}

// named is the secret of a request that has nothing but its id.
func (m *Manager) named(id *string, find func(string) (secret, error)) (secret, error) {
	var c constraint.Checks
	checkID(&c, id)
	if err := c.Err(); err != nil {
		return secret{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return find(*id)
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (s secret) tags() []types.Tag {
	out := []types.Tag{}
	for _, key := range slices.Sorted(maps.Keys(s.Tags)) {
		out = append(out, types.Tag{Key: &key, Value: aws.String(s.Tags[key])})
	}
	return out
}

// stages is the staging labels by version id; a version without any is
// deprecated and not listed. It is nil when there is no version.
func (s secret) stages() map[string][]string {
	var out map[string][]string
	for _, v := range s.Versions {
		if len(v.Stages) == 0 {
			continue
		}
		if out == nil {
			out = map[string][]string{}
		}
		out[v.ID] = v.Stages
	}
	return out
}

func (m *Manager) getResourcePolicy(_ context.Context, in *secretsmanager.GetResourcePolicyInput) (*secretsmanager.GetResourcePolicyOutput, error) {
	s, err := m.named(in.SecretId, m.alive)
	if err != nil {
		return nil, err
	}
	return &secretsmanager.GetResourcePolicyOutput{ARN: &s.ARN, Name: &s.Name}, nil
}

func (m *Manager) listSecretVersionIDs(_ context.Context, in *secretsmanager.ListSecretVersionIdsInput) (*secretsmanager.ListSecretVersionIdsOutput, error) {
	var c constraint.Checks
	limit := c.Limit("maxResults", in.MaxResults, 100)
	if err := c.Err(); err != nil {
		return nil, err
	}
	s, err := m.named(in.SecretId, m.find)
	if err != nil {
		return nil, err
	}
	var versions []version
	for _, v := range s.Versions {
		if len(v.Stages) > 0 || aws.ToBool(in.IncludeDeprecated) {
			versions = append(versions, v)
		}
	}
	page, next, ok := listing.Page(versions, func(v version) string { return sortable(v.Created) + v.ID }, listing.Descending, in.NextToken, limit)
	if !ok {
		return nil, badToken()
	}
	out := &secretsmanager.ListSecretVersionIdsOutput{ARN: &s.ARN, Name: &s.Name, NextToken: next, Versions: []types.SecretVersionsListEntry{}}
	for _, v := range page {
		out.Versions = append(out.Versions, types.SecretVersionsListEntry{CreatedDate: &v.Created, VersionId: &v.ID, VersionStages: v.Stages})
	}
	return out, nil
}

// sortable is a time as a key of the same order.
func sortable(t time.Time) string { return fmt.Sprintf("%020d ", max(0, t.UnixNano())) }

func badToken() error {
	return wire.Errorf("InvalidNextTokenException", "The NextToken value is invalid.")
}

func (m *Manager) listSecrets(_ context.Context, in *secretsmanager.ListSecretsInput) (*secretsmanager.ListSecretsOutput, error) {
	var c constraint.Checks
	limit := c.Limit("maxResults", in.MaxResults, 100)
	constraint.OneOf(&c, "sortBy", in.SortBy, in.SortBy.Values())
	constraint.OneOf(&c, "sortOrder", in.SortOrder, in.SortOrder.Values())
	checkFilters(&c, in.Filters)
	if err := c.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	matching := slices.DeleteFunc(m.sorted(), func(s secret) bool {
		return !s.Deleted.IsZero() && !aws.ToBool(in.IncludePlannedDeletion) || !s.matches(in.Filters, m.Region)
	})
	order := listing.Descending // not documented without a SortOrder; the console has the newest first
	if in.SortOrder == types.SortOrderTypeAsc {
		order = listing.Ascending
	}
	page, next, ok := listing.Page(matching, sortKey(in.SortBy), order, in.NextToken, limit)
	if !ok {
		return nil, badToken()
	}
	out := &secretsmanager.ListSecretsOutput{NextToken: next, SecretList: []types.SecretListEntry{}}
	for _, s := range page {
		out.SecretList = append(out.SecretList, types.SecretListEntry{
			ARN: &s.ARN, Name: &s.Name, Description: optional(s.Description), KmsKeyId: optional(s.KMSKey),
			CreatedDate: &s.Created, LastChangedDate: &s.Changed, LastAccessedDate: moment(s.Accessed),
			// "The date and time the deletion of the secret occurred" (API reference).
			DeletedDate: moment(s.Deleted),
			Tags:        s.tags(), SecretVersionsToStages: s.stages(),
		})
	}
	return out, nil
}

func sortKey(by types.SortByType) func(secret) string {
	switch by {
	case types.SortByTypeName:
		return func(s secret) string { return s.Name }
	case types.SortByTypeLastAccessedDate:
		return func(s secret) string { return sortable(s.Accessed) + s.Name }
	case types.SortByTypeLastChangedDate:
		return func(s secret) string { return sortable(s.Changed) + s.Name }
	}
	return func(s secret) string { return sortable(s.Created) + s.Name }
}

func checkFilters(c *constraint.Checks, filters []types.Filter) {
	if filters != nil {
		c.Count("filters", len(filters), 0, 10)
	}
	for _, f := range filters {
		constraint.OneOf(c, "filters.key", f.Key, f.Key.Values())
		c.Present("filters.key", f.Key != "")
		c.Count("filters.values", len(f.Values), 1, 10)
	}
}

// matches tells whether a secret passes every filter: values match from their
// beginning, and one with a "!" before it must not (Filter in the API
// reference). description ignores case, as do the other free texts.
func (s secret) matches(filters []types.Filter, region string) bool {
	for _, f := range filters {
		texts := s.texts(f.Key, region)
		if !slices.ContainsFunc(f.Values, func(want string) bool {
			want, negated := strings.CutPrefix(want, "!")
			found := slices.ContainsFunc(texts, func(have string) bool {
				if f.Key == types.FilterNameStringTypeDescription || f.Key == types.FilterNameStringTypeAll {
					have, want = strings.ToLower(have), strings.ToLower(want)
				}
				return strings.HasPrefix(have, want)
			})
			return found != negated
		}) {
			return false
		}
	}
	return true
}

// texts is what a filter of that key looks at.
func (s secret) texts(key types.FilterNameStringType, region string) []string {
	switch key {
	case types.FilterNameStringTypeName:
		return []string{s.Name}
	case types.FilterNameStringTypeDescription:
		return []string{s.Description}
	case types.FilterNameStringTypeTagKey:
		return slices.Collect(maps.Keys(s.Tags))
	case types.FilterNameStringTypeTagValue:
		return slices.Collect(maps.Values(s.Tags))
	case types.FilterNameStringTypePrimaryRegion:
		return []string{region}
	case types.FilterNameStringTypeAll:
		all := []string{s.Name, s.Description}
		all = slices.AppendSeq(all, maps.Keys(s.Tags))
		return slices.AppendSeq(all, maps.Values(s.Tags))
	}
	return nil // owning-service: no service of AWS owns one here
}
