package drydock

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/plimsoll-ecs/plimsoll/internal/golden"
)

const page = "../../docs/drydock.md"

// The page lists every operation that there is, and no other.
func TestOperationsAreInTheDocs(t *testing.T) {
	s, err := Start(t.Context(), Options{Runtime: Simulated})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	var table strings.Builder
	table.WriteString("| service | operations |\n|---|---|\n")
	for _, service := range s.services {
		names := slices.Sorted(maps.Keys(service.Operations))
		fmt.Fprintf(&table, "| %s | %s |\n", service.Name, strings.Join(names, ", "))
	}
	golden.Section(t, page, "operations", table.String())
}

// The labels on the page are those that the simulated runtime documents.
func TestLabelsAreInTheDocs(t *testing.T) {
	label := regexp.MustCompile(`plimsoll\.drydock\.[a-z-]+`)
	labels := func(file string) []string {
		found := label.FindAllString(read(t, file), -1)
		slices.Sort(found)
		return slices.Compact(found)
	}
	source, docs := labels("runtime/simulated/simulated.go"), labels(page)
	if len(source) == 0 || !slices.Equal(source, docs) {
		t.Errorf("the runtime has %q, the page %q", source, docs)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
