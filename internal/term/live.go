package term

import (
	"io"
	"strings"
	"sync"
	"time"

	"github.com/plimsoll-ecs/plimsoll/internal/story"
)

// live is Live mode: the screen, painted when it changes and once a second.
type live struct {
	opts Options

	mu       sync.Mutex // the ticking goroutine paints too
	screen   screen
	painter  painter
	verdicts []story.Event

	stop    chan struct{} // nil before the first event
	stopped sync.WaitGroup
}

func newLive(opts Options) *live {
	p := opts.story()
	p.looked = true
	return &live{opts: opts, screen: screen{palette: p, brief: opts.Brief}, painter: painter{w: opts.Err}}
}

func (l *live) tell(e story.Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stop == nil {
		l.stop = make(chan struct{})
		l.stopped.Go(l.tick)
	}
	if e.Kind == story.Final && e.Verdict != nil && !l.opts.Brief {
		l.verdicts = append(l.verdicts, e)
	}
	return l.paint(func(now time.Time, width int) []string { return l.screen.take(e, now, width) })
}

// tick keeps the elapsed seconds right, and the width after a resize.
func (l *live) tick() {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-ticker.C:
			l.mu.Lock()
			_ = l.paint(nil)
			l.mu.Unlock()
		}
	}
}

// paint brings the screen up to date; change says what is done with.
func (l *live) paint(change func(now time.Time, width int) []string) error {
	now, terminal := l.opts.Now(), l.opts.Width()
	width := max(terminal-1, 0) // see painter.paint
	var done []string
	if change != nil {
		done = change(now, width)
	}
	return l.painter.paint(done, l.screen.block(now, width, l.opts.Height()), terminal)
}

func (l *live) close() error {
	if l.stop == nil {
		return nil
	}
	close(l.stop)
	l.stopped.Wait()
	// What never ended stays on the screen, as far as it came.
	err := l.paint(func(now time.Time, width int) []string {
		return l.screen.final(story.Event{Time: now}, width)
	})
	if err != nil {
		return err
	}
	p, width := l.opts.result()
	for _, e := range l.verdicts {
		card := p.verdict(e.Service, *e.Verdict, width)
		if _, err := io.WriteString(l.opts.Out, "\n"+strings.Join(card, "\n")+"\n"); err != nil {
			return err
		}
	}
	return nil
}
