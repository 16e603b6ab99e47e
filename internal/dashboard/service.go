package dashboard

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/panel"
	"github.com/plimsoll-ecs/plimsoll/internal/rollout"
)

// patience is how long a page waits for what it asks AWS.
const patience = 20 * time.Second

// rolloutsShown is how many rollouts the history has.
const rolloutsShown = 20

// serviceView is the page of a service: what was judged, and what ECS says now.
type serviceView struct {
	frame
	Key      serviceKey
	Service  *audit.Service // nil where the fleet does not have it
	State    audit.State
	First    string // when it may be lost
	Found    []panel.Finding
	Images   []imageRow
	Tasks    []taskRow
	Now      *serviceNow // nil where nothing can be asked
	Unasked  error       // why, where it should have been
	Rollouts []pastRow
	Strip    []stretch
}

// serviceNow is what was asked for the page. Each part may have failed alone.
type serviceNow struct {
	State      deploy.State
	StateErr   error
	Restart    deploy.Restart
	RestartErr error
	Past       []deploy.Past
	PastErr    error
	Tasks      []rollout.Task
	TasksErr   error
}

// imageRow is what a container would be started from.
type imageRow struct {
	Container, Image, Link, Digest string
	Moved                          bool
	Unpinned                       bool
}

// taskRow is one task.
type taskRow struct {
	ID, Status, Class, Health, Revision, Zone string
	Started                                   time.Time
}

// pastRow is one rollout of the history.
type pastRow struct {
	deploy.Past
	Class string // of its end
	Diff  string // link: what it changed; "" where nothing came before it
}

// gone reports whether ECS has the service no more, or will not for long. What is
// shown of it then was read before.
func (v serviceView) gone() bool {
	return v.Now != nil && (isGone(v.Now.StateErr) || v.deleted() != "")
}

// deleted is the state of a service that was deleted: DRAINING while its tasks stop,
// then INACTIVE (DeleteService in the ECS API reference).
func (v serviceView) deleted() string {
	if v.Now == nil || v.Now.StateErr != nil || v.Now.State.Status == "ACTIVE" {
		return ""
	}
	return v.Now.State.Status
}

// isGone reports whether an error says that there is no such service.
func isGone(err error) bool {
	var refused *deploy.PreflightError
	return errors.Is(err, deploy.NotFound) || errors.As(err, &refused) && slices.ContainsFunc(refused.Faults, func(f deploy.Fault) bool {
		return f.Check == "service" || f.Check == "cluster"
	})
}

func keyOf(r *http.Request) serviceKey {
	return serviceKey{place(r), r.PathValue("cluster"), r.PathValue("service")}
}

// Link is the page of the service.
func (k serviceKey) Link() string { return serviceLink(k.Place, k.Cluster, k.Service) }

func (s *Server) service(w http.ResponseWriter, r *http.Request) {
	k := keyOf(r)
	f := s.frame(k.Cluster+"/"+k.Service, "/")
	if f.seen == nil {
		s.draw(w, r, http.StatusOK, f, f.waiting())
		return
	}
	v := serviceView{frame: f, Key: k, State: audit.Unknown}
	if i, known := f.seen.byService[k]; known {
		v.judged(i)
	}
	now, err := s.askService(r.Context(), k)
	v.Now = now
	switch {
	case v.Service == nil && err != nil && !isGone(err):
		s.fail(w, r, http.StatusBadGateway, f, k.Cluster+"/"+k.Service+" cannot be shown", err)
		return
	case v.Service == nil && (err != nil || now == nil):
		s.missing(w, r, f, k.Cluster+"/"+k.Service+" is not there")
		return
	case now != nil:
		v.asked()
	default:
		v.Unasked = err
		v.kept()
	}
	s.draw(w, r, http.StatusOK, f, v.content())
}

// judged takes in what the audit says.
func (v *serviceView) judged(i int) {
	v.Service = &v.seen.fleet.Services[i]
	standing := v.seen.standings[i]
	v.State = standing.State
	if standing.First != nil {
		v.First = standing.First.Words(v.seen.report.At)
	}
	for _, n := range standing.Findings {
		v.Found = append(v.Found, v.seen.finding(n))
	}
}

// reach is where a service can be asked; nil where nothing can.
func (s *Server) reach(ctx context.Context, k serviceKey) (*Reach, error) {
	if s.options.Reach == nil {
		return nil, nil
	}
	reach, err := s.options.Reach(ctx, k.Place, k.Cluster, k.Service)
	return &reach, err
}

func (k serviceKey) target() deploy.Target {
	return deploy.Target{Cluster: k.Cluster, Service: k.Service, Account: k.Account, Region: k.Region}
}

