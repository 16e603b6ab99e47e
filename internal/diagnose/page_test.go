package diagnose

import (
	"testing"

	"github.com/plimsoll-ecs/plimsoll/internal/golden"
)

func TestThePageIsUpToDate(t *testing.T) {
	golden.File(t, "../../docs/diagnoses.md", load(t).Page())
}
