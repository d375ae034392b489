package app

import (
	"bytes"
	"encoding/json"
	"image/jpeg"
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

// TestExport takes a corrected result out in every format, from a page that was really read.
func TestExport(t *testing.T) {
	s := start(t, t.TempDir())
	ann, bob := s.signUp("ann"), s.signUp("bob")
	page, lines, boxes := drawn()
	image := ann.upload("청구서.png", page)
	var regions []object
	for _, b := range boxes {
		regions = append(regions, object{"x1": b.X1, "y1": b.Y1, "x2": b.X2, "y2": b.Y2})
	}
	contents := as[[]api.Content](t, ann.call(http.StatusOK, "POST", path("/image/%d/ocr", image.ID), regions))
	ann.call(http.StatusOK, "PUT", path("/ocr/%s", contents[1].ID), object{"text": "대한민국 <만세>"})
	want := []string{lines[0], "대한민국 <만세>", lines[2]}
	export := func(format string) []byte {
		return ann.do(http.StatusOK, "GET", path("/image/%d/ocr/1/export?format=%s", image.ID, format), nil).body
	}

	if got, want := string(export("txt")), strings.Join(want, "\n\n")+"\n"; got != want {
		t.Errorf("text: got %q, want %q", got, want)
	}
	t.Run("json agrees with the API", func(t *testing.T) {
		var got, run map[string]any
		if err := json.Unmarshal(export("json"), &got); err != nil {
			t.Fatal(err)
		}
		runs := as[[]json.RawMessage](t, ann.do(http.StatusOK, "GET", path("/image/%d/ocr?version=1", image.ID), nil))
		if err := json.Unmarshal(runs[0], &run); err != nil {
			t.Fatal(err)
		}
		run["image"] = map[string]any{"id": float64(image.ID), "name": "청구서.png", "width": float64(image.Width),
			"height": float64(image.Height), "sha256": image.SHA256}
		if d := cmp.Diff(run, got); d != "" {
			t.Errorf("(-API +export):\n%s", d)
		}
	})
	for _, format := range []string{"tsv", "hocr", "alto"} {
		got := string(export(format))
		for _, word := range strings.Fields(strings.NewReplacer("<", "", ">", "").Replace(strings.Join(want, " "))) {
			if !strings.Contains(got, word) {
				t.Errorf("%s: %q is not in\n%s", format, word, got)
			}
		}
	}
	bob.do(http.StatusNotFound, "GET", path("/image/%d/ocr/1/export?format=pdf", image.ID), nil)

	for name, file := range map[string][]byte{"drawn": page, "photographed": photographed()} {
		t.Run("pdf of a page that was "+name, func(t *testing.T) {
			text, err := exec.LookPath("pdftotext")
			if err != nil {
				check.Absent(t, "pdftotext", "scripts/setup tests installs it")
			}
			image := ann.upload(name, file)
			contents := as[[]api.Content](t, ann.call(http.StatusOK, "POST", path("/image/%d/ocr", image.ID), regions))
			ann.call(http.StatusOK, "PUT", path("/ocr/%s", contents[1].ID), object{"text": "대한민국 <만세>"})
			pdf := filepath.Join(t.TempDir(), "page.pdf")
			if err := os.WriteFile(pdf, ann.do(http.StatusOK, "GET", path("/image/%d/ocr/1/export?format=pdf", image.ID), nil).body,
				0o666); err != nil {
				t.Fatal(err)
			}
			out, err := exec.CommandContext(t.Context(), text, pdf, "-").Output()
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(strings.Fields(strings.Join(want, " ")), strings.Fields(string(out))); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// photographed is the page of drawn as a JPEG.
func photographed() []byte {
	_, lines, _ := drawn()
	m, _ := porttest.DrawLines(lines...)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 95}); err != nil {
		panic(err)
	}
	return b.Bytes()
}
