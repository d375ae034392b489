package app

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	api "glyphbox/client"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
	"glyphbox/internal/reading"
)

func TestOCRByServer(t *testing.T) {
	s := start(t, t.TempDir(), withModels...)
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
	command(t, "", "ocr", good, "--server", s.base, "--token", ann.token, "--lang", "tlh").want(t, exitUsage,
		"--lang tlh: the service has ")
	command(t, "", "ocr", good, "--server", s.base).want(t, exitUsage, tokenVariable)
	command(t, "", "ocr", good, "--server", s.base, "--token", "x", "--user", "ann").want(t, exitUsage, "either")
	command(t, "", "ocr", good, "--rotate", "45").want(t, exitUsage, "--rotate 45")
	command(t, "", "ocr", good, "--effort", "best").want(t, exitUsage, "accurate, balanced, fast")
}

// What is wrong with the address of a service, or with the way to it, is told in plain words.
func TestServerThatIsNotThere(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page.png")
	check.OK(t, "WriteFile", os.WriteFile(page, []byte("page"), 0o600))
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer silent.Close()
	const bad = "must be an address such as https://ocr.example.org\nSee "
	for server, want := range map[string]string{
		"127.0.0.1:8202":  "--server 127.0.0.1:8202: " + bad,
		"localhost:8202":  "--server localhost:8202: " + bad,
		"ocr.example.org": "--server ocr.example.org: " + bad,
		"http://":         "--server http://: " + bad,
		"ftp://x":         "--server ftp://x: " + bad,
		closed.URL + "/a": closed.URL + " cannot be reached: connection refused\n",
		silent.URL:        silent.URL + " closed the connection without an answer\n",
	} {
		code := exitFailure
		if strings.Contains(want, bad) {
			code = exitUsage
		}
		for _, args := range [][]string{{"ocr", page}, {"job", "add", page}, {"job", "list"}, {"job", "watch", "7"}} {
			r := command(t, "", append(args, "--server", server, "--token", "x")...).want(t, code, "")
			if !strings.HasPrefix(r.stderr, "glyphbox: "+want) {
				t.Errorf("%q at %s: got %q, want %q", args, server, r.stderr, want)
			}
		}
	}
}

func TestInterrupted(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		interrupt()
		<-r.Context().Done()
	}))
	defer server.Close()
	var errs bytes.Buffer
	code := Run(ctx, Process{Args: []string{"job", "list", "--server", server.URL, "--token", "x"}, Stdin: strings.NewReader(""),
		Stdout: &errs, Stderr: &errs})
	if want := "glyphbox: interrupted\n"; code != exitFailure || errs.String() != want {
		t.Errorf("exit code %d, got %q, want %q", code, errs.String(), want)
	}
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

// A service reads all pages of documents, or those that are asked for, and what is written is what this program writes by itself.
func TestDocumentsByServer(t *testing.T) {
	s := start(t, t.TempDir())
	ann := s.signUp("ann")
	dir := t.TempDir()
	sheets := make([]image.Image, 3)
	for n, text := range []string{"Thank you for the letter", "What nobody sees", "Three boxes of candles"} {
		sheets[n], _ = porttest.DrawLines(text)
	}
	line := porttest.PDFText(72, 700, 20, "Minutes of the meeting")
	for name, file := range map[string][]byte{
		"a.tiff": porttest.SpoilPage(porttest.OrientedTIFF([]int{1, 3, 6}, sheets...), 2),
		"b.pdf": porttest.PDF(porttest.PDFPage{Content: line}, porttest.PDFPage{Content: line + porttest.PDFImage(72, 400, 400, 80),
			Image: sheets[0]}, porttest.PDFPage{Content: porttest.PDFText(72, 700, 20, "Who was absent"), Rotate: 90}),
	} {
		check.OK(t, "WriteFile", os.WriteFile(filepath.Join(dir, name), file, 0o600))
	}
	byServer := []string{"--server", s.base, "--token", ann.token}
	texts := "==> " + dir + "/a.tiff <==\nThank you for the letter\n\f\fThree boxes of candles\n==> " + dir +
		"/b.pdf <==\nMinutes of the meeting\n\fMinutes of the meeting\n\nThank you for the letter\n\fWho was absent\n"
	for _, format := range []string{"text", "json", "pdf"} {
		t.Run(format, func(t *testing.T) {
			args := []string{"ocr", dir, "--effort", "balanced", "--format", format, "-o", "-"}
			local := command(t, "", append(args, "--models", "none")...).want(t, exitFailure, "a.tiff: page 2: ").want(t, exitFailure,
				"1 of 2").stdout
			remote := command(t, "", append(args, byServer...)...).want(t, exitFailure, "a.tiff: page 2: ").stdout
			switch format {
			case "text":
				check.Same(t, "text", local, texts)
			case "pdf":
				check.Same(t, "pages and their text", textOfPDF(t, []byte(local)), []string{"Thank you for the letter", "",
					"Three boxes of candles", "Minutes of the meeting",
					"Minutes of the meeting\nThank you for the letter", "Who was absent"})
				check.Same(t, "pages and their text, by the service", textOfPDF(t, []byte(remote)), textOfPDF(t, []byte(local)))
				return
			}
			if d := cmp.Diff(ownless(local), ownless(remote)); d != "" {
				t.Errorf("(-by itself +by the service):\n%s", d)
			}
		})
	}
	for _, file := range []string{"a.tiff", "b.pdf"} {
		want := map[string]string{"a.tiff": "Three boxes of candles\n", "b.pdf": "Who was absent\n"}[file]
		got := command(t, "", append([]string{"ocr", filepath.Join(dir, file), "--pages", "3"}, byServer...)...).want(t, exitOK, "").stdout
		check.Same(t, file+", page 3", got, want)
	}
	if images := ann.search(""); len(images) != 0 {
		t.Errorf("what stays is %+v", images)
	}

	// What is kept has one version of each page, also where more had to be asked.
	out := filepath.Join(dir, "kept.pdf")
	command(t, "", append([]string{"ocr", filepath.Join(dir, "b.pdf"), "--keep", "--format", "pdf", "-o", out}, byServer...)...).want(t,
		exitOK, "")
	images := ann.search("")
	if len(images) != 1 || images[0].Pages != 3 {
		t.Fatalf("what is kept is %+v", images)
	}
	runs, err := ann.client().Runs(t.Context(), images[0].ID+1, 0)
	check.Same(t, "versions of page 2", len(ok(t, runs, err)), 1)
}

// ownless removes from an output what depends on the reader: ids, versions, times, and the words of errors.
func ownless(text string) string {
	own := `"(id|revised_by|edited_by|edited_datetime|duration_ms|version|revision)":[^,}]*|,"error":".*`
	return regexp.MustCompile(own).ReplaceAllString(text, "")
}
