package read

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"

	"github.com/google/go-cmp/cmp"
)

// sheet is what the tests draw on.
type sheet struct{ Gray }

// page is a sheet as a Page.
type page struct{ sheet sheet }

func (p page) Size() (width, height int) { return p.sheet.Width, p.sheet.Height }

func (p page) Gray(b document.Box) (Gray, error) { return p.sheet.crop(b.X1, b.Y1, b.X2, b.Y2), nil }

func blank(width, height int, shade uint8) sheet {
	s := sheet{newGray(width, height)}
	s.fill(0, 0, width, height, shade)
	return s
}

func (s sheet) fill(x1, y1, x2, y2 int, shade uint8) {
	for y := max(0, y1); y < min(s.Height, y2); y++ {
		for x := max(0, x1); x < min(s.Width, x2); x++ {
			s.Pix[y*s.Width+x] = shade
		}
	}
}

// letters draws n letters of a shape like an L with an arm, each size pixels high, and returns the box around them.
func (s sheet) letters(x, y, n, size int, shade uint8) document.Box {
	t := max(2, size/6)
	for i := range n {
		left := x + i*size
		s.fill(left, y, left+t, y+size, shade)                             // the stem
		s.fill(left, y+size-t, left+size*2/3, y+size, shade)               // the foot
		s.fill(left, y+size/2-t/2, left+size/2, y+size/2-t/2+t-t/2, shade) // the arm
	}
	return document.Box{X1: x, Y1: y, X2: x + (n-1)*size + size*2/3, Y2: y + size}
}

func (s sheet) frame(b document.Box, thick int, shade uint8) {
	s.fill(b.X1, b.Y1, b.X2, b.Y1+thick, shade)
	s.fill(b.X1, b.Y2-thick, b.X2, b.Y2, shade)
	s.fill(b.X1, b.Y1, b.X1+thick, b.Y2, shade)
	s.fill(b.X2-thick, b.Y1, b.X2, b.Y2, shade)
}

// noise gives each pixel a shade that deviates.
func (s sheet) noise(deviation float64) {
	random := rand.New(rand.NewPCG(1, 2))
	for i, v := range s.Pix {
		s.Pix[i] = uint8(min(255, max(0, float64(v)+deviation*random.NormFloat64())))
	}
}

func grown(b document.Box, n int) document.Box {
	return document.Box{X1: b.X1 - n, Y1: b.Y1 - n, X2: b.X2 + n, Y2: b.Y2 + n}
}

// counter is an engine that reads each dark part of an image as an L where it stands upright, and is unsure of others.
type counter struct {
	heights []int // of the letters of all images
	images  int
	unknown float64 // confidence of what is no L, at least 0.2
}

func (c *counter) Name() string { return "counter" }

func (c *counter) Read(g Gray, _ Query) (Answer, error) {
	c.images++
	dark := make([]uint8, len(g.Pix))
	for i, v := range g.Pix {
		if v < 128 {
			dark[i] = 1
		}
	}
	runs, all := parts(dark, g.Width, g.Height)
	var a Answer
	for i, p := range all {
		if !p.dark || p.area < 12 {
			continue
		}
		lower, left := 0, 0 // ink in the lower third and the left third
		for _, r := range runs {
			if int(r.part) != i {
				continue
			}
			for x := r.x1; x < r.x2; x++ {
				if 3*(int(r.y)-p.y1) >= 2*p.height() {
					lower++
				}
				if 3*(int(x)-p.x1) < p.width() {
					left++
				}
			}
		}
		y := Symbol{Text: "?", Confidence: max(0.2, c.unknown), X1: float64(p.x1), Y1: float64(p.y1), X2: float64(p.x2), Y2: float64(p.y2)}
		if 100*lower > 40*p.area && 100*left > 40*p.area && p.height() > p.width() {
			y.Text, y.Confidence = "L", 0.95
		}
		y.Word = y.Confidence
		a.Symbols, a.Text = append(a.Symbols, y), a.Text+y.Text
		c.heights = append(c.heights, p.height())
	}
	return a, nil
}

// The height of the drawn box, frames, neighbours, polarity, light and slant change nothing about what the engine looks at.
func TestWhatTheEngineSees(t *testing.T) {
	const n, size = 8, 20
	for _, c := range []struct {
		name string
		draw func() (sheet, document.Box)
	}{
		{"tight", func() (sheet, document.Box) {
			s := blank(400, 200, 240)
			return s, s.letters(60, 80, n, size, 20)
		}},
		{"half a line of paper around", func() (sheet, document.Box) {
			s := blank(400, 200, 240)
			return s, grown(s.letters(60, 80, n, size, 20), 10)
		}},
		{"three lines of paper around", func() (sheet, document.Box) {
			s := blank(400, 200, 240)
			return s, grown(s.letters(80, 80, n, size, 20), 60)
		}},
		{"in a frame", func() (sheet, document.Box) {
			s := blank(400, 200, 240)
			b := grown(s.letters(60, 80, n, size, 20), 8)
			s.frame(b, 2, 20)
			return s, grown(b, 3)
		}},
		{"hung on the side of a frame", func() (sheet, document.Box) {
			s := blank(400, 200, 240)
			b := s.letters(60, 80, n, size, 20)
			s.frame(document.Box{X1: b.X1 - 8, Y1: b.Y1 - 6, X2: b.X2 + 2, Y2: b.Y2 + 6}, 2, 20)
			return s, grown(b, 9)
		}},
		{"hung on a slanted frame", func() (sheet, document.Box) {
			s := blank(400, 200, 240)
			b := s.letters(60, 80, n, size, 20)
			for y := b.Y1 - 7; y < b.Y2+7; y++ {
				x := b.X2 + (b.Y2-y)/8
				s.fill(x, y, x+2, y+1, 20)
			}
			s.fill(b.X1-8, b.Y1-7, b.X2+5, b.Y1-5, 20)
			s.fill(b.X1-8, b.Y2+5, b.X2+1, b.Y2+7, 20)
			s.fill(b.X1-8, b.Y1-7, b.X1-6, b.Y2+7, 20)
			return s, grown(b, 9)
		}},
		{"hung on a bar with holes", func() (sheet, document.Box) {
			s := blank(400, 200, 240)
			s.fill(46, 0, 58, 200, 20)
			for y := 1; y < 200; y += 4 {
				s.fill(48, y, 51, y+3, 240)
				s.fill(53, y, 56, y+3, 240)
			}
			return s, grown(s.letters(58, 80, n, size, 20), 6)
		}},
		{"on the lower edge of a frame that goes on outside", func() (sheet, document.Box) {
			s := blank(400, 200, 240)
			b := s.letters(60, 80, n, size, 20)
			s.frame(document.Box{X1: 50, Y1: 70, X2: 230, Y2: b.Y2 + 9}, 3, 20)
			s.fill(0, 60, 400, 63, 20)
			s.fill(40, 0, 43, 120, 20)
			return s, grown(b, 12)
		}},
		{"between the lines of a table", func() (sheet, document.Box) {
			s := blank(400, 200, 240)
			b := grown(s.letters(60, 80, n, size, 20), 7)
			s.fill(0, b.Y1, 400, b.Y1+2, 20)
			s.fill(0, b.Y2, 400, b.Y2+2, 20)
			s.fill(b.X1, 0, b.X1+2, 200, 20)
			return s, b
		}},
		{"underlined", func() (sheet, document.Box) {
			s := blank(400, 200, 240)
			b := s.letters(60, 80, n, size, 20)
			s.fill(50, b.Y2+4, 240, b.Y2+6, 20)
			return s, grown(b, 8)
		}},
		{"light on dark", func() (sheet, document.Box) {
			s := blank(400, 200, 240)
			s.fill(50, 70, 230, 110, 10)
			return s, grown(s.letters(60, 80, n, size, 230), 6)
		}},
		{"a dark button on a light page", func() (sheet, document.Box) {
			s := blank(400, 200, 240)
			s.fill(50, 70, 230, 110, 10)
			return s, grown(s.letters(60, 80, n, size, 230), 30)
		}},
		{"faint letters on a dark button", func() (sheet, document.Box) {
			s := blank(400, 200, 255)
			s.fill(50, 70, 230, 110, 10)
			return s, grown(s.letters(60, 80, n, size, 70), 16)
		}},
		{"polarity that changes", func() (sheet, document.Box) {
			s := blank(400, 200, 240)
			s.fill(40, 70, 137, 110, 10)
			b := s.letters(60, 80, n/2, size, 230)
			return s, grown(b.Union(s.letters(60+n/2*size, 80, n/2, size, 20)), 6)
		}},
		{"a light sheet on a dark desk", func() (sheet, document.Box) {
			s := blank(400, 200, 25)
			s.fill(40, 60, 300, 130, 235)
			return s, document.Box{X1: 2, Y1: 30, X2: 398, Y2: 170}.Intersect(grown(s.letters(60, 80, n, size, 20), 150))
		}},
		{"faint", func() (sheet, document.Box) {
			s := blank(400, 200, 240)
			return s, grown(s.letters(60, 80, n, size, 228), 20)
		}},
		{"in noise", func() (sheet, document.Box) {
			s := blank(400, 200, 220)
			b := s.letters(60, 80, n, size, 40)
			s.noise(8)
			return s, grown(b, 20)
		}},
		{"half in a shadow", func() (sheet, document.Box) {
			s := blank(400, 200, 240)
			b := s.letters(60, 80, n, size, 40)
			for i, v := range s.Pix {
				if i%400 > 120 {
					s.Pix[i] = uint8(int(v) * 45 / 100)
				}
			}
			return s, grown(b, 12)
		}},
		{"half of the neighbours' letters", func() (sheet, document.Box) {
			s := blank(400, 200, 240)
			s.letters(60, 80-size-12, n, size, 20)
			s.letters(60, 80+size+12, n, size, 20)
			return s, grown(s.letters(60, 80, n, size, 20), 19)
		}},
		{"large", func() (sheet, document.Box) {
			s := blank(1600, 400, 240)
			return s, grown(s.letters(100, 150, n, 90, 20), 40)
		}},
		{"turned by a quarter", func() (sheet, document.Box) {
			s := blank(400, 200, 240)
			b := grown(s.letters(60, 80, n, size, 20), 10)
			return sheet{s.Turn(1)}, document.Box{X1: 200 - b.Y2, Y1: b.X1, X2: 200 - b.Y1, Y2: b.X2}
		}},
		{"on its head", func() (sheet, document.Box) {
			s := blank(400, 200, 240)
			b := grown(s.letters(60, 80, n, size, 20), 10)
			return sheet{s.Turn(2)}, document.Box{X1: 400 - b.X2, Y1: 200 - b.Y2, X2: 400 - b.X1, Y2: 200 - b.Y1}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, region := c.draw()
			before := s.clone()
			engine := &counter{}
			got, err := Reader{Engine: engine}.Read(page{s}, recognition.Task{Box: region, Lang: []string{"eng"},
				Rotate: recognition.RotateAuto})
			if err != nil {
				t.Fatal(err)
			}
			if want := strings.Repeat("L", n); got.Text != want {
				t.Errorf("got %q, want %q", got.Text, want)
			}
			if len(engine.heights) > 0 {
				if h := engine.heights[len(engine.heights)-1]; h < 18 || h > 26 {
					t.Errorf("letters of %d pixels, want %v", h, looks[0].letter)
				}
			}
			for _, w := range got.Words {
				if w.Box.Intersect(region) != w.Box {
					t.Errorf("%q stands at %v, outside of %v", w.Text, w.Box, region)
				}
			}
			if string(before.Pix) != string(s.Pix) {
				t.Error("the page was written to")
			}
		})
	}
}

