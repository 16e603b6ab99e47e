// Package panel is what the pages about a fleet have in common: the audit's
// report in one file, and the dashboard. It has their look ([Style]), their
// words ([Days], [Stamp]) and the pieces that show a verdict, a
// finding, an explanation or a load line, drawn by templ.
package panel

import (
	_ "embed"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/noun"
)

//go:generate go run github.com/a-h/templ/cmd/templ@v0.3.977 generate

//go:embed ground.css
var ground string

//go:embed style.css
var style string

//go:embed mark.svg
var mark string

// Ground is the stylesheet that every page stands on: colours for light and
// dark, letters, plain elements.
func Ground() string { return ground }

// Style is the stylesheet of the pieces, with the ground that they stand on.
func Style() string { return ground + style }

// Icon is the mark as a file, an SVG.
func Icon() string { return mark }

// Fact is a number and what it counts.
type Fact struct {
	Number string
	Of     string // "" or " of 12"
	What   string
	State  string // "good", "warn", "bad" or ""
}

// Verdict is the card that says whether what runs could restart.
type Verdict struct {
	State string // "good", "warn" or "bad"
	Says  string
	Facts []Fact
}

// VerdictOf reads it from a report in numbers.
func VerdictOf(t audit.Tally, horizon time.Duration) Verdict {
	all, now, later := t.Services, t.Now, t.Safe
	of := " of " + noun.Digits(all)
	v := Verdict{Facts: []Fact{
		{noun.Digits(now), of, "could restart today", state(now == all, "bad")},
		{noun.Digits(later), of, "could restart at any time within " + Days(horizon), state(later == all, "warn")},
	}}
	switch {
	case all == 0:
		v.State, v.Says, v.Facts = "warn", "No service was seen", nil
	case now < all:
		v.State, v.Says = "bad", noun.Count(all-now, "service")+" cannot restart"
	case later < all:
		v.State, v.Says = "warn", noun.Count(all-later, "service")+" may not be able to restart within "+Days(horizon)
	case all == 1:
		v.State, v.Says = "good", "The service could restart at any time"
	default:
		v.State, v.Says = "good", "All "+noun.Digits(all)+" services could restart at any time"
	}
	return v
}

func state(good bool, otherwise string) string {
	if good {
		return "good"
	}
	return otherwise
}

// SeenOf are the numbers of what was judged.
func SeenOf(s audit.Seen) []Fact {
	var out []Fact
	for _, f := range []struct {
		n         int
		one, many string
	}{
		{s.Clusters, "cluster", "clusters"},
		{s.Services, "service", "services"},
		{s.Tasks, "task", "tasks"},
		{s.Schedules, "schedule", "schedules"},
		{s.Repositories, "repository", "repositories"},
		{s.Images, "image", "images"},
	} {
		if f.n == 1 {
			f.many = f.one
		}
		out = append(out, Fact{Number: noun.Digits(f.n), What: f.many})
	}
	return out
}

// Finding is a finding in words.
type Finding struct {
	audit.Finding
	ID    string // of its element
	Place string
	When  string
	// About and Explained are where its object and its code are shown; "" for no
	// link.
	About, Explained string
}

// FindingOf puts a finding into words, as of a time.
func FindingOf(f audit.Finding, id string, now time.Time) Finding {
	out := Finding{Finding: f, ID: id, Place: Place(f.Object.Place)}
	if f.When != nil {
		out.When = f.When.Words(now.UTC())
	}
	return out
}

// Place is a place in words: its region and account.
func Place(p audit.Place) string { return strings.TrimSpace(p.Region + " " + p.Account) }

// Days is a horizon in words.
func Days(d time.Duration) string {
	if d < 48*time.Hour {
		return noun.Count(int(d.Hours()), "hour")
	}
	return noun.Count(int(d.Hours()/24), "day")
}

// ShortDigest keeps enough of a digest to tell it from others.
func ShortDigest(d string) string {
	if _, hex, ok := strings.Cut(d, ":"); ok && len(hex) > 12 {
		return hex[:12]
	}
	return d
}

// Stamp is a time as pages write it.
func Stamp(t time.Time) string { return t.UTC().Format("Mon 2 Jan 2006, 15:04") + " UTC" }

// drawing is an SVG as HTML has it: without the declarations of a file.
func drawing(svg string) string {
	if at := strings.Index(svg, "<svg"); at > 0 {
		return svg[at:]
	}
	return svg
}
