package app

import (
	"bytes"
	"database/sql"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	api "glyphbox/client"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

// Documents of several pages are uploaded, read whole, taken out whole, and deleted so that nothing is left.
func TestDocuments(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir, "--sweep-interval", "0")
	ann := s.signUp("ann")
	letter, _ := porttest.DrawLines("Thank you for the letter", "and for the two invoices")
	table, _ := porttest.DrawLines("Total amount 1250.00", "Two boxes of paper", "Delivered in March", "Paid in April")
	note, _ := porttest.DrawLines("Keep this page with the others")
	line := func(text string) string { return porttest.PDFText(72, 400, 20, text) }

	for name, c := range map[string]struct {
		file   []byte
		sizes  [][2]int // of the upright pages
		texts  []string
		source string
	}{
		"scan.tiff": {porttest.OrientedTIFF([]int{1, 6, 3}, letter, table, note),
			[][2]int{{letter.Bounds().Dx(), 200}, {table.Bounds().Dx(), 320}, {note.Bounds().Dx(), 140}},
			[]string{"Thank you for the letter\nand for the two invoices",
				"Total amount 1250.00\nTwo boxes of paper\nDelivered in March\nPaid in April",
				"Keep this page with the others"}, "ocr"},
		"report.pdf": {porttest.PDF(porttest.PDFPage{Width: 288, Height: 432, Content: line("Minutes of the meeting")},
			porttest.PDFPage{Width: 576, Height: 432, Content: line("A page that is wider")},
			porttest.PDFPage{Width: 576, Height: 432, Rotate: 90, Content: line("A page that is turned")}),
			[][2]int{{1200, 1800}, {2400, 1800}, {1800, 2400}},
			[]string{"Minutes of the meeting", "A page that is wider", "A page that is turned"}, "text"},
	} {
		t.Run(name, func(t *testing.T) {
			ann := ann
			ann.t = t
			first := ann.upload(name, c.file)
			list, err := ann.client().Pages(t.Context(), first.ID, api.Page{})
			pages := ok(t, list, err).Items
			var sizes [][2]int
			for _, p := range pages {
				sizes = append(sizes, [2]int{p.Width, p.Height})
				ann.do(http.StatusOK, "GET", path("/image/%d/thumbnail", p.ID), nil)
			}
			if d := cmp.Diff(c.sizes, sizes); d != "" {
				t.Fatalf("sizes (-want +got):\n%s", d)
			}

			runs, err := ann.client().RecognizePages(t.Context(), pages[1].ID, "all", api.Request{Effort: "balanced"})
			for n, r := range ok(t, runs, err) {
				if r.ImageID != pages[n].ID || r.Error != nil {
					t.Fatalf("page %d: %+v, %v", n+1, r, r.Error)
				}
				run, err := ann.client().Run(t.Context(), r.ImageID, *r.Version)
				if got := ok(t, run, err).Contents; len(got) != 1 || got[0].Text != c.texts[n] || got[0].Source != c.source {
					t.Errorf("page %d: got %q from %s, want %q from %s", n+1, texts(got), got[0].Source, c.texts[n], c.source)
				}
			}

			file, err := ann.client().ExportDocument(t.Context(), pages[2].ID, "all", "txt")
			if got, want := string(ok(t, file, err)), strings.Join(c.texts, "\n\f")+"\n"; got != want {
				t.Errorf("text: got %q, want %q", got, want)
			}
			file, err = ann.client().ExportDocument(t.Context(), first.ID, "all", "pdf")
			ok(t, file, err)
			t.Run("pdf", func(t *testing.T) {
				if got := textOfPDF(t, file); !cmp.Equal(got, c.texts) {
					t.Errorf("got %q, want %q", got, c.texts)
				}
			})

			check.OK(t, "DeleteImage", ann.client().DeleteImage(t.Context(), first.ID))
			for _, p := range pages {
				ann.do(http.StatusNotFound, "GET", path("/image/%d/meta", p.ID), nil)
			}
			if left := filesBelow(t, filepath.Join(dir, "blobs")); len(left) != 0 {
				t.Errorf("%d blobs are left", len(left))
			}
			for _, table := range []string{"image", "image_suffix", "ocr_run", "ocr", "content_revision", "text_entry", "text_announced"} {
				if n := rowsOf(t, dir, table); n != 0 {
					t.Errorf("%d rows of %s are left", n, table)
				}
			}
		})
	}
}

// textOfPDF returns the lines of text that a viewer finds on each page of a PDF file.
func textOfPDF(t *testing.T, file []byte) (pages []string) {
	t.Helper()
	program, err := exec.LookPath("pdftotext")
	if err != nil {
		check.Absent(t, "pdftotext", "scripts/setup tests installs it")
	}
	name := filepath.Join(t.TempDir(), "document.pdf")
	check.OK(t, "WriteFile", os.WriteFile(name, file, 0o666))
	out, err := exec.CommandContext(t.Context(), program, "-layout", name, "-").Output()
	check.OK(t, "pdftotext", err)
	for page := range bytes.SplitSeq(bytes.TrimSuffix(out, []byte("\f")), []byte("\f")) {
		var lines []string
		for line := range strings.Lines(string(page)) {
			if words := strings.Fields(line); len(words) > 0 {
				lines = append(lines, strings.Join(words, " "))
			}
		}
		pages = append(pages, strings.Join(lines, "\n"))
	}
	return pages
}

// rowsOf counts the rows of a table of a server with SQLite.
func rowsOf(t *testing.T, dir, table string) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "glyphbox.db")+"?_pragma=busy_timeout(5000)")
	check.OK(t, "Open", err)
	defer db.Close()
	check.OK(t, "SELECT", db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n))
	return n
}
