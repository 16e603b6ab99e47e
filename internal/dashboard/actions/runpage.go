package actions

import (
	"net/http"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/live"
	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/runs"
	"github.com/plimsoll-ecs/plimsoll/internal/dashboard/tale"
)

// reload is how often a browser without JavaScript looks how a run goes on.
const reload = 4 * time.Second

// runView is a run as its page shows it.
type runView struct {
	*runs.Run
	told  tale.Told
	ended time.Time
	back  string
}

func (a *Actions) view(r *runs.Run) runView {
	v := runView{Run: r, back: a.ServicePath(Service{r.Place, r.Cluster, r.Service})}
	v.ended, _ = r.Ended()
	v.told, _ = r.Told()
	return v
}

// over reports whether there is nothing more to come.
func (v runView) over() bool { return !v.ended.IsZero() || v.told.Verdict != nil }

// board is what the run tells.
func board(r *runs.Run, told tale.Told) live.Board {
	return live.Board{Told: told, Stream: "/runs/" + r.ID + "/live", Waiting: "Checking before anything is changed."}
}

func (v runView) board() live.Board { return board(v.Run, v.told) }

// outcome is the run in a word.
func (v runView) outcome() string {
	if v.told.Verdict == nil {
		return "under way"
	}
	return v.told.Verdict.Outcome
}

func (v runView) tone() string {
	if v.told.Verdict == nil {
		return "go"
	}
	return live.Tone(*v.told.Verdict)
}

// run shows one run.
func (a *Actions) run(w http.ResponseWriter, r *http.Request) {
	run := a.Runs.Run(r.PathValue("id"))
	if run == nil {
		a.sorry(w, r, http.StatusNotFound, "There is no such run", errNoRun)
		return
	}
	v := a.view(run)
	p := Page{Title: run.Title, Content: v.page()}
	if !v.over() {
		p.Reload = reload
	}
	a.Draw(w, r, http.StatusOK, p)
}

// follow keeps the page of a run fresh.
func (a *Actions) follow(w http.ResponseWriter, r *http.Request) {
	run := a.Runs.Run(r.PathValue("id"))
	if run == nil {
		http.NotFound(w, r)
		return
	}
	a.Follow(w, r, run, func(told tale.Told) live.Board { return board(run, told) })
}

// all lists the runs.
func (a *Actions) all(w http.ResponseWriter, r *http.Request) {
	var list runList
	p := Page{Title: "Runs"}
	for _, run := range a.Runs.All() {
		v := a.view(run)
		list = append(list, v)
		if !v.over() {
			p.Reload = reload
		}
	}
	p.Content = list.page()
	a.Draw(w, r, http.StatusOK, p)
}

// runList is the runs of this server, the newest first.
type runList []runView
