package retain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
)

// Outlook is what a policy does to a repository until some time, if nothing is
// pushed and no tag moves.
type Outlook struct {
	Repository string    `json:"repository"`
	At         time.Time `json:"at"`
	Until      time.Time `json:"until"`
	Images     int       `json:"images"`
	Bytes      int64     `json:"bytes"`
	Going      []Going   `json:"going"` // what is in use first, then by rule and time
	InUse      int       `json:"inUse"` // so many of these are in use
	Preview    Preview   `json:"preview,omitzero"`
}

// Going is an image that a policy takes.
type Going struct {
	Digest string           `json:"digest"`
	Tags   []string         `json:"tags,omitempty"`
	Bytes  int64            `json:"bytes"`
	Action lifecycle.Action `json:"action"`
	Rule   int              `json:"rule,omitempty"` // its priority; 0 when it goes with its subject
	Reason lifecycle.Reason `json:"reason"`
	At     time.Time        `json:"at"` // the earliest run that takes it
	// Doubt says what it hangs on, "" where AWS's text leaves no doubt.
	Doubt string   `json:"doubt,omitempty"`
	Users []string `json:"users,omitempty"`    // who needs it
	Back  bool     `json:"rollback,omitempty"` // only a rollback does
}

// Name is the image as a person would call it.
func (g Going) Name() string {
	if len(g.Tags) > 0 {
		return g.Tags[0]
	}
	return image.ShortDigest(g.Digest)
}

func (g Going) needs() string {
	verb := "runs"
	if g.Back {
		verb = "could roll back to"
	}
	if len(g.Users) == 1 {
		return g.Users[0] + " " + verb
	}
	if !g.Back {
		verb = "run"
	}
	return fmt.Sprintf("%s and %d more %s", g.Users[0], len(g.Users)-1, verb)
}

// Foresee works out the outlook of a policy.
func Foresee(repo audit.Repository, p lifecycle.Policy, uses []PolicyUse, now time.Time, horizon time.Duration) Outlook {
	o := Outlook{Repository: repo.Name, At: now, Until: now.Add(horizon), Images: len(repo.Images), Going: []Going{}}
	users := byDigest(repo, uses)
	for i, f := range lifecycle.Next(p, bare(repo.Images), now, horizon) {
		m := &repo.Images[i]
		o.Bytes += m.Bytes
		next := f.Next
		if next.Action == "" || next.Pushes > 0 {
			continue
		}
		g := Going{
			Digest: m.Digest, Tags: m.Tags, Bytes: m.Bytes, Action: next.Action, Rule: next.Rule, Reason: next.Reason, At: next.At,
			Doubt: doubt(next.Doubt),
		}
		g.Users, g.Back = names(users[m.Digest])
		if len(g.Users) > 0 {
			o.InUse++
		}
		o.Going = append(o.Going, g)
	}
	o.sort()
	return o
}

// byDigest are the uses of each image, and of what its index lists: a task
// pulls one of the children.
func byDigest(repo audit.Repository, uses []PolicyUse) map[string][]PolicyUse {
	users := map[string][]PolicyUse{}
	for _, u := range uses {
		users[u.Digest] = append(users[u.Digest], u)
	}
	for i := range repo.Images {
		m := &repo.Images[i]
		for _, child := range m.Children {
			users[child] = append(users[child], users[m.Digest]...)
		}
	}
	return users
}

// names are those of the users, and whether only rollbacks are.
func names(uses []PolicyUse) (by []string, back bool) {
	back = len(uses) > 0
	for _, u := range uses {
		back = back && u.Rollback
	}
	for _, u := range uses {
		if u.Rollback == back && !slices.Contains(by, u.By) {
			by = append(by, u.By)
		}
	}
	slices.Sort(by)
	return by, back
}

func (o *Outlook) sort() {
	slices.SortStableFunc(o.Going, func(a, b Going) int {
		return cmp.Or(
			cmp.Compare(min(len(b.Users), 1), min(len(a.Users), 1)), cmp.Compare(a.Rule, b.Rule), a.At.Compare(b.At),
			strings.Compare(a.Name(), b.Name()))
	})
}

// doubt says in words what a decision hangs on.
func doubt(d lifecycle.Doubt) string {
	var hangs []string
	for _, known := range []struct {
		doubt lifecycle.Doubt
		words string
	}{
		{lifecycle.DoubtChildren, "whether the parts of an index are counted"},
		{lifecycle.DoubtTies, "the order of images pushed at the same moment"},
		{lifecycle.DoubtReferrers, "whether a rule may take a signature"},
	} {
		if d&known.doubt != 0 {
			hangs = append(hangs, known.words)
		}
	}
	return strings.Join(hangs, ", ")
}

