package console

import (
	"testing"
	"time"
)

func TestWords(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	for got, want := range map[string]string{
		when(now, now.Add(-time.Minute)):      "08:59:00",
		when(now, now.Add(-365*24*time.Hour)): "21 Nov 09:00",
		ahead(0):                              "in step with real time",
		ahead(26 * time.Hour):                 "1 d 2 h ahead of real time",
		ahead(14 * 24 * time.Hour):            "14 d ahead of real time",
		briefly("web", "(service web) has started 2 tasks: (task 0123456789abcdef0123456789abcdef) (task ffff456789abcdef0123456789abcdef)."): "has started 2 tasks: 01234567, ffff4567.",
		briefly("web", "(service api) was unable (task"):                                 "(service api) was unable (task",
		versionOfImage("123.dkr.ecr.eu-west-1.amazonaws.com/app:v1@sha256:" + zeros(64)): "v1",
		versionOfImage("app"): "latest",
		versionOfImage("?!"):  "?!",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func zeros(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = '0'
	}
	return string(b)
}
