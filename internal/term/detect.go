package term

import (
	"io"
	"strconv"
	"strings"

	xterm "golang.org/x/term"
)

// Detect chooses how to speak, from the environment and from what the two
// streams are connected to:
//
//   - Live when err is a terminal with a cursor to move: TERM is neither empty
//     nor "dumb", its size is known, and CI is not set (a CI job may well have
//     a terminal, but nobody watches it and its log keeps every frame).
//     Otherwise Lines. JSON is never chosen; it is asked for.
//   - Colour on a stream that is a terminal and not "dumb", unless CLICOLOR=0;
//     CLICOLOR_FORCE gives it to both streams, NO_COLOR takes it away
//     (https://no-color.org, https://bixense.com/clicolors).
//   - Shades for the background that PLIMSOLL_BACKGROUND names, or COLORFGBG,
//     which some terminals set; for either where nobody says. The terminal is
//     not asked: its answer could end up on the command line. A terminal that
//     does not say that it has 256 colours keeps to its own eight.
func Detect(getenv func(string) string, out, err io.Writer) Options {
	opts := Options{Out: out, Err: err}
	dumb := getenv("TERM") == "" || getenv("TERM") == "dumb"
	ci := getenv("CI") != "" && getenv("CI") != "false"

	opts.Width, opts.Height = size(err)
	opts.OutWidth, _ = size(out)
	if opts.Width != nil && !dumb && !ci {
		opts.Mode = Live
	}

	switch force := getenv("CLICOLOR_FORCE"); {
	case getenv("NO_COLOR") != "":
	case force != "" && force != "0":
		opts.Color, opts.OutColor = true, true
	case !dumb && getenv("CLICOLOR") != "0":
		opts.Color, opts.OutColor = opts.Width != nil, opts.OutWidth != nil
	}
	if !ci {
		opts.Shades = shades(getenv)
	}
	return opts
}

// shades are those that fit the terminal's colours and its background.
func shades(getenv func(string) string) Shades {
	term, depth := getenv("TERM"), getenv("COLORTERM")
	if !strings.Contains(term, "256color") && !strings.Contains(term, "direct") && depth != "truecolor" && depth != "24bit" {
		return Own
	}
	switch getenv("PLIMSOLL_BACKGROUND") {
	case "dark":
		return Dark
	case "light":
		return Light
	}
	// COLORFGBG is "foreground;background", in numbers of the eight colours and
	// their bright ones; rxvt puts the name of a pixmap between them.
	colors := strings.Split(getenv("COLORFGBG"), ";")
	background, err := strconv.Atoi(colors[len(colors)-1])
	switch {
	case err != nil || len(colors) < 2 || background < 0 || background > 15:
		return Either
	case background == 7 || background > 8:
		return Light
	}
	return Dark
}

// size is how to ask for the columns and rows of the terminal behind w; nil
// when there is none, or when it does not know (a pseudo terminal that nobody
// sized).
func size(w io.Writer) (columns, rows func() int) {
	file, ok := w.(interface{ Fd() uintptr })
	if !ok {
		return nil, nil
	}
	ask := func() (columns, rows int) {
		columns, rows, err := xterm.GetSize(int(file.Fd()))
		if err != nil {
			return 0, 0
		}
		return columns, rows
	}
	if columns, _ := ask(); columns == 0 {
		return nil, nil
	}
	return func() int { c, _ := ask(); return c }, func() int { _, r := ask(); return r }
}
