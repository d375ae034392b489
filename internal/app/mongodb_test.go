package app

import (
	"bytes"
	"fmt"
	"image"
	"net/http"
	"strings"
	"testing"

	api "glyphbox/client"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
	"glyphbox/internal/porttest/mariadbtest"
	"glyphbox/internal/porttest/mongotest"
)

func TestWalkOnMongoDB(t *testing.T) { walk(t, "--mongodb", mongotest.URI(t)) }

func TestWalkOnMariaDBAndMongoDB(t *testing.T) {
	walk(t, "--database", mariadbtest.Database(t), "--mongodb", mongotest.URI(t))
}

// TestAFileIsFetchedOnce reads all pages of a file and looks at them.
func TestAFileIsFetchedOnce(t *testing.T) {
	s := start(t, t.TempDir(), "--mongodb", mongotest.URI(t))
	ann := s.signUp("ann")
	var pages []image.Image
	for i := range 6 {
		page, _ := porttest.DrawLines(fmt.Sprintf("Page %d of this file", i+1))
		pages = append(pages, page)
	}
	scan := ann.upload("scan.tif", porttest.MultiPageTIFF(pages...))
	runs, err := ann.client().RecognizePages(t.Context(), scan.ID, "all", api.Request{})
	check.OK(t, "RecognizePages", err)
	for i, read := range runs {
		run, err := ann.client().Run(t.Context(), read.ImageID, 1)
		check.OK(t, "Run", err)
		if want := fmt.Sprintf("Page %d of this file", i+1); len(run.Contents) != 1 || run.Contents[0].Text != want {
			t.Errorf("got %+v, want %q", run.Contents, want)
		}
	}
	metrics := string(s.do(http.StatusOK, "GET", "/metrics", nil).body)
	if !strings.Contains(metrics, "\nglyphbox_file_cache_misses_total 1\n") ||
		strings.Contains(metrics, "\nglyphbox_file_cache_hits_total 0\n") {
		t.Errorf("the file was not opened by way of one copy:\n%s", metrics)
	}
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
