package layer

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"glyphbox/internal/domain/document"
)

// sheet is a page that a test writes on.
type sheet struct{ Page }

func newSheet(width, height int) *sheet {
	s := &sheet{Page{Width: width, Height: height, Gray: make([]byte, width*height)}}
	for i := range s.Gray {
		s.Gray[i] = 255
	}
	return s
}

func (s *sheet) fill(x1, y1, x2, y2 int, shade byte) {
	for y := max(y1, 0); y < min(y2, s.Height); y++ {
		for x := max(x1, 0); x < min(x2, s.Width); x++ {
			s.Gray[y*s.Width+x] = shade
		}
	}
}

// draw puts ink where a letter of that size may be.
func (s *sheet) draw(x, y, size int) {
	s.fill(x, y, x+size*6/10, y+size/8, 0)
	s.fill(x, y, x+size/8, y+size, 0)
	s.fill(x+size*3/10, y, x+size*3/10+size/8, y+size, 0)
}

// write writes a line from x, with y at its top. Its glyphs are as wide as 0.6 of their height.
func (s *sheet) write(x, y, size int, text string) { s.glyphs(x, y, size, text, true) }

func (s *sheet) glyphs(x, y, size int, text string, ink bool) {
	spaced, breaks := false, true
	for _, r := range text {
		if r == ' ' {
			spaced, x = true, x+size*6/10
			continue
		}
		if ink {
			s.draw(x, y, size)
		}
		s.Glyphs = append(s.Glyphs, Glyph{Text: string(r), X1: float64(x), Y1: float64(y), X2: float64(x + size*6/10),
			Y2:     float64(y + size),
			Spaced: spaced, Breaks: breaks})
		spaced, breaks, x = false, false, x+size*7/10
	}
}

func (s *sheet) all() document.Box { return document.Box{X2: s.Width, Y2: s.Height} }

func TestTextOfBoxes(t *testing.T) {
	s := newSheet(900, 300)
	s.write(20, 20, 20, "The first line")
	s.write(20, 60, 20, "대한민국 헌법 제1조")
	s.fill(10, 90, 800, 92, 0) // a rule
	s.write(20, 100, 20, "another")
	s.write(400, 100, 20, "cell")
	for _, c := range []struct {
		box  document.Box
		want string
	}{
		{s.all(), "The first line\n대한민국 헌법 제1조\nanother cell"},
		{document.Box{X1: 10, Y1: 50, X2: 300, Y2: 85}, "대한민국 헌법 제1조"},
		{document.Box{X1: 10, Y1: 55, X2: 85, Y2: 75}, "대한민국"},
		{document.Box{X1: 380, Y1: 95, X2: 500, Y2: 125}, "cell"},
		{document.Box{X1: 10, Y1: 200, X2: 500, Y2: 250}, ""},
		{document.Box{X1: 10, Y1: 12, X2: 500, Y2: 64}, "The first line"}, // touches the next one
	} {
		got, reason := s.Read(c.box)
		if got.Text != c.want || reason != "" {
			t.Errorf("%v: got %q, %s, want %q", c.box, got.Text, reason, c.want)
		}
		if words := strings.Fields(c.want); len(words) != len(got.Words) {
			t.Errorf("%v: got %+v", c.box, got.Words)
		}
	}
	got, _ := s.Read(document.Box{X1: 10, Y1: 95, X2: 300, Y2: 125})
	if w := got.Words[0]; w.Text != "another" || w.Box != (document.Box{X1: 20, Y1: 100, X2: 116, Y2: 120}) || w.Confidence != 1 ||
		w.Engine != Engine {
		t.Errorf("got %+v", w)
	}
}

// A box that cuts the lower part of a line off still has its commas.
func TestBoxesThatCutALine(t *testing.T) {
	s := newSheet(400, 60)
	s.write(20, 20, 20, "one")
	s.Glyphs = append(s.Glyphs, Glyph{Text: ",", X1: 64, Y1: 36, X2: 67, Y2: 44})
	s.fill(64, 36, 67, 44, 0)
	box := document.Box{X1: 10, Y1: 10, X2: 300, Y2: 36}
	got, reason := s.Read(box)
	if got.Text != "one," || len(got.Words) != 1 || got.Words[0].Box.Intersect(box) != got.Words[0].Box {
		t.Errorf("got %+v, %s", got, reason)
	}
}