// A frame around one letter is no text, however thick it is.
func TestLetterInABox(t *testing.T) {
	for _, c := range []struct {
		name        string
		side, thick int
	}{
		{"thick", 25, 3},
		{"thin", 25, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := blank(200, 100, 240)
			b := document.Box{X1: 80, Y1: 30, X2: 80 + c.side, Y2: 30 + c.side}
			s.frame(b, c.thick, 20)
			s.letters(b.X1+c.side/2-4, b.Y1+c.side/2-6, 1, 12, 20)
			v, err := viewOf(page{s}, grown(b, 2))
			if err != nil {
				t.Fatal(err)
			}
			scene := v.scene()
			if scene == nil {
				t.Fatal("nothing found")
			}
			if lines := scene.lines(); len(lines) != 1 || math.Abs(lines[0].height()-12) > 1 {
				t.Errorf("got %v, want one line of 12 pixels", lines)
			}
		})
	}
}

// Ink is as dark, and paper as light, beside the sharp edge of a shadow as elsewhere, on both sides of it, and where only the end of a line
// is in the shade.
func TestEdgeOfShadow(t *testing.T) {
	for _, c := range []struct {
		name         string
		size, length int // of the letters and of the line
		edge         int // twice the x at which it meets the upper edge of the page
	}{
		{"small print", 20, 24, 500}, {"print", 40, 12, 500}, {"the end of a line", 40, 12, 1080},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := blank(620, 240, 230)
			b := s.letters(60, 80, c.length, c.size, 130)
			plain := s.clone()
			for i, v := range s.Pix {
				if 2*(i%620)+i/620 > c.edge {
					s.Pix[i] = uint8(int(v) * 65 / 100)
				}
			}
			v, err := viewOf(page{s}, grown(b, 20))
			if err != nil {
				t.Fatal(err)
			}
			scene := v.scene()
			if scene == nil {
				t.Fatal("nothing found")
			}
			off := 0
			for y := b.Y1; y < b.Y2; y++ {
				for x := b.X1; x < b.X2; x++ {
					got := int(scene.gray.Pix[(y-v.box.Y1)*scene.gray.Width+x-v.box.X1])
					if want := int(plain.Pix[y*620+x]) * evenPaper / 230; max(got-want, want-got) > 24 {
						off++
					}
				}
			}
			if off > 60 {
				t.Errorf("%d pixels are lighter or darker than without the shadow", off)
			}
		})
	}
}

// Lines that slant are cut out straight.
func TestSlantedLine(t *testing.T) {
	s := blank(900, 240, 240)
	for i := range 24 {
		s.letters(40+i*30, 60+i*2, 1, 20, 20) // falls by one in fifteen
	}
	v, err := viewOf(page{s}, document.Box{X1: 20, Y1: 40, X2: 800, Y2: 150})
	if err != nil {
		t.Fatal(err)
	}
	found := v.scene()
	lines := found.lines()
	if len(lines) != 1 || math.Abs(lines[0].slope-1.0/15) > 0.01 {
		t.Fatalf("got %+v, want one line that falls by 1/15", lines)
	}
	if cut := found.cut(lines, 0, margin); cut.gray.Height > 32 {
		t.Errorf("got a strip of %d pixels, want one little higher than its letters", cut.gray.Height)
	}
}

// Neighbours of a slanting line that reach into the corners of the region are not read.
func TestNeighboursOfASlantedLine(t *testing.T) {
	for _, fall := range []int{2, -2} {
		s := blank(900, 300, 240)
		for i := range 24 {
			for _, y := range []int{100, 130, 160} {
				s.letters(40+i*30, y+(i-12)*fall, 1, 20, 20)
			}
		}
		v, err := viewOf(page{s}, document.Box{X1: 20, Y1: 104, X2: 800, Y2: 176})
		if err != nil {
			t.Fatal(err)
		}
		lines := v.scene().lines()
		if len(lines) != 1 || len(lines[0].parts) != 24 {
			t.Errorf("falls by %d: got %+v, want the line in the middle", fall, lines)
		}
	}
}

// A thin stroke that runs through all of a strip is the side of a frame, and no letter.
func TestSidesOfAStrip(t *testing.T) {
	for _, c := range []struct {
		name     string
		from, to int // of the stroke, in rows
		width    int
		gone     bool
	}{
		{"a side", 0, 30, 2, true},
		{"a letter", 5, 25, 2, false},
		{"a dark bar", 0, 30, 12, false},
	} {
		s := blank(120, 30, 240)
		s.letters(20, 5, 3, 20, 20)
		want := s.clone()
		s.fill(90, c.from, 90+c.width, c.to, 20)
		if !c.gone {
			want = s.clone()
		}
		line := strip{gray: s.Gray, paper: 240, letter: 20}
		line.withoutSides()
		if !bytes.Equal(line.gray.Pix, want.Pix) {
			t.Errorf("%s: gone is not %t", c.name, c.gone)
		}
	}
}

// Of pale letters in a black frame little is found as ink before the frame is erased.
func TestPaleLettersInABlackFrame(t *testing.T) {
	const n, size = 8, 20
	s := blank(400, 200, 250)
	b := s.letters(60, 80, n, size, 170)
	for i := range n {
		s.fill(60+i*size, 97, 66+i*size, 99, 140)
	}
	s.frame(grown(b, 9), 3, 5)
	v, err := viewOf(page{s}, grown(b, 12))
	if err != nil {
		t.Fatal(err)
	}
	if lines := v.scene().lines(); len(lines) != 1 || int(lines[0].height()) != size || len(lines[0].parts) != n {
		t.Errorf("got %+v, want one line of %d letters", lines, n)
	}
}

// Letters that hang down into the region make no line of their own.
func TestTailsOfTheLineAbove(t *testing.T) {
	const n, size = 8, 20
	s := blank(400, 200, 240)
	s.letters(60, 56, n, size, 20)
	for _, i := range []int{1, 5} {
		s.fill(60+i*size, 76, 63+i*size, 86, 20)
	}
	b := s.letters(60, 92, n, size, 20)
	v, err := viewOf(page{s}, document.Box{X1: 55, Y1: 70, X2: b.X2 + 5, Y2: b.Y2 + 5})
	if err != nil {
		t.Fatal(err)
	}
	if lines := v.scene().lines(); len(lines) != 1 || int(lines[0].top)+v.box.Y1 != 92 {
		t.Errorf("got %+v, want one line", lines)
	}
}

