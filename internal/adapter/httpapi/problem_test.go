package httpapi

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"glyphbox/client"
	"glyphbox/internal/adapter/httpapi/endpoint"
)

func TestRequestID(t *testing.T) {
	s := open(t)
	for id, kept := range map[string]bool{"a.b_C-9": true, strings.Repeat("x", 64): true, strings.Repeat("x", 65): false, "a b": false,
		"a/b": false, "é": false} {
		got := s.ask("GET", "/ping", request{}.head("X-Request-Id", id)).want(200).header.Get("X-Request-Id")
		if (got == id) != kept || got == "" {
			t.Errorf("%q: got %q", id, got)
		}
	}
	if a, b := s.ask("GET", "/ping", request{}).header.Get("X-Request-Id"),
		s.ask("GET", "/ping", request{}).header.Get("X-Request-Id"); a == b {
		t.Errorf("two requests are both %q", a)
	}
}

func TestRouter(t *testing.T) {
	s := open(t)
	_, token := s.user("ann")
	for _, path := range []string{"/nothing", "/api/v1", "/api/v1/", "/api/v1/image/", "/api/v1//image", "/api/v1/user/../image", "/docs/",
		"/docs/nothing.js", "/%ff"} {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			s.ask(method, path, as(token)).want(404).code("no_such_path")
		}
	}
	for _, query := range []string{"keyword=%zz", "size=5;page=1", "size=%"} {
		s.ask("GET", base+"/image?"+query, as(token)).want(400).code("malformed_query")
		s.ask("GET", base+"/user/me?"+query, as(token)).want(400).code("malformed_query")
	}
	for target, allow := range map[string]string{
		"PATCH /api/v1/user":        "DELETE, POST, PUT",
		"POST /api/v1/image/5":      "DELETE, GET, HEAD, PUT",
		"DELETE /api/v1/user/login": "POST",
		"POST /ping":                "GET, HEAD",
		"OPTIONS /api/v1/image":     "GET, HEAD, POST",
		"OPTIONS /api/v1/ocr/lang":  "GET, HEAD",
		"OPTIONS /api/v1/ocr/psm":   "GET, HEAD",
		"OPTIONS /api/v1/ocr/oem":   "GET, HEAD",
		"PUT /api/v1/ocr/lang":      "GET, HEAD",
		"DELETE /api/v1/ocr/psm":    "GET, HEAD",
		"OPTIONS /api/v1/ocr/x":     "DELETE, GET, HEAD, PUT",
		"OPTIONS /api/v1/user/key":  "GET, HEAD, POST",
	} {
		method, path, _ := strings.Cut(target, " ")
		a := s.ask(method, path, request{}).want(405)
		a.code("method_not_allowed")
		if got := a.header.Get("Allow"); got != allow {
			t.Errorf("%s: Allow is %q, want %q", target, got, allow)
		}
	}
	if got := s.ask("GET", "/", request{}).want(302).header.Get("Location"); got != "/docs" {
		t.Errorf("/ leads to %q", got)
	}
}

func TestWebPage(t *testing.T) {
	s := open(t, func(c *Config) {
		c.Web = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/favicon.ico" {
				http.NotFound(w, r)
				return
			}
			_, _ = w.Write([]byte("page " + r.URL.Path))
		})
	})
	for _, path := range []string{"/", "/assets/app.js"} {
		if got := s.ask("GET", path, request{}).want(200).body; got != "page "+path {
			t.Errorf("%s: got %q", path, got)
		}
	}
	s.ask("GET", "/api/v1/nothing", request{}).want(404).code("no_such_path")
	a := s.ask("POST", "/", request{}).want(405)
	a.code("method_not_allowed")
	if got := a.header.Get("Allow"); got != "GET, HEAD" {
		t.Errorf("Allow is %q", got)
	}
	s.ask("POST", "/assets/app.js", request{}).want(404).code("no_such_path")
	s.ask("GET", "/api", request{}).want(404).code("no_such_path")
	s.ask("GET", "/favicon.ico", request{}).want(404).code("no_such_path")
	s.ask("PATCH", "/ping", request{}).want(405).code("method_not_allowed")
}

// huma's reading of this header panics at some of these.
func TestOddAccept(t *testing.T) {
	s := open(t)
	for _, accept := range []string{"a;b,", "a;", ";", "text/html", "application/json;q=,", "*/*;q=0"} {
		s.ask("GET", "/health", request{}.head("Accept", accept)).want(200)
	}
}

