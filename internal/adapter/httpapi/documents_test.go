package httpapi

import (
	"fmt"
	"image"
	"slices"
	"strings"
	"testing"

	"glyphbox/client"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest"
)

// scan is a TIFF file of n pages, the k-th of which is 40 + k pixels wide and 30 high.
func scan(n int) string {
	var pages []image.Image
	for k := 1; k <= n; k++ {
		pages = append(pages, image.NewGray(image.Rect(0, 0, 40+k, 30)))
	}
	return string(porttest.MultiPageTIFF(pages...))
}

func (s *site) scan(token string, pages int) (all []client.Image) {
	s.t.Helper()
	first := read[client.Image](s.ask("POST", base+"/image", files(token, formFile{name: "scan.tiff", data: scan(pages)})).want(201))
	return read[[]client.Image](s.ask("GET", fmt.Sprintf("%s/image?size=100&document=%d", base, first.ID), as(token)).want(200))
}

// An animation says how many frames it has, of which one is a page.
func TestFramesOfAnimation(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	small := image.NewGray(image.Rect(0, 0, 20, 30))
	for _, c := range []struct {
		file   []byte
		frames int
	}{{porttest.Animation(small, small, small), 3}, {porttest.Animation(small), 0}, {porttest.PNG(small), 0}} {
		i := read[client.Image](s.ask("POST", base+"/image", files(ann, formFile{name: "a.gif", data: string(c.file)})).want(201))
		meta := s.ask("GET", fmt.Sprintf("%s/image/%d/meta", base, i.ID), as(ann)).want(200)
		if got := read[client.Image](meta); i.Frames != c.frames || got.Frames != c.frames || got.Pages != 1 ||
			strings.Contains(meta.body, `"frames"`) != (c.frames > 0) {
			t.Errorf("want %d frames, got %+v and %s", c.frames, i, meta.body)
		}
	}
}

func TestDocuments(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	_, ben := s.user("ben")
	pages := s.scan(ann, 3)
	if len(pages) != 3 {
		t.Fatalf("got %d pages", len(pages))
	}
	for n, i := range pages {
		if got, want := [5]int{i.Page, i.Pages, i.Width, int(i.Document), i.DPI},
			[5]int{n + 1, 3, 41 + n, int(pages[0].ID), 0}; got != want || i.Error != nil {
			t.Errorf("page %d: got %v, %v, want %v", n+1, got, i.Error, want)
		}
	}
	s.image(ann)
	all := s.ask("GET", base+"/image", as(ann)).want(200)
	if list := read[[]client.Image](all); len(list) != 2 || all.header.Get("X-Total-Count") != "2" || list[1].ID != pages[0].ID {
		t.Errorf("the list: %s", all.body)
	}
	document := fmt.Sprintf("%s/image?document=%d", base, pages[0].ID)
	second := s.ask("GET", document+"&size=2&page=1", as(ann)).want(200)
	link := fmt.Sprintf(`</api/v1/image?document=%d&page=0&size=2>; rel="prev"`, pages[0].ID)
	if list := read[[]client.Image](second); len(list) != 1 || list[0].ID != pages[2].ID || second.header.Get("X-Total-Count") != "3" ||
		second.header.Get("Link") != link {
		t.Errorf("the second list of pages: %v %s", second.header, second.body)
	}
	if list := read[[]client.Image](s.ask("GET", document+"&size=2&page=100000000", as(ann)).want(200)); len(list) != 0 {
		t.Errorf("a list beyond the end: %v", list)
	}
	s.ask("GET", fmt.Sprintf("%s/image?document=%d", base, pages[1].ID), as(ann)).want(422).code("invalid_input", "document")
	s.ask("GET", document+"&keyword=x", as(ann)).want(422).code("invalid_input", "document")
	s.ask("GET", document, as(ben)).want(404)

	// Each page has renditions of its own.
	seen := map[string]bool{}
	for _, i := range pages {
		for _, what := range []string{"thumbnail", "view"} {
			a := s.ask("GET", fmt.Sprintf("%s/image/%d/%s", base, i.ID, what), as(ann)).want(200)
			if tag := a.header.Get("ETag"); seen[tag] || tag == "" {
				t.Errorf("the %s of page %d has the tag %s, which another has", what, i.Page, tag)
			} else {
				seen[tag] = true
			}
		}
		if s.ask("GET", fmt.Sprintf("%s/image/%d", base, i.ID), as(ann)).want(200).body != scan(3) {
			t.Errorf("page %d does not give the file", i.Page)
		}
	}

	later := fmt.Sprintf("%s/image/%d", base, pages[2].ID)
	for _, change := range []string{`{"name":"x"}`, `{"visibility":"shared"}`, `{"name":"x","rotation":90}`} {
		a := s.ask("PUT", later, as(ann).with(change)).want(409)
		if a.code("page_of_document"); !strings.Contains(a.body, fmt.Sprint("document ", pages[0].ID)) {
			t.Errorf("the document is not named: %s", a.body)
		}
	}
	s.ask("DELETE", later, as(ann)).want(409).code("page_of_document")
	if i := read[client.Image](s.ask("PUT", later, as(ann).with(`{"rotation":90}`)).want(200)); i.Width != 30 || i.Height != 43 {
		t.Errorf("the turned page: %+v", i)
	}
	s.ask("DELETE", fmt.Sprintf("%s/image/%d", base, pages[0].ID), as(ann)).want(204)
	s.ask("GET", later+"/meta", as(ann)).want(404)
}

