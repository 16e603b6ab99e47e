package secretsmanager

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/constraint"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// defaultWindow is how many days a deleted secret can be restored unless the
// request says otherwise (DeleteSecret in the API reference).
const defaultWindow = 30

func (m *Manager) deleteSecret(_ context.Context, in *secretsmanager.DeleteSecretInput) (*secretsmanager.DeleteSecretOutput, error) {
	var c constraint.Checks
	checkID(&c, in.SecretId)
	if err := c.Err(); err != nil {
		return nil, err
	}
	force := aws.ToBool(in.ForceDeleteWithoutRecovery)
	days := int64(defaultWindow)
	if in.RecoveryWindowInDays != nil {
		days = *in.RecoveryWindowInDays
	}
	switch {
	case force && in.RecoveryWindowInDays != nil:
		return nil, wire.Errorf(codeInvalidParameter, "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
	case days < 7 || days > 30:
		return nil, wire.Errorf(codeInvalidParameter, "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if force {
		return m.deleteNow(*in.SecretId)
	}
	s, err := m.alive(*in.SecretId)
	if err != nil {
		return nil, err
	}
	s.Deleted = m.Clock.Now()
	s.Ends = s.Deleted.Add(time.Duration(days) * 24 * time.Hour)
	if err := m.put(s); err != nil {
		return nil, err
	}
	m.scheduleDeletion(s)
	return &secretsmanager.DeleteSecretOutput{ARN: &s.ARN, Name: &s.Name, DeletionDate: &s.Ends}, nil
}

// deleteNow deletes without a recovery window, also a secret that is in one. "If
// you forcibly delete an already deleted or nonexistent secret, the operation
// does not return ResourceNotFoundException" (API reference).
func (m *Manager) deleteNow(id string) (*secretsmanager.DeleteSecretOutput, error) {
	now := m.Clock.Now()
	s, err := m.find(id)
	if refused, ok := errors.AsType[*wire.Error](err); ok && refused.Code == codeNotFound {
		return &secretsmanager.DeleteSecretOutput{Name: &id, DeletionDate: &now}, nil
	}
	if err != nil {
		return nil, err
	}
	if err := m.drop(s); err != nil {
		return nil, err
	}
	m.Clock.Cancel(deletionKey(s))
	return &secretsmanager.DeleteSecretOutput{ARN: &s.ARN, Name: &s.Name, DeletionDate: &now}, nil
}

// restoreSecret takes a secret out of its recovery window; for one that is in
// none it changes nothing.
func (m *Manager) restoreSecret(_ context.Context, in *secretsmanager.RestoreSecretInput) (*secretsmanager.RestoreSecretOutput, error) {
	var c constraint.Checks
	checkID(&c, in.SecretId)
	if err := c.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := m.find(*in.SecretId)
	if err != nil {
		return nil, err
	}
	s.Deleted, s.Ends = time.Time{}, time.Time{}
	if err := m.put(s); err != nil {
		return nil, err
	}
	m.Clock.Cancel(deletionKey(s))
	return &secretsmanager.RestoreSecretOutput{ARN: &s.ARN, Name: &s.Name}, nil
}
