package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"glyphbox/client"
	"glyphbox/internal/porttest"
)

// counts are how many images, runs and jobs there are of a user, whose first image is that one.
func (s *site) counts(token string, image int64) string {
	s.t.Helper()
	images := s.ask("GET", base+"/image", as(token)).want(200).header.Get("X-Total-Count")
	runs := read[[]client.Run](s.ask("GET", fmt.Sprintf("%s/image/%d/ocr", base, image), as(token)).want(200))
	contents := 0
	for _, r := range runs {
		contents += len(r.Contents)
	}
	jobs := read[[]client.Job](s.ask("GET", base+"/job", as(token)).want(200))
	return fmt.Sprintf("%s images, %d runs, %d contents, %d jobs", images, len(runs), contents, len(jobs))
}

// onceCase is a request that takes effect once, and others that are not the same.
type onceCase struct {
	name, path string
	request    request
	others     []request
	otherPath  string // that with the same body is another request; empty: none is tried
	status     int
	after      string // what there is once it was done
}

const oneRegion = `[{"x1": 0, "y1": 0, "x2": 20, "y2": 20, "name": "a"}]`

// onceCases are all kinds of requests that take effect once. Of ann is an image with a version of one content.
func (s *site) onceCases(token string) (cases []onceCase, image int64) {
	s.t.Helper()
	image = s.image(token).ID
	ocr := fmt.Sprintf("%s/image/%d/ocr", base, image)
	first := read[[]client.Content](s.ask("POST", ocr, as(token).with(oneRegion)).want(200))
	body := func(text string) request { return as(token).with(text) }
	later := body(oneRegion)
	later.header = map[string]string{"Prefer": "respond-async"}
	return []onceCase{
		{name: "upload", path: base + "/image", request: files(token, formFile{name: "b.png", data: page(70, 50)}),
			others: []request{files(token, formFile{name: "c.png", data: page(70, 50)}),
				files(token, formFile{name: "b.png", data: page(71, 50)}),
				files(token, formFile{name: "b.png", data: page(70, 50)}, formFile{name: "b.png", data: page(70, 50)})},
			status: 201, after: "2 images, 1 runs, 1 contents, 0 jobs"},
		{name: "upload of several", path: base + "/image",
			request: files(token, formFile{name: "b.png", data: page(70, 50)}, formFile{name: "c.png", data: page(70, 50)}),
			status:  201, after: "3 images, 1 runs, 1 contents, 0 jobs"},
		{name: "recognition", path: ocr + "?effort=fast", request: body(oneRegion), others: []request{body(`[]`),
			body(strings.Replace(oneRegion, "20", "21", 1)), body(strings.Replace(oneRegion, `"a"`, `"b"`, 1))},
			otherPath: ocr + "?effort=balanced", status: 200, after: "1 images, 2 runs, 2 contents, 0 jobs"},
		{name: "addition", path: ocr + "?into=1", request: body(`[{"x1": 1, "y1": 0, "x2": 20, "y2": 20}]`), status: 200,
			after: "1 images, 1 runs, 2 contents, 0 jobs"},
		{name: "reading again", path: ocr + "?into=1", request: body(fmt.Sprintf(`[{"x1": 2, "y1": 0, "x2": 20, "y2": 20, "content": %q},
			{"x1": 1, "y1": 0, "x2": 20, "y2": 20}]`, first[0].ID)), status: 200, after: "1 images, 1 runs, 2 contents, 0 jobs"},
		{name: "pages", path: ocr + "?pages=all", request: body(oneRegion), otherPath: ocr + "?pages=1", status: 200,
			after: "1 images, 2 runs, 2 contents, 0 jobs"},
		{name: "recognition later", path: ocr, request: later, others: []request{body(`[]`)}, status: 202,
			after: "1 images, 1 runs, 1 contents, 1 jobs"},
		{name: "job", path: base + "/job", request: body(fmt.Sprintf(`{"image_ids": [%d], "regions": %s}`, image, oneRegion)),
			others: []request{body(fmt.Sprintf(`{"documents": [%d], "regions": %s}`, image, oneRegion)),
				body(fmt.Sprintf(`{"image_ids": [%d], "priority": "low", "regions": %s}`, image, oneRegion))},
			status: 202, after: "1 images, 1 runs, 1 contents, 1 jobs"},
	}, image
}

