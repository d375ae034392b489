package httpapi

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"glyphbox/client"
)

// TestSessionCookie follows a page whose refresh token is in a cookie.
func TestSessionCookie(t *testing.T) {
	s := open(t)
	s.user("ann")
	const login, token, logout = "/api/v1/user/login", "/api/v1/user/token", "/api/v1/user/logout"
	page := func(r request, header ...string) request {
		r.header = map[string]string{"X-Glyphbox-Session": "cookie", "Sec-Fetch-Site": "same-origin"}
		for i := 0; i < len(header); i += 2 {
			r.header[header[i]] = header[i+1]
		}
		return r
	}
	cookie := func(a answer) *http.Cookie {
		t.Helper()
		cookies := (&http.Response{Header: a.header}).Cookies()
		if len(cookies) != 1 {
			t.Fatalf("%s: cookies %v, want one", a.what, cookies)
		}
		c := cookies[0]
		if c.Name != sessionCookie || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/api/v1/user" {
			t.Errorf("%s: cookie %v", a.what, c)
		}
		return c
	}

	first := s.ask("POST", login, page(form("username", "ann", "password", password))).want(200)
	if grant := read[client.Grant](first); grant.RefreshToken != "" || grant.AccessToken == "" {
		t.Errorf("the page gets the refresh token, or no access token: %s", first.body)
	}
	c := cookie(first)
	if c.Secure || c.MaxAge != int(s.accounts.RefreshTTL.Seconds()) {
		t.Errorf("over plain HTTP: %v", c)
	}
	sent := sessionCookie + "=" + c.Value
	if strings.Contains(first.body, c.Value) {
		t.Error("the refresh token is in the body too")
	}

	s.ask("POST", token, page(request{body: "{}"}, "Cookie", sent, "Sec-Fetch-Site", "cross-site")).want(403).code("other_origin")
	s.ask("POST", token, page(request{body: "{}"}, "Cookie", sent, "Sec-Fetch-Site", "", "Origin",
		"https://elsewhere.example")).want(403).code("other_origin")
	s.ask("POST", token, request{body: "{}", header: map[string]string{"Cookie": sent}}).want(422).code("invalid_input", "refresh_token")
	s.ask("POST", token, page(request{body: "{}"})).want(401)

	second := s.ask("POST", token, page(request{body: "{}"}, "Cookie", sent, "X-Forwarded-Proto", "https")).want(200)
	if c := cookie(second); !c.Secure || c.Value == "" || strings.HasSuffix(sent, c.Value) {
		t.Errorf("the second cookie: %v", c)
	}
	access := read[client.Grant](second).AccessToken
	if c := cookie(s.ask("POST", logout, page(as(access))).want(204)); c.Value != "" || c.MaxAge >= 0 {
		t.Errorf("signing out leaves %v", c)
	}
	s.ask("GET", "/api/v1/user/me", as(access)).want(401)

	// Who leaves for good leaves no cookie either.
	s.user("bob")
	bob := s.ask("POST", login, page(form("username", "bob", "password", password))).want(200)
	if c := cookie(s.ask("DELETE", "/api/v1/user", page(as(read[client.Grant](bob).AccessToken))).want(204)); c.Value != "" ||
		c.MaxAge >= 0 {
		t.Errorf("resigning leaves %v", c)
	}

	// Who does not ask for a cookie gets none.
	plain := s.ask("POST", login, form("username", "ann", "password", password)).want(200)
	if plain.header.Get("Set-Cookie") != "" || read[client.Grant](plain).RefreshToken == "" {
		t.Errorf("without the header: %v %s", plain.header, plain.body)
	}
}

// One attacker behind a proxy that adds ports does not lock out the others.
func TestLockOutBehindProxy(t *testing.T) {
	s := open(t, func(c *Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	s.user("ann")
	login := func(name, password, header, value string) answer {
		r := form("username", name, "password", password)
		r.header = map[string]string{header: value}
		return s.ask("POST", base+"/user/login", r)
	}
	for header, value := range map[string]string{"X-Forwarded-For": "203.0.113.%s:4711", "Forwarded": `for="[2001:db8::%s]:4711"`} {
		from := func(n string) string { return strings.Replace(value, "%s", n, 1) }
		for range 4 {
			login("ann", "wrong-password", header, from("6"))
		}
		login("ann", password, header, from("7")).want(200)
	}
}
