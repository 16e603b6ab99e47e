package build

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// upload is docker's push of an image, layer by layer. The engine's API tells
// it in messages ([upload.message]), the docker command in lines:
//
//	5f70bf18a086: Preparing
//	5f70bf18a086: Pushing [====>     ]  1.2MB/3.4MB
//	5f70bf18a086: Pushed
//	e16a3f9b2c44: Layer already exists
//	v1: digest: sha256:… size: 528
type upload struct {
	lines  []string         // the last ones
	sizes  map[string]int64 // of layers, by docker's short name, where they are known from the start
	layers map[string]*layer
	digest string // of what was pushed
	pace   pace

	partial bool // docker lacks some of what an index names
}

// layer is one layer on its way. Its bytes are those before compression, for
// those docker counts; the containerd image store keeps layers compressed, and
// counts these.
type layer struct {
	over, there bool  // there: the registry had it
	retried     bool  // and that was told
	sent, total int64 // bytes, where docker tells: its command does on a terminal only
}

func newUpload(sizes map[string]int64) *upload {
	return &upload{sizes: sizes, layers: map[string]*layer{}}
}

// read takes one line and tells what is new in it.
func (u *upload) read(line string, n news) {
	if line = strings.TrimSpace(line); line == "" {
		return
	}
	u.lines = last(u.lines, line)
	id, state, ok := strings.Cut(line, ": ")
	switch {
	case !ok || u.result(line):
	case strings.HasPrefix(state, "Pushing"):
		_, amount, _ := strings.Cut(state, "]")
		sent, total, _ := strings.Cut(strings.TrimSpace(amount), "/")
		u.take(id, state, max(size(sent), 0), max(size(total), 0), n)
	default:
		u.take(id, state, 0, 0, n)
	}
}

// result takes "v1: digest: sha256:… size: 528", docker's last word.
func (u *upload) result(line string) bool {
	_, said, ok := strings.Cut(line, ": digest: ")
	if ok {
		u.digest, _, _ = strings.Cut(said, " ")
	}
	return ok
}

// take is news of one layer.
func (u *upload) take(id, state string, sent, total int64, n news) {
	if !isLayer(id) {
		return
	}
	l := u.layers[id]
	if l == nil {
		l = &layer{total: u.sizes[id]}
		u.layers[id] = l
	}
	switch {
	case l.over:
	case state == "Unavailable": // it belongs to a platform that the engine does not hold
		delete(u.layers, id)
	case state == "Pushed", arrivedBefore(state):
		l.over, l.there, l.sent = true, state != "Pushed", l.total
		n.tell(story.Event{Kind: story.Change, Message: "layer " + id + " " + outcome(state) + weight(l.total)})
		u.progress(n)
	case strings.HasPrefix(state, "Pushing"):
		// A layer is read as a tarball, whose headers its size leaves out.
		l.total = max(l.total, total)
		l.sent, l.retried = min(sent, l.total), false
		if u.pace.due(n.now()) {
			u.progress(n)
		}
	case strings.HasPrefix(state, "Retrying in") && !l.retried: // it counts the seconds
		l.retried = true
		n.tell(story.Event{Kind: story.Change, Message: "layer " + id + " is retried " + strings.TrimPrefix(state, "Retrying ")})
	}
}

// arrivedBefore tells the states of a layer that is not sent.
func arrivedBefore(state string) bool {
	return state == "Layer already exists" || state == "Already exists" || strings.HasPrefix(state, "Mounted from ")
}

// outcome is what became of a layer, in our words.
func outcome(state string) string {
	if strings.HasSuffix(state, "lready exists") {
		return "was there before"
	}
	return strings.ToLower(state[:1]) + state[1:]
}

// weight is what follows on a layer whose size is known and worth a word.
func weight(size int64) string {
	if size < 1e3 {
		return ""
	}
	return ", " + megabytes(size)
}

// receipt is what is known of the push when it is over.
func (u *upload) receipt() receipt {
	got := receipt{digest: u.digest}
	for _, l := range u.layers {
		got.bytes += l.total
		if l.there {
			got.there++
		}
	}
	return got
}

// progress tells how far it is. The total is told once every layer's size is
// known: before that it would grow.
func (u *upload) progress(n news) {
	e := story.Event{Kind: story.Progress, Unit: "bytes", Layers: &story.Layers{Total: len(u.layers)}}
	whole := true
	for _, l := range u.layers {
		e.Done, e.Total = e.Done+l.sent, e.Total+l.total
		if l.there {
			e.There += l.sent
		}
		if l.over {
			e.Layers.Done++
		} else if l.total == 0 {
			whole = false
		}
	}
	switch {
	case e.Total == 0:
		e.Done, e.Total, e.Unit = int64(e.Layers.Done), int64(e.Layers.Total), "layers"
	case !whole:
		e.Total = 0
	}
	n.tell(e)
}

// pace keeps what is told while bytes go to what somebody can follow.
type pace struct{ last time.Time }

// due says whether it is time to tell again.
func (p *pace) due(now time.Time) bool {
	const often = 500 * time.Millisecond
	if now.Sub(p.last) < often {
		return false
	}
	p.last = now
	return true
}

// shortName is how many hex digits docker names a layer by.
const shortName = 12

// isLayer tells docker's short name of a layer.
func isLayer(s string) bool {
	return len(s) == shortName && strings.Trim(s, "0123456789abcdef") == ""
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

// fromRegistry is what the containerd image store begins the registry's words
// with. Their code it keeps to itself. (moby, daemon/containerd,
// translateRegistryError.)
const fromRegistry = "error from registry: "

// codeOf is the code of a refusal by ECR's words and those of docker where it
// was not let in; "" for others.
func codeOf(words string) string {
	for _, known := range []struct{ code, words string }{
		{"TAG_INVALID", "cannot be overwritten because the"},
		{"NAME_UNKNOWN", "does not exist in the registry with id"},
		{"DENIED", "is not authorized to perform"},
		{"DENIED", "authorization token has expired"},
		{"UNAUTHORIZED", "no basic auth credentials"},
		{"UNAUTHORIZED", "push access denied"},
		{"UNAUTHORIZED", ": 401 Unauthorized"},
		{"UNAUTHORIZED", ": 403 Forbidden"},
	} {
		if strings.Contains(words, known.words) {
			return known.code
		}
	}
	return ""
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
		if refusal := r.refusal(codeOf(line), strings.TrimPrefix(line, fromRegistry)); refusal != nil {
			return refusal
		}
		if strings.HasPrefix(line, "An image does not exist locally") || strings.HasPrefix(line, "tag does not exist") {
			return &ImageMissingError{Ref: r.ref.String()}
		}
	}
	return errors.New("docker push: " + u.lines[len(u.lines)-1])
}
