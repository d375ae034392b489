package read

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"

	"github.com/google/go-cmp/cmp"
)

// text draws a line of words of three to seven letters, the space of one letter apart, from x to x2 at the most, and returns how many
// letters there are.
func (s sheet) text(x, y, x2, size int) (letters int) {
	for n := y % 5; x+3*size <= x2; n += 2 {
		word := min(3+n%5, (x2-x)/size)
		s.letters(x, y, word, size, 20)
		letters, x = letters+word, x+(word+1)*size
	}
	return letters
}

// paragraph draws lines of such words, the last one shorter, and returns how many letters each of them has.
func (s sheet) paragraph(x, y, x2, size, leading, lines int) (letters []int) {
	for i := range lines {
		right := x2
		if i == lines-1 {
			right = (x + x2) / 2
		}
		letters = append(letters, s.text(x, y+i*leading, right, size))
	}
	return letters
}

// Each line of a block is read by itself, in the order of reading.
func TestLinesOfABlock(t *testing.T) {
	const size = 16
	all := document.Box{X1: 20, Y1: 20, X2: 880, Y2: 580}
	for _, c := range []struct {
		name string
		draw func(s sheet) (want []int, region document.Box)
	}{
		{"narrow leading", func(s sheet) ([]int, document.Box) {
			return s.paragraph(60, 60, 800, size, size+5, 12), all
		}},
		{"wide leading", func(s sheet) ([]int, document.Box) {
			return s.paragraph(60, 60, 800, size, 3*size, 8), all
		}},
		{"letters that touch the edge", func(s sheet) ([]int, document.Box) {
			want := s.paragraph(60, 60, 800, size, size+7, 6)
			return want, document.Box{X1: 60, Y1: 60, X2: 790, Y2: 60 + 5*(size+7) + size}
		}},
		{"half of a line above and below", func(s sheet) ([]int, document.Box) {
			want := s.paragraph(60, 60, 800, size, size+7, 6)
			return want[1:5], document.Box{X1: 50, Y1: 60 + 2*size/3, X2: 800, Y2: 60 + 5*(size+7) + size/3}
		}},
		{"in a frame", func(s sheet) ([]int, document.Box) {
			s.frame(document.Box{X1: 50, Y1: 50, X2: 830, Y2: 300}, 2, 20)
			return s.paragraph(60, 60, 800, size, size+8, 9), all
		}},
		{"under a heading of twice the size", func(s sheet) ([]int, document.Box) {
			heading := s.text(60, 40, 800, 2*size)
			return append([]int{heading}, s.paragraph(60, 110, 800, size, size+8, 9)...), all
		}},
		{"a table with rules", func(s sheet) (want []int, _ document.Box) {
			for row := range 20 {
				y := 60 + row*(size+8)
				n := s.text(60, y, 360, size)
				for column := range 4 {
					n += s.text(410+column*110, y, 510+column*110, size)
				}
				want = append(want, n)
				s.fill(50, y-5, 840, y-4, 20)
			}
			s.fill(50, 60+20*(size+8)-5, 840, 60+20*(size+8)-4, 20)
			for _, x := range []int{50, 400, 510, 620, 730, 840} {
				s.fill(x, 55, x+1, 60+20*(size+8)-4, 20)
			}
			return want, all
		}},
		{"a mesh with few words", func(s sheet) (want []int, _ document.Box) {
			for row := range 21 {
				s.fill(50, 55+row*(size+8), 840, 56+row*(size+8), 20)
			}
			for column := range 12 {
				x := 50 + column*71
				s.fill(x, 55, x+2, 56+20*(size+8), 20)
			}
			for row := range 3 {
				want = append(want, s.text(60, 60+row*(size+8), 118, size)+s.text(202, 60+row*(size+8), 260, size))
			}
			return want, all
		}},
		{"a table without rules", func(s sheet) (want []int, _ document.Box) {
			for row := range 12 {
				y := 60 + row*(size+8)
				n := s.text(60, y, 240+row%3*90, size)
				for column := range 4 {
					n += s.text(450+column*110, y, 540+column*110, size)
				}
				want = append(want, n)
			}
			return want, all
		}},
		{"two columns with lines beside each other", func(s sheet) ([]int, document.Box) {
			left, right := s.paragraph(40, 60, 430, size, size+8, 12), s.paragraph(480, 60, 870, size, size+8, 12)
			return append(left, right...), all
		}},
		{"two columns of different leading under a heading", func(s sheet) ([]int, document.Box) {
			heading := []int{s.text(40, 40, 860, size+4)}
			left, right := s.paragraph(40, 100, 430, size, size+8, 12), s.paragraph(480, 105, 870, size, size+11, 10)
			return append(append(heading, left...), right...), all
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := blank(1200, 900, 240)
			want, region := c.draw(s)
			got, err := Reader{Engine: &counter{}}.Read(page{s}, recognition.Task{Box: region, Lang: []string{"eng"},
				Rotate: recognition.Rotate0})
			if err != nil {
				t.Fatal(err)
			}
			var letters []int
			for line := range strings.Lines(got.Text) {
				line = strings.TrimSpace(line)
				letters = append(letters, len(line))
				if strings.Trim(line, "L") != "" {
					t.Errorf("line %d is %q, want letters that are whole", len(letters), line)
				}
			}
			if diff := cmp.Diff(want, letters); diff != "" {
				t.Errorf("letters of each line (-want +got):\n%s", diff)
			}
			if got.Shape != recognition.ShapeBlock {
				t.Errorf("shape %d, want a block", got.Shape)
			}
		})
	}
}

