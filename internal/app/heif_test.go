package app

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	api "glyphbox/client"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

// A photo of a phone is shown, read and taken out as any image is, though no browser and no PDF could show its file.
func TestPhotoOfPhone(t *testing.T) {
	s := start(t, t.TempDir())
	ann := s.signUp("ann")
	drawn, _ := porttest.DrawLines("a worker is up")
	ann.upload("page.png", porttest.PNG(drawn))
	if ready := as[api.Ready](t, s.do(http.StatusOK, "GET", "/ready", nil)); ready.HEIF != "ok" {
		check.Absent(t, "libheif", "run scripts/setup")
	}
	file, err := os.ReadFile(filepath.Join("..", "adapter", "engine", "testdata", "formats", "heic-of-a-phone"))
	if err != nil {
		t.Fatal(err)
	}
	photo := ann.upload("IMG_0001.HEIC", file)
	if photo.MediaType != "image/heic" || photo.Width != 640 || photo.Height != 100 {
		t.Errorf("got %+v", photo)
	}
	run, err := ann.client().Recognize(t.Context(), photo.ID, api.Request{})
	if got := ok(t, run, err).Contents; len(got) == 0 || got[0].Text == "" {
		t.Errorf("got %+v", got)
	}
	for _, shown := range []string{"view", "thumbnail"} {
		if kind := ann.do(http.StatusOK, "GET", path("/image/%d/"+shown, photo.ID), nil).Header.Get("Content-Type"); kind != "image/jpeg" {
			t.Errorf("%s: got %s, want what a browser shows", shown, kind)
		}
	}
	exported, err := ann.client().ExportDocument(t.Context(), photo.ID, "all", "pdf")
	if got := textOfPDF(t, ok(t, exported, err)); len(got) != 1 || got[0] != "Format check 2024-1742 OK" {
		t.Errorf("the PDF has %q", got)
	}
}
