package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"testing"

	"glyphbox/client"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest"
)

func exportPath(image int64, version any, format string) string {
	return fmt.Sprintf("/api/v1/image/%d/ocr/%v/export?format=%s", image, version, format)
}

func TestExport(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	_, bob := s.user("bob")
	i := s.image(ann)
	contents := read[[]client.Content](s.ask("POST", fmt.Sprintf("/api/v1/image/%d/ocr", i.ID), as(ann)).want(200))
	s.ask("PUT", "/api/v1/ocr/"+contents[0].ID, as(ann).with(`{"text":"대한민국 만세"}`)).want(200)
	s.ask("PUT", fmt.Sprintf("/api/v1/image/%d", i.ID), as(ann).with(`{"name":"스캔 \"1\".png"}`)).want(200)

	for format, want := range map[recognition.Format]struct{ mediaType, ending string }{
		recognition.FormatText: {"text/plain; charset=utf-8", "txt"}, recognition.FormatJSON: {"application/json", "json"},
		recognition.FormatTSV:  {"text/tab-separated-values; charset=utf-8", "tsv"},
		recognition.FormatHOCR: {"text/vnd.hocr+html; charset=utf-8", "hocr"},
		recognition.FormatALTO: {"application/xml", "alto.xml"}, recognition.FormatPDF: {"application/pdf", "pdf"},
		recognition.FormatCSV:         {"text/csv; charset=utf-8", "csv"},
		recognition.FormatXLSX:        {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"},
		recognition.FormatGroundTruth: {"application/zip", "gt"},
	} {
		a := s.ask("GET", exportPath(i.ID, 1, string(format)), as(ann)).want(200)
		if !strings.Contains(a.body, "대한민국 만세") {
			t.Errorf("%s: got %q", format, a.body)
		}
		ending := "." + want.ending
		if format == recognition.FormatGroundTruth {
			ending = "-gt.zip"
		}
		disposition := `attachment; filename="__ _1_-v1` + ending + `"; filename*=UTF-8''%EC%8A%A4%EC%BA%94%20%221%22-v1` + ending
		for name, want := range map[string]string{"Content-Type": want.mediaType, "Content-Disposition": disposition,
			"Cache-Control": "no-store"} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", format, name, got, want)
			}
		}
		s.ask("GET", exportPath(i.ID, 1, string(format)), as(bob)).want(404).code("image_not_found")
	}
	if got, want := len(recognition.Formats), 9; got != want {
		t.Errorf("this test and the enum of the operation know %d of %d formats", want, got)
	}

	s.ask("GET", exportPath(i.ID, 1, "docx"), as(ann)).want(422).code("invalid_input", "format")
	s.ask("GET", exportPath(i.ID, 1, ""), as(ann)).want(422).code("invalid_input", "format")
	s.ask("GET", exportPath(i.ID, 2, "txt"), as(ann)).want(404)
	s.ask("GET", exportPath(i.ID, 0, "txt"), as(ann)).want(422).code("invalid_input", "version")
	s.ask("GET", exportPath(i.ID, "x", "txt"), as(ann)).want(422).code("invalid_input", "version")
	s.ask("GET", exportPath(i.ID+99, 1, "txt"), as(ann)).want(404)
	s.ask("GET", exportPath(i.ID, 1, "txt"), request{}).want(401)
	s.ask("HEAD", exportPath(i.ID, 1, "txt"), as(ann)).want(200)
	s.Fail("Imager.View", porttest.Before)
	a := s.ask("GET", exportPath(i.ID, 1, "pdf"), as(ann)).want(503)
	if got := a.header.Get("Content-Disposition"); got != "" {
		t.Errorf("a problem has the Content-Disposition %q", got)
	}
}

