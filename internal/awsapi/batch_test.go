package awsapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	smithy "github.com/aws/smithy-go"

	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
)

// Two hundred watches of one cluster make a tenth of the calls, no call has
// more than ten services, and everyone gets its own service.
func TestReadsOfAFleetShareCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		b := &batches{describe: func(ctx context.Context, cluster string, names []string) (map[string]deploy.Service, error) {
			if calls++; len(names) > maxServices || cluster != "prod" {
				t.Errorf("call for %d services of %s", len(names), cluster)
			}
			if err := deploy.Sleep(ctx, 50*time.Millisecond); err != nil {
				return nil, err
			}
			out := map[string]deploy.Service{}
			for _, name := range names {
				if name != "gone" {
					out[name] = deploy.Service{Name: name}
				}
			}
			return out, nil
		}}
		var wg sync.WaitGroup
		for i := range 200 {
			wg.Go(func() {
				name := fmt.Sprint("service", i)
				if a := b.service(t.Context(), "prod", name); a.err != nil || a.service.Name != name {
					t.Errorf("%s: %+v", name, a)
				}
			})
		}
		wg.Go(func() {
			if a := b.service(t.Context(), "prod", "gone"); a.err != nil || a.found {
				t.Errorf("gone: %+v", a)
			}
		})
		wg.Wait()
		if calls > 22 {
			t.Errorf("%d calls for 201 services", calls)
		}
	})
}

// Who goes away does not keep the others from their answer, and a call that
// nobody wants any more is ended.
func TestAReadThatNobodyWantsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := 0
		b := &batches{describe: func(ctx context.Context, _ string, names []string) (map[string]deploy.Service, error) {
			err := deploy.Sleep(ctx, time.Minute)
			if err != nil {
				ended++
			}
			return map[string]deploy.Service{"a": {Name: "a"}, "b": {Name: "b"}}, err
		}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if a := b.service(ctx, "prod", "a"); !errors.Is(a.err, context.DeadlineExceeded) {
			t.Errorf("%+v", a)
		}
		synctest.Wait()
		if ended != 1 {
			t.Errorf("the call was ended %d times", ended)
		}
		var wg sync.WaitGroup
		wg.Go(func() { b.service(t.Context(), "prod", "a") }) // keeps the cluster busy
		synctest.Wait()
		ctx, cancel = context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		wg.Go(func() { b.service(ctx, "prod", "a") })
		wg.Go(func() {
			if a := b.service(t.Context(), "prod", "b"); a.err != nil || !a.found {
				t.Errorf("%+v", a)
			}
		})
		wg.Wait()
	})
}

// A policy can allow some services and not others, and refuses the whole call.
func TestARefusalOfOneServiceIsNotThatOfOthers(t *testing.T) {
	denied := &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "not b"}
	hold := make(chan struct{})
	b := &batches{describe: func(_ context.Context, _ string, names []string) (map[string]deploy.Service, error) {
		if slices.Contains(names, "first") {
			<-hold
		}
		if slices.Contains(names, "b") {
			return nil, denied
		}
		out := map[string]deploy.Service{}
		for _, name := range names {
			out[name] = deploy.Service{Name: name}
		}
		return out, nil
	}}
	var wg sync.WaitGroup
	for _, name := range []string{"first", "a", "b", "c"} {
		wg.Go(func() {
			if name == "b" {
				close(hold)
			}
			if a := b.service(t.Context(), "prod", name); errors.Is(a.err, denied) != (name == "b") || a.found == (name == "b") {
				t.Errorf("%s: %+v", name, a)
			}
		})
	}
	wg.Wait()
}
