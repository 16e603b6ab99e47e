package taskdef

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
)

// Fingerprint is the same, 64 hex digits, for two definitions that are the
// same to ECS, however they are written: registered or not, defaults spelled
// out or not. Tags are no part of it. [Diff] finds nothing between two
// documents exactly when their fingerprints are equal.
func Fingerprint(d *Document) string {
	leaves := flatten(d)
	h := sha256.New()
	for _, path := range slices.Sorted(maps.Keys(leaves)) {
		fmt.Fprintf(h, "%q %c %q\n", path, leaves[path].kind, leaves[path].text)
	}
	return hex.EncodeToString(h.Sum(nil))
}
