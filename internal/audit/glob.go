package audit

import "strings"

// glob says whether all of s matches a pattern in which * is any run of
// characters, as in ECR's tag filters. There is no other wildcard: names of
// services and images have slashes, colons and dots that mean nothing here.
func glob(pattern, s string) bool {
	head, rest, wild := strings.Cut(pattern, "*")
	s, ok := strings.CutPrefix(s, head)
	if !wild || !ok {
		return ok && s == ""
	}
	for {
		piece, after, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(s, piece)
		}
		at := strings.Index(s, piece)
		if at < 0 {
			return false
		}
		s, rest = s[at+len(piece):], after
	}
}
