package noun

import "strconv"

// Bytes is a number of bytes in the decimal units in which ECR's console has
// them: "48.0 MB".
func Bytes(n int64) string {
	switch f := float64(n); {
	case n < 1000:
		return strconv.FormatInt(n, 10) + "\u00a0B"
	case n < 1e6:
		return strconv.FormatFloat(f/1e3, 'f', 1, 64) + "\u00a0kB"
	case n < 1e9:
		return strconv.FormatFloat(f/1e6, 'f', 1, 64) + "\u00a0MB"
	default:
		return strconv.FormatFloat(f/1e9, 'f', 2, 64) + "\u00a0GB"
	}
}
