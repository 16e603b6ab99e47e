package secretsmanager

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/constraint"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

const (
	maxValue  = 65536 // bytes
	maxStages = 20    // of a version
)

// checkID checks the member that names the secret, which every request has.
func checkID(c *constraint.Checks, id *string) {
	if c.Present("secretId", id != nil) {
		c.Length("secretId", id, 1, 2048)
	}
}

// checkValue checks the members that a request with a value has.
func checkValue(c *constraint.Checks, token, text *string, binary []byte) {
	c.Length("clientRequestToken", token, 32, 64)
	if text != nil {
		c.SecretLength("secretString", len(*text), 1, maxValue)
	}
	if binary != nil {
		c.SecretLength("secretBinary", len(binary), 1, maxValue)
	}
}

// value makes a version of the members of a request that may have one.
func (m *Manager) value(token, text *string, binary []byte) (version, error) {
	if text != nil && binary != nil {
		return version{}, wire.Errorf(codeInvalidParameter, "You can't specify both a binary secret value and a string secret value in the same secret.")
	}
	v := version{ID: aws.ToString(token), Created: m.Clock.Now(), Text: text, Binary: binary}
	if v.ID == "" {
		v.ID = m.newVersionID()
	}
	return v, nil
}

// checkName: "The secret name can contain ASCII letters, numbers, and the
// following characters: /_+=.@-" (CreateSecret in the API reference).
func checkName(name string) error {
	if strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("/_+=.@-!", r)
	}) {
		return wire.Errorf("ValidationException", "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!")
	}
	return nil
}

