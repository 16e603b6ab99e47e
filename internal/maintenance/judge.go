package maintenance

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/survey"
)

// Outlook is what would become of the restart of a service.
type Outlook struct {
	Now    []deploy.Fault // why it would fail at once
	Then   []deploy.Fault // why it would fail on the day that its tasks retire
	Unsure []string       // what could not be found out, or may be
}

// ByAudit foresees restarts as an audit does: it reads what the services start
// from, with the lifecycle policies of its repositories, and judges up to the
// day that each of them retires.
func ByAudit(aws survey.AWS) func(context.Context, []audit.Retirement) (map[string]Outlook, error) {
	return func(ctx context.Context, services []audit.Retirement) (map[string]Outlook, error) {
		var names []string
		for _, r := range services {
			names = append(names, r.Cluster+"/"+r.Service)
		}
		fleet, err := survey.Survey(ctx, []survey.Spot{{AWS: aws}}, survey.Options{Services: names})
		if err != nil {
			return nil, err
		}
		fleet.Retirements = services
		return outlooks(fleet), nil
	}
}

// ByFleet foresees restarts by a fleet that was read already.
func ByFleet(fleet audit.Fleet) func(context.Context, []audit.Retirement) (map[string]Outlook, error) {
	return func(_ context.Context, services []audit.Retirement) (map[string]Outlook, error) {
		fleet.Retirements = services
		return outlooks(fleet), nil
	}
}

// outlooks judges a fleet, and tells what is found apart by services.
func outlooks(fleet audit.Fleet) map[string]Outlook {
	found := map[string]Outlook{}
	for _, f := range audit.Judge(fleet, audit.Options{Now: fleet.TakenAt, Cadence: audit.PushCadence}).Findings {
		if f.Object.Kind == audit.ServiceObject {
			o := found[f.Object.Name]
			o.add(f)
			found[f.Object.Name] = o
		}
	}
	for _, unread := range []map[string][]string{unreadPolicies(fleet), unreadParts(fleet)} {
		for name, what := range unread {
			o := found[name]
			o.Unsure = append(o.Unsure, what...)
			found[name] = o
		}
	}
	return found
}

// add takes a finding on the restart of a service; others say nothing of it.
func (o *Outlook) add(f audit.Finding) {
	what := strings.TrimPrefix(f.What, f.Object.Name+" ")
	fault := deploy.Fault{Check: "image", What: what + "; " + f.Why, Do: remedy(f.Fix)}
	switch f.Code {
	case audit.ImageGone, audit.DigestGone, audit.ImageArchived, audit.IndexBroken:
		o.Now = append(o.Now, fault)
	case audit.LostAtNextRun, audit.Sinks:
		if f.Severity < audit.Error {
			o.Unsure = append(o.Unsure, fault.What)
			return
		}
		fault.What = "works today, not on the day: " + fault.What
		o.Then = append(o.Then, fault)
	case audit.ImageRestoring:
		o.Unsure = append(o.Unsure, fault.What)
	case audit.RetirementComes:
		if f.Severity > audit.Note {
			o.Unsure = append(o.Unsure, "whether it still works on the day: "+f.Why)
		}
	}
}

// remedy is what to do about a finding, in the order to be tried.
func remedy(fixes []audit.Fix) string {
	var b strings.Builder
	for i, f := range fixes {
		switch {
		case i > 0 && f.Then:
			b.WriteString("; ")
		case i > 0:
			b.WriteString("; or: ")
		}
		b.WriteString(f.Say)
		if f.Command != "" {
			b.WriteString(": " + f.Command)
		}
	}
	return b.String()
}

// unreadPolicies are what could not be read of the repositories that services
// start from.
func unreadPolicies(fleet audit.Fleet) map[string][]string {
	unread := map[string]string{} // by the repository's name
	for i := range fleet.Repositories {
		if r := &fleet.Repositories[i]; r.Unread != "" {
			unread[r.Name] = fmt.Sprintf("whether repository %s still has its image on the day: %s", r.Name, r.Unread)
		}
	}
	found := map[string][]string{}
	for _, s := range fleet.Services {
		said := map[string]bool{}
		for _, release := range s.Runs {
			for _, c := range release.Containers {
				ref, err := image.Parse(c.Image)
				if why := unread[ref.Repository]; err == nil && why != "" && !said[why] {
					said[why] = true
					name := s.Cluster + "/" + s.Name
					found[name] = append(found[name], why)
				}
			}
		}
	}
	return found
}

// foresee adds what is foreseen of the services whose tasks are still the old
// ones. That it cannot be foreseen keeps nothing from being planned.
func (p Ports) foresee(ctx context.Context, items []Item) error {
	var services []audit.Retirement
	for _, i := range items {
		if p.Judge != nil && i.waitsForRestart() {
			services = append(services, audit.Retirement{Place: i.Place, Event: strings.Join(i.Events, " "), At: i.At, Cluster: i.Cluster, Service: i.Service})
		}
	}
	if len(services) == 0 {
		return nil
	}
	found, err := p.Judge(ctx, services)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for n := range items {
		i := &items[n]
		switch {
		case !i.waitsForRestart():
		case err != nil:
			i.Unsure = append(i.Unsure, "whether it still works on the day: "+err.Error())
		default:
			i.take(found[i.Name()])
		}
	}
	return nil
}

func (i Item) waitsForRestart() bool { return i.State == Ready || i.State == Lost }

// take adds an outlook. What it says of now is better founded than what was said
// before, for it knows the archive and the policies.
func (i *Item) take(o Outlook) {
	i.Unsure = append(i.Unsure, o.Unsure...)
	if len(o.Now) > 0 {
		i.Why, i.Fix = nil, nil
		i.fails(Lost, o.Now)
	}
	if i.State == Ready {
		i.fails(Losing, o.Then)
	}
}

// fails notes why a restart would fail, if there is any reason.
func (i *Item) fails(state State, faults []deploy.Fault) {
	for _, f := range faults {
		i.State = state
		i.Why = append(i.Why, f.What)
		if f.Do != "" && !slices.Contains(i.Fix, f.Do) {
			i.Fix = append(i.Fix, f.Do)
		}
	}
}
