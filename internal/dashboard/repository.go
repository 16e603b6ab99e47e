package dashboard

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle/lint"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle/loadline"
	"github.com/plimsoll-ecs/plimsoll/internal/listing"
	"github.com/plimsoll-ecs/plimsoll/internal/noun"
	"github.com/plimsoll-ecs/plimsoll/internal/panel"
)

// How much of long lists a page has.
const (
	repositoriesShown = 50
	imagesShown       = 60
)

// repositoryKey is what tells repositories apart.
type repositoryKey struct {
	audit.Place
	Name string
}

// shelf is a repository in short.
type shelf struct {
	used, endangered int // images that run, and those of them in danger
	gone             int // images that run, and that it does not have any more
	bytes            int64
	findings         []int
}

// shelves are the repositories of the fleet in short, in its order.
func (s *sight) shelve() {
	s.byRepository = map[repositoryKey]int{}
	s.shelves = make([]shelf, len(s.fleet.Repositories))
	for i := range s.fleet.Repositories {
		r, one := &s.fleet.Repositories[i], &s.shelves[i]
		s.byRepository[repositoryKey{r.Place, r.Name}] = i
		if line, err := panel.LoadLine(r, s.uses[i], s.report.At, s.report.Horizon); err == nil {
			one.used, one.endangered = line.InUse()
		}
		for k := range r.Images {
			one.bytes += r.Images[k].Bytes
		}
	}
	for n := range s.report.Findings {
		if f := &s.report.Findings[n]; f.Code == audit.ImageGone || f.Code == audit.DigestGone {
			if i, known := s.repositoryOf(f.Object.Place, f.Image); known {
				s.shelves[i].gone++
			}
		}
		if o := s.report.Findings[n].Object; o.Kind == audit.RepositoryObject {
			if i, known := s.byRepository[repositoryKey{o.Place, o.Name}]; known {
				s.shelves[i].findings = append(s.shelves[i].findings, n)
			}
		}
	}
}

// shelvesView is the page of all repositories.
type shelvesView struct {
	frame
	Asked   asked
	Tabs    []listing.Tab
	Rows    []shelfRow
	Pager   listing.Pager
	Several bool // places
}

// shelfRow is one repository of them.
type shelfRow struct {
	Link, Name, Place       string
	Images                  int
	Bytes                   int64
	Used, Endangered, Gone  int
	Policy, Mutability      string
	Errors, Warnings, Notes int
}

// The tabs of the repositories.
const (
	tabDanger = "danger"
	tabUsed   = "used"
	tabUnused = "unused"
)

func (s *Server) repositories(w http.ResponseWriter, r *http.Request) {
	f := s.frame("Repositories", "/repositories")
	if f.seen == nil {
		s.draw(w, r, http.StatusOK, f, f.waiting())
		return
	}
	v := f.seen.repositories(askedBy("/repositories", r.URL.Query()))
	v.frame = f
	s.draw(w, r, http.StatusOK, f, v.content())
}

func (s *sight) repositories(a asked) shelvesView {
	v := shelvesView{Asked: a, Several: len(s.fleet.Places) > 1}
	counts := map[string]int{}
	var shown []int
	for i := range s.fleet.Repositories {
		r, one := &s.fleet.Repositories[i], &s.shelves[i]
		if !a.matches(r.Name, panel.Place(r.Place)) {
			continue
		}
		in := tabUnused
		switch {
		case one.gone+one.endangered > 0:
			in = tabDanger
		case one.used > 0:
			in = tabUsed
		}
		counts[in]++
		if a.Show == "" || a.Show == in {
			shown = append(shown, i)
		}
	}
	v.Tabs = []listing.Tab{a.tab("all", "", "", counts[tabDanger]+counts[tabUsed]+counts[tabUnused])}
	for _, t := range []listing.Tab{{Name: "in danger", Link: tabDanger, Class: "warn"}, {Name: "in use", Link: tabUsed, Class: "good"}, {Name: "nothing runs from", Link: tabUnused, Class: "off"}} {
		if n := counts[t.Link]; n > 0 || a.Show == t.Link {
			v.Tabs = append(v.Tabs, a.tab(t.Name, t.Link, t.Class, n))
		}
	}
	slices.SortStableFunc(shown, func(x, y int) int {
		return cmp.Or(cmp.Compare(s.shelves[y].gone, s.shelves[x].gone), cmp.Compare(s.shelves[y].endangered, s.shelves[x].endangered), cmp.Compare(s.shelves[y].used, s.shelves[x].used),
			strings.Compare(s.fleet.Repositories[x].Name, s.fleet.Repositories[y].Name))
	})
	shown, v.Pager = listing.Cut(shown, a.Page, repositoriesShown, a.page)
	for _, i := range shown {
		v.Rows = append(v.Rows, s.shelfRow(i))
	}
	return v
}

