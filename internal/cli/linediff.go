package cli

import (
	"fmt"
	"io"
	"strings"
)

// lineDiff writes how two texts differ, line by line: a minus before what goes
// and a plus before what comes, with the unchanged lines next to them.
func lineDiff(w io.Writer, before, after string) error {
	a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
	// common[i][j] is how many lines a[i:] and b[j:] have in common.
	common := make([][]int, len(a)+1)
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var lines []string
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			lines, i, j = append(lines, "  "+a[i]), i+1, j+1
		case i < len(a) && (j == len(b) || common[i+1][j] >= common[i][j+1]):
			lines, i = append(lines, "- "+a[i]), i+1
		default:
			lines, j = append(lines, "+ "+b[j]), j+1
		}
	}
	for i, line := range lines {
		if changedNear(lines, i) {
			if _, err := fmt.Fprintln(w, strings.TrimRight(line, " ")); err != nil {
				return err
			}
		}
	}
	return nil
}

// changedNear reports whether a line has changed, or one of the two next to it
// on either side.
func changedNear(lines []string, at int) bool {
	for i := max(0, at-2); i <= min(len(lines)-1, at+2); i++ {
		if !strings.HasPrefix(lines[i], "  ") {
			return true
		}
	}
	return false
}
