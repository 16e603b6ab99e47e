package survey

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
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

func TestRetirementsOf(t *testing.T) {
	const task = "arn:aws:ecs:eu-west-1:123456789012:task/prod/0123"
	got := RetirementsOf("event", audit.Fleet{}.TakenAt, []string{
		"prod|web", "prod | web", "prod/api", "arn:aws:ecs:eu-west-1:123456789012:service/prod/job", task, "nonsense", "arn:aws:s3:::bucket",
	})
	var lines []string
	for _, r := range got {
		lines = append(lines, r.Cluster+" "+r.Service+" "+strings.Join(r.Tasks, " "))
	}
	want := []string{"prod job ", "prod  " + task, "prod web ", "prod api "}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("retirements (-want +got)\n%s", diff)
	}
}