func TestPanic(t *testing.T) {
	s := open(t, func(c *Config) {
		c.Web = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/late" {
				w.WriteHeader(http.StatusOK)
				_, _ = w.Write([]byte("half of"))
				_ = http.NewResponseController(w).Flush()
			}
			panic("inner workings")
		})
	})
	a := s.ask("GET", "/early", request{}).want(500)
	a.code("internal")
	if strings.Contains(a.body, "workings") {
		t.Errorf("the client is told %s", a.body)
	}
	r, err := http.NewRequestWithContext(t.Context(), "GET", s.url+"/late", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := sender.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := response.Body.Read(make([]byte, 100)); err == nil {
		_, err = response.Body.Read(make([]byte, 100))
		if err == nil {
			t.Error("what broke off looks whole")
		}
	}
	if n := strings.Count(s.logs.String(), "panic: inner workings"); n != 2 {
		t.Errorf("logged %d times, want 2: %s", n, s.logs)
	}
	if !strings.Contains(s.logs.String(), "problem_test.go") {
		t.Error("the log has no stack")
	}
}

func TestReady(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	var away error
	s := open(t, func(c *Config) {
		c.Ready = []Check{
			{"database", func(context.Context) error { return nil }},
			{"workers", func(context.Context) error { return away }},
		}
		c.Second = func() SecondRecogniser { return SecondRecogniser{Models: []string{"m"}} }
		c.HEIF = func() client.HEIF { return client.HEIF{State: "ok"} }
	})
	want := client.Ready{Status: "ok", Dependencies: map[string]client.Dependency{"database": {State: "ok"}, "workers": {State: "ok"}},
		SecondRecogniser: "ok", HEIF: "ok", PDF: "missing"}
	if d := cmp.Diff(want, read[client.Ready](s.ask("GET", "/ready", request{}).want(200))); d != "" {
		t.Errorf("ready (-want +got):\n%s", d)
	}
	away = errors.New("inner workings")
	a := s.ask("GET", "/ready", request{})
	want = client.Ready{Status: "unavailable", Dependencies: map[string]client.Dependency{"database": {State: "ok"},
		"workers": {State: "away"}},
		SecondRecogniser: "ok", HEIF: "ok", PDF: "missing"}
	if d := cmp.Diff(want, read[client.Ready](a)); d != "" || a.status != 503 {
		t.Errorf("%d (-want +got):\n%s", a.status, d)
	}
	if !strings.Contains(s.logs.String(), "workers: inner workings") {
		t.Errorf("the log does not say why: %s", s.logs)
	}

	stuck := open(t, func(c *Config) { // a check that does not heed its context
		c.Ready = []Check{{"blobs", func(context.Context) error { <-release; return nil }},
			{"database", func(context.Context) error { return nil }}}
	})
	a = stuck.ask("GET", "/ready", request{})
	want = client.Ready{Status: "unavailable", Dependencies: map[string]client.Dependency{"blobs": {State: "away"},
		"database": {State: "ok"}}, SecondRecogniser: "missing", HEIF: "missing", PDF: "missing"}
	if d := cmp.Diff(want, read[client.Ready](a)); d != "" || a.status != 503 {
		t.Errorf("%d (-want +got):\n%s", a.status, d)
	}
}

func TestService(t *testing.T) {
	var away error
	s := open(t, func(c *Config) {
		c.Ready = []Check{{"database", func(context.Context) error { return nil }},
			{"workers", func(context.Context) error { return away }}}
		c.Kinds = map[string]string{"database": "SQLite"}
		c.Workload = func() Workload {
			return Workload{Workers: 4, Up: 3, Busy: 2, Waiting: 5, Room: 100, Served: 7, Replaced: 1, Memory: 1 << 20}
		}
		c.Second = func() SecondRecogniser { return SecondRecogniser{Models: []string{"m"}, Runtime: "r 1.0"} }
		c.HEIF = func() client.HEIF { return client.HEIF{State: "missing", Missing: "no library"} }
		c.PDF = func() client.PDF { return client.PDF{State: "ok", Name: "p 1.0", Workers: 1} }
	})
	_, root := s.user("root")
	_, ann := s.user("ann")
	s.ask("GET", base+"/admin/service", as(ann)).want(403).code("admin_only")
	got := read[client.Service](s.ask("GET", base+"/admin/service", as(root)).want(200))
	want := client.Service{Status: "ok", Version: "1.0", StartedDatetime: got.StartedDatetime,
		Parts:            []client.Part{{Name: "database", State: "ok", Kind: "SQLite"}, {Name: "workers", State: "ok"}},
		Workers:          client.Workers{All: 4, Up: 3, Busy: 2, Memory: 1 << 20, Replaced: 1},
		Regions:          client.Workload{Waiting: 5, Room: 100, Served: 7},
		SecondRecogniser: client.SecondRecogniser{State: "ok", Models: []string{"m"}, Runtime: "r 1.0"},
		HEIF:             client.HEIF{State: "missing", Missing: "no library"},
		PDF:              client.PDF{State: "ok", Name: "p 1.0", Workers: 1}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("service (-want +got):\n%s", d)
	}
	if started, err := time.Parse(time.RFC3339, got.StartedDatetime); err != nil || time.Since(started) > time.Minute ||
		time.Since(started) < 0 {
		t.Errorf("started %s: %v", got.StartedDatetime, err)
	}
	away = errors.New("inner workings at db:3306")
	a := s.ask("GET", base+"/admin/service", as(root)).want(200)
	if got := read[client.Service](a); got.Status != "unavailable" || got.Parts[1].State != "away" || strings.Contains(a.body, "inner") {
		t.Errorf("with the workers away: %s", a.body)
	}
	if !strings.Contains(s.logs.String(), "workers: inner workings") {
		t.Errorf("the log does not say why: %s", s.logs)
	}
	bare := open(t) // nothing is checked, nothing is counted
	_, root = bare.user("root")
	if got := read[client.Service](bare.ask("GET", base+"/admin/service", as(root)).want(200)); got.Status != "ok" || got.Parts == nil {
		t.Errorf("bare: %+v", got)
	}
}

