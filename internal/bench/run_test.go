package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/progress"
)

// reader is an engine that reads what a function says of a region.
type reader struct {
	Engine
	workers int
	read    func(width, height int, box document.Box) string
}

func (e reader) Probe(_ context.Context, f document.File) (document.Probe, error) {
	r, err := os.Open(f.Staged)
	if err != nil {
		return document.Probe{}, err
	}
	defer r.Close()
	config, err := png.DecodeConfig(r)
	return document.Probe{Pages: []document.PageProbe{{Width: config.Width, Height: config.Height}}}, err
}

func (e reader) Recognize(ctx context.Context, o recognition.Order) (readings []recognition.Reading, err error) {
	probe, err := e.Probe(ctx, o.Page.File)
	g := probe.Geometry(1)
	for _, t := range o.Tasks {
		text := e.read(g.Width, g.Height, t.Box)
		r := recognition.Reading{Text: text, Passes: 1}
		for _, w := range strings.Fields(text) {
			r.Words = append(r.Words, recognition.Word{Text: w, Confidence: 0.9})
		}
		readings = append(readings, r)
	}
	return readings, err
}

func (e reader) Languages(context.Context) ([]string, error) { return []string{"eng", "kor"}, nil }
func (e reader) Modes() map[recognition.Mode]string {
	return map[recognition.Mode]string{recognition.BestMode: "best"}
}
func (e reader) Check(recognition.Mode, []string) []fault.Field { return nil }
func (e reader) Up() int                                        { return e.workers }
func (e reader) Memory() int64                                  { return 1 }
func (e reader) Close() error                                   { return nil }

func pageOf(file string) document.Page {
	return document.Page{File: document.File{Staged: file}, Number: 1}
}

// measure measures sets by a reader and returns the results.
func measure(t *testing.T, o Options, read func(width, height int, box document.Box) string, files ...string) (results []Result) {
	t.Helper()
	var stdout bytes.Buffer
	o.Workers, o.JSON = 1, true
	err := Bench{Start: func(workers int) (Engine, error) { return reader{workers: workers, read: read}, nil },
		Page:    func(file string) (document.Page, error) { return pageOf(file), nil },
		Explain: func(err error) string { return err.Error() }, Stdout: &stdout, Stderr: t.Output(), Progress: progress.New(t.Output()),
		Options: o}.Run(t.Context(), files)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(stdout.String()) {
		var r Result
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		results = append(results, r)
	}
	if err := printTables(&stdout, results); err != nil {
		t.Error(err)
	}
	return results
}