// The parts of a syllable stand above one another in one line; lines with paper between them are several.
func TestLinesOfARegion(t *testing.T) {
	s := blank(300, 200, 240)
	for i := range 6 { // like 금: a bar, a rule, a box
		x := 40 + 30*i
		s.fill(x+4, 40, x+20, 44, 20)
		s.fill(x, 47, x+24, 49, 20)
		s.frame(document.Box{X1: x + 4, Y1: 52, X2: x + 20, Y2: 62}, 2, 20)
	}
	for i := range 3 {
		s.letters(40, 90+30*i, 6, 18, 20)
	}
	v, _ := viewOf(page{s}, document.Box{X1: 20, Y1: 30, X2: 260, Y2: 190})
	var heights []int
	for _, l := range v.scene().lines() {
		heights = append(heights, int(l.height()+0.5))
	}
	if want := []int{22, 18, 18, 18}; !cmp.Equal(heights, want) {
		t.Errorf("got lines of %v pixels, want %v", heights, want)
	}
}

// Nothing is read where there is no text.
func TestNoTextWhereThereIsNone(t *testing.T) {
	region := document.Box{X1: 20, Y1: 20, X2: 280, Y2: 130}
	for name, draw := range map[string]func(sheet){
		"blank paper": func(sheet) {},
		"noise":       func(s sheet) { s.noise(10) },
		"light noise": func(s sheet) { s.noise(2) },
		"rules":       func(s sheet) { s.fill(0, 60, 300, 62, 10); s.fill(0, 100, 300, 101, 10); s.fill(150, 0, 152, 150, 10) },
		"empty frame": func(s sheet) { s.frame(document.Box{X1: 40, Y1: 40, X2: 240, Y2: 110}, 2, 10) },
		"a soft light": func(s sheet) {
			for i := range s.Pix {
				s.Pix[i] = uint8(90 + i%300/2)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := blank(300, 150, 240)
			draw(s)
			got, err := Reader{Engine: &counter{}}.Read(page{s}, recognition.Task{Box: region, Lang: []string{"eng"},
				Rotate: recognition.RotateAuto})
			if err != nil || got.Text != "" {
				t.Errorf("got %q, %v, want nothing", got.Text, err)
			}
		})
	}
}

// line makes letters of a text, all of one probability but those that follow one of ~, which are unsure.
func lineOf(text, by string, prob float64) (line []letter) {
	space, unsure := false, false
	for _, c := range text {
		switch c {
		case ' ':
			space = true
		case '~':
			unsure = true
		default:
			l := letter{text: string(c), space: space, prob: prob, word: prob, by: by, x1: float64(10 * len(line)),
				x2: float64(10*len(line) + 8)}
			if unsure {
				l.prob, l.word = 0.4, 0.4
			}
			if space {
				l.gap = 1
			}
			line, space, unsure = append(line, l), false, false
		}
	}
	return line
}

func TestFuse(t *testing.T) {
	for _, c := range []struct {
		name, first, second, want string
		gap                       float64 // of the second for all spaces
	}{
		{"the same", "Total 5.00", "Total 5.00", "Total 5.00", 0},
		{"the second counts", "Tota1 5.00", "Total 5.00", "Total 5.00", 0},
		{"the first where the second is in doubt", "Total 5.00", "Tota~1 5.00", "Total 5.00", 0},
		{"neither is sure", "Tota~l 5.00", "Tota~1 5.00", "Tota1 5.00", 0},
		{"letter case is the second's", "TOTAL", "Total", "Total", 0},
		{"a space of the first that the second does not rule out", "SUB TOTAL", "SUBTOTAL", "SUB TOTAL", 0.01},
		{"a space of the first that the second rules out", "SUB TOTAL", "SUBTOTAL", "SUBTOTAL", 0.001},
		{"nothing by the first", "", "Total", "Total", 0},
		{"nothing by the second", "Total", "", "Total", 0},
		{"letters too many in the first", "Totall", "Total", "Total", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			second := lineOf(c.second, "second", 0.95)
			for i := range second {
				second[i].gap = max(second[i].gap, c.gap)
			}
			got := fuse(lineOf(c.first, "first", 0.95), second, []string{"eng"})
			if textOf(got) != c.want {
				t.Errorf("got %q, want %q", textOf(got), c.want)
			}
		})
	}
}

// Letters of other languages that the second recogniser hardly knows, or cannot write, are the first one's where that is sure of them.
func TestFuseInOtherLanguages(t *testing.T) {
	for _, c := range []struct{ name, lang, first, second, want string }{
		{"a mark that is lost", "ces", "žluťoučký", "žlutoučký", "žluťoučký"},
		{"letters that are lost", "vie", "Tất cả mọi người", "Tt cà mi người", "Tất cả mọi người"},
		{"a letter for two", "dan", "Ærø", "AErø", "Ærø"},
		{"another letter", "isl", "þeim", "beim", "þeim"},
		{"a sign", "spa", "¡Mañana!", "Mañana!", "¡Mañana!"},
		{"a mark of which the first is unsure", "ces", "Pr~ílis", "Prilis", "Prilis"},
		{"letters without marks", "deu", "GroB 5.0O", "Groß 5.00", "Groß 5.00"},
		{"two languages", "eng+deu", "Tür", "Tur", "Tür"},
		{"English", "eng", "Tötal", "Total", "Total"},
		{"another script", "jpn", "東亰", "東京", "東京"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := fuse(lineOf(c.first, "first", 0.9), lineOf(c.second, "second", 0.97), strings.Split(c.lang, "+"))
			if textOf(got) != c.want {
				t.Errorf("got %q, want %q", textOf(got), c.want)
			}
		})
	}
}

// A word says who read it, and what the other recogniser read where that differs.
func TestCandidates(t *testing.T) {
	line := fuse(lineOf("Tota1 5.00", "first", 0.9), lineOf("Total 5.00", "second", 0.95), []string{"eng"})
	got := words(line, rect{0, 0, 100, 20}, confidence, func(r rect) document.Box {
		return document.Box{X1: int(r.x1), Y1: int(r.y1), X2: int(r.x2), Y2: int(r.y2)}
	})
	if len(got) != 2 {
		t.Fatalf("got %d words", len(got))
	}
	candidate := recognition.Candidate{Engine: "first", Text: "Tota1", Confidence: 0.9}
	if w := got[0]; w.Text != "Total" || w.Engine != "second" || !slices.Equal(w.Candidates, []recognition.Candidate{candidate}) ||
		w.Confidence > 0.9 {
		t.Errorf("got %+v, want the candidate %+v and less confidence", w, candidate)
	}
	if w := got[1]; w.Text != "5.00" || len(w.Candidates) != 0 || w.Confidence < 0.95 {
		t.Errorf("got %+v, want no candidate and more confidence than each alone", w)
	}
}

// What is not Hangul in a line is read again, between the letters beside it.
func TestRunsThatAreNotHangul(t *testing.T) {
	line := lineOf("제1조 ABC 항", "first", 0.9)
	var got []string
	for _, r := range foreign(line, 200, 20) {
		got = append(got, fmt.Sprint(textOf(line[r.from:r.to]), " ", r.x1, " ", r.x2))
	}
	if want := []string{"1 9 19", "ABC 29 59"}; !cmp.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, c := range []struct {
		text string
		sure float64
		want int
	}{{"온 각 당사자", 0.5, 1}, {"온 각 당사자", 0.95, 0}, {"온각 당사자", 0.5, 0}, {"당사자 온 각", 0.5, 0}} {
		if got := foreign(lineOf(c.text, "first", c.sure), 200, 20); len(got) != c.want {
			t.Errorf("%s, %v: got %d runs, want %d", c.text, c.sure, len(got), c.want)
		}
	}
	for _, c := range []struct {
		run, second string
		prob        float64
		want        string
		taken       bool
	}{
		{"A8C", "ABC", 0.9, "ABC", true},
		{"A8C", "ABC", 0.5, "A8C", false},     // the second is unsure
		{"A8C", "中ABC文", 0.9, "ABC", true},    // what it sees in the Hangul beside it
		{"A8C", "ABCD", 0.9, "ABC", true},     // a letter more at the edge
		{"A8C", "2ABC", 0.9, "ABC", true},     // the same
		{". A8C", "ABC", 0.9, ".ABC", true},   // marks that it passes over
		{"1. A8C", "ABC", 0.9, "ABC", true},   // not so digits
		{"A8C:", "ABC", 0.9, "ABC:", true},    // marks behind
		{`:\509`, "W509", 0.9, ":W509", true}, // a colon before what the first reads wrong, too
		{";8C", "BC", 0.9, ";BC", true},
		{":8C", ":BC", 0.9, ":BC", true},
		{":BC", "1BC", 0.9, "1BC", true},      // something else in its place
		{"2024", "2O24", 0.9, "2O24", true},   // with Latin letters
		{"2024", "2824", 0.99, "2024", false}, // digits that the first is sure of
		{"@", "②", 0.9, "②", true},
		{"온", "②", 0.9, "②", true}, // a circled number that was taken for a syllable
		{"온", "2", 0.9, "온", false},
	} {
		run := lineOf(c.run, "first", 0.98)
		if c.run == "2024" && c.taken {
			run = lineOf(c.run, "first", 0.9)
		}
		between := another{left: true, right: true}
		got, taken := replace(run, between.trimmed(run, lineOf(c.second, "second", c.prob)))
		if textOf(got) != c.want || taken != c.taken {
			t.Errorf("%s, %s: got %q, %v, want %q, %v", c.run, c.second, textOf(got), taken, c.want, c.taken)
		}
	}
	run, second := lineOf("A8C", "first", 0.98), lineOf("ABCD", "second", 0.9)
	if got := (another{}).trimmed(run, second); textOf(got) != "ABCD" {
		t.Errorf("with no Hangul beside it: got %q", textOf(got))
	}
}

