package logs

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// cursor is the place of an event in its group. Tokens carry cursors, so they
// hold nothing on the server and stay good when events come and go.
type cursor struct {
	at  int64 // ms, never negative
	seq uint64
}

// String is the cursor as an event id: 56 digits, as AWS's are, that sort as
// the events do.
func (c cursor) String() string { return fmt.Sprintf("%020d%036d", c.at, c.seq) }

func parseCursor(s string) (cursor, bool) {
	if len(s) != 56 || strings.Trim(s, "0123456789") != "" {
		return cursor{}, false
	}
	at, err := strconv.ParseInt(s[:20], 10, 64)
	if err != nil {
		return cursor{}, false
	}
	seq, err := strconv.ParseUint(s[20:], 10, 64)
	return cursor{at, seq}, err == nil
}

func (c cursor) compare(o cursor) int {
	return cmp.Or(cmp.Compare(c.at, o.at), cmp.Compare(c.seq, o.seq))
}

func compareEvent(e event, c cursor) int { return e.cursor().compare(c) }

// token is a cursor with the direction to go on in, rendered as AWS's tokens
// of GetLogEvents look: "f/…/s" and "b/…/s".
type token struct {
	cursor
	back bool
}

func (t token) String() string {
	if t.back {
		return "b/" + t.cursor.String() + "/s"
	}
	return "f/" + t.cursor.String() + "/s"
}

func parseToken(s string) (token, error) {
	direction, rest, _ := strings.Cut(s, "/")
	digits, end, _ := strings.Cut(rest, "/")
	c, ok := parseCursor(digits)
	if !ok || end != "s" || direction != "f" && direction != "b" {
		return token{}, badToken()
	}
	return token{c, direction == "b"}, nil
}

func badToken() error { return invalid("The specified nextToken is invalid.") }
