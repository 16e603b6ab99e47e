package build

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// output reads what docker build prints, line by line, and keeps count. It
// knows two dialects, and need not be told which one it hears:
//
//	Step 2/5 : COPY . .              the legacy builder, one step after the other
//	#7 [builder 2/5] COPY . .        BuildKit in plain mode: "#7" is a vertex,
//	#7 0.532 some output             many of them at the same time
//	#7 DONE 0.6s
type output struct {
	hide *strings.Replacer // the secrets

	total, done, cached int // steps of the Dockerfile

	lines    []string           // the last of everything
	vertices map[string]*vertex // by number; "" is the legacy builder's present step
	stages   map[string]int     // BuildKit: how many steps each stage has
	failed   *vertex
	exit     int
	context  int64 // bytes of the build context, as far as they were sent
	lint     bool  // the lines that follow are warnings about the Dockerfile
}

// vertex is one piece of a build's work.
type vertex struct {
	name string // "2/5 COPY . ."
	nth  int    // in the order they began
	step bool   // it is a step of the Dockerfile, not the builder's own business
	over bool
	said []string // its last lines
}

// keep is how many lines are kept as evidence.
const keep = 20

func newOutput(hide *strings.Replacer) *output {
	return &output{hide: hide, vertices: map[string]*vertex{}, stages: map[string]int{}}
}

// read takes one line and tells what is new in it.
func (o *output) read(line string, n news) {
	line = strings.TrimRight(ansi.Strip(line), " ") // the legacy builder paints stderr red
	if line == "" || deprecation(line) {
		if strings.HasPrefix(line, legacyLine) { // which sends the context first, and is silent meanwhile
			n.tell(story.Event{Kind: story.Progress, Unit: "steps", Message: "sending the build context"})
		}
		return
	}
	o.lines = last(o.lines, o.hide.Replace(line))
	if id, rest, ok := vertexLine(line); ok {
		o.buildkit(id, rest, n)
		return
	}
	if rest, ok := strings.CutPrefix(line, "Step "); ok {
		if position, command, ok := strings.Cut(rest, " : "); ok {
			o.legacyStep(position, command, n)
			return
		}
	}
	o.other(line, n)
}

// legacyLine is how docker introduces the legacy builder.
const legacyLine = "DEPRECATED: The legacy builder"

// deprecation tells the three lines with which docker introduces the legacy
// builder. They are no news and no evidence.
func deprecation(line string) bool {
	return strings.HasPrefix(line, legacyLine) ||
		strings.HasPrefix(line, "            Install the buildx component") ||
		strings.HasPrefix(line, "            https://docs.docker.com/go/buildx")
}

// vertexLine splits "#7 rest".
func vertexLine(line string) (id, rest string, ok bool) {
	id, rest, ok = strings.Cut(line, " ")
	number, isVertex := strings.CutPrefix(id, "#")
	if _, err := strconv.Atoi(number); !ok || !isVertex || err != nil {
		return "", "", false
	}
	return number, rest, true
}

func (o *output) buildkit(id, text string, n news) {
	v := o.vertices[id]
	switch {
	case v == nil:
		v = &vertex{name: text, nth: len(o.vertices)}
		if label, command, ok := strings.Cut(strings.TrimPrefix(text, "["), "] "); ok && strings.HasPrefix(text, "[") {
			v.name = command
			if v.step = o.stageStep(label); v.step {
				v.name = label + " " + command
			}
		}
		o.vertices[id] = v
		switch {
		case v.step:
			o.change(v, n)
		case strings.HasPrefix(text, "exporting to "): // what is left when the steps are done
			n.tell(story.Event{Kind: story.Progress, Done: int64(o.done), Total: int64(o.total), Unit: "steps", Message: text})
		}
	case text == "CACHED":
		if v.step && !v.over {
			o.cached++
		}
		o.finish(v, n)
	case strings.HasPrefix(text, "DONE"):
		o.finish(v, n)
	case strings.HasPrefix(text, "ERROR: "):
		reason := strings.TrimPrefix(text, "ERROR: ")
		o.fail(v, reason)
		v.said = last(v.said, o.hide.Replace(reason))
	case strings.HasPrefix(text, "transferring context: "):
		sent, _, _ := strings.Cut(strings.TrimPrefix(text, "transferring context: "), " ")
		o.send(size(sent), strings.HasSuffix(text, " done"), n)
	default:
		// "0.532 text" is output of the command; the rest is the builder's.
		if seconds, said, ok := strings.Cut(text, " "); ok {
			if _, err := strconv.ParseFloat(seconds, 64); err == nil {
				v.said = last(v.said, o.hide.Replace(said))
			}
		}
	}
}

// stageStep tells whether a label is that of a step, "builder 2/5", and counts
// the steps of its stage when it is the first of them.
func (o *output) stageStep(label string) bool {
	stage, position := "", label
	if i := strings.LastIndexByte(label, ' '); i >= 0 {
		stage, position = label[:i], label[i+1:]
	}
	_, of, ok := steps(position)
	if !ok {
		return false
	}
	if _, known := o.stages[stage]; !known {
		o.stages[stage] = of
		o.total += of
	}
	return true
}

