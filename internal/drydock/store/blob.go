package store

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// NoBlobError says that the store has no blob of that digest.
type NoBlobError struct {
	Digest string
}

func (e *NoBlobError) Error() string { return fmt.Sprintf("there is no blob %s", e.Digest) }

// Blob is an open blob: it reads, seeks, reads at an offset and tells its
// Size. It stays readable when the blob is deleted meanwhile.
type Blob struct {
	*io.SectionReader
	io.Closer
}

// blobs is where blobs are kept, by the 64 hex digits of their SHA-256.
// Missing ones are fs.ErrNotExist.
type blobs interface {
	create(uploadID string) (sink, error)
	open(hex string) (*Blob, error)
	stat(hex string) (size int64, err error)
	delete(hex string) error
	list() ([]string, error)
}

// sink takes the bytes of one upload.
type sink interface {
	io.Writer
	// commit makes the bytes the blob of that name, durably, whole or not at
	// all, and ends the sink.
	commit(hex string) error
	// discard forgets the bytes and ends the sink.
	discard() error
}

// OpenBlob opens a blob for reading; the caller closes it. The error is a
// [NoBlobError] when there is none of that digest.
func (s *Store) OpenBlob(digest string) (*Blob, error) {
	return find(digest, s.blobs.open)
}

// StatBlob is the size of a blob in bytes, or a [NoBlobError].
func (s *Store) StatBlob(digest string) (int64, error) {
	return find(digest, s.blobs.stat)
}

func find[T any](digest string, get func(hex string) (T, error)) (T, error) {
	var none T
	name, ok := hexOf(digest)
	if !ok {
		return none, &NoBlobError{Digest: digest}
	}
	found, err := get(name)
	if errors.Is(err, fs.ErrNotExist) {
		return none, &NoBlobError{Digest: digest}
	}
	if err != nil {
		return none, fmt.Errorf("reading blob %s: %w", digest, err)
	}
	return found, nil
}

// DeleteBlob removes a blob; one that is not there is no error.
func (s *Store) DeleteBlob(digest string) error {
	name, ok := hexOf(digest)
	if !ok {
		return nil
	}
	if err := s.blobs.delete(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("deleting blob %s: %w", digest, err)
	}
	return nil
}

// Blobs lists the digests of all blobs, sorted.
func (s *Store) Blobs() ([]string, error) {
	names, err := s.blobs.list()
	if err != nil {
		return nil, fmt.Errorf("listing blobs: %w", err)
	}
	slices.Sort(names)
	for i, name := range names {
		names[i] = digestPrefix + name
	}
	return names, nil
}

const digestPrefix = "sha256:"

// hexOf is the name of a blob's file: 64 lower-case hex digits and nothing
// else, so that no digest leads out of the folder.
func hexOf(digest string) (string, bool) {
	name, ok := strings.CutPrefix(digest, digestPrefix)
	return name, ok && isHex(name)
}

func isHex(name string) bool {
	raw, err := hex.DecodeString(name)
	return err == nil && len(raw) == 32 && strings.ToLower(name) == name
}

// memoryBlobs keeps blobs in a map.
type memoryBlobs struct {
	mu      sync.RWMutex
	content map[string][]byte
}

func (m *memoryBlobs) create(string) (sink, error) { return &memorySink{blobs: m}, nil }

func (m *memoryBlobs) open(hex string) (*Blob, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	content, ok := m.content[hex]
	if !ok {
		return nil, fs.ErrNotExist
	}
	r := io.NewSectionReader(bytes.NewReader(content), 0, int64(len(content)))
	return &Blob{SectionReader: r, Closer: io.NopCloser(nil)}, nil
}

func (m *memoryBlobs) stat(hex string) (int64, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	content, ok := m.content[hex]
	if !ok {
		return 0, fs.ErrNotExist
	}
	return int64(len(content)), nil
}

func (m *memoryBlobs) delete(hex string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.content, hex)
	return nil
}

func (m *memoryBlobs) list() ([]string, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	names := make([]string, 0, len(m.content))
	for name := range m.content {
		names = append(names, name)
	}
	return names, nil
}

// memorySink collects an upload in pieces: a buffer that grows copies what it
// holds again and again, and an upload's size is not known.
type memorySink struct {
	pieces [][]byte
	size   int
	blobs  *memoryBlobs
}

// The least and the most that a [memorySink] sets aside at a time.
const (
	leastPiece = 4 << 10
	mostPiece  = 1 << 20
)

func (s *memorySink) Write(p []byte) (int, error) {
	written := len(p)
	for len(p) > 0 {
		last := len(s.pieces) - 1
		if last < 0 || len(s.pieces[last]) == cap(s.pieces[last]) {
			s.pieces = append(s.pieces, make([]byte, 0, min(max(leastPiece, s.size), mostPiece)))
			last++
		}
		piece := s.pieces[last]
		n := copy(piece[len(piece):cap(piece)], p)
		s.pieces[last] = piece[:len(piece)+n]
		s.size += n
		p = p[n:]
	}
	return written, nil
}

func (s *memorySink) commit(hex string) error {
	content := slices.Concat(s.pieces...)
	s.blobs.mu.Lock()
	defer s.blobs.mu.Unlock()
	s.blobs.content[hex] = content
	return s.discard()
}

func (s *memorySink) discard() error {
	s.pieces = nil
	return nil
}

// folder keeps blobs as files: an upload is a file of its own until it is
// whole, synced and verified; then one rename makes it the blob.
type folder struct {
	blobs   string // <data>/blobs/sha256
	uploads string // <data>/uploads
}

func openFolder(dir string) (*folder, error) {
	f := &folder{
		blobs:   filepath.Join(dir, "blobs", "sha256"),
		uploads: filepath.Join(dir, "uploads"),
	}
	// No upload outlives its process: clients start a new one.
	if err := os.RemoveAll(f.uploads); err != nil {
		return nil, fmt.Errorf("removing old uploads: %w", err)
	}
	for _, path := range []string{f.blobs, f.uploads} {
		if err := os.MkdirAll(path, 0o700); err != nil {
			return nil, fmt.Errorf("making the blob folder: %w", err)
		}
	}
	return f, nil
}

func (f *folder) path(hex string) string { return filepath.Join(f.blobs, hex) }

func (f *folder) create(uploadID string) (sink, error) {
	path := filepath.Join(f.uploads, uploadID)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return &fileSink{File: file, folder: f}, nil
}

func (f *folder) open(hex string) (*Blob, error) {
	file, err := os.Open(f.path(hex))
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &Blob{SectionReader: io.NewSectionReader(file, 0, info.Size()), Closer: file}, nil
}

func (f *folder) stat(hex string) (int64, error) {
	info, err := os.Stat(f.path(hex))
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (f *folder) delete(hex string) error { return os.Remove(f.path(hex)) }

func (f *folder) list() ([]string, error) {
	entries, err := os.ReadDir(f.blobs)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if isHex(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

type fileSink struct {
	*os.File
	folder *folder
}

func (s *fileSink) commit(hex string) error {
	err := s.Sync()
	if closeErr := s.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(s.Name(), s.folder.path(hex))
	}
	if err != nil {
		return errors.Join(err, os.Remove(s.Name()))
	}
	return syncDir(s.folder.blobs)
}

func (s *fileSink) discard() error {
	return errors.Join(s.Close(), os.Remove(s.Name()))
}

// syncDir makes a rename in dir survive a power cut. Where folders cannot be
// synced (Windows) the rename alone has to do.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	if err := d.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrPermission) {
		return errors.Join(err, d.Close())
	}
	return d.Close()
}
