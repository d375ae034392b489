package engine

import (
	"testing"

	"glyphbox/internal/domain/document"
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
