package dashboard

import (
	"net/http"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/listing"
	"github.com/plimsoll-ecs/plimsoll/internal/panel"
)

// findingsShown is how many findings a page has.
const findingsShown = 25

// findingsView is the page of the findings.
type findingsView struct {
	frame
	Asked asked
	Tabs  []listing.Tab
	Codes []codeCount
	Found []panel.Finding
	Pager listing.Pager
}

// codeCount is how often a code occurs.
type codeCount struct {
	audit.Explanation
	Count int
	Link  string
	Here  bool
}

func (s *Server) findings(w http.ResponseWriter, r *http.Request) {
	f := s.frame("Findings", "/findings")
	if f.seen == nil {
		s.draw(w, r, http.StatusOK, f, f.waiting())
		return
	}
	v := f.seen.found(askedBy("/findings", r.URL.Query()))
	v.frame = f
	s.draw(w, r, http.StatusOK, f, v.content())
}

// acceptedTab is of findings that do not count.
const acceptedTab = "accepted"

// found is the findings that are asked for.
func (s *sight) found(a asked) findingsView {
	v := findingsView{Asked: a}
	counts, codes := map[string]int{}, map[audit.Code]int{}
	var shown []int
	for i := range s.report.Findings {
		f := &s.report.Findings[i]
		if !a.matches(f.What, f.Object.Name, f.Image, panel.Place(f.Object.Place), string(f.Code)) {
			continue
		}
		in := f.Severity.String()
		if f.Accepted != "" {
			in = acceptedTab
		}
		here := a.Show == in || a.Show == "" && in != acceptedTab
		if here {
			codes[f.Code]++
		}
		if a.Code != "" && string(f.Code) != a.Code {
			continue
		}
		counts[in]++
		if here {
			shown = append(shown, i)
		}
	}
	v.Tabs = []listing.Tab{a.tab("all", "", "", counts["error"]+counts["warning"]+counts["note"])}
	for _, t := range []listing.Tab{{Name: "errors", Link: "error", Class: "bad"}, {Name: "warnings", Link: "warning", Class: "warn"}, {Name: "notes", Link: "note", Class: "off"}, {Name: acceptedTab, Link: acceptedTab}} {
		if n := counts[t.Link]; n > 0 || a.Show == t.Link {
			v.Tabs = append(v.Tabs, a.tab(t.Name, t.Link, t.Class, n))
		}
	}
	for _, e := range s.catalogue {
		if n := codes[e.Code]; n > 0 || a.Code == string(e.Code) {
			to := a
			to.Page = 1
			if to.Code = string(e.Code); a.Code == string(e.Code) {
				to.Code = ""
			}
			v.Codes = append(v.Codes, codeCount{e, n, to.link(), a.Code == string(e.Code)})
		}
	}
	shown, v.Pager = listing.Cut(shown, a.Page, findingsShown, a.page)
	for _, i := range shown {
		v.Found = append(v.Found, s.finding(i))
	}
	return v
}

// codesView is the page of the explanations, or of one.
type codesView struct {
	All    []codeCount
	Single bool
}

func (s *Server) codes(w http.ResponseWriter, r *http.Request) {
	f := s.frame("What findings mean", "/findings")
	v, one := codesView{}, r.PathValue("code")
	catalogue, err := audit.Catalogue()
	if err != nil {
		s.fail(w, r, http.StatusInternalServerError, f, "The explanations cannot be read", err)
		return
	}
	if one != "" {
		e, err := audit.Explain(one)
		if err != nil {
			s.fail(w, r, http.StatusNotFound, f, "No such finding", err)
			return
		}
		f.Title, catalogue, v.Single = string(e.Code)+": "+e.Title, []audit.Explanation{e}, true
	}
	for _, e := range catalogue {
		c := codeCount{Explanation: e, Link: asked{path: "/findings", Code: string(e.Code), Page: 1}.link()}
		if f.seen != nil {
			c.Count = f.seen.occurs(e.Code)
		}
		v.All = append(v.All, c)
	}
	s.draw(w, r, http.StatusOK, f, v.content())
}

// occurs counts the findings of a code.
func (s *sight) occurs(c audit.Code) int {
	n := 0
	for i := range s.report.Findings {
		if s.report.Findings[i].Code == c {
			n++
		}
	}
	return n
}