// The text has the order and the spaces, the symbols have the places, even where both contradict each other.
func TestLettersOfAnAnswer(t *testing.T) {
	at := func(text string, x float64) Symbol {
		return Symbol{Text: text, Confidence: 0.9, Word: 0.8, X1: x, X2: x + 8}
	}
	for _, c := range []struct {
		name   string
		answer Answer
		want   []string
	}{
		{"nothing", Answer{Text: " \n"}, nil},
		{"a line", Answer{Text: "ab c\n", Symbols: []Symbol{at("a", 0), at("b", 10), at("c", 30)}}, []string{"ab c"}},
		{"lines", Answer{Text: "a\n\nb\n", Symbols: []Symbol{at("a", 0), at("b", 0)}}, []string{"a", "b"}},
		{"syllables", Answer{Text: "대한 민국", Symbols: []Symbol{at("대", 0), at("한", 10), at("민국", 30)}}, []string{"대한 민국"}},
		{"fewer symbols", Answer{Text: "abc", Symbols: []Symbol{at("a", 0)}}, []string{"abc"}},
		{"no symbols", Answer{Text: "abc"}, []string{"abc"}},
	} {
		var got []string
		for _, line := range lettersOf(c.answer, "engine") {
			got = append(got, textOf(line))
			for i, l := range line {
				if len(c.answer.Symbols) > 0 && (l.x2 <= l.x1 || l.word != 0.8) {
					t.Errorf("%s: letter %d has no place or no confidence: %+v", c.name, i, l)
				}
			}
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}

// Places come back to the page however it was turned.
func TestPlacesOnATurnedPage(t *testing.T) {
	p := around(document.Box{X1: 100, Y1: 200, X2: 300, Y2: 260}, 1000, 1000)
	for quarters := range 4 {
		q := p.turned(quarters)
		corner := q.onPage(Point{q.inner.x1, q.inner.y1})
		other := q.onPage(Point{q.inner.x2, q.inner.y2})
		got := document.Box{X1: int(min(corner.X, other.X)), Y1: int(min(corner.Y, other.Y)), X2: int(max(corner.X, other.X)),
			Y2: int(max(corner.Y, other.Y))}
		if got != p.region {
			t.Errorf("turned by %d: got %v, want %v", quarters, got, p.region)
		}
	}
}

func TestTurn(t *testing.T) {
	g := Gray{Pix: []uint8{1, 2, 3, 4, 5, 6}, Width: 3, Height: 2}
	for quarters, want := range map[int]Gray{
		0: g,
		1: {Pix: []uint8{4, 1, 5, 2, 6, 3}, Width: 2, Height: 3},
		2: {Pix: []uint8{6, 5, 4, 3, 2, 1}, Width: 3, Height: 2},
		3: {Pix: []uint8{3, 6, 2, 5, 1, 4}, Width: 2, Height: 3},
	} {
		if d := cmp.Diff(want, g.Turn(quarters)); d != "" {
			t.Errorf("%d (-want +got):\n%s", quarters, d)
		}
	}
}

// A part lies in the one that surrounds it, which comes first.
func TestPartsAreNested(t *testing.T) {
	picture := []string{
		"..........",
		".########.",
		".#......#.",
		".#.##.#.#.",
		".#.##..##.",
		".#......#.",
		".########.",
		"..........",
	}
	var dark []uint8
	for _, c := range strings.Join(picture, "") {
		dark = append(dark, map[rune]uint8{'.': 0, '#': 1}[c])
	}
	_, found := parts(dark, len(picture[0]), len(picture))
	var got []string
	for i, p := range found {
		if int(p.around) >= i {
			t.Errorf("part %d comes before the one around it, %d", i, p.around)
		}
		got = append(got, fmt.Sprint(p.dark, p.area, " in ", p.around))
	}
	// The single pixel touches the frame at a corner, which joins dark parts and parts light ones.
	if want := []string{"false 32 in -1", "true 26 in 0", "false 18 in 1", "true 4 in 2"}; !cmp.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("some pixels of a page"), uint8(20), uint8(1), uint8(1), uint8(9), uint8(9))
	f.Add([]byte{0, 255, 0, 255, 128}, uint8(3), uint8(0), uint8(0), uint8(200), uint8(200))
	f.Fuzz(func(t *testing.T, pix []byte, width, x1, y1, x2, y2 uint8) {
		if width == 0 || len(pix) < int(width) {
			return
		}
		s := sheet{Gray{Pix: pix[:len(pix)/int(width)*int(width)], Width: int(width), Height: len(pix) / int(width)}}
		region := document.Box{X1: int(x1), Y1: int(y1), X2: int(x2), Y2: int(y2)}.Intersect(document.Box{X2: s.Width, Y2: s.Height})
		if region.Empty() {
			return
		}
		got, err := Reader{Engine: &counter{}}.Read(page{s}, recognition.Task{Box: region, Lang: []string{"eng"},
			Rotate: recognition.RotateAuto})
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range got.Words {
			if w.Box.Empty() || w.Box.Intersect(region) != w.Box {
				t.Errorf("the box %v is not in %v", w.Box, region)
			}
		}
		if _, err := Prepared(page{s}, recognition.Task{Box: region}); err != nil {
			t.Error(err)
		}
	})
}

// always reads the same in every image.
type always string

func (always) Name() string { return "first" }

func (text always) Read(g Gray, _ Query) (Answer, error) {
	a := Answer{Text: string(text)}
	letters := []rune(strings.ReplaceAll(a.Text, " ", ""))
	for i, c := range letters {
		x := float64(i * g.Width / len(letters))
		a.Symbols = append(a.Symbols, Symbol{Text: string(c), Confidence: 0.95, Word: 0.95, X1: x, X2: x + 10, Y1: 10, Y2: 30})
	}
	return a, nil
}

// deaf is a recogniser of Latin letters that reads the same in every image.
type deaf struct{ chars []Char }

func (deaf) Name() string                            { return "second" }
func (deaf) Scripts() []string                       { return []string{"Latin"} }
func (d deaf) Read(RGB, int, string) ([]Char, error) { return d.chars, nil }

// Of a line that the first recogniser cannot read Chinese is believed where each character is certain.
func TestChineseWhereAnotherLanguageIsAskedFor(t *testing.T) {
	for _, c := range []struct {
		name          string
		first, second float64
		want          string
	}{
		{"certain", 0.3, 0.98, "海鲜河粉"},
		{"not certain", 0.3, 0.9, ""},
		{"the first one reads it, too", 0.9, 0.98, ""},
	} {
		s := blank(400, 100, 240)
		s.letters(40, 40, 8, 20, 20)
		r := Reader{Engine: said{text: "Fees", sure: c.first}, Second: []Scripted{deaf{chars("海鲜河粉", c.second)}}}
		got, err := r.Read(page{s}, recognition.Task{Box: document.Box{X1: 30, Y1: 30, X2: 300, Y2: 70}, Lang: []string{"eng"},
			Effort: recognition.EffortAccurate})
		if err != nil || got.Text != c.want {
			t.Errorf("%s: got %q, %v, want %q", c.name, got.Text, err, c.want)
		}
	}
}

// The second recogniser reads what is not Hangul in a Korean line. What it does not see stays.
func TestLatinLettersOfAKoreanLine(t *testing.T) {
	for _, c := range []struct {
		name, first string
		heard       []Char
		want        string
	}{
		{"not seen", "천체 SASS 이다", nil, "천체 SASS 이다"},
		{"seen", "천체 A8 이다", []Char{{Text: "A", Prob: 0.9}, {Text: "B", Prob: 0.9}}, "천체 AB 이다"},
		{"wide forms", "천체 A8 이다", []Char{{Text: "Ａ", Prob: 0.9}, {Text: "：", Prob: 0.9}}, "천체 A: 이다"},
		{"a middle dot", "위ㆍ아래", nil, "위·아래"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := blank(400, 100, 240)
			b := grown(s.letters(60, 40, 8, 20, 20), 10)
			r := Reader{Engine: always(c.first), Second: []Scripted{deaf{c.heard}}}
			got, err := r.Read(page{s}, recognition.Task{Box: b, Lang: []string{"kor"}, Effort: recognition.EffortAccurate,
				Rotate: recognition.Rotate0})
			if err != nil || got.Text != c.want {
				t.Errorf("%q, %v, want %q", got.Text, err, c.want)
			}
		})
	}
}

