package app

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"glyphbox/internal/porttest/mariadbtest"
	"glyphbox/internal/porttest/mongotest"
)

func TestWalkOnMongoDB(t *testing.T) { walk(t, "--mongodb", mongotest.URI(t)) }

func TestWalkOnMariaDBAndMongoDB(t *testing.T) {
	walk(t, "--database", mariadbtest.Database(t), "--mongodb", mongotest.URI(t))
}

func TestMongoDBAddress(t *testing.T) {
	const uri = "mongodb://ann:secret@host/name"
	path := file(t, uri+"\n")
	for name, test := range map[string]struct {
		env  map[string]string
		args []string
		want string // empty: refused
	}{
		"flag":               {args: []string{"--mongodb", uri}, want: uri},
		"flag of a file":     {args: []string{"--mongodb-file", path}, want: uri},
		"variable":           {env: map[string]string{"GLYPHBOX_MONGODB": uri}, want: uri},
		"variable of a file": {env: map[string]string{"GLYPHBOX_MONGODB_FILE": path}, want: uri},
		"no database":        {args: []string{"--mongodb", "mongodb://ann:secret@host"}},
		"another scheme":     {args: []string{"--mongodb", "mysql://ann:secret@host/name"}},
	} {
		got, values, err := load(t, test.env, test.args...)
		if got.MongoDB != test.want || (err != nil) != (test.want == "") {
			t.Errorf("%s: %q, %v, want %q", name, got.MongoDB, err, test.want)
		}
		var shown bytes.Buffer
		printConfig(&shown, values)
		if strings.Contains(shown.String(), "secret") || err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the password is told: %v\n%s", name, err, shown.String())
		}
	}
}

// ready returns the status of /ready, and the state of each thing that the service needs.
func (c client) ready() (status int, states map[string]string) {
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

func TestMongoDBGoesAwayAndComesBack(t *testing.T) {
	server := mongotest.Start(t)
	s := start(t, t.TempDir(), "--mongodb", server.URI())
	ann := s.signUp("ann")
	page, _, _ := drawn()
	image := ann.upload("page.png", page)
	bytesPath, ocr := path("/image/%d", image.ID), path("/image/%d/ocr", image.ID)
	contents := as[[]contentBody](t, ann.call(http.StatusOK, "POST", ocr, []object{}))

	server.Kill()
	for _, p := range []string{bytesPath, ocr, path("/ocr/%s", contents[0].ID)} {
		began := time.Now()
		r := ann.do(http.StatusServiceUnavailable, "GET", p, nil)
		if r.Header.Get("Retry-After") == "" {
			t.Errorf("%s has no Retry-After", p)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%s took %v", p, took)
		}
	}
	ann.do(http.StatusOK, "GET", path("/image/%d/meta", image.ID), nil)
	status, states := s.ready()
	if diff := cmp.Diff(map[string]string{"database": "ok", "contents": "away", "blobs": "away", "workers": "ok"}, states); status != http.StatusServiceUnavailable || diff != "" {
		t.Errorf("ready: %d (-want +got):\n%s", status, diff)
	}

	server.Restart(t)
	for began := time.Now(); ; { // a request that finds no server waits for one
		if status, states = s.ready(); status == http.StatusOK {
			break
		}
		if time.Since(began) > 10*time.Second {
			t.Fatalf("ready after ten seconds: %d, %v", status, states)
		}
	}
	if r := ann.do(http.StatusOK, "GET", bytesPath, nil); !bytes.Equal(r.body, page) {
		t.Error("the image is not what it was")
	}
	runs := as[[]runBody](t, ann.do(http.StatusOK, "GET", ocr, nil))
	if diff := cmp.Diff([]runBody{{Version: 1, Contents: contents}}, runs); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
	part := ann.do(http.StatusPartialContent, "GET", bytesPath, nil, "Range", "bytes=100-199")
	if !bytes.Equal(part.body, page[100:200]) {
		t.Error("a range of the image has other bytes")
	}
}