// The newest version of what a document has is exported, and nothing is read for it.
func TestExportDocument(t *testing.T) {
	s := open(t)
	_, ann := s.user("ann")
	_, bob := s.user("bob")
	i := s.image(ann)
	at := func(query string) string { return fmt.Sprintf("/api/v1/image/%d/export?%s", i.ID, query) }
	a := s.ask("GET", at("format=txt"), as(ann)).want(200)
	if !strings.Contains(a.body, "version 0") {
		t.Errorf("of a page that was not read: %q", a.body)
	}
	for range 2 {
		s.ask("POST", fmt.Sprintf("/api/v1/image/%d/ocr", i.ID), as(ann)).want(200)
	}
	for query, want := range map[string]string{"format=txt": "version 2", "format=txt&pages=all": "version 2",
		"format=txt&pages=1&version=1": "version 1"} {
		if a := s.ask("GET", at(query), as(ann)).want(200); !strings.Contains(a.body, want) {
			t.Errorf("%s: got %q, want %s", query, a.body, want)
		}
	}
	s.ask("GET", at("format=txt"), as(bob)).want(404).code("image_not_found")
	s.ask("GET", at("format=docx"), as(ann)).want(422).code("invalid_input", "format")
	s.ask("GET", at("pages=1"), as(ann)).want(422).code("invalid_input", "format")
	s.ask("GET", at("format=txt&pages=1-"), as(ann)).want(422).code("invalid_input", "pages")
	s.ask("GET", at("format=txt&pages=2"), as(ann)).want(422).code("invalid_input", "pages")
	s.ask("GET", at("format=txt&version=3"), as(ann)).want(404)
	if runs := read[[]client.Run](s.ask("GET", fmt.Sprintf("/api/v1/image/%d/ocr", i.ID), as(ann)).want(200)); len(runs) != 2 {
		t.Errorf("there are %d versions, want 2", len(runs))
	}

	export := func(ids, format, packing string) request {
		return as(ann).with(fmt.Sprintf(`{"image_ids":[%s],"format":%q,"as":%q}`, ids, format, packing))
	}
	ids := fmt.Sprintf("%d,%d", i.ID, s.image(ann).ID)
	if a := s.ask("POST", "/api/v1/export", export(ids, "txt", "one")).want(200); !strings.Contains(a.body, "page 2, version 0") {
		t.Errorf("one: got %q", a.body)
	}
	if a := s.ask("POST", "/api/v1/export", export(ids, "txt", "zip")).want(200); !strings.HasPrefix(a.body, "PK") ||
		a.header.Get("Content-Type") != "application/zip" {
		t.Errorf("zip: got %q", a.body)
	}
	s.ask("POST", "/api/v1/export", export("", "txt", "one")).want(422).code("invalid_input", "image_ids")
	s.ask("POST", "/api/v1/export", export(ids, "docx", "tar")).want(422).code("invalid_input", "as", "format")
	s.ask("POST", "/api/v1/export", export(ids+",999", "txt", "one")).want(422).code("invalid_input", "image_ids[2]")
}

// ending is an exporter that fails after it has written that much.
type ending struct{ after int }

var errEnding = errors.New("secret detail")

func (ending) Archive(io.Writer, iter.Seq[recognition.Export]) error { return errEnding }

func (e ending) Export(_ context.Context, w io.Writer, _ recognition.Format, _ recognition.Transcript) error {
	if e.after > 0 {
		if _, err := io.WriteString(w, strings.Repeat("x", e.after)); err != nil {
			return err
		}
	}
	return errEnding
}

// TestExportFails wants a problem while there is still a way to tell, and after that an answer that breaks off.
func TestExportFails(t *testing.T) {
	exporter := &ending{}
	s := open(t, func(c *Config) { c.Recognition.Exporter = exporter })
	_, ann := s.user("ann")
	i := s.image(ann)
	s.ask("POST", fmt.Sprintf("/api/v1/image/%d/ocr", i.ID), as(ann)).want(200)
	a := s.ask("GET", exportPath(i.ID, 1, "txt"), as(ann)).want(500)
	a.code("internal")
	if strings.Contains(a.body, "secret") {
		t.Errorf("the cause is told: %s", a.body)
	}

	exporter.after = 100_000
	q, err := http.NewRequestWithContext(t.Context(), "GET", s.url+exportPath(i.ID, 1, "txt"), nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+ann)
	response, err := sender.Do(q)
	if err == nil {
		defer response.Body.Close()
		_, err = io.ReadAll(response.Body)
	}
	if err == nil {
		t.Error("the answer looks whole")
	}
	s.close()
	if got := strings.Count(s.logs.String(), "secret detail"); got != 2 {
		t.Errorf("the cause is in the log %d times, want 2:\n%s", got, s.logs)
	}
}