// withKey is a request with a key.
func withKey(r request, key string) request {
	header := map[string]string{"Idempotency-Key": key}
	for name, value := range r.header {
		header[name] = value
	}
	r.header = header
	return r
}

func TestOnce(t *testing.T) {
	for n := range 8 {
		s := open(t)
		_, token := s.user("ann")
		cases, image := s.onceCases(token)
		c := cases[n]
		t.Run(c.name, func(t *testing.T) {
			s.t = t
			first := s.ask("POST", c.path, withKey(c.request, "key")).want(c.status)
			if got := s.counts(token, image); got != c.after {
				t.Errorf("there are %s, want %s", got, c.after)
			}
			again := s.ask("POST", c.path, withKey(c.request, "key")).want(c.status)
			if d := cmp.Diff(first.body, again.body); d != "" {
				t.Errorf("the second answer (-first +second):\n%s", d)
			}
			for _, name := range []string{"Location", "OCR-Version", "Preference-Applied", "Content-Type"} {
				if first.header.Get(name) != again.header.Get(name) {
					t.Errorf("%s was %q and is %q", name, first.header.Get(name), again.header.Get(name))
				}
			}
			for _, other := range c.others {
				s.ask("POST", c.path, withKey(other, "key")).want(409).code("idempotency_key_used", "Idempotency-Key")
			}
			if c.otherPath != "" {
				s.ask("POST", c.otherPath, withKey(c.request, "key")).want(409).code("idempotency_key_used", "Idempotency-Key")
			}
			if got := s.counts(token, image); got != c.after {
				t.Errorf("after that there are %s, want %s", got, c.after)
			}
		})
	}
}

// Of many at once one takes effect, and all are answered alike.
func TestOnceAtOnce(t *testing.T) {
	for n := range 8 {
		s := open(t)
		_, token := s.user("ann")
		cases, image := s.onceCases(token)
		c := cases[n]
		t.Run(c.name, func(t *testing.T) {
			s.t = t
			answers := make([]answer, 5)
			var all sync.WaitGroup
			for i := range answers {
				all.Go(func() { answers[i] = s.ask("POST", c.path, withKey(c.request, "key")) })
			}
			all.Wait()
			for _, a := range answers {
				if d := cmp.Diff(answers[0].want(c.status).body, a.want(c.status).body); d != "" {
					t.Errorf("answers differ:\n%s", d)
				}
			}
			if got := s.counts(token, image); got != c.after {
				t.Errorf("there are %s, want %s", got, c.after)
			}
		})
	}
}

