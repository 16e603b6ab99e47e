package noun

import "testing"

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{0: "0\u00a0B", 999: "999\u00a0B", 1000: "1.0\u00a0kB", 48_000_000: "48.0\u00a0MB", 1_230_000_000: "1.23\u00a0GB"} {
		if got := Bytes(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}