// looking is an engine that is sure of letters and not of words, and reads one text after the other, the last one again and again.
type looking struct{ texts *[]string }

func (looking) Name() string { return "first" }

func (l looking) Read(g Gray, q Query) (Answer, error) {
	a, err := always((*l.texts)[0]).Read(g, q)
	if len(*l.texts) > 1 {
		*l.texts = (*l.texts)[1:]
	}
	for i := range a.Symbols {
		a.Symbols[i].Confidence, a.Symbols[i].Word = 0.99, 0.2
	}
	return a, err
}

// Korean letters that are far apart are no sure words, but text where two looks give the same.
func TestKoreanTitle(t *testing.T) {
	for _, c := range []struct {
		texts []string
		want  string
	}{
		{[]string{"징계의결서"}, "징계의결서"},
		{[]string{"징계의결서", "징제의결서", "징제의걸서", "정계의결서", "정제의걸서", "정제의걸시", "정제의걸지"}, ""},
		{[]string{"에에에에에"}, ""},
		{[]string{"계약"}, ""},
	} {
		s := blank(400, 100, 240)
		b := grown(s.letters(60, 40, 5, 20, 20), 10)
		r := Reader{Engine: looking{&c.texts}, Second: []Scripted{deaf{}}}
		got, err := r.Read(page{s}, recognition.Task{Box: b, Lang: []string{"kor"}, Effort: recognition.EffortAccurate,
			Rotate: recognition.Rotate0})
		if err != nil || got.Text != c.want {
			t.Errorf("got %q, %v, want %q", got.Text, err, c.want)
		}
	}
}

// The first recogniser is asked where it may know a letter or a space better.
func TestLinesThatTheSecondReadsAlone(t *testing.T) {
	for name, c := range map[string]struct {
		change func([]Char) []Char
		want   bool
		lang   string
	}{
		"sure":                 {func(c []Char) []Char { return c }, true, "eng"},
		"a space that it read": {func(c []Char) []Char { c[4].Space = 1; return c }, true, "eng"},
		"unsure of a letter":   {func(c []Char) []Char { c[4].Prob = 0.9; return c }, false, "eng"},
		"a space that may be":  {func(c []Char) []Char { c[4].Space = 0.01; return c }, false, "eng"},
		"one letter again and again": {func(c []Char) []Char {
			for i := range c {
				c[i].Text = "8"
			}
			return c
		}, false, "eng"},
		"ink that it passed over":   {func(c []Char) []Char { return c[:4] }, false, "eng"},
		"a letter of no such text":  {func(c []Char) []Char { c[4].Text = "中"; return c }, false, "eng"},
		"a script that it may miss": {func(c []Char) []Char { return c }, false, "kor"},
		"marks that it may miss":    {func(c []Char) []Char { return c }, false, "deu"},
		"a script that it knows":    {func(c []Char) []Char { return c }, true, "jpn"},
	} {
		t.Run(name, func(t *testing.T) {
			var chars []Char
			for i, l := range "LETTERED" {
				chars = append(chars, Char{Text: string(l), Prob: 0.99, X1: float64(3 + 20*i), X2: float64(16 + 20*i)})
			}
			s := blank(400, 100, 240)
			b := grown(s.letters(60, 40, len(chars), 20, 20), 10)
			first := &counter{}
			got, err := Reader{Engine: first, Second: []Scripted{deaf{c.change(chars)}}}.Read(page{s},
				recognition.Task{Box: b, Lang: []string{c.lang}, Effort: recognition.EffortAccurate, Rotate: recognition.RotateAuto})
			if err != nil || (first.images == 0) != c.want {
				t.Errorf("%q, %v, after %d looks of the first one", got.Text, err, first.images)
			}
			if c.want && (len(got.Words) == 0 || got.Words[0].Engine != "second" || got.Confidence < 0.9) {
				t.Errorf("%+v", got.Words)
			}
		})
	}
}

// counting is a second recogniser that keeps how many letters it is told of.
type counting struct {
	deaf
	letters *[]int
}

func (c counting) Read(_ RGB, letters int, _ string) ([]Char, error) {
	*c.letters = append(*c.letters, letters)
	return c.chars, nil
}

// A region in which the ink tells no line is believed where the second recogniser is sure of it, whatever the first one makes of it.
func TestDotPrint(t *testing.T) {
	for _, c := range []struct {
		second []Char
		want   string
	}{
		{chars("46,417", 0.9), "46,417"},
		{chars("46,417", 0.6), ""},
		{nil, ""},
	} {
		s := blank(400, 100, 240)
		for y := 40; y < 60; y += 3 {
			for x := 60 + y%2; x < 140; x += 4 {
				s.fill(x, y, x+1, y+1, 90) // too fine to count as ink
			}
		}
		r := Reader{Engine: said{text: "at si", sure: 0.5}, Second: []Scripted{deaf{c.second}}}
		got, err := r.Read(page{s}, recognition.Task{Box: document.Box{X1: 50, Y1: 36, X2: 150, Y2: 64}, Lang: []string{"eng"},
			Effort: recognition.EffortAccurate, Rotate: recognition.RotateAuto})
		if err != nil || got.Text != c.want {
			t.Errorf("%d letters: %q, %v, want %q", len(c.second), got.Text, err, c.want)
		}
	}
}

// The second recogniser is told for how many letters a line has room: also those that run into one, without dots, and with gaps.
func TestRoomForLetters(t *testing.T) {
	for name, c := range map[string]struct {
		draw func(sheet)
		want int
	}{
		"apart":  {func(s sheet) { s.letters(60, 40, 8, 20, 20) }, 8},
		"joined": {func(s sheet) { s.letters(60, 40, 8, 20, 20); s.fill(60, 58, 112, 60, 20) }, 9},
		"a dot":  {func(s sheet) { s.letters(60, 40, 8, 20, 20); s.fill(218, 57, 221, 60, 20) }, 8},
		"a gap":  {func(s sheet) { s.letters(60, 40, 3, 20, 20); s.letters(160, 40, 3, 20, 20) }, 8},
	} {
		s := blank(400, 100, 240)
		c.draw(s)
		var told []int
		_, err := Reader{Engine: always("LLLLLLLL"), Second: []Scripted{counting{deaf{chars("LLLLLLLL", 0.99)}, &told}}}.Read(page{s},
			recognition.Task{Box: document.Box{X1: 50, Y1: 30, X2: 240, Y2: 70}, Lang: []string{"eng"},
				Effort: recognition.EffortAccurate, Rotate: recognition.Rotate0})
		if err != nil || len(told) == 0 || told[0] != c.want {
			t.Errorf("%s: told of %v letters, %v; want %d", name, told, err, c.want)
		}
	}
}

// nearing is a second recogniser that reads one thing in the first image of a line and another in those with less paper around.
type nearing struct {
	deaf
	closer []Char
	rows   *int
}

func (n nearing) Read(g RGB, _ int, _ string) ([]Char, error) {
	if *n.rows = max(*n.rows, g.Height); g.Height < *n.rows {
		return n.closer, nil
	}
	return n.chars, nil
}

// Where both recognisers disagree, the second one looks more closely. A letter is given up only where the first one has none.
func TestCloserLook(t *testing.T) {
	with := func(text string, at int, prob float64) []Char {
		read := chars(text, 0.99)
		read[at].Prob = prob
		return read
	}
	for name, c := range map[string]struct {
		first       string
		far, closer []Char
		want        string
	}{
		"as the first one reads it":  {"TOTAL", with("T0TAL", 1, 0.6), with("TOTAL", 1, 0.5), "TOTAL"},
		"surer":                      {"TQTAL", with("T0TAL", 1, 0.6), with("TOTAL", 1, 0.8), "TOTAL"},
		"less sure":                  {"TQTAL", with("T0TAL", 1, 0.85), with("TOTAL", 1, 0.5), "T0TAL"},
		"a letter more":              {"TOAL", with("TO1AL", 2, 0.4), with("TOTTAL", 2, 0.8), "TOTTAL"},
		"a letter less":              {"TOTQL:", with("TOTAL", 3, 0.85), with("TOTL", 3, 0.99), "TOTAL"},
		"less, as the first has it":  {"TOTAL", with("TOTTAL", 3, 0.6), with("TOTAL", 2, 0.9), "TOTAL"},
		"sure of it from the start":  {"TQTAL", with("T0TAL", 1, 0.95), with("TOTAL", 1, 0.99), "T0TAL"},
		"sure of nothing, but agree": {"T0TAL", with("T0TAL", 1, 0.5), with("TOTAL", 1, 0.99), "T0TAL"},
	} {
		s := blank(400, 100, 240)
		b := grown(s.letters(60, 40, 5, 20, 20), 10)
		r := Reader{Engine: always(c.first), Second: []Scripted{nearing{deaf{c.far}, c.closer, new(int)}}}
		got, err := r.Read(page{s}, recognition.Task{Box: b, Lang: []string{"eng"}, Effort: recognition.EffortAccurate,
			Rotate: recognition.Rotate0})
		if err != nil || got.Text != c.want {
			t.Errorf("%s: %q, %v, want %q", name, got.Text, err, c.want)
		}
	}
}

