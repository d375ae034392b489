package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest"
	"glyphbox/internal/porttest/check"

	"github.com/google/go-cmp/cmp"
)

// A page looks and reads the same whatever was done to it before: each operation is done after each other one on the page that a
// worker holds, and compared with what it gives for a file that no worker has seen.
func TestPagesAreNeverWrittenTo(t *testing.T) {
	e := start(t, alone) // models see copies in Go only
	drawn, _ := porttest.DrawLines("Dark on light 1742", "and a second line")
	files := map[string][]byte{"turned": porttest.OrientedJPEG(drawn, 6)}
	names := []string{"gray-dark-single.png"}
	if check.Soak() {
		names = append(names, "gray-dark-5-lines.png")
	}
	for _, name := range names {
		file, err := os.ReadFile(filepath.Join("testdata/damaged-page", name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = file
	}
	for name, file := range files {
		t.Run(name, func(t *testing.T) {
			page := porttest.PageOf(file)
			probe, err := e.Probe(t.Context(), page.File)
			geometry := probe.Geometry(1)
			if err != nil {
				t.Fatal(err)
			}
			operations := operationsOn(e, geometry)
			want := make([]string, len(operations))
			for i, o := range operations {
				fresh := append(file[:len(file):len(file)], fmt.Sprintf("other bytes %d", i)...) // behind the image
				want[i] = o.result(t, porttest.PageOf(fresh))
			}
			var turns []int // every operation after every one
			for i := range operations {
				turns = append(turns, i, i)
				for k := i + 1; k < len(operations); k++ {
					turns = append(turns, k, i)
				}
			}
			before := "nothing"
			for _, i := range turns {
				if got := operations[i].result(t, page); got != want[i] {
					t.Fatalf("%s after %s gave another result:\n%s", operations[i].name, before, cmp.Diff(want[i], got))
				}
				before = operations[i].name
			}
		})
	}
}

// A dark gray page is read right, each time.
func TestDarkGrayPage(t *testing.T) {
	e := start(t, func(o *Options) { o.Workers = 1 })
	file, err := os.ReadFile("testdata/damaged-page/gray-dark-single.png")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/damaged-page/expected.txt")
	if err != nil {
		t.Fatal(err)
	}
	page := porttest.PageOf(file)
	probe, err := e.Probe(t.Context(), page.File)
	geometry := probe.Geometry(1)
	if err != nil {
		t.Fatal(err)
	}
	whole := document.Box{X2: geometry.Width, Y2: geometry.Height}
	for range 2 {
		if got := readTexts(t, e, (*Engine).Recognize, orderOf(page, whole)); got[0] != strings.TrimSpace(string(want)) {
			t.Errorf("got %q, want %q", got[0], want)
		}
	}
}

// operationOn is something that is done with a page.
type operationOn struct {
	name string
	do   func(context.Context, document.Page) (any, error)
}

func operationsOn(e *Engine, g document.Geometry) []operationOn {
	whole := document.Box{X2: g.Width, Y2: g.Height}
	part := document.Box{X1: g.Width / 10, Y1: g.Height / 10, X2: g.Width * 9 / 10, Y2: g.Height * 6 / 10}
	recognize := func(shape recognition.Shape, box document.Box) func(context.Context, document.Page) (any, error) {
		return func(ctx context.Context, page document.Page) (any, error) {
			o := orderOf(page, box)
			o.Tasks[0].Shape = shape
			readings, err := e.Recognize(ctx, o)
			for i := range readings {
				readings[i].Duration = 0
			}
			return readings, err
		}
	}
	return []operationOn{
		{"reading the page", recognize(recognition.ShapePage, whole)},
		{"reading a part", recognize(recognition.ShapeAuto, part)},
		{"the layout", func(ctx context.Context, p document.Page) (any, error) {
			return e.Layout(ctx, p, recognition.LevelWord)
		}},
		{"what is prepared", func(ctx context.Context, p document.Page) (any, error) { return e.Prepared(ctx, orderOf(p, whole)) }},
		{"a view", func(ctx context.Context, p document.Page) (any, error) { return e.View(ctx, p, whole, g.Width) }},
		{"a smaller view of a part", func(ctx context.Context, p document.Page) (any, error) { return e.View(ctx, p, part, 100) }},
		{"a cut", func(ctx context.Context, p document.Page) (any, error) { return e.Cut(ctx, p, whole) }},
		{"the plain loop", func(ctx context.Context, p document.Page) (any, error) {
			readings, err := e.Plain(ctx, orderOf(p, whole))
			return strings.Join(textsOf(readings), "\n"), err
		}},
	}
}

func textsOf(readings []recognition.Reading) (texts []string) {
	for _, r := range readings {
		texts = append(texts, r.Text)
	}
	return texts
}

func (o operationOn) result(t *testing.T, page document.Page) string {
	t.Helper()
	got, err := o.do(t.Context(), page)
	if err != nil {
		t.Fatalf("%s: %v", o.name, err)
	}
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
