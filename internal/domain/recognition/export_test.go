package recognition_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"strings"
	"testing"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/limit"
	"glyphbox/internal/domain/once"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

func TestExport(t *testing.T) {
	w := newWorld(t)
	w.Exporter = w.fakes.Exporter
	run := w.recognize(t, w.ann, left, right)
	corrected := "대한민국"
	_, err := w.Correct(t.Context(), w.ann, run.ContentIDs[0], recognition.Correction{Text: &corrected})
	check.OK(t, "Correct", err)
	for _, f := range recognition.Formats {
		e, err := w.ExportRun(t.Context(), w.ann, w.image.ID, 1, f)
		check.OK(t, string(f), err)
		var b bytes.Buffer
		check.OK(t, "Write", e.Write(&b))
		if !strings.Contains(b.String(), fmt.Sprintf(" %s: page, page 1, version 1\n대한민국\nregion 200,0,400,140\n", f)) {
			t.Errorf("%s: got %q", f, &b)
		}
		check.Same(t, "media type", e.MediaType, f.MediaType())
		if e.MediaType == "application/octet-stream" || !strings.HasPrefix(e.Name, "page-v1") {
			t.Errorf("%s: got %s called %s", f, e.MediaType, e.Name)
		}
	}
}

func TestExportRefused(t *testing.T) {
	w := newWorld(t)
	w.Exporter = w.fakes.Exporter
	w.recognize(t, w.ann, left)
	export := func(a account.Actor, version int, f recognition.Format) error {
		_, err := w.ExportRun(t.Context(), a, w.image.ID, version, f)
		return err
	}
	check.Code(t, "a stranger, whatever is wrong besides", export(w.bob, 9, "docx"), fault.NotFound, "image_not_found")
	wantFields(t, "no such format", export(w.ann, 1, "docx"), "format")
	wantFields(t, "no format", export(w.ann, 1, ""), "format")
	wantFields(t, "letter case counts", export(w.ann, 1, "PDF"), "format")
	for _, version := range []int{-1, 0, 2} {
		if err := export(w.ann, version, recognition.FormatText); !fault.Is(err, fault.NotFound) {
			t.Errorf("version %d: got error %v", version, err)
		}
	}
	w.fakes.Fail("Imager.View", porttest.Before)
	e, err := w.ExportRun(t.Context(), w.ann, w.image.ID, 1, recognition.FormatPDF)
	check.OK(t, "ExportRun", err)
	var b bytes.Buffer
	if err := e.Write(&b); !fault.Is(err, fault.Unavailable) || b.Len() > 0 {
		t.Errorf("without workers: got error %v and %d bytes", err, b.Len())
	}
	w.see(t, document.Shared)
	check.OK(t, "shared", export(w.bob, 1, recognition.FormatPDF))
}

func TestExportName(t *testing.T) {
	w := newWorld(t)
	w.Exporter = w.fakes.Exporter
	w.recognize(t, w.ann, left)
	for name, want := range map[string]string{"스캔 1.tiff": "스캔 1-v1.alto.xml", ".hidden": ".hidden-v1.alto.xml",
		"a/b\\c.d.png":         "a_b_c.d-v1.alto.xml",
		"Minutes. Second part": "Minutes. Second part-v1.alto.xml"} {
		_, err := w.images.Change(t.Context(), w.ann, w.image.ID, document.Change{Name: &name})
		check.OK(t, "Change", err)
		e, err := w.ExportRun(t.Context(), w.ann, w.image.ID, 1, recognition.FormatALTO)
		check.OK(t, "Export", err)
		check.Same(t, name, e.Name, want)
	}
}

// written is what the file of an export has.
func written(t *testing.T, e recognition.Export, err error) string {
	t.Helper()
	check.OK(t, "export", err)
	var b bytes.Buffer
	check.OK(t, "Write", e.Write(&b))
	return b.String()
}