// Syllables whose parts are all much lower than they are, such as 장, stand in one line each.
func TestLinesOfSyllables(t *testing.T) {
	s := blank(400, 200, 240)
	region := document.Box{X1: 30, Y1: 30, X2: 250, Y2: 150}
	for row := range 3 {
		for i := range 5 {
			x, y := 40+42*i, 40+40*row
			s.letters(x+2, y, 1, 18, 20)                                                // 자
			s.frame(document.Box{X1: x + 4, Y1: y + 21, X2: x + 18, Y2: y + 30}, 3, 20) // ㅇ
		}
	}
	for lines := range 3 {
		region.Y2 = 75 + 40*lines
		v, err := viewOf(page{s}, region)
		if err != nil {
			t.Fatal(err)
		}
		if found := v.scene().lines(); len(found) != lines+1 {
			t.Errorf("got %d lines, want %d: %+v", len(found), lines+1, found)
		}
	}
}

// Bold letters with holes are no ground of light letters.
func TestLettersWithHolesStayDark(t *testing.T) {
	for _, size := range []int{11, 16, 24, 40} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			s := blank(40*size, 6*size, 240)
			s.letters(size, 2*size, 20, size, 20)
			bar := max(2, size/5)
			for i := range 4 { // like 4, two and two of them joined
				x, y := 24*size+i*size+i/2*size, 2*size
				s.fill(x+size-2*bar, y, x+size, y+size, 20)
				s.fill(x, y+size-2*bar, x+size, y+size-bar, 20)
				for v := range size - bar { // the stroke that slants
					left := x + (size-2*bar)*(size-bar-v)/(size-bar)
					s.fill(left, y+v, left+bar, y+v+1, 20)
				}
			}
			v, err := viewOf(page{s}, document.Box{X1: size / 2, Y1: size, X2: 36 * size, Y2: 4 * size})
			if err != nil {
				t.Fatal(err)
			}
			found := v.scene()
			if found == nil {
				t.Fatal("no ink was found")
			}
			if !bytes.Equal(v.gray.Pix, found.gray.Pix) {
				t.Error("shades were changed")
			}
		})
	}
}