func TestOnceKeys(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	_, bob := s.user("bob")
	upload := func(token, width string) request {
		return files(token, formFile{name: width, data: page(len(width), 20)})
	}
	for name, good := range map[string]bool{strings.Repeat("é", 255): true, strings.Repeat("é", 256): false, "": false, "\xff": false,
		"a b": true, "a\tb": false} {
		a := s.ask("POST", base+"/image", withKey(upload(ann, "xxxxxxxxxxxxxxxxxxxx"), name))
		if good {
			a.want(201)
		} else {
			a.want(422).code("invalid_input", "Idempotency-Key")
		}
	}
	mine := read[client.Image](s.ask("POST", base+"/image", withKey(upload(ann, "xxxxxxxxxxxxxxxxxx"), "key")).want(201))
	his := read[client.Image](s.ask("POST", base+"/image", withKey(upload(bob, "xxxxxxxxxxxxxxxxxxxx"), "key")).want(201))
	if mine.ID == his.ID || *his.User.Name != "bob" {
		t.Errorf("the image of another user with the same key is %+v", his)
	}

	// What fails takes no key.
	job := func(id int64) request { return withKey(as(ann).with(fmt.Sprintf(`{"image_ids": [%d]}`, id)), "job") }
	s.ask("POST", base+"/job", job(mine.ID+1000)).want(422)
	s.ask("POST", base+"/job", job(mine.ID)).want(202)
	ocr := fmt.Sprintf("%s/image/%d/ocr", base, mine.ID)
	s.Fail("Runs.Append", porttest.Before)
	s.ask("POST", ocr, withKey(as(ann), "run")).want(503)
	s.ask("POST", ocr, withKey(as(ann), "run")).want(200)
	s.Fail("Runs.Append", porttest.After) // it has happened without an event
	s.ask("POST", ocr, withKey(as(ann), "another run")).want(503)
	again := s.ask("POST", ocr, withKey(as(ann), "another run")).want(200)
	if again.header.Get("OCR-Version") != "2" {
		t.Errorf("the version is %s, want that of the run that was made", again.header.Get("OCR-Version"))
	}

	// What was made may be gone.
	s.ask("DELETE", fmt.Sprintf("%s/image/%d", base, mine.ID), as(ann)).want(204)
	s.ask("POST", base+"/image", withKey(upload(ann, "xxxxxxxxxxxxxxxxxx"), "key")).want(409).
		code("idempotency_result_gone", "Idempotency-Key")

	q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+base+"/job", strings.NewReader(`{"image_ids": [1]}`))
	if err != nil {
		t.Fatal(err)
	}
	q.Header = http.Header{"Idempotency-Key": {"a", "b"}, "Authorization": {"Bearer " + ann}}
	twice, err := sender.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	twice.Body.Close()
	if twice.StatusCode != 422 {
		t.Errorf("two keys: got %d, want 422", twice.StatusCode)
	}
}

// A request over pages whose client goes away is gone on with, and what was read by then is not read again.
func TestOnceGoesOn(t *testing.T) {
	s := open(t)
	_, token := s.user("ann")
	pages := s.scan(token, 30)
	ctx, goAway := context.WithCancel(t.Context())
	var mu sync.Mutex
	readings := 0
	s.hurdle = func(engine context.Context) {
		mu.Lock()
		defer mu.Unlock()
		if readings++; readings == 10 {
			goAway()
			<-engine.Done()
		}
	}
	path := fmt.Sprintf("%s/image/%d/ocr?pages=all", base, pages[0].ID)
	c := client.Client{Server: s.url, Token: token, IdempotencyKey: "key"}
	if response, err := c.Do(ctx, "POST", path, nil, nil); err == nil {
		response.Body.Close()
		t.Fatal("the client did not go away")
	}
	runs := read[[]client.PageRun](s.ask("POST", path, withKey(as(token), "key")).want(200))
	if len(runs) != 30 {
		t.Errorf("got %d pages", len(runs))
	}
	for n, r := range runs {
		if r.Error != nil || r.Version == nil || *r.Version != 1 || r.Page != n+1 || r.ImageID != pages[n].ID {
			t.Errorf("page %d: %+v", n+1, r)
		}
	}
	if d := cmp.Diff(runs, read[[]client.PageRun](s.ask("POST", path, withKey(as(token), "key")).want(200))); d != "" {
		t.Errorf("the answer again:\n%s", d)
	}
}

// What went wrong with a page is part of the answer.
func TestOnceWithFaults(t *testing.T) {
	s := open(t)
	_, token := s.user("ann")
	pages := s.scan(token, 2) // of 41 and 42 pixels
	path := fmt.Sprintf("%s/image/%d/ocr?pages=all", base, pages[1].ID)
	r := withKey(as(token).with(`[{"x1": 0, "y1": 0, "x2": 42, "y2": 20}]`), "key")
	first := s.ask("POST", path, r).want(200)
	if !strings.Contains(first.body, "invalid_input") {
		t.Errorf("got %s", first.body)
	}
	if again := s.ask("POST", path, r).want(200); again.body != first.body {
		t.Errorf("the answer again is %s, and was %s", again.body, first.body)
	}
}
