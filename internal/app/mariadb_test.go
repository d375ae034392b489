package app

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"glyphbox/internal/porttest/mariadbtest"
)

// The service without its database says so at once, and goes on by itself when that is back.
func TestDatabaseGoesAway(t *testing.T) {
	database := mariadbtest.New(t)
	s := start(t, t.TempDir(), "--database", mariadbtest.DatabaseOn(t, "mariadb://root@"+database.Addr()))
	ann := s.signUp("ann")
	page, _, boxes := drawn()
	image := ann.upload("page.png", page)
	ocr := path("/image/%d/ocr", image.ID)
	ann.call(http.StatusOK, "POST", ocr, boxes[:1])

	database.Kill()
	away := func(what string, answer func() reply) {
		t.Helper()
		begin := time.Now()
		r := answer()
		if took := time.Since(begin); took > 2*time.Second {
			t.Errorf("%s took %s, want about a second", what, took)
		}
		if r.Header.Get("Retry-After") == "" {
			t.Errorf("%s: there is no Retry-After in %v", what, r.Header)
		}
	}
	away("a list", func() reply { return ann.do(http.StatusServiceUnavailable, "GET", path("/image"), nil) })
	away("a recognition", func() reply {
		return ann.call(http.StatusServiceUnavailable, "POST", ocr, boxes[:1])
	})
	away("an upload", func() reply {
		body, contentType := multipartOf(t, "other.png", page)
		return ann.do(http.StatusServiceUnavailable, "POST", path("/image"), bytes.NewReader(body.Bytes()), "Content-Type", contentType)
	})
	ready := string(s.do(http.StatusServiceUnavailable, "GET", "/ready", nil).body)
	if !strings.Contains(ready, `"database":{"state":"away"}`) || !strings.Contains(ready, `"blobs":{"state":"ok"}`) {
		t.Errorf("ready: %s", ready)
	}
	s.do(http.StatusOK, "GET", "/health", nil)

	if err := database.Run(); err != nil {
		t.Fatal(err)
	}
	for {
		r, err := try(s.request("GET", "/ready", nil))
		if err != nil {
			t.Fatal(err)
		}
		if r.StatusCode == http.StatusOK {
			break
		}
	}
	ann.call(http.StatusOK, "POST", ocr, boxes[:1])
	if runs := as[[]runBody](t, ann.do(http.StatusOK, "GET", ocr, nil)); len(runs) != 2 {
		t.Errorf("got %d runs, want the one before and the one after", len(runs))
	}
}
