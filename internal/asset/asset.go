// Package asset serves files that are part of the binary, at addresses that
// change with what is in them: a browser asks once, and a page after the first
// is painted without waiting for its style.
package asset

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
)

// File is one file.
type File struct {
	path, kind, version string
	content             []byte
}

// New is a file at a path, of a media type, that has the parts one after another.
func New(path, kind string, parts ...[]byte) *File {
	content := slices.Concat(parts...)
	sum := sha256.Sum256(content)
	return &File{path: path, kind: kind, version: hex.EncodeToString(sum[:6]), content: content}
}

// Path is where the file is served.
func (f *File) Path() string { return f.path }

// Address is where a page asks for it, as it is now.
func (f *File) Address() string { return f.path + "?v=" + f.version }

// ServeHTTP serves it. Asked for by its [File.Address] it may be kept: nothing
// else is ever there.
func (f *File) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.kind)
	if r.URL.RawQuery == "v="+f.version {
		h.Set("Cache-Control", "private, max-age=31536000, immutable")
	}
	_, _ = w.Write(f.content) // the client hung up: nobody is left to tell
}
