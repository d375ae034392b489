package porttest

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// transcript is a run with a text in Hangul and a region that could not be read, on a page that was drawn.
func transcript() recognition.Transcript {
	page, boxes := DrawLines("first line", "second line")
	at := time.Date(2026, 11, 22, 20, 6, 0, 0, time.UTC)
	size := page.Bounds().Size()
	return recognition.Transcript{
		Image: document.Image{ID: 3, Document: 3, Number: 1, Name: "page.png", SHA256: strings.Repeat("0", 64), Geometry: document.Geometry{MediaType: "image/png", Width: size.X, Height: size.Y, Pages: 1}},
		Run: recognition.Run{ImageID: 3, Version: 1, User: account.Ref{ID: 1, Name: "ann"}, Created: at, Lang: []string{"kor"}, Mode: recognition.BestMode, Engine: "engine 1.0",
			Contents: []recognition.Content{
				{ID: "a", Version: 1, Created: at, ROI: boxes[0], Revision: 2, EditedBy: account.Ref{ID: 1, Name: "ann"}, Edited: at, Reading: recognition.Reading{
					Text: "대한민국 만세", Words: []recognition.Word{{Text: "대한민국", Box: boxes[0], Confidence: 1}, {Text: "만세"}}, Confidence: 1, Lang: []string{"kor"}, Shape: recognition.ShapeLine}},
				{ID: "b", Version: 1, Created: at, ROI: boxes[1], Revision: 1, Reading: recognition.Reading{Error: &recognition.Failure{Code: recognition.CodeFailed, Detail: "?"}}},
			}},
		Page: document.Rendition{MediaType: "image/png", Bytes: PNG(page)},
	}
}

// full is a file on a disk that is full.
type full struct{}

var errFull = errors.New("disk full")

func (full) Write([]byte) (int, error) { return 0, errFull }

// Exporter checks the contract of recognition.Exporter.
func Exporter(t *testing.T, e recognition.Exporter) {
	export := func(t *testing.T, f recognition.Format) string {
		var b bytes.Buffer
		if err := e.Export(&b, f, transcript()); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	for _, f := range recognition.Formats {
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			got := export(t, f)
			if f != recognition.FormatPDF && (!strings.Contains(got, "대한민국") || !strings.Contains(got, "만세")) {
				t.Errorf("the text is not in %s", got)
			}
			if f == recognition.FormatPDF && !strings.HasPrefix(got, "%PDF-") {
				t.Errorf("no PDF: %.20q", got)
			}
			if export(t, f) != got {
				t.Error("the same transcript gave other bytes")
			}
			if err := e.Export(full{}, f, transcript()); !errors.Is(err, errFull) {
				t.Errorf("got %v of a disk that is full", err)
			}
		})
	}
	t.Run("page that is no image", func(t *testing.T) {
		var b bytes.Buffer
		broken := transcript()
		broken.Page.Bytes = []byte("hello")
		if err := e.Export(&b, recognition.FormatPDF, broken); err == nil || b.Len() > 0 {
			t.Errorf("got %v and %d bytes", err, b.Len())
		}
	})
}
