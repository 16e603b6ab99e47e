package image

import "strings"

// ShortDigest keeps enough of a digest to tell it from others:
// "sha256:0123456789ab". What is no SHA-256 digest stays whole.
func ShortDigest(digest string) string {
	const keep = len("sha256:") + 12
	if strings.HasPrefix(digest, "sha256:") && len(digest) > keep {
		return digest[:keep]
	}
	return digest
}
