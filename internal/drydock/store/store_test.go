package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// everyStore runs a test on both kinds of store.
func everyStore(t *testing.T, test func(t *testing.T, s *Store)) {
	t.Run("memory", func(t *testing.T) { test(t, Memory()) })
	t.Run("folder", func(t *testing.T) { test(t, open(t, t.TempDir())) })
}

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func digestOf(content []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(content)) }

// failer is what testing.T and rapid.T have in common here.
type failer interface {
	Helper()
	Fatal(...any)
}

// documentsOf reads a bucket, checking that the keys come in order.
func documentsOf(t failer, s *Store, bucket string) map[string]string {
	t.Helper()
	got := map[string]string{}
	var keys []string
	err := s.Load(bucket, func(key string, doc []byte) error {
		keys = append(keys, key)
		got[key] = string(doc)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSorted(keys) {
		t.Fatal("not in key order:", keys)
	}
	return got
}

func add(t failer, s *Store, content []byte) string {
	t.Helper()
	u, err := s.StartUpload()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write(content); err != nil {
		t.Fatal(err)
	}
	digest := digestOf(content)
	if err := u.Commit(digest); err != nil {
		t.Fatal(err)
	}
	return digest
}

func TestDocuments(t *testing.T) {
	everyStore(t, func(t *testing.T, s *Store) {
		err := s.Update(func(tx *Tx) error {
			return errors.Join(tx.Put("a", "2", 2), tx.Put("a", "1", map[string]int{"x": 1}), tx.Put("b", "1", "other"))
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]string{"1": `{"x":1}`, "2": "2"}, documentsOf(t, s, "a")); diff != "" {
			t.Error(diff)
		}
		if got := documentsOf(t, s, "none"); len(got) != 0 {
			t.Error("an unknown bucket has", got)
		}

		refusal := errors.New("refused")
		err = s.Update(func(tx *Tx) error {
			return errors.Join(tx.Delete("a", "1"), tx.Put("a", "3", 3), refusal)
		})
		if !errors.Is(err, refusal) {
			t.Errorf("got %v, want the function's own error", err)
		}
		if got := documentsOf(t, s, "a"); len(got) != 2 {
			t.Error("a refused update changed something:", got)
		}

		if err := s.Load("a", func(string, []byte) error { return refusal }); !errors.Is(err, refusal) {
			t.Errorf("Load: got %v, want the function's own error", err)
		}
	})
}

func TestDocumentNeedsBucketAndKey(t *testing.T) {
	everyStore(t, func(t *testing.T, s *Store) {
		for _, at := range [][2]string{{"", "k"}, {"b", ""}} {
			if err := s.Update(func(tx *Tx) error { return tx.Put(at[0], at[1], 1) }); err == nil {
				t.Errorf("put %q: no error", at)
			}
		}
		if err := s.Update(func(tx *Tx) error { return tx.Put("b", "k", func() {}) }); err == nil {
			t.Error("a value without a JSON form: no error")
		}
	})
}

// Whatever is put and deleted, both stores hold what a map would hold, and
// the folder still does when it is opened again.
func TestDocumentsAreAMap(t *testing.T) {
	dir := t.TempDir()
	runs := 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		path := filepath.Join(dir, fmt.Sprint(runs))
		disk, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		memory := Memory()
		want := map[string]string{}
		for range rapid.IntRange(0, 5).Draw(t, "updates") {
			// A negative number stands for a deletion.
			values := rapid.MapOf(rapid.StringMatching(`[a-c]{1,2}`), rapid.IntRange(-1, 9)).Draw(t, "values")
			var refusal error
			if rapid.Bool().Draw(t, "refuse") {
				refusal = errors.New("refused")
			}
			for _, s := range []*Store{disk, memory} {
				if err := s.Update(func(tx *Tx) error { return errors.Join(putAll(tx, values), refusal) }); (err == nil) != (refusal == nil) {
					t.Fatal(err)
				}
			}
			for key, value := range values {
				switch {
				case refusal != nil:
				case value < 0:
					delete(want, key)
				default:
					want[key] = fmt.Sprint(value)
				}
			}
		}
		if err := disk.Close(); err != nil {
			t.Fatal(err)
		}
		if disk, err = Open(path); err != nil {
			t.Fatal(err)
		}
		for _, s := range []*Store{disk, memory} {
			if diff := cmp.Diff(want, documentsOf(t, s, "b")); diff != "" {
				t.Fatal(diff)
			}
		}
		if err := disk.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func putAll(tx *Tx, values map[string]int) error {
	var errs []error
	for key, value := range values {
		if value < 0 {
			errs = append(errs, tx.Delete("b", key))
		} else {
			errs = append(errs, tx.Put("b", key, value))
		}
	}
	return errors.Join(errs...)
}

func TestBlobs(t *testing.T) {
	everyStore(t, func(t *testing.T, s *Store) {
		content := bytes.Repeat([]byte("plimsoll"), 100_000)
		digest := add(t, s, content)
		if again := add(t, s, content); again != digest { // twice is once
			t.Errorf("got %s, want %s", again, digest)
		}
		empty := add(t, s, nil)

		if size, err := s.StatBlob(digest); err != nil || size != int64(len(content)) {
			t.Errorf("got %d, %v", size, err)
		}
		list, err := s.Blobs()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(slices.Sorted(slices.Values([]string{digest, empty})), list); diff != "" {
			t.Error(diff)
		}

		b, err := s.OpenBlob(digest)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		if b.Size() != int64(len(content)) {
			t.Errorf("size %d, want %d", b.Size(), len(content))
		}
		part := make([]byte, 8)
		if _, err := b.ReadAt(part, 8*777); err != nil || string(part) != "plimsoll" {
			t.Errorf("ReadAt: %q, %v", part, err)
		}
		if _, err := b.Seek(-5, io.SeekEnd); err != nil {
			t.Fatal(err)
		}
		if tail, err := io.ReadAll(b); err != nil || string(tail) != "msoll" {
			t.Errorf("after Seek: %q, %v", tail, err)
		}

		if err := s.DeleteBlob(digest); err != nil {
			t.Fatal(err)
		}
		if err := s.DeleteBlob(digest); err != nil {
			t.Error("deleting twice:", err)
		}
		if _, err := b.ReadAt(part, 0); err != nil {
			t.Error("an open blob went away with its deletion:", err)
		}
		for name, err := range map[string]error{
			"stat": second(s.StatBlob(digest)),
			"open": second(s.OpenBlob(digest)),
		} {
			if missing, ok := errors.AsType[*NoBlobError](err); !ok || missing.Digest != digest {
				t.Errorf("%s of a deleted blob: %v", name, err)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestBlobDigestIsNotAPath(t *testing.T) {
	everyStore(t, func(t *testing.T, s *Store) {
		for _, digest := range []string{
			"", "sha256:", "sha256:..", "sha256:../../state.db", "sha256:" + string(bytes.Repeat([]byte("A"), 64)),
			"sha512:" + string(bytes.Repeat([]byte("a"), 128)), string(bytes.Repeat([]byte("a"), 64)),
		} {
			if _, ok := errors.AsType[*NoBlobError](second(s.OpenBlob(digest))); !ok {
				t.Errorf("%q is a blob", digest)
			}
			if err := s.DeleteBlob(digest); err != nil {
				t.Errorf("deleting %q: %v", digest, err)
			}
		}
	})
}

func TestUpload(t *testing.T) {
	everyStore(t, func(t *testing.T, s *Store) {
		u, err := s.StartUpload()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Write([]byte("one ")); err != nil {
			t.Fatal(err)
		}
		found, err := s.Upload(u.ID())
		if err != nil {
			t.Fatal(err)
		}
		_, err = found.WriteAt([]byte("x"), 7)
		if gap, ok := errors.AsType[*OffsetError](err); !ok || gap.Size != 4 || gap.At != 7 {
			t.Errorf("a write past the end: %v", err)
		}
		if _, err := found.WriteAt([]byte("two"), 4); err != nil {
			t.Fatal(err)
		}
		if found.Size() != 7 {
			t.Errorf("size %d, want 7", found.Size())
		}
		digest := digestOf([]byte("one two"))
		if _, err := s.StatBlob(digest); err == nil {
			t.Error("the blob is there before it is committed")
		}
		if err := found.Commit(digest); err != nil {
			t.Fatal(err)
		}
		if size, err := s.StatBlob(digest); err != nil || size != 7 {
			t.Errorf("got %d, %v", size, err)
		}
		for name, err := range map[string]error{
			"write":  second(u.Write([]byte("x"))),
			"commit": u.Commit(digest),
			"find":   second(s.Upload(u.ID())),
		} {
			if gone, ok := errors.AsType[*NoUploadError](err); !ok || gone.ID != u.ID() {
				t.Errorf("%s after commit: %v", name, err)
			}
		}
		if err := u.Cancel(); err != nil {
			t.Error("cancel after commit:", err)
		}
	})
}

func TestUploadOfOtherBytes(t *testing.T) {
	everyStore(t, func(t *testing.T, s *Store) {
		u, err := s.StartUpload()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Write([]byte("content")); err != nil {
			t.Fatal(err)
		}
		want, have := digestOf([]byte("other")), digestOf([]byte("content"))
		wrong, ok := errors.AsType[*DigestError](u.Commit(want))
		if !ok || wrong.Want != want || wrong.Have != have {
			t.Errorf("got %v", wrong)
		}
		if list, err := s.Blobs(); err != nil || len(list) != 0 {
			t.Errorf("blobs %v, %v", list, err)
		}
	})
}

func TestOpenTwice(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if _, ok := errors.AsType[*InUseError](second(Open(dir))); !ok {
		t.Error("a second process may open the folder")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
}

func TestOpenRemovesOldUploads(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	u, err := s.StartUpload()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write([]byte("half a lay")); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(dir, "uploads", "left-over")
	if err := os.WriteFile(left, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
	entries, err := os.ReadDir(filepath.Join(dir, "uploads"))
	if err != nil || len(entries) != 0 {
		t.Errorf("left %v, %v", entries, err)
	}
}

func TestStateSurvives(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	digest := add(t, s, []byte("layer"))
	if err := s.Update(func(tx *Tx) error { return tx.Put("b", "k", json.RawMessage(`{"v":1}`)) }); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	if size, err := s.StatBlob(digest); err != nil || size != 5 {
		t.Errorf("got %d, %v", size, err)
	}
	if got := documentsOf(t, s, "b"); got["k"] != `{"v":1}` {
		t.Errorf("got %v", got)
	}
}

func TestNewerFormatIsRefused(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(func(tx *Tx) error { return tx.Put("format", "version", FormatVersion+1) }); err != nil {
		t.Fatal(err)
	}
	digest := add(t, s, []byte("layer"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the refusal frees the folder and changes nothing
		_, err = Open(dir)
		refused, ok := errors.AsType[*FormatError](err)
		if !ok || refused.Dir != dir || refused.Version != FormatVersion+1 {
			t.Fatalf("got %v, want a FormatError of %s", err, dir)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "blobs", "sha256", digest[len(digestPrefix):])); err != nil {
		t.Error(err)
	}
}

func TestEphemeralKeepsBlobsAlone(t *testing.T) {
	s := Ephemeral()
	if err := s.Update(func(tx *Tx) error { return tx.Put("b", "k", 1) }); err != nil {
		t.Fatal(err)
	}
	if got := documentsOf(t, s, "b"); len(got) > 0 {
		t.Error("kept", got)
	}
	digest := add(t, s, []byte("layer"))
	if _, err := s.StatBlob(digest); err != nil {
		t.Error(err)
	}
}