// A bold figure that fills its box as much as a ground does is none.
func TestBoldFiguresStayDark(t *testing.T) {
	s := blank(240, 80, 240)
	s.letters(40, 30, 4, 20, 20)
	s.fill(130, 30, 143, 50, 20) // like 8
	s.fill(134, 34, 138, 37, 240)
	s.fill(134, 42, 138, 46, 240)
	for _, x := range []int{130, 141} {
		s.fill(x, 30, x+2, 32, 240)
		s.fill(x, 48, x+2, 50, 240)
	}
	v, err := viewOf(page{s}, document.Box{X1: 30, Y1: 20, X2: 160, Y2: 60})
	if err != nil {
		t.Fatal(err)
	}
	if found := v.scene(); found == nil || !bytes.Equal(v.gray.Pix, found.gray.Pix) {
		t.Error("shades were changed")
	}
}

// Two light letters on a dark cell are found, on whichever side the cell goes on and some paper lies on the other.
func TestLettersOnCellThatGoesOn(t *testing.T) {
	const size = 18
	for _, c := range []struct {
		name           string
		x1, y1, x2, y2 int // of the dark cell
	}{
		{"right", 36, 28, 200, 70},
		{"left", 0, 28, 84, 70},
		{"down", 36, 28, 84, 120},
		{"up", 36, 0, 84, 70},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := blank(200, 120, 250)
			s.fill(c.x1, c.y1, c.x2, c.y2, 90)
			s.fill(c.x1, c.y2, c.x1+1, min(120, c.y2+20), 90) // a rule of the table that hangs on it
			box := s.letters(44, 40, 2, size, 245)
			v, err := viewOf(page{s}, document.Box{X1: 34, Y1: 30, X2: 86, Y2: 68})
			if err != nil {
				t.Fatal(err)
			}
			found := v.scene()
			if found == nil || found.letter < 0.8*size || found.letter > 1.2*size {
				t.Fatalf("no letters of the size of %v were found: %+v", box, found)
			}
			if lines := found.lines(); len(lines) != 1 || len(lines[0].parts) != 2 {
				t.Errorf("got %+v, want a line of two letters", lines)
			}
		})
	}
}

// reads checks what fast reads of a box of a sheet.
func (s sheet) reads(t *testing.T, e Engine, box document.Box, want string) {
	t.Helper()
	read, err := Reader{Engine: e}.Read(page{s}, recognition.Task{Box: box, Lang: []string{"eng"}, Effort: recognition.EffortFast})
	if err != nil || read.Text != want {
		t.Errorf("%q, %v, want %q", read.Text, err, want)
	}
}

// Blanks to be filled in are read where they were typed, as underscores with gaps between them; rules and underlines are no text.
func TestTypedBlanks(t *testing.T) {
	const size = 20
	underscores := func(s sheet, x, y, n, step, gap int) int {
		for i := range n {
			s.fill(x+i*step, y, x+(i+1)*step-gap, y+2, 20)
		}
		return x + n*step
	}
	for _, c := range []struct {
		name string
		want string
		draw func(s sheet)
	}{
		{"typed", "LLL_______L", func(s sheet) {
			s.letters(60, 80, 3, size, 20)
			s.letters(underscores(s, 118, 102, 7, 14, 2), 80, 1, size, 20)
		}},
		{"two, with spaces around", "LL ____ LL ____", func(s sheet) {
			s.letters(60, 80, 2, size, 20)
			s.letters(underscores(s, 115, 102, 4, 15, 1)+20, 80, 2, size, 20)
			underscores(s, 250, 102, 4, 15, 1)
		}},
		{"a rule", "LLL", func(s sheet) {
			s.letters(60, 80, 3, size, 20)
			s.fill(120, 102, 300, 104, 20)
		}},
		{"a broken rule", "LLL", func(s sheet) {
			s.letters(60, 80, 3, size, 20)
			s.fill(120, 102, 190, 104, 20)
			s.fill(193, 102, 220, 104, 20)
			s.fill(224, 102, 300, 104, 20)
		}},
		{"a piece of a rule that falls", "LLL", func(s sheet) {
			s.letters(60, 80, 3, size, 20)
			x := underscores(s, 120, 102, 4, 14, 2)
			s.fill(x, 104, 300, 106, 20)
		}},
		{"goes on outside", "LLL", func(s sheet) {
			s.letters(260, 80, 3, size, 20)
			underscores(s, 322, 102, 4, 15, 2)
		}},
		{"text that stands on underscores", "LLLLLL", func(s sheet) {
			s.letters(60, 80, 6, size, 20)
			underscores(s, 60, 108, 8, 15, 2)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := blank(400, 200, 240)
			c.draw(s)
			s.reads(t, &counter{}, document.Box{X1: 40, Y1: 60, X2: 360, Y2: 120}, c.want)
		})
	}
}