// Rows are asked for before they are looked at, those of glyphs that reach out of a box included, and no others.
func TestRowsThatAreAskedFor(t *testing.T) {
	whole := newSheet(400, 300)
	whole.write(20, 40, 20, "a line above")
	whole.write(20, 100, 20, "and one below")
	for _, c := range []struct {
		box      document.Box
		from, to int
	}{{document.Box{X1: 10, Y1: 30, X2: 390, Y2: 70}, 30, 70}, {document.Box{X1: 10, Y1: 108, X2: 390, Y2: 112}, 98, 122},
		{document.Box{X1: 10, Y1: 200, X2: 390, Y2: 300}, 200, 300}} {
		part := &Page{Width: 400, Height: 300, Glyphs: whole.Glyphs, Gray: make([]byte, 400*300)} // all black
		part.Rows = func(from, to int) {
			if from != c.from || to != c.to {
				t.Errorf("%v: rows %d to %d, want %d to %d", c.box, from, to, c.from, c.to)
			}
			copy(part.Gray[from*400:to*400], whole.Gray[from*400:to*400])
		}
		want, why := whole.Read(c.box)
		if got, reason := part.Read(c.box); got.Text != want.Text || reason != why {
			t.Errorf("%v: got %q, %q, want %q, %q", c.box, got.Text, reason, want.Text, why)
		}
	}
}

func TestTextThatIsNotTrusted(t *testing.T) {
	line := document.Box{X1: 10, Y1: 10, X2: 600, Y2: 50}
	for name, c := range map[string]struct {
		change func(*sheet)
		want   string
	}{
		"as it is":     {func(*sheet) {}, ""},
		"a line below": {func(s *sheet) { s.fill(10, 45, 500, 47, 0) }, ""},
		"a frame": {func(s *sheet) {
			s.fill(10, 10, 600, 12, 0)
			s.fill(10, 48, 600, 50, 0)
			s.fill(10, 10, 12, 50, 0)
			s.fill(598, 10, 600, 50, 0)
		}, ""},
		"boxes to tick": {func(s *sheet) {
			for x := 400; x < 550; x += 30 {
				s.fill(x, 20, x+18, 38, 0)
				s.fill(x+2, 22, x+16, 36, 255)
			}
		}, ""},
		"a bar of another shade": {func(s *sheet) { s.fill(400, 15, 560, 45, 90) }, ""},
		"an unknown letter":      {func(s *sheet) { s.Glyphs[3].Text = "" }, Unmapped},
		"a private letter":       {func(s *sheet) { s.Glyphs[3].Text = "\ue123" }, Unmapped},
		"a control character":    {func(s *sheet) { s.Glyphs[3].Text = "\x05" }, Unmapped},
		"over a scan": {func(s *sheet) {
			for i := range s.Glyphs {
				s.Glyphs[i].Invisible = true
			}
		}, Invisible},
		"blackened": {func(s *sheet) { s.fill(60, 15, 130, 45, 0) }, Hidden},
		"whitened":  {func(s *sheet) { s.fill(60, 15, 130, 45, 255) }, Hidden},
		"a stamp": {func(s *sheet) {
			for x := 400; x < 500; x += 20 {
				s.draw(x, 18, 20)
			}
		}, Foreign},
		"light text on a bar": {func(s *sheet) {
			for i, v := range s.Gray {
				s.Gray[i] = 255 - v
			}
		}, ""},
		"no glyphs": {func(s *sheet) { s.Glyphs = nil }, NoText},
		"a photo": {func(s *sheet) {
			random := rand.New(rand.NewPCG(1, 1))
			for y := 10; y < 50; y++ {
				for x := 300; x < 600; x++ {
					s.Gray[y*s.Width+x] = byte(random.IntN(200))
				}
			}
		}, Foreign},
	} {
		s := newSheet(640, 60)
		s.write(20, 20, 20, "Total due 1,234")
		c.change(s)
		if got, reason := s.Read(line); reason != c.want || reason == "" && got.Text != "Total due 1,234" {
			t.Errorf("%s: got %q, %q, want %q", name, got.Text, reason, c.want)
		}
	}
}

