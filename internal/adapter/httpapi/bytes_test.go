package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"mime"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"glyphbox/client"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/porttest"
)

func TestUpload(t *testing.T) {
	s := open(t)
	id, ann := s.user("ann")
	data := page(64, 48)
	sum := sha256.Sum256([]byte(data))
	a := s.ask("POST", base+"/image", files(ann, formFile{name: "a.png", data: data},
		formFile{disposition: `form-data; name="password"`, data: "not needed"})).want(201)
	got := read[client.Image](a)
	name := "ann"
	want := client.Image{ID: got.ID, Document: got.ID, Page: 1, Name: "a.png", MediaType: "image/png", Width: 64, Height: 48,
		Size: int64(len(data)), SHA256: hex.EncodeToString(sum[:]), Pages: 1,
		Visibility: "private", User: client.Ref{ID: id, Name: &name}, CreatedDatetime: got.CreatedDatetime,
		SharedWith: []string{}, Tags: []string{}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("image (-want +got):\n%s", d)
	}
	location := a.header.Get("Location")
	if location != fmt.Sprintf("/api/v1/image/%d", got.ID) {
		t.Errorf("Location is %q", location)
	}
	if s.ask("GET", location, as(ann)).want(200).body != data {
		t.Error("what comes back is not what was sent")
	}

	several := s.ask("POST", base+"/image", files(ann, formFile{name: "1.png", data: page(10, 10)},
		formFile{name: "2.png", data: page(11, 10)})).want(201)
	images := read[[]client.Image](several)
	if len(images) != 2 || images[0].Name != "1.png" || images[1].Width != 11 || several.header.Get("Location") != "" {
		t.Errorf("several: %s", several.body)
	}
}

func TestUploadNames(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	for disposition, want := range map[string]string{
		`filename="영수증 1.png"`:                                               "영수증 1.png",
		`filename*=UTF-8''%EC%98%81%EC%88%98%EC%A6%9D.png`:                   "영수증.png",
		`filename="_.png"; filename*=UTF-8''%EC%98%81%EC%88%98%EC%A6%9D.png`: "영수증.png",
		`filename="../../etc/passwd"`:                                        "passwd",
		`filename="C:\\scans\\a.png"`:                                        "a.png",
		`filename=""`:                                                        "untitled",
		`filename="  "`:                                                      "untitled",
		`filename="a/"`:                                                      "a",
		`filename=".."`:                                                      "..",
		`filename="<script>alert(1)</script>.png"`:                           "script>.png",
		`filename="a;b=c.png"`:                                               "a;b=c.png",
		`filename="` + strings.Repeat("가", 200) + `"`:                        strings.Repeat("가", 200),
		`filename="a.png"; x="y"`:                                            "a.png",
		``:                                                                   "untitled",
	} {
		part := `form-data; name="file"; ` + disposition
		got := read[client.Image](s.ask("POST", base+"/image", files(ann,
			formFile{disposition: strings.TrimSuffix(part, "; "), data: page(8, 8)})).want(201))
		if got.Name != want {
			t.Errorf("%s: got %q, want %q", disposition, got.Name, want)
		}
	}
	for _, disposition := range []string{`filename="` + strings.Repeat("x", 201) + `"`, "filename=\"a\x01.png\"",
		`filename*=UTF-8''a%00.png`} {
		a := s.ask("POST", base+"/image", files(ann, formFile{disposition: `form-data; name="file"; ` + disposition, data: page(8, 8)}))
		if a.status == 201 { // a parser that does not understand a name may leave it out, but nothing odd may be stored
			if got := read[client.Image](a).Name; got != "untitled" {
				t.Errorf("%q became %q", disposition, got)
			}
			continue
		}
		if a.status != 400 { // an invalid header is not one of a form
			a.want(422).code("invalid_input", "file")
		}
	}
}

