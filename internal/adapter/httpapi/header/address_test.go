package header

import (
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestClientAddress(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, test := range []struct {
		remote, xff, forwarded, want string
	}{
		{"192.0.2.1:1", "", "", "192.0.2.1"},
		{"192.0.2.1:1", "203.0.113.5", "", "192.0.2.1"}, // an address that is not a trusted proxy is not believed
		{"192.0.2.1:1", "", "for=203.0.113.5", "192.0.2.1"},
		{"10.0.0.1:1", "203.0.113.5", "", "203.0.113.5"},
		{"10.0.0.1:1", "203.0.113.5:4711", "", "203.0.113.5"},
		{"10.0.0.1:1", "2001:db8::1", "", "2001:db8::1"},
		{"10.0.0.1:1", "[2001:db8::1]", "", "2001:db8::1"},
		{"10.0.0.1:1", "[2001:db8::1]:4711", "", "2001:db8::1"},
		{"10.0.0.1:1", "::ffff:203.0.113.5", "", "203.0.113.5"},
		{"10.0.0.1:1", "fe80::1%eth0", "", "fe80::1"},
		{"10.0.0.1:1", "6.6.6.6, 203.0.113.5:80, 10.0.0.2:81", "", "203.0.113.5"}, // what the client said of itself stands at the left
		{"10.0.0.1:1", "6.6.6.6,  ", "", "10.0.0.1"},
		{"10.0.0.1:1", "unknown", "", "10.0.0.1"},
		{"[fd00::1]:1", "203.0.113.5", "", "203.0.113.5"},
		{"10.0.0.1:1", "10.0.0.2, 10.0.0.3", "", "10.0.0.2"},
		{"10.0.0.1:1", "", "for=203.0.113.5", "203.0.113.5"},
		{"10.0.0.1:1", "", `For="203.0.113.5:4711"`, "203.0.113.5"},
		{"10.0.0.1:1", "", `proto=https;for="[2001:db8::1]:4711";by=10.0.0.1`, "2001:db8::1"},
		{"10.0.0.1:1", "", `for="6.6.6.6, for=7.7.7.7", for=203.0.113.5;host="a,b"`, "203.0.113.5"},
		{"10.0.0.1:1", "", `for=203.0.113.5, for=10.0.0.9`, "203.0.113.5"},
		{"10.0.0.1:1", "", `for=6.6.6.6, for=_hidden, for=10.0.0.9`, "10.0.0.9"},
		{"10.0.0.1:1", "", `for=6.6.6.6, proto=http`, "10.0.0.1"},
		{"10.0.0.1:1", "203.0.113.5:99", `for=203.0.113.5`, "203.0.113.5"},
		{"10.0.0.1:1", "203.0.113.5", `for=6.6.6.6`, "10.0.0.1"}, // one of the two is the client's word
		{"@", "203.0.113.5", "", ""},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = test.remote
		if test.xff != "" {
			r.Header.Set("X-Forwarded-For", test.xff)
		}
		if test.forwarded != "" {
			r.Header.Set("Forwarded", test.forwarded)
		}
		if got := ClientAddress(r, trusted); got != test.want {
			t.Errorf("%+v: got %s", test, got)
		}
	}
}
