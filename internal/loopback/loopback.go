// Package loopback tells what is of this machine alone: the address a server
// listens on, and the host that a request was sent to. It asks no DNS, whose
// answers are anybody's.
package loopback

import (
	"net"
	"net/netip"
	"strings"
)

// Is reports whether a host is loopback: 127.0.0.0/8, ::1, or a name that
// browsers hold to it (RFC 6761, "localhost.").
func Is(host string) bool {
	name := strings.TrimSuffix(strings.ToLower(host), ".")
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// HostOf is a Host header without its port and brackets.
func HostOf(header string) string {
	if host, _, err := net.SplitHostPort(header); err == nil {
		return host
	}
	return strings.TrimSuffix(strings.TrimPrefix(header, "["), "]")
}
