// Package store keeps what drydock must not lose: documents by bucket and
// key, and blobs by digest. Under a folder everything is on disk before a
// change returns; without one it is in memory. Both keep the same promises,
// and one set of tests holds them to it.
//
// [Store.Update] changes documents, all of a transaction or nothing;
// [Store.Load] reads them back at start. Blobs come in by [Store.StartUpload]
// and go out by [Store.OpenBlob].
package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// Store is one drydock's documents and blobs. It is safe for concurrent use.
type Store struct {
	documents documents
	blobs     blobs
	changed   func() // nil: nobody is told

	mu      sync.Mutex
	uploads map[string]*Upload // by id
}

// InUseError says that another process has the folder open.
type InUseError struct {
	Dir string
}

func (e *InUseError) Error() string {
	return fmt.Sprintf("%s is in use by another drydock", e.Dir)
}

// Memory makes a store that is gone when the process ends.
func Memory() *Store {
	return &Store{
		documents: &memoryDocuments{buckets: map[string]map[string][]byte{}},
		blobs:     &memoryBlobs{content: map[string][]byte{}},
		uploads:   map[string]*Upload{},
	}
}

// Ephemeral makes a store of a process that will not load from it: blobs are in
// memory, documents are not kept at all.
func Ephemeral() *Store {
	s := Memory()
	s.documents = forgotten{}
	return s
}

// FormatVersion is the version of what this build writes into a data folder.
const FormatVersion = 1

// FormatError says that a data folder was written in a format that this build
// does not know.
type FormatError struct {
	Dir     string
	Version int
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("%s is of format %d and this plimsoll knows formats up to %d", e.Dir, e.Version, FormatVersion)
}

// Hint says what to do about it.
func (e *FormatError) Hint() string {
	return "use the newer plimsoll that wrote it, or another --data folder"
}

// Open opens the store under dir, and makes it where there is none: documents
// in state.db, blobs in blobs/sha256. What uploads of an earlier process left
// behind is removed. The error is an [InUseError] when another process has
// the folder open, and a [FormatError] when a newer plimsoll wrote it; nothing
// is changed then.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the data folder: %w", err)
	}
	// The lock on state.db comes first: until it is held, the uploads under
	// this folder may be those of a living process.
	docs, err := openBolt(filepath.Join(dir, "state.db"))
	if err != nil {
		return nil, err
	}
	if err := checkFormat(docs, dir); err != nil {
		return nil, errors.Join(err, docs.close())
	}
	blobs, err := openFolder(dir)
	if err != nil {
		return nil, errors.Join(err, docs.close())
	}
	return &Store{documents: docs, blobs: blobs, uploads: map[string]*Upload{}}, nil
}

// The place of the format's version.
const (
	formatBucket = "format"
	formatKey    = "version"
)

// checkFormat refuses the documents of a format that is not known, and notes
// the format of new ones. Folders from before formats were noted are of the
// first.
func checkFormat(docs documents, dir string) error {
	found := 0
	err := docs.load(formatBucket, func(_ string, doc []byte) error { return json.Unmarshal(doc, &found) })
	switch {
	case err != nil:
		return fmt.Errorf("reading the format of %s: %w", dir, err)
	case found > FormatVersion:
		return &FormatError{Dir: dir, Version: found}
	case found == FormatVersion:
		return nil
	}
	return docs.apply([]change{{formatBucket, formatKey, fmt.Append(nil, FormatVersion)}})
}

// OnChange has f called after every change that was stored. It is set before
// the store is used, and f must not call the store.
func (s *Store) OnChange(f func()) { s.changed = f }

// Close ends every upload and gives the folder free for another process.
func (s *Store) Close() error {
	s.mu.Lock()
	open := s.uploads
	s.uploads = map[string]*Upload{}
	s.mu.Unlock()
	var errs []error
	for _, u := range open {
		errs = append(errs, u.Cancel())
	}
	return errors.Join(append(errs, s.documents.close())...)
}