// An empty box to be ticked is a character of the line beside it. What is no box, or not empty, or far away, is none.
func TestTickBoxes(t *testing.T) {
	const size = 20
	box := func(s sheet, x, y, width, height, thick int) {
		s.frame(document.Box{X1: x, Y1: y, X2: x + width, Y2: y + height}, thick, 20)
	}
	stroke := func(s sheet, x1, y1, x2, y2 int) {
		for i := range 41 {
			x, y := x1+(x2-x1)*i/40, y1+(y2-y1)*i/40
			s.fill(x, y, x+2, y+2, 20)
		}
	}
	for _, c := range []struct {
		name string
		want string
		draw func(s sheet)
	}{
		{"before", "☐ LLL", func(s sheet) { box(s, 95, 79, 22, 22, 2) }},
		{"thin and large", "☐ LLL", func(s sheet) { box(s, 70, 70, 40, 40, 1) }},
		{"thick and small", "☐ LLL", func(s sheet) { box(s, 95, 82, 17, 16, 4) }},
		{"with a faint side", "☐ LLL", func(s sheet) {
			box(s, 95, 79, 22, 22, 2)
			s.fill(95, 81, 97, 99, 150)
		}},
		{"behind", "LLL ☐", func(s sheet) { box(s, 215, 79, 22, 22, 2) }},
		{"at both ends", "☐ LLL ☐", func(s sheet) {
			box(s, 95, 79, 22, 22, 2)
			box(s, 215, 79, 22, 22, 2)
		}},
		{"ticked", "☑ LLL", func(s sheet) {
			box(s, 92, 77, 25, 25, 2)
			stroke(s, 97, 90, 102, 96)
			stroke(s, 102, 96, 111, 82)
		}},
		{"ticked, joined to a side", "☑ LLL", func(s sheet) {
			box(s, 92, 77, 25, 25, 2)
			stroke(s, 97, 90, 102, 98)
			stroke(s, 102, 98, 113, 80)
		}},
		{"with a V in it", "LLL?", func(s sheet) {
			box(s, 92, 77, 25, 25, 2)
			stroke(s, 97, 82, 104, 96)
			stroke(s, 104, 96, 111, 82)
		}},
		{"with a slanting stroke in it", "LLL?", func(s sheet) {
			box(s, 92, 77, 25, 25, 2)
			stroke(s, 97, 96, 111, 82)
		}},
		{"with an X in it", "LLL?", func(s sheet) {
			box(s, 92, 77, 25, 25, 2)
			stroke(s, 97, 82, 111, 96)
			stroke(s, 97, 96, 111, 82)
		}},
		{"three sides", "?LLL", func(s sheet) {
			box(s, 95, 79, 22, 22, 2)
			s.fill(97, 79, 115, 81, 240)
		}},
		{"with a round corner", "?LLL", func(s sheet) {
			box(s, 95, 79, 22, 22, 2)
			s.fill(111, 79, 117, 85, 240)
		}},
		{"as close as a letter", "?LLL", func(s sheet) { box(s, 103, 79, 22, 22, 2) }},
		{"far away", "LLL", func(s sheet) { box(s, 340, 79, 22, 22, 2) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := blank(400, 200, 240)
			s.letters(130, 80, 3, size, 20)
			c.draw(s)
			s.reads(t, &counter{unknown: 0.9}, document.Box{X1: 40, Y1: 60, X2: 380, Y2: 120}, c.want)
		})
	}
	for want, line := range map[string]string{"☐": "Yes", "□": "동의함"} {
		if got := (typed{}).box([]letter{{text: line}}, []string{"eng", "kor"}); got != want {
			t.Errorf("beside %s: %s, want %s", line, got, want)
		}
	}
	s := blank(400, 200, 240)
	s.letters(130, 80, 3, size, 20)
	box(s, 95, 79, 22, 22, 2)
	read, err := Reader{Engine: &counter{}}.Read(page{s}, recognition.Task{Box: document.Box{X1: 40, Y1: 60, X2: 380, Y2: 120},
		Lang: []string{"eng"}, Effort: recognition.EffortFast, Charset: "LT"})
	if err != nil || read.Text != "LLL" {
		t.Errorf("with a charset: %q, %v", read.Text, err)
	}
}

