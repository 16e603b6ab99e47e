package identifier

import (
	"math/rand/v2"
	"regexp"
	"testing"
)

func TestIdentifiers(t *testing.T) {
	of := func(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }
	for seed := range uint64(100) {
		if id := Hex(of(seed)); !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(id) {
			t.Errorf("%q", id)
		}
		id := UUID(of(seed))
		if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(id) {
			t.Errorf("%q", id)
		}
		if UUID(of(seed)) != id {
			t.Error("the same seed gives another name")
		}
	}
}
