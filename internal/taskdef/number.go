package taskdef

import (
	"math/big"
	"strings"
)

// canonicalNumber spells equal JSON numbers alike: 1e3 and 1000.0 are 1000.
// Numbers far from everyday ones keep an exponent. It works on the digits, so
// no precision is lost and 1e999999999 takes no memory. What is no number
// comes back as it is.
func canonicalNumber(s string) string {
	digits, sign := s, ""
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		digits, sign = rest, "-"
	}
	exponent := new(big.Int)
	if mantissa, e, ok := cutExponent(digits); ok {
		if _, ok := exponent.SetString(strings.TrimPrefix(e, "+"), 10); !ok {
			return s
		}
		digits = mantissa
	}
	whole, fraction, _ := strings.Cut(digits, ".")
	digits = strings.TrimLeft(whole+fraction, "0")
	if strings.Trim(whole+fraction, "0123456789") != "" || whole == "" {
		return s
	}
	exponent.Sub(exponent, big.NewInt(int64(len(fraction))))
	trimmed := strings.TrimRight(digits, "0")
	if trimmed == "" {
		return "0"
	}
	exponent.Add(exponent, big.NewInt(int64(len(digits)-len(trimmed))))

	const everyday = 20
	if !exponent.IsInt64() || exponent.CmpAbs(big.NewInt(everyday)) > 0 {
		return sign + trimmed + "e" + exponent.String()
	}
	e := int(exponent.Int64())
	if e >= 0 {
		return sign + trimmed + strings.Repeat("0", e)
	}
	if missing := 1 - e - len(trimmed); missing > 0 {
		trimmed = strings.Repeat("0", missing) + trimmed
	}
	return sign + trimmed[:len(trimmed)+e] + "." + trimmed[len(trimmed)+e:]
}

func cutExponent(s string) (mantissa, exponent string, ok bool) {
	i := strings.IndexAny(s, "eE")
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}
