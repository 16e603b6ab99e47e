package panel

import (
	"strings"
	"testing"
)

func TestWords(t *testing.T) {
	for text, want := range map[string]string{
		"":                               "",
		"a  b <i>":                       "a  b &lt;i&gt;",
		"plimsoll pin --service web-1":   `plimsoll pin <span class="whole">--service</span> web-1`,
		"ran 2026-11-20; then":           `ran <span class="whole">2026-11-20;</span> then`,
		"--<script>":                     `<span class="whole">--&lt;script&gt;</span>`,
		"--" + strings.Repeat("long", 9): "--" + strings.Repeat("long", 9),
	} {
		var b strings.Builder
		if err := Words(text).Render(t.Context(), &b); err != nil || b.String() != want {
			t.Errorf("%q: %s, %v, want %s", text, b.String(), err, want)
		}
	}
}
