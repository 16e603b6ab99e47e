package audit

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// catalogue is a variable because go:embed asks for one; nothing writes to it.
//
//go:embed catalogue.json
var catalogue string

// Explanation is what a code means.
type Explanation struct {
	Code     Code     `json:"code"`
	Title    string   `json:"title"`
	Severity Severity `json:"severity"` // the worst that it is reported with
	Means    string   `json:"means"`    // what was found
	Matters  string   `json:"matters"`  // what AWS does about it
	Mend     string   `json:"mend"`
	Accept   string   `json:"accept"` // when it is right to accept it
}

// Catalogue is every code with its explanation, by code.
func Catalogue() ([]Explanation, error) {
	d := json.NewDecoder(bytes.NewReader([]byte(catalogue)))
	d.DisallowUnknownFields()
	var entries []Explanation
	if err := d.Decode(&entries); err != nil {
		return nil, fmt.Errorf("catalogue.json: %w", err)
	}
	return entries, nil
}

// Explain finds the explanation of a code, whatever the case of its letters.
// The error is an *UnknownCodeError when there is none.
func Explain(code string) (Explanation, error) {
	entries, err := Catalogue()
	if err != nil {
		return Explanation{}, err
	}
	i := slices.IndexFunc(entries, func(e Explanation) bool { return strings.EqualFold(string(e.Code), code) })
	if i < 0 {
		return Explanation{}, &UnknownCodeError{Code: code, Meant: meant(code, entries)}
	}
	return entries[i], nil
}

// UnknownCodeError is a code that no finding has.
type UnknownCodeError struct {
	Code  string
	Meant Code // "" where nothing is near
}

// Error names the code, and the one that was probably meant.
func (e *UnknownCodeError) Error() string {
	if e.Meant != "" {
		return fmt.Sprintf("no finding has the code %q; did you mean %s?", e.Code, e.Meant)
	}
	return fmt.Sprintf("no finding has the code %q", e.Code)
}

// Hint says what to do.
func (e *UnknownCodeError) Hint() string { return "plimsoll explain lists all codes" }

// meant is the code of which the fewest characters differ, for what looks like
// one: pl12, PL0012, LP012, 12.
func meant(code string, entries []Explanation) Code {
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, code)
	digits = strings.TrimLeft(digits, "0")
	if digits == "" || len(code) > 12 {
		return ""
	}
	for _, e := range entries {
		if strings.TrimLeft(string(e.Code[2:]), "0") == digits {
			return e.Code
		}
	}
	for _, e := range entries { // a slip in the last digit
		if len(digits) <= 3 && strings.HasPrefix(fmt.Sprintf("%03s", digits), string(e.Code[2:4])) {
			return e.Code
		}
	}
	return ""
}
