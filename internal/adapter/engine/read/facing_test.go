package read

import (
	"testing"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// Crosses read the same whichever way up they are: what the lines of the page tell counts, whether it was asked before or not. A line that
// tells it by itself stays as it is.
func TestRegionsAreTurnedAsThePageIs(t *testing.T) {
	s := blank(700, 400, 240)
	for y := 40; y < 280; y += 40 {
		s.letters(40, y, 14, 20, 20)
	}
	crosses := document.Box{X1: 500, Y1: 110, X2: 572, Y2: 130}
	for x := crosses.X1; x < crosses.X2; x += 26 {
		s.fill(x+8, crosses.Y1, x+12, crosses.Y2, 20)
		s.fill(x, crosses.Y1+8, x+20, crosses.Y1+12, 20)
	}
	crosses = grown(crosses, 4)
	for quarters, box := range []document.Box{
		crosses,
		{X1: 400 - crosses.Y2, Y1: crosses.X1, X2: 400 - crosses.Y1, Y2: crosses.X2},
		{X1: 700 - crosses.X2, Y1: 400 - crosses.Y2, X2: 700 - crosses.X1, Y2: 400 - crosses.Y1},
		{X1: crosses.Y1, Y1: 700 - crosses.X2, X2: crosses.Y2, Y2: 700 - crosses.X1},
	} {
		turned := sheet{s.Turn(quarters)}
		upright := grown(turned.letters(60, turned.Height-30, 5, 20, 20), 4)
		r := Reader{Engine: &counter{}, Facings: Facings{}}
		rotation := func(r Reader, b document.Box) int {
			t.Helper()
			got, err := r.Read(page{turned}, recognition.Task{Box: b, Lang: []string{"eng"}, Effort: recognition.EffortFast,
				Rotate: recognition.RotateAuto})
			if err != nil {
				t.Fatal(err)
			}
			return got.Rotation
		}
		if got := rotation(Reader{Engine: &counter{}}, box); got != 90*quarters {
			t.Errorf("on a page turned by %d quarters: %d, by itself", quarters, got)
		}
		if got := rotation(r, upright); got != 0 {
			t.Errorf("on a page turned by %d quarters a line that is upright is turned by %d", quarters, got)
		}
		for range 2 {
			if got := rotation(r, box); got != 90*quarters {
				t.Errorf("on a page turned by %d quarters: %d", quarters, got)
			}
		}
		if len(r.Facings) != 1 {
			t.Errorf("the page was asked %d times", len(r.Facings))
		}
	}
}

// Letters one below another look like a line that runs up. They are read as the lines of the page run first, and no other way then.
func TestColumnOfLettersIsReadAsThePageIs(t *testing.T) {
	s := blank(700, 400, 240)
	for y := 40; y < 280; y += 40 {
		s.letters(40, y, 14, 20, 20)
	}
	column := document.Box{X1: 500, Y1: 40, X2: 514, Y2: 40}
	for ; column.Y2 < 340; column.Y2 += 40 {
		s.letters(column.X1, column.Y2, 1, 20, 20)
	}
	e := &counter{}
	r := Reader{Engine: e, Facings: Facings{}}
	task := recognition.Task{Box: grown(column, 4), Lang: []string{"eng"}, Effort: recognition.EffortFast, Rotate: recognition.RotateAuto}
	if _, err := r.Read(page{s}, task); err != nil { // asks the page
		t.Fatal(err)
	}
	e.images = 0
	got, err := r.Read(page{s}, task)
	if err != nil {
		t.Fatal(err)
	}
	if got.Rotation != 0 || e.images > probes {
		t.Errorf("turned by %d, at %d looks", got.Rotation, e.images)
	}
}

// doubtful is sure of nothing.
type doubtful struct{ counter }

func (f *doubtful) Read(g Gray, q Query) (Answer, error) {
	a, err := f.counter.Read(g, q)
	for i := range a.Symbols {
		a.Symbols[i].Confidence *= 0.78
		a.Symbols[i].Word *= 0.78
	}
	return a, err
}

// Of faint print two lines tell which way up a page is, where one does not.
func TestFacingOfFaintPages(t *testing.T) {
	for _, c := range []struct{ lines, want int }{{1, unknown}, {2, 0}, {3, 0}} {
		s := blank(700, 400, 240)
		for n := range c.lines {
			s.letters(40, 40+40*n, 14, 20, 20)
		}
		for quarters := range 4 {
			want := c.want
			if want != unknown {
				want = (4 - quarters) % 4
			}
			j := job{Reader: Reader{Engine: &doubtful{}}, task: recognition.Task{Lang: []string{"eng"}, Effort: recognition.EffortFast}}
			if got, err := j.facing(page{sheet{s.Turn(quarters)}}); err != nil || got != want {
				t.Errorf("%d lines turned by %d quarters: got %d, %v, want %d", c.lines, quarters, got, err, want)
			}
		}
	}
}
