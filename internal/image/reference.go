package image

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Reference names an image: registry/repository:tag@digest. Only Repository is
// always there. With a tag and a digest, the digest decides what is pulled and
// the tag only tells people where it came from.
type Reference struct {
	Registry   string // host, with its port if any; "" where none is written, as in nginx:1
	Repository string // "team/api"
	Tag        string // "v1.2.3", or ""
	Digest     string // "sha256:" and 64 hex digits, or ""
}

// String is the reference as [Parse] reads it.
func (r Reference) String() string {
	s := r.Name()
	if r.Tag != "" {
		s += ":" + r.Tag
	}
	if r.Digest != "" {
		s += "@" + r.Digest
	}
	return s
}

// Name is the reference without tag and digest: registry/repository.
func (r Reference) Name() string {
	if r.Registry == "" {
		return r.Repository
	}
	return r.Registry + "/" + r.Repository
}

// WithTag names another tag of the same repository. The digest goes: it
// belonged to the former tag, and would win over the new one.
func (r Reference) WithTag(tag string) Reference {
	r.Tag, r.Digest = tag, ""
	return r
}

// WithDigest pins the reference to a digest and keeps the tag beside it.
func (r Reference) WithDigest(digest string) Reference {
	r.Digest = digest
	return r
}

// ParseError says which part of a reference is wrong, and where.
type ParseError struct {
	Input  string
	Part   string // "reference", "registry", "repository", "tag" or "digest"
	Offset int    // in bytes from the start of Input
	Reason string
}

func (e *ParseError) Error() string {
	return fmt.Sprintf("image reference %q: %s at position %d: %s", e.Input, e.Part, e.Offset+1, e.Reason)
}

// Parse reads a reference in the grammar of the OCI distribution spec, which
// is also docker's. Nothing is filled in: no docker.io, no library/, no latest.
// What comes before the first slash is a registry when it has a dot or a port
// or is localhost. The error is a [*ParseError].
//
// ECS writes the triple form repository:tag@digest in its messages, so the
// digest is split off first; a colon starts a tag only after the last slash,
// as a registry may have a port.
func Parse(s string) (Reference, error) {
	if scheme, _, ok := strings.Cut(s, "://"); ok {
		// The rest may carry a password; it is not repeated.
		return Reference{}, &ParseError{Input: scheme + "://…", Part: "reference", Reason: "a reference has no scheme; write host/repository:tag"}
	}
	fail := func(part string, p problem, at int) (Reference, error) {
		return Reference{}, &ParseError{Input: s, Part: part, Offset: at + p.at, Reason: p.reason}
	}
	name, digest, hasDigest := strings.Cut(s, "@")
	if hasDigest {
		if p, ok := checkDigest(digest); !ok {
			return fail("digest", p, len(name)+1)
		}
	}
	var tag string
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		// A second colon is left to the check of the repository.
		name, tag = name[:colon], name[colon+1:]
		if p, ok := checkTag(tag); !ok {
			return fail("tag", p, colon+1)
		}
	}
	var registry string
	if first, rest, ok := strings.Cut(name, "/"); ok && isRegistry(first) {
		if p, ok := checkRegistry(first); !ok {
			return fail("registry", p, 0)
		}
		registry, name = first, rest
	}
	if p, ok := checkRepository(name); !ok {
		at := 0
		if registry != "" {
			at = len(registry) + 1
		}
		return fail("repository", p, at)
	}
	return Reference{Registry: registry, Repository: name, Tag: tag, Digest: digest}, nil
}

// problem is what is wrong with a part, and how far into it.
type problem struct {
	at     int
	reason string
}

func isRegistry(s string) bool {
	return s == "localhost" || strings.ContainsAny(s, ".:[")
}

func checkRegistry(s string) (problem, bool) {
	end := strings.LastIndexByte(s, ':')
	if strings.HasPrefix(s, "[") {
		end = strings.IndexByte(s, ']') + 1
		addr, err := netip.ParseAddr(strings.Trim(s[:end], "[]"))
		if err != nil || !addr.Is6() || addr.Zone() != "" {
			return problem{0, "no IPv6 address in brackets"}, false
		}
	} else {
		if end < 0 {
			end = len(s)
		}
		if p, ok := checkHost(s[:end]); !ok {
			return p, false
		}
	}
	if end == len(s) {
		return problem{}, true
	}
	port, ok := strings.CutPrefix(s[end:], ":")
	if n, err := strconv.ParseUint(port, 10, 16); !ok || err != nil || n == 0 {
		return problem{end, fmt.Sprintf("%q is no port", s[end:])}, false
	}
	return problem{}, true
}