func (s *sight) shelfRow(i int) shelfRow {
	r, one := &s.fleet.Repositories[i], &s.shelves[i]
	row := shelfRow{
		Link: repositoryLink(r.Place, r.Name), Name: r.Name, Place: panel.Place(r.Place), Images: len(r.Images), Bytes: one.bytes,
		Used: one.used, Endangered: one.endangered, Gone: one.gone, Policy: policyWord(r), Mutability: lifecycle.Mutability(r.Mutability),
	}
	for _, n := range one.findings {
		f := &s.report.Findings[n]
		switch {
		case f.Accepted != "":
		case f.Severity == audit.Error:
			row.Errors++
		case f.Severity == audit.Warning:
			row.Warnings++
		default:
			row.Notes++
		}
	}
	return row
}

// policyWord is a lifecycle policy in a word or two.
func policyWord(r *audit.Repository) string {
	switch {
	case r.Unread != "":
		return "not read"
	case r.Policy == "":
		return "none"
	}
	policy, err := lifecycle.ParsePolicy([]byte(r.Policy))
	if err != nil {
		return "not understood"
	}
	return noun.Count(len(policy.Rules()), "rule")
}

// repositoryView is the page of a repository.
type repositoryView struct {
	frame
	Repository *audit.Repository
	shelf
	Picture string // the load line, an SVG; "" without one
	Broken  string // why there is none
	Line    loadline.Line
	Lanes   []laneView
	Pager   listing.Pager
	Remarks []lint.Remark
	Policy  []policyLine
	Found   []panel.Finding
}

// laneView is the images of one rule.
type laneView struct {
	Title, About string
	Marks        []markRow
}

// markRow is one image.
type markRow struct {
	Tags               []string
	Short, Digest, Age string
	Rule               string
	Users              []userLink
	More               int // users that are not named
	Class, Fate        string
	Since              time.Time
}

// userLink is who runs an image.
type userLink struct{ Name, Link string }

// policyLine is a line of a policy's text, and the remarks on it.
type policyLine struct {
	Number  int
	Text    string
	Remarks []lint.Remark
}

func (s *Server) repository(w http.ResponseWriter, r *http.Request) {
	k := repositoryKey{place(r), r.PathValue("name")}
	f := s.frame(k.Name, "/repositories")
	if f.seen == nil {
		s.draw(w, r, http.StatusOK, f, f.waiting())
		return
	}
	i, known := f.seen.byRepository[k]
	if !known {
		s.missing(w, r, f, "Repository "+k.Name+" is not there")
		return
	}
	v := f.seen.repository(i, askedBy(r.URL.Path, r.URL.Query()))
	v.frame = f
	s.draw(w, r, http.StatusOK, f, v.content())
}

// drawnWide is the width for which load lines are drawn.
const drawnWide = 1080

func (s *sight) repository(i int, a asked) repositoryView {
	r := &s.fleet.Repositories[i]
	v := repositoryView{Repository: r, shelf: s.shelves[i], Broken: r.Unread}
	for _, n := range s.shelves[i].findings {
		if s.report.Findings[n].Code != audit.PolicyRemark { // the policy is shown with its remarks
			v.Found = append(v.Found, s.finding(n))
		}
	}
	line, err := panel.LoadLine(r, s.uses[i], s.report.At, s.report.Horizon)
	switch {
	case err != nil:
		v.Broken = err.Error()
	case len(r.Images) > 0:
		v.Line, v.Picture = line, loadline.Bare(line, drawnWide)
		v.images(s, a)
	}
	if r.Policy != "" {
		v.policy(s.uses[i], s.report.At)
	}
	return v
}

