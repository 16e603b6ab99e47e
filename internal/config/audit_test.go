package config_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/config"
)

func TestIgnoreRules(t *testing.T) {
	file, err := config.Parse("plimsoll.yaml", []byte(`audit:
  ignore:
    - code: PL021
      object: test/*
      reason: test environments follow latest
      expires: 2027-03-31
    - {image: "legacy:*", reason: it goes this year}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []audit.Accept{
		{Code: "PL021", Object: "test/*", Reason: "test environments follow latest", Expires: time.Date(2027, 3, 31, 0, 0, 0, 0, time.UTC)},
		{Image: "legacy:*", Reason: "it goes this year"},
	}
	if diff := cmp.Diff(want, file.Accepts()); diff != "" {
		t.Error(diff)
	}
	if none, err := config.Parse("plimsoll.yaml", []byte("cluster: prod")); err != nil || none.Accepts() != nil {
		t.Errorf("%v, %v", none.Accepts(), err)
	}
}

func TestWhatIsWrongWithIgnoreRules(t *testing.T) {
	for rule, want := range map[string]string{
		`{code: PL021}`:                                   `plimsoll.yaml:3:8: ignore needs "reason"`,
		`{code: PL021, reason: ""}`:                       `plimsoll.yaml:3:8: a rule that accepts findings must say why`,
		`{reason: x}`:                                     `plimsoll.yaml:3:8: a rule without code, object and image would accept everything`,
		`{code: PL0021, reason: x}`:                       `plimsoll.yaml:3:14: code: no finding has the code "PL0021"; did you mean PL021?`,
		`{code: pl021, reason: x}`:                        `plimsoll.yaml:3:14: code: "pl021": write it as PL021`,
		`{code: PL021, reason: x, expires: 31 Mar 2027}`:  `plimsoll.yaml:3:41: expires: "31 Mar 2027": want a date, such as 2027-03-31`,
		`{code: PL021, reason: x, expires: "2027-02-30"}`: `expires: "2027-02-30": want a date, such as 2027-03-31`,
		`{codes: PL021, reason: x}`:                       `unknown member "codes" (did you mean "code"?)`,
	} {
		_, err := config.Parse("plimsoll.yaml", []byte("audit:\n  ignore:\n    - "+rule+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", rule, err, want)
		}
	}
}