func TestSystem(t *testing.T) {
	s := open(t)
	if got := s.ask("GET", "/ping", request{}).want(200).body; got != "pong" {
		t.Errorf("ping: %q", got)
	}
	if got := read[client.Health](s.ask("GET", "/health", request{}).want(200)); got.Status != "ok" {
		t.Errorf("health: %v", got)
	}
	if got := s.ask("GET", "/robots.txt", request{}).want(200).body; got != "User-agent: *\nDisallow: /\n" {
		t.Errorf("robots: %q", got)
	}
	s.ask("GET", "/api/v1/image/77", request{}).want(401)
	got := s.ask("GET", "/metrics", request{}).want(200).body
	for _, want := range []string{`glyphbox_http_requests_total{route="GET /ping",status="200"} 1`,
		`glyphbox_http_requests_total{route="GET /api/v1/image/{id}",status="401"} 1`,
		"go_goroutines", "process_open_fds"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in the metrics", want)
		}
	}
	if strings.Contains(got, "77") && strings.Contains(got, "image/77") {
		t.Error("the metrics have paths")
	}
}

func TestCORS(t *testing.T) {
	s := open(t, func(c *Config) { c.CORSOrigins = []string{"https://example.org"} })
	preflight := request{header: map[string]string{"Origin": "https://example.org", "Access-Control-Request-Method": "PUT"}}
	a := s.ask("OPTIONS", "/api/v1/user", preflight).want(204)
	if got := a.header.Get("Access-Control-Allow-Origin"); got != "https://example.org" ||
		!strings.Contains(a.header.Get("Access-Control-Allow-Methods"), "PUT") {
		t.Errorf("preflight: %v", a.header)
	}
	a = s.ask("GET", "/health", request{}.head("Origin", "https://example.org")).want(200)
	for _, name := range []string{"Content-Disposition", "Content-Range", "ETag", "Link", "Location", "OCR-Version", "Retry-After",
		"X-Request-Id", "X-Total-Count"} {
		if !slices.Contains(strings.Split(a.header.Get("Access-Control-Expose-Headers"), ", "), name) {
			t.Errorf("%s is kept from pages of other origins", name)
		}
	}
	if a.header.Get("Access-Control-Allow-Origin") != "https://example.org" || !slices.Contains(a.header.Values("Vary"), "Origin") {
		t.Errorf("request: %v", a.header)
	}
	preflight.header["Origin"] = "https://example.net"
	if a := s.ask("OPTIONS", "/api/v1/user", preflight).want(405); a.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("another origin: %v", a.header)
	}
}

// TestCORSOfAnyOrigin wants all origins let in, and no answer that differs by origin or lets cookies in.
func TestCORSOfAnyOrigin(t *testing.T) {
	s := open(t, func(c *Config) { c.CORSOrigins = []string{endpoint.AnyOrigin} })
	for _, origin := range []string{"https://example.org", "http://127.0.0.1:5173", "null"} {
		preflight := request{header: map[string]string{"Origin": origin, "Access-Control-Request-Method": "PUT"}}
		for _, a := range []answer{s.ask("OPTIONS", "/api/v1/user", preflight).want(204),
			s.ask("GET", "/health", request{}.head("Origin", origin)).want(200)} {
			if got := a.header.Get("Access-Control-Allow-Origin"); got != "*" || a.header.Get("Access-Control-Allow-Credentials") != "" ||
				slices.Contains(a.header.Values("Vary"), "Origin") {
				t.Errorf("%s: %v", origin, a.header)
			}
		}
	}
}