// writeSet writes a set of one blank page of 100 × 60 pixels and returns its file.
func writeSet(t *testing.T, dir, name, page string) string {
	t.Helper()
	home := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Join(home, "images"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := writePNG(filepath.Join(home, "images", "page.png"), 100, 60, func(int, int) float64 { return 255 }); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(home, "regions.jsonl")
	if err := os.WriteFile(file, []byte(page+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestTwins wants lines drawn widely compared with the same lines drawn tightly, and turned pages with upright ones.
func TestTwins(t *testing.T) {
	dir := t.TempDir()
	tight := writeSet(t, dir, "receipts", `{"image": "images/page.png", "width": 100, "height": 60, "lang": "eng", "regions": [
		{"x1": 10, "y1": 10, "x2": 40, "y2": 20, "text": "same"},
		{"x1": 10, "y1": 30, "x2": 40, "y2": 40, "text": "same"},
		{"x1": 50, "y1": 30, "x2": 90, "y2": 40, "text": "other"}]}`)
	wide := writeSet(t, dir, "wide", `{"image": "../receipts/images/page.png", "width": 100, "height": 60, "lang": "eng",
		"set": "receipts", "regions": [
		{"x1": 45, "y1": 25, "x2": 95, "y2": 45, "text": "other"}, {"x1": 5, "y1": 25, "x2": 45, "y2": 45, "text": "same"}]}`)
	turned := writeSet(t, dir, "turned", `{"image": "images/page.png", "lang": "eng", "set": "receipts", "regions": [{"x1": 10, "y1": `+
		`20, "x2": 20, "y2": 50, "text": "same", "turned": 90}]}`)

	read := func(width, height int, box document.Box) string {
		return map[document.Box]string{
			{X1: 10, Y1: 30, X2: 40, Y2: 40}: "same", {X1: 50, Y1: 30, X2: 90, Y2: 40}: "Other", // tight
			{X1: 45, Y1: 25, X2: 95, Y2: 45}: "oth3r", {X1: 5, Y1: 25, X2: 45, Y2: 45}: "same", // wide
			{X1: 10, Y1: 10, X2: 40, Y2: 20}: "same", // upright, where the turned page has 60 lines
		}[box]
	}
	results := measure(t, Options{Against: []string{SideTight, SideUpright}, Calibration: true}, read, tight, wide, turned)
	var names []string
	for _, r := range results {
		for _, q := range r.Ratios {
			names = append(names, fmt.Sprintf("%s: %s: %+.2f points, %d worse, %d better", r.Set, q.Name, q.Pairs.Points.AnyCaseSpace,
				q.Pairs.Worse, q.Pairs.Better))
		}
	}
	want := []string{"wide: engine ÷ tight: +11.11 points, 1 worse, 0 better",
		"turned: engine ÷ upright: +100.00 points, 1 worse, 0 better"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	all := results[len(results)-1]
	if all.Set != "all" || all.Pages != 3 || all.Regions != 6 || all.Characters != 13+9+4 || len(all.Sides) != 1 ||
		all.Sides[0].Empty != 1 {
		t.Errorf("all: %+v", all)
	}

	writeSet(t, dir, "receipts", `{"image": "images/page.png", "regions": [{"x1": 10, "y1": 10, "x2": 40, "y2": 20, "text": "same"}]}`)
	if _, _, err := (page{Image: filepath.Join(dir, "receipts/images/page.png"), Set: "receipts",
		Regions: []region{{Text: "other", Box: document.Box{X2: 100, Y2: 60}}}}).tight(); err == nil {
		t.Error("a line that the other set has not is not missed")
	}
}

// TestCores wants one worker compared with two, which read pages one after the other and several at once.
func TestCores(t *testing.T) {
	const row = `{"image": "images/page.png", "width": 100, "height": 60, "lang": "eng", "regions": [` +
		`{"x1": 10, "y1": 10, "x2": 40, "y2": 20, "text": "same"}, {"x1": 10, "y1": 30, "x2": 40, "y2": 40, "text": "other"}]}`
	file := writeSet(t, t.TempDir(), "receipts", row+"\n"+row+"\n"+row+"\n"+row)
	results := measure(t, Options{Cores: true}, func(int, int, document.Box) string { return "same" }, file)
	var got []string
	for _, s := range results[0].Sides {
		got = append(got, fmt.Sprintf("%s: %d empty, %.2f", s.label(), s.Empty, s.Exact.AsIs))
	}
	for _, q := range results[0].Ratios {
		got = append(got, fmt.Sprintf("%s: %t, %t", q.Name, q.Wall != nil, q.Median != nil))
	}
	want := []string{"engine ×1: 0 empty, 0.50", "engine ×2: 0 empty, 0.50", "engine ×2, 3 pages: 0 empty, 0.50",
		"1 worker ÷ 2: true, true", "1 worker ÷ 2, pages at once: true, false"}
	if diff := cmp.Diff(want, got); diff != "" || results[0].Pages != 4 {
		t.Errorf("of %d pages -want +got:\n%s", results[0].Pages, diff)
	}
}

// TestBlank wants pages that are always the same, and text that is read on them counted.
func TestBlank(t *testing.T) {
	results := measure(t, Options{Blank: true}, func(_, _ int, box document.Box) string {
		if box.Height() > 100 {
			return "text"
		}
		return " \n"
	})
	if len(results) != 3 || results[1].Set != "blank-more" || results[1].Regions != 300 || results[2].Regions != 600 {
		t.Fatalf("%+v", results)
	}
	side := results[0].Sides[0]
	if results[0].Regions != 300 || results[0].Characters != 0 || side.Invented == 0 || side.Invented == 300 ||
		side.Empty != 0 || side.CER.AsIs != 0 {
		t.Errorf("%+v", results)
	}
	one, other := t.TempDir(), t.TempDir()
	for _, dir := range []string{one, other} {
		s, err := blankSet(dir, "blank", append(slices.Clone(blanks), moreBlanks...), 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range s.pages {
			for _, r := range p.Regions {
				if r.Text != "" || r.Empty() || r.Check("", p.Width, p.Height) != nil {
					t.Fatalf("%s: %+v", p.Image, r)
				}
			}
		}
	}
	if err := filepath.WalkDir(one, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		a, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		b, err := os.ReadFile(filepath.Join(other, d.Name()))
		if !bytes.Equal(a, b) {
			t.Errorf("%s is not the same the second time", d.Name())
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func TestJudge(t *testing.T) {
	for _, c := range []struct{ read, truth, want string }{
		{"Invoice No. 1742", "INVOICE no. 1742", "111"},
		{"Invoice N0. 1742", "Invoice No. 1742", "101"},
		{"In voice No.1742", "Invoice No. 1742", "111"}, // white space
		{"Invoice . 1742", "Invoice No. 1742", "111"},   // what was left out is no word
		{"Invoce No. 1742", "Invoice No. 1742", "011"},
		{"~ Invoice", "Invoice", "01"},
		{"국민 경선제", "국민 경선재", "10"},
		{"", "Invoice", ""},
		{"a", "", "0"},
	} {
		var r recognition.Reading
		for _, w := range strings.Fields(c.read) {
			r.Words = append(r.Words, recognition.Word{Text: w})
		}
		got := ""
		for _, w := range judge(r, c.truth) {
			got += map[bool]string{true: "1", false: "0"}[w.right]
		}
		if got != c.want {
			t.Errorf("%q where %q stands: %s, want %s", c.read, c.truth, got, c.want)
		}
	}
}

func TestCalibration(t *testing.T) {
	var words []judged
	for n := range 100 { // in the bin n/10, said to be 0.05, 0.15 …
		words = append(words, judged{float64(n/10)/10 + 0.05, n%10 < n/10})
	}
	c := calibrationOf(words)
	for n, bin := range c.Bins {
		if bin.Words != 10 || math.Abs(bin.Said-(float64(n)/10+0.05)) > 1e-9 || bin.Right != float64(n)/10 {
			t.Errorf("bin %d: %+v", n, bin)
		}
	}
	if c.Words != 100 || c.Wrong != 55 || math.Abs(c.MeanError-0.05) > 1e-9 || math.Abs(c.WrongAmongLeastSure-19./55) > 1e-9 {
		t.Errorf("%+v", c)
	}
	if calibrationOf(words[:9]) != nil {
		t.Error("ten bins of nine words")
	}
}

func TestRotated(t *testing.T) {
	m := image.NewGray(image.Rect(0, 0, 3, 2))
	m.SetGray(2, 0, color.Gray{Y: 255}) // the upper right corner
	for angle, want := range map[int]image.Point{0: {2, 0}, 90: {1, 2}, 180: {0, 1}, 270: {0, 0}} {
		got := rotated(m, angle)
		for y := range got.Bounds().Dy() {
			for x := range got.Bounds().Dx() {
				if lit := got.(*image.Gray).GrayAt(x, y).Y > 0; lit != (image.Pt(x, y) == want) {
					t.Errorf("%d°: %d,%d is lit: %t", angle, x, y, lit)
				}
			}
		}
	}
}
