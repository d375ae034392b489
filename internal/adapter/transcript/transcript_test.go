package transcript

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"glyphbox/internal/domain/account"
	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest"
)

var update = flag.Bool("update", false, "write the golden files")

// sampled is a page with its rendition.
type sampled struct {
	recognition.TranscriptPage
	Page document.Rendition
}

// transcript is one of a run of that page.
func (s sampled) transcript() recognition.Transcript {
	t := documentOf(s)
	t.Run = true
	return t
}

// documentOf is a transcript of a document of these pages.
func documentOf(pages ...sampled) recognition.Transcript {
	return recognition.Transcript{Name: pages[0].Image.Name, Pages: func(yield func(recognition.TranscriptPage, error) bool) {
		for _, s := range pages {
			p := s.TranscriptPage
			p.Open = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(s.Page.Bytes)), nil }
			p.View = func(int, document.Box, int) (document.Rendition, error) { return s.Page, nil }
			if !yield(p, nil) {
				return
			}
		}
	}}
}

// sample is a run with everything that can be odd in one.
func sample() sampled {
	at := time.Date(2026, 11, 22, 20, 6, 0, 123456000, time.UTC)
	return sampled{TranscriptPage: recognition.TranscriptPage{
		Number: 1,
		Image: document.Image{ID: 42, Document: 42, Number: 1, Name: `스캔 <1> & "2";\.png`,
			Geometry: document.Geometry{MediaType: "image/png", Width: 800, Height: 600, Pages: 1, DPI: 300},
			SHA256:   strings.Repeat("0a", 32)},
		Run: recognition.Run{ImageID: 42, Version: 3, User: account.Ref{ID: 7, Name: "ann"}, Created: at, Lang: []string{"kor", "eng"},
			Mode: 3, Engine: "tesseract 5.3.0",
			Contents: []recognition.Content{
				{ID: "corrected", Version: 3, ROI: document.Box{X1: 40, Y1: 50, X2: 640, Y2: 150}, Name: `머리 <&">`, Revision: 2,
					EditedBy: account.Ref{ID: 8}, Edited: at,
					Reading: recognition.Reading{Text: "대한민국 만세\nThe <quick> & \"brown\"", Confidence: 0.93, Lang: []string{"kor", "eng"},
						Shape: recognition.ShapeBlock, Engine: "tesseract 5.3.0",
						Scale: 1.5, Passes: 1, Duration: 181500 * time.Microsecond, Words: []recognition.Word{
							{Text: "대한민국", Box: document.Box{X1: 50, Y1: 55, X2: 210, Y2: 90}, Confidence: 1},
							{Text: "만세", Box: document.Box{X1: 210, Y1: 55, X2: 300, Y2: 90}, Confidence: 1},
							{Text: "The", Box: document.Box{X1: 50, Y1: 100, X2: 130, Y2: 135}, Confidence: 0.9649},
							{Text: "<quick>", Box: document.Box{X1: 150, Y1: 102, X2: 330, Y2: 140}, Confidence: 0.5},
							{Text: "&"}, // without a box
							{Text: `"brown"`, Box: document.Box{X1: 400, Y1: 100, X2: 560, Y2: 135}, Confidence: 0},
						}}},
				{ID: "empty", Version: 3, ROI: document.Box{X1: 0, Y1: 500, X2: 800, Y2: 600}, Revision: 1,
					Reading: recognition.Reading{Lang: []string{"chi_sim_vert"}, Shape: recognition.ShapePage, Engine: "tesseract 5.3.0",
						Scale: 1, Passes: 1}},
				{ID: "failed", Version: 3, ROI: document.Box{X1: 700, Y1: 10, X2: 790, Y2: 40}, Revision: 1,
					Reading: recognition.Reading{Error: &fault.Failure{Code: recognition.CodeDeadline,
						Detail: "It took <too> long."}}},
				{ID: "typed", Version: 3, ROI: document.Box{X1: 40, Y1: 200, X2: 440, Y2: 320}, Name: "typed", Revision: 2,
					EditedBy: account.Ref{ID: 7, Name: "ann"}, Edited: at,
					Reading: recognition.Reading{Text: "no box\x00es here\x01\n\n\x02 𝄞 emoji😀", Confidence: 1, Lang: []string{"eng"},
						Shape: recognition.ShapeBlock, Engine: "tesseract 5.3.0", Scale: 1, Passes: 1,
						Words: []recognition.Word{{Text: "no", Confidence: 1}, {Text: "box\x00es", Confidence: 1},
							{Text: "here\x01", Confidence: 1}, {Text: "\x02", Confidence: 1},
							{Text: "𝄞", Confidence: 1}, {Text: "emoji😀", Confidence: 1}}}},
			}},
	}}
}

