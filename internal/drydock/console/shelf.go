package console

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecr"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/ecs"
	"github.com/plimsoll-ecs/plimsoll/internal/image"
	"github.com/plimsoll-ecs/plimsoll/internal/lapse"
	"github.com/plimsoll-ecs/plimsoll/internal/lifecycle"
	"github.com/plimsoll-ecs/plimsoll/internal/listing"
	"github.com/plimsoll-ecs/plimsoll/internal/noun"
)

// What of many images is on one page.
const (
	repositoriesShown = 10
	imagesShown       = 8   // of a repository, and those in use, and those that go next
	imagesAtMost      = 500 // of the one repository that was asked for
)

// shelf is the repositories.
type shelf struct {
	Count        int
	Repositories []repositoryView
	Pager        listing.Pager
	All          string // link back to all of them; "" when they are shown
}

// repositoryView is a repository.
type repositoryView struct {
	Name     string
	Count    int    // images
	Size     string // of all of them
	Tags     string // "immutable tags"
	Policy   string // what the next run of the lifecycle policy does, in words
	Sinks    int    // images in use that the next run takes
	Images   []imageView
	More     int // images that are not shown
	MoreLink string
}

// imageView is an image.
type imageView struct {
	Tags                 []string
	Digest               string // short
	Whole                string
	Pushed, Pulled, Size string
	PushedAt, PulledAt   time.Time
	Users                []string
	MoreUsers            int
	Status               string // "archived", "being restored"; "" for an active one
	Fate                 string // a class: sinks, goes, kept or none
	Next                 string // the same in words
	Why                  string
}

// sign marks what the next run takes, for eyes that tell no colours apart.
func (i imageView) sign() string {
	switch i.Fate {
	case "sinks":
		return "▼ "
	case "goes":
		return "▽ "
	}
	return ""
}

type imageDoc struct {
	ImageDigest, ImageStatus            string
	ImageTags                           []string
	ImageSizeInBytes                    int64
	ImagePushedAt, LastRecordedPullTime moment
}

type repositoryDoc struct{ RepositoryName, ImageTagMutability string }

func (c *Console) shelf(ctx context.Context, seen ecs.Fleet, a asked, now time.Time) (shelf, error) {
	var docs []repositoryDoc
	err := c.pages(ctx, "ECR.DescribeRepositories", map[string]any{"maxResults": 1000}, func() (any, func()) {
		var answer struct{ Repositories []repositoryDoc }
		return &answer, func() { docs = append(docs, answer.Repositories...) }
	})
	if err != nil {
		return shelf{}, err
	}
	out := shelf{Count: len(docs)}
	if slices.ContainsFunc(docs, func(d repositoryDoc) bool { return d.RepositoryName == a.Repository }) {
		docs = slices.DeleteFunc(docs, func(d repositoryDoc) bool { return d.RepositoryName != a.Repository })
		to := a
		to.Repository = ""
		out.All = to.link()
	}
	shown, p := listing.Cut(docs, a.Shelf, repositoriesShown, func(page int) string {
		to := a
		to.Shelf = page
		return to.link()
	})
	out.Pager = p
	for _, d := range shown {
		r, err := c.repository(ctx, d, seen, a, now)
		if gone(err) {
			continue
		}
		if err != nil {
			return out, err
		}
		out.Repositories = append(out.Repositories, r)
	}
	return out, nil
}

// pages reads every page of a list. answer makes what a page is read into, and
// what takes it from there.
func (c *Console) pages(ctx context.Context, operation string, in map[string]any, answer func() (any, func())) error {
	for {
		into, take := answer()
		page := pageDoc{into: into}
		if err := c.views.API.Call(ctx, operation, in, &page); err != nil {
			return err
		}
		take()
		if page.NextToken == "" {
			return nil
		}
		in["nextToken"] = page.NextToken
	}
}

