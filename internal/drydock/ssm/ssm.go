// Package ssm is the Parameter Store of AWS Systems Manager for one account and
// region: parameters with their versions, labels, tags and hierarchies.
//
// [Store.Service] is the API; [Store.Values] is how ECS gets values. Refusals
// are in AWS's words where an answer of AWS could be found. There are no
// parameter policies, shared parameters and AMI validation, and no other part of
// Systems Manager. Values are never logged.
package ssm

import (
	"encoding/json"
	"fmt"
	"sync"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/clock"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/store"
	"github.com/plimsoll-ecs/plimsoll/internal/drydock/wire"
)

// Options say whose parameters these are and where they are kept.
type Options struct {
	Account string // 12 digits
	Region  string // "eu-west-1"
	Clock   *clock.Clock
	Store   *store.Store // keeps values as they are: nothing is encrypted
}

// Store holds the parameters of one account and region. It is safe for
// concurrent use.
type Store struct {
	options Options

	mu         sync.Mutex
	parameters map[string]parameter // by name
}

const bucketParameters = "ssm.parameters"

// New reads what the store has.
func New(o Options) (*Store, error) {
	s := &Store{options: o, parameters: map[string]parameter{}}
	err := o.Store.Load(bucketParameters, func(key string, doc []byte) error {
		var p parameter
		if err := json.Unmarshal(doc, &p); err != nil {
			return fmt.Errorf("parameter %s: %w", key, err)
		}
		s.parameters[p.Name] = p
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load parameters: %w", err)
	}
	return s, nil
}

// Service is the API, for a [wire.Mux].
func (s *Store) Service() wire.Service {
	return wire.Service{
		Name:   "Systems Manager",
		Target: "AmazonSSM",
		Operations: map[string]wire.Operation{
			"AddTagsToResource":       wire.Capitalized(s.addTagsToResource),
			"DeleteParameter":         wire.Capitalized(s.deleteParameter),
			"DeleteParameters":        wire.Capitalized(s.deleteParameters),
			"DescribeParameters":      wire.Capitalized(s.describeParameters),
			"GetParameter":            wire.Capitalized(s.getParameter),
			"GetParameterHistory":     wire.Capitalized(s.getParameterHistory),
			"GetParameters":           wire.Capitalized(s.getParameters),
			"GetParametersByPath":     wire.Capitalized(s.getParametersByPath),
			"LabelParameterVersion":   wire.Capitalized(s.labelParameterVersion),
			"ListTagsForResource":     wire.Capitalized(s.listTagsForResource),
			"PutParameter":            wire.Capitalized(s.putParameter),
			"RemoveTagsFromResource":  wire.Capitalized(s.removeTagsFromResource),
			"UnlabelParameterVersion": wire.Capitalized(s.unlabelParameterVersion),
		},
	}
}

// put stores a parameter and only then makes it visible.
func (s *Store) put(p parameter) error {
	if err := s.options.Store.Update(func(tx *store.Tx) error { return tx.Put(bucketParameters, p.Name, p) }); err != nil {
		return fmt.Errorf("store parameter %s: %w", p.Name, err)
	}
	s.parameters[p.Name] = p
	return nil
}

// drop deletes parameters, all or none.
func (s *Store) drop(names []string) error {
	err := s.options.Store.Update(func(tx *store.Tx) error {
		for _, name := range names {
			if err := tx.Delete(bucketParameters, name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("delete parameters: %w", err)
	}
	for _, name := range names {
		delete(s.parameters, name)
	}
	return nil
}
