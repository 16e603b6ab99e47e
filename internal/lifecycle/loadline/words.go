package loadline

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle/advice"
	"github.com/plimsoll-ecs/plimsoll/internal/noun"
)

// name is the lane in a few words: "rule 2 · v*".
func (l *Lane) name() string {
	if l.Rule == nil {
		return "no rule selects these"
	}
	return fmt.Sprintf("rule %d · %s", l.Rule.Priority, l.selects())
}

func (l *Lane) selects() string {
	r, what := l.Rule, "every image"
	switch r.TagStatus {
	case lifecycle.Untagged:
		what = "untagged"
	case lifecycle.Tagged:
		list := append([]string(nil), r.TagPatterns...)
		for _, p := range r.TagPrefixes {
			list = append(list, p+"*")
		}
		what = clean(strings.Join(list, " and "))
	}
	if r.StorageClass == lifecycle.Archive {
		what += " in the archive"
	}
	return what
}

// does is what the rule does with its images.
func (l *Lane) does() string {
	if l.Rule == nil {
		return "they stay"
	}
	verb := "deletes"
	if l.Rule.Action == lifecycle.Transition {
		verb = "archives"
	}
	n := l.Rule.CountNumber
	switch l.Rule.CountType {
	case lifecycle.CountMoreThan:
		if advice.Endless(l.Rule) && len(l.Marks) < n {
			return fmt.Sprintf("protects them: the newest %s stay", noun.Digits(n))
		}
		if n == 1 {
			return "keeps the newest, " + verb + " the rest"
		}
		return fmt.Sprintf("keeps the newest %d, %s the rest", n, verb)
	case lifecycle.SincePulled:
		return fmt.Sprintf("%s %s after the last pull", verb, noun.Count(n, "day"))
	case lifecycle.SinceTransitioned:
		return fmt.Sprintf("%s %s after it was archived", verb, noun.Count(n, "day"))
	default:
		return fmt.Sprintf("%s %s after the push", verb, noun.Count(n, "day"))
	}
}

// counts is how many images there are.
func (l *Lane) counts() string {
	used := 0
	for i := range l.Marks {
		if len(l.Marks[i].InUse) > 0 {
			used++
		}
	}
	s := noun.Count(len(l.Marks), "image")
	if l.Carried > 0 {
		s += fmt.Sprintf(" and %d they carry (platforms, signatures)", l.Carried)
	}
	if used > 0 {
		s += fmt.Sprintf(", %d in use", used)
	}
	return s
}

// shields says which rules the lane's rule keeps off, "" for none.
func (l *Lane) shields() string {
	if len(l.Shields) == 0 {
		return ""
	}
	var rules []string
	for _, s := range l.Shields {
		rules = append(rules, fmt.Sprint(s))
	}
	word := "rule "
	if len(rules) > 1 {
		word = "rules "
	}
	return "shields them from " + word + strings.Join(rules, " and ")
}

// tide says how far the water rises within the horizon.
func (l *Lane) tide(horizon time.Duration) string {
	if l.Rule == nil || l.Rule.CountType != lifecycle.CountMoreThan {
		return ""
	}
	low, likely, high := l.Within[0], l.Within[1], l.Within[2]
	switch {
	case high == 0:
		return "no push expected in " + days(horizon)
	case likely == 0 && high == 1:
		return "hardly a push expected in " + days(horizon)
	case likely == 0:
		return fmt.Sprintf("%d to %s expected in %s", low, noun.Count(high, "push"), days(horizon))
	case low == high:
		return fmt.Sprintf("%s expected in %s", noun.Count(likely, "push"), days(horizon))
	}
	return fmt.Sprintf("%s expected in %s (%d to %d)", noun.Count(likely, "push"), days(horizon), low, high)
}

// about is the lane in numbers.
func (l *Lane) about(horizon time.Duration) string {
	s := l.counts()
	for _, more := range []string{l.tide(horizon), l.shields()} {
		if more != "" {
			s += " · " + more
		}
	}
	return s
}

