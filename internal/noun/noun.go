// Package noun writes numbers of things as people do: "1 image", "12 images",
// "1,200 repositories".
package noun

import (
	"strconv"
	"strings"
)

// Count is n of a thing that is named in the singular; its plural is regular, as in
// "push" and "policy".
func Count(n int, one string) string { return Forms(n, one, plural(one)) }

// Forms is n of what has two forms: "image is", "images are".
func Forms(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Digits(n) + " " + many
}

// Digits is n with its thousands apart: "12,345".
func Digits(n int) string {
	s, sign := strconv.Itoa(n), ""
	if n < 0 {
		s, sign = s[1:], "-"
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

func plural(one string) string {
	stem, isY := strings.CutSuffix(one, "y")
	switch {
	case isY && stem != "" && !strings.ContainsRune("aeiou", rune(stem[len(stem)-1])):
		return stem + "ies"
	case strings.HasSuffix(one, "sh"), strings.HasSuffix(one, "ch"), strings.HasSuffix(one, "s"), strings.HasSuffix(one, "x"):
		return one + "es"
	}
	return one + "s"
}
