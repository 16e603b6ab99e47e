package actions

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
)

func TestReadForms(t *testing.T) {
	for _, tt := range []struct {
		verb  verb
		form  string
		title string // "" where the form is wrong
		field string // where it is
	}{
		{deployVerb, "tag=v1.1.0", "Deploy v1.1.0 to web", ""},
		{deployVerb, "tag=v1.1.0&other=v2.0.0", "Deploy v2.0.0 to web", ""}, // what is typed wins
		{deployVerb, "other=+v2.0.0+", "Deploy v2.0.0 to web", ""},
		{deployVerb, "tag=v1.1.0&desired=0", "Deploy v1.1.0 to web", ""},
		{deployVerb, "", "", "other"},
		{deployVerb, "other=--help", "", "other"},
		{deployVerb, "other=a/b", "", "other"},
		{deployVerb, "other=v1%00", "", "other"},
		{deployVerb, "other=%EF%BC%91", "", "other"},
		{deployVerb, "other=" + strings.Repeat("v", 129), "", "other"},
		{deployVerb, "tag=v1&desired=1.5", "", "desired"},
		{deployVerb, "tag=v1&desired=2147483648", "", "desired"},
		{rollbackVerb, "", "Roll web back", ""},
		{rollbackVerb, "to=web:3", "Roll web back to web:3", ""},
		{rollbackVerb, "to=web", "", "to"},
		{rollbackVerb, "to=web:", "", "to"},
		{rollbackVerb, "to=arn:aws:ecs:x", "", "to"},
		{scaleVerb, "count=4", "Scale web to 4", ""},
		{scaleVerb, "count=-4", "", "count"},
		{scaleVerb, "count=", "", "count"},
		{stopVerb, "count=x", "Stop web", ""},
		{startVerb, "", "Start web", ""},
		{pinVerb, "", "Pin the images of web", ""},
		{unpinVerb, "", "Release the pins of web", ""},
	} {
		form, err := url.ParseQuery(tt.form)
		if err != nil {
			t.Fatal(err)
		}
		o, err := read(tt.verb, form)
		wrong, bad := errors.AsType[*FormError](err)
		switch {
		case bad && wrong.Field != tt.field, !bad && err != nil, !bad && tt.title == "":
			t.Errorf("%s %q: %v", tt.verb, tt.form, err)
		case !bad && o.title("web") != tt.title:
			t.Errorf("%s %q: %q", tt.verb, tt.form, o.title("web"))
		}
	}
}

// Whatever is sent, the command that is shown is one line of plain words: what
// was typed never becomes another flag, nor markup.
func FuzzReadForms(f *testing.F) {
	for _, form := range []string{"tag=v1.1.0&desired=3&force=on", "to=web:3&supersede=on", "count=4", "other=--all", "other=%0a"} {
		for i := range verbs() {
			f.Add(i, form)
		}
	}
	f.Fuzz(func(t *testing.T, i int, text string) {
		form, err := url.ParseQuery(text)
		if err != nil || i < 0 {
			return
		}
		o, err := read(verbs()[i%len(verbs())], form)
		if err != nil {
			return
		}
		s := Service{audit.Place{Account: "123456789012", Region: "eu-west-1"}, "prod", "web"}
		known := []string{"--cluster", "--service", "--image-tag", "--desired-count", "--force", "--to", "--supersede"}
		for _, word := range strings.Split(o.command(s), " ") {
			ours := false
			for _, k := range known {
				ours = ours || word == k
			}
			if word == "" || strings.HasPrefix(word, "-") && !ours || strings.ContainsAny(word, "\n\r\t\"'`$;&|<>\\") {
				t.Errorf("%q makes %q", text, o.command(s))
			}
		}
	})
}

func TestNames(t *testing.T) {
	for name, good := range map[string]bool{
		"web": true, "Web_1-b": true, "123456789012": true, "": false, "..": false, "a/b": false, "a b": false, "a%2f": false, "<b>": false, "ウェブ": false, strings.Repeat("a", 256): false,
	} {
		if isName(name) != good {
			t.Errorf("%q: %v", name, !good)
		}
	}
}

// A confirmation is good once, for a while, and for what was shown.
func TestProposals(t *testing.T) {
	now := time.Unix(0, 0)
	p := &proposals{now: func() time.Time { return now }}
	one := p.add(Service{Name: "web"}, exam{}, "")
	begun := 0
	begin := func() (string, error) { begun++; return "run", nil }
	for range 2 {
		if run, known, err := p.begin(one.id, begin); run != "run" || !known || err != nil {
			t.Errorf("%q %v %v", run, known, err)
		}
	}
	if begun != 1 {
		t.Errorf("begun %d times", begun)
	}
	if _, known, _ := p.begin("other", begin); known {
		t.Error("one that nobody made")
	}
	late := p.add(Service{}, exam{}, "")
	now = now.Add(goodFor + time.Second)
	if _, ok := p.get(late.id); ok {
		t.Error("good for ever")
	}
	if _, known, _ := p.begin(late.id, begin); known || begun != 1 {
		t.Error("confirmed too late")
	}
	first := p.add(Service{}, exam{}, "")
	for range maxProposals {
		p.add(Service{}, exam{}, "")
	}
	if _, ok := p.get(first.id); ok || len(p.list) > maxProposals {
		t.Errorf("%d wait", len(p.list))
	}
	failing := p.add(Service{}, exam{}, "")
	if _, known, err := p.begin(failing.id, func() (string, error) { return "", errNoRun }); !known || err == nil {
		t.Error("an error is lost")
	}
	if run, _, err := p.begin(failing.id, begin); run != "run" || err != nil {
		t.Errorf("after an error it cannot be confirmed again: %v", err)
	}
}

func TestWhatHasChanged(t *testing.T) {
	shown := seen{Running: "web:3", Newest: "web:3", Deployment: "ecs-svc/1", Desired: 2, Digest: "sha256:" + strings.Repeat("a", 64)}
	for want, change := range map[string]func(*seen){
		"":                                 func(*seen) {},
		"the desired count was 2 and is 3": func(s *seen) { s.Desired = 3 },
		"the newest revision was web:3 and is web:4": func(s *seen) { s.Newest = "web:4" },
		"the service's revision was web:3":           func(s *seen) { s.Running = "web:4" },
		"what the tag stands for was":                func(s *seen) { s.Digest = "sha256:" + strings.Repeat("b", 64) },
		"the count that stop remembered was 0":       func(s *seen) { s.Remembered = 2 },
		"somebody has begun another rollout":         func(s *seen) { s.Deployment = "ecs-svc/2" },
	} {
		now := shown
		change(&now)
		got := strings.Join(shown.changes(now), "; ")
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