func TestUploadRefused(t *testing.T) {
	spool := t.TempDir()
	s := open(t, func(c *Config) { c.SpoolDir = spool })
	_, ann := s.user("ann")
	good, big := page(8, 8), strings.Repeat("x", 100_001)
	post := func(uploads ...formFile) answer { return s.ask("POST", base+"/image", files(ann, uploads...)) }
	post().want(422).code("invalid_input", "file")
	post(formFile{disposition: `form-data; name="image"; filename="a.png"`, data: good}).want(422).code("invalid_input", "image")
	post(formFile{}).want(422).code("invalid_input", "file") // no file was chosen
	post(formFile{name: "a.txt", data: "no image"}).want(415).code("unsupported_image", "file")
	post(formFile{name: "empty.png"}).want(415).code("unsupported_image", "file")
	post(formFile{name: "a.png", data: big}).want(413).code("file_too_large", "file[0]")
	post(formFile{name: "a.png", data: good}, formFile{name: "b.png", data: big}).want(413).code("file_too_large", "file[1]")
	four := formFile{name: "a.png", data: good}
	post(four, four, four, four).want(413).code("too_many_files", "file")
	if a := post(formFile{name: "a.png", data: big}); !strings.Contains(a.body, "100000 bytes") {
		t.Errorf("the limit is not named: %s", a.body)
	}
	post(formFile{disposition: `form-data; name="password"`, data: strings.Repeat("x", 2_000_000)}).want(413).code("body_too_large")

	post(formFile{name: "a.png", data: good}, formFile{disposition: `form-data; name="tag"`, data: "x"}).want(422).
		code("invalid_input", "tag")
	s.ask("POST", base+"/image", as(ann)).want(400).code("body_missing")
	s.ask("POST", base+"/image", as(ann).with("{}")).want(415).code("wrong_content_type")
	s.ask("POST", base+"/image", request{token: ann, body: "x", contentType: "multipart/form-data"}).want(400).code("malformed_form")
	whole := files(ann, formFile{name: "a.png", data: good})
	cut := whole
	cut.body = cut.body[:len(cut.body)/2]
	s.ask("POST", base+"/image", cut).want(400).code("malformed_form")
	// A form that ends before its closing boundary was cut off, and is not just shorter.
	closing := strings.LastIndex(whole.body, "--"+strings.TrimPrefix(whole.contentType, "multipart/form-data; boundary="))
	boundary := whole.body[closing : len(whole.body)-len("--\r\n")]
	for _, body := range []string{"no form at all", whole.body[:closing], whole.body[:closing-2], whole.body[:closing] + boundary,
		whole.body[:closing] + boundary + "\r\nContent-Disp"} {
		cut.body = body
		s.ask("POST", base+"/image", cut).want(400).code("malformed_form")
	}
	cut.body = strings.TrimSuffix(whole.body, "\r\n") // the last line need not end
	s.ask("DELETE", s.ask("POST", base+"/image", cut).want(201).header.Get("Location"), as(ann)).want(204)

	// When one of several is refused none stays.
	post(four, four, formFile{name: "c.png", data: "no image"}).want(415).code("unsupported_image", "file[2]")
	if got := s.ask("GET", base+"/image", as(ann)).want(200).header.Get("X-Total-Count"); got != "0" {
		t.Errorf("%s images stay", got)
	}
	if orphans := s.Orphans(); len(orphans) != 0 {
		t.Errorf("left behind: %v", orphans)
	}
	s.Fail("Blobs.Put", porttest.Before)
	post(four).want(503).code("injected", "file")
	if left, err := os.ReadDir(spool); err != nil || len(left) != 0 {
		t.Errorf("%d files left in the spool, %v", len(left), err)
	}
}

// seekers is an imager that wants pages that need not be held in memory.
type seekers struct {
	document.Imager
	files document.Files
	t     *testing.T
}

func (s seekers) Probe(ctx context.Context, f document.File) (document.Probe, error) {
	r, err := s.files.Open(ctx, f)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, ok := r.(io.Seeker); !ok {
		s.t.Errorf("a page is opened as %T", r)
	}
	_ = r.Close()
	return s.Imager.Probe(ctx, f)
}

func TestUploadStaysOnDisk(t *testing.T) {
	s := open(t, func(c *Config) { c.Images.Imager = seekers{c.Images.Imager, c.Images.Files, t} })
	_, ann := s.user("ann")
	s.image(ann)
}

func TestSpoolAway(t *testing.T) {
	s := open(t, func(c *Config) { c.SpoolDir = "/nowhere/at/all" })
	_, ann := s.user("ann")
	a := s.ask("POST", base+"/image", files(ann, formFile{name: "a.png", data: page(8, 8)})).want(500)
	a.code("internal")
	if strings.Contains(a.body, "nowhere") || !strings.Contains(s.logs.String(), "nowhere") {
		t.Errorf("the client is told %s, the log has %s", a.body, s.logs)
	}
}

// A client that stops in the middle of a body holds nothing for long.
func TestStalledUpload(t *testing.T) {
	t.Parallel()
	s := open(t, func(c *Config) { c.StallTimeout = 2 * time.Second })
	_, ann := s.user("ann")
	got := s.stall(fmt.Sprintf("POST /api/v1/image HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: "+
		"multipart/form-data; boundary=b\r\nContent-Length: 90000\r\n\r\n"+
		"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\nhalf", ann))
	if !strings.HasPrefix(got, "HTTP/1.1 400 ") || !strings.Contains(got, "body_too_slow") {
		t.Errorf("answered %q", got)
	}
}

