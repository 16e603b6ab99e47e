package ciout

import (
	"io"
	"sync"

	"github.com/plimsoll-ecs/plimsoll/internal/ci"
)

// Guard is a stream of a job's log in which nothing is a command of the CI
// system, whoever wrote it. What would be one stays readable: a blank is put
// into it.
//
//   - GitHub takes a line for a command that begins with "::" after white
//     space, and one that has "##[" anywhere
//     (https://github.com/actions/runner, ActionCommand.cs).
//   - GitLab takes "section_start:" and "section_end:" for marks where a
//     carriage return follows, so carriage returns go.
//
// JSON stays what it was to a parser: there the bracket is written as \u005b. What
// goes into a file is no log, and is for the caller to leave alone.
func Guard(d ci.Dialect, json bool, w io.Writer) io.Writer {
	if d != ci.GitHubDialect && d != ci.GitLabDialect {
		return w
	}
	return &guard{w: w, dialect: d, json: json, start: true}
}

// guard goes byte by byte and holds nothing back, so that it does not matter
// how a line is cut into writes.
type guard struct {
	dialect ci.Dialect
	json    bool

	mu     sync.Mutex
	w      io.Writer
	start  bool // nothing but white space on this line so far
	colons int  // that a line began with
	hashes int  // next to each other
}

func (g *guard) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, err := g.w.Write(g.tame(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (g *guard) tame(p []byte) []byte {
	out := make([]byte, 0, len(p)+8)
	for _, b := range p {
		if g.dialect == ci.GitLabDialect {
			if b != '\r' {
				out = append(out, b)
			}
			continue
		}
		if g.breaks(b) {
			if g.json && b == '[' { // within a string: nowhere else has JSON a #
				out = append(out, `\u005b`...)
				continue
			}
			out = append(out, ' ')
		}
		out = append(out, b)
	}
	return out
}

// breaks reports whether a blank must come before b, and remembers b. The runner
// compares by the rules of a culture, which see past characters that are not
// shown: these, and all of other alphabets, change nothing here. Rather one
// blank too many.
func (g *guard) breaks(b byte) bool {
	switch {
	case b == '\n' || b == '\r':
		g.start, g.colons, g.hashes = true, 0, 0
	case b == ' ' && g.hashes > 0, b == ' ' && g.colons > 0: // what it was is over
		g.start, g.colons, g.hashes = false, 0, 0
	case b <= ' ' || b >= 0x7f:
	case b == ':' && g.colons > 0:
		g.start, g.colons, g.hashes = false, 0, 0
		return true
	case b == ':' && g.start:
		g.start, g.colons, g.hashes = false, 1, 0
	case b == '#':
		g.start, g.colons, g.hashes = false, 0, g.hashes+1
	case b == '[' && g.hashes > 1:
		g.start, g.colons, g.hashes = false, 0, 0
		return true
	default:
		g.start, g.colons, g.hashes = false, 0, 0
	}
	return false
}

// harmless is a text that is no command of GitHub's wherever it stands.
func harmless(s string) string {
	return string((&guard{dialect: ci.GitHubDialect, start: true}).tame([]byte(s)))
}
