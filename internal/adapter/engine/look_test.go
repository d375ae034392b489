package engine

import (
	"testing"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
	"glyphbox/internal/porttest"
)

// A region that cuts the edges of its line by a pixel or two reads as if it did not, and words stay inside it.
func TestARegionThatCutsItsLine(t *testing.T) {
	p := start(t)
	lines := []string{"Physics of gravity", "Quality jumping gym"}
	drawn, boxes := porttest.DrawLines(lines...)
	file := porttest.PageOf(porttest.PNG(drawn))
	for i, b := range boxes {
		ink := inked(t, p, file, b)
		for cut := range 3 {
			region := document.Box{X1: ink.X1, Y1: ink.Y1 + cut, X2: ink.X2, Y2: ink.Y2 - cut}
			readings, err := p.Recognize(t.Context(), orderOf(file, region))
			if err != nil || readings[0].Text != lines[i] {
				t.Errorf("cut by %d: got %q, %v, want %q", cut, readings[0].Text, err, lines[i])
				continue
			}
			for _, w := range readings[0].Words {
				if w.Box.Intersect(region) != w.Box {
					t.Errorf("cut by %d: %q stands at %v, outside of %v", cut, w.Text, w.Box, region)
				}
			}
		}
	}
}

// inked is the box of the words of a region.
func inked(t *testing.T, p *Engine, page document.Page, region document.Box) (ink document.Box) {
	t.Helper()
	readings, err := p.Recognize(t.Context(), orderOf(page, region))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range readings[0].Words {
		ink = ink.Union(w.Box)
	}
	return ink
}

// The boxes of words begin and end where their ink does, whoever has read them.
func TestBoxesAreThoseOfTheInk(t *testing.T) {
	p := start(t)
	drawn, boxes := porttest.DrawLines("Offset WATER jumping 39.80")
	var ink []document.Box // of the words, which are 10 pixels or more apart
	for x := boxes[0].X1; x < boxes[0].X2; x++ {
		for y := boxes[0].Y1; y < boxes[0].Y2; y++ {
			if r, _, _, _ := drawn.At(x, y).RGBA(); r >= 0x8000 {
				continue
			}
			pixel := document.Box{X1: x, Y1: y, X2: x + 1, Y2: y + 1}
			if n := len(ink) - 1; n >= 0 && x-ink[n].X2 < 8 {
				ink[n] = ink[n].Union(pixel)
			} else {
				ink = append(ink, pixel)
			}
		}
	}
	o := orderOf(porttest.PageOf(porttest.PNG(drawn)), boxes[0])
	for _, effort := range recognition.Efforts {
		o.Tasks[0].Effort = effort
		readings, err := p.Recognize(t.Context(), o)
		if err != nil || len(readings[0].Words) != len(ink) {
			t.Fatalf("%s: got %+v, %v", effort, readings, err)
		}
		for i, w := range readings[0].Words {
			for _, off := range []int{w.Box.X1 - ink[i].X1, w.Box.Y1 - ink[i].Y1, w.Box.X2 - ink[i].X2, w.Box.Y2 - ink[i].Y2} {
				if off < -1 || off > 1 {
					t.Errorf("%s: %q stands at %v, its ink at %v", effort, w.Text, w.Box, ink[i])
				}
			}
		}
	}
}
