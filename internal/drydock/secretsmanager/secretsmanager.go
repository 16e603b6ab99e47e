// Package secretsmanager is AWS Secrets Manager for one account and region:
// secrets with their versions and staging labels, their deletion after a
// recovery window of the clock, and what ECS reads when a task starts.
//
// [Manager.Service] is the API; [Manager.Value] is how ECS gets a value.
// Refusals are in AWS's words where an answer of AWS could be found. There is no
// rotation, replication, resource policy and KMS: their operations are unknown,
// and a key id is kept and shown only. Values are never logged.
package secretsmanager

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// Options say whose secrets these are and where they are kept.
type Options struct {
	Account string // 12 digits
	Region  string // "eu-west-1"
	Clock   *clock.Clock
	Store   *store.Store // keeps values as they are: nothing is encrypted
	Log     *slog.Logger // hears of a deletion that could not be stored
	Seed    uint64       // of the ids that are made up; the same seed gives the same ids
}

// Manager holds the secrets of one account and region. It is safe for
// concurrent use.
type Manager struct {
	Options

	mu      sync.Mutex
	rand    *rand.Rand
	secrets map[string]secret // by name
}

const bucketSecrets = "secretsmanager.secrets"

// New reads what the store has.
func New(o Options) (*Manager, error) {
	m := &Manager{Options: o, rand: rand.New(rand.NewPCG(o.Seed, o.Seed)), secrets: map[string]secret{}}
	err := o.Store.Load(bucketSecrets, func(key string, doc []byte) error {
		var s secret
		if err := json.Unmarshal(doc, &s); err != nil {
			return fmt.Errorf("secret %s: %w", key, err)
		}
		m.secrets[s.Name] = s
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load secrets: %w", err)
	}
	for _, s := range m.sorted() {
		m.scheduleDeletion(s)
	}
	return m, nil
}

// Service is the API, for a [wire.Mux].
func (m *Manager) Service() wire.Service {
	return wire.Service{
		Name:   "Secrets Manager",
		Target: "secretsmanager",
		Operations: map[string]wire.Operation{
			"BatchGetSecretValue":      wire.Capitalized(m.batchGetSecretValue),
			"CreateSecret":             wire.Capitalized(m.createSecret),
			"DeleteSecret":             wire.Capitalized(m.deleteSecret),
			"DescribeSecret":           wire.Capitalized(m.describeSecret),
			"GetResourcePolicy":        wire.Capitalized(m.getResourcePolicy),
			"GetSecretValue":           wire.Capitalized(m.getSecretValue),
			"ListSecretVersionIds":     wire.Capitalized(m.listSecretVersionIDs),
			"ListSecrets":              wire.Capitalized(m.listSecrets),
			"PutSecretValue":           wire.Capitalized(m.putSecretValue),
			"RestoreSecret":            wire.Capitalized(m.restoreSecret),
			"TagResource":              wire.Capitalized(m.tagResource),
			"UntagResource":            wire.Capitalized(m.untagResource),
			"UpdateSecret":             wire.Capitalized(m.updateSecret),
			"UpdateSecretVersionStage": wire.Capitalized(m.updateSecretVersionStage),
		},
	}
}

// put stores a secret and only then makes it visible.
func (m *Manager) put(s secret) error {
	if err := m.Store.Update(func(tx *store.Tx) error { return tx.Put(bucketSecrets, s.Name, s) }); err != nil {
		return fmt.Errorf("store secret %s: %w", s.Name, err)
	}
	m.secrets[s.Name] = s
	return nil
}

func (m *Manager) drop(s secret) error {
	if err := m.Store.Update(func(tx *store.Tx) error { return tx.Delete(bucketSecrets, s.Name) }); err != nil {
		return fmt.Errorf("delete secret %s: %w", s.Name, err)
	}
	delete(m.secrets, s.Name)
	return nil
}

// change stores a changed copy of a secret, changed now.
func (m *Manager) change(s secret, change func(*secret)) error {
	s.Changed = m.Clock.Now()
	change(&s)
	return m.put(s)
}

func deletionKey(s secret) string { return "secretsmanager delete " + s.ARN }

// scheduleDeletion sets the wake-up of a secret in its recovery window.
func (m *Manager) scheduleDeletion(s secret) {
	if s.Ends.IsZero() {
		return
	}
	m.Clock.At(s.Ends, deletionKey(s), func(now time.Time) {
		m.mu.Lock()
		defer m.mu.Unlock()
		ending, ok := m.secrets[s.Name]
		if !ok || ending.ARN != s.ARN || ending.Ends.IsZero() || ending.Ends.After(now) {
			return // restored, or deleted, while this call was on its way
		}
		if err := m.drop(ending); err != nil {
			m.Log.Error("a secret was not deleted", "secret", ending.ARN, "error", err)
		}
	})
}
