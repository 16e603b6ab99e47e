package build

import (
	"errors"
	"strconv"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// upload reads what docker push prints, line by line:
//
//	5f70bf18a086: Preparing
//	5f70bf18a086: Pushing [====>     ]  1.2MB/3.4MB
//	5f70bf18a086: Pushed
//	e16a3f9b2c44: Layer already exists
//	v1: digest: sha256:… size: 528
type upload struct {
	lines  []string // the last ones
	layers map[string]*layer
	digest string // of what was pushed
}

// layer is one layer on its way.
type layer struct {
	over        bool
	sent, total int64 // bytes, where docker tells: it does on a terminal only
}

func newUpload() *upload { return &upload{layers: map[string]*layer{}} }

// read takes one line and tells what is new in it.
func (u *upload) read(line string, n news) {
	if line = strings.TrimSpace(line); line == "" {
		return
	}
	u.lines = last(u.lines, line)
	id, state, ok := strings.Cut(line, ": ")
	if !ok {
		return
	}
	if digest, ok := strings.CutPrefix(state, "digest: "); ok {
		u.digest, _, _ = strings.Cut(digest, " ")
		return
	}
	if !isLayer(id) {
		return
	}
	l := u.layers[id]
	if l == nil {
		l = &layer{}
		u.layers[id] = l
	}
	switch {
	case state == "Pushed", state == "Layer already exists", strings.HasPrefix(state, "Mounted from "):
		if l.over {
			return
		}
		l.over, l.sent = true, l.total
		n.tell(story.Event{Kind: story.Change, Message: "layer " + id + " " + strings.ToLower(state[:1]) + state[1:]})
		u.progress(n)
	case strings.HasPrefix(state, "Pushing"):
		_, amount, _ := strings.Cut(state, "]")
		sent, total, _ := strings.Cut(strings.TrimSpace(amount), "/")
		l.total = max(size(total), 0)
		l.sent = min(max(size(sent), 0), l.total)
		u.progress(n)
	case strings.HasPrefix(state, "Retrying in"):
		n.tell(story.Event{Kind: story.Change, Message: "layer " + id + " is retried " + strings.TrimPrefix(state, "Retrying ")})
	}
}

func (u *upload) progress(n news) {
	var over, sent, total int64
	for _, l := range u.layers {
		sent, total = sent+l.sent, total+l.total
		if l.over {
			over++
		}
	}
	e := story.Event{Kind: story.Progress, Done: over, Total: int64(len(u.layers)), Unit: "layers"}
	if total > 0 {
		e.Done, e.Total, e.Unit = sent, total, "bytes"
	}
	n.tell(e)
}

// isLayer tells docker's short name of a layer: 12 hex digits.
func isLayer(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789abcdef") == ""
}

// size reads docker's sizes, "1.234MB"; -1 when it is none.
func size(s string) int64 {
	digits := strings.TrimRight(s, "kMGTB")
	value, err := strconv.ParseFloat(digits, 64)
	if err != nil || value < 0 || value > 1e6 {
		return -1
	}
	for _, unit := range []struct {
		name  string
		bytes float64
	}{{"B", 1}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}} {
		if s[len(digits):] == unit.name {
			return int64(value * unit.bytes)
		}
	}
	return -1
}

// failure is what to say when docker gave up. docker passes on the code of
// the registry's refusal in words ("name unknown: …") or, without a login,
// does not get as far as asking.
func (u *upload) failure(r registry) error {
	if len(u.lines) == 0 {
		return errors.New("docker push failed and said nothing")
	}
	for _, line := range u.lines {
		words, message, _ := strings.Cut(line, ": ")
		code := strings.ToUpper(strings.ReplaceAll(words, " ", "_"))
		if refusal := r.refusal(code, message); refusal != nil {
			return refusal
		}
		if strings.Contains(line, "no basic auth credentials") || strings.Contains(line, "authorization token has expired") {
			return &AuthError{Registry: r.ref.Registry, Message: line}
		}
		if strings.HasPrefix(line, "An image does not exist locally") || strings.HasPrefix(line, "tag does not exist") {
			return &ImageMissingError{Ref: r.ref.String()}
		}
	}
	return errors.New("docker push: " + u.lines[len(u.lines)-1])
}
