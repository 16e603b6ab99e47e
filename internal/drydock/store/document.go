package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// Tx collects the changes of one [Store.Update].
type Tx struct {
	changes []change
	forget  bool // nobody will read them
	forgot  bool // some were
}

type change struct {
	bucket, key string
	doc         []byte // nil deletes
}

// Put writes v, as encoding/json renders it, under the key of the bucket.
func (tx *Tx) Put(bucket, key string, v any) error {
	if tx.forget { // a fleet's records are most of the work of a jump of weeks
		tx.forgot = true
		return nil
	}
	doc, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding %s %q: %w", bucket, key, err)
	}
	return tx.change(bucket, key, doc)
}

// Delete removes a document; one that is not there is no error.
func (tx *Tx) Delete(bucket, key string) error {
	return tx.change(bucket, key, nil)
}

func (tx *Tx) change(bucket, key string, doc []byte) error {
	if bucket == "" || key == "" {
		return fmt.Errorf("a document needs a bucket and a key, have %q and %q", bucket, key)
	}
	tx.changes = append(tx.changes, change{bucket: bucket, key: key, doc: doc})
	return nil
}

// documents is where documents are kept.
type documents interface {
	// apply makes all changes, in order, or none of them.
	apply([]change) error
	// load calls each for every document of a bucket, in key order; doc is
	// for each to keep.
	load(bucket string, each func(key string, doc []byte) error) error
	close() error
}

// Update calls change and then makes everything that it put and deleted
// visible and durable at once. Nothing is changed when it returns an error.
func (s *Store) Update(change func(*Tx) error) error {
	_, forget := s.documents.(forgotten)
	tx := Tx{forget: forget}
	if err := change(&tx); err != nil {
		return err
	}
	if len(tx.changes) == 0 && !tx.forgot {
		return nil
	}
	if err := s.documents.apply(tx.changes); err != nil {
		return fmt.Errorf("writing state: %w", err)
	}
	if s.changed != nil {
		s.changed()
	}
	return nil
}

// Load calls each for every document of the bucket in key order, and stops at
// its first error. Each may keep doc, but must not call the store.
func (s *Store) Load(bucket string, each func(key string, doc []byte) error) error {
	if err := s.documents.load(bucket, each); err != nil {
		return fmt.Errorf("reading %s: %w", bucket, err)
	}
	return nil
}

// memoryDocuments keeps documents in maps.
type memoryDocuments struct {
	mu      sync.RWMutex
	buckets map[string]map[string][]byte
}

func (m *memoryDocuments) apply(changes []change) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range changes {
		if c.doc == nil {
			delete(m.buckets[c.bucket], c.key)
			continue
		}
		if m.buckets[c.bucket] == nil {
			m.buckets[c.bucket] = map[string][]byte{}
		}
		m.buckets[c.bucket][c.key] = c.doc
	}
	return nil
}

func (m *memoryDocuments) load(bucket string, each func(string, []byte) error) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, key := range slices.Sorted(maps.Keys(m.buckets[bucket])) {
		if err := each(key, slices.Clone(m.buckets[bucket][key])); err != nil {
			return err
		}
	}
	return nil
}

func (m *memoryDocuments) close() error { return nil }

// forgotten keeps no documents.
type forgotten struct{}

func (forgotten) apply([]change) error                          { return nil }
func (forgotten) load(string, func(string, []byte) error) error { return nil }
func (forgotten) close() error                                  { return nil }

// boltDocuments keeps documents in a bbolt file, which is synced at the end
// of every transaction and locked against other processes.
type boltDocuments struct {
	db *bbolt.DB
}

// lockWait is how long to wait for another process that is just ending.
const lockWait = 500 * time.Millisecond

func openBolt(path string) (*boltDocuments, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockWait})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, &InUseError{Dir: filepath.Dir(path)}
	}
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	return &boltDocuments{db: db}, nil
}

func (b *boltDocuments) apply(changes []change) error {
	return b.db.Update(func(tx *bbolt.Tx) error {
		for _, c := range changes {
			bucket, err := tx.CreateBucketIfNotExists([]byte(c.bucket))
			if err != nil {
				return err
			}
			if c.doc == nil {
				err = bucket.Delete([]byte(c.key))
			} else {
				err = bucket.Put([]byte(c.key), c.doc)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *boltDocuments) load(bucket string, each func(string, []byte) error) error {
	return b.db.View(func(tx *bbolt.Tx) error {
		docs := tx.Bucket([]byte(bucket))
		if docs == nil {
			return nil
		}
		return docs.ForEach(func(k, v []byte) error {
			return each(string(k), slices.Clone(v)) // v is the file itself, gone with the transaction
		})
	})
}

func (b *boltDocuments) close() error {
	if err := b.db.Close(); err != nil && !errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		return fmt.Errorf("closing the state: %w", err)
	}
	return nil
}
