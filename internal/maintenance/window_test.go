package maintenance

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"pgregory.net/rapid"
)

func window(t *testing.T, texts ...string) Windows {
	t.Helper()
	ws, err := ParseWindows(texts)
	if err != nil {
		t.Fatal(err)
	}
	return ws
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	when, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

func TestWindowIsOpen(t *testing.T) {
	for _, tt := range []struct {
		window, at string
		open       bool
	}{
		{"Mon-Fri 10:00-16:00 Asia/Tokyo", "2026-11-20T10:00:00+09:00", true}, // a Friday
		{"Mon-Fri 10:00-16:00 Asia/Tokyo", "2026-11-20T09:59:59+09:00", false},
		{"Mon-Fri 10:00-16:00 Asia/Tokyo", "2026-11-20T15:59:59+09:00", true},
		{"Mon-Fri 10:00-16:00 Asia/Tokyo", "2026-11-20T16:00:00+09:00", false},
		{"Mon-Fri 10:00-16:00 Asia/Tokyo", "2026-11-21T12:00:00+09:00", false},
		{"Mon-Fri 10:00-16:00 Asia/Tokyo", "2026-11-20T01:00:00Z", true},
		{"10:00-16:00 UTC", "2026-11-21T12:00:00Z", true},
		{"Fri-Mon 10:00-16:00 UTC", "2026-11-22T12:00:00Z", true}, // Sunday, in a range over the weekend
		{"Fri-Mon 10:00-16:00 UTC", "2026-11-24T12:00:00Z", false},
		{"sat,Wednesday 00:00-24:00 UTC", "2026-11-21T23:59:59Z", true},
		{"sat,Wednesday 00:00-24:00 UTC", "2026-11-22T00:00:00Z", false},
		{"Fri 22:00-04:00 UTC", "2026-11-20T23:00:00Z", true},
		{"Fri 22:00-04:00 UTC", "2026-11-21T03:59:00Z", true}, // Friday's, on Saturday
		{"Fri 22:00-04:00 UTC", "2026-11-20T03:59:00Z", false},
		// New York, 2026-03-08: 02:00 is 03:00. 2026-11-01: 02:00 is 01:00 again.
		{"Sun 02:00-03:00 America/New_York", "2026-03-08T06:59:59Z", false},
		{"Sun 02:00-03:00 America/New_York", "2026-03-08T07:00:00Z", false},
		{"Sun 03:00-04:00 America/New_York", "2026-03-08T07:00:00Z", true},
		{"Sun 01:00-02:00 America/New_York", "2026-11-01T05:30:00Z", true},
		{"Sun 01:00-02:00 America/New_York", "2026-11-01T06:30:00Z", true},
		{"Sun 01:00-02:00 America/New_York", "2026-11-01T07:00:00Z", false},
		// Ten o'clock in Berlin is another hour in winter.
		{"Mon 10:00-11:00 Europe/Berlin", "2026-10-19T08:30:00Z", true},
		{"Mon 10:00-11:00 Europe/Berlin", "2026-10-26T08:30:00Z", false},
		{"Mon 10:00-11:00 Europe/Berlin", "2026-10-26T09:30:00Z", true},
	} {
		if got := window(t, tt.window).Open(at(t, tt.at)); got != tt.open {
			t.Errorf("%s at %s: open %v", tt.window, tt.at, got)
		}
	}
	if !(Windows)(nil).Open(at(t, "2026-11-21T12:00:00Z")) {
		t.Error("without windows it is always open")
	}
}

func TestWindowOpensNext(t *testing.T) {
	for _, tt := range []struct{ window, at, next string }{
		{"Mon-Fri 10:00-16:00 Asia/Tokyo", "2026-11-20T16:00:00+09:00", "2026-11-23T10:00:00+09:00"},
		{"Mon-Fri 10:00-16:00 Asia/Tokyo", "2026-11-20T12:34:56+09:00", "2026-11-20T12:34:56+09:00"},
		{"Mon-Fri 10:00-16:00 Asia/Tokyo", "2026-11-20T09:59:30+09:00", "2026-11-20T10:00:00+09:00"},
		// The clocks skip this one: it opens a week later.
		{"Sun 02:15-02:45 America/New_York", "2026-03-07T12:00:00Z", "2026-03-15T06:15:00Z"},
	} {
		if got := window(t, tt.window).Next(at(t, tt.at)); !got.Equal(at(t, tt.next)) {
			t.Errorf("%s after %s: %s, want %s", tt.window, tt.at, got, tt.next)
		}
	}
}

func TestLastWindowBeforeADeadline(t *testing.T) {
	ws := window(t, "Mon-Fri 10:00-16:00 UTC")
	friday := at(t, "2026-11-20T12:00:00Z")
	if !ws.lastBefore(friday, at(t, "2026-11-22T12:00:00Z")) {
		t.Error("no window opens between Friday and Sunday")
	}
	if ws.lastBefore(friday, at(t, "2026-11-23T12:00:00Z")) {
		t.Error("Monday's window is before Monday noon")
	}
	if Windows(nil).lastBefore(friday, friday.Add(time.Hour)) {
		t.Error("any time is no last window")
	}
}

func TestWindowsThatCannotBeMeant(t *testing.T) {
	for text, why := range map[string]string{
		"":                          "want days, hours and a time zone",
		"10:00-16:00":               "want days, hours and a time zone",
		"Mon-Fri 10:00-16:00":       "hour such as 10:00", // the days are read as hours
		"Mo 10:00-16:00 UTC":        `"Mo" is no day`,
		"Mon-Fry 10:00-16:00 UTC":   `"Mon-Fry" is no day`,
		"Mon, 10:00-16:00 UTC":      `"" is no day`,
		"Mon 25:00-26:00 UTC":       "hour such as 10:00",
		"Mon 24:00-04:00 UTC":       "hour such as 10:00",
		"Mon 10-16 UTC":             "hour such as 10:00",
		"Mon 10:00-16:60 UTC":       "hour such as 16:00",
		"Mon 10:00 UTC":             "hour such as 16:00",
		"Mon 10:00-10:00 UTC":       "begins when it ends",
		"Mon 10:00-16:00 Mars/Base": `no time zone "Mars/Base"`,
		"Mon 10:00-16:00 Local":     "want a time zone",
		"Mon 10:00-16:00 JST JST":   "want days, hours",
	} {
		_, err := ParseWindow(text)
		if err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %v, want %s", text, err, why)
		}
	}
}

