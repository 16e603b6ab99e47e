package loopback_test

import (
	"testing"

	"github.com/plimsoll-ecs/plimsoll/internal/loopback"
)

func TestIs(t *testing.T) {
	for host, want := range map[string]bool{
		"127.0.0.1": true, "127.9.9.9": true, "::1": true, "::ffff:127.0.0.1": true, "localhost": true, "LocalHost.": true, "a.localhost": true,
		"": false, "0.0.0.0": false, "::": false, "10.0.0.1": false, "localhost.example.com": false, "127.0.0.1.nip.io": false, "notlocalhost": false,
		"0x7f000001": false, "127.1": false, "2130706433": false,
	} {
		if got := loopback.Is(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}

func TestHostOf(t *testing.T) {
	for header, want := range map[string]string{
		"127.0.0.1:80": "127.0.0.1", "[::1]:80": "::1", "[::1]": "::1", "localhost": "localhost", "": "", "a.example:x:y": "a.example:x:y",
	} {
		if got := loopback.HostOf(header); got != want {
			t.Errorf("%q: %q", header, got)
		}
	}
}
