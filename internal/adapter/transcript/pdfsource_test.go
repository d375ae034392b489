package transcript

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"glyphbox/internal/adapter/transcript/overlay"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "worker" {
		if err := overlay.Run(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// withWorker is an exporter whose worker is the binary of the tests.
func withWorker(t *testing.T) *Exporter {
	e := New(Options{Command: []string{os.Args[0], "worker"}})
	t.Cleanup(func() { must(t, e.Close()) })
	return e
}

// scanned is a PDF file of pages without text, as pages of a document.
func scanned(t *testing.T, id int64, pages int) (file []byte, all []sampled) {
	t.Helper()
	s := sample()
	s.Run, s.Page = recognition.Run{}, pagePNG(t)
	for n := range pages {
		p := s
		p.Number, p.Image.Number, p.Image.Pages = n+1, n+1, pages
		all = append(all, p)
	}
	file = exported(t, recognition.FormatPDF, documentOf(all...))
	for i := range all {
		all[i].Run = sample().Run
		all[i].Run.Contents[3].Text = fmt.Sprintf("page-%d-of-%d", i+1, id)
		all[i].Run.Contents[3].Words = nil
		all[i].Image.Document, all[i].Image.MediaType, all[i].Image.Size = id, mediaTypePDF, int64(len(file))
		all[i].Page = document.Rendition{Bytes: file} // which Open returns
	}
	return file, all
}

func exportedBy(t *testing.T, e *Exporter, transcript recognition.Transcript) (path, words string) {
	t.Helper()
	var b bytes.Buffer
	must(t, e.Export(t.Context(), &b, recognition.FormatPDF, transcript))
	path = filepath.Join(t.TempDir(), "out.pdf")
	must(t, os.WriteFile(path, b.Bytes(), 0o666))
	run(t, "qpdf", "--check", path)
	return path, strings.Join(strings.Fields(run(t, "pdftotext", "-raw", path, "-")), " ")
}

// A PDF stays what it was, with the text behind it.
func TestPDFOfPDF(t *testing.T) {
	e := withWorker(t)
	file, pages := scanned(t, 7, 3)
	pages[1].Run = recognition.Run{} // nothing was read
	path, words := exportedBy(t, e, documentOf(pages...))
	for want, count := range map[string]int{"page-1-of-7": 1, "page-2-of-7": 0, "page-3-of-7": 1, "대한민국": 2} {
		if got := strings.Count(words, want); got != count {
			t.Errorf("%q is there %d times, want %d: %s", want, got, count, words)
		}
	}
	got, err := os.ReadFile(path)
	must(t, err)
	if !bytes.HasPrefix(got, file) {
		t.Error("the file is not as it was")
	}

	_, words = exportedBy(t, e, documentOf(pages[2]))
	if !strings.Contains(words, "page-3-of-7") || strings.Contains(words, "page-1-of-7") {
		t.Errorf("of the last page: got %q", words)
	}
	for i := range pages {
		pages[i].Run = recognition.Run{}
	}
	var b bytes.Buffer
	must(t, e.Export(t.Context(), &b, recognition.FormatPDF, documentOf(pages...)))
	if !bytes.Equal(b.Bytes(), file) {
		t.Error("a PDF of which nothing was read is not as it was")
	}
}

// Words that the page has itself are not laid over it again.
func TestPDFOfPDFWithText(t *testing.T) {
	_, pages := scanned(t, 7, 1)
	printed := documentOf(pages...)
	all := printed.Pages
	printed.Pages = func(yield func(recognition.TranscriptPage, error) bool) {
		for p, err := range all {
			p.Printed = func(boxes []document.Box) ([]bool, error) {
				printed := make([]bool, len(boxes))
				for i, b := range boxes {
					printed[i] = b.Y2 <= 150
				}
				return printed, nil
			}
			yield(p, err)
		}
	}
	_, words := exportedBy(t, withWorker(t), printed)
	if strings.Contains(words, "대한민국") || !strings.Contains(words, "page-1-of-7") {
		t.Errorf("got %q", words)
	}
}

// Pages of PDF files and of images become one file.
func TestPDFOfSeveral(t *testing.T) {
	_, first := scanned(t, 7, 2)
	_, second := scanned(t, 8, 1)
	image := sample()
	image.Image.ID, image.Image.Document, image.Page = 9, 9, pagePNG(t)
	all := documentOf(first[0], first[1], image, second[0])
	all.Several = true
	_, words := exportedBy(t, withWorker(t), all)
	at := -1
	for _, want := range []string{"page-1-of-7", "page-2-of-7", "emoji😀", "page-1-of-8"} {
		next := strings.Index(words, want)
		if next < at || next < 0 {
			t.Errorf("%q is not where it should be in %q", want, words)
		}
		at = next
	}
}

// A PDF that cannot be parsed is written anew for it, whole or else the pages that are wanted.
func TestPDFThatIsMended(t *testing.T) {
	file, pages := scanned(t, 7, 3)
	two, _ := scanned(t, 7, 2)
	for name, c := range map[string]struct {
		whole []byte // what is there of the whole file
		asked string
	}{"whole": {file, "[[]]"}, "pages": {[]byte("hello"), "[[] [2 3]]"}} {
		damaged := documentOf(pages[1], pages[2])
		all, asked := damaged.Pages, [][]int{}
		damaged.Pages = func(yield func(recognition.TranscriptPage, error) bool) {
			for p, err := range all {
				p.Image.Size = 5
				p.Open = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("hello")), nil }
				p.Mended = func(wanted []int) ([]byte, error) {
					if asked = append(asked, wanted); wanted == nil {
						return c.whole, nil
					}
					return two, nil
				}
				if !yield(p, err) {
					return
				}
			}
		}
		if _, words := exportedBy(t, withWorker(t), damaged); strings.Contains(words, "page-1-of-7") ||
			!strings.Contains(words, "page-2-of-7") || !strings.Contains(words, "page-3-of-7") {
			t.Errorf("%s: got %q", name, words)
		}
		if got := fmt.Sprint(asked); got != c.asked {
			t.Errorf("%s: asked for %s, want %s", name, got, c.asked)
		}
	}
}

// What is no PDF is a fault, and so is everything where there is no worker.
func TestPDFOfBrokenPDF(t *testing.T) {
	_, pages := scanned(t, 7, 1)
	var b bytes.Buffer
	if err := (&Exporter{}).Export(t.Context(), &b, recognition.FormatPDF, documentOf(pages...)); !fault.Is(err, fault.Unsupported) ||
		b.Len() > 0 {
		t.Errorf("without a worker: got %v and %d bytes", err, b.Len())
	}
	pages[0].Page.Bytes = []byte("hello")
	pages[0].Image.Size = 5
	e := withWorker(t)
	if err := e.Export(t.Context(), &b, recognition.FormatPDF, documentOf(pages...)); !fault.Is(err, fault.Unsupported) || b.Len() > 0 {
		t.Errorf("got %v and %d bytes", err, b.Len())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Export(ctx, io.Discard, recognition.FormatPDF, documentOf(pages...)); err == nil {
		t.Error("no error once the context has ended")
	}
}
