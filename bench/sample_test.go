package main

import (
	"context"
	"slices"
	"testing"
)

func TestSample(t *testing.T) {
	if got := (sample{5, 1, 3}).median(); got != 3 {
		t.Errorf("median of three: %v", got)
	}
	if got := (sample{4, 1, 3, 2}).median(); got != 2.5 {
		t.Errorf("median of four: %v", got)
	}
	// Ratios are taken pair by pair, not of the medians.
	if got := (sample{10, 40}).over(sample{1, 2}); !slices.Equal(got, sample{10, 20}) {
		t.Errorf("ratios: %v", got)
	}
}

func TestInterleave(t *testing.T) {
	var order string
	named := func(name string) contender {
		return contender{name, func(context.Context) (float64, error) {
			order += name
			return float64(len(order)), nil
		}}
	}
	samples, err := interleave(t.Context(), 2, named("a"), named("b"))
	if err != nil {
		t.Fatal(err)
	}
	if order != "ab"+"ba"+"ab" {
		t.Errorf("order %s", order)
	}
	if !slices.Equal(samples[0], sample{4, 5}) || !slices.Equal(samples[1], sample{3, 6}) {
		t.Errorf("samples %v: the first round counts, or rounds are mixed up", samples)
	}
}
