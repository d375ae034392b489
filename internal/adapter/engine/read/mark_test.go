package read

import (
	"slices"
	"testing"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// dumb is an engine that reads nothing.
type dumb struct{}

func (dumb) Name() string                     { return "first" }
func (dumb) Read(Gray, Query) (Answer, error) { return Answer{}, nil }

// A mark that no recogniser knows is read by its shape where a region is drawn around it, whatever its size and shade; parts of rules,
// patterns and pictures are not.
func TestMarksByThemselves(t *testing.T) {
	type bar struct{ x, y, width, height int } // in units
	colon, dots := []bar{{0, 0, 1, 1}, {0, 3, 1, 1}}, []bar{{0, 0, 1, 1}, {3, 0, 1, 1}, {6, 0, 1, 1}}
	for _, c := range []struct {
		name   string
		bars   []bar
		beside []bar // outside of the region
		want   string
	}{
		{"dash", []bar{{0, 0, 4, 1}}, nil, "-"},
		{"equals", []bar{{0, 0, 5, 1}, {0, 3, 5, 1}}, nil, "="},
		{"colon", colon, nil, ":"},
		{"dots", dots, nil, "..."},
		{"stroke", []bar{{0, 0, 1, 6}}, nil, "I"},
		{"bullet", []bar{{0, 0, 2, 2}}, nil, "•"},
		{"colon beside a letter", colon, []bar{{-9, -2, 3, 9}}, ":"},
		{"colon above another one", colon, []bar{{0, 8, 1, 1}, {0, 11, 1, 1}}, ":"},
		{"colon beside a dot", colon, []bar{{-6, 3, 1, 1}}, ":"},
		{"part of a pattern of dots", colon, []bar{{4, 0, 1, 1}, {4, 3, 1, 1}}, ""},
		{"part of an upright rule", []bar{{0, 0, 1, 6}}, []bar{{0, 9, 1, 6}}, ""},
		{"part of a dashed rule", []bar{{0, 0, 4, 1}}, []bar{{9, 0, 4, 1}}, ""},
		{"part of dots", dots, []bar{{12, 0, 1, 1}}, ""},
		{"four dots", append([]bar{{9, 0, 1, 1}}, dots...), nil, ""},
		{"parts of two sizes", []bar{{0, 0, 2, 2}, {0, 3, 1, 1}}, nil, ""},
		{"a frame", []bar{{0, 0, 6, 1}, {0, 0, 1, 6}, {5, 0, 1, 6}, {0, 5, 6, 1}}, nil, ""},
	} {
		for _, unit := range []int{3, 6} {
			for _, shades := range [][2]uint8{{250, 20}, {250, 190}, {40, 240}} {
				s := blank(300, 200, shades[0])
				var region document.Box
				for _, b := range append(c.bars, c.beside...) {
					x, y := 120+b.x*unit, 90+b.y*unit
					s.fill(x, y, x+b.width*unit, y+b.height*unit, shades[1])
				}
				for _, b := range c.bars {
					x, y := 120+b.x*unit, 90+b.y*unit
					region = region.Union(document.Box{X1: x, Y1: y, X2: x + b.width*unit, Y2: y + b.height*unit})
				}
				got, err := Reader{Engine: dumb{}}.Read(page{s}, recognition.Task{Box: grown(region, unit), Lang: []string{"eng"},
					Effort: recognition.EffortAccurate, Rotate: recognition.RotateAuto})
				if err != nil || got.Text != c.want || (len(got.Words) == 0) != (c.want == "") {
					t.Errorf("%s of %d pixels, %v: got %q, %+v, %v", c.name, unit, shades, got.Text, got.Words, err)
				}
				if len(got.Words) > 0 && got.Words[0].Box != region {
					t.Errorf("%s of %d pixels: got %v, want %v", c.name, unit, got.Words[0].Box, region)
				}
				far, err := Reader{Engine: dumb{}}.Read(page{s}, recognition.Task{Box: grown(region, 60), Lang: []string{"eng"},
					Effort: recognition.EffortAccurate, Rotate: recognition.RotateAuto})
				if err != nil || far.Text != "" && unit == 3 {
					t.Errorf("%s of %d pixels in a large region: got %q, %v", c.name, unit, far.Text, err)
				}
			}
		}
	}
	s := blank(300, 200, 250)
	for _, at := range [][2]int{{120, 90}, {120, 99}, {60, 90}, {62, 98}, {182, 97}} { // a colon, and specks far away
		s.fill(at[0], at[1], at[0]+3, at[1]+3, 20)
	}
	box := document.Box{X1: 120, Y1: 90, X2: 123, Y2: 102}
	loose, err := Reader{Engine: dumb{}}.Read(page{s}, recognition.Task{Box: grown(box, 18), Lang: []string{"eng"}})
	if err != nil || loose.Text != ":" {
		t.Errorf("a colon among specks: got %q, %v", loose.Text, err)
	}
	s = blank(100, 100, 250)
	s.fill(40, 50, 60, 54, 20)
	got, err := Reader{Engine: dumb{}}.Read(page{s}, recognition.Task{Box: document.Box{X1: 35, Y1: 45, X2: 65, Y2: 60}, Charset: "0123",
		Lang: []string{"eng"}})
	if err != nil || got.Text != "" {
		t.Errorf("not in the charset: got %q, %v", got.Text, err)
	}
}

// The parts of a syllable by itself are one line, also those that a rule might be; two letters above one another are two.
func TestASyllableByItself(t *testing.T) {
	for _, size := range []int{12, 24, 48} {
		s := blank(300, 300, 240)
		u := size / 12
		x, y := 100, 100
		s.frame(document.Box{X1: x, Y1: y, X2: x + 6*u, Y2: y + 5*u}, u, 20)         // ㅇ
		s.fill(x+10*u, y, x+11*u, y+6*u, 20)                                         // ㅣ
		s.frame(document.Box{X1: x, Y1: y + 7*u, X2: x + 11*u, Y2: y + 12*u}, u, 20) // ㅁ
		v, err := viewOf(page{s}, document.Box{X1: x - 2*u, Y1: y - 2*u, X2: x + 13*u, Y2: y + 14*u})
		if err != nil {
			t.Fatal(err)
		}
		found := v.scene().lines()
		if len(found) != 1 || found[0].height() != float64(12*u) || found[0].x2-found[0].x1 != float64(11*u) {
			t.Errorf("%d pixels: got %+v", size, found)
		}
	}
	s := blank(300, 300, 240)
	s.letters(100, 100, 1, 20, 20)
	s.letters(100, 130, 1, 20, 20)
	v, err := viewOf(page{s}, document.Box{X1: 95, Y1: 95, X2: 120, Y2: 155})
	if err != nil {
		t.Fatal(err)
	}
	if found := v.scene().lines(); len(found) != 2 {
		t.Errorf("two letters: got %+v", found)
	}
}

// Thin strokes in a dark box are not seen beside a darker edge, and read without it.
func TestFaintInkBesideBlack(t *testing.T) {
	s := blank(300, 120, 255)
	s.fill(40, 40, 260, 56, 0)
	region := document.Box{X1: 40, Y1: 58, X2: 260, Y2: 88}
	s.fill(region.X1, region.Y1, region.X2, region.Y2, 0)
	for x := 60; x < 240; x += 16 {
		s.fill(x, 66, x+1, 80, 60)
		s.fill(x, 79, x+8, 80, 60)
		s.fill(x, 71, x+6, 72, 60)
		s.fill(x, 74, x+6, 75, 60)
	}
	v, err := viewOf(page{s}, region)
	if err != nil || v.scene() != nil {
		t.Fatalf("the letters are seen: %v", err)
	}
	got, err := Reader{Engine: said{text: "FAINT", sure: 0.95}}.Read(page{s},
		recognition.Task{Box: region, Lang: []string{"eng"}, Effort: recognition.EffortFast})
	if err != nil || got.Text != "FAINT" {
		t.Fatalf("got %q, %v", got.Text, err)
	}
	if b := got.Words[0].Box; b.Y1 < 62 || b.Y2 > 84 {
		t.Errorf("the word stands at %v, which is not where the letters are", b)
	}
}

// The edge of the region may cut a dot of a mark that has a whole one.
func TestMarksAtTheEdge(t *testing.T) {
	for _, c := range []struct {
		cut   int // pixels of the lower dot, of 6
		want  string
		upper bool // whether the upper dot is there
	}{{0, ":", true}, {2, ":", true}, {4, "", true}, {0, "•", false}, {2, "", false}} {
		s := blank(300, 200, 250)
		box := document.Box{X1: 141, Y1: 90, X2: 165, Y2: 106 - c.cut}
		if c.upper {
			s.fill(150, 80, 156, 86, 20)
			box.Y1 = 70
		}
		s.fill(150, 100, 156, 106, 20)
		task := recognition.Task{Box: box, Lang: []string{"eng"}, Effort: recognition.EffortAccurate}
		got, err := Reader{Engine: dumb{}}.Read(page{s}, task)
		if err != nil || got.Text != c.want {
			t.Errorf("cut by %d: got %q, %v, want %q", c.cut, got.Text, err, c.want)
		}
	}
}

// close is a recogniser that is fairly sure of a letter where that fills most of the image's height.
type close struct{ deaf }

func (c close) Read(g RGB, _ int, _ string) ([]Char, error) {
	dark := 0
	for y := range g.Height {
		if slices.Min(g.Pix[3*y*g.Width:3*(y+1)*g.Width]) < 128 {
			dark++
		}
	}
	if 2*dark < g.Height {
		return nil, nil
	}
	return c.chars, nil
}

// A letter with nothing but paper and dust around is read, and believed though it is not sure; one among other ink is not.
func TestLettersByThemselves(t *testing.T) {
	for _, c := range []struct {
		name string
		ink  func(s sheet)
		want string
	}{
		{"paper", func(sheet) {}, "L"},
		{"dust", func(s sheet) { s.fill(106, 66, 108, 68, 20); s.fill(130, 150, 132, 152, 20) }, "L"},
		{"light on dark", func(s sheet) {
			for i, v := range s.Pix {
				s.Pix[i] = 255 - v
			}
		}, "L"},
		{"cut ink", func(s sheet) { s.fill(135, 60, 145, 160, 20) }, ""},
		{"many parts", func(s sheet) {
			for i := range 9 {
				s.fill(104, 64+10*i, 109, 70+10*i, 20)
				s.fill(131, 64+10*i, 136, 70+10*i, 20)
			}
		}, ""},
	} {
		s := blank(240, 220, 250)
		s.letters(114, 100, 1, 18, 20)
		c.ink(s)
		r := Reader{Engine: dumb{}, Second: []Scripted{close{deaf{chars("L", 0.8)}}}}
		got, err := r.Read(page{s}, recognition.Task{Box: document.Box{X1: 100, Y1: 60, X2: 140, Y2: 160}, Lang: []string{"eng"},
			Effort: recognition.EffortAccurate})
		if err != nil || got.Text != c.want {
			t.Errorf("%s: got %q, %v", c.name, got.Text, err)
		}
	}
}

// wordless is an engine that knows no words, so that it is sure of none.
type wordless struct{ said }

func (w wordless) Read(g Gray, q Query) (Answer, error) {
	a, err := w.said.Read(g, q)
	for i := range a.Symbols {
		a.Symbols[i].Word = 0.4
	}
	return a, err
}

// A letter with nothing but paper around is believed if the first recogniser sees it clearly, or if the second one does, even a tiny one.
func TestLettersThatOneSeesClearly(t *testing.T) {
	for _, c := range []struct {
		name          string
		height        int
		first, second float64
		want          string
	}{
		{"the first one", 18, 0.97, 0.6, "S"},
		{"neither", 18, 0.65, 0.6, ""},
		{"the second one, of a tiny one", 5, 0.65, 0.99, "S"},
	} {
		s := blank(240, 220, 250)
		s.letters(114, 100, 1, c.height, 20)
		r := Reader{Engine: wordless{said{text: "8", sure: c.first}}, Second: []Scripted{deaf{chars("S", c.second)}}}
		got, err := r.Read(page{s}, recognition.Task{Box: document.Box{X1: 100, Y1: 80, X2: 140, Y2: 140}, Lang: []string{"eng"},
			Effort: recognition.EffortAccurate})
		if err != nil || got.Text != c.want {
			t.Errorf("%s: got %q, %v, want %q", c.name, got.Text, err, c.want)
		}
	}
}