// steps reads "2/5".
func steps(s string) (at, of int, ok bool) {
	a, b, ok := strings.Cut(s, "/")
	at, err1 := strconv.Atoi(a)
	of, err2 := strconv.Atoi(b)
	const limit = 1 << 20 // nothing that is counted here is ever as long
	return at, of, ok && err1 == nil && err2 == nil && 0 < at && at <= of && of < limit
}

func (o *output) legacyStep(position, command string, n news) {
	at, of, ok := steps(position)
	if !ok {
		return
	}
	v := &vertex{name: position + " " + command, step: true}
	o.vertices[""] = v
	if o.done, o.total = at-1, of; at > 1 {
		o.progress(n)
	}
	o.change(v, n)
}

// other is a line that names no step: output of the legacy builder's present
// one, or the last words of either.
func (o *output) other(line string, n news) {
	v := o.vertices[""]
	switch {
	case strings.HasPrefix(line, contextLine):
		o.send(size(strings.TrimSpace(line[len(contextLine):])), true, n)
	case line == " ---> Using cache":
		o.cached++
	case strings.HasPrefix(line, " ---> "), strings.HasPrefix(line, "Removing intermediate container "):
	case strings.HasPrefix(line, "Successfully built "):
		if v != nil {
			o.done = o.total
			o.finish(v, n)
		}
	case strings.Contains(line, "returned a non-zero code: ") && v != nil:
		o.fail(v, line)
	case strings.HasSuffix(line, "(use docker --debug to expand):"):
		o.lint = true
	case o.lint && strings.HasPrefix(line, " - "):
		n.tell(story.Event{Kind: story.Warning, Message: o.hide.Replace(line[3:])})
	case v != nil:
		v.said = last(v.said, o.hide.Replace(line))
	}
}

// contextLine is how the legacy builder tells of the build context, once all
// of it is sent.
const contextLine = "Sending build context to Docker daemon "

// send is how much of the build context was sent, where it is worth a word.
func (o *output) send(bytes int64, all bool, n news) {
	const worth = 1e6
	if bytes < worth || bytes < o.context {
		return
	}
	o.context = bytes
	if all {
		n.tell(story.Event{Kind: story.Change, Message: "build context sent, " + megabytes(bytes)})
		return
	}
	n.tell(story.Event{Kind: story.Progress, Done: bytes, Unit: "bytes", Message: "build context"})
}

func (o *output) change(v *vertex, n news) {
	n.tell(story.Event{Kind: story.Change, Message: o.hide.Replace(v.name)})
}

// progress tells how many steps are done, and which still goes on: of several
// the one that began last.
func (o *output) progress(n news) {
	e := story.Event{Kind: story.Progress, Done: int64(o.done), Total: int64(o.total), Unit: "steps"}
	newest := -1
	for _, v := range o.vertices {
		if v.step && !v.over && v.nth > newest {
			newest, e.Message = v.nth, o.hide.Replace(v.name)
		}
	}
	n.tell(e)
}

func (o *output) finish(v *vertex, n news) {
	if v.over || !v.step {
		return
	}
	v.over = true
	o.done = min(o.done+1, o.total)
	o.progress(n)
}

// fail keeps the first failure; what fails after it was cancelled because of it.
func (o *output) fail(v *vertex, reason string) {
	if o.failed != nil {
		return
	}
	o.failed = v
	for _, marker := range []string{"exit code: ", "returned a non-zero code: "} {
		if _, code, ok := strings.Cut(reason, marker); ok {
			o.exit, _ = strconv.Atoi(strings.TrimSpace(code))
			return
		}
	}
}

// failure is what to say when docker gave up.
func (o *output) failure() error {
	v := cmp.Or(o.failed, o.vertices[""]) // the legacy builder does not name the step that failed
	if v == nil {
		return &Error{Lines: o.lines}
	}
	e := &Error{Step: o.hide.Replace(v.name), ExitCode: o.exit, Lines: v.said}
	if len(e.Lines) == 0 {
		e.Lines = o.lines
	}
	return e
}

// last appends to the last lines.
func last(lines []string, line string) []string {
	if len(lines) == keep {
		copy(lines, lines[1:])
		lines = lines[:keep-1]
	}
	return append(lines, line)
}

// secretsOf hides the values of build arguments. Which of them are secret
// nobody says, so all are hidden that are long enough to be one; shorter ones
// would take ordinary text with them.
func secretsOf(args, env []string) *strings.Replacer {
	const (
		shortest = 4
		hidden   = "•••"
	)
	var values []string
	for _, arg := range args {
		key, value, ok := strings.Cut(arg, "=")
		if !ok {
			value = lookup(env, key)
		}
		for line := range strings.Lines(value) {
			if line = strings.TrimSpace(line); len(line) >= shortest {
				values = append(values, line)
			}
		}
	}
	// The first that matches is replaced, so a value comes before its prefixes.
	slices.SortFunc(values, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, value := range values {
		pairs = append(pairs, value, hidden)
	}
	return strings.NewReplacer(pairs...)
}