// The second recogniser reads a line of which the first one is not sure enough for the effort, and the first one does not look again.
func TestWhoIsAskedByEffort(t *testing.T) {
	for _, c := range []struct {
		word, letter float64 // confidence of the first one
		effort       recognition.Effort
		want         string
	}{
		{0.95, 0.95, recognition.EffortFast, "TOTAI"},
		{0.95, 0.95, recognition.EffortBalanced, "TOTAI"},
		{0.95, 0.95, recognition.EffortAccurate, "TOTAL"},
		{0.85, 0.98, recognition.EffortFast, "TOTAI"},
		{0.85, 0.85, recognition.EffortFast, "TOTAL"}, // would not be believed
		{0.85, 0.85, recognition.EffortBalanced, "TOTAL"},
		{0.70, 0.70, recognition.EffortFast, "TOTAL"},
		{0.70, 0.98, recognition.EffortFast, "TOTAI"}, // no word of its lists
		{0.70, 0.98, recognition.EffortBalanced, "TOTAL"},
	} {
		s := blank(400, 100, 240)
		b := grown(s.letters(60, 40, 5, 20, 20), 10)
		r := Reader{Engine: unlisted{said{text: "TOTAI", sure: c.word}, c.letter}, Second: []Scripted{deaf{chars("TOTAL", 0.9)}}}
		got, err := r.Read(page{s}, recognition.Task{Box: b, Lang: []string{"eng"}, Effort: c.effort, Rotate: recognition.Rotate0})
		if err != nil || got.Text != c.want {
			t.Errorf("%s, %v of the word and %v of its letters: %q, %v, want %q", c.effort, c.word, c.letter, got.Text, err, c.want)
		}
		if asked := c.want == "TOTAL"; c.effort != recognition.EffortAccurate && asked != (got.Passes == 2) || got.Passes > 3 {
			t.Errorf("%s, %v of the word and %v of its letters: read %d times", c.effort, c.word, c.letter, got.Passes)
		}
	}
}

// unlisted is an engine that is surer of letters than of the word that they make.
type unlisted struct {
	said
	letter float64
}

func (u unlisted) Read(g Gray, q Query) (Answer, error) {
	a, err := u.said.Read(g, q)
	for i := range a.Symbols {
		a.Symbols[i].Confidence = u.letter
	}
	return a, err
}

// A line is text if what both recognisers say of it is sure enough for so few letters.
func TestBelievable(t *testing.T) {
	both := func(letters int, sure, agreed float64) opinion {
		return opinion{letters: letters, sure: sure, agreed: agreed}
	}
	for _, c := range []struct {
		text   string
		letter float64 // height
		heard  opinion
		effort recognition.Effort
		want   bool
	}{
		{"Total", 20, both(5, 0.99, 1), recognition.EffortAccurate, true},
		{"Total", 20, both(5, 0.8, 0), recognition.EffortAccurate, true},
		{"eveeoee", 20, both(7, 0.45, 0.3), recognition.EffortAccurate, false},
		{"1111111", 20, both(7, 0.86, 0), recognition.EffortAccurate, false}, // a hatching
		{"1111111", 20, both(7, 0.86, 1), recognition.EffortAccurate, true},
		{"8888888", 20, both(7, 0.6, 0.7), recognition.EffortAccurate, false},
		{"8888888", 20, both(7, 0.97, 0), recognition.EffortAccurate, false},
		{"22,292", 20, both(6, 0.97, 0), recognition.EffortAccurate, true},
		{"1,000,000", 20, both(9, 0.97, 0), recognition.EffortAccurate, true},
		{"*******", 20, both(7, 0.97, 0), recognition.EffortAccurate, true},
		{"-------", 20, both(7, 0.99, 1), recognition.EffortAccurate, false}, // a rule
		{"|", 20, both(1, 0.99, 1), recognition.EffortAccurate, false},
		{"-", 20, both(1, 0.99, 1), recognition.EffortAccurate, true},
		{"***", 20, both(3, 0.9, 1), recognition.EffortAccurate, true},
		{"C", 20, both(1, 0.95, 0), recognition.EffortAccurate, false},
		{"x", 20, both(1, 0.5, 1), recognition.EffortAccurate, true},
		{"AN", 20, both(2, 0.74, 0.5), recognition.EffortAccurate, true},
		{"AN", 5, both(2, 0.74, 0.5), recognition.EffortAccurate, false},
		{"Total", 20, opinion{}, recognition.EffortAccurate, false}, // only the first one sees it
		{"호", 20, opinion{letters: notAsked, sure: 0.8}, recognition.EffortAccurate, false},
		{"호", 20, opinion{letters: notAsked, sure: 0.9}, recognition.EffortAccurate, true},
		{"에에에에에에에에에에에에에", 20, opinion{letters: notAsked, sure: 0.8}, recognition.EffortAccurate, false},
		{"교육원", 20, opinion{letters: notAsked, sure: 0.65}, recognition.EffortAccurate, false},
		{"H", 200, both(1, 0.97, 0), recognition.EffortAccurate, false}, // a picture
		{"H", 200, both(1, 0.97, 1), recognition.EffortAccurate, true},
	} {
		var line []letter
		for _, l := range c.text {
			line = append(line, letter{text: string(l), prob: 0.9, word: 0.9})
		}
		j := job{Reader: Reader{Second: []Scripted{deaf{}}}, task: recognition.Task{Effort: c.effort}, heard: c.heard}
		if got := j.believable(strip{letter: c.letter}, line); got != c.want {
			t.Errorf("%q, %d pixels, %+v: got %t", c.text, int(c.letter), c.heard, got)
		}
	}
}

// With one recogniser a line is text if its letters are clear, whatever the confidence of its words is, or if that is high.
func TestClearEnough(t *testing.T) {
	for _, c := range []struct {
		text        string
		letter      float64 // height
		room        int     // letters
		clear, sure float64
		want        bool
	}{
		{"GST SUMMARY", 20, 12, 0.97, 0.3, true}, // bad print
		{"SS 5a3SeesS", 20, 12, 0.94, 0.5, false},
		{"체첸 공화국, 또는", 20, 12, 0.89, 0.8, true},
		{"TOTAL", 20, 5, 0.975, 0.4, true},
		{"TX SRS", 20, 33, 0.975, 0.7, false}, // the grain of wood
		{"eset", 5, 4, 0.975, 0.7, false},     // a halftone
		{"TOTAL", 20, 5, 0.95, 0.92, true},
		{"RM", 20, 3, 0.99, 0.5, true},
		{"H", 222, 2, 0.99, 0.9, false}, // a picture
		{"'", 20, 1, 0.99, 0.9, false},
		{"14.40", 14, 0, 0.95, 0.4, true}, // an amount in bad print
		{"11:10", 14, 0, 0.95, 0.4, true},
		{"14.40", 14, 0, 0.93, 0.4, false},
		{"-14.4", 14, 0, 0.95, 0.4, false},
		{"1.:.4", 14, 0, 0.95, 0.4, false},
		{"14440", 14, 0, 0.95, 0.4, false},
	} {
		var line []letter
		for _, l := range strings.ReplaceAll(c.text, " ", "") {
			line = append(line, letter{text: string(l), prob: c.clear, word: c.sure})
		}
		j := job{task: recognition.Task{Effort: recognition.EffortFast}, heard: opinion{letters: notAsked, sure: c.sure}}
		if got := j.believable(strip{letter: c.letter, letters: c.room}, line); got != c.want {
			t.Errorf("%q, %d pixels, %.2f, %.2f: got %t", c.text, int(c.letter), c.clear, c.sure, got)
		}
	}
}