// Nor does one that does not send the body of a request that is refused anyway.
func TestStalledRefused(t *testing.T) {
	t.Parallel()
	s := open(t, func(c *Config) { c.StallTimeout = 2 * time.Second })
	got := s.stall("POST /api/v1/user/key HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\nhalf")
	if !strings.HasPrefix(got, "HTTP/1.1 401 ") {
		t.Errorf("answered %q", got)
	}
}

// stall sends the beginning of a request and returns what comes back until the server hangs up.
func (s *site) stall(begin string) string {
	s.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Minute)); err != nil {
		s.t.Fatal(err)
	}
	if _, err := io.WriteString(conn, begin); err != nil {
		s.t.Fatal(err)
	}
	all, err := io.ReadAll(conn)
	if err != nil {
		s.t.Fatalf("the server waits on: %v", err)
	}
	return string(all)
}

// A request may take longer than a client may stall, as long as the client has done its part.
func TestSlowAnswerIsNoStall(t *testing.T) {
	t.Parallel()
	s := open(t, func(c *Config) { c.StallTimeout = 6 * time.Second })
	_, ann := s.user("ann")
	i := s.image(ann)
	slow := make(chan struct{})
	s.Meanwhile("Engine.Recognize", func() {
		time.AfterFunc(7*time.Second, func() { close(slow) })
		<-slow
	})
	s.ask("POST", fmt.Sprintf("%s/image/%d/ocr", base, i.ID), as(ann).with(`[{"x1":0,"y1":0,"x2":9,"y2":9}]`)).want(200)
}

func TestOriginal(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	data := page(64, 48)
	i := read[client.Image](s.ask("POST", base+"/image", files(ann, formFile{name: `영수증 \"1\".png`, data: data})).want(201))
	path := fmt.Sprintf("%s/image/%d", base, i.ID)
	a := s.ask("GET", path, as(ann)).want(200)
	tag := `"` + i.SHA256 + `"`
	for name, want := range map[string]string{"Content-Type": "image/png", "ETag": tag, "Accept-Ranges": "bytes",
		"Content-Length": fmt.Sprint(len(data)),
		"Cache-Control":  "private, no-cache", "Content-Encoding": "",
		"Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'"} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if vary := a.header.Values("Vary"); !slices.Contains(vary, "Authorization") || !slices.Contains(vary, "Accept-Encoding") {
		t.Errorf("Vary is %q", vary)
	}
	kind, params, err := mime.ParseMediaType(a.header.Get("Content-Disposition"))
	if err != nil || kind != "inline" || params["filename"] != i.Name {
		t.Errorf("Content-Disposition is %q: %v", a.header.Get("Content-Disposition"), err)
	}
	if _, err := http.ParseTime(a.header.Get("Last-Modified")); err != nil {
		t.Error(err)
	}
	if a.body != data {
		t.Error("other bytes")
	}

	with := func(name, value string) answer { return s.ask("GET", path, as(ann).head(name, value)) }
	n := len(data)
	for header, want := range map[string]string{"bytes=0-3": data[:4], "bytes=10-": data[10:], "bytes=-5": data[n-5:],
		fmt.Sprintf("bytes=5-%d", n+100): data[5:], "bytes=5-99999999999999999999": data[5:], "bytes=-99999999999999999999": data,
		"bytes=-0,, 0-1": data[:2]} {
		if a := with("Range", header).want(206); a.body != want || !strings.HasSuffix(a.header.Get("Content-Range"),
			fmt.Sprintf("/%d", n)) {
			t.Errorf("%s: %d bytes, %q", header, len(a.body), a.header.Get("Content-Range"))
		}
	}
	for _, none := range []string{"lines=0-3", "bytes=5-1", "bytes=-", "bytes=", "bytes=x-3", "bytes=+1-3", "bytes=1--3", "bytes=0-1,3-2",
		"bytes=99999999999999999999-5"} { // anything else than a valid range is ignored (RFC 9110, 14.2)
		if with("Range", none).want(200).body != data {
			t.Errorf("%s is not the whole file", none)
		}
	}
	for _, outside := range []string{fmt.Sprintf("bytes=%d-", n+1), fmt.Sprintf("bytes=%d-", n), "bytes=-0",
		"bytes=99999999999999999999-"} {
		a = with("Range", outside).want(416)
		a.code("range_not_satisfiable")
		if got := a.header.Get("Content-Range"); got != fmt.Sprintf("bytes */%d", n) {
			t.Errorf("%s: Content-Range is %q", outside, got)
		}
	}
	for ifRange, status := range map[string]int{tag: 206, `"other"`: 200, a.header.Get("Last-Modified"): 206} {
		if ifRange == "" {
			continue
		}
		s.ask("GET", path, request{token: ann, header: map[string]string{"Range": "bytes=0-3", "If-Range": ifRange}}).want(status)
	}
	if a := with("If-None-Match", tag).want(304); a.body != "" {
		t.Errorf("304 with %d bytes", len(a.body))
	}
	with("If-None-Match", `"other"`).want(200)
	with("If-Match", `"other"`).want(412).code("precondition_failed")
	s.Fail("Blobs.Open", porttest.Before)
	s.ask("GET", path, as(ann)).want(503).code("injected")
}