func export(t testing.TB, f recognition.Format, s sampled) []byte {
	t.Helper()
	return exported(t, f, s.transcript())
}

func exported(t testing.TB, f recognition.Format, transcript recognition.Transcript) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := (&Exporter{}).Export(t.Context(), &b, f, transcript); err != nil {
		t.Fatalf("%s: %v", f, err)
	}
	return b.Bytes()
}

// What waits until it can be written goes where the exporter is told, as in a container whose root is read-only, and nothing is left there.
func TestLongExportsWaitInTempDir(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "missing"))
	dir := t.TempDir()
	e := New(Options{TempDir: dir})
	long := sample()
	long.Run.Contents[0].Text = strings.Repeat(strings.Repeat("long", 10_000)+"\n", spoolMemory/40_000+1)
	long.Run.Contents[0].Words = nil
	for _, f := range []recognition.Format{recognition.FormatHOCR, recognition.FormatALTO} {
		if err := e.Export(t.Context(), io.Discard, f, documentOf(long)); err != nil {
			t.Errorf("%s: %v", f, err)
		}
		if err := (&Exporter{}).Export(t.Context(), io.Discard, f, documentOf(long)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s without a folder: got %v", f, err)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}

func TestGolden(t *testing.T) {
	for _, f := range []recognition.Format{recognition.FormatText, recognition.FormatJSON, recognition.FormatTSV, recognition.FormatHOCR,
		recognition.FormatALTO, recognition.FormatCSV} {
		t.Run(string(f), func(t *testing.T) {
			got := export(t, f, sample())
			path := filepath.Join("testdata", "sample."+string(f))
			if *update {
				if err := os.WriteFile(path, got, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), string(got)); d != "" {
				t.Errorf("(-want +got; -update writes it):\n%s", d)
			}
		})
	}
}

func TestNoText(t *testing.T) {
	s := sample()
	s.Run.Contents = nil
	if got := export(t, recognition.FormatText, s); len(got) != 0 {
		t.Errorf("got the text %q of nothing", got)
	}
	if got, want := strings.Count(string(export(t, recognition.FormatTSV, s)), "\n"), 2; got != want {
		t.Errorf("got %d rows of a page without regions, want %d", got, want)
	}
	for _, f := range []recognition.Format{recognition.FormatHOCR, recognition.FormatALTO} {
		wellFormed(t, export(t, f, s))
	}
	var file struct{ Contents []any }
	if err := json.Unmarshal(export(t, recognition.FormatJSON, s), &file); err != nil || file.Contents == nil {
		t.Errorf("got contents %v, %v; want an empty list", file.Contents, err)
	}
}

func TestUnknownFormat(t *testing.T) {
	var b bytes.Buffer
	if err := (&Exporter{}).Export(t.Context(), &b, "docx", sample().transcript()); err == nil || b.Len() != 0 {
		t.Errorf("got %v and %d bytes", err, b.Len())
	}
}

// broken is a file on a disk that is full.
type broken struct{ err error }

func (b broken) Write([]byte) (int, error) { return 0, b.err }

func TestErrorOfWriter(t *testing.T) {
	full := errors.New("full")
	s := sample()
	s.Page = pagePNG(t)
	for _, f := range recognition.Formats {
		if err := (&Exporter{}).Export(t.Context(), broken{full}, f, s.transcript()); !errors.Is(err, full) {
			t.Errorf("%s: got %v", f, err)
		}
	}
}

func TestTag(t *testing.T) {
	for lang, want := range map[string]string{"eng": "en", "kor": "ko", "kor_vert": "ko", "chi_sim": "zh-Hans", "chi_tra_vert": "zh-Hant",
		"deu": "de", "frk": "de-Latf",
		"aze_cyrl": "az-Cyrl", "srp_latn": "sr-Latn", "ita_old": "it", "grc": "grc", "osd": "", "equ": "", "script/Hangul": "", "": "",
		"x": "", `"><`: ""} {
		if got := tag(lang); got != want {
			t.Errorf("%q: got %q, want %q", lang, got, want)
		}
	}
}

// element is XML as it was read.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Children []element  `xml:",any"`
	Text     string     `xml:",chardata"`
}

func (e element) attr(name string) string {
	for _, a := range e.Attrs {
		if a.Name.Local == name && a.Name.Space == "" {
			return a.Value
		}
	}
	return ""
}

// all returns the element and everything in it, in order.
func (e element) all() []element {
	found := []element{e}
	for _, c := range e.Children {
		found = append(found, c.all()...)
	}
	return found
}

func wellFormed(t *testing.T, file []byte) (root element) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(file))
	if err := d.Decode(&root); err != nil {
		t.Fatalf("not well-formed: %v in\n%s", err, file)
	}
	if _, err := d.Token(); err != nil && !errors.Is(err, io.EOF) {
		t.Fatalf("not well-formed at its end: %v", err)
	}
	ids := map[string]bool{}
	for _, e := range root.all() {
		for _, name := range []string{"id", "ID"} {
			if id := e.attr(name); id != "" && ids[id] {
				t.Errorf("the id %q is there twice", id)
			} else if id != "" {
				ids[id] = true
			}
		}
	}
	for _, e := range root.all() {
		for _, name := range []string{"TAGREFS", "PROCESSINGREFS"} {
			if ref := e.attr(name); ref != "" && !ids[ref] {
				t.Errorf("%s names %q, which is not there", name, ref)
			}
		}
	}
	return root
}

