package ecr

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"

	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// The registry's state is what its records say, put one after another. They
// are put by [Registry.commit] when something changes and by [state.load]
// when a store is opened, and by nothing else.

// The buckets of the store.
const (
	bucketRepositories = "ecr.repositories"
	bucketLayers       = "ecr.layers"
	bucketImages       = "ecr.images"
	bucketKeys         = "ecr.keys"
)

// record is one document of the state. Records are values: a change puts a
// changed copy and leaves the slices and maps of the old one alone.
type record interface {
	at() (bucket, key string)
	put(state)
	drop(state)
}

// state is the repositories by name.
type state map[string]*repository

// repository is a repository with what is in it.
type repository struct {
	settings
	images map[string]image  // by digest
	tags   map[string]string // tag → digest
	layers map[string]layer  // by digest
}

// settings is the record of a repository itself.
type settings struct {
	Name       string
	CreatedAt  time.Time
	Mutability types.ImageTagMutability
	Exclusions []string // wildcard filters of tags that Mutability does not hold for
	ScanOnPush bool
	Encryption types.EncryptionType
	KMSKey     string
	Tags       map[string]string
	Policy     string // the repository policy; "" for none

	Lifecycle   string    // the lifecycle policy; "" for none
	NextRun     time.Time // of the lifecycle policy
	EvaluatedAt time.Time // when it ran last; zero: never
}

func (s settings) at() (string, string) { return bucketRepositories, s.Name }

func (s settings) put(st state) {
	if repo, ok := st[s.Name]; ok {
		repo.settings = s
		return
	}
	st[s.Name] = &repository{
		settings: s,
		images:   map[string]image{},
		tags:     map[string]string{},
		layers:   map[string]layer{},
	}
}

func (s settings) drop(st state) { delete(st, s.Name) }

// layer says that a blob belongs to a repository. Blobs are stored once, but
// a repository has only those that were uploaded or mounted there.
type layer struct {
	Repository string
	Digest     string
	Size       int64
}

func (l layer) at() (string, string) { return bucketLayers, l.Repository + "@" + l.Digest }
func (l layer) put(st state)         { st[l.Repository].layers[l.Digest] = l }
func (l layer) drop(st state)        { delete(st[l.Repository].layers, l.Digest) }

// image is the record of a manifest.
type image struct {
	Repository string
	Digest     string
	MediaType  string
	Body       []byte   // the manifest, as pushed
	Content    manifest // what Body says
	Size       int64    // bytes of its layers and configuration; of an index, of its largest child
	Tags       []string // in the order they were given
	PushedAt   time.Time
	PulledAt   time.Time // zero: never
	Scan       *scan     `json:",omitempty"` // nil: never scanned
	Imported   bool      // from a description: Body stands for the manifest of Digest

	Status      types.ImageStatus // "" is ACTIVE
	ArchivedAt  time.Time         // when it went to the archive last; zero: never
	RestoredAt  time.Time         // when it will be back, while it is ACTIVATING
	ActivatedAt time.Time         // when it came back last; zero: never
}

func (i image) at() (string, string) { return bucketImages, i.Repository + "@" + i.Digest }

func (i image) put(st state) {
	repo := st[i.Repository]
	repo.untag(repo.images[i.Digest])
	repo.images[i.Digest] = i
	for _, tag := range i.Tags {
		repo.tags[tag] = i.Digest
	}
}

func (i image) drop(st state) {
	repo := st[i.Repository]
	repo.untag(i)
	delete(repo.images, i.Digest)
}

// untag forgets the tags of i, but for those that another image has taken.
func (r *repository) untag(i image) {
	for _, tag := range i.Tags {
		if r.tags[tag] == i.Digest {
			delete(r.tags, tag)
		}
	}
}

// without is the image with one tag less.
func (i image) without(tag string) image {
	i.Tags = slices.DeleteFunc(slices.Clone(i.Tags), func(t string) bool { return t == tag })
	return i
}

// with is the image with one tag more.
func (i image) with(tag string) image {
	i.Tags = append(slices.Clone(i.Tags), tag)
	return i
}

func (st state) hasLayer(digest string) bool {
	for _, repo := range st {
		if _, ok := repo.layers[digest]; ok {
			return true
		}
	}
	return false
}

func (st state) load(s *store.Store) error {
	if err := load[settings](st, s, bucketRepositories); err != nil {
		return err
	}
	if err := load[layer](st, s, bucketLayers); err != nil {
		return err
	}
	return load[image](st, s, bucketImages)
}

func load[R record](st state, s *store.Store, bucket string) error {
	return s.Load(bucket, func(key string, doc []byte) error {
		var r R
		if err := json.Unmarshal(doc, &r); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		r.put(st)
		return nil
	})
}

// changes is what one call does to the state: first drop, then put.
type changes struct {
	drop, put []record
}

// commit writes the changes to the store and only then makes them visible.
func (r *Registry) commit(c changes) error { return r.commitAlso(c, nil) }

// commitAlso is commit in one transaction with what also writes.
func (r *Registry) commitAlso(c changes, also func(*store.Tx) error) error {
	err := r.store.Update(func(tx *store.Tx) error {
		if also != nil {
			if err := also(tx); err != nil {
				return err
			}
		}
		for _, rec := range c.drop {
			bucket, key := rec.at()
			if err := tx.Delete(bucket, key); err != nil {
				return err
			}
		}
		for _, rec := range c.put {
			bucket, key := rec.at()
			if err := tx.Put(bucket, key, rec); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, rec := range c.drop {
		rec.drop(r.state)
	}
	for _, rec := range c.put {
		rec.put(r.state)
	}
	return nil
}