// A colon that stands apart belongs to its line, however faint it is; what the region does not hold does not.
func TestMarksApart(t *testing.T) {
	const size = 20
	for _, c := range []struct {
		name   string
		x      int // of the mark
		side   int // of its dots
		shade  uint8
		x1, x2 int // of the line that is cut out, without its margin
	}{
		{"dark", 160, 3, 20, 60, 163},
		{"faint", 160, 3, 150, 60, 163},
		{"before the line", 30, 3, 150, 30, 113},
		{"a speck", 160, 1, 150, 60, 113},
		{"too far away", 185, 3, 20, 60, 113},
		{"outside of the region", 250, 3, 20, 60, 113},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := blank(400, 200, 240)
			s.letters(60, 80, 3, size, 20)
			s.fill(c.x, 86, c.x+c.side, 86+c.side, c.shade)
			if c.side > 1 {
				s.fill(c.x, 94, c.x+c.side, 94+c.side, c.shade)
			}
			v, err := viewOf(page{s}, document.Box{X1: 20, Y1: 70, X2: 230, Y2: 110})
			if err != nil {
				t.Fatal(err)
			}
			lines := v.scene().lines()
			if len(lines) != 1 {
				t.Fatalf("%d lines", len(lines))
			}
			if x1, x2 := int(lines[0].x1)+v.box.X1, int(lines[0].x2)+v.box.X1; x1 != c.x1 || x2 != c.x2 {
				t.Errorf("a line from %d to %d, want %d to %d", x1, x2, c.x1, c.x2)
			}
		})
	}
}

// hasty is an engine that reads only the top of a page.
type hasty struct{ counter }

func (h *hasty) Read(g Gray, q Query) (Answer, error) {
	if q.Shape == recognition.ShapePage {
		g = g.crop(0, 0, g.Width, 100)
	}
	return h.counter.Read(g, q)
}

// Lines of a page that the engine passes over are read by themselves, but for pictures, of which little is tried.
func TestLinesThatThePageLacks(t *testing.T) {
	const lines = 8
	for name, c := range map[string]struct {
		draw   func(s sheet, y int)
		images int // at most: the page, lines, and rows beside them
		want   int // lines of text
	}{
		"text": {func(s sheet, y int) { s.letters(60, y, 20, 16, 20) }, 1 + probes*len(looks) + lines, lines},
		"picture": {func(s sheet, y int) {
			for x := 60; x < 400; x += 40 {
				s.fill(x, y, x+20, y+16, 20)
			}
		}, 1 + (probes+picture)*len(looks), 1},
	} {
		s := blank(600, 500, 240)
		s.letters(60, 50, 20, 16, 20)
		for i := 1; i < lines; i++ {
			c.draw(s, 50+50*i)
		}
		engine := &hasty{}
		got, err := Reader{Engine: engine}.Read(page{s}, recognition.Task{Box: document.Box{X2: 600, Y2: 500}, Lang: []string{"eng"},
			Effort: recognition.EffortFast, Rotate: recognition.Rotate0})
		if n := len(strings.Fields(got.Text)); err != nil || n != c.want || got.Shape != recognition.ShapePage {
			t.Errorf("%s: got %q, %v, shape %d, want %d lines of a page", name, got.Text, err, got.Shape, c.want)
		}
		if engine.images > c.images {
			t.Errorf("%s: the engine was asked %d times, want at most %d", name, engine.images, c.images)
		}
	}
}
