package docker

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// However the output is cut up on its way, the lines are the same.
func TestLines(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "é", " ", "\n", "\n", strings.Repeat("x", 5000)}), 0, 60).Draw(t, "text")
		output := strings.Join(text, "")
		var got []string
		l := &lines{emit: func(line string) { got = append(got, line) }}
		for rest := []byte(output); len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "n")
			if written, err := l.Write(rest[:n]); written != n || err != nil {
				t.Fatal(written, err)
			}
			rest = rest[n:]
		}
		l.flush()
		var want []string
		if output != "" {
			want = strings.Split(strings.TrimSuffix(output, "\n"), "\n")
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}

func TestLinesAreBounded(t *testing.T) {
	var got []int
	l := &lines{emit: func(line string) { got = append(got, len(line)) }}
	for range 5 {
		if _, err := l.Write(make([]byte, maxLine/2+1)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Write([]byte("end\r\nnext")); err != nil {
		t.Fatal(err)
	}
	l.flush()
	if want := []int{maxLine, maxLine, maxLine/2 + 5 + 3, 4}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func FuzzOwner(f *testing.F) {
	f.Add("host/12/X")
	f.Add("//")
	f.Fuzz(func(t *testing.T, label string) {
		if o, ok := parseOwner(label); ok && o.process <= 0 {
			t.Fatalf("%q became %+v", label, o)
		}
	})
}
