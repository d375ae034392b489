package read

import (
	"slices"
	"testing"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"

	"github.com/google/go-cmp/cmp"
)

// finder is a detector that finds boxes of a page, which it is given as it is.
type finder []document.Box

func (f finder) Detect(RGB) (quads []Quad, err error) {
	for _, b := range f {
		x1, y1, x2, y2 := float64(b.X1), float64(b.Y1), float64(b.X2), float64(b.Y2)
		quads = append(quads, Quad{{x1, y1}, {x2, y1}, {x2, y2}, {x1, y2}})
	}
	return quads, nil
}

// Lines that the detector alone finds come in their place, and no two suggestions overlap.
func TestSuggestions(t *testing.T) {
	s := blank(600, 500, 240)
	var lines []document.Box
	for i := range 5 {
		lines = append(lines, grown(s.letters(40, 40+80*i, 12, 20, 20), 4))
	}
	engine := func(sheet Gray, _ recognition.Level) ([]document.Box, error) {
		first, second := lines[0], lines[1]
		first.Y2 = second.Y1 + 10 // they overlap
		return []document.Box{first, second, lines[3]}, nil
	}
	found, err := Reader{Engine: &counter{}, Detector: finder{lines[4], lines[2], lines[3], {X1: 400, Y1: 10, X2: 500, Y2: 30}}}.
		Suggest(page{s}, recognition.LevelLine, []string{"eng"}, engine)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 5 {
		t.Fatalf("got %+v, want the five lines and nothing where no ink is", found)
	}
	for i, f := range found {
		if in := f.Intersect(lines[i]); in != lines[i] && i != 0 && i != 1 {
			t.Errorf("%d is %v, want %v", i, f.Box, lines[i])
		}
		if f.Rotation != 0 {
			t.Errorf("%d is turned by %d", i, f.Rotation)
		}
		for k := range i {
			if !f.Intersect(found[k].Box).Empty() {
				t.Errorf("%d at %v overlaps %d at %v", i, f.Box, k, found[k].Box)
			}
		}
	}
}

// A line that the segmenter cuts off or into pieces is whole where the detector sees all of it. Lines above one another stay apart.
func TestLinesThatAreCut(t *testing.T) {
	lines := []rect{{100, 100, 500, 130}, {100, 135, 500, 165}}
	for name, boxes := range map[string][]rect{
		"whole":     {{102, 103, 498, 128}, {102, 138, 498, 162}},
		"cut off":   {{102, 103, 400, 128}, {200, 138, 498, 162}},
		"in pieces": {{102, 103, 200, 128}, {210, 110, 250, 125}, {260, 103, 498, 128}, {102, 138, 300, 162}, {310, 138, 498, 162}},
	} {
		want := []rect{{100, 103, 500, 128}, {100, 138, 500, 162}}
		if diff := cmp.Diff(want, completed(boxes, lines), cmp.AllowUnexported(rect{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	block := []rect{{90, 90, 300, 170}}
	if diff := cmp.Diff(block, completed(block, lines), cmp.AllowUnexported(rect{})); diff != "" {
		t.Errorf("a box of two lines (-want +got):\n%s", diff)
	}
}

// sharpSighted is a detector that finds a line only in images that are large enough.
type sharpSighted struct{ least int }

func (d sharpSighted) Detect(g RGB) ([]Quad, error) {
	if g.Width < d.least {
		return nil, nil
	}
	return []Quad{{{10, 10}, {90, 10}, {90, 30}, {10, 30}}}, nil
}

// Where the detector sees nothing at the size of the letters of the ink, it looks at more, since these may be no letters.
func TestDetectorLooksCloser(t *testing.T) {
	s := blank(600, 400, 240)
	s.letters(40, 40, 3, 240, 20)
	v, err := viewOf(page{s}, document.Box{X2: 600, Y2: 400})
	if err != nil {
		t.Fatal(err)
	}
	for least, want := range map[int]float64{500: 90, 50: 900} {
		j := job{Reader: Reader{Detector: sharpSighted{least}}}
		if err := j.look(v); err != nil {
			t.Fatal(err)
		}
		if quads, err := j.quads(); err != nil || len(quads) != 1 || quads[0][1].X != want {
			t.Errorf("at least %d pixels: got %v, %v", least, quads, err)
		}
	}
}

// The suggestions for a page that is turned lie on the page as it is, and tell how their text is turned.
func TestSuggestionsForATurnedPage(t *testing.T) {
	s := blank(600, 300, 240)
	line := s.letters(40, 40, 12, 20, 20)
	s.letters(40, 140, 12, 20, 20)
	for quarters, want := range []document.Box{
		line,
		{X1: 300 - line.Y2, Y1: line.X1, X2: 300 - line.Y1, Y2: line.X2},
		{X1: 600 - line.X2, Y1: 300 - line.Y2, X2: 600 - line.X1, Y2: 300 - line.Y1},
		{X1: line.Y1, Y1: 600 - line.X2, X2: line.Y2, Y2: 600 - line.X1},
	} {
		found, err := Reader{Engine: &counter{}}.Suggest(page{sheet{s.Turn(quarters)}}, recognition.LevelLine, []string{"eng"},
			func(Gray, recognition.Level) ([]document.Box, error) { return []document.Box{line}, nil })
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]recognition.Suggestion{{Box: want, Rotation: 90 * quarters}}, found); diff != "" {
			t.Errorf("turned by %d quarters (-want +got):\n%s", quarters, diff)
		}
	}
}

// outlines is a detector that finds lines that slant.
type outlines []Quad

func (o outlines) Detect(RGB) ([]Quad, error) { return slices.Clone(o), nil }

// A box around a slanting line holds corners of those beside it, which leave it above or below. Where all lines do, they are the region's.
func TestDetectedLinesThatLeave(t *testing.T) {
	s := blank(600, 200, 240)
	s.letters(60, 60, 20, 20, 20)
	region := document.Box{X1: 50, Y1: 50, X2: 550, Y2: 130}
	falling := func(x2, y, fall float64) Quad {
		return Quad{{60, y}, {x2, y + fall}, {x2, y + fall + 30}, {60, y + 30}}
	}
	line, below, above, short := falling(540, 55, 40), falling(540, 90, 40), falling(540, 20, 40), falling(200, 90, 10)
	for name, c := range map[string]struct {
		found []Quad
		want  int
	}{
		"one": {[]Quad{line}, 1}, "another below": {[]Quad{line, below}, 1}, "above": {[]Quad{above, line}, 1},
		"a short one within": {[]Quad{line, short}, 2}, "only one that leaves": {[]Quad{below}, 1},
	} {
		v, err := viewOf(page{s}, region)
		if err != nil {
			t.Fatal(err)
		}
		for i, q := range c.found {
			for k := range q {
				c.found[i][k].X, c.found[i][k].Y = q[k].X-float64(v.box.X1), q[k].Y-float64(v.box.Y1)
			}
		}
		j := job{Reader: Reader{Detector: outlines(c.found)}}
		if err := j.look(v); err != nil {
			t.Fatal(err)
		}
		if strips, err := j.detected(); err != nil || len(strips) != c.want {
			t.Errorf("%s: %d lines, %v, want %d", name, len(strips), err, c.want)
		}
	}
}