func checkHost(s string) (problem, bool) {
	start := 0
	for label := range strings.SplitSeq(s, ".") {
		if label == "" {
			return problem{start, "empty label in the host name"}, false
		}
		for i, c := range label {
			if isLower(c) || isDigit(c) || 'A' <= c && c <= 'Z' {
				continue
			}
			if c != '-' {
				return problem{start + i, unexpected(s[start+i:]) + "; allowed in a host name are letters, digits, '-' and '.'"}, false
			}
			if i == 0 || i == len(label)-1 {
				return problem{start + i, "a label of the host name starts or ends with '-'"}, false
			}
		}
		start += len(label) + 1
	}
	return problem{}, true
}

// maxRepository is docker's bound on a repository name (package
// distribution/reference); ECR's own is 256.
const maxRepository = 255

func checkRepository(s string) (problem, bool) {
	if s == "" {
		return problem{0, "empty"}, false
	}
	if len(s) > maxRepository {
		return problem{maxRepository, fmt.Sprintf("longer than %d characters", maxRepository)}, false
	}
	start := 0
	for component := range strings.SplitSeq(s, "/") {
		if p, ok := checkComponent(component); !ok {
			p.at += start
			return p, false
		}
		start += len(component) + 1
	}
	return problem{}, true
}

// checkComponent holds [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)* against s.
func checkComponent(s string) (problem, bool) {
	if s == "" {
		return problem{0, "empty path component"}, false
	}
	for i := 0; i < len(s); {
		c, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case isLower(c) || isDigit(c):
			i += size
		case c == '.' || c == '_' || c == '-':
			rest := strings.TrimLeft(s[i:], "._-")
			separator := s[i : len(s)-len(rest)]
			if i == 0 || rest == "" {
				return problem{i, fmt.Sprintf("a path component starts or ends with %q", separator)}, false
			}
			if separator != "." && separator != "_" && separator != "__" && strings.Trim(separator, "-") != "" {
				return problem{i, fmt.Sprintf("%q between letters; allowed are '.', '_', '__' and dashes", separator)}, false
			}
			i += len(separator)
		case unicode.IsUpper(c):
			return problem{i, fmt.Sprintf("%s; repository names are lower case", unexpected(s[i:]))}, false
		default:
			return problem{i, fmt.Sprintf("%s; allowed are a-z, 0-9, '.', '_', '-' and '/'", unexpected(s[i:]))}, false
		}
	}
	return problem{}, true
}

// maxTag is the length the distribution spec allows.
const maxTag = 128

func checkTag(s string) (problem, bool) {
	if s == "" {
		return problem{0, "empty"}, false
	}
	for i, c := range s {
		word := isLower(c) || isDigit(c) || 'A' <= c && c <= 'Z' || c == '_'
		if !word && i == 0 && (c == '.' || c == '-') {
			return problem{0, fmt.Sprintf("a tag cannot start with %q", c)}, false
		}
		if !word && c != '.' && c != '-' {
			return problem{i, fmt.Sprintf("%s; allowed are letters, digits, '.', '_' and '-'", unexpected(s[i:]))}, false
		}
	}
	if len(s) > maxTag {
		return problem{maxTag, fmt.Sprintf("longer than %d characters", maxTag)}, false
	}
	return problem{}, true
}

// checkDigest accepts the two algorithms that the image spec registers and
// registries use; ECR itself makes sha256 only.
func checkDigest(s string) (problem, bool) {
	algorithm, encoded, ok := strings.Cut(s, ":")
	if !ok {
		return problem{0, "no algorithm; wanted sha256: and 64 hex digits"}, false
	}
	var want int
	switch algorithm {
	case "sha256":
		want = 64
	case "sha512":
		want = 128
	default:
		return problem{0, fmt.Sprintf("unknown algorithm %q; wanted sha256", algorithm)}, false
	}
	at := len(algorithm) + 1
	for i, c := range encoded {
		if !isDigit(c) && (c < 'a' || 'f' < c) {
			return problem{at + i, fmt.Sprintf("%s; wanted hex digits in lower case", unexpected(encoded[i:]))}, false
		}
	}
	if len(encoded) != want {
		return problem{at, fmt.Sprintf("%d hex digits; %s has %d", len(encoded), algorithm, want)}, false
	}
	return problem{}, true
}

func isLower(c rune) bool { return 'a' <= c && c <= 'z' }
func isDigit(c rune) bool { return '0' <= c && c <= '9' }

// unexpected describes the first character of s.
func unexpected(s string) string {
	c, size := utf8.DecodeRuneInString(s)
	if c == utf8.RuneError && size <= 1 {
		return "a byte that is not UTF-8"
	}
	return fmt.Sprintf("unexpected %q", c)
}