// askService asks everything that the page of a service shows, at once.
func (s *Server) askService(ctx context.Context, k serviceKey) (*serviceNow, error) {
	reach, err := s.reach(ctx, k)
	if reach == nil || err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	now := &serviceNow{}
	var group sync.WaitGroup
	group.Go(func() { now.State, now.StateErr = deploy.Status(ctx, reach.Ports, k.target()) })
	group.Go(func() { now.Restart, now.RestartErr = deploy.CanRestart(ctx, reach.Ports, k.target()) })
	group.Go(func() {
		now.Past, now.PastErr = deploy.History(ctx, reach.Ports, k.target(), reach.Container, rolloutsShown)
	})
	group.Go(func() { now.Tasks, now.TasksErr = reach.Ports.AWS.Tasks(ctx, k.Cluster, k.Service, false) })
	group.Wait()
	return now, now.StateErr
}

// asked takes in what ECS says now.
func (v *serviceView) asked() {
	if v.Now.RestartErr != nil && v.Service != nil {
		v.keptImages()
	}
	for _, i := range v.Now.Restart.Images {
		v.Images = append(v.Images, imageRow{i.Container, i.Image.String(), v.seen.imageLink(v.Key.Place, i.Image.String()), i.Digest, i.Moved, i.Digest == ""})
	}
	for _, t := range v.Now.Tasks {
		row := taskRow{ID: t.ID, Status: lower(t.LastStatus), Class: taskClass(t), Health: healthOf(t), Revision: rollout.RevisionName(t.TaskDefinition), Zone: t.Zone, Started: t.StartedAt}
		if t.Stopping && t.LastStatus != "STOPPED" {
			row.Status = "stopping"
		}
		if row.Started.IsZero() {
			row.Started = t.CreatedAt
		}
		v.Tasks = append(v.Tasks, row)
	}
	slices.SortStableFunc(v.Tasks, func(a, b taskRow) int {
		return cmp.Or(strings.Compare(b.Revision, a.Revision), a.Started.Compare(b.Started), strings.Compare(a.ID, b.ID))
	})
	v.history()
}

// history puts the rollouts into rows and a strip.
func (v *serviceView) history() {
	for i, p := range v.Now.Past {
		row := pastRow{Past: p, Class: endClass(p.End)}
		if i+1 < len(v.Now.Past) {
			if before := v.Now.Past[i+1].TaskDefinition; before != p.TaskDefinition {
				row.Diff = v.Key.Link() + "/diff?from=" + before + "&to=" + p.TaskDefinition
			}
		}
		v.Rollouts = append(v.Rollouts, row)
	}
	v.Strip = stripOf(v.Now.Past, v.seen.report.At)
}

// keptImages takes in what the fleet has of the images.
func (v *serviceView) keptImages() {
	for _, run := range v.Service.Runs[:min(len(v.Service.Runs), 1)] {
		for _, c := range run.Containers {
			v.Images = append(v.Images, imageRow{Container: c.Name, Image: c.Image, Link: v.seen.imageLink(v.Key.Place, c.Image), Digest: c.Digest, Unpinned: c.Unpinned || c.Digest == ""})
		}
	}
}

// kept takes in what a fleet from a file has.
func (v *serviceView) kept() {
	v.keptImages()
	for _, t := range v.seen.fleet.Tasks {
		if t.Place == v.Key.Place && t.Cluster == v.Key.Cluster && t.Group == "service:"+v.Key.Service {
			v.Tasks = append(v.Tasks, taskRow{ID: lastPart(t.ARN), Status: "running", Class: "good", Revision: rollout.RevisionName(t.TaskDefinition), Started: t.StartedAt})
		}
	}
}