func (c *Console) repository(ctx context.Context, doc repositoryDoc, seen ecs.Fleet, a asked, now time.Time) (repositoryView, error) {
	r := repositoryView{Name: doc.RepositoryName, Tags: lifecycle.Mutability(doc.ImageTagMutability)}
	var images []imageDoc
	in := map[string]any{"repositoryName": doc.RepositoryName, "maxResults": 1000, "filter": map[string]any{"imageStatus": "ANY"}}
	err := c.pages(ctx, "ECR.DescribeImages", in, func() (any, func()) {
		var answer struct{ ImageDetails []imageDoc }
		return &answer, func() { images = append(images, answer.ImageDetails...) }
	})
	if err != nil {
		return r, err
	}
	outlook, err := c.views.Outlook(doc.RepositoryName)
	if err != nil {
		return r, err
	}
	slices.SortStableFunc(images, func(x, y imageDoc) int {
		return cmp.Or(cmp.Compare(y.ImagePushedAt, x.ImagePushedAt), strings.Compare(x.ImageDigest, y.ImageDigest))
	})
	r.Count = len(images)
	var bytes int64
	going := 0
	for n, i := range images {
		bytes += i.ImageSizeInBytes
		v := showImage(i, seen.Users[i.ImageDigest], outlook, now)
		if v.Fate == "sinks" {
			r.Sinks++
		}
		if v.Fate == "sinks" || v.Fate == "goes" {
			going++
		}
		most := imagesShown
		if a.Repository == r.Name {
			most = imagesAtMost
		}
		if n < most || len(r.Images) < imagesAtMost && (v.Fate == "sinks" || len(v.Users) > 0 || v.Fate == "goes" && going <= imagesShown) {
			r.Images = append(r.Images, v)
		}
	}
	r.Size, r.Policy = noun.Bytes(bytes), saysPolicy(outlook, going, now)
	if r.More = len(images) - len(r.Images); r.More > 0 && a.Repository != r.Name {
		to := a
		to.Repository = r.Name
		r.MoreLink = to.link()
	}
	return r, nil
}

func saysPolicy(o ecr.Outlook, going int, now time.Time) string {
	if o.NextRun.IsZero() {
		return "no lifecycle policy"
	}
	takes := "takes nothing"
	if going > 0 {
		takes = "takes " + noun.Count(going, "image")
	}
	return fmt.Sprintf("next lifecycle run %s %s", lapse.Until(now, o.NextRun), takes)
}

// usersShown is how many of those that use an image are named.
const usersShown = 3

func showImage(i imageDoc, users []string, o ecr.Outlook, now time.Time) imageView {
	v := imageView{
		Tags: i.ImageTags, Digest: strings.TrimPrefix(image.ShortDigest(i.ImageDigest), "sha256:"), Whole: i.ImageDigest,
		Pushed: lapse.Ago(now, i.ImagePushedAt.time()), PushedAt: i.ImagePushedAt.time(),
		Pulled: "never", Size: noun.Bytes(i.ImageSizeInBytes), Users: users[:min(len(users), usersShown)], MoreUsers: max(0, len(users)-usersShown),
	}
	if i.LastRecordedPullTime != 0 {
		v.Pulled, v.PulledAt = lapse.Ago(now, i.LastRecordedPullTime.time()), i.LastRecordedPullTime.time()
	}
	switch i.ImageStatus {
	case "ARCHIVED":
		v.Status = "archived"
	case "ACTIVATING":
		v.Status = "being restored"
	}
	v.Fate, v.Next, v.Why = fate(o, i.ImageDigest, len(users) > 0)
	return v
}

// fate is what the next run does with an image, and why.
func fate(o ecr.Outlook, digest string, used bool) (class, next, why string) {
	d, judged := o.Decisions[digest]
	if o.NextRun.IsZero() || !judged {
		return "none", "no policy", ""
	}
	why = string(d.Reason)
	if d.Rule > 0 {
		why += fmt.Sprintf(", rule %d", d.Rule)
	}
	next = "kept"
	switch {
	case d.Action == lifecycle.Expire:
		next = "expires"
	case d.Action == lifecycle.Transition:
		next = "to the archive"
	case d.SparedFrom > 0:
		next, why = "protected", fmt.Sprintf("%s, from rule %d", why, d.SparedFrom)
	}
	switch {
	case d.Action != "" && used:
		return "sinks", next, why + "; what uses it cannot restart then"
	case d.Action != "":
		return "goes", next, why
	}
	return "kept", next, why
}
