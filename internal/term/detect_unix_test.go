//go:build unix

package term

import (
	"bytes"
	"io"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func TestDetect(t *testing.T) {
	tty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no pseudo terminal:", err)
	}
	t.Cleanup(func() { tty.Close() })
	if Detect(env(map[string]string{"TERM": "xterm"}), tty, tty).Mode != Lines {
		t.Error("a terminal without a size is drawn on")
	}
	if err := unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80}); err != nil {
		t.Skip("no size for a pseudo terminal:", err)
	}

	for _, tc := range []struct {
		name            string
		env             map[string]string
		outTTY, errTTY  bool
		mode            Mode
		color, outColor bool
	}{
		{"terminal", map[string]string{"TERM": "xterm"}, true, true, Live, true, true},
		{"stdout piped", map[string]string{"TERM": "xterm"}, false, true, Live, true, false},
		{"stderr piped", map[string]string{"TERM": "xterm"}, true, false, Lines, false, true},
		{"all piped", map[string]string{"TERM": "xterm"}, false, false, Lines, false, false},
		{"NO_COLOR", map[string]string{"TERM": "xterm", "NO_COLOR": "1", "CLICOLOR_FORCE": "1"}, true, true, Live, false, false},
		{"CLICOLOR", map[string]string{"TERM": "xterm", "CLICOLOR": "0"}, true, true, Live, false, false},
		{"CLICOLOR_FORCE", map[string]string{"CLICOLOR_FORCE": "1"}, false, false, Lines, true, true},
		{"CLICOLOR_FORCE=0", map[string]string{"CLICOLOR_FORCE": "0"}, false, false, Lines, false, false},
		{"dumb", map[string]string{"TERM": "dumb"}, true, true, Lines, false, false},
		{"no TERM", nil, true, true, Lines, false, false},
		{"CI", map[string]string{"TERM": "xterm", "CI": "true"}, true, true, Lines, true, true},
		{"CI=false", map[string]string{"TERM": "xterm", "CI": "false"}, true, true, Live, true, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			opts := Detect(env(tc.env), stream(tc.outTTY, tty), stream(tc.errTTY, tty))
			if opts.Mode != tc.mode || opts.Color != tc.color || opts.OutColor != tc.outColor {
				t.Errorf("mode %d, color %v, out color %v", opts.Mode, opts.Color, opts.OutColor)
			}
			if tc.errTTY && (opts.Width() != 80 || opts.Height() != 24) {
				t.Errorf("size %d x %d", opts.Width(), opts.Height())
			}
		})
	}
}

func stream(isTTY bool, tty *os.File) io.Writer {
	if isTTY {
		return tty
	}
	return &bytes.Buffer{}
}
