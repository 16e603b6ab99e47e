package image

// ShortDigest keeps enough of a digest to tell it from others:
// "sha256:0123456789ab".
func ShortDigest(digest string) string {
	return digest[:min(len(digest), len("sha256:")+12)]
}