// A time that Next names is open, and the minute before it is not.
func TestWindowNextIsABeginning(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom([]string{"UTC", "Asia/Tokyo", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu"}).Draw(t, "zone")
		day := rapid.SampledFrom([]string{"", "Mon-Fri ", "Sat,Sun ", "Wed "}).Draw(t, "days")
		hour := rapid.IntRange(0, 23).Draw(t, "from")
		length := rapid.IntRange(1, 23).Draw(t, "hours")
		text := day + time.Date(2026, 1, 1, hour, 0, 0, 0, time.UTC).Format("15:04") + "-" +
			time.Date(2026, 1, 1, hour+length, 30, 0, 0, time.UTC).Format("15:04") + " " + zone
		w, err := ParseWindow(text)
		if err != nil {
			t.Fatal(err)
		}
		from := time.Unix(rapid.Int64Range(1767225600, 1798761600).Draw(t, "at"), 0)
		next := Windows{w}.Next(from)
		switch {
		case next.IsZero() || !w.Open(next) || next.Before(from):
			t.Fatalf("%s after %s: %s", text, from.UTC(), next)
		case next.After(from) && w.Open(next.Add(-time.Minute)) && next.Add(-time.Minute).After(from):
			t.Fatalf("%s after %s: open before %s", text, from.UTC(), next)
		}
	})
}

func FuzzParseWindow(f *testing.F) {
	for _, s := range []string{"Mon-Fri 10:00-16:00 Asia/Tokyo", "22:00-04:00 UTC", "x y z", "Mon,-Fri 1:00-24:00 UTC"} {
		f.Add(s)
	}
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		w, err := ParseWindow(s)
		if err != nil {
			return
		}
		if open := (Windows{w}).Next(now); !open.IsZero() && !w.Open(open) {
			t.Errorf("%q: not open at %s", s, open)
		}
	})
}
