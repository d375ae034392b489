package read

import (
	"testing"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// The box of a word is that of its ink, though its recogniser tells no more than about where its letters stand.
func TestBoxesOfWords(t *testing.T) {
	for _, c := range []struct {
		name   string
		shade  func(letter int) uint8 // of the ink
		noise  float64
		off    float64 // by how much the letters are said to stand to the right of their middles, in pixels
		turned int     // quarters
	}{
		{name: "black", shade: func(int) uint8 { return 10 }},
		{name: "told too far right", shade: func(int) uint8 { return 10 }, off: 8},
		{name: "too far left", shade: func(int) uint8 { return 10 }, off: -8},
		{name: "letters that fade", shade: func(letter int) uint8 { return uint8(20 + 24*letter) }},
		{name: "noise", shade: func(int) uint8 { return 60 }, noise: 12},
		{name: "on its side", shade: func(int) uint8 { return 10 }, turned: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := blank(300, 60, 240)
			var want []document.Box
			line := lineOf("SIX WORDS", "second", 0.99)
			x := 20
			for i := range line {
				if line[i].space {
					x += 15
				}
				b := s.letters(x, 20, 1, 24, c.shade(i))
				if i == 0 || line[i].space {
					want = append(want, b)
				}
				want[len(want)-1] = want[len(want)-1].Union(b)
				middle := float64(b.X1+b.X2)/2 + c.off
				line[i].x1, line[i].x2 = middle-2, middle+2
				x += 24
			}
			s.noise(c.noise)
			g := s.Gray.Turn((4 - c.turned) % 4)
			all := document.Box{X2: g.Width, Y2: g.Height}
			p := around(all, g.Width, g.Height).turned(c.turned)
			j := job{task: recognition.Task{Lang: []string{"eng"}}, piece: p}
			j.add(reading{strip{gray: s.Gray, paper: 240, letter: 24, ink: 24}, line, []string{"eng"}})
			for k, w := range j.words {
				box := w.Box
				if c.turned == 1 { // back to how it was drawn
					box = document.Box{X1: g.Height - box.Y2, Y1: box.X1, X2: g.Height - box.Y1, Y2: box.X2}
				}
				if near := grown(want[k], 1); box.Intersect(near) != box || box.Intersect(grown(want[k], -1)) != grown(want[k], -1) {
					t.Errorf("%q: got %v, want %v", w.Text, box, want[k])
				}
			}
			if len(j.words) != len(want) {
				t.Errorf("got %d words", len(j.words))
			}
		})
	}
}

// A word without ink stays where its letters were said to stand, and one does not take what stands far away.
func TestBoxesOfWordsWithoutInk(t *testing.T) {
	s := blank(300, 60, 240)
	s.letters(250, 20, 1, 24, 10)
	line := lineOf("AB", "second", 0.99)
	line[0].x1, line[0].x2, line[1].x1, line[1].x2 = 20, 30, 44, 54
	strip{gray: s.Gray, paper: 240, letter: 24, ink: 24}.bound(line)
	if line[0].x1 != 20 || line[1].x2 != 54 {
		t.Errorf("got %v", line)
	}
}
