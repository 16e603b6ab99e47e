package actions

import (
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
)

// verb is something that can be done to a service, by its command's name.
type verb string

const (
	deployVerb   verb = "deploy"
	rollbackVerb verb = "rollback"
	scaleVerb    verb = "scale"
	stopVerb     verb = "stop"
	startVerb    verb = "start"
	pinVerb      verb = "pin"
	unpinVerb    verb = "unpin"
)

// verbs are all of them, in the order of the page.
func verbs() []verb {
	return []verb{deployVerb, rollbackVerb, scaleVerb, stopVerb, startVerb, pinVerb, unpinVerb}
}

// label is the verb on a button.
func (v verb) label() string {
	switch v {
	case rollbackVerb:
		return "Roll back"
	case pinVerb:
		return "Pin images"
	case unpinVerb:
		return "Release pins"
	}
	return strings.ToUpper(string(v[:1])) + string(v[1:])
}

// fits reports whether there is sense in it for a service that is stopped, or is
// not.
func (v verb) fits(stopped bool) bool {
	return v != startVerb && v != stopVerb || (v == startVerb) == stopped
}

// purpose says what it is for.
func (v verb) purpose() string {
	switch v {
	case deployVerb:
		return "Put an image that ECR has onto the service, and wait for the verdict. A rollout that fails is put back."
	case rollbackVerb:
		return "Go back to a revision that was stable. The desired count stays."
	case scaleVerb:
		return "Change the desired count."
	case stopVerb:
		return "Scale to zero and remember the count. Autoscaling is suspended until start."
	case startVerb:
		return "Bring back the count that stop remembered, and resume autoscaling."
	case pinVerb:
		return "Give what runs, and what a rollback could go to, tags that keep it in ECR."
	case unpinVerb:
		return "Take the service's pins away. An image never loses its last tag."
	}
	return ""
}

// order is what somebody wants done: a form that was read.
type order struct {
	verb      verb
	tag       string // deploy
	desired   *int   // likewise; nil leaves the count
	force     bool   // likewise
	base      string // likewise: the revision that was shown as the template
	supersede bool   // deploy, rollback
	to        string // rollback; "" is the last stable one
	count     int    // scale
}

// FormError is a form that cannot be meant.
type FormError struct {
	Field string // its name in the form
	What  string
}

func (e *FormError) Error() string { return e.What }

// read reads the form of a verb.
func read(v verb, form url.Values) (order, error) {
	o := order{verb: v, supersede: form.Get("supersede") != "", force: form.Get("force") != ""}
	switch v {
	case deployVerb:
		o.tag = strings.TrimSpace(form.Get("other"))
		if o.tag == "" {
			o.tag = form.Get("tag")
		}
		if !isTag(o.tag) {
			return order{}, &FormError{"other", "Choose a tag, or type one: letters, digits, and _ . - in between."}
		}
		if text := strings.TrimSpace(form.Get("desired")); text != "" {
			n, err := count(text)
			if err != nil {
				return order{}, &FormError{"desired", err.Error()}
			}
			o.desired = &n
		}
	case rollbackVerb:
		o.to = form.Get("to")
		if family, revision, named := strings.Cut(o.to, ":"); o.to != "" && (!named || !isName(family) || strings.Trim(revision, "0123456789") != "" || revision == "") {
			return order{}, &FormError{"to", "Choose one of the revisions."}
		}
	case scaleVerb:
		n, err := count(strings.TrimSpace(form.Get("count")))
		if err != nil {
			return order{}, &FormError{"count", err.Error()}
		}
		o.count = n
	}
	return o, nil
}

// count reads a number of tasks. ECS takes 32 bits.
func count(text string) (int, error) {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 0 || n > math.MaxInt32 {
		return 0, fmt.Errorf("%q is no number of tasks: 0 or more", cut(text, 40))
	}
	return int(n), nil
}

// isTag reports whether a registry takes a tag (distribution spec).
func isTag(s string) bool {
	const word = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"
	return s != "" && len(s) <= 128 && strings.Contains(word, s[:1]) && strings.Trim(s, word+".-") == ""
}

func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}

// title says what will be done, and to what.
func (o order) title(service string) string {
	switch o.verb {
	case deployVerb:
		return "Deploy " + o.tag + " to " + service
	case rollbackVerb:
		if o.to == "" {
			return "Roll " + service + " back"
		}
		return "Roll " + service + " back to " + o.to
	case scaleVerb:
		return fmt.Sprintf("Scale %s to %d", service, o.count)
	case pinVerb:
		return "Pin the images of " + service
	case unpinVerb:
		return "Release the pins of " + service
	}
	return o.verb.label() + " " + service
}

// command is the same as a person would type it.
func (o order) command(s Service) string {
	words := []string{"plimsoll", string(o.verb)}
	if o.verb == scaleVerb {
		words = append(words, strconv.Itoa(o.count))
	}
	words = append(words, "--cluster", s.Cluster, "--service", s.Name)
	switch o.verb {
	case deployVerb:
		words = append(words, "--image-tag", o.tag)
		if o.desired != nil {
			words = append(words, "--desired-count", strconv.Itoa(*o.desired))
		}
		if o.force {
			words = append(words, "--force")
		}
	case rollbackVerb:
		if o.to != "" {
			words = append(words, "--to", o.to)
		}
	}
	if o.supersede {
		words = append(words, "--supersede")
	}
	return strings.Join(words, " ")
}
