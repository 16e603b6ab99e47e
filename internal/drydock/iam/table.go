package iam

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
)

// table is the records of one kind. A row is a value: a change puts a changed
// copy, in the store first.
type table[T any] struct {
	store  *store.Store
	bucket string
	rows   map[string]T
}

func (t *table[T]) load(s *store.Store, bucket string) error {
	*t = table[T]{s, bucket, map[string]T{}}
	return s.Load(bucket, func(key string, doc []byte) error {
		var row T
		if err := json.Unmarshal(doc, &row); err != nil {
			return fmt.Errorf("%s %q: %w", bucket, key, err)
		}
		t.rows[key] = row
		return nil
	})
}

func (t *table[T]) put(key string, row T) error {
	if err := t.store.Update(func(tx *store.Tx) error { return tx.Put(t.bucket, key, row) }); err != nil {
		return fmt.Errorf("store %s: %w", t.bucket, err)
	}
	t.rows[key] = row
	return nil
}

// drop removes rows; those that are not there are no error.
func (t *table[T]) drop(keys ...string) error {
	err := t.store.Update(func(tx *store.Tx) error {
		for _, key := range keys {
			if err := tx.Delete(t.bucket, key); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store %s: %w", t.bucket, err)
	}
	for _, key := range keys {
		delete(t.rows, key)
	}
	return nil
}

func (t *table[T]) keys() []string { return slices.Sorted(maps.Keys(t.rows)) }
