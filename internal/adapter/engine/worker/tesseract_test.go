package worker

import (
	"image"
	"runtime"
	"strings"
	"testing"

	"glyphbox/internal/adapter/engine/read"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest"
)

func TestTheLanguageThatLeads(t *testing.T) {
	for lang, want := range map[string]string{
		"eng": "eng", "eng kor": "kor+eng", "kor eng": "kor+eng", "eng deu kor": "kor+deu+eng", "fra deu": "deu+fra", "eng eng": "eng",
		"eng script/Hangul": "script/Hangul+eng", "script/Latin jpn": "jpn+script/Latin",
	} {
		if got := langOrder(strings.Fields(lang)); got != want {
			t.Errorf("%s: got %s, want %s", lang, got, want)
		}
	}
}

// Tesseract compresses no images of lines, but for the plain loop, and reads the same.
func TestLineImagesAreStored(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the loader of this system calls the function of the library itself")
	}
	m, err := loadModel("", "eng", recognition.BestMode) // from where packages put it
	if err != nil {
		t.Fatal(err)
	}
	defer m.close()
	const text = "The quick brown fox"
	drawn, _ := porttest.DrawLines(text)
	gray := drawn.(*image.Gray)
	line := read.Gray{Pix: gray.Pix, Width: gray.Rect.Dx(), Height: gray.Rect.Dy()}
	reads := func(want int) {
		t.Helper()
		before := storedLineImages()
		a, err := recogniser{m, "tesseract"}.Read(line, read.Query{Shape: recognition.ShapeLine})
		if err != nil || strings.TrimSpace(a.Text) != text || storedLineImages()-before != want {
			t.Errorf("got %q, %v, with %d images stored, want %d", a.Text, err, storedLineImages()-before, want)
		}
	}
	reads(1)
	restore := compressLineImages()
	reads(0)
	restore()
	reads(1)
}
