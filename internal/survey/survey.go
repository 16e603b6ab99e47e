// Package survey reads what runs on ECS and what ECR holds into one
// [audit.Fleet]: [Survey] asks AWS, [WriteFleet] and [ReadFleet] keep a fleet in
// a file, so that it can be judged later, or where there is no AWS.
//
// A survey asks for everything once, in the largest batches that AWS takes, and
// for nothing that is not needed: images only of repositories that something
// refers to, digests only of service revisions that run or could be gone back
// to. What may not be read is named in Blind with the IAM action it takes, and
// all the rest is read. Values of environment variables never get into a fleet.
package survey

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// Options say how much to read. The zero value is all clusters, and no way
// back.
type Options struct {
	Clusters []string // names; empty is all of them
	// Services are "cluster/service", and nothing else is read then but what
	// these start from. Empty is all services.
	Services        []string
	RollbackTargets int  // how many earlier releases of each service
	AllRepositories bool // those too that nothing refers to
	Roles           bool // the policies of the roles that task definitions name
	Pipelines       bool // those of the roles that pipelines take
	Tell            func(story.Event)
	Now             func() time.Time
}

// Spot is a region of an account, and who reads it.
type Spot struct {
	AWS AWS
	// Expect is where it should be. What is given and turns out otherwise makes
	// the spot one that cannot be read.
	Expect audit.Place
	Role   string // that AWS assumes, by ARN; "" for none
}

// Survey reads all spots into one fleet. A spot that cannot be reached is blind;
// it is an error when there is no other.
func Survey(ctx context.Context, spots []Spot, o Options) (audit.Fleet, error) {
	if o.Tell == nil {
		o.Tell = func(story.Event) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &survey{Options: o, taken: o.Now(), clusters: map[string]bool{}}
	s.begin()
	errs := make([]error, len(spots))
	var group sync.WaitGroup
	for i, spot := range spots {
		group.Go(func() { errs[i] = s.visit(ctx, spot) })
	}
	group.Wait()
	if err := ctx.Err(); err != nil {
		return audit.Fleet{}, s.failed(err)
	}
	if len(s.places) == 0 {
		return audit.Fleet{}, s.failed(errors.Join(errs...))
	}
	if unknown := s.unknownClusters(); len(unknown) > 0 {
		return audit.Fleet{}, s.failed(&UnknownClusterError{unknown})
	}
	s.registries(ctx)
	if err := ctx.Err(); err != nil {
		return audit.Fleet{}, s.failed(err)
	}
	fleet := s.fleet()
	s.done(fleet)
	return fleet, nil
}

// survey is one run of [Survey].
type survey struct {
	Options
	taken  time.Time
	blinds blinds

	mu       sync.Mutex
	places   []*place
	repos    []audit.Repository
	clusters map[string]bool // that were found somewhere
	told     progress
}

// UnknownClusterError is clusters that were asked for and are nowhere.
type UnknownClusterError struct{ Names []string }

func (e *UnknownClusterError) Error() string {
	return "there is no cluster " + strings.Join(e.Names, ", ")
}

// Hint says what to do.
func (e *UnknownClusterError) Hint() string {
	return "aws ecs list-clusters shows those of the account and region; without --cluster all are read"
}

// unknownClusters are those that were asked for and no place has.
func (s *survey) unknownClusters() []string {
	return slices.DeleteFunc(slices.Clone(s.Clusters), func(name string) bool { return s.clusters[name] })
}

// visit finds out where a spot is and reads what runs there. The error is why
// nothing could be.
func (s *survey) visit(ctx context.Context, spot Spot) error {
	caller, err := spot.AWS.Caller(ctx)
	at := audit.Place{Account: caller.Account, Region: caller.Region}
	if err == nil && (spot.Expect.Account != "" && spot.Expect.Account != at.Account || spot.Expect.Region != "" && spot.Expect.Region != at.Region) {
		err = fmt.Errorf("the credentials are of account %s in %s", at.Account, at.Region)
	}
	if err != nil {
		action, about := "sts:GetCallerIdentity", "everything"
		if spot.Role != "" {
			action, about = "sts:AssumeRole", "everything that role "+spot.Role+" could see"
		}
		s.blinds.add(spot.Expect, action, about, err)
		return err
	}
	p := newPlace(s, spot.AWS, at)
	s.mu.Lock()
	double := slices.ContainsFunc(s.places, func(other *place) bool { return other.Place == at })
	if !double {
		s.places = append(s.places, p)
	}
	s.mu.Unlock()
	if !double { // the same place by two roles is read once
		p.read(ctx)
	}
	return nil
}
