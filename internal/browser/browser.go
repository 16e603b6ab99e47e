// Package browser shows pages to tests in a real chromium, which must complain
// of nothing: no exception, no refusal by the content security policy, no
// request that was not meant. [Open] starts one; [Ask] and [Tab.Await] look at
// what a page says, [Tab.Faults] at whether it can be read.
//
// Without chromium a test is skipped, but not in CI. Pictures go into the folder
// that PLIMSOLL_SCREENSHOTS names, else among the test's artifacts.
package browser

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long a browser may take to start, and a page for what is
// awaited: so long that only one which never does it is told of.
const patience = 4 * time.Minute

// grace is what a test keeps of its time to say what a page did not do, and to end
// its browser.
const grace = 30 * time.Second

// deadline is how long a browser may take: as long as the test has. How fast this
// machine is decides nothing.
func deadline(t *testing.T) time.Time {
	if at, limited := t.Deadline(); limited {
		return at.Add(-grace)
	}
	return time.Now().Add(10 * time.Minute)
}

// Tab is a page in a browser of its own.
type Tab struct {
	ctx context.Context
	t   *testing.T

	mu        sync.Mutex
	asks      []string // prefixes of what may be asked for; empty is everything
	complains []string
	forgiven  []string
}

// Open starts a browser, which may ask for addresses with these prefixes; for
// any without them. What it complains of fails the test at its end.
func Open(t *testing.T, asks ...string) *Tab {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		missing(t, "chromium", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path),
		chromedp.NoSandbox, chromedp.WSURLReadTimeout(patience), chromedp.UserDataDir(t.TempDir()), chromedp.Flag("force-color-profile", "srgb"))
	limited, cancel := context.WithDeadline(context.Background(), deadline(t))
	allocated, stop := chromedp.NewExecAllocator(limited, options...)
	ctx, leave := chromedp.NewContext(allocated)
	b := &Tab{ctx: ctx, t: t, asks: asks}
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil { // waits until the browser has ended
			t.Errorf("close chromium: %v", err)
		}
		leave()
		stop()
		cancel()
		b.judge()
	})
	if err := chromedp.Listen(ctx, b.listen); err != nil { // starts the browser
		t.Fatalf("start chromium: %v", err)
	}
	return b
}

// missing skips a test for want of a program, but not in CI.
func missing(t *testing.T, what string, err error) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("CI needs %s: %v", what, err)
	}
	t.Skipf("needs %s: %v", what, err)
}

// listen collects what the browser complains of.
func (b *Tab) listen(event any) {
	says := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		says = e.ExceptionDetails.Text
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "warning" || e.Type == "assert" {
			says = fmt.Sprintf("%s: %s", e.Type, e.Args[0].Value)
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			says = e.Entry.Text + " " + e.Entry.URL
		}
	case *network.EventRequestWillBeSent:
		if !b.allowed(e.Request.URL) {
			says = "asks for " + e.Request.URL
		}
	}
	if says != "" {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.complains = append(b.complains, says)
	}
}

func (b *Tab) allowed(url string) bool {
	for _, prefix := range b.asks {
		if strings.HasPrefix(url, prefix) {
			return true
		}
	}
	return len(b.asks) == 0
}

// Forgive expects complaints that contain a text.
func (b *Tab) Forgive(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forgiven = append(b.forgiven, text)
}

func (b *Tab) judge() {
	b.mu.Lock()
	defer b.mu.Unlock()
next:
	for _, says := range b.complains {
		for _, text := range b.forgiven {
			if strings.Contains(says, text) {
				continue next
			}
		}
		b.t.Errorf("the browser: %s", says)
	}
}

// Do acts in the page.
func (b *Tab) Do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatalf("browser: %v", err)
	}
}

// Go opens an address.
func (b *Tab) Go(url string) {
	b.t.Helper()
	b.Do(chromedp.Navigate(url))
}

// Press types keys, wherever the focus is.
func (b *Tab) Press(keys string) {
	b.t.Helper()
	b.Do(chromedp.KeyEvent(keys))
}

// Run evaluates a script in the page.
func (b *Tab) Run(script string) {
	b.t.Helper()
	b.Do(chromedp.Evaluate[chromedp.Void](script))
}

// Ask is the value of an expression in the page.
func Ask[T any](b *Tab, expression string) T {
	b.t.Helper()
	out, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("browser: %s: %v", expression, err)
	}
	return out
}

// Await waits until an expression is true in the page, or in the one that comes
// after it.
func (b *Tab) Await(expression string) {
	b.t.Helper()
	poll := chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(patience))
	for {
		_, err := chromedp.Run(b.ctx, poll)
		if err == nil {
			return
		}
		// A page that goes while it is looked at takes its context with it.
		if !gone(err) || b.ctx.Err() != nil {
			shown, _ := chromedp.Run(b.ctx, chromedp.Text("body"))
			b.t.Fatalf("await %s: %v; the page says:\n%s", expression, err, shown)
		}
	}
}

// gone reports whether an error is about a page that was left meanwhile.
func gone(err error) bool {
	for _, says := range []string{"context with specified id", "context was destroyed", "target navigated or closed"} {
		if strings.Contains(err.Error(), says) {
			return true
		}
	}
	return false
}

// Show gives the window a width, and the page a colour scheme ("light",
// "dark") and a medium ("screen", "print").
func (b *Tab) Show(width int64, scheme, medium string) {
	b.t.Helper()
	b.Do(chromedp.EmulateViewport(width, 900))
	media := emulation.SetEmulatedMediaParams{Media: medium, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
		b.t.Fatalf("browser: %v", err)
	}
}

// WithoutScripts switches the page's own JavaScript off, for pages to come.
func (b *Tab) WithoutScripts() {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		b.t.Fatalf("browser: %v", err)
	}
}

// Shoot keeps a picture of the whole page.
func (b *Tab) Shoot(name string) {
	b.t.Helper()
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatalf("browser: %v", err)
	}
	folder := os.Getenv("PLIMSOLL_SCREENSHOTS")
	if folder == "" {
		folder = b.t.ArtifactDir()
	} else if err := os.MkdirAll(folder, 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}
