package awsapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	smithy "github.com/aws/smithy-go"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
)

// batches reads services for many watches at once. DescribeServices takes up
// to ten services of a cluster: a read that comes while another of the same
// cluster is under way waits for it to end, and goes with all that have come
// meanwhile. So one watch pays no delay, and two hundred need a tenth of the
// calls; the more the budget slows them, the fuller the calls get.
type batches struct {
	describe func(ctx context.Context, cluster string, names []string) (map[string]deploy.Service, error)

	mu       sync.Mutex
	clusters map[string]*queue
}

const maxServices = 10 // of one DescribeServices

// queue is the reads of one cluster that wait for their turn.
type queue struct {
	busy    bool
	waiting []*serviceRead
}

// serviceRead is one caller that waits.
type serviceRead struct {
	ctx    context.Context
	name   string
	answer chan serviceAnswer // holds one
}

type serviceAnswer struct {
	service deploy.Service
	found   bool
	err     error
}

// service reads one service. It is not found when the answer has no error and
// found is false.
func (b *batches) service(ctx context.Context, cluster, name string) serviceAnswer {
	r := &serviceRead{ctx: ctx, name: name, answer: make(chan serviceAnswer, 1)}
	b.mu.Lock()
	if b.clusters == nil {
		b.clusters = map[string]*queue{}
	}
	q := b.clusters[cluster]
	if q == nil {
		q = &queue{}
		b.clusters[cluster] = q
	}
	q.waiting = append(q.waiting, r)
	if !q.busy {
		q.busy = true
		go b.serve(cluster, q)
	}
	b.mu.Unlock()
	select {
	case <-ctx.Done():
		return serviceAnswer{err: ctx.Err()}
	case a := <-r.answer:
		return a
	}
}

// serve makes calls until nobody waits.
func (b *batches) serve(cluster string, q *queue) {
	for {
		b.mu.Lock()
		next := q.take()
		if len(next) == 0 {
			q.busy = false
			b.mu.Unlock()
			return
		}
		b.mu.Unlock()
		b.read(cluster, next)
	}
}

// take is the reads of the next call, at most ten services; those of one
// service share its place.
func (q *queue) take() []*serviceRead {
	var next []*serviceRead
	names := map[string]bool{}
	q.waiting = slices.DeleteFunc(q.waiting, func(r *serviceRead) bool {
		switch {
		case r.ctx.Err() != nil: // nobody waits for it any more
			return true
		case !names[r.name] && len(names) == maxServices:
			return false
		}
		names[r.name] = true
		next = append(next, r)
		return true
	})
	return next
}

// read makes one call and answers those who wait for it. A refusal may be of
// one service only (a policy can name them): then each is asked for by itself.
func (b *batches) read(cluster string, next []*serviceRead) {
	ctx, done := whileWanted(next)
	defer done()
	var names []string
	for _, r := range next {
		if !slices.Contains(names, r.name) {
			names = append(names, r.name)
		}
	}
	services, err := b.describe(ctx, cluster, names)
	if err != nil && len(names) > 1 && isRefusal(err) {
		for _, name := range names {
			b.read(cluster, slices.DeleteFunc(slices.Clone(next), func(r *serviceRead) bool { return r.name != name }))
		}
		return
	}
	for _, r := range next {
		s, found := services[r.name]
		r.answer <- serviceAnswer{s, found, err}
	}
}

func isRefusal(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && (errors.Is(wrap("", err), deploy.Denied) || api.ErrorCode() == "InvalidParameterException")
}

// whileWanted is a context that ends when nobody waits for a call any more.
func whileWanted(reads []*serviceRead) (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(reads[0].ctx))
	var mu sync.Mutex
	left := len(reads)
	var stops []func() bool
	for _, r := range reads {
		stops = append(stops, context.AfterFunc(r.ctx, func() {
			mu.Lock()
			defer mu.Unlock()
			if left--; left == 0 {
				cancel()
			}
		}))
	}
	return ctx, func() {
		for _, stop := range stops {
			stop()
		}
		cancel()
	}
}

// Service implements deploy.Services.
func (c *Client) Service(ctx context.Context, cluster, name string) (deploy.Service, error) {
	doing := fmt.Sprintf("read service %s/%s", cluster, name)
	a := c.reads.service(ctx, cluster, name)
	switch {
	case a.err != nil:
		return deploy.Service{}, wrap(doing, a.err)
	case !a.found:
		return deploy.Service{}, notThere(doing, "service "+name)
	}
	return a.service, nil
}

// describeServices reads up to ten services of a cluster, by the names (or
// ARNs) that they were asked for; those that are not there are left out.
func (c *Client) describeServices(ctx context.Context, cluster string, names []string) (map[string]deploy.Service, error) {
	out, err := c.ecs().DescribeServices(ctx, &ecs.DescribeServicesInput{
		Cluster: &cluster, Services: names, Include: []types.ServiceField{types.ServiceFieldTags},
	})
	if err != nil {
		return nil, err
	}
	found := map[string]deploy.Service{}
	for _, s := range out.Services {
		for _, name := range names {
			if len(names) == 1 || name == aws.ToString(s.ServiceName) || name == aws.ToString(s.ServiceArn) {
				found[name] = service(s)
			}
		}
	}
	return found, nil
}
