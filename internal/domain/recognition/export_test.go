package recognition_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
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
		e, err := w.Export(t.Context(), w.ann, w.image.ID, 1, f)
		check.OK(t, string(f), err)
		var b bytes.Buffer
		check.OK(t, "Write", e.Write(&b))
		if !strings.Contains(b.String(), fmt.Sprintf(" %s: page, version 1\n대한민국\nregion 200,0,400,140\n", f)) {
			t.Errorf("%s: got %q", f, &b)
		}
		check.Same(t, "media type", e.MediaType, f.MediaType())
		if e.MediaType == "application/octet-stream" || !strings.HasPrefix(e.Name, "page-v1.") {
			t.Errorf("%s: got %s called %s", f, e.MediaType, e.Name)
		}
	}
}

func TestExportRefused(t *testing.T) {
	w := newWorld(t)
	w.Exporter = w.fakes.Exporter
	w.recognize(t, w.ann, left)
	export := func(a account.Actor, version int, f recognition.Format) error {
		_, err := w.Export(t.Context(), a, w.image.ID, version, f)
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
	if err := export(w.ann, 1, recognition.FormatPDF); !fault.Is(err, fault.Unavailable) {
		t.Errorf("without workers: got error %v", err)
	}
	w.see(t, document.Shared)
	check.OK(t, "shared", export(w.bob, 1, recognition.FormatPDF))
}

func TestExportName(t *testing.T) {
	w := newWorld(t)
	w.Exporter = w.fakes.Exporter
	w.recognize(t, w.ann, left)
	for name, want := range map[string]string{"스캔 1.tiff": "스캔 1-v1.alto.xml", ".hidden": ".hidden-v1.alto.xml", "a/b\\c.d.png": "a_b_c.d-v1.alto.xml",
		"Minutes. Second part": "Minutes. Second part-v1.alto.xml"} {
		_, err := w.images.Change(t.Context(), w.ann, w.image.ID, document.Change{Name: &name})
		check.OK(t, "Change", err)
		e, err := w.Export(t.Context(), w.ann, w.image.ID, 1, recognition.FormatALTO)
		check.OK(t, "Export", err)
		check.Same(t, name, e.Name, want)
	}
}