// images are the page of the images that was asked for, those in danger first.
func (v *repositoryView) images(s *sight, a asked) {
	type at struct{ lane, mark int }
	var all []at
	for l := range v.Line.Lanes {
		for m := range v.Line.Lanes[l].Marks {
			mark := &v.Line.Lanes[l].Marks[m]
			if a.matches(strings.Join(mark.Tags, " "), mark.Digest, strings.Join(mark.InUse, " ")) {
				all = append(all, at{l, m})
			}
		}
	}
	// Within a rule, what runs and is in danger stands first, then what goes next.
	slices.SortStableFunc(all, func(x, y at) int {
		p, q := &v.Line.Lanes[x.lane].Marks[x.mark], &v.Line.Lanes[y.lane].Marks[y.mark]
		return cmp.Or(cmp.Compare(x.lane, y.lane), cmp.Compare(min(len(q.InUse), 1), min(len(p.InUse), 1)), cmp.Compare(q.State, p.State), p.Since.Compare(q.Since))
	})
	all, v.Pager = listing.Cut(all, a.Page, imagesShown, a.page)
	last := -1
	for _, n := range all {
		lane := &v.Line.Lanes[n.lane]
		if n.lane != last {
			v.Lanes = append(v.Lanes, laneView{Title: lane.Title(), About: lane.About(v.Line.Horizon)})
			last = n.lane
		}
		shown := &v.Lanes[len(v.Lanes)-1]
		shown.Marks = append(shown.Marks, v.mark(s, lane, &lane.Marks[n.mark]))
	}
}

func (v *repositoryView) mark(s *sight, lane *loadline.Lane, m *loadline.Mark) markRow {
	row := markRow{Tags: m.Tags, Short: panel.ShortDigest(m.Digest), Digest: m.Digest, Age: v.Line.Age(m), Fate: v.Line.Fate(m), Class: markClass(m), Since: m.Since}
	if lane.Rule != nil {
		row.Rule = "rule " + strconv.Itoa(lane.Rule.Priority)
	}
	const named = 3
	for _, name := range m.InUse[:min(len(m.InUse), named)] {
		row.Users = append(row.Users, userLink{name, s.objectLink(audit.Object{Kind: audit.ServiceObject, Place: v.Repository.Place, Name: name})})
	}
	row.More = max(0, len(m.InUse)-named)
	return row
}

// markClass is the colour of an image.
func markClass(m *loadline.Mark) string {
	switch {
	case len(m.InUse) == 0:
		return "off"
	case m.Archived, m.State == loadline.Under:
		return "bad"
	case m.State >= loadline.Threatened:
		return "warn"
	}
	return "good"
}

// policy is the text of the policy with what is to be said of its lines.
func (v *repositoryView) policy(uses []audit.Use, now time.Time) {
	subject := audit.LintSubject(v.Repository, uses, now)
	subject.Text = indented(subject.Text)
	v.Remarks = lint.Check(subject)
	for n, text := range strings.Split(strings.TrimRight(strings.ReplaceAll(string(subject.Text), "\t", "    "), "\n"), "\n") {
		line := policyLine{Number: n + 1, Text: text}
		for _, m := range v.Remarks {
			if m.Line == n+1 {
				line.Remarks = append(line.Remarks, m)
			}
		}
		v.Policy = append(v.Policy, line)
	}
}

// indented is a policy as people read it: many come in one line.
func indented(text []byte) []byte {
	var b bytes.Buffer
	if bytes.Count(bytes.TrimSpace(text), []byte("\n")) > 2 || json.Indent(&b, text, "", "  ") != nil {
		return text
	}
	return b.Bytes()
}

// lintClass is the colour of a remark.
func lintClass(s lint.Severity) string {
	switch s {
	case lint.Error:
		return "bad"
	case lint.Warning:
		return "warn"
	}
	return "off"
}
