package store

import (
	"encoding/json"
	"fmt"
)

// Pending is records that were changed in memory and wait to be stored
// together. The zero value is empty. It is not safe for concurrent use: it
// belongs to the state that it is about, and is behind the same lock.
type Pending struct {
	records map[place]any // nil for deleted ones
}

// place is where a record is kept.
type place struct{ bucket, key string }

// Put notes that a record was made or changed. It is rendered when it is
// stored, as it is then.
func (p *Pending) Put(bucket, key string, record any) {
	if p.records == nil {
		p.records = map[place]any{}
	}
	p.records[place{bucket, key}] = record
}

// Delete notes that a record is gone.
func (p *Pending) Delete(bucket, key string) { p.Put(bucket, key, nil) }

// Len is how many records wait.
func (p *Pending) Len() int { return len(p.records) }

// Clear forgets them.
func (p *Pending) Clear() { clear(p.records) }

// Add adds all of them to a transaction; they wait on.
func (p *Pending) Add(tx *Tx) error {
	for at, record := range p.records {
		var err error
		if record == nil {
			err = tx.Delete(at.bucket, at.key)
		} else {
			err = tx.Put(at.bucket, at.key, record)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Flush stores all of them in one transaction. What cannot be stored waits on,
// and is tried again by the next Flush.
func (p *Pending) Flush(s *Store) error {
	if p.Len() == 0 {
		return nil
	}
	if err := s.Update(p.Add); err != nil {
		return err
	}
	p.Clear()
	return nil
}

// LoadAll reads every record of a bucket into a map by its key.
func LoadAll[T any](s *Store, bucket string, into map[string]*T) error {
	return s.Load(bucket, func(key string, doc []byte) error {
		v := new(T)
		if err := json.Unmarshal(doc, v); err != nil {
			return fmt.Errorf("%s %q: %w", bucket, key, err)
		}
		into[key] = v
		return nil
	})
}
