package deploy

import (
	"slices"
	"strings"
)

// near picks the names that were probably meant, best first, at most three.
func near(name string, names []string) []string {
	type candidate struct {
		name     string
		distance int
	}
	lower := strings.ToLower(name)
	var found []candidate
	for _, n := range names {
		l := strings.ToLower(n)
		d := distance(lower, l)
		if d <= max(2, len(name)/3) || strings.Contains(l, lower) || strings.Contains(lower, l) {
			found = append(found, candidate{n, d})
		}
	}
	slices.SortFunc(found, func(a, b candidate) int {
		if a.distance != b.distance {
			return a.distance - b.distance
		}
		return strings.Compare(a.name, b.name)
	})
	var best []string
	for _, c := range found[:min(len(found), 3)] {
		best = append(best, c.name)
	}
	return best
}

// distance is how many letters have to be put in, taken out or changed to
// make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
