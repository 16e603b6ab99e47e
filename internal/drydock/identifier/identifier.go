// Package identifier makes the random parts of names, of a source that the caller seeds:
// the same seed gives the same names.
package identifier

import (
	"fmt"
	"math/rand/v2"
)

// Hex is 32 digits, as in the ids of tasks.
func Hex(r *rand.Rand) string { return fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64()) }

// UUID is one of version 4 (RFC 9562), as in the ids of events and messages.
func UUID(r *rand.Rand) string {
	h := Hex(r)
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:]
}
