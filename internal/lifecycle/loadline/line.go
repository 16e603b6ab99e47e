// Package loadline is the load line of a repository: its images against the cut
// of the lifecycle rule that each of them belongs to, as a ship against the
// water. What lies deep goes next; what runs is marked; the water rises with
// every day (age rules) and with every push (count rules).
//
//	line := loadline.Of(loadline.Repository{Name: name, Policy: policy, Images: images, InUse: inUse}, now, 14*24*time.Hour)
//	fmt.Print(loadline.Text(line, loadline.Look{Width: 100, Color: true}))
//	page.Write(loadline.SVG(line, 720))
//
// [Of] works everything out; [Text], [Plain] and [SVG] only draw it. What others
// wrote (tags, names of services) is shown without control characters.
package loadline

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle/cadence"
)

const day = 24 * time.Hour

// Repository is what a load line is drawn of.
type Repository struct {
	Name   string
	Policy lifecycle.Policy
	Images []lifecycle.Image
	// InUse is who runs an image, by digest: "prod/web".
	InUse map[string][]string
	// Cadence is how often what a rule counts is pushed, by the rule's priority.
	// Where it is missing it is learned from the images.
	Cadence map[int]cadence.Model
}

// Line is the load line of a repository at a time.
type Line struct {
	Repository string
	At         time.Time
	Horizon    time.Duration
	Lanes      []Lane // by the rule's priority; last what no rule selects
}

// Lane is the images that belong to one rule.
type Lane struct {
	// Rule is nil for the images that no rule selects.
	Rule *lifecycle.Rule
	// Marks are the images, what goes last first.
	Marks []Mark
	// Within is how many images are pushed within the horizon that a count rule
	// counts: the water rises by so much. P10, P50, P90.
	Within [3]int
	// Carried is how many images stay and go with one of the Marks and are not
	// among them: the platforms of an index, signatures.
	Carried int
	// Shields are the priorities of rules that would take an image of this lane
	// now if it did not belong to it.
	Shields []int
}

// Mark is one image.
type Mark struct {
	Digest   string
	Tags     []string
	Since    time.Time // pushed, or restored from the archive; zero when not known
	InUse    []string  // sorted
	Archived bool      // cannot be pulled
	State    State
	// Doubt is what being taken hangs on where AWS's text leaves it open.
	Doubt lifecycle.Doubt
	// Sinks is when its turn comes; zero when not within sight. For images that
	// nobody runs and that many pushes are ahead of it is a few percent off.
	Sinks cadence.Window
	// Pushes is how many more pushes it takes; 0 for an age rule.
	Pushes int
	// Freeboard is how far above the water it lies, as a part of what the rule
	// keeps: 1 for an image just pushed, 0 and less under water.
	Freeboard float64
}

// State is how an image lies to the water.
type State int

// The states, from safe to gone.
const (
	Stays      State = iota // no rule ever takes it
	Afloat                  // above the water now and at the horizon
	Threatened              // perhaps under water at the horizon: between P10 and P50
	Sinking                 // likely under water at the horizon
	Under                   // goes at the next run
)

// Of works out the load line at now, and at now+horizon.
func Of(r Repository, now time.Time, horizon time.Duration) Line {
	b := &builder{
		repository: r,
		now:        now,
		horizon:    horizon,
		rules:      r.Policy.Rules(),
		result:     lifecycle.Evaluate(r.Policy, r.Images, now, lifecycle.Options{}),
		forecasts:  lifecycle.Next(r.Policy, r.Images, now, cadence.Sight),
		used:       map[string][]string{},
	}
	b.carry()
	line := Line{Repository: r.Name, At: now, Horizon: horizon}
	for i := range b.rules {
		line.add(b.lane(&b.rules[i]))
	}
	line.add(b.lane(nil))
	return line
}

func (l *Line) add(lane Lane) {
	if len(lane.Marks) > 0 {
		l.Lanes = append(l.Lanes, lane)
	}
}

// InUse counts the images that run, and those of them that are under water or
// may be at the horizon.
func (l *Line) InUse() (all, endangered int) {
	for _, lane := range l.Lanes {
		for i := range lane.Marks {
			if m := &lane.Marks[i]; len(m.InUse) > 0 {
				all++
				if m.State >= Threatened || m.Archived {
					endangered++
				}
			}
		}
	}
	return all, endangered
}

// builder sorts a repository into lanes.
type builder struct {
	repository Repository
	now        time.Time
	horizon    time.Duration
	rules      []lifecycle.Rule
	result     lifecycle.Result
	forecasts  []lifecycle.Forecast
	lanes      map[int][]int       // images by the priority of their rule
	carried    map[int]int         // by the same, how many go with another image
	used       map[string][]string // InUse, with that of what an index carries
}

// carry sorts the images by rule. Those that go with another one, held by an
// index or about a subject, are part of it.
func (b *builder) carry() {
	b.lanes, b.carried = map[int][]int{}, map[int]int{}
	for digest, users := range b.repository.InUse {
		b.used[digest] = append(b.used[digest], users...)
	}
	byDigest := make(map[string]int, len(b.repository.Images))
	for i := range b.repository.Images {
		byDigest[b.repository.Images[i].Digest] = i
	}
	for i := range b.repository.Images {
		image := &b.repository.Images[i]
		with := b.carriers(i)
		if len(with) == 0 {
			rule := b.result.Decisions[i].Rule
			b.lanes[rule] = append(b.lanes[rule], i)
			continue
		}
		tops := map[int]bool{}
		b.tops(i, byDigest, map[int]bool{}, tops)
		if len(tops) == 0 { // a ring, held by nothing but itself
			rule := b.result.Decisions[i].Rule
			b.lanes[rule] = append(b.lanes[rule], i)
			continue
		}
		for n, top := range slices.Sorted(maps.Keys(tops)) {
			if n == 0 {
				b.carried[b.result.Decisions[top].Rule]++
			}
			digest := b.repository.Images[top].Digest
			b.used[digest] = append(b.used[digest], b.repository.InUse[image.Digest]...)
		}
	}
}