// surface is what a waterline means.
func (l *Lane) surface(kind rowKind, horizon time.Duration) string {
	switch {
	case kind == water:
		return "water now"
	case kind == highWater:
		return fmt.Sprintf("after %s, one chance in ten", noun.Count(l.Within[2], "push"))
	case l.Rule.CountType == lifecycle.CountMoreThan:
		return fmt.Sprintf("after %s, likely in %s", noun.Count(l.Within[1], "push"), days(horizon))
	}
	return "water in " + days(horizon)
}

// name is what a person calls the image.
func (m *Mark) name() string {
	if len(m.Tags) == 0 {
		return short(m.Digest)
	}
	name := clean(m.Tags[0])
	if more := len(m.Tags) - 1; more > 0 {
		name += fmt.Sprintf(" +%d", more)
	}
	return name
}

// users is who runs it.
func (m *Mark) users() string {
	const most = 3
	users := m.InUse
	more := ""
	if len(users) > most {
		more = fmt.Sprintf(" and %d more", len(users)-most+1)
		users = users[:most-1]
	}
	return clean(strings.Join(users, ", ")) + more
}

// Title is the lane in words: which rule it is, and what that does.
func (l *Lane) Title() string { return l.name() + " · " + l.does() }

// About is the lane in numbers, as of a horizon.
func (l *Lane) About(horizon time.Duration) string { return l.about(horizon) }

// Fate is what becomes of an image of the line, in words.
func (l *Line) Fate(m *Mark) string { return m.fate(l) }

// Age is how old an image of the line is, in words.
func (l *Line) Age(m *Mark) string { return age(m.Since, l.At) }

// fate is what becomes of the image.
func (m *Mark) fate(l *Line) string {
	may := ""
	if m.Doubt != 0 {
		may = "perhaps "
	}
	fate := ""
	switch {
	case m.State == Stays:
		fate = "stays"
	case m.State == Under:
		fate = may + "sinks at the next run"
	default:
		fate = may + m.when(l.At)
	}
	if m.Archived {
		return "archived, cannot be pulled; " + fate
	}
	return fate
}

func (m *Mark) when(now time.Time) string {
	w := m.Sinks
	early, likely, late := date(w.Earliest, now), date(w.Likely, now), date(w.Latest, now)
	switch {
	case w.Earliest.IsZero():
		return "afloat for two years and more"
	case w.Likely.IsZero():
		return "sinks on " + early + " at the earliest"
	case early == late:
		return "sinks on " + likely
	case w.Latest.IsZero():
		return "sinks about " + likely + " (" + early + " at the earliest)"
	}
	return "sinks about " + likely + " (" + early + " to " + late + ")"
}

// date is a day, with its year when that is not the present one.
func date(t, now time.Time) string {
	if t = t.UTC(); t.Year() != now.UTC().Year() {
		return t.Format("2 Jan 2006")
	}
	return t.Format("2 Jan")
}

func days(d time.Duration) string {
	if d < day {
		return noun.Count(int(d.Hours()), "hour")
	}
	return noun.Count(int(d/day), "day")
}

// age is how old an image is: "5 hours", "12 days".
func age(since, now time.Time) string {
	if since.IsZero() {
		return "age unknown"
	}
	d := max(0, now.Sub(since))
	if d < time.Hour {
		return "minutes old"
	}
	return days(d) + " old"
}

// short is a digest as people write it.
func short(digest string) string {
	algorithm, hex, ok := strings.Cut(clean(digest), ":")
	if !ok {
		algorithm, hex = "", algorithm
	} else {
		algorithm += ":"
	}
	if len(hex) > 12 {
		hex = hex[:12]
	}
	return algorithm + hex
}

// clean is text of others without what moves a cursor or turns the direction
// of writing.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, s)
}

// summary is the whole line in one sentence.
func (l *Line) summary() string {
	images := 0
	for i := range l.Lanes {
		images += len(l.Lanes[i].Marks) + l.Lanes[i].Carried
	}
	used, endangered := l.InUse()
	s := noun.Count(images, "image")
	switch {
	case used == 0:
		return s + ", none in use"
	case endangered == 0:
		return fmt.Sprintf("%s, %d in use, all of them above water for %s", s, used, days(l.Horizon))
	case endangered == 1:
		return fmt.Sprintf("%s, %d in use, 1 of them in danger", s, used)
	}
	return fmt.Sprintf("%s, %d in use, %d of them in danger", s, used, endangered)
}
