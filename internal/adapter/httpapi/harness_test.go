package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/color"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"glyphbox/client"
	"glyphbox/internal/adapter/httpapi/endpoint"
	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/job"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/once"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/domain/webhook"
	"glyphbox/internal/porttest"
)

// site is a running server on fakes.
type site struct {
	*porttest.Fakes
	t        *testing.T
	url      string
	accounts *account.Service
	jobs     *job.Service
	webhooks *webhook.Service
	runner   *job.Runner // runs nothing until it is told to
	queue    *porttest.FakeQueue
	logs     *logs
	close    func()                // ends the server, once all is answered and logged
	hurdle   func(context.Context) // what the engine does first; nil: nothing
}

// hurdles is an engine that does something else first.
type hurdles struct {
	recognition.Engine
	site *site
}

func (h hurdles) Recognize(ctx context.Context, o recognition.Order) ([]recognition.Reading, error) {
	if first := h.site.hurdle; first != nil {
		first(ctx)
	}
	return h.Engine.Recognize(ctx, o)
}

// logs is what was logged. Requests are answered by other goroutines.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func open(t *testing.T, change ...func(*Config)) *site {
	t.Helper()
	f := porttest.NewFakes(t)
	accounts := &account.Service{Users: f.Users, Sessions: f.Sessions, Keys: f.Keys, Tokens: f.Tokens, Passwords: f.Passwords,
		Attempts: account.NewAttempts(3, time.Hour), SignUpOpen: true, AccessTTL: 15 * time.Minute, RefreshTTL: time.Hour, MaxKeys: 2,
		Now: time.Now}
	limits := &limit.Service{Users: f.Limits, General: limit.Limits{Images: 50}, Now: time.Now}
	images := &document.Service{Catalog: f.Catalog, Blobs: f.Blobs, Files: f.Files, Imager: f.Imager, Seals: f.Seals, Limits: limits,
		Users: f.Users, Now: time.Now}
	runs := &recognition.Service{Images: images, Users: f.Users, Engine: f.Engine, Runs: f.Runs, Contents: f.Contents,
		UserSettings: f.Settings, Index: f.Index, Feed: f.Feed, Exporter: f.Exporter, Now: time.Now}
	images.Dependents, accounts.Dependents = runs, images
	s := &site{Fakes: f, t: t, accounts: accounts, logs: &logs{}, queue: porttest.NewFakeQueue()}
	s.runner = &job.Runner{Jobs: f.Jobs, Queue: s.queue, Accounts: accounts, Reads: runs, AtOnce: 2, Now: time.Now}
	s.webhooks = &webhook.Service{Hooks: f.Hooks, Sender: &porttest.FakeSender{}, Seals: f.Seals, Now: time.Now}
	accounts.Webhooks = s.webhooks
	s.jobs = &job.Service{Jobs: f.Jobs, Images: images, Limits: limits, Hooks: s.webhooks, Engine: f.Engine, Wake: s.runner.Wake,
		Now: time.Now}
	runs.Engine = hurdles{f.Engine, s}
	c := Config{Accounts: accounts, Images: images, Recognition: runs, Jobs: s.jobs, Webhooks: s.webhooks,
		Once: &once.Service{Keys: f.Once, Now: time.Now}, Limits: limits, Staging: f.Staging, SpoolDir: t.TempDir(),
		MaxUpload: 100_000, MaxFiles: 3, Version: "1.0",
		Config: endpoint.Config{Log: slog.New(slog.NewJSONHandler(s.logs, nil))}}
	for _, f := range change {
		f(&c)
	}
	h, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	server.Config = Server("", h, c.Log)
	server.Start()
	s.close = sync.OnceFunc(server.Close)
	t.Cleanup(s.close)
	s.url = server.URL
	return s
}

// request is what is sent; answer what comes back.
type request struct {
	token, contentType, body string
	header                   map[string]string
}

type answer struct {
	t      *testing.T
	what   string
	status int
	header http.Header
	body   string
}

var sender = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport: &http.Transport{DisableCompression: true}}

func (s *site) ask(method, path string, r request) answer {
	s.t.Helper()
	var body io.Reader
	if r.body != "" {
		body = strings.NewReader(r.body)
	}
	q, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	if r.token != "" {
		q.Header.Set("Authorization", "Bearer "+r.token)
	}
	if r.body != "" && r.contentType == "" {
		r.contentType = "application/json"
	}
	if r.contentType != "" && r.contentType != "-" {
		q.Header.Set("Content-Type", r.contentType)
	}
	for name, value := range r.header {
		q.Header.Set(name, value)
	}
	response, err := sender.Do(q)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	a := answer{s.t, method + " " + path, response.StatusCode, response.Header, string(got)}
	a.documented(method, path)
	return a
}