// An export of an image is of its newest version, and makes none.
func TestExportNewest(t *testing.T) {
	w := newWorld(t)
	w.Exporter = w.fakes.Exporter
	export := func(s recognition.Selection) (recognition.Export, error) {
		return w.Export(t.Context(), w.ann, w.image.ID, recognition.FormatText, s)
	}
	e, err := export(recognition.Selection{})
	check.Same(t, "nothing was read", written(t, e, err), " txt: page, page 1, version 0\n\n")
	check.Same(t, "its name", e.Name, "page.txt")
	w.recognize(t, w.ann, left)
	w.recognize(t, w.ann, right)
	e, err = export(recognition.Selection{})
	if got := written(t, e, err); !strings.HasPrefix(got, " txt: page, page 1, version 2\n") {
		t.Errorf("got %q, want the newest version", got)
	}
	e, err = export(recognition.Selection{Version: 1, Pages: recognition.PageRanges{{First: 1, Last: 1}}})
	if got := written(t, e, err); !strings.HasPrefix(got, " txt: page, page 1, version 1\n") || e.Name != "page-v1.txt" {
		t.Errorf("got %q called %s, want the version that was asked for", got, e.Name)
	}
	runs, err := w.List(t.Context(), w.ann, w.image.ID, 0)
	check.OK(t, "List", err)
	check.Same(t, "versions", len(runs), 2)

	_, err = export(recognition.Selection{Version: 3})
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("no such version: got %v", err)
	}
	_, err = export(recognition.Selection{Pages: recognition.PageRanges{{First: 1, Last: 2}}})
	wantFields(t, "no such page", err, "pages")
	_, err = w.Export(t.Context(), w.bob, w.image.ID, "docx", recognition.Selection{})
	check.Code(t, "a stranger", err, fault.NotFound, "image_not_found")
}

// A document is exported whole, or some pages of it, whichever page's image is named.
func TestExportPages(t *testing.T) {
	w := newWorld(t)
	w.Exporter = w.fakes.Exporter
	first, pages := w.image, []document.Image(nil)
	drawn, _ := porttest.DrawLines("a page of three")
	file := porttest.MultiPageTIFF(drawn, drawn, drawn)
	blob, err := w.fakes.Blobs.Put(t.Context(), bytes.NewReader(file))
	check.OK(t, "Put", err)
	for n := 1; n <= 3; n++ {
		page := first
		page.ID, page.Document, page.Number, page.Pages, page.Name, page.Original = 0, 0, n, 3, "three.tif", blob
		page.SHA256, page.Size, page.MediaType = porttest.FileOf(file).SHA256, int64(len(file)), "image/tiff"
		page.Seal = []byte("sealed")
		pages = append(pages, page)
	}
	stored, err := w.fakes.Catalog.Add(t.Context(), once.Claim{}, limit.Limits{}, pages)
	check.OK(t, "Add", err)
	pages, err = w.fakes.Catalog.Pages(t.Context(), stored[0].ID, 1, 10)
	check.OK(t, "Pages", err)
	w.image = pages[1]
	w.recognize(t, w.ann, left)
	export := func(id int64, s recognition.Selection) string {
		e, err := w.Export(t.Context(), w.ann, id, recognition.FormatTSV, s)
		return written(t, e, err)
	}
	whole := export(pages[2].ID, recognition.Selection{})
	for _, want := range []string{" tsv: three.tif, page 1, version 0\n", "\nthen tsv: three.tif, page 2, version 1\n",
		"\nthen tsv: three.tif, page 3, version 0\n"} {
		if !strings.Contains(whole, want) {
			t.Errorf("%q is not in %q", want, whole)
		}
	}
	part := export(pages[2].ID, recognition.Selection{Pages: recognition.PageRanges{{First: 2, Last: 3}}})
	if !strings.HasPrefix(part, " tsv: three.tif, page 2, version 1\n") || strings.Contains(part, "page 1") {
		t.Errorf("got %q, want pages 2 and 3", part)
	}
	_, err = w.Export(t.Context(), w.ann, pages[1].ID, recognition.FormatTSV, recognition.Selection{Version: 1})
	wantFields(t, "a version of several pages", err, "version")
	_, err = w.Export(t.Context(), w.ann, pages[1].ID, recognition.FormatTSV,
		recognition.Selection{Pages: recognition.PageRanges{{First: 4, Last: 4}}})
	wantFields(t, "no such page", err, "pages")
	e, err := w.ExportAll(t.Context(), w.ann, []int64{pages[1].ID, first.ID, pages[0].ID}, recognition.FormatTSV, recognition.PackingOne)
	if got := written(t, e, err); strings.Count(got, "page ") != 4 || !strings.Contains(got, "page 4, version 0") {
		t.Errorf("got %q, want three pages and one, numbered through", got)
	}
	check.Same(t, "pages of all that were not read", e.Unread, 3)
	for _, named := range []struct {
		pages, want string
		version     int
	}{{"all", "three.tsv", 0}, {"1-3", "three.tsv", 0}, {"2-3", "three-p2-3.tsv", 0}, {"3,1", "three-p1,3.tsv", 0},
		{"2", "three-p2-v1.tsv", 1}} {
		ranges, err := recognition.ParsePageRanges("pages", named.pages)
		check.OK(t, named.pages, err)
		e, err := w.Export(t.Context(), w.ann, pages[1].ID, recognition.FormatTSV, recognition.Selection{Pages: ranges,
			Version: named.version})
		check.OK(t, named.pages, err)
		check.Same(t, "the name of pages "+named.pages, e.Name, named.want)
	}
	e, err = w.ExportRun(t.Context(), w.ann, pages[1].ID, 1, recognition.FormatTSV)
	check.OK(t, "ExportRun", err)
	check.Same(t, "the name of a version of a page", e.Name, "three-p2-v1.tsv")
	e, err = w.Export(t.Context(), w.ann, pages[0].ID, recognition.FormatPDF, recognition.Selection{})
	check.OK(t, "Export", err)
	check.Same(t, "of a file with a password", e.Unencrypted, true)
	check.Same(t, "pages that were not read", e.Unread, 2)
	check.Same(t, "the version of its only page", strings.Contains(export(pages[0].ID, recognition.Selection{Version: 1,
		Pages: recognition.PageRanges{{First: 2, Last: 2}}}), "page 2, version 1"), true)
}

