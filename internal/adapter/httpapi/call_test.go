package httpapi

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
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

// lines are what was logged, by request id.
func (s *site) lines() map[string]map[string]any {
	s.t.Helper()
	found := map[string]map[string]any{}
	for scan := bufio.NewScanner(strings.NewReader(s.logs.String())); scan.Scan(); {
		var line map[string]any
		if err := json.Unmarshal(scan.Bytes(), &line); err != nil {
			s.t.Fatal(err)
		}
		id, _ := line["request_id"].(string)
		found[id] = line
	}
	return found
}

func TestLog(t *testing.T) {
	s := open(t)
	id, ann := s.user("ann")
	i := s.image(ann)
	ask := func(name, method, path, token string) {
		s.ask(method, path, request{token: token, header: map[string]string{"X-Request-Id": name}})
	}
	image := fmt.Sprintf("%s/image/%d", base, i.ID)
	ask("fine", "GET", image+"/meta", ann)
	ask("missing", "GET", base+"/image/9999/meta", ann)
	ask("refused", "GET", image+"/meta", "nonsense")
	ask("invalid", "GET", base+"/image?size=0", ann)
	ask("lost", "GET", "/nothing", "")
	s.Fail("Catalog.List", porttest.Before)
	ask("away", "GET", base+"/image", ann)

	user := float64(id)
	want := map[string]map[string]any{
		"fine": {"level": "INFO", "msg": "request", "method": "GET", "route": "GET /api/v1/image/{id}/meta", "status": 200.0,
			"user_id": user},
		"missing": {"level": "INFO", "msg": "request", "method": "GET", "route": "GET /api/v1/image/{id}/meta", "status": 404.0,
			"user_id": user, "code": "image_not_found"},
		"refused": {"level": "INFO", "msg": "request", "method": "GET", "route": "GET /api/v1/image/{id}/meta", "status": 401.0,
			"code": "invalid_token"},
		"invalid": {"level": "INFO", "msg": "request", "method": "GET", "route": "GET /api/v1/image", "status": 422.0, "user_id": user,
			"code": "invalid_input"},
		"lost": {"level": "INFO", "msg": "request", "method": "GET", "route": "none", "status": 404.0, "code": "no_such_path"},
		"away": {"level": "ERROR", "msg": "request", "method": "GET", "route": "GET /api/v1/image", "status": 503.0, "user_id": user,
			"code":  "injected",
			"cause": "injected: The store is away."},
	}
	lines := s.lines()
	for name, line := range want {
		got := lines[name]
		for _, key := range []string{"time", "duration", "bytes", "request_id"} {
			if _, ok := got[key]; !ok {
				t.Errorf("%s has no %s", name, key)
			}
			delete(got, key)
		}
		if d := cmp.Diff(line, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// Whatever happens, nothing that was sent or read gets into the logs.
func TestLogKeepsSecrets(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	i := s.image(ann)
	image := fmt.Sprintf("%s/image/%d", base, i.ID)
	const text, keyword, name = "Zeugnisverweigerung", "Kontonummer", "Steuerbescheid"
	s.Say(document.Box{X2: 64, Y2: 48}, text)
	grant := s.login("ann")
	key := read[client.NewKey](s.ask("POST", base+"/user/key", as(ann).with(`{"name":"k"}`)).want(201)).Secret
	s.ask("GET", base+"/user/me", as(key)).want(200)
	s.ask("GET", base+"/image?keyword="+keyword, as(ann)).want(200)
	s.ask("GET", base+"/image?size=0&keyword="+keyword, as(ann)).want(422)
	content := base + "/ocr/" + read[[]client.Content](s.ask("POST", image+"/ocr", as(ann)).want(200))[0].ID
	s.ask("PUT", content, as(ann).with(`{"text":"`+text+` 2"}`)).want(200)
	s.ask("PUT", content, as(ann).with(`{"text":"`+text+`","detail":["`+text+`"]}`)).want(422)
	s.ask("PUT", image, as(ann).with(`{"name":"`+name+`"}`)).want(200)
	s.ask("POST", base+"/image", files(ann, formFile{name: name, data: "no image"})).want(415)
	s.ask("PUT", base+"/user/password", as(ann).with(`{"current_password":"`+password+`","password1":"`+password+`","password2":5}`)).want(
		422)
	s.ask("PUT", base+"/user/password", as(ann).with(`{"current_password":"`+password+`",`)).want(400)
	s.ask("POST", base+"/user/login", form("username", "ann", "password", password+"-wrong")).want(401)
	for op, call := range map[string]func(){
		"Users.ByName":    func() { s.ask("POST", base+"/user/login", form("username", "ann", "password", password)).want(503) },
		"Catalog.List":    func() { s.ask("GET", base+"/image?keyword="+keyword, as(ann)).want(503) },
		"Contents.Revise": func() { s.ask("PUT", content, as(ann).with(`{"text":"`+text+`"}`)).want(503) },
		"Catalog.Update":  func() { s.ask("PUT", image, as(ann).with(`{"name":"`+name+`"}`)).want(503) },
		"Blobs.Put":       func() { s.ask("POST", base+"/image", files(ann, formFile{name: name, data: page(9, 9)})).want(503) },
		"Contents.Get":    func() { s.ask("GET", content, as(ann)).want(503) },
		"Sessions.UpdateSession": func() {
			s.ask("POST", base+"/user/token", request{body: `{"refresh_token":"` + grant.RefreshToken + `"}`}).want(503)
		},
	} {
		s.Fail(op, porttest.Before)
		call()
	}
	s.ask("POST", base+"/user/token", request{body: `{"refresh_token":"` + grant.RefreshToken + `"}`}).want(200)
	got := s.logs.String()
	for what, secret := range map[string]string{"password": password, "access token": ann, "refresh token": grant.RefreshToken,
		"API key": key,
		"text":    text, "keyword": keyword, "name of an image": name, "e-mail": "ann@example.org"} {
		if strings.Contains(got, secret) {
			t.Errorf("the log has a %s", what)
		}
	}
	if n := strings.Count(got, "\n"); n < 20 {
		t.Errorf("%d lines of log", n)
	}
}

func TestRequestTimeout(t *testing.T) {
	s := open(t, func(c *Config) { c.RequestTimeout = time.Nanosecond })
	ann := account.SignUp{Name: "ann", Email: "ann@example.org", Password1: password, Password2: password}
	if _, err := s.accounts.AddUser(t.Context(), ann, ""); err != nil {
		t.Fatal(err)
	}
	grant, err := s.accounts.Login(t.Context(), "ann", password, account.Client{})
	if err != nil {
		t.Fatal(err)
	}
	s.ask("GET", base+"/user/me", as(grant.AccessToken)).want(504).code("deadline_exceeded")
}

// Who goes away is not taken for a failure of ours.
func TestClientGone(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	i := s.image(ann)
	ctx, leave := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, "POST", fmt.Sprintf("%s%s/image/%d/ocr", s.url, base, i.ID), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+ann)
	r.Header.Set("X-Request-Id", "left")
	s.hurdle = func(server context.Context) { // in the middle of the work
		leave()
		<-server.Done()
	}
	if response, err := sender.Do(r); err == nil {
		_ = response.Body.Close()
		t.Error("there was an answer")
	}
	s.close()
	line := s.lines()["left"]
	if line["status"] != 499.0 || line["level"] != "INFO" || line["code"] != "canceled" {
		t.Errorf("logged %v", line)
	}
}

// goneWriter is a client that has hung up.
type goneWriter struct{ *httptest.ResponseRecorder }

func (goneWriter) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

// An answer that cannot be sent is nothing to make a noise about.
func TestNobodyListens(t *testing.T) {
	s := open(t)
	h, err := New(Config{Config: endpoint.Config{Log: slog.New(slog.NewJSONHandler(s.logs, nil))}, Accounts: s.accounts,
		Images: &document.Service{}, Recognition: &recognition.Service{}, Jobs: &job.Service{}, Once: &once.Service{},
		Webhooks: &webhook.Service{}, Limits: &limit.Service{}})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/health", "/ping", "/docs", "/nothing", base + "/user/me"} {
		h.ServeHTTP(goneWriter{httptest.NewRecorder()}, httptest.NewRequest("GET", path, nil))
	}
	if got := s.logs.String(); strings.Count(got, "\n") != 5 || strings.Contains(got, "ERROR") {
		t.Errorf("the log has %s", got)
	}
}

func TestNewNeedsServices(t *testing.T) {
	if h, err := New(Config{}); err == nil || h != nil {
		t.Errorf("made of nothing: %v, %v", h, err)
	}
}