// Letters that are less clear are text where the ink stands as they do: in parts of one size on one level, as many as there are letters.
func TestInkThatStandsAsPrint(t *testing.T) {
	for _, c := range []struct {
		name, text string
		draw       func(sheet, int) // the letter at that place from the left
		want       bool
	}{
		{"letters", "NATE", func(s sheet, x int) { s.letters(x, 10, 1, 20, 20) }, true},
		{"a pattern", "HHHHHOHH", func(s sheet, x int) { s.letters(x, 10, 1, 20, 20) }, false},
		{"specks", "NATE", func(s sheet, x int) { s.fill(x, 20, x+5, 25, 20) }, false},
		{"stairs", "NATE", func(s sheet, x int) { s.letters(x, 2+x/5, 1, 20, 20) }, false},
		{"different sizes", "NATE", func(s sheet, x int) { s.letters(x, 18-x/4, 1, 12+x/4, 20) }, false},
		{"fewer", "NATE", func(s sheet, x int) {
			if x < 40 {
				s.letters(x, 10, 1, 20, 20)
			}
		}, false},
		{"large areas", "NATE", func(s sheet, x int) { s.fill(x, 2, x+20, 38, 20) }, false},
	} {
		line := lineOf(c.text, "engine", 0.95)
		s := blank(20*len(line)+20, 40, 240)
		for i := range line {
			line[i].word = 0.4
			c.draw(s, 10+20*i)
		}
		j := job{task: recognition.Task{Effort: recognition.EffortFast}, heard: opinion{letters: notAsked, sure: 0.4}}
		if got := j.believable(strip{gray: s.Gray, paper: 240, letter: 20, ink: 20}, line); got != c.want {
			t.Errorf("%s: got %t", c.name, got)
		}
	}
}

// printed is an engine that reads blocks only.
type printed struct{ always }

func (p printed) Read(g Gray, q Query) (Answer, error) {
	if q.Shape != recognition.ShapeBlock {
		return Answer{}, nil
	}
	return p.always.Read(g, q)
}

// What is read of a large region as it is printed is text, but for a letter by itself, which is a part of a drawing.
func TestALetterOfALargeRegion(t *testing.T) {
	for text, want := range map[string]string{"y": "", "yes": "yes"} {
		s := blank(300, 150, 240)
		r := Reader{Engine: printed{always(text)}, Second: []Scripted{deaf{chars(text, 0.97)}}}
		got, err := r.Read(page{s}, recognition.Task{Box: document.Box{X1: 20, Y1: 20, X2: 280, Y2: 130}, Lang: []string{"eng"},
			Effort: recognition.EffortAccurate, Rotate: recognition.Rotate0})
		if err != nil || got.Text != want {
			t.Errorf("%q: got %q, %v", text, got.Text, err)
		}
	}
}

// A long line that is partly Korean is text where some of its words are sure.
func TestSureWords(t *testing.T) {
	for text, want := range map[string]bool{"언론에 출연하여 실명을 00 8": true, "ㅠ*4ㄴ4ㄴㄷ4+44444+ +": false} {
		line := lineOf(text, "engine", 0.4)
		for i := range line {
			if want && i < 4 {
				line[i].word = 0.9
			}
		}
		j := job{Reader: Reader{Second: []Scripted{deaf{}}}, task: recognition.Task{Effort: recognition.EffortAccurate},
			heard: opinion{letters: notAsked, sure: 0.5}}
		if got := j.believable(strip{letter: 20}, line); got != want {
			t.Errorf("%s: got %t", text, got)
		}
	}
}

// turns reads another text in each image.
type turns struct{ texts []string }

func (*turns) Name() string { return "turns" }

func (e *turns) Read(g Gray, q Query) (Answer, error) {
	text := e.texts[0]
	if e.texts = e.texts[1:]; text == "" {
		return Answer{}, nil
	}
	return said{text: text, sure: 0.99}.Read(g, q)
}

// A few letters among many lines that are none are a part of a pattern.
func TestFewLettersAmongMuch(t *testing.T) {
	for text, lines := range map[string]int{"4+0": 0, "TOTAL AMOUNT": 1} {
		s := blank(300, 100, 240)
		t1 := strip{gray: s.crop(0, 0, 200, 40), paper: 240, ink: 20, letter: 20, letters: 8}
		j := job{Reader: Reader{Engine: &turns{append([]string{text}, make([]string, 40)...)}},
			task: recognition.Task{Effort: recognition.EffortFast}}
		got, err := j.strips([]strip{t1, t1, t1, t1, t1}, recognition.ShapeLine, nil)
		if err != nil || len(got) != lines {
			t.Errorf("%s: got %d lines, %v", text, len(got), err)
		}
	}
}

// Bars are no text, whatever a recogniser takes them for.
func TestBars(t *testing.T) {
	for name, c := range map[string]struct {
		draw func(sheet)
		want bool
	}{
		"barcode": {func(s sheet) {
			for i, x := range []int{40, 48, 55, 70, 76, 90, 101, 108, 120, 126} {
				s.fill(x, 30, x+2+i%3*2, 70, 20)
			}
		}, true},
		"upper ends of bars": {func(s sheet) {
			for i := range 10 {
				s.fill(40+12*i, 50, 43+12*i+i%3*2, 90, 20)
			}
		}, true},
		"letters": {func(s sheet) { s.letters(40, 30, 6, 40, 20) }, false},
		"few strokes": {func(s sheet) {
			for x := 40; x < 90; x += 14 {
				s.fill(x, 30, x+5, 70, 20)
			}
		}, false},
	} {
		s := blank(300, 100, 240)
		c.draw(s)
		strip := strip{gray: s.crop(20, 24, 280, 76), paper: 240, ink: 40}
		if got := strip.barred(); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
		j := job{Reader: Reader{Second: []Scripted{deaf{}}}, task: recognition.Task{Effort: recognition.EffortAccurate},
			heard: opinion{letters: 6, sure: 0.99, agreed: 1}}
		if got := j.believable(strip, lineOf("WI11AM", "second", 0.99)); got == c.want {
			t.Errorf("%s: believed %v", name, got)
		}
	}
}

// A region that is tight around a letter or two was drawn for these, however little the recognisers say.
func TestRegionsAroundFewLetters(t *testing.T) {
	one := []letter{{text: "1", prob: 0.75, word: 0.75}}
	for _, c := range []struct {
		width, height, ink float64
		lines              int
		line               []letter
		want               bool
	}{
		{28, 20, 12, 1, one, true},
		{28, 20, 12, 1, []letter{{text: "1", prob: 0.6, word: 0.6}}, false},
		{110, 20, 12, 1, one, false}, // there is room for more
		{28, 60, 12, 1, one, false},
		{28, 20, 12, 2, one, false},
		{200, 180, 120, 1, one, false}, // a picture
		{28, 20, 12, 1, []letter{{text: "|", prob: 0.9, word: 0.9}}, false},
		{28, 20, 12, 1, []letter{{text: ">", prob: 0.9, word: 0.9}}, false}, // which the second recogniser does not see
	} {
		j := job{Reader: Reader{Second: []Scripted{deaf{}}}, task: recognition.Task{Effort: recognition.EffortAccurate},
			piece: piece{inner: rect{x2: c.width, y2: c.height}}, lines: make([]line, c.lines), heard: opinion{letters: 1, sure: 0.3}}
		if got := j.believable(strip{letter: c.ink, ink: c.ink}, c.line); got != c.want {
			t.Errorf("%q with ink of %v in %v × %v, %d lines: got %t", textOf(c.line), c.ink, c.width, c.height, c.lines, got)
		}
	}
}

// Rules that are large and fine are no letter, whatever it is that they look like.
func TestLettersOfHairlines(t *testing.T) {
	for stroke, want := range map[int]bool{3: false, 12: true} {
		s := blank(320, 320, 240)
		for at := 10; at <= 300; at += 58 {
			s.fill(10, at, 300, at+stroke, 20)
		}
		j := job{heard: opinion{letters: notAsked, sure: 0.99}, alike: true}
		syllable := []letter{{text: "를", prob: 0.99, word: 0.99}}
		if got := j.believable(strip{gray: s.Gray, paper: 240, letter: 290, ink: 290}, syllable); got != want {
			t.Errorf("strokes of %d pixels: got %t", stroke, got)
		}
	}
}

// A region without a line of its own is read as it is drawn, and needs more to be believed.
func TestRegionsReadAsTheyAreDrawn(t *testing.T) {
	for sure, want := range map[float64]string{0.95: "3120", 0.8: ""} {
		s := blank(120, 40, 240)
		s.letters(10, 10, 4, 20, 20)
		j := job{Reader: Reader{Engine: said{text: "Ly", sure: 0.3}, Second: []Scripted{deaf{chars("3120", sure)}}},
			task: recognition.Task{Lang: []string{"eng"}, Effort: recognition.EffortAccurate}}
		box := document.Box{X2: 120, Y2: 40}
		v := view{piece: piece{box: box, region: box, inner: rect{x2: 120, y2: 40}}, gray: s.Gray}
		if err := j.asDrawn(v, recognition.ShapeLine); err != nil || strings.Join(j.text, "\n") != want {
			t.Errorf("%v sure: got %q, %v", sure, j.text, err)
		}
	}
}

