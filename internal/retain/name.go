package retain

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
)

// Prefix begins the tag of every pin, and with a star behind it is what a
// lifecycle rule protects.
const Prefix = "keep-"

// Pattern is what a lifecycle rule selects pins by.
const Pattern = Prefix + "*"

const (
	hexDigits = 12  // of the digest, at the end of a pin's name: 48 bits
	mostTag   = 128 // characters of a tag, by the OCI distribution spec
)

// stem is what the names of all pins of a service in a repository begin with:
// "keep-prod-api-". No other service has the same one there. ECS's names have
// letters, digits, "-" and "_"; a "-" in the cluster's is written ".", so that
// the next "-" ends it. In a repository of another account or region, where
// clusters of the same name may pin as well, account and region stand in front.
func stem(s audit.Service, at audit.Place) string {
	cluster := s.Cluster
	if s.Place != at || startsWithAccount(cluster) {
		cluster = s.Account + "-" + s.Region + "-" + cluster
	}
	name := Prefix + strings.ReplaceAll(cluster, "-", ".") + "-" + s.Name
	if most := mostTag - 1 - hexDigits; len(name) > most { // two names of 255 characters are possible
		sum := sha256.Sum256([]byte(name))
		name = name[:most-1-hexDigits] + "." + hex.EncodeToString(sum[:])[:hexDigits] // no service has a "." in its name
	}
	return name + "-"
}

// startsWithAccount tells a cluster whose name looks as if an account stood in
// front of it.
func startsWithAccount(cluster string) bool {
	const digits = 12
	return len(cluster) > digits && cluster[digits] == '-' && strings.Trim(cluster[:digits], "0123456789") == ""
}

// pinName is the tag that pins a digest. It follows from the digest alone: a
// counter would have two runs at once use the same number for different images,
// and in a repository with mutable tags the later one would take the other's
// pin away.
func pinName(stem, digest string) string {
	_, hexes, _ := strings.Cut(digest, ":")
	return stem + hexes[:min(len(hexes), hexDigits)]
}

// isPin reports whether a tag is one of a stem's pins.
func isPin(stem, tag string) bool {
	rest, ok := strings.CutPrefix(tag, stem)
	return ok && len(rest) == hexDigits && strings.Trim(rest, "0123456789abcdef") == ""
}
