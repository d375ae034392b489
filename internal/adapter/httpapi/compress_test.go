package httpapi

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"glyphbox/internal/adapter/httpapi/endpoint"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/job"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/once"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/domain/webhook"
)

// plain is the body of an answer, which must be compressed.
func (a answer) plain() string {
	a.t.Helper()
	if got := a.header.Get("Content-Encoding"); got != "gzip" {
		a.t.Fatalf("%s: Content-Encoding is %q", a.what, got)
	}
	r, err := gzip.NewReader(strings.NewReader(a.body))
	if err != nil {
		a.t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		a.t.Fatal(err)
	}
	return string(text)
}

func TestAcceptEncoding(t *testing.T) {
	s := open(t)
	whole := s.ask("GET", "/openapi.json", request{}).want(200).body
	for header, compressed := range map[string]bool{
		"gzip": true, "GZIP": true, "gzip;q=0.5": true, "deflate, gzip;q=1.0, *;q=0.5": true, "br, gzip": true, "gzip , deflate": true,
		"": false, "identity": false, "gzip;q=0": false, "gzip; q=0.000": false, "gzipped": false, "x-gzip-2": false, "deflate": false,
	} {
		a := s.ask("GET", "/openapi.json", request{header: map[string]string{"Accept-Encoding": header}}).want(200)
		if a.header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: Vary is %q", header, a.header.Get("Vary"))
		}
		if !compressed {
			if a.body != whole || a.header.Get("Content-Encoding") != "" {
				t.Errorf("%q: compressed", header)
			}
			continue
		}
		if a.plain() != whole || len(a.body) > len(whole)/4 {
			t.Errorf("%q: %d bytes of %d", header, len(a.body), len(whole))
		}
	}
}

// What is compressed has another tag, and each tag does what tags do.
func TestTagsOfCompressed(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	image := fmt.Sprintf("%s/image/%d", base, s.image(ann).ID)
	s.Say(document.Box{X2: 64, Y2: 48}, strings.Repeat("word ", 400))
	content := base + "/ocr/" + read[[]struct{ ID string }](answer{t: t, header: http.Header{"Content-Type": {"application/json"}},
		body: firstID(s.ask("POST", image+"/ocr", as(ann)).want(200).body)})[0].ID
	ask := func(method, path, body string, header ...string) answer {
		r := request{token: ann, body: body, header: map[string]string{}}
		for i := 0; i < len(header); i += 2 {
			r.header[header[i]] = header[i+1]
		}
		return s.ask(method, path, r)
	}
	a := ask("GET", content, "", "Accept-Encoding", "gzip").want(200)
	a.plain()
	if got := a.header.Get("ETag"); got != `"1-gzip"` {
		t.Fatalf("ETag is %s", got)
	}
	for _, tag := range []string{`"1-gzip"`, `W/"1-gzip"`, `"7", "1-gzip"`} {
		if a := ask("GET", content, "", "Accept-Encoding", "gzip", "If-None-Match", tag).want(304); a.header.Get("ETag") != `"1-gzip"` ||
			a.body != "" {
			t.Errorf("%s: 304 with %s", tag, a.header.Get("ETag"))
		}
	}
	if a := ask("GET", content, "", "If-None-Match", `"1"`).want(304); a.header.Get("ETag") != `"1"` {
		t.Errorf("304 with %s", a.header.Get("ETag"))
	}
	ask("PUT", content, `{"text":"x"}`, "If-Match", `"1-gzip"`).want(200)
	ask("PUT", content, `{"text":"x"}`, "If-Match", `"1-gzip"`).want(412)

	// A range of uncompressed bytes does not continue compressed ones.
	tag := ask("GET", "/openapi.json", "", "Accept-Encoding", "gzip").want(200).header.Get("ETag")
	if a := ask("GET", "/openapi.json", "", "Accept-Encoding", "gzip", "Range", "bytes=0-2000", "If-Range",
		tag).want(200); a.header.Get("Content-Encoding") != "gzip" {
		t.Errorf("If-Range with %s: %v", tag, a.header)
	}
	if a := ask("GET", "/openapi.json", "", "Accept-Encoding", "gzip", "Range", "bytes=0-2000").want(206); len(a.body) != 2001 ||
		a.header.Get("Content-Encoding") != "" {
		t.Errorf("a range is compressed: %v", a.header)
	}
}

// firstID cuts the list of contents down to their ids.
func firstID(body string) string {
	id, _, _ := strings.Cut(strings.TrimPrefix(body, `[{"id":"`), `"`)
	return `[{"id":"` + id + `"}]`
}

func TestNotCompressed(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	image := fmt.Sprintf("%s/image/%d", base, s.image(ann).ID)
	big := fmt.Sprintf("%s/image/%d", base, read[struct{ ID int64 }](answer{t: t, header: http.Header{"Content-Type": {"application/json"}},
		body: strings.SplitN(s.ask("POST", base+"/image", files(ann, formFile{name: "a.png", data: page(300, 200)})).want(201).body, ",",
			2)[0] + "}"}).ID)
	for _, path := range []string{image, big, big + "/view", big + "/crop?x1=0&y1=0&x2=300&y2=200", image + "/meta", base + "/user/me"} {
		if a := s.ask("GET", path, as(ann).head("Accept-Encoding", "gzip")).want(200); a.header.Get("Content-Encoding") != "" {
			t.Errorf("%s is compressed", path) // an image, or too short
		}
	}
}

// What breaks off does not look whole, compressed or not.
func TestCompressedBreaksOff(t *testing.T) {
	s := open(t)
	h, err := New(Config{Accounts: s.accounts, Images: &document.Service{}, Recognition: &recognition.Service{}, Jobs: &job.Service{},
		Webhooks: &webhook.Service{}, Limits: &limit.Service{}, Once: &once.Service{},
		Config: endpoint.Config{Log: slog.New(slog.NewJSONHandler(s.logs, nil)),
			Web: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/plain")
				_, _ = w.Write(bytes.Repeat([]byte("some text "), 100_000))
				panic(http.ErrAbortHandler)
			})}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	defer server.Close()
	r, err := http.NewRequest("GET", server.URL+"/broken", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", "gzip")
	response, err := sender.Do(r)
	if err != nil {
		return // before the header is as good
	}
	defer response.Body.Close()
	if n, err := io.Copy(io.Discard, response.Body); err == nil {
		t.Errorf("%d bytes look like the whole", n)
	}
}
