package logs

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
)

// Groups and streams are in the store before a call that changes them
// returns. Events follow in batches, one document a group and flush: what a
// crash can lose is the last second of output.

// flushEvery is how long an event may wait for the store, in clock time.
const flushEvery = time.Second

func (l *Logs) bucket(kind string) string {
	return "logs/" + l.account + "/" + l.region + "/" + kind
}

func (l *Logs) flushKey() string { return l.bucket("flush") }

// Neither a group's nor a stream's name has a colon.
func (s *stream) key() string { return s.Group + ":" + s.Name }

// batchDoc is a document with the events of one group that one flush saved.
type batchDoc struct {
	Group  string
	Events []eventDoc
}

func (l *Logs) load() error {
	err := l.store.Load(l.bucket("groups"), func(key string, doc []byte) error {
		g := &group{streams: map[string]*stream{}}
		if err := json.Unmarshal(doc, &g.groupDoc); err != nil {
			return fmt.Errorf("log group %s: %w", key, err)
		}
		l.groups[g.Name] = g
		return nil
	})
	if err != nil {
		return err
	}
	byID := map[uint64]*stream{}
	err = l.store.Load(l.bucket("streams"), func(key string, doc []byte) error {
		s := new(stream)
		if err := json.Unmarshal(doc, &s.streamDoc); err != nil {
			return fmt.Errorf("log stream %s: %w", key, err)
		}
		g, ok := l.groups[s.Group]
		if !ok {
			return fmt.Errorf("log stream %s: its group is not in the store", key)
		}
		g.streams[s.Name] = s
		byID[s.ID] = s
		l.seq = max(l.seq, s.ID)
		return nil
	})
	if err != nil {
		return err
	}
	return l.store.Load(l.bucket("events"), func(key string, doc []byte) error {
		var saved batchDoc
		if err := json.Unmarshal(doc, &saved); err != nil {
			return fmt.Errorf("log events %s: %w", key, err)
		}
		g, ok := l.groups[saved.Group]
		if !ok {
			return fmt.Errorf("log events %s: their group is not in the store", key)
		}
		in := &batch{key: key}
		for _, e := range saved.Events {
			l.seq = max(l.seq, e.Seq)
			s, ok := byID[e.Stream]
			if !ok {
				continue // deleted since
			}
			in.living++
			s.note(e)
			g.insert(event{e, in})
		}
		if in.living == 0 {
			g.emptied = append(g.emptied, key)
		}
		return nil
	})
}

func (l *Logs) addGroup(doc groupDoc) error {
	doc.Created = l.clock.Now().UnixMilli()
	g := &group{streams: map[string]*stream{}}
	if err := l.changeGroup(g, doc); err != nil {
		return err
	}
	l.groups[doc.Name] = g
	return nil
}

func (l *Logs) changeGroup(g *group, doc groupDoc) error {
	err := l.store.Update(func(tx *store.Tx) error { return tx.Put(l.bucket("groups"), doc.Name, doc) })
	if err != nil {
		return fmt.Errorf("saving log group %s: %w", doc.Name, err)
	}
	g.groupDoc = doc
	return nil
}

func (l *Logs) removeGroup(g *group) error {
	err := l.store.Update(func(tx *store.Tx) error {
		for _, s := range g.streams {
			if err := tx.Delete(l.bucket("streams"), s.key()); err != nil {
				return err
			}
		}
		for key := range g.documents() {
			if err := tx.Delete(l.bucket("events"), key); err != nil {
				return err
			}
		}
		return tx.Delete(l.bucket("groups"), g.Name)
	})
	if err != nil {
		return fmt.Errorf("deleting log group %s: %w", g.Name, err)
	}
	delete(l.groups, g.Name)
	delete(l.unsaved, g)
	return nil
}

// documents is the keys of all documents of the store with events of the group.
func (g *group) documents() map[string]bool {
	keys := map[string]bool{}
	for _, key := range g.emptied {
		keys[key] = true
	}
	for _, e := range g.events {
		if e.saved != nil {
			keys[e.saved.key] = true
		}
	}
	return keys
}

func (l *Logs) addStream(g *group, name string) (*stream, error) {
	l.seq++
	s := &stream{streamDoc: streamDoc{ID: l.seq, Group: g.Name, Name: name, Created: l.clock.Now().UnixMilli()}}
	err := l.store.Update(func(tx *store.Tx) error { return tx.Put(l.bucket("streams"), s.key(), s.streamDoc) })
	if err != nil {
		return nil, fmt.Errorf("saving log stream %s of %s: %w", name, g.Name, err)
	}
	g.streams[name] = s
	return s, nil
}

func (l *Logs) removeStream(g *group, s *stream) error {
	err := l.store.Update(func(tx *store.Tx) error { return tx.Delete(l.bucket("streams"), s.key()) })
	if err != nil {
		return fmt.Errorf("deleting log stream %s of %s: %w", s.Name, g.Name, err)
	}
	delete(g.streams, s.Name)
	g.dropStream(s.ID)
	l.saveSoon(g)
	return nil
}

func (l *Logs) addEvent(g *group, s *stream, at, now time.Time, message string) {
	l.seq++
	e := eventDoc{At: max(0, at.UnixMilli()), Seq: l.seq, Stream: s.ID, Ingested: now.UnixMilli(), Message: message}
	s.note(e)
	g.insert(event{eventDoc: e})
	l.saveSoon(g)
}

// saveSoon has the group's events saved within [flushEvery].
func (l *Logs) saveSoon(g *group) {
	if len(l.unsaved) == 0 {
		l.clock.At(l.clock.Now().Add(flushEvery), l.flushKey(), l.flush)
	}
	l.unsaved[g] = true
}

// flush saves, and tries again in a while when the store refuses: the events
// are still in memory, and [Logs.Close] tells if it never worked.
func (l *Logs) flush(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.save(); err != nil {
		l.clock.At(now.Add(flushEvery), l.flushKey(), l.flush)
	}
}

// save brings the store up to date with the events in memory.
func (l *Logs) save() error {
	if len(l.unsaved) == 0 {
		return nil
	}
	batches := map[*group]*batch{}
	err := l.store.Update(func(tx *store.Tx) error {
		for g := range l.unsaved {
			doc := batchDoc{Group: g.Name}
			for _, e := range g.events {
				if e.saved == nil {
					doc.Events = append(doc.Events, e.eventDoc)
				}
			}
			if n := len(doc.Events); n > 0 {
				b := &batch{key: fmt.Sprintf("%s:%020d", g.Name, doc.Events[0].Seq), living: n}
				if err := tx.Put(l.bucket("events"), b.key, doc); err != nil {
					return err
				}
				batches[g] = b
			}
			for _, key := range g.emptied {
				if err := tx.Delete(l.bucket("events"), key); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for g := range l.unsaved {
		g.emptied = nil
		for i := range g.events {
			if g.events[i].saved == nil {
				g.events[i].saved = batches[g]
			}
		}
	}
	clear(l.unsaved)
	return nil
}