// lastPart is what an ARN names.
func lastPart(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// taskClass is the colour of a task.
func taskClass(t rollout.Task) string {
	switch {
	case t.Health == "UNHEALTHY":
		return "bad"
	case t.Stopping || t.LastStatus == "STOPPED":
		return "off"
	case t.LastStatus == "RUNNING":
		return "good"
	}
	return "go"
}

func healthOf(t rollout.Task) string {
	if t.Health == "UNKNOWN" {
		return ""
	}
	return strings.ToLower(t.Health)
}

// endClass is the colour of how a rollout ended.
func endClass(end string) string {
	switch end {
	case deploy.EndStable:
		return "good"
	case deploy.EndRolledBack, deploy.EndFailed:
		return "bad"
	case deploy.EndRolling:
		return "go"
	}
	return "off"
}

// stretch is a part of the strip of versions, in thousandths of its width.
type stretch struct {
	From, Width int
	Class, Says string
}

// stripOf draws the rollouts to the scale of time: which version ran when, and
// where one failed.
func stripOf(past []deploy.Past, now time.Time) []stretch {
	if len(past) == 0 {
		return nil
	}
	first := past[len(past)-1].At
	last := now
	if end := past[0].At.Add(past[0].Duration); end.After(last) {
		last = end
	}
	whole := max(last.Sub(first), time.Second)
	at := func(t time.Time) int { return int(1000 * t.Sub(first) / whole) }
	var ran, marks []stretch
	shade := 0
	for _, p := range slices.Backward(past) {
		from := at(p.At)
		switch p.End {
		case deploy.EndStable, deploy.EndRolling:
			if n := len(ran); n > 0 {
				ran[n-1].Width = from - ran[n-1].From
			}
			class := [...]string{"even", "odd"}[shade%2]
			if p.End == deploy.EndRolling {
				class = "go"
			}
			shade++
			ran = append(ran, stretch{from, 1000 - from, class, cmp.Or(p.ImageTag, p.TaskDefinition) + ", from " + stamp(p.At)})
		case deploy.EndRolledBack, deploy.EndFailed:
			marks = append(marks, stretch{min(from, 994), 6, "bad", cmp.Or(p.ImageTag, p.TaskDefinition) + " " + p.End + ", " + stamp(p.At)})
		}
	}
	return append(ran, marks...)
}

// diagnosisView is what is wrong with a service.
type diagnosisView struct {
	frame
	Key    serviceKey
	Report deploy.Report
}

func (s *Server) diagnosis(w http.ResponseWriter, r *http.Request) {
	k := keyOf(r)
	f := s.frame("Diagnosis of "+k.Cluster+"/"+k.Service, "/")
	reach, err := s.reach(r.Context(), k)
	if reach == nil && err == nil {
		s.draw(w, r, http.StatusNotFound, f, oops("Nothing can be asked", "What is shown is from a file.", "plimsoll dashboard without --from asks AWS."))
		return
	}
	v := diagnosisView{frame: f, Key: k}
	if err == nil {
		ctx, cancel := context.WithTimeout(r.Context(), time.Minute)
		defer cancel()
		v.Report, err = deploy.Diagnose(ctx, reach.Ports, k.target(), deploy.Question{})
	}
	if err != nil {
		s.fail(w, r, http.StatusBadGateway, f, k.Cluster+"/"+k.Service+" cannot be diagnosed", err)
		return
	}
	s.draw(w, r, http.StatusOK, f, v.content())
}

// diffView is how two revisions of a service differ.
type diffView struct {
	Key  serviceKey
	Diff deploy.Difference
}

func (s *Server) diff(w http.ResponseWriter, r *http.Request) {
	k := keyOf(r)
	f := s.frame("Changes of "+k.Cluster+"/"+k.Service, "/")
	reach, err := s.reach(r.Context(), k)
	if reach == nil && err == nil {
		s.draw(w, r, http.StatusNotFound, f, oops("Nothing can be asked", "What is shown is from a file.", "plimsoll dashboard without --from asks AWS."))
		return
	}
	v := diffView{Key: k}
	if err == nil {
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		v.Diff, err = deploy.Diff(ctx, reach.Ports, deploy.DiffRequest{
			Target: k.target(), From: r.FormValue("from"), To: r.FormValue("to"), Container: reach.Container,
		})
	}
	if err != nil {
		s.fail(w, r, http.StatusBadGateway, f, "The revisions cannot be compared", err)
		return
	}
	s.draw(w, r, http.StatusOK, f, v.content())
}

// sideName is one side of a diff: "web:12 (running), v1.0.0".
func sideName(side deploy.Side) string {
	name := side.Name
	if side.What != "" {
		name += " (" + side.What + ")"
	}
	if side.ImageTag != "" {
		name += ", " + side.ImageTag
	}
	return name
}

// repositoryOf is the repository of an image, as a person would say it.
func repositoryOf(name string) string {
	ref, err := image.Parse(name)
	if err != nil {
		return name
	}
	return ref.Repository
}

// saidEvent is what ECS said, once however often it repeated it.
type saidEvent struct {
	Time    time.Time // the last
	Message string
	Times   int
}

// eventsOf puts what ECS says again and again into one, the newest first.
func eventsOf(events []deploy.ServiceEvent) []saidEvent {
	var out []saidEvent
	for _, e := range events {
		message := rollout.ShortEvent(e.Message)
		if n := len(out); n > 0 && out[n-1].Message == message {
			out[n-1].Times++
			continue
		}
		out = append(out, saidEvent{e.Time, message, 1})
	}
	return out
}
