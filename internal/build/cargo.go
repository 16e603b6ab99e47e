package build

import (
	"net/http"
	"path"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// cargo is what goes into the registry when plimsoll pushes by itself: bytes
// as the registry client counts them, layers as the registry takes them.
type cargo struct {
	n news

	mu     sync.Mutex // layers arrive at the same time
	sizes  map[string]int64
	size   int64           // of all of it; 0 when it is not known
	over   map[string]bool // layers that the registry has
	had    int             // of these, those that it had before
	there  int64           // and their bytes
	update v1.Update       // the last one
	pace   pace
}

func newCargo(layers map[string]int64, size int64, n news) *cargo {
	return &cargo{n: n, sizes: layers, size: size, over: map[string]bool{}}
}

// follow takes the updates until their channel is closed, and then closes the
// one it returns.
func (c *cargo) follow(updates <-chan v1.Update) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for u := range updates {
			c.count(u)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.progress()
	}()
	return done
}

func (c *cargo) count(u v1.Update) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if u.Error != nil || u.Total <= 0 {
		return
	}
	c.update = u
	if c.pace.due(c.n.now()) {
		c.progress()
	}
}

// arrived is a blob that the registry has; there: it had it before.
func (c *cargo) arrived(digest string, there bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	size, layer := c.sizes[digest]
	if !layer || c.over[digest] {
		return
	}
	c.over[digest] = true
	how := "pushed"
	if there {
		how = "was there before"
		c.had, c.there = c.had+1, c.there+size
	}
	_, id, _ := strings.Cut(digest, ":")
	c.n.tell(story.Event{Kind: story.Change, Message: "layer " + id[:min(len(id), shortName)] + " " + how + weight(size)})
}

// progress tells how far it is. The client's total grows from layer to layer,
// as it comes to them, and ends a manifest above the image's size. It counts a
// layer that was there before or after the registry has said so; what was there
// is never more than what is done.
func (c *cargo) progress() {
	if c.update.Total <= 0 {
		return
	}
	e := story.Event{Kind: story.Progress, Done: c.update.Complete, Total: max(c.size, c.update.Total), Unit: "bytes"}
	e.There = min(c.there, e.Done)
	if len(c.sizes) > 0 {
		e.Layers = &story.Layers{Done: len(c.over), Total: len(c.sizes)}
	}
	c.n.tell(e)
}

// arrivals sees blobs come into a registry, by the requests that bring them
// (OCI distribution spec, "Pushing Blobs").
type arrivals struct {
	next    http.RoundTripper
	arrived func(digest string, there bool)
}

// RoundTrip implements [http.RoundTripper].
func (a arrivals) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := a.next.RoundTrip(req)
	if err != nil || !strings.Contains(req.URL.Path, "/blobs/") {
		return resp, err
	}
	query := req.URL.Query()
	switch {
	case req.Method == http.MethodHead && resp.StatusCode < http.StatusBadRequest: // ECR redirects to S3
		a.arrived(path.Base(req.URL.Path), true)
	case req.Method == http.MethodPost && resp.StatusCode == http.StatusCreated && query.Has("mount"):
		a.arrived(query.Get("mount"), true)
	case req.Method == http.MethodPut && resp.StatusCode == http.StatusCreated && query.Has("digest"):
		a.arrived(query.Get("digest"), false)
	}
	return resp, nil
}
