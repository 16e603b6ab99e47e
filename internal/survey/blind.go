package survey

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/plimsoll-ecs/plimsoll/internal/audit"
	"github.com/plimsoll-ecs/plimsoll/internal/deploy"
)

// blinds collects what could not be read. What was refused for one reason is
// one entry, however many things it is about.
type blinds struct {
	mu   sync.Mutex
	list map[blindKind][]string // what it is about
}

// blindKind is what makes refusals the same.
type blindKind struct {
	audit.Place
	action, reason string
}

// add notes that an action failed. The error knows better where AWS names the
// action that is not allowed.
func (b *blinds) add(at audit.Place, action, about string, err error) {
	var denied interface{ Permission() string }
	if errors.As(err, &denied) && denied.Permission() != "" {
		action = denied.Permission()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.list == nil {
		b.list = map[blindKind][]string{}
	}
	kind := blindKind{at, action, reasonOf(err)}
	b.list[kind] = append(b.list[kind], about)
}

// reasonOf is an error without what was being done, which About says.
func reasonOf(err error) string {
	var said interface{ Reason() string }
	switch {
	case errors.Is(err, deploy.Denied):
		return "access denied"
	case errors.As(err, &said):
		return said.Reason()
	}
	return err.Error()
}

// fleet is all of them, in order.
func (b *blinds) fleet() []audit.Blind {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []audit.Blind
	for kind, abouts := range b.list {
		out = append(out, audit.Blind{Place: kind.Place, Action: kind.action, About: enumerate(abouts), Reason: kind.reason})
	}
	slices.SortFunc(out, func(a, b audit.Blind) int {
		return strings.Compare(a.Account+" "+a.Region+" "+a.Action+" "+a.Reason, b.Account+" "+b.Region+" "+b.Action+" "+b.Reason)
	})
	return out
}

// enumerate names the first few of a list.
func enumerate(list []string) string {
	const few = 3
	list = slices.Compact(slices.Sorted(slices.Values(list)))
	if len(list) > few {
		return fmt.Sprintf("%s and %d more", strings.Join(list[:few], ", "), len(list)-few)
	}
	return strings.Join(list, ", ")
}
