package app

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	api "glyphbox/client"
	"glyphbox/internal/reading"
)

func TestOCRByServer(t *testing.T) {
	s := start(t, t.TempDir())
	ann := s.signUp("ann")
	png, lines, _ := drawn()
	good, bad := filepath.Join(t.TempDir(), "영수증.png"), filepath.Join(t.TempDir(), "bad.png")
	for name, data := range map[string][]byte{good: png, bad: []byte("no image")} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all := strings.Join(lines, "\n") + "\n"
	if got := command(t, password+"\n", "ocr", good, "--server", s.base, "--user", "ann").want(t, exitOK, "").stdout; got != all {
		t.Errorf("%q, want %q", got, all)
	}
	r := command(t, "", "ocr", bad, good, "--server", s.base+"/", "--token", ann.token, "--format", "json", "--effort", "fast", "--rotate",
		"0").want(t, exitFailure, "1 of 2")
	var pages []reading.Page
	for line := range strings.Lines(r.stdout) {
		var g reading.Page
		if err := json.Unmarshal([]byte(line), &g); err != nil {
			t.Fatal(err)
		}
		pages = append(pages, g)
	}
	if len(pages) != 2 || !strings.Contains(pages[0].Error, "unsupported") || len(pages[1].Contents) != 1 ||
		pages[1].Contents[0].Text != strings.TrimSpace(all) {
		t.Errorf("%+v", pages)
	}
	if images := ann.search(""); len(images) != 0 {
		t.Errorf("what stays is %+v", images)
	}
	var out, errs bytes.Buffer
	code := Run(t.Context(), Process{Args: []string{"ocr", good, "--server", s.base, "--keep", "--region", "0,0,9999,9"},
		Env:   []string{tokenVariable + "=" + ann.token},
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs})
	if code != exitFailure || !strings.Contains(errs.String(), "regions[0].x2") {
		t.Errorf("exit code %d\n%s", code, errs.String())
	}
	if images := ann.search(""); len(images) != 1 || images[0].Name != "영수증.png" {
		t.Errorf("what is kept is %+v", images)
	}
	command(t, "wrong-password-1", "ocr", good, "--server", s.base, "--user", "ann").want(t, exitFailure, "401")
	command(t, "", "ocr", good, "--server", s.base, "--token", "x").want(t, exitFailure, "401")
	command(t, "", "ocr", good, "--server", s.base).want(t, exitUsage, tokenVariable)
	command(t, "", "ocr", good, "--server", s.base, "--token", "x", "--user", "ann").want(t, exitUsage, "either")
	command(t, "", "ocr", good, "--rotate", "45").want(t, exitUsage, "--rotate 45")
	command(t, "", "ocr", good, "--effort", "best").want(t, exitUsage, "accurate, balanced, fast")
}

// A token may expire among many files, and the service may be busy.
func TestSessionGoesOn(t *testing.T) {
	var logins, asked atomic.Int64
	service := http.NewServeMux()
	service.HandleFunc("POST /api/v1/user/login", func(w http.ResponseWriter, r *http.Request) {
		logins.Add(1)
		_ = json.NewEncoder(w).Encode(api.Grant{AccessToken: "token-" + r.FormValue("password")})
	})
	service.HandleFunc("GET /api/v1/user/me", func(w http.ResponseWriter, r *http.Request) {
		switch n := asked.Add(1); {
		case n == 1:
			w.WriteHeader(http.StatusUnauthorized)
		case n < 4:
			w.Header().Set("Retry-After", "0.001")
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			_ = json.NewEncoder(w).Encode(api.User{Email: new(r.Header.Get("Authorization"))})
		}
	})
	server := httptest.NewServer(service)
	defer server.Close()
	s := &session{name: "ann", password: "p", client: api.Client{Server: server.URL, Token: "expired"}}
	var me api.User
	err := s.do(t.Context(), func(c api.Client) (err error) { me, err = c.Me(t.Context()); return err })
	if err != nil || *me.Email != "Bearer token-p" {
		t.Fatalf("%+v, %v", me, err)
	}
	if d := cmp.Diff([]int64{1, 4}, []int64{logins.Load(), asked.Load()}); d != "" {
		t.Errorf("logins and requests (-want +got):\n%s", d)
	}
}