func TestRenditions(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	i := read[client.Image](s.ask("POST", base+"/image", files(ann, formFile{name: "a.png", data: page(300, 200)})).want(201))
	path := fmt.Sprintf("%s/image/%d", base, i.ID)
	for _, test := range []struct {
		path, cache   string
		width, height int
	}{
		{"/thumbnail", "private, no-cache", 128, 85},
		{"/view", "private, no-cache", 300, 200},
		{"/view?width=30", "private, no-cache", 30, 20},
		{"/view?x1=20&y1=100&x2=120&y2=150", "private, no-cache", 100, 50},
		{"/view?x1=20&y1=100&x2=120&y2=150&width=50", "private, no-cache", 50, 25},
		{"/view?x1=20&y1=100", "private, no-cache", 280, 100},
	} {
		a := s.ask("GET", path+test.path, as(ann)).want(200)
		m, err := png.Decode(bytes.NewReader([]byte(a.body)))
		if err != nil {
			t.Fatalf("%s: %v", test.path, err)
		}
		if size := m.Bounds().Size(); size.X != test.width || size.Y != test.height || a.header.Get("Content-Type") != "image/png" ||
			a.header.Get("Cache-Control") != test.cache {
			t.Errorf("%s: %v, %v", test.path, size, a.header)
		}
		tag := a.header.Get("ETag")
		if tag == "" {
			t.Errorf("%s has no ETag", test.path)
		}
		kept := s.ask("GET", path+test.path, as(ann).head("If-None-Match", tag)).want(304)
		// it would replace what is kept
		if now := kept.header.Get("Content-Disposition"); now != "" && now != a.header.Get("Content-Disposition") {
			t.Errorf("%s: Content-Disposition is %q, and %q with 304", test.path, a.header.Get("Content-Disposition"), now)
		}
	}
	tags := map[string]bool{}
	for _, query := range []string{"width=30", "width=31", "width=30&x1=1", "width=30&y1=1", "width=30&x2=299", "width=30&y2=199"} {
		tags[s.ask("GET", path+"/view?"+query, as(ann)).want(200).header.Get("ETag")] = true
	}
	if len(tags) != 6 {
		t.Errorf("six views have the tags %v", tags)
	}
	for query, field := range map[string]string{"x1=-1": "x1", "y1=-5": "y1", "x2=301": "x2", "y2=201": "y2", "x1=9&x2=9": "x2",
		"x1=x": "x1"} {
		s.ask("GET", path+"/view?"+query, as(ann)).want(422).code("invalid_input", field)
	}
	for _, width := range []string{"15", "8193", "x"} {
		s.ask("GET", path+"/view?width="+width, as(ann)).want(422).code("invalid_input", "width")
	}
	a := s.ask("GET", path+"/crop?x1=10&y1=20&x2=60&y2=50&lang=kor&psm=7", as(ann)).want(200)
	m, err := png.Decode(bytes.NewReader([]byte(a.body)))
	if err != nil || m.Bounds().Dx() != 50 || m.Bounds().Dy() != 30 {
		t.Errorf("crop: %v", err)
	}
	var regions []struct {
		client.Box
		Rotation *int `json:"rotation"`
	}
	a = s.ask("GET", path+"/layout?level=block", as(ann)).want(200)
	if err := json.Unmarshal([]byte(a.body), &regions); err != nil || len(regions) != 1 || regions[0].X2 <= regions[0].X1 ||
		regions[0].Y2 <= regions[0].Y1 || regions[0].Rotation == nil {
		t.Errorf("layout: got %s, %v", a.body, err)
	}
	s.ask("GET", path+"/layout?level=page", as(ann)).want(422).code("invalid_input", "level")
	s.ask("GET", path+"/crop", as(ann)).want(422).code("invalid_input", "x1", "y1", "x2", "y2")
	s.ask("GET", path+"/crop?x1=10&y1=20&x2=301&y2=50", as(ann)).want(422).code("invalid_input", "x2")
	s.ask("GET", path+"/crop?x1=10&y1=20&x2=60&y2=50&psm=2", as(ann)).want(422).code("invalid_input", "psm")
	s.ask("GET", path+"/crop?x1=10&y1=20&x2=60&y2=50&lang=xxx", as(ann)).want(422).code("invalid_input", "lang")
	s.Fail("Imager.View", porttest.Before)
	s.ask("GET", path+"/view", as(ann)).want(503).code("injected")
}