// want checks the status, and that a failure is a problem in due form.
func (a answer) want(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s: got %d %s, want %d", a.what, a.status, a.body, status)
	}
	for name, value := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		"X-Frame-Options": "DENY"} {
		if got := a.header.Get(name); got != value {
			a.t.Errorf("%s: %s is %q, want %q", a.what, name, got, value)
		}
	}
	if a.header.Get("Content-Security-Policy") == "" || a.header.Get("X-Request-Id") == "" {
		a.t.Errorf("%s: no Content-Security-Policy or X-Request-Id", a.what)
	}
	if status >= 400 && !strings.HasPrefix(a.what, http.MethodHead) {
		a.problem()
	}
	return a
}

// problem is a failure in due form.
func (a answer) problem() (p client.Problem) {
	a.t.Helper()
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		a.t.Fatalf("%s: Content-Type is %q: %s", a.what, got, a.body)
	}
	d := json.NewDecoder(strings.NewReader(a.body))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		a.t.Fatalf("%s: %v in %s", a.what, err, a.body)
	}
	if p.Type != "about:blank" || p.Title != http.StatusText(a.status) || p.Status != a.status || p.Detail == "" || p.Code == "" ||
		p.RequestID != a.header.Get("X-Request-Id") {
		a.t.Errorf("%s: odd problem %s", a.what, a.body)
	}
	switch a.status {
	case 401:
		if got := a.header.Get("WWW-Authenticate"); got != "Bearer" {
			a.t.Errorf("%s: WWW-Authenticate is %q", a.what, got)
		}
	case 429, 503:
		if got := a.header.Get("Retry-After"); (got == "" || got == "0") && (p.Limit == nil || p.Limit.Asked <= p.Limit.Allowed) {
			a.t.Errorf("%s: Retry-After is %q", a.what, got)
		}
	case 422:
		if len(p.Errors) == 0 {
			a.t.Errorf("%s: no field is named: %s", a.what, a.body)
		}
	}
	return p
}

// code checks what a problem is about: its code and its fields.
func (a answer) code(code string, fields ...string) {
	a.t.Helper()
	p := a.problem()
	var got []string
	for _, f := range p.Errors {
		got = append(got, f.Field)
	}
	if d := cmp.Diff(fields, got); p.Code != code || d != "" {
		a.t.Errorf("%s: code %q, want %q; fields (-want +got):\n%s", a.what, p.Code, code, d)
	}
}

func read[T any](a answer) (v T) {
	a.t.Helper()
	if got := a.header.Get("Content-Type"); got != "application/json" {
		a.t.Fatalf("%s: Content-Type is %q", a.what, got)
	}
	d := json.NewDecoder(strings.NewReader(a.body))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		a.t.Fatalf("%s: %v in %s", a.what, err, a.body)
	}
	return v
}

const password = "correct-horse-1"

// user makes an account and signs in.
func (s *site) user(name string) (id int64, token string) {
	s.t.Helper()
	u, err := s.accounts.AddUser(s.t.Context(), account.SignUp{Name: name, Email: name + "@example.org", Password1: password,
		Password2: password},
		map[bool]string{true: account.RoleAdmin}[name == "root"])
	if err != nil {
		s.t.Fatal(err)
	}
	return u.ID, s.login(name).AccessToken
}

func (s *site) login(name string) client.Grant {
	s.t.Helper()
	return read[client.Grant](s.ask("POST", "/api/v1/user/login", form("username", name, "password", password)).want(200))
}

func form(pairs ...string) request {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return request{contentType: "application/x-www-form-urlencoded", body: v.Encode()}
}

func as(token string) request { return request{token: token} }

func (r request) with(body string) request { r.body = body; return r }

func (r request) head(name, value string) request {
	r.header = map[string]string{name: value}
	return r
}

// formFile is a file of a form; disposition is used as it is where it is not empty.
type formFile struct{ disposition, name, data string }

func files(token string, uploads ...formFile) request {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, u := range uploads {
		if u.disposition == "" {
			u.disposition = `form-data; name="file"; filename="` + u.name + `"`
		}
		part, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {u.disposition}})
		if err != nil {
			panic(err)
		}
		_, _ = io.WriteString(part, u.data)
	}
	_ = w.Close()
	return request{token: token, contentType: w.FormDataContentType(), body: b.String()}
}

// page is a PNG file of that size.
func page(width, height int) string {
	m := image.NewGray(image.Rect(0, 0, width, height))
	for i := range m.Pix {
		m.Pix[i] = uint8(i * 7)
	}
	m.Set(0, 0, color.Gray{Y: uint8(width)})
	return string(porttest.PNG(m))
}

// image uploads a page of 64 × 48 pixels.
func (s *site) image(token string) client.Image {
	s.t.Helper()
	return read[client.Image](s.ask("POST", "/api/v1/image", files(token, formFile{name: "page.png", data: page(64, 48)})).want(201))
}
