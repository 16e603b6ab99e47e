package store

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"sync"
)

// Upload is a blob on its way in. Bytes go to the store as they come, so a
// large one never has to fit in memory (except in a [Memory] store). It is
// safe for concurrent use.
type Upload struct {
	id    string
	store *Store

	mu   sync.Mutex
	sink sink // nil when the upload has ended
	sum  hash.Hash
	size int64
}

// NoUploadError says that there is no such upload, or that it has ended.
type NoUploadError struct {
	ID string
}

func (e *NoUploadError) Error() string { return fmt.Sprintf("there is no upload %s", e.ID) }

// OffsetError says that bytes came that do not follow what was written.
type OffsetError struct {
	Size int64 // bytes the upload has
	At   int64 // where the caller wanted to write
}

func (e *OffsetError) Error() string {
	return fmt.Sprintf("the upload has %d bytes, cannot write at %d", e.Size, e.At)
}

// DigestError says that the bytes are not those of the digest.
type DigestError struct {
	Want, Have string
}

func (e *DigestError) Error() string {
	return fmt.Sprintf("the content has digest %s, not %s", e.Have, e.Want)
}

// StartUpload begins an upload.
func (s *Store) StartUpload() (*Upload, error) {
	u := &Upload{id: newID(), store: s, sum: sha256.New()}
	var err error
	if u.sink, err = s.blobs.create(u.id); err != nil {
		return nil, fmt.Errorf("starting an upload: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uploads[u.id] = u
	return u, nil
}

// Upload finds an upload that has not ended; otherwise the error is a
// [NoUploadError].
func (s *Store) Upload(id string) (*Upload, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u, ok := s.uploads[id]; ok {
		return u, nil
	}
	return nil, &NoUploadError{ID: id}
}

// newID is a random UUID, the form that ECR gives its upload ids.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// ID names the upload for [Store.Upload]: a UUID.
func (u *Upload) ID() string { return u.id }

// Size is how many bytes were written so far.
func (u *Upload) Size() int64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.size
}

// Write appends p.
func (u *Upload) Write(p []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.append(p)
}

// WriteAt appends p, which must begin where the last write ended: otherwise
// nothing is written and the error is an [OffsetError].
func (u *Upload) WriteAt(p []byte, offset int64) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if offset != u.size {
		return 0, &OffsetError{Size: u.size, At: offset}
	}
	return u.append(p)
}

func (u *Upload) append(p []byte) (int, error) {
	if u.sink == nil {
		return 0, &NoUploadError{ID: u.id}
	}
	n, err := u.sink.Write(p)
	u.sum.Write(p[:n])
	u.size += int64(n)
	if err != nil {
		return n, fmt.Errorf("writing upload %s: %w", u.id, err)
	}
	return n, nil
}

// Commit ends the upload and makes its bytes a blob, once they are on disk.
// When they are not those of digest the error is a [DigestError]; the upload
// is then gone, as after every failed commit.
func (u *Upload) Commit(digest string) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	sink := u.end()
	if sink == nil {
		return &NoUploadError{ID: u.id}
	}
	name := hex.EncodeToString(u.sum.Sum(nil))
	if have := digestPrefix + name; have != digest {
		if err := sink.discard(); err != nil {
			return fmt.Errorf("discarding upload %s: %w", u.id, err)
		}
		return &DigestError{Want: digest, Have: have}
	}
	if err := sink.commit(name); err != nil {
		return fmt.Errorf("writing blob %s: %w", digest, err)
	}
	return nil
}

// Cancel ends the upload and forgets its bytes. It does nothing after Commit
// or another Cancel.
func (u *Upload) Cancel() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	sink := u.end()
	if sink == nil {
		return nil
	}
	if err := sink.discard(); err != nil {
		return fmt.Errorf("discarding upload %s: %w", u.id, err)
	}
	return nil
}

// end takes the sink, so that nothing is written any more.
func (u *Upload) end() sink {
	u.store.mu.Lock()
	delete(u.store.uploads, u.id)
	u.store.mu.Unlock()
	sink := u.sink
	u.sink = nil
	return sink
}