func bare(images []audit.Image) []lifecycle.Image {
	out := make([]lifecycle.Image, len(images))
	for i := range images {
		out[i] = images[i].Image
	}
	return out
}

// Preview is what AWS's own preview says of the next run.
type Preview struct {
	Asked   bool   `json:"asked"`
	Unasked string `json:"unasked,omitempty"` // why it could not be asked
	Takes   int    `json:"takes"`             // images
	Settled int    `json:"settled,omitempty"` // doubts that it has settled
	// Differs are the images on which AWS decides otherwise than any reading of
	// its text allows.
	Differs []Difference `json:"differs,omitempty"`
}

// Difference is an image that AWS judges otherwise.
type Difference struct {
	Digest string `json:"digest"`
	Name   string `json:"name"`
	Here   string `json:"here"` // "stays", "expire by rule 10"
	AWS    string `json:"aws"`
}

// settle compares AWS's preview with the judgement of the same run.
func (o *Outlook) settle(result lifecycle.Result, previewed []Previewed) {
	o.Preview = Preview{Asked: true, Takes: len(previewed)}
	taken := map[string]Previewed{}
	for _, p := range previewed {
		taken[p.Digest] = p
	}
	stays := map[string]bool{}
	for _, d := range result.Decisions {
		p, goes := taken[d.Digest]
		delete(taken, d.Digest)
		here := said(d.Action, d.Rule)
		switch {
		case d.Action != "" && d.Rule == 0: // with its subject: no rule, so no preview
		case d.Action == "" && !goes:
		case d.Doubt != 0 && (!goes || p.Rule == d.Rule):
			o.Preview.Settled++
			stays[d.Digest] = !goes
			o.decided(d.Digest)
		case !goes || p.Action != d.Action || p.Rule != d.Rule:
			o.Preview.Differs = append(o.Preview.Differs, Difference{d.Digest, o.nameOf(d.Digest), here, said(p.Action, p.Rule)})
		}
	}
	for digest, p := range taken { // pushed between the two reads
		o.Preview.Differs = append(o.Preview.Differs, Difference{digest, image.ShortDigest(digest), "not there", said(p.Action, p.Rule)})
	}
	slices.SortFunc(o.Preview.Differs, func(a, b Difference) int { return strings.Compare(a.Digest, b.Digest) })
	o.Going = slices.DeleteFunc(o.Going, func(g Going) bool {
		gone := stays[g.Digest] && !g.At.After(o.At)
		if gone && len(g.Users) > 0 {
			o.InUse--
		}
		return gone
	})
}

// decided takes the doubt from an image of the next run.
func (o *Outlook) decided(digest string) {
	for i := range o.Going {
		if o.Going[i].Digest == digest && !o.Going[i].At.After(o.At) {
			o.Going[i].Doubt = ""
		}
	}
}

// overrule adds what AWS takes though every reading here leaves it.
func (c *PolicyChange) overrule(previewed []Previewed) {
	users := byDigest(c.Repository, c.Uses)
	taken := map[string]Previewed{}
	for _, p := range previewed {
		taken[p.Digest] = p
	}
	for _, g := range c.Outlook.Going {
		delete(taken, g.Digest)
	}
	for i := range c.Repository.Images {
		m := &c.Repository.Images[i]
		p, more := taken[m.Digest]
		if !more {
			continue
		}
		g := Going{Digest: m.Digest, Tags: m.Tags, Bytes: m.Bytes, Action: p.Action, Rule: p.Rule, Reason: PreviewSays, At: c.Outlook.At}
		g.Users, g.Back = names(users[m.Digest])
		if len(g.Users) > 0 {
			c.Outlook.InUse++
		}
		c.Outlook.Going = append(c.Outlook.Going, g)
	}
	c.Outlook.sort()
}

// PreviewSays is the reason of an image that only AWS's preview takes.
const PreviewSays lifecycle.Reason = "AWS's preview takes it"

func (o *Outlook) nameOf(digest string) string {
	for _, g := range o.Going {
		if g.Digest == digest {
			return g.Name()
		}
	}
	return image.ShortDigest(digest)
}

func said(action lifecycle.Action, rule int) string {
	if action == "" {
		return "stays"
	}
	return fmt.Sprintf("%s by rule %d", action, rule)
}