// What is left of a rule is no underscore; those that were typed are.
func TestUnderscoresThatAreRemains(t *testing.T) {
	for text, want := range map[string]string{"부 _칙": "부 칙", "_1lam": "1lam", "State: _": "State:", "A_B_1": "A_B_1",
		"Name ____ x": "Name ____ x", "Tuesday_ 3": "Tuesday 3", "_": ""} {
		var line []letter
		space := false
		for _, l := range text {
			if l == ' ' {
				space = true
				continue
			}
			line = append(line, letter{text: string(l), space: space})
			space = false
		}
		if got := textOf(withoutRemains(line)); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// Strokes one pixel wide have soft edges that are no paper: letters of them stand out from noisy paper, which does not.
func TestThinStrokesStandOut(t *testing.T) {
	page := blank(160, 48, 240)
	s := scene{factor: 1, width: page.Width, height: page.Height, ink: make([]uint8, len(page.Pix))}
	for x := 8; x < page.Width; x += 8 {
		page.fill(x-1, 8, x+2, 40, 170)
		page.fill(x, 8, x+1, 40, 140)
		for y := 8; y < 40; y++ {
			s.ink[y*s.width+x] = 1
		}
	}
	page.noise(8)
	s.gray = page.Gray
	if !s.standsOut() {
		t.Error("strokes do not stand out")
	}
	for y := 8; y < 40; y++ { // most of them are not found
		clear(s.ink[y*s.width+s.width/4 : (y+1)*s.width])
	}
	if !s.standsOut() {
		t.Error("strokes beside others that were not found do not stand out")
	}
	page = blank(160, 48, 240)
	page.noise(8)
	s.gray = page.Gray
	for i, v := range page.Pix {
		s.ink[i] = 0
		if v < 228 {
			s.ink[i] = 1
		}
	}
	if s.standsOut() {
		t.Error("noise stands out")
	}
}

// Rows that the engine has passed over are found by their parts, columns apart, and come where they belong in the order of reading.
func TestRowsThatArePassedOver(t *testing.T) {
	page := blank(700, 200, 240)
	page.letters(20, 40, 6, 20, 20)
	page.letters(400, 42, 8, 20, 20)
	page.letters(20, 120, 4, 20, 20)
	page.letters(500, 120, 2, 20, 20) // too few
	s, found := lookAt(page.clone(), 1, rect{0, 0, 700, 200}, false)
	if !found {
		t.Fatal("no ink")
	}
	var parts []int
	for i, p := range s.parts {
		if p.dark {
			parts = append(parts, i)
		}
	}
	var got []int
	for _, l := range s.rows(parts) {
		got = append(got, len(l.parts))
	}
	if want := []int{8, 6, 4}; !cmp.Equal(got, want) {
		t.Errorf("rows of %d parts, want %d", got, want)
	}

	places := []placed{{rect{0, 0, 100, 20}, 1}, {rect{0, 40, 100, 60}, 2}, {}, {rect{0, 100, 600, 120}, 3}}
	for _, c := range []struct {
		box  rect
		want int
	}{
		{rect{0, 20, 100, 40}, 1}, {rect{0, 70, 100, 90}, 2}, {rect{400, 0, 500, 10}, 0}, {rect{400, 30, 500, 40}, 1},
		{rect{400, 130, 500, 150}, 4}, {rect{700, 130, 800, 150}, 4},
	} {
		if got := after(places, c.box); got != c.want {
			t.Errorf("%v comes before line %d, want %d", c.box, got, c.want)
		}
	}
}

// In a language that the second recogniser does not read, a line is text where the first one sees letters clearly, as if there were no
// second one.
func TestBelievableWhereTheSecondDoesNotRead(t *testing.T) {
	line := lineOf("вивчення", "first", 0.5)
	for i := range line {
		line[i].prob = 0.98
	}
	for lang, want := range map[string]bool{"ukr": true, "ara": true, "kor": false, "eng": false, "jpn": false, "deu": false} {
		j := job{Reader: Reader{Second: []Scripted{deaf{}}}, heard: opinion{letters: notAsked, sure: 0.5},
			task: recognition.Task{Effort: recognition.EffortAccurate, Lang: []string{lang}}}
		if got := j.believable(strip{letter: 20, letters: len(line)}, line); got != want {
			t.Errorf("%s: got %t", lang, got)
		}
	}
}

// The line that letters of a word hang on is no rule in languages that have such lines; others are: lines that are longer, that letters
// stand on, that cross them out, and those of boxes for letters.
func TestHeadlines(t *testing.T) {
	const size, letters, x, y = 30, 7, 100, 60
	end := x + (letters-1)*size + 20
	for name, c := range map[string]struct {
		lang      string
		x1, x2, y int // of the line
		boxes     int // height of those that hang on it
		want      bool
	}{
		"a headline":         {"hin", x, end, y, 0, true},
		"of two languages":   {"eng+ben", x, end, y, 0, true},
		"of any language":    {"auto", x, end, y, 0, true},
		"in English":         {"eng", x, end, y, 0, false},
		"longer at an end":   {"hin", x, end + 100, y, 0, false},
		"above the letters":  {"hin", x, end, y - 12, 0, false},
		"an underline":       {"hin", x, end, y + size, 0, false},
		"struck out":         {"hin", x, end, y + size/2, 0, false},
		"boxes for letters":  {"hin", x - 8, end + 4, y - 10, 50, false},
		"boxes without feet": {"hin", x - 8, end + 4, y - 10, 44, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := blank(500, 160, 240)
			s.letters(x, y, letters, size, 20)
			s.fill(c.x1, c.y, c.x2, c.y+4, 20)
			for k := range letters + 1 {
				s.fill(x-8+k*size, c.y, x-8+k*size+3, c.y+c.boxes, 20)
			}
			if c.boxes == 50 {
				s.fill(c.x1, c.y+47, c.x2, c.y+50, 20)
			}
			v, err := viewOf(page{s}, document.Box{X1: 60, Y1: 30, X2: 480, Y2: 120})
			if err != nil {
				t.Fatal(err)
			}
			r := Reader{Tongues: []Tongue{{"Latin", []string{"eng"}}, {"Devanagari", []string{"hin"}}}}
			found := v.in(r.possible(strings.Split(c.lang, "+"))).scene()
			at := (c.y+1-v.box.Y1)*found.width + x + size - 4 - v.box.X1 // between two letters
			if got := found.ink[at] != 0; got != c.want {
				t.Errorf("the line is there: %t", got)
			}
		})
	}
}

// Marks below and above letters belong to their line, as vowels of Thai do. Small print is a line of its own.
func TestMarksOfLetters(t *testing.T) {
	const size, x, y, mark, near = 30, 100, 60, 14, 10
	for name, c := range map[string]struct {
		marks, step, y int // how many, from one to the next, and where
		lines          int
	}{
		"below":             {2, 3 * size, y + size + near, 1},
		"above":             {2, 3 * size, y - near - mark, 1},
		"further below":     {2, 3 * size, y + size + 2*near, 2},
		"further above":     {2, 3 * size, y - 2*near - mark, 2},
		"small print below": {5, 18, y + size + near, 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := blank(500, 180, 240)
			for k := range 7 {
				left := x + k*size
				s.fill(left, y, left+5, y+size, 20)
				if c.y > y { // most of the ink away from the marks, so that these are told from the letters
					s.fill(left, y, left+20, y+5, 20)
				} else {
					s.fill(left, y+size-5, left+20, y+size, 20)
				}
			}
			for k := range c.marks {
				s.fill(x+k*c.step, c.y, x+k*c.step+mark, c.y+mark, 20)
			}
			v, err := viewOf(page{s}, document.Box{X1: 60, Y1: 20, X2: 480, Y2: 140})
			if err != nil {
				t.Fatal(err)
			}
			if lines := v.scene().lines(); len(lines) != c.lines {
				t.Errorf("got %d lines, want %d", len(lines), c.lines)
			}
		})
	}
}

// A word whose letters run into each other stays dark on light, as the letters beside it do. The ground of light letters is higher.
func TestJoinedWords(t *testing.T) {
	const size, x, y = 12, 60, 60
	for name, c := range map[string]struct {
		letters int // beside it
		above   int // pixels of ground above and below the letters
		turned  bool
	}{
		"a word among letters": {8, 0, false},
		"a word beside two":    {2, 0, false},
		"a word by itself":     {0, 0, true},
		"a ground":             {8, 6, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := blank(500, 140, 240)
			s.letters(x, y, c.letters, size, 20)
			left := x + 9*size
			s.fill(left, y-c.above, left+80, y+size+c.above, 20)
			for k := range 6 { // what is left of the paper between letters
				s.fill(left+8+12*k, y+3, left+11+12*k, y+size-3, 240)
				s.fill(left+11+12*k, y+size-5, left+13+12*k, y+size-3, 240)
			}
			v, err := viewOf(page{s}, document.Box{X1: 40, Y1: 40, X2: 300, Y2: 100})
			if err != nil {
				t.Fatal(err)
			}
			found := v.scene()
			at := (y+1-v.box.Y1)*found.width + left + 5 - v.box.X1
			if got := found.ink[at] == 0; got != c.turned {
				t.Errorf("turned: %t", got)
			}
		})
	}
}