// rows reads TSV.
func rows(t *testing.T, file []byte) [][]string {
	t.Helper()
	var all [][]string
	for _, l := range strings.Split(strings.TrimSuffix(string(file), "\n"), "\n") {
		all = append(all, strings.Split(l, "\t"))
		if got := len(all[len(all)-1]); got != 12 {
			t.Fatalf("got %d columns in %q", got, l)
		}
	}
	return all
}

// A line that somebody corrects to two lines becomes two lines, one below the other.
func TestALineCorrectedToTwo(t *testing.T) {
	f := porttest.NewFakes(t)
	images := &document.Service{Catalog: f.Catalog, Blobs: f.Blobs, Files: f.Files, Imager: f.Imager, Seals: f.Seals,
		Users: f.Users, Now: time.Now}
	runs := &recognition.Service{Images: images, Users: f.Users, Engine: f.Engine, Runs: f.Runs, Contents: f.Contents,
		Exporter: &Exporter{}, Now: time.Now}
	ann, err := f.Users.Add(t.Context(), account.User{Name: "ann", Email: "ann@example.org"})
	must(t, err)
	actor := account.Actor{UserID: ann.ID, Name: ann.Name}
	page, boxes := porttest.DrawLines("one line", "another")
	image, err := images.Upload(t.Context(), actor, "page.png", porttest.FileOf(porttest.PNG(page)))
	must(t, err)
	region := boxes[0].Union(boxes[1])
	f.Say(region, "one lime amother")
	run, err := runs.Recognize(t.Context(), actor, image.ID, recognition.Request{Regions: []recognition.Region{{Box: region}},
		Mode: recognition.BestMode})
	must(t, err)
	text := "one line\nanother"
	_, err = runs.Correct(t.Context(), actor, run.ContentIDs[0], recognition.Correction{Text: &text})
	must(t, err)
	e, err := runs.ExportRun(t.Context(), actor, image.ID, 1, recognition.FormatTSV)
	must(t, err)
	var b bytes.Buffer
	must(t, e.Write(&b))
	type line struct{ top, height string }
	var lines []line
	for _, row := range rows(t, b.Bytes()) {
		if row[0] == "4" {
			lines = append(lines, line{row[7], row[9]})
		}
	}
	half := fmt.Sprint(region.Height() / 2)
	want := []line{{fmt.Sprint(region.Y1), half}, {fmt.Sprint(region.Y1 + region.Height()/2), half}}
	if d := cmp.Diff(want, lines, cmp.AllowUnexported(line{})); d != "" {
		t.Errorf("lines (-want +got):\n%s", d)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// FuzzExport gives texts, names and boxes to every format: what leaves can be read, and has the words that went in.
func FuzzExport(f *testing.F) {
	f.Add("대한민국 만세\n\n<b>&amp;</b> \"q\"", "n&me", 10, 20, 300, 40, true)
	f.Add("a\tb\vc\x00d\u2028e\ufffe\xff\r\n]]>", "--><x", 0, 0, 0, 0, false)
	f.Add("שלום 𝄞😀", "", -5, -5, 9000, 9000, true)
	f.Add(strings.Repeat("x ", 900), "", 799, 599, 800, 600, false)
	f.Fuzz(func(t *testing.T, text, name string, x1, y1, x2, y2 int, boxes bool) {
		if len(text) > 10_000 {
			return
		}
		s := sample()
		box := document.Box{X1: x1 % 10000, Y1: y1 % 10000, X2: x2 % 10000, Y2: y2 % 10000}
		c := recognition.Content{ROI: box, Name: name, Reading: recognition.Reading{Text: text, Lang: []string{name}, Confidence: 1}}
		for i, w := range c.Detail() {
			word := recognition.Word{Text: w, Confidence: float64(i%3) / 2}
			if boxes && i%4 != 3 {
				word.Box = document.Box{X1: box.X1 + 10*i, Y1: box.Y1, X2: box.X2 + 10*i, Y2: box.Y2}
			}
			c.Words = append(c.Words, word)
		}
		s.Run.Contents, s.Image.Name, s.Run.Engine = []recognition.Content{c}, name, text
		var want []string
		for _, w := range c.Detail() {
			if w = clean(w); w != "" {
				want = append(want, w)
			}
		}
		same := func(format recognition.Format, got []string) {
			t.Helper()
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s (-want +got):\n%s", format, d)
			}
		}
		same(recognition.FormatText, nilIfEmpty(strings.Fields(string(export(t, recognition.FormatText, s)))))
		var got []string
		for _, row := range rows(t, export(t, recognition.FormatTSV, s)) {
			if row[0] == "5" {
				got = append(got, row[11])
			}
		}
		same(recognition.FormatTSV, got)
		same(recognition.FormatHOCR, checkHOCR(t, export(t, recognition.FormatHOCR, s), s))
		same(recognition.FormatALTO, checkALTO(t, export(t, recognition.FormatALTO, s), s))
		if !json.Valid(export(t, recognition.FormatJSON, s)) {
			t.Error("not JSON")
		}
		s.Page = tinyPage
		export(t, recognition.FormatPDF, s)
	})
}

var tinyPage = document.Rendition{MediaType: "image/png", Bytes: porttest.PNG(porttestPage())}

func nilIfEmpty(s []string) []string {
	if len(s) == 0 {
		return nil
	}
	return s
}

func TestTSVHeader(t *testing.T) {
	r := csv.NewReader(bytes.NewReader(export(t, recognition.FormatTSV, sample())))
	r.Comma, r.LazyQuotes = '\t', true
	got, err := r.Read()
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Fields("level page_num block_num par_num line_num word_num left top width height conf text")
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