// tops collects the images that carry image i, directly or by others, and that
// no other image carries.
func (b *builder) tops(i int, byDigest map[string]int, seen, tops map[int]bool) {
	if seen[i] {
		return
	}
	seen[i] = true
	with := b.carriers(i)
	if len(with) == 0 {
		tops[i] = true
	}
	for _, digest := range with {
		b.tops(byDigest[digest], byDigest, seen, tops)
	}
}

// carriers are the images with which image i stays and goes.
func (b *builder) carriers(i int) []string {
	if holders := b.result.Holders(i); len(holders) > 0 {
		return holders
	}
	if b.forecasts[i].Next.Reason == lifecycle.WithSubject || b.result.Decisions[i].Reason == lifecycle.WithSubject {
		return []string{b.repository.Images[i].Subject}
	}
	return nil
}

func (b *builder) lane(rule *lifecycle.Rule) Lane {
	lane := Lane{Rule: rule}
	priority := 0
	var clock clock
	if rule != nil {
		priority = rule.Priority
		if rule.CountType == lifecycle.CountMoreThan && len(b.lanes[priority]) > 0 {
			clock.model = b.model(*rule)
			lane.Within[0], lane.Within[1], lane.Within[2] = clock.model.Within(b.horizon)
		}
	}
	lane.Carried = b.carried[priority]
	for _, i := range b.lanes[priority] {
		lane.Marks = append(lane.Marks, b.mark(i, rule, &clock))
		if spared := b.result.Decisions[i].SparedFrom; spared != 0 && !slices.Contains(lane.Shields, spared) {
			lane.Shields = append(lane.Shields, spared)
		}
	}
	slices.Sort(lane.Shields)
	slices.SortFunc(lane.Marks, func(a, b Mark) int {
		return cmp.Or(cmp.Compare(a.State, b.State), -cmp.Compare(a.Freeboard, b.Freeboard), b.Since.Compare(a.Since), cmp.Compare(a.Digest, b.Digest))
	})
	return lane
}

func (b *builder) model(rule lifecycle.Rule) cadence.Model {
	if m, ok := b.repository.Cadence[rule.Priority]; ok {
		return m
	}
	return cadence.Learn(cadence.Pushes(rule, b.repository.Images), b.now)
}

func (b *builder) mark(i int, rule *lifecycle.Rule, clock *clock) Mark {
	image, next := &b.repository.Images[i], &b.forecasts[i].Next
	m := Mark{
		Digest:    image.Digest,
		Tags:      image.Tags,
		Since:     image.PushedAt,
		InUse:     slices.Compact(slices.Sorted(slices.Values(b.used[image.Digest]))),
		Archived:  image.Status == lifecycle.Archived,
		Doubt:     next.Doubt,
		Pushes:    next.Pushes,
		Freeboard: 1,
	}
	if image.LastActivatedAt.After(m.Since) {
		m.Since = image.LastActivatedAt
	}
	if next.Action == "" {
		m.State = b.unforeseen(rule)
		return m
	}
	m.Sinks = b.window(next, clock, len(m.InUse) > 0)
	m.State = b.state(next, m.Sinks)
	m.Freeboard = b.freeboard(rule, next, m.Since)
	return m
}

// unforeseen is the state of an image whose turn does not come within sight.
func (b *builder) unforeseen(rule *lifecycle.Rule) State {
	if rule == nil {
		return Stays
	}
	return Afloat
}

// window is when an event comes: for a count rule when the pushes have come, in
// the reading that asks for fewest and in the one that asks for most.
func (b *builder) window(e *lifecycle.Event, clock *clock, exact bool) cadence.Window {
	if e.PushesMost == 0 || e.Reason != lifecycle.TooMany {
		return cadence.Window{Earliest: e.At, Likely: e.At, Latest: e.At}
	}
	soon, late := clock.after(e.Pushes, exact), clock.after(e.PushesMost, exact)
	w := cadence.Window{Earliest: soon.Earliest, Likely: soon.Likely, Latest: late.Latest}
	for _, t := range []*time.Time{&w.Earliest, &w.Likely, &w.Latest} {
		if !t.IsZero() && t.Before(e.At) {
			*t = e.At
		}
	}
	return w
}

func (b *builder) state(e *lifecycle.Event, w cadence.Window) State {
	end := b.now.Add(b.horizon)
	switch {
	case e.Pushes == 0 && !e.At.After(b.now):
		return Under
	case !w.Likely.IsZero() && !w.Likely.After(end):
		return Sinking
	case !w.Earliest.IsZero() && !w.Earliest.After(end):
		return Threatened
	}
	return Afloat
}

// freeboard is the part of what the rule keeps that is left; under water it is
// how long the image should be gone, to the same measure.
func (b *builder) freeboard(rule *lifecycle.Rule, e *lifecycle.Event, since time.Time) float64 {
	switch {
	case rule == nil:
		return 1
	case rule.CountType == lifecycle.CountMoreThan && e.Reason == lifecycle.TooMany:
		return min(1, float64(e.Pushes)/float64(rule.CountNumber))
	case e.At.After(b.now):
		return min(1, e.At.Sub(b.now).Hours()/24/float64(rule.CountNumber))
	case since.IsZero():
		return 0
	}
	return min(0, 1-b.now.Sub(since).Hours()/24/float64(rule.CountNumber))
}
