package porttest

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
)

// transcribed is a run with a text in Hangul and a region that could not be read, on a page that was drawn.
func transcribed() recognition.TranscriptPage {
	page, boxes := DrawLines("first line", "second line")
	at := time.Date(2026, 11, 22, 20, 6, 0, 0, time.UTC)
	size := page.Bounds().Size()
	only := recognition.TranscriptPage{
		Number: 1,
		Image: document.Image{ID: 3, Document: 3, Number: 1, Name: "page.png", SHA256: strings.Repeat("0", 64),
			Geometry: document.Geometry{MediaType: "image/png", Width: size.X, Height: size.Y, Pages: 1}},
		Run: recognition.Run{ImageID: 3, Version: 1, User: account.Ref{ID: 1, Name: "ann"}, Created: at, Lang: []string{"kor"},
			Mode: recognition.BestMode, Engine: "engine 1.0",
			Contents: []recognition.Content{
				{ID: "a", Version: 1, Created: at, ROI: boxes[0], Revision: 2, EditedBy: account.Ref{ID: 1, Name: "ann"}, Edited: at,
					Reading: recognition.Reading{
						Text: "대한민국 만세", Words: []recognition.Word{{Text: "대한민국", Box: boxes[0], Confidence: 1}, {Text: "만세"}},
						Confidence: 1,
						Lang:       []string{"kor"}, Shape: recognition.ShapeLine}},
				{ID: "b", Version: 1, Created: at, ROI: boxes[1], Revision: 1,
					Reading: recognition.Reading{Error: &fault.Failure{Code: recognition.CodeFailed, Detail: "?"}}},
			}},
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(PNG(page))), nil },
		View: func(int, document.Box, int) (document.Rendition, error) {
			return document.Rendition{MediaType: "image/png", Bytes: PNG(page)}, nil
		},
	}
	return only
}

// transcriptOf is a transcript of a document of these pages, which ends with an error where that is not nil.
func transcriptOf(end error, pages ...recognition.TranscriptPage) recognition.Transcript {
	return recognition.Transcript{Name: "page.png", Pages: func(yield func(recognition.TranscriptPage, error) bool) {
		for _, p := range pages {
			if !yield(p, nil) {
				return
			}
		}
		if end != nil {
			yield(recognition.TranscriptPage{}, end)
		}
	}}
}

// full is a file on a disk that is full.
type full struct{}

var errFull = errors.New("disk full")

func (full) Write([]byte) (int, error) { return 0, errFull }

// Exporter checks the contract of recognition.Exporter.
func Exporter(t *testing.T, e recognition.Exporter) {
	second := transcribed()
	second.Number, second.Run = 2, recognition.Run{} // nothing was read
	third := transcribed()
	third.Number, third.Run.Contents[0].Text, third.Run.Contents[0].Words = 3, "last page", nil
	export := func(t *testing.T, f recognition.Format) string {
		var b bytes.Buffer
		if err := e.Export(t.Context(), &b, f, transcriptOf(nil, transcribed(), second, third)); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	binary := map[recognition.Format]string{recognition.FormatPDF: "%PDF-", recognition.FormatXLSX: "PK",
		recognition.FormatGroundTruth: "PK"}
	for _, f := range recognition.Formats {
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			got := export(t, f)
			for _, word := range []string{"대한민국", "만세", "last", "page"} {
				if binary[f] == "" && !strings.Contains(got, word) {
					t.Errorf("%q is not in %s", word, got)
				}
			}
			if !strings.HasPrefix(got, binary[f]) {
				t.Errorf("it begins with %.20q", got)
			}
			if export(t, f) != got {
				t.Error("the same transcript gave other bytes")
			}
			if err := e.Export(t.Context(), full{}, f, transcriptOf(nil, transcribed())); !errors.Is(err, errFull) {
				t.Errorf("got %v of a disk that is full", err)
			}
			var b bytes.Buffer
			if err := e.Export(t.Context(), &b, f, transcriptOf(errFull)); !errors.Is(err, errFull) || b.Len() > 0 {
				t.Errorf("got %v and %d bytes of a transcript without its first page", err, b.Len())
			}
			if err := e.Export(t.Context(), io.Discard, f, transcriptOf(errFull, transcribed(), third)); !errors.Is(err, errFull) {
				t.Errorf("got %v of a transcript that breaks off", err)
			}
		})
	}
	t.Run("page that is no image", func(t *testing.T) {
		var b bytes.Buffer
		broken := transcribed()
		broken.View = func(int, document.Box, int) (document.Rendition, error) {
			return document.Rendition{MediaType: "image/png", Bytes: []byte("hello")}, nil
		}
		if err := e.Export(t.Context(), &b, recognition.FormatPDF, transcriptOf(nil, broken)); err == nil || b.Len() > 0 {
			t.Errorf("got %v and %d bytes", err, b.Len())
		}
	})
	t.Run("archive", func(t *testing.T) {
		say := func(text string) func(io.Writer) error {
			return func(w io.Writer) error { _, err := io.WriteString(w, text); return err }
		}
		files := []recognition.Export{{Name: "가.txt", Write: say("one")},
			{Name: "b/c.pdf", MediaType: "application/pdf", Write: say("two")}}
		var b bytes.Buffer
		if err := e.Archive(&b, slices.Values(files)); err != nil {
			t.Fatal(err)
		}
		z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, f := range z.File {
			data, err := fs.ReadFile(z, f.Name)
			if err != nil {
				t.Fatal(err)
			}
			got[f.Name] = string(data)
		}
		if d := cmp.Diff(map[string]string{"가.txt": "one", "b/c.pdf": "two"}, got); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		fails := []recognition.Export{{Name: "a", Write: func(io.Writer) error { return errFull }}}
		if err := e.Archive(io.Discard, slices.Values(fails)); !errors.Is(err, errFull) {
			t.Errorf("got %v of a file that cannot be made", err)
		}
		if err := e.Archive(full{}, slices.Values(files)); !errors.Is(err, errFull) {
			t.Errorf("got %v of a disk that is full", err)
		}
	})
}
