// Package ecr is Amazon ECR for one account and region: repositories, images
// and layers, what may be done to them and what ECR says when it may not.
//
// There are three doors to one [Registry]. [Registry.Service] is the AWS API.
// Package registry puts the OCI distribution API over the methods named after
// its nouns ([Registry.Push], [Registry.Manifest], [Registry.StartUpload] …).
// [Registry.Resolve] and [Registry.Pull] are what ECS does when it starts a
// task. Whatever the door, a refusal is a [wire.Error] with ECR's own code and
// words, except where a method says otherwise.
//
// Lifecycle policies run once a day of the clock, and judge as package
// lifecycle does. An archived image can be described, but not pulled.
//
// A change is in the store before the call that makes it returns, and its
// event is sent after that. A scan finds what a label of the image says.
// Replication, pull-through caches, creation templates and signing are not here:
// there are none to describe, and making one is refused.
package ecr

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
)

// Options is what a [Registry] stands on.
type Options struct {
	Account string        // 12 digits
	Region  string        // "eu-west-1"
	Host    func() string // host:port that clients reach the registry at; called once it is known
	Clock   *clock.Clock
	Store   *store.Store // its blobs are this registry's alone: those that it does not know are removed
	Events  Emitter      // nil: nobody listens
	Log     *slog.Logger // hears what a lifecycle policy did, and what could not be stored; nil for nobody
}

// Registry is the registry of one account and region. It is safe for
// concurrent use.
type Registry struct {
	account string
	region  string
	host    func() string
	clock   *clock.Clock
	store   *store.Store
	events  Emitter
	log     *slog.Logger
	key     []byte // seals tokens and download addresses

	mu       sync.Mutex
	state    state
	registry registrySettings
	uploads  map[string]*Upload // by id
	arriving map[string]int     // digests of blobs being committed: not to be removed
	previews map[string]preview // by repository; gone with the process
}

// New makes the registry that its store holds. A blob that no layer needs,
// the trace of a crash, is removed.
func New(o Options) (*Registry, error) {
	r := &Registry{
		account:  o.Account,
		region:   o.Region,
		host:     o.Host,
		clock:    o.Clock,
		store:    o.Store,
		state:    state{},
		uploads:  map[string]*Upload{},
		arriving: map[string]int{},
		previews: map[string]preview{},
		events:   o.Events,
		log:      o.Log,
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	if err := r.state.load(o.Store); err != nil {
		return nil, fmt.Errorf("loading the registry: %w", err)
	}
	if err := r.loadSettings(); err != nil {
		return nil, fmt.Errorf("loading the registry's settings: %w", err)
	}
	if err := r.loadKey(); err != nil {
		return nil, err
	}
	blobs, err := o.Store.Blobs()
	if err != nil {
		return nil, err
	}
	if err := r.sweep(blobs); err != nil {
		return nil, err
	}
	r.schedule()
	return r, nil
}

// schedule sets the wake-ups of what the store holds.
func (r *Registry) schedule() {
	for _, name := range slices.Sorted(maps.Keys(r.state)) {
		repo := r.state[name]
		r.scheduleRun(repo.settings)
		for _, digest := range slices.Sorted(maps.Keys(repo.images)) {
			r.scheduleRestore(repo.images[digest])
			r.scheduleScan(repo.images[digest])
		}
	}
}

// Host is the host:port that clients reach the registry at.
func (r *Registry) Host() string { return r.host() }

func (r *Registry) loadKey() error {
	err := r.store.Load(bucketKeys, func(_ string, doc []byte) error { return json.Unmarshal(doc, &r.key) })
	if err != nil || r.key != nil {
		return err
	}
	r.key = make([]byte, 32)
	_, _ = rand.Read(r.key) // never fails (crypto/rand)
	return r.store.Update(func(tx *store.Tx) error { return tx.Put(bucketKeys, "seal", r.key) })
}

// sweep removes those of the blobs that are no layer of any repository.
func (r *Registry) sweep(digests []string) error {
	for _, digest := range digests {
		if r.arriving[digest] > 0 || r.state.hasLayer(digest) {
			continue
		}
		if err := r.store.DeleteBlob(digest); err != nil {
			return err
		}
	}
	return nil
}

// repository finds a repository by the two members that every request has.
func (r *Registry) repository(name, registryID *string) (*repository, error) {
	if name == nil {
		return nil, invalid("repositoryName", "must not be null")
	}
	account := r.account
	if registryID != nil {
		account = *registryID
	}
	repo, ok := r.state[*name]
	if !ok || account != r.account {
		return nil, repositoryNotFound(*name, account)
	}
	return repo, nil
}

func (r *Registry) arn(name string) string {
	return fmt.Sprintf("arn:aws:ecr:%s:%s:repository/%s", r.region, r.account, name)
}