func (m *Manager) createSecret(_ context.Context, in *secretsmanager.CreateSecretInput) (*secretsmanager.CreateSecretOutput, error) {
	var c constraint.Checks
	if c.Present("name", in.Name != nil) {
		c.Length("name", in.Name, 1, 512)
	}
	c.Length("description", in.Description, 0, 2048)
	c.Length("kmsKeyId", in.KmsKeyId, 0, 2048)
	checkValue(&c, in.ClientRequestToken, in.SecretString, in.SecretBinary)
	if err := c.Err(); err != nil {
		return nil, err
	}
	switch {
	case in.AddReplicaRegions != nil || in.ForceOverwriteReplicaSecret:
		return nil, wire.Errorf(codeInvalidParameter, "drydock has one region: secrets are not replicated.")
	case in.Type != nil:
		return nil, wire.Errorf(codeInvalidParameter, "drydock has no managed external secrets.")
	}
	if err := checkName(*in.Name); err != nil {
		return nil, err
	}
	tags, err := merge(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	v, err := m.value(in.ClientRequestToken, in.SecretString, in.SecretBinary)
	if err != nil {
		return nil, err
	}
	if old, exists := m.secrets[*in.Name]; exists {
		return m.created(old, v)
	}
	now := m.Clock.Now()
	s := secret{
		Name: *in.Name, ARN: m.newARN(*in.Name), Description: aws.ToString(in.Description), KMSKey: aws.ToString(in.KmsKeyId),
		Tags: tags, Created: now, Changed: now,
	}
	out := &secretsmanager.CreateSecretOutput{ARN: &s.ARN, Name: &s.Name}
	if v.Text != nil || v.Binary != nil {
		s.add(v, []string{stageCurrent})
		out.VersionId = &v.ID
	}
	return out, m.put(s)
}

// created answers a CreateSecret for a secret that there is: a retry with the
// token and the value of one of its versions has been done.
func (m *Manager) created(s secret, v version) (*secretsmanager.CreateSecretOutput, error) {
	if !s.Deleted.IsZero() {
		return nil, wire.Errorf(codeInvalidRequest, "You can't create this secret because a secret with this name is already scheduled for deletion.")
	}
	if n := s.byID(v.ID); n >= 0 && s.Versions[n].same(v) {
		return &secretsmanager.CreateSecretOutput{ARN: &s.ARN, Name: &s.Name, VersionId: &v.ID}, nil
	}
	return nil, wire.Errorf(codeExists, "The operation failed because the secret %s already exists.", s.Name)
}

// addVersion adds a version to s and says whether it is new. One that is there
// with the same value is left alone.
func addVersion(s *secret, v version, stages []string) (bool, error) {
	if n := s.byID(v.ID); n >= 0 {
		if s.Versions[n].same(v) {
			return false, nil
		}
		return false, wire.Errorf(codeExists, "You can't use ClientRequestToken %s because that value is already in use for a version of secret %s.", v.ID, s.ARN)
	}
	if s.byStage(stageCurrent) < 0 && !slices.Contains(stages, stageCurrent) {
		stages = append(slices.Clone(stages), stageCurrent)
	}
	s.add(v, stages)
	return true, nil
}

func (m *Manager) putSecretValue(_ context.Context, in *secretsmanager.PutSecretValueInput) (*secretsmanager.PutSecretValueOutput, error) {
	var c constraint.Checks
	checkID(&c, in.SecretId)
	checkValue(&c, in.ClientRequestToken, in.SecretString, in.SecretBinary)
	if in.VersionStages != nil {
		c.Count("versionStages", len(in.VersionStages), 1, maxStages)
		for _, stage := range in.VersionStages {
			c.Length("versionStages", &stage, 1, 256)
		}
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := m.alive(*in.SecretId)
	if err != nil {
		return nil, err
	}
	if in.SecretString == nil && in.SecretBinary == nil {
		return nil, wire.Errorf(codeInvalidRequest, "You must provide either SecretString or SecretBinary.")
	}
	v, err := m.value(in.ClientRequestToken, in.SecretString, in.SecretBinary)
	if err != nil {
		return nil, err
	}
	stages := in.VersionStages
	if stages == nil {
		stages = []string{stageCurrent}
	}
	added, err := addVersion(&s, v, stages)
	if err != nil {
		return nil, err
	}
	out := &secretsmanager.PutSecretValueOutput{ARN: &s.ARN, Name: &s.Name, VersionId: &v.ID, VersionStages: s.Versions[s.byID(v.ID)].Stages}
	if !added {
		return out, nil
	}
	return out, m.change(s, func(*secret) {})
}

func (m *Manager) updateSecret(_ context.Context, in *secretsmanager.UpdateSecretInput) (*secretsmanager.UpdateSecretOutput, error) {
	var c constraint.Checks
	checkID(&c, in.SecretId)
	c.Length("description", in.Description, 0, 2048)
	c.Length("kmsKeyId", in.KmsKeyId, 0, 2048)
	checkValue(&c, in.ClientRequestToken, in.SecretString, in.SecretBinary)
	if err := c.Err(); err != nil {
		return nil, err
	}
	if in.Type != nil {
		return nil, wire.Errorf(codeInvalidParameter, "drydock has no managed external secrets.")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := m.alive(*in.SecretId)
	if err != nil {
		return nil, err
	}
	out := &secretsmanager.UpdateSecretOutput{ARN: &s.ARN, Name: &s.Name}
	if in.SecretString != nil || in.SecretBinary != nil {
		v, err := m.value(in.ClientRequestToken, in.SecretString, in.SecretBinary)
		if err != nil {
			return nil, err
		}
		if _, err := addVersion(&s, v, []string{stageCurrent}); err != nil {
			return nil, err
		}
		out.VersionId = &v.ID
	}
	return out, m.change(s, func(s *secret) {
		if in.Description != nil {
			s.Description = *in.Description
		}
		if in.KmsKeyId != nil {
			s.KMSKey = *in.KmsKeyId
		}
	})
}

func (m *Manager) updateSecretVersionStage(_ context.Context, in *secretsmanager.UpdateSecretVersionStageInput) (*secretsmanager.UpdateSecretVersionStageOutput, error) {
	var c constraint.Checks
	checkID(&c, in.SecretId)
	if c.Present("versionStage", in.VersionStage != nil) {
		c.Length("versionStage", in.VersionStage, 1, 256)
	}
	c.Length("moveToVersionId", in.MoveToVersionId, 32, 64)
	c.Length("removeFromVersionId", in.RemoveFromVersionId, 32, 64)
	if err := c.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := m.alive(*in.SecretId)
	if err != nil {
		return nil, err
	}
	if err := s.checkMove(*in.VersionStage, in.RemoveFromVersionId, in.MoveToVersionId); err != nil {
		return nil, err
	}
	return &secretsmanager.UpdateSecretVersionStageOutput{ARN: &s.ARN, Name: &s.Name}, m.change(s, func(s *secret) {
		s.label(*in.VersionStage, aws.ToString(in.MoveToVersionId))
	})
}

// checkMove says why a staging label cannot be moved so.
func (s secret) checkMove(stage string, from, to *string) error {
	holder := ""
	if n := s.byStage(stage); n >= 0 {
		holder = s.Versions[n].ID
	}
	switch {
	case to != nil && s.byID(*to) < 0:
		return wire.Errorf(codeNotFound, "Secrets Manager can't find the specified secret value for VersionId: %s", *to)
	case from != nil && s.byID(*from) < 0:
		return wire.Errorf(codeNotFound, "Secrets Manager can't find the specified secret value for VersionId: %s", *from)
	case from == nil && to == nil:
		return wire.Errorf(codeInvalidParameter, "You must specify at least one of MoveToVersionId and RemoveFromVersionId.")
	case from == nil && holder != "" && holder != *to:
		return wire.Errorf(codeInvalidParameter, "The parameter RemoveFromVersionId can't be empty. Staging label %s is currently attached to version %s, so you must explicitly reference that version in RemoveFromVersionId.", stage, holder)
	case from != nil && holder != *from:
		return wire.Errorf(codeInvalidParameter, "The staging label %s isn't attached to version %s.", stage, *from)
	case to == nil && stage == stageCurrent:
		return wire.Errorf(codeInvalidParameter, "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.")
	case to != nil && holder != *to && len(s.Versions[s.byID(*to)].Stages) >= maxStages:
		return wire.Errorf(codeLimit, "A version of a secret can have at most %d staging labels.", maxStages)
	}
	return nil
}

func (m *Manager) tagResource(_ context.Context, in *secretsmanager.TagResourceInput) (*secretsmanager.TagResourceOutput, error) {
	var c constraint.Checks
	checkID(&c, in.SecretId)
	c.Present("tags", in.Tags != nil)
	if err := c.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := m.alive(*in.SecretId)
	if err != nil {
		return nil, err
	}
	tags, err := merge(s.Tags, in.Tags)
	if err != nil {
		return nil, err
	}
	return &secretsmanager.TagResourceOutput{}, m.change(s, func(s *secret) { s.Tags = tags })
}

func (m *Manager) untagResource(_ context.Context, in *secretsmanager.UntagResourceInput) (*secretsmanager.UntagResourceOutput, error) {
	var c constraint.Checks
	checkID(&c, in.SecretId)
	c.Present("tagKeys", in.TagKeys != nil)
	if err := c.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := m.alive(*in.SecretId)
	if err != nil {
		return nil, err
	}
	tags := map[string]string{}
	for key, value := range s.Tags {
		if !slices.Contains(in.TagKeys, key) {
			tags[key] = value
		}
	}
	return &secretsmanager.UntagResourceOutput{}, m.change(s, func(s *secret) { s.Tags = tags })
}

// maxTags is the most tags that a secret may have.
const maxTags = 50

// merge adds tags to those of a secret.
func merge(old map[string]string, tags []types.Tag) (map[string]string, error) {
	merged := map[string]string{}
	for key, value := range old {
		merged[key] = value
	}
	var c constraint.Checks
	for _, t := range tags {
		if c.Present("tags.key", t.Key != nil) && c.Present("tags.value", t.Value != nil) {
			c.Length("tags.key", t.Key, 1, 128)
			c.Length("tags.value", t.Value, 0, 256)
			if strings.HasPrefix(strings.ToLower(*t.Key), "aws:") {
				return nil, wire.Errorf(codeInvalidParameter, "Tag keys can't start with aws:, which AWS keeps for itself.")
			}
			merged[*t.Key] = *t.Value
		}
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	if len(merged) > maxTags {
		return nil, wire.Errorf(codeInvalidParameter, "A secret can have at most %d tags.", maxTags)
	}
	return merged, nil
}