// Columns of running text are read one after the other, with what stands over both in its place; a table is read row by row.
func TestOrderOfReading(t *testing.T) {
	s := newSheet(1400, 700)
	s.write(100, 10, 30, "A title that is as wide as both of the columns")
	var left, right []string
	for i := range 8 {
		left, right = append(left, fmt.Sprintf("left line of text number %d", i)),
			append(right, fmt.Sprintf("the right line numbered %d", i))
		s.write(20, 80+40*i, 24, left[i])
		s.write(720, 80+40*i, 24, right[i])
	}
	want := strings.Join(append(append([]string{"A title that is as wide as both of the columns"}, left...), right...), "\n")
	if got, reason := s.Read(s.all()); got.Text != want {
		t.Errorf("got %s\n%s", got.Text, reason)
	}
	table := newSheet(900, 400)
	want = ""
	for i := range 8 {
		table.write(20, 20+40*i, 24, fmt.Sprintf("item %d", i))
		table.write(400, 20+40*i, 24, fmt.Sprint(10*i))
		table.write(700, 20+40*i, 24, fmt.Sprint(1000+i))
		want += fmt.Sprintf("item %d %d %d\n", i, 10*i, 1000+i)
	}
	if got, reason := table.Read(table.all()); got.Text+"\n" != want {
		t.Errorf("got %s\n%s", got.Text, reason)
	}
}

// Text that is turned is read as it runs, and told so.
func TestTurnedText(t *testing.T) {
	for _, rotation := range []int{90, 180, 270} {
		s := newSheet(400, 200)
		s.write(20, 20, 20, "first line")
		s.write(20, 60, 20, "and another")
		turned := newSheet(200, 400)
		if rotation == 180 {
			turned = newSheet(400, 200)
		}
		for _, g := range s.Glyphs {
			b := document.Box{X1: int(g.X1), Y1: int(g.Y1), X2: int(g.X2), Y2: int(g.Y2)}.Turned(rotation, 400, 200)
			turned.draw(b.X1, b.Y1, 14)
			g.X1, g.Y1, g.X2, g.Y2, g.Angle = float64(b.X1), float64(b.Y1), float64(b.X2), float64(b.Y2), float64(rotation)
			if rotation == 270 {
				g.Angle = -90
			}
			turned.Glyphs = append(turned.Glyphs, g)
		}
		got, reason := turned.Read(turned.all())
		if got.Text != "first line\nand another" || got.Rotation != rotation {
			t.Errorf("turned by %d: got %q, %s, turned by %d", rotation, got.Text, reason, got.Rotation)
		}
	}
}

// Whatever the glyphs, there is an answer, and its boxes lie on the page.
func FuzzRead(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, a, b uint64) {
		random := rand.New(rand.NewPCG(a, b))
		s := newSheet(1+random.IntN(200), 1+random.IntN(200))
		for range random.IntN(300) {
			x, y := random.NormFloat64()*100, random.NormFloat64()*100
			s.fill(int(x), int(y), int(x)+random.IntN(20), int(y)+random.IntN(20), byte(random.IntN(256)))
			s.Glyphs = append(s.Glyphs, Glyph{Text: string(rune('a' + random.IntN(5))), X1: x, Y1: y, X2: x + random.Float64()*20, Y2: y +
				random.Float64()*20,
				Angle: random.Float64()*720 - 360, Spaced: random.IntN(4) == 0, Breaks: random.IntN(9) == 0})
		}
		box := document.Box{X1: random.IntN(s.Width), Y1: random.IntN(s.Height)}
		box.X2, box.Y2 = box.X1+1+random.IntN(s.Width-box.X1), box.Y1+1+random.IntN(s.Height-box.Y1)
		got, reason := s.Read(box)
		if n := len(strings.Fields(got.Text)); reason == "" && n != len(got.Words) {
			t.Errorf("%d words in the text, %d with boxes", n, len(got.Words))
		}
		for _, w := range got.Words {
			if w.Box.Empty() || w.Box.Intersect(s.all()) != w.Box {
				t.Errorf("%q at %v", w.Text, w.Box)
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	s := newSheet(2480, 3508)
	for i := range 50 {
		s.write(200, 200+60*i, 40, "Line of a page that a program has typeset, with words and numbers"[:60])
	}
	for name, box := range map[string]document.Box{"line": {X1: 180, Y1: 195, X2: 2300, Y2: 245}, "page": s.all()} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, reason := s.Read(box); reason != "" {
					b.Fatal(reason)
				}
			}
		})
	}
}
