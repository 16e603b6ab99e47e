package news_test

import (
	"sync"
	"testing"

	"github.com/plimsoll-ecs/plimsoll/internal/drydock/news"
)

func rung(next <-chan struct{}) bool {
	select {
	case <-next:
		return true
	default:
		return false
	}
}

func TestEverybodyWhoWaitsHearsTheNextRing(t *testing.T) {
	var bell news.Bell
	bell.Ring() // nobody waits: heard by nobody, counted all the same
	first, second := bell.Next(), bell.Next()
	if rung(first) || bell.Count() != 1 {
		t.Fatalf("heard before it rang; %d rings", bell.Count())
	}
	bell.Ring()
	if !rung(first) || !rung(second) || bell.Count() != 2 {
		t.Errorf("not heard; %d rings", bell.Count())
	}
	if rung(bell.Next()) {
		t.Error("an old ring is heard again")
	}
}

func TestManyRing(t *testing.T) {
	var bell news.Bell
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				bell.Ring()
				bell.Next()
			}
		})
	}
	all.Wait()
	if bell.Count() != 8000 {
		t.Errorf("%d rings of 8000", bell.Count())
	}
}
