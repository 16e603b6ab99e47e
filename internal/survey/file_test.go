package survey

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestReadFleetRefuses(t *testing.T) {
	for _, c := range []struct{ name, content, want string }{
		{"nothing", "", "is no fleet: unexpected end of JSON input"},
		{"other JSON", `{"services": []}`, "is no fleet: it does not say plimsollFleet"},
		{"a newer one", `{"plimsollFleet": 2, "fleet": {}}`, "was written by a newer plimsoll: format 2, this one reads up to 1"},
		{"half of a compressed one", "\x1f\x8b\x08", "is no fleet: unexpected EOF"},
	} {
		name := filepath.Join(t.TempDir(), "fleet")
		if err := os.WriteFile(name, []byte(c.content), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := ReadFleet(name)
		refused, ok := errors.AsType[*FileError](err)
		if !ok || err.Error() != name+": "+c.want || refused.Hint() == "" {
			t.Errorf("%s: error is %v", c.name, err)
		}
	}
}

func FuzzReadFleet(f *testing.F) {
	f.Add([]byte(`{"plimsollFleet":1,"fleet":{"takenAt":"2026-11-21T00:00:00Z","places":[],"definitions":{"a":{}}}}`))
	f.Add([]byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, text []byte) {
		fleet, err := decode("fleet", bytes.NewReader(text))
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := encode(&out, fleet, true); err != nil {
			t.Skip() // a time that JSON has no form for
		}
		if _, err := decode("fleet", &out); err != nil {
			t.Errorf("what was read cannot be written and read: %v", err)
		}
	})
}
