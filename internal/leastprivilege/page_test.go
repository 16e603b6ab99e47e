package leastprivilege_test

import (
	"strings"
	"testing"

	"github.com/plimsoll-ecs/plimsoll/internal/golden"
	"github.com/plimsoll-ecs/plimsoll/internal/leastprivilege"
)

func TestPage(t *testing.T) {
	golden.Section(t, "../../docs/iam.md", "features", strings.TrimRight(leastprivilege.Page(), "\n")+"\n")
}
