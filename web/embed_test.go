package web

import (
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzhttp"
)

func ask(t *testing.T, path, encoding string) *http.Response {
	t.Helper()
	h, err := Handler("")
	if err != nil {
		t.Fatal(err)
	}
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Accept-Encoding", encoding)
	gzhttp.GzipHandler(h)(w, r) // as the API compresses it
	return w.Result()
}

var linked = regexp.MustCompile(`(?:src|href)="(?:\./)?([^"/][^"]*)"`)

// onlyWhereOpened are parts of the page that are loaded when somebody opens them, or behind the list of images, besides the view of a page
// image.
var onlyWhereOpened = regexp.MustCompile(`^(Account|Admin|limits|Edit|Sure|Dialogs|SelectionBar|Uploads|Tray)-`)

// TestFirstLoad adds up what comes over the line before the page is there, and before a page image is.
func TestFirstLoad(t *testing.T) {
	const limit, limitWithView = 57_000, 109_000
	page, err := dist.ReadFile("dist/index.html")
	if err != nil {
		t.Fatal(err)
	}
	if regexp.MustCompile(`<script>|<style|style="|https?://`).Match(page) {
		t.Errorf("the page has something inline or from elsewhere:\n%s", page)
	}
	sent := map[string]bool{"/": true}
	for _, m := range linked.FindAllStringSubmatch(string(page), -1) {
		sent["/"+m[1]] = true
	}
	if len(sent) < 4 {
		t.Fatalf("the page links %v only", sent)
	}
	first := int64(0)
	for path := range sent {
		first += size(t, path)
	}
	files, err := fs.ReadDir(dist, "dist/assets")
	if err != nil {
		t.Fatal(err)
	}
	all, later := first, 0
	for _, file := range files {
		if path := "/assets/" + file.Name(); !sent[path] {
			later++
			if n := size(t, path); !onlyWhereOpened.MatchString(file.Name()) {
				all += n
			}
		}
	}
	if later == 0 {
		t.Error("nothing is loaded later")
	}
	if first > limit {
		t.Errorf("the first load is %d bytes, at most %d", first, limit)
	}
	if all > limitWithView {
		t.Errorf("with the view of a page image it is %d bytes, at most %d", all, limitWithView)
	}
	t.Logf("first load: %d bytes, with the view of a page image %d", first, all)
}

// size is how many bytes of a file are sent, which are compressed where it is not tiny; what is named by its content is kept for good.
func size(t *testing.T, path string) int64 {
	t.Helper()
	r := ask(t, path, "gzip")
	if r.StatusCode != http.StatusOK {
		t.Errorf("%s: %s %v", path, r.Status, r.Header)
	}
	if immutable := strings.Contains(r.Header.Get("Cache-Control"), "immutable"); immutable != strings.HasPrefix(path, "/assets/") {
		t.Errorf("%s: Cache-Control %q", path, r.Header.Get("Cache-Control"))
	}
	n, err := io.Copy(io.Discard, r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestPaths(t *testing.T) {
	for _, path := range []string{"/", "/image/12", "/account", "/index.html"} {
		r := ask(t, path, "")
		if got := r.Header.Get("Content-Type"); r.StatusCode != http.StatusOK || got != "text/html; charset=utf-8" ||
			r.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s: %s, %s", path, r.Status, got)
		}
		csp := r.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none'; script-src 'self';") || strings.Contains(csp, "unsafe") ||
			strings.Contains(csp, "*") {
			t.Errorf("%s: policy %q", path, csp)
		}
	}
	if r := ask(t, "/assets/gone.js", ""); r.StatusCode != http.StatusNotFound {
		t.Errorf("a file that is not there: %s", r.Status)
	}
}