func TestPasswordOfUpload(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	locked := formFile{name: "secret.pdf", data: string(porttest.Locked([]byte(scan(2)), "비밀번호"))}
	field := func(password string) formFile {
		return formFile{disposition: `form-data; name="password"`, data: password}
	}
	s.ask("POST", base+"/image", files(ann, locked)).want(422).code("pdf_encrypted", "password")
	s.ask("POST", base+"/image", files(ann, locked, locked)).want(422).code("pdf_encrypted", "file[0]")
	s.ask("POST", base+"/image", files(ann, field("wrong"), locked)).want(422).code("pdf_encrypted", "password")
	s.ask("POST", base+"/image", files(ann, locked, field(strings.Repeat("x", 10_000)))).want(422).code("pdf_encrypted", "password")
	i := read[client.Image](s.ask("POST", base+"/image", files(ann, locked, field("비밀번호"))).want(201)) // in any order
	image := fmt.Sprintf("%s/image/%d", base, i.ID)
	s.ask("GET", image+"/view", as(ann)).want(200)
	s.ask("PUT", image, as(ann).with(`{"password":"wrong"}`)).want(422).code("pdf_encrypted", "password")
	a := s.ask("PUT", image, as(ann).with(`{"password":"비밀번호"}`)).want(200)
	if strings.Contains(a.body, "비밀번호") || strings.Contains(s.logs.String(), "비밀번호") {
		t.Error("the password is told")
	}
}

func TestRecognizePages(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	_, ben := s.user("ben")
	file := porttest.SpoilPage([]byte(scan(4)), 3)
	first := read[client.Image](s.ask("POST", base+"/image", files(ann, formFile{name: "scan.tiff", data: string(file)})).want(201))
	pages := read[[]client.Image](s.ask("GET", fmt.Sprintf("%s/image?document=%d", base, first.ID), as(ann)).want(200))
	ocr := fmt.Sprintf("%s/image/%d/ocr", base, pages[3].ID) // whichever page's image
	region := as(ann).with(`[{"x1":0,"y1":0,"x2":42,"y2":30}]`)

	a := s.ask("POST", ocr+"?pages=all&lang=kor", region).want(200)
	runs := read[[]client.PageRun](a)
	if a.header.Get("OCR-Version") != "" || len(runs) != 4 {
		t.Fatalf("%v %s", a.header, a.body)
	}
	for n, code := range []string{"invalid_input", "", "unsupported_image", ""} {
		r := runs[n]
		switch {
		case r.ImageID != pages[n].ID || r.Page != n+1:
			t.Errorf("page %d: got %+v", n+1, r)
		case code == "" && (r.Error != nil || r.Version == nil || *r.Version != 1):
			t.Errorf("page %d: got %+v, %v", n+1, r, r.Error)
		case code != "" && (r.Version != nil || r.Error == nil || r.Error.Code != code || r.Error.Detail == ""):
			t.Errorf("page %d: got %+v, %v, want %s", n+1, r, r.Error, code)
		}
	}
	if got := runs[0].Error.Detail; !strings.Contains(got, "regions[0].x2: 1 to 41 ") {
		t.Errorf("%q does not name the region", got)
	}
	if got := runs[2].Error.Detail; !strings.HasSuffix(got, "of the file cannot be shown or read: This is no image that is read here.") {
		t.Errorf("%q does not say just why the page cannot be read", got)
	}
	if strings.Contains(s.logs.String(), `"level":"ERROR"`) {
		t.Errorf("what is the client's fault is logged: %s", s.logs)
	}
	some := read[[]client.PageRun](s.ask("POST", ocr+"?pages=4,2", as(ann)).want(200))
	if len(some) != 2 || some[0].Page != 2 || *some[1].Version != 2 {
		t.Errorf("got %+v, want the second versions of pages 2 and 4", some)
	}

	s.Fail("Contents.Add", porttest.Before)
	away := read[[]client.PageRun](s.ask("POST", ocr+"?pages=4", as(ann)).want(200))
	if len(away) != 1 || away[0].Error == nil || away[0].Error.Code != "injected" || !strings.Contains(s.logs.String(), `"level":"ERROR"`) {
		t.Errorf("got %+v while a store is away: %s", away, s.logs)
	}
	for query, field := range map[string]string{"pages=5": "pages", "pages=0": "pages", "pages=x": "pages", "pages=2&into=1": "into",
		"pages=2&lang=xyz": "lang"} {
		s.ask("POST", ocr+"?"+query, as(ann)).want(422).code("invalid_input", field)
	}
	s.ask("POST", ocr+"?pages=all", as(ben)).want(404).code("image_not_found")

	thumbs := slices.Repeat([]image.Image{image.NewGray(image.Rect(0, 0, 9, 9))}, recognition.MaxPages+1)
	many := formFile{name: "book.tiff", data: string(porttest.MultiPageTIFF(thumbs...))}
	book := read[client.Image](s.ask("POST", base+"/image", files(ann, many)).want(201))
	a = s.ask("POST", fmt.Sprintf("%s/image/%d/ocr?pages=all", base, book.ID), as(ann)).want(422)
	if a.code("invalid_input", "pages"); !strings.Contains(a.body, "Prefer: respond-async") {
		t.Errorf("the way to read more is not told: %s", a.body)
	}
}
