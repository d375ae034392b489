package engine

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"glyphbox/internal/adapter/engine/traineddata"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"
)

// lineHeight is the distance of the lines of the pages in testdata/languages, in pixels.
const lineHeight = 64

// linesOf is a page of testdata/languages, with a box around each line and one around all.
func linesOf(t *testing.T, e *Engine, name string) (page document.Page, lines []document.Box, whole document.Box) {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("testdata", "languages", name))
	if err != nil {
		t.Fatal(err)
	}
	page = porttest.PageOf(file)
	probe, err := e.Probe(t.Context(), page.File)
	if err != nil {
		t.Fatal(err)
	}
	g := probe.Geometry(1)
	for y := 15; y+lineHeight-4 < g.Height; y += lineHeight {
		lines = append(lines, document.Box{X1: 20, Y1: y, X2: g.Width - 20, Y2: y + lineHeight - 4})
	}
	return page, lines, document.Box{X2: g.Width, Y2: g.Height}
}

// korean skips a test where Korean is not installed.
func korean(t *testing.T, e *Engine) {
	t.Helper()
	if installed, err := e.Languages(t.Context()); err != nil || !slices.Contains(installed, "kor") {
		check.Absent(t, "kor", "install tesseract-ocr-kor")
	}
}

// Each line is read in the language that it is written in, by both recognisers and by Tesseract alone, whatever else is asked for.
func TestLinesOfSeveralLanguages(t *testing.T) {
	want := []struct{ text, lang string }{
		{"계약서 제3조 지급 조건", "kor"}, {"Payment is due within thirty days", "eng"}, {"개정 2024. 11. 26.", "kor"},
		{"Glyphbox 사용 설명서 Version 2", "kor+eng"}, {"1,234.50", "eng"}, {"합계", "kor"},
	}
	same := func(text string) string { return strings.ReplaceAll(text, " ", "") }
	for name, models := range map[string]string{"two recognisers": "", "one": NoModels} {
		t.Run(name, func(t *testing.T) {
			e := start(t, func(o *Options) { o.Models = models })
			korean(t, e)
			page, lines, whole := linesOf(t, e, "lines.png")
			for _, effort := range recognition.Efforts {
				o := orderOf(page, append(lines, whole)...)
				for i := range o.Tasks {
					o.Tasks[i].Lang, o.Tasks[i].Effort, o.Tasks[i].Rotate = []string{recognition.AutoLang}, effort, recognition.RotateAuto
				}
				readings, err := e.Recognize(t.Context(), o)
				if err != nil {
					t.Fatal(err)
				}
				for i, w := range want {
					r := readings[i]
					told := len(r.Suggested) + len(r.Missing)
					if same(r.Text) != same(w.text) || strings.Join(r.Lang, "+") != w.lang || told > 0 {
						t.Errorf("%s: got %q in %v, suggested %v, missing %v; want %q in %s", effort, r.Text, r.Lang, r.Suggested,
							r.Missing, w.text, w.lang)
					}
				}
				all := readings[len(want)]
				for _, part := range []string{"계약서 제3조 지급 조건", "Payment is due within thirty days", "2024.", "Version 2", "1,234.50",
					"합계"} {
					if !strings.Contains(same(all.Text), same(part)) {
						t.Errorf("%s: %q is not in the page's %q", effort, part, all.Text)
					}
				}
				if slices.Sort(all.Lang); !slices.Equal(all.Lang, []string{"eng", "kor"}) {
					t.Errorf("%s: the page was read in %v", effort, all.Lang)
				}
			}
		})
	}
}

// What is read in a language of another script is offered the right one, lines as well as pages, and what is not is offered none.
func TestSuggestedLanguage(t *testing.T) {
	for name, models := range map[string]string{"two recognisers": "", "one": NoModels} {
		t.Run(name, func(t *testing.T) {
			e := start(t, func(o *Options) { o.Models = models })
			korean(t, e)
			drawn, boxes := porttest.DrawLines("Payment is due", "within 30 days", "1,234.50")
			english, whole := porttest.PageOf(porttest.PNG(drawn)), document.Box{X2: drawn.Bounds().Dx(), Y2: drawn.Bounds().Dy()}
			page, lines, all := linesOf(t, e, "korean.png")
			for _, effort := range []recognition.Effort{recognition.EffortFast, recognition.EffortAccurate} {
				for _, c := range []struct {
					page  document.Page
					boxes []document.Box
					lang  string
					want  []string
				}{
					{page, []document.Box{lines[0], all}, "eng", []string{"kor"}}, {page, lines[:2], "kor", nil},
					{page, lines[:1], "kor+eng", nil}, {english, append(boxes, whole), "eng", nil}, {english, boxes[:1], "kor+eng", nil},
				} {
					o := orderOf(c.page, c.boxes...)
					for i := range o.Tasks {
						o.Tasks[i].Lang, o.Tasks[i].Effort, o.Tasks[i].Rotate = strings.Split(c.lang, "+"), effort, recognition.RotateAuto
					}
					readings, err := e.Recognize(t.Context(), o)
					if err != nil {
						t.Fatal(err)
					}
					for i, r := range readings {
						if !slices.Equal(r.Suggested, c.want) || len(r.Missing) > 0 {
							t.Errorf("%s: region %d in %s: %q, suggested %v, missing %v, want %v", effort, i, c.lang, r.Text, r.Suggested,
								r.Missing, c.want)
						}
					}
				}
			}
		})
	}
}

// Where Korean is not installed, the shape of the letters of a page tells that it is missing.
func TestLanguageThatIsNotInstalled(t *testing.T) {
	installed, err := findTessdata(nil, "")
	if err != nil {
		t.Fatal(err)
	}
	some := t.TempDir()
	for _, name := range []string{"eng", "osd"} {
		file := name + traineddata.Suffix
		if err := os.Symlink(filepath.Join(installed.folder, file), filepath.Join(some, file)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(some, "osd"+traineddata.Suffix)); err != nil {
		check.Absent(t, "osd", "install tesseract-ocr-osd")
	}
	e := start(t, func(o *Options) { o.TessdataDirs = []string{some} })
	page, _, whole := linesOf(t, e, "korean.png")
	drawn, _ := porttest.DrawLines("Payment is due within", "thirty days of the", "date of the invoice")
	english := document.Box{X2: drawn.Bounds().Dx(), Y2: drawn.Bounds().Dy()}
	for _, lang := range []string{"eng", recognition.AutoLang} {
		o, plain := orderOf(page, whole), orderOf(porttest.PageOf(porttest.PNG(drawn)), english)
		o.Tasks[0].Lang, plain.Tasks[0].Lang = []string{lang}, []string{lang}
		for _, c := range []struct {
			order recognition.Order
			want  []string
		}{{o, []string{"kor"}}, {plain, nil}} {
			readings, err := e.Recognize(t.Context(), c.order)
			if err != nil {
				t.Fatal(err)
			}
			if r := readings[0]; !slices.Equal(r.Missing, c.want) || len(r.Suggested) > 0 || !slices.Equal(r.Lang, []string{"eng"}) {
				t.Errorf("%s: %q in %v, missing %v, suggested %v, want %v missing", lang, r.Text, r.Lang, r.Missing, r.Suggested, c.want)
			}
		}
	}
}
