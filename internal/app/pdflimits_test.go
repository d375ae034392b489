package app

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	api "glyphbox/client"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

// A file of too many pages is refused with the limit that there is, and looking at it takes no more than a worker has.
func TestTooManyPages(t *testing.T) {
	const most = 512 << 20 // bytes of the workers for PDF files, of which one has pdfium and the file
	s := start(t, t.TempDir())
	ann, admin := s.signUp("ann"), s.login("admin", adminPassword)
	page := porttest.PDFPage{Width: 144, Height: 72, Content: porttest.PDFText(10, 30, 20, "page")}
	for pages, want := range map[int]string{2001: "The file has 2001 pages; at most 2000 are allowed.",
		10_000: "The file has 10000 pages; at most 2000 are allowed.", 10_001: "The file has 10001 pages; at most 2000 are allowed."} {
		file := porttest.PDF(slices.Repeat([]porttest.PDFPage{page}, pages)...)
		_, err := ann.client().Upload(t.Context(), "many.pdf", bytes.NewReader(file))
		if p, is := errors.AsType[*api.Problem](err); !is || p.Status != http.StatusRequestEntityTooLarge || p.Code != "too_many_pages" ||
			p.Detail != want {
			t.Errorf("%d pages: got %v", pages, err)
		}
	}
	if left := ann.search(""); len(left) != 0 {
		t.Errorf("got %+v", left)
	}
	state, err := admin.client().Service(t.Context())
	check.OK(t, "Service", err)
	if p := state.PDF; p.Served != 3 || p.Replaced != 0 || p.Waiting != 0 || p.MemoryBytes <= 0 || p.MemoryBytes > most {
		t.Errorf("the workers for PDF files: %+v", p)
	}
	metrics := string(s.do(http.StatusOK, "GET", "/metrics", nil).body)
	for _, want := range []string{"glyphbox_pdf_jobs_served_total 3\n", `glyphbox_pdf_workers_replaced_total{reason="broken"} 0` + "\n",
		"glyphbox_pdf_jobs_duration_seconds_count 3\n", `glyphbox_pdf_jobs_duration_seconds_bucket{le="+Inf"} 3` + "\n",
		"glyphbox_pdf_jobs_waiting 0\n", "glyphbox_pdf_workers 1\n"} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %q in the metrics", want)
		}
	}
}

// A first page that cannot be rendered in time is an error of its own, and the page behind it is read.
func TestEndlessFirstPage(t *testing.T) {
	s := start(t, t.TempDir(), "--region-timeout", "3s")
	ann := s.signUp("ann")
	file := "%PDF-1.7\n"
	for i, object := range []string{
		"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Count 2/Kids[3 0 R 6 0 R]/MediaBox[0 0 300 200]>>",
		"<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</Pattern<</P 5 0 R>>>>>>",
		"<</Length 40>>stream\n/Pattern cs /P scn 0 0 300 200 re f       \nendstream",
		"<</PatternType 1/PaintType 1/TilingType 1/BBox[0 0 9 9]/XStep 0.0001/YStep 0.0001/Resources<<>>/Length 12>>" +
			"stream\n0 0 9 9 re f\nendstream",
		"<</Type/Page/Parent 2 0 R/Contents 7 0 R/Resources<</Font<</F 8 0 R>>>>>>",
		"<</Length 55>>stream\nBT /F 20 Tf 20 100 Td (Minutes of the meeting) Tj ET      \nendstream",
		"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
	} {
		file += fmt.Sprintf("%d 0 obj%s endobj\n", i+1, object)
	}
	first := ann.upload("endless.pdf", []byte(file+"trailer<</Root 1 0 R>>"))
	if first.Pages != 2 || first.Error == nil || first.Error.Code != "page_unreadable" {
		t.Errorf("got %+v, %+v", first, first.Error)
	}
	_, err := ann.client().Recognize(t.Context(), first.ID, api.Request{})
	if p, is := errors.AsType[*api.Problem](err); !is || p.Status != http.StatusUnprocessableEntity || p.Code != "page_unreadable" {
		t.Errorf("reading the first page: got %v", err)
	}
	read, err := ann.client().Recognize(t.Context(), first.ID+1, api.Request{})
	if got := ok(t, read, err).Contents; len(got) != 1 || got[0].Text != "Minutes of the meeting" {
		t.Errorf("reading the second page: got %+v", got)
	}
}
