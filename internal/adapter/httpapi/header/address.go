// Package header parses headers of requests that net/http does not parse: client addresses and entity tags.
package header

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// ClientAddress returns the client address of the request: the other end of the connection or, if that is a trusted proxy, the nearest
// address in X-Forwarded-For or Forwarded (RFC 7239) that is not a trusted proxy. Most proxies set one of the two headers and pass the
// other one on as the client sent it. So if both are present and differ, neither is trusted, and the result is the address of the
// proxy: clients that send the wrong header share that address only with each other.
func ClientAddress(r *http.Request, trusted []netip.Prefix) string {
	near, ok := nodeAddress(r.RemoteAddr)
	if !ok {
		return ""
	}
	old, standard := forwardedFor(r.Header), forwarded(r.Header)
	switch {
	case !contains(trusted, near):
		return near.String()
	case len(standard) == 0:
		return behind(near, old, trusted).String()
	case len(old) == 0:
		return behind(near, standard, trusted).String()
	}
	one, other := behind(near, old, trusted), behind(near, standard, trusted)
	if one != other {
		return near.String()
	}
	return one.String()
}

func contains(trusted []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// behind follows the nodes that a trusted proxy and those before it have named, the nearest last.
func behind(near netip.Addr, nodes []string, trusted []netip.Prefix) netip.Addr {
	for _, node := range slices.Backward(nodes) {
		addr, ok := nodeAddress(node)
		if !ok || !contains(trusted, near) {
			break
		}
		near = addr
	}
	return near
}

// nodeAddress reads an address of a header or a connection: with or without a port, and an IPv6 one with or without brackets.
func nodeAddress(node string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(node, "["), "]"))
	if err != nil {
		withPort, err := netip.ParseAddrPort(node)
		if err != nil {
			return netip.Addr{}, false
		}
		addr = withPort.Addr()
	}
	return addr.Unmap().WithZone(""), true
}

// forwardedFor returns the nodes of X-Forwarded-For.
func forwardedFor(h http.Header) (nodes []string) {
	for _, line := range h.Values("X-Forwarded-For") {
		for node := range strings.SplitSeq(line, ",") {
			nodes = append(nodes, strings.TrimSpace(node))
		}
	}
	return nodes
}

// forwarded returns the nodes of Forwarded. One that is not told is empty.
func forwarded(h http.Header) (nodes []string) {
	for _, line := range h.Values("Forwarded") {
		for _, element := range splitQuoted(line, ',') {
			node := ""
			for _, pair := range splitQuoted(element, ';') {
				name, value, _ := strings.Cut(pair, "=")
				if strings.EqualFold(strings.TrimSpace(name), "for") {
					node = unquote(strings.TrimSpace(value))
				}
			}
			nodes = append(nodes, node)
		}
	}
	return nodes
}

// splitQuoted splits a value of a header at a separator that is not within a quoted string.
func splitQuoted(s string, separator byte) (parts []string) {
	quoted, start := false, 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == separator && !quoted:
			parts = append(parts, strings.TrimSpace(s[start:i]))
			start = i + 1
		}
	}
	return append(parts, strings.TrimSpace(s[start:]))
}

// unquote returns what is in a quoted string, or a token as it is.
func unquote(s string) string {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	var b strings.Builder
	for i := 1; i < len(s)-1; i++ {
		if s[i] == '\\' && i+1 < len(s)-1 {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
