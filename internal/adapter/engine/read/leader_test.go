package read

import (
	"testing"

	"glyphbox/internal/domain/document"
)

// Leaders are read as dots between a title and its number, whether they stand at the foot or at the middle. Other dots are no text.
func TestLeaders(t *testing.T) {
	const size = 20
	dots := func(s sheet, x, y, n, step int) {
		for i := range n {
			s.fill(x+i*step, y, x+i*step+4, y+4, 20)
		}
	}
	for _, c := range []struct {
		name string
		want string
		draw func(s sheet)
	}{
		{"at the foot", "LLL ............ LL", func(s sheet) { dots(s, 135, 96, 12, 10) }},
		{"close", "LLL ........................ LL", func(s sheet) { dots(s, 135, 96, 24, 5) }},
		{"at the middle", "LLL ········ LL", func(s sheet) { dots(s, 135, 88, 8, 15) }},
		{"with one that is lost", "LLL ............ LL", func(s sheet) { dots(s, 135, 96, 6, 10); dots(s, 205, 96, 5, 10) }},
		{"an underline", "LLLLL", func(s sheet) { dots(s, 60, 106, 22, 8) }},
		{"a screen", "LLLLL", func(s sheet) {
			for y := 66; y < 116; y += 8 {
				dots(s, 132, y, 15, 8)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := blank(400, 200, 240)
			s.letters(60, 80, 3, size, 20)
			s.letters(270, 80, 2, size, 20)
			c.draw(s)
			s.reads(t, &counter{}, document.Box{X1: 40, Y1: 60, X2: 360, Y2: 120}, c.want)
		})
	}
}

// Where there are very many dots they are not looked through for leaders, which would take seconds.
func TestVeryManyDots(t *testing.T) {
	rows := func(n int) *scene {
		s := scene{width: 700, height: 3 * n, letter: 20}
		for y := range n {
			for x := range 200 {
				s.parts = append(s.parts, part{x1: 3 * x, y1: 3*y + 1, x2: 3*x + 2, y2: 3*y + 3, area: 4, dark: true})
			}
		}
		return &s
	}
	looks := func(s *scene) float64 { return testing.AllocsPerRun(1, func() { s.leaders() }) }
	if few, many := looks(rows(50)), looks(rows(150)); many >= few {
		t.Errorf("%.0f allocations for 10,000 dots, %.0f for 30,000", few, many)
	}
}
