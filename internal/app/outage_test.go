package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	api "glyphbox/client"
	"glyphbox/internal/datadir"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/mariadbtest"
	"glyphbox/internal/porttest/mongotest"
)

// ready returns the status of /ready, and the state of each thing that the service needs.
func (c person) ready() (status int, states map[string]string) {
	c.t.Helper()
	r, err := try(c.request("GET", "/ready", nil))
	if err != nil {
		c.t.Fatal(err)
	}
	states = map[string]string{}
	for name, d := range as[struct {
		Dependencies map[string]struct{ State string }
	}](c.t, r).Dependencies {
		states[name] = d.State
	}
	return r.StatusCode, states
}

// workload is clients that upload, recognise, correct and delete without end, and remember the answers.
type workload struct {
	t       *testing.T
	client  person
	page    []byte
	box     document.Box
	results chan bool // of each request: done, or 503

	mu      sync.Mutex
	answers answers
}

// ask sends a request and tells whether it was done. The only other answer is 503 with Retry-After.
func (l *workload) ask(method, path, contentType string, body []byte) (reply, bool) {
	r, err := try(l.client.request(method, path, bytes.NewReader(body), "Content-Type", contentType))
	if err != nil {
		l.t.Errorf("%s %s: %v", method, path, err)
		return reply{}, false
	}
	done := r.StatusCode < 300
	if !done && (r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "") {
		l.t.Errorf("%s %s: %s, Retry-After %q\n%s", method, path, r.Status, r.Header.Get("Retry-After"), r.body)
	}
	l.results <- done
	return r, done
}

func (l *workload) note(change func(a *answers)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.answers)
}

// round uploads an image, recognises and corrects it, and deletes every third image and every third content.
func (l *workload) round(n int) {
	file := append(bytes.Clone(l.page), fmt.Sprint("round ", n)...)
	body, contentType := multipartOf(l.t, "page.png", file)
	r, done := l.ask("POST", path("/image"), contentType, body.Bytes())
	if !done {
		return
	}
	image := as[api.Image](l.t, r)
	l.note(func(a *answers) {
		a.images[image.ID] = document.Image{Document: image.ID, Number: 1, SHA256: porttest.FileOf(file).SHA256}
	})
	regions, _ := json.Marshal([]document.Box{l.box})
	if r, done = l.ask("POST", path("/image/%d/ocr", image.ID), "application/json", regions); !done {
		return
	}
	content := as[[]api.Content](l.t, r)[0]
	l.note(func(a *answers) {
		a.documentOf[content.ID] = image.ID
		a.contents[content.ID] = recognition.Content{Revision: 1, Reading: recognition.Reading{Text: content.Text}}
	})
	if _, done = l.ask("PUT", path("/ocr/%s", content.ID), "application/json", []byte(`{"text": "corrected"}`)); done {
		l.note(func(a *answers) {
			a.contents[content.ID] = recognition.Content{Revision: 2, Reading: recognition.Reading{Text: "corrected"}}
		})
	}
	switch n % 3 {
	case 1:
		l.note(func(a *answers) { a.deletingImages[image.ID] = true })
		if _, done = l.ask("DELETE", path("/image/%d", image.ID), "", nil); done {
			l.note(func(a *answers) { a.deletedImages[image.ID] = true })
		}
	case 2:
		l.note(func(a *answers) { a.deletingContents[content.ID] = true })
		if _, done = l.ask("DELETE", path("/ocr/%s", content.ID), "", nil); done {
			l.note(func(a *answers) { a.deletedContents[content.ID] = true })
		}
	}
}

// until reads results until as many in a row were done, or were not.
func (l *workload) until(done bool, n int) {
	for row := 0; row < n; {
		if row++; <-l.results != done {
			row = 0
		}
	}
}

// TestStoresGoAwayUnderLoad kills and freezes both servers, one after the other, while clients work: they are told so, the service goes on
// by itself, and in the end all that was answered is there, and nothing else.
func TestStoresGoAwayUnderLoad(t *testing.T) {
	mariadb, mongodb := mariadbtest.New(t), mongotest.Start(t)
	config := Config{DataDir: datadir.Dir(t.TempDir()), Database: mariadbtest.DatabaseOn(t, "mariadb://root@"+mariadb.Addr()),
		MongoDB: mongodb.URI()}
	s := start(t, string(config.DataDir), "--database", config.Database, "--mongodb", config.MongoDB, "--sweep-interval", "1s")
	page, _, boxes := drawn()
	l := &workload{t: t, client: s.signUp("ann"), page: page, box: boxes[0], results: make(chan bool), answers: newAnswers()}
	first := l.client.upload("page.png", page)

	stop := make(chan struct{})
	var clients sync.WaitGroup
	for c := range 2 {
		clients.Go(func() {
			for n := c; ; n++ {
				select {
				case <-stop:
					return
				default:
					l.round(n)
				}
			}
		})
	}
	fatal := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		what        string
		leave       func()
		comeBack    func()
		states      map[string]string
		image, meta int // statuses of the bytes and the metadata of an image meanwhile
	}{
		{"MariaDB is killed", mariadb.Kill, func() { fatal(mariadb.Run()) },
			map[string]string{"database": "away", "blobs": "ok", "contents": "ok", "queue": "ok", "workers": "ok"}, 503, 503},
		{"MongoDB is killed", mongodb.Kill, func() { mongodb.Restart(t) },
			map[string]string{"database": "ok", "blobs": "away", "contents": "away", "queue": "ok", "workers": "ok"}, 503, 200},
		{"MariaDB is frozen", func() { mariadb.Freeze(t) }, func() { mariadb.Thaw(t) },
			map[string]string{"database": "away", "blobs": "ok", "contents": "ok", "queue": "ok", "workers": "ok"}, 503, 503},
		{"MongoDB is frozen", func() { mongodb.Freeze(t) }, func() { mongodb.Thaw(t) },
			map[string]string{"database": "ok", "blobs": "away", "contents": "away", "queue": "ok", "workers": "ok"}, 503, 200},
	} {
		l.until(true, 20)
		c.leave()
		l.until(false, 8)
		status, states := s.ready()
		if d := cmp.Diff(c.states, states); status != http.StatusServiceUnavailable || d != "" {
			t.Errorf("%s: ready: %d (-want +got):\n%s", c.what, status, d)
		}
		s.do(http.StatusOK, "GET", "/health", nil)
		for p, want := range map[string]int{"/image/%d": c.image, "/image/%d/meta": c.meta} {
			if r := l.client.do(want, "GET", path(p, first.ID), nil); want == http.StatusServiceUnavailable &&
				r.Header.Get("Retry-After") == "" {
				t.Errorf("%s: there is no Retry-After in %v", c.what, r.Header)
			}
		}
		c.comeBack()
		l.until(true, 20)
		if status, states := s.ready(); status != http.StatusOK {
			t.Errorf("%s and is back: ready: %d, %v", c.what, status, states)
		}
	}
	close(stop)
	go func() { clients.Wait(); close(l.results) }()
	for range l.results {
	}

	part := l.client.do(http.StatusPartialContent, "GET", path("/image/%d", first.ID), nil, "Range", "bytes=100-199")
	if !bytes.Equal(part.body, page[100:200]) {
		t.Error("a range of the image has other bytes")
	}
	s.stop()
	if code := s.wait(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	a := l.answers
	t.Logf("answered: %d images, %d contents, %d images deleted, %d contents deleted", len(a.images), len(a.contents), len(a.deletedImages),
		len(a.deletedContents))
	restarted(t, shelfOf(t, config), a)
}