func TestExportAll(t *testing.T) {
	w := newWorld(t)
	w.Exporter = w.fakes.Exporter
	w.recognize(t, w.ann, left)
	other, _ := porttest.DrawLines("another page")
	second, err := w.images.Upload(t.Context(), w.ann, "page.png", porttest.FileOf(porttest.PNG(other)))
	check.OK(t, "Upload", err)
	ids := []int64{w.image.ID, second.ID, w.image.ID}
	export := func(a account.Actor, ids []int64, f recognition.Format, as recognition.Packing) (recognition.Export, error) {
		return w.ExportAll(t.Context(), a, ids, f, as)
	}

	e, err := export(w.ann, ids, recognition.FormatTSV, recognition.PackingOne)
	got := written(t, e, err)
	if !strings.HasPrefix(got, " tsv: page, page 1, version 1\n") || !strings.Contains(got, "\nthen tsv: page, page 2, version 0\n") ||
		e.Name != "page +1.tsv" {
		t.Errorf("one: got %q called %s", got, e.Name)
	}
	e, err = export(w.ann, ids, recognition.FormatTSV, recognition.PackingZip)
	archive := written(t, e, err)
	z, err := zip.NewReader(strings.NewReader(archive), int64(len(archive)))
	check.OK(t, "zip", err)
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
	}
	check.Same(t, "files", strings.Join(names, " "), "page.tsv page (2).tsv")
	if e.Name != "page +1.zip" || e.MediaType != "application/zip" {
		t.Errorf("got %s called %s", e.MediaType, e.Name)
	}
	e, err = export(w.ann, ids, recognition.FormatGroundTruth, recognition.PackingZip)
	if got := written(t, e, err); !strings.Contains(got, "then gt: page, page 2") || e.Name != "page +1-gt.zip" {
		t.Errorf("ground truth: got %q, want all documents in one archive", got)
	}

	e, err = export(w.ann, []int64{w.image.ID, w.image.ID}, recognition.FormatText, recognition.PackingZip)
	check.OK(t, "one document", err)
	check.Same(t, "one document", e.Name, "page.zip")

	_, err = export(w.ann, nil, "docx", "tar")
	wantFields(t, "everything is wrong", err, "as", "format", "image_ids")
	_, err = export(w.ann, []int64{w.image.ID, 999}, recognition.FormatText, recognition.PackingOne)
	wantFields(t, "no such image", err, "image_ids[1]")
	_, err = export(w.bob, ids, recognition.FormatText, recognition.PackingOne)
	wantFields(t, "a stranger's", err, "image_ids[0]", "image_ids[1]", "image_ids[2]")
	_, err = export(w.ann, make([]int64, recognition.MaxExported+1), recognition.FormatText, recognition.PackingOne)
	wantFields(t, "too many", err, "image_ids")
}

func TestPageRanges(t *testing.T) {
	for text, want := range map[string]string{"": "123456789", "all": "123456789", "3": "3", "2-5,9": "23459", " 1 , 4 - 4": "14",
		"8-8,8": "8"} {
		r, err := recognition.ParsePageRanges("pages", text)
		check.OK(t, text, err)
		got := ""
		for n := 1; n <= 9; n++ {
			if r.Has(n) {
				got += fmt.Sprint(n)
			}
		}
		check.Same(t, text, got, want)
	}
	for _, text := range []string{"0", "-1", "1-", "5-2", "a", "1,,2", ",", "1-2-3", "99999999999", "+1", "1;2", "ALL",
		strings.Repeat("1,", 1000) + "1"} {
		_, err := recognition.ParsePageRanges("pages", text)
		wantFields(t, text, err, "pages")
	}
	r, err := recognition.ParsePageRanges("pages", "1-3,7")
	check.OK(t, "parse", err)
	check.Same(t, "within", len(r.Check("pages", 7)), 0)
	check.Same(t, "beyond", fmt.Sprint(r.Check("pages", 6)), "[{pages 1 to 6: the document has no page 7}]")
}
