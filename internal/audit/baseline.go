package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/image"
)

// Key tells findings apart over time: it has no dates and no digests that a
// tag stands beside, so tomorrow's audit finds the same key for the same fault.
type Key struct {
	Code      Code       `json:"code"`
	Kind      ObjectKind `json:"kind"`
	Account   string     `json:"account,omitempty"`
	Region    string     `json:"region,omitempty"`
	Object    string     `json:"object"`
	Container string     `json:"container,omitempty"`
	Image     string     `json:"image,omitempty"` // repository:tag, or repository@digest without a tag
	Part      string     `json:"part,omitempty"`
}

// Key is what a baseline remembers of the finding.
func (f *Finding) Key() Key {
	return Key{
		Code: f.Code, Kind: f.Object.Kind, Account: f.Object.Account, Region: f.Object.Region, Object: f.Object.Name,
		Container: f.Container, Image: named(f.Image), Part: f.Part,
	}
}

// named is a reference without its registry, which is another one in every
// rehearsal, and without the digest where a tag says enough.
func named(reference string) string {
	ref, err := image.Parse(reference)
	if err != nil {
		return reference
	}
	ref.Registry = ""
	if ref.Tag != "" {
		ref.Digest = ""
	}
	return ref.String()
}

func (k Key) compare(other Key) int {
	for _, pair := range [][2]string{
		{string(k.Code), string(other.Code)}, {string(k.Kind), string(other.Kind)}, {k.Account, other.Account}, {k.Region, other.Region},
		{k.Object, other.Object}, {k.Container, other.Container}, {k.Image, other.Image}, {k.Part, other.Part},
	} {
		if c := strings.Compare(pair[0], pair[1]); c != 0 {
			return c
		}
	}
	return 0
}

// Baseline is the findings that a team knows about, sorted and each once. They
// are reported as accepted, so that only what is new counts.
type Baseline []Key

// baselineFormat is the number of the file's format. A build refuses those
// that are newer than itself.
const baselineFormat = 1

type baselineFile struct {
	Format   int      `json:"format"`
	Findings Baseline `json:"findings"`
}

// NewBaseline is everything that a report found, but what is said about the
// audit's own rules.
func NewBaseline(r Report) Baseline {
	b := Baseline{}
	for i := range r.Findings {
		if r.Findings[i].Code != AcceptExpired {
			b = append(b, r.Findings[i].Key())
		}
	}
	return b.sorted()
}

func (b Baseline) sorted() Baseline {
	slices.SortFunc(b, Key.compare)
	return slices.Compact(b)
}

// WriteTo writes the baseline as JSON, one finding a line, in an order that
// changes only where findings do: it is made for a repository and its diffs.
func (b Baseline) WriteTo(w io.Writer) (int64, error) {
	var out bytes.Buffer
	fmt.Fprintf(&out, "{\n  \"format\": %d,\n  \"findings\": [", baselineFormat)
	for i, key := range slices.Clone(b).sorted() {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString("\n    ")
		line := json.NewEncoder(&out)
		line.SetEscapeHTML(false)
		if err := line.Encode(key); err != nil {
			return 0, fmt.Errorf("baseline: %w", err)
		}
		out.Truncate(out.Len() - 1) // the encoder's newline
	}
	if len(b) > 0 {
		out.WriteString("\n  ")
	}
	out.WriteString("]\n}\n")
	n, err := out.WriteTo(w)
	return n, err
}

// BaselineError is a file that is no baseline of this build.
type BaselineError struct {
	Line   int // from 1; 0 where it is about the whole file
	Detail string
}

// Error says what is wrong, and where.
func (e *BaselineError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("baseline, line %d: %s", e.Line, e.Detail)
	}
	return "baseline: " + e.Detail
}

// Hint says what to do.
func (e *BaselineError) Hint() string {
	return "write it anew with plimsoll audit --write-baseline FILE, after looking at what it would accept"
}

// ParseBaseline reads what WriteTo wrote. The error is a *BaselineError.
func ParseBaseline(text []byte) (Baseline, error) {
	var file baselineFile
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&file); err != nil {
		return nil, baselineError(text, d.InputOffset(), err)
	}
	switch {
	case file.Format == 0:
		return nil, &BaselineError{Detail: `"format" is missing: this is no baseline`}
	case file.Format < 0 || file.Format > baselineFormat:
		return nil, &BaselineError{Detail: fmt.Sprintf("format %d is not known to this version of plimsoll, which reads up to %d", file.Format, baselineFormat)}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, &BaselineError{Line: lineAt(text, d.InputOffset()), Detail: "something follows the end of the baseline"}
	}
	for i, key := range file.Findings {
		if key.Code == "" || key.Object == "" {
			return nil, &BaselineError{Detail: fmt.Sprintf("finding %d has no code or no object", i+1)}
		}
	}
	return file.Findings.sorted(), nil
}

func baselineError(text []byte, offset int64, err error) *BaselineError {
	detail := err.Error()
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = syntax.Offset
	}
	if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		offset, detail = kind.Offset, fmt.Sprintf("%s is a %s, which it cannot be", kind.Field, kind.Value)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		detail = "the file ends too early"
	}
	return &BaselineError{Line: lineAt(text, offset), Detail: strings.TrimPrefix(detail, "json: ")}
}

func lineAt(text []byte, offset int64) int {
	return 1 + bytes.Count(text[:min(max(offset, 0), int64(len(text)))], []byte("\n"))
}
