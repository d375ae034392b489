package engine

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"slices"
	"strings"
	"testing"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/fault"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest"

	"github.com/google/go-cmp/cmp"
)

type reader = func(*Engine, context.Context, recognition.Order) ([]recognition.Reading, error)

func readTexts(t testing.TB, p *Engine, read reader, o recognition.Order) (texts []string) {
	t.Helper()
	readings, err := read(p, t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range readings {
		if r.Error != nil || r.Duration <= 0 {
			t.Errorf("got the error %v after %v", r.Error, r.Duration)
		}
		texts = append(texts, r.Text)
	}
	return texts
}

func TestPlainLoop(t *testing.T) {
	p := start(t)
	lines := []string{"The quick brown fox", "jumps over the dog"}
	drawn, boxes := porttest.DrawLines(lines...)
	o := orderOf(porttest.PageOf(porttest.PNG(drawn)), append(boxes, boxes[0].Union(boxes[1]),
		document.Box{X2: drawn.Bounds().Dx(), Y2: drawn.Bounds().Dy()})...)
	o.Tasks[0].Shape, o.Tasks[1].Shape, o.Tasks[2].Shape, o.Tasks[3].Shape = recognition.ShapeLine, recognition.ShapeLine,
		recognition.ShapeBlock, recognition.ShapePage
	both := lines[0] + "\n" + lines[1]
	got := readTexts(t, p, (*Engine).Plain, o)
	got[3] = strings.ReplaceAll(got[3], "\n\n", "\n") // paragraphs of a page
	if diff := cmp.Diff([]string{lines[0], lines[1], both, both}, got); diff != "" {
		t.Error(diff)
	}
	if memory := p.Stats().Memory; memory < 10<<20 || memory > 4<<30 {
		t.Errorf("the workers are said to take %d bytes", memory)
	}
	o = orderOf(porttest.PageOf([]byte("no picture")), boxes[0])
	if _, err := p.Plain(t.Context(), o); !fault.Is(err, fault.Unsupported) {
		t.Errorf("a page that is none: got %v", err)
	}
}

// A region is cut out to the pixel.
func TestCut(t *testing.T) {
	p := start(t)
	page := image.NewGray(image.Rect(0, 0, 37, 23))
	for i := range page.Pix {
		page.Pix[i] = uint8(i * 7)
	}
	got, err := p.Cut(t.Context(), porttest.PageOf(porttest.PNG(page)), document.Box{X1: 5, Y1: 3, X2: 30, Y2: 20})
	if err != nil {
		t.Fatal(err)
	}
	crop, err := png.Decode(bytes.NewReader(got.Bytes))
	if err != nil {
		t.Fatal(err)
	}
	if size := crop.Bounds().Size(); size != image.Pt(25, 17) {
		t.Fatalf("got %v", size)
	}
	for y := range 17 {
		for x := range 25 {
			if got, want := color.GrayModel.Convert(crop.At(x, y)), page.At(x+5, y+3); got != want {
				t.Fatalf("at %d, %d: got %v, want %v", x, y, got, want)
			}
		}
	}
}

func TestLargeRegionsGoFirst(t *testing.T) {
	var tasks []recognition.Task
	for _, side := range []int{10, 30, 20, 30} {
		tasks = append(tasks, recognition.Task{Box: document.Box{X1: 5, Y1: 5, X2: 5 + side, Y2: 15}})
	}
	if got := largestFirst(tasks); !slices.Equal(got, []int{1, 3, 2, 0}) {
		t.Errorf("got %v", got)
	}
}

// Workers that load models when they are needed read as those that have loaded them at their start.
func TestLoadWhenNeeded(t *testing.T) {
	drawn, boxes := porttest.DrawLines("The quick brown fox", "jumps over the dog")
	o := orderOf(porttest.PageOf(porttest.PNG(drawn)), boxes...)
	var got [2][]recognition.Reading
	for i := range got {
		p := start(t, func(o *Options) { o.LoadWhenNeeded = i == 1 })
		var err error
		if got[i], err = p.Recognize(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	for i := range boxes {
		if diff := cmp.Diff(got[0][i].Words, got[1][i].Words); diff != "" || strings.HasPrefix(got[1][i].Engine, "tesseract") {
			t.Errorf("read by %s: %s", got[1][i].Engine, diff)
		}
	}
}
