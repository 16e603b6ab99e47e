package fleet

import (
	"fmt"
	"strconv"
	"strings"
)

// most is how many names one pattern may stand for.
const most = 1000

// Expand is the names that a pattern stands for, in order: {1..3} counts and
// {a,b} chooses, as in a shell.
func Expand(pattern string) ([]string, error) {
	before, rest, open := strings.Cut(pattern, "{")
	if !open {
		return []string{pattern}, nil
	}
	inside, after, closed := strings.Cut(rest, "}")
	if !closed || strings.Contains(inside, "{") {
		return nil, fmt.Errorf("%q: want {1..3} or {a,b}", pattern)
	}
	choices := strings.Split(inside, ",")
	if from, to, isRange := strings.Cut(inside, ".."); isRange {
		first, err := strconv.Atoi(from)
		last, err2 := strconv.Atoi(to)
		if err != nil || err2 != nil || first < 0 || last < first || last-first >= most {
			return nil, fmt.Errorf("%q: {%s} does not count up, or further than %d", pattern, inside, most)
		}
		choices = nil
		for n := first; n <= last; n++ {
			choices = append(choices, strconv.Itoa(n))
		}
	}
	ends, err := Expand(after)
	if err != nil {
		return nil, err
	}
	if len(choices)*len(ends) > most {
		return nil, fmt.Errorf("%q stands for more than %d names", pattern, most)
	}
	var out []string
	for _, choice := range choices {
		for _, end := range ends {
			out = append(out, before+choice+end)
		}
	}
	return out, nil
}
