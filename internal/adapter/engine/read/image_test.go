package read

import (
	"math/rand/v2"
	"testing"
)

func TestShrinkAveragesSquares(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, size := range [][2]int{{1, 1}, {1, 9}, {9, 1}, {2, 2}, {7, 5}, {8, 6}, {31, 64}} {
		g := newGray(size[0], size[1])
		for i := range g.Pix {
			g.Pix[i] = uint8(random.IntN(256))
		}
		for _, n := range []int{1, 2, 3, 5} {
			s := g.shrink(n)
			if s.Width != max(1, g.Width/n) || s.Height != max(1, g.Height/n) {
				t.Fatalf("%v by %d: %d × %d", size, n, s.Width, s.Height)
			}
			for y := range s.Height {
				for x := range s.Width {
					sum, count := 0, 0
					for dy := range min(n, g.Height) {
						for dx := range min(n, g.Width) {
							sum += int(g.Pix[(y*n+dy)*g.Width+x*n+dx])
							count++
						}
					}
					if want := uint8((sum + count/2) / count); s.Pix[y*s.Width+x] != want {
						t.Fatalf("%v by %d: pixel %d, %d is %d, want %d", size, n, x, y, s.Pix[y*s.Width+x], want)
					}
				}
			}
		}
	}
}

func BenchmarkHalved(b *testing.B) {
	g := newGray(2550, 3300)
	for b.Loop() {
		g.halved()
	}
}

// What is near ink is within two pixels of it, by each axis for itself, whatever the width.
func TestNearInk(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for width := 1; width < 40; width++ {
		s := &scene{width: width, height: 6, ink: make([]uint8, 6*width)}
		for i := range s.ink {
			s.ink[i] = uint8(random.IntN(12) / 11)
		}
		near := nearInk(s.ink, s.width, s.height)
		for y := range s.height {
			for x := range width {
				want := uint8(0)
				for v := max(0, y-2); v <= min(s.height-1, y+2); v++ {
					for u := max(0, x-2); u <= min(width-1, x+2); u++ {
						want |= s.ink[v*width+u]
					}
				}
				if got := near[y*width+x]; got != want {
					t.Fatalf("width %d: pixel %d,%d is %d, want %d", width, x, y, got, want)
				}
			}
		}
	}
}

func BenchmarkNearInk(b *testing.B) {
	s := &scene{width: 1275, height: 1650, ink: make([]uint8, 1275*1650)}
	for b.Loop() {
		nearInk(s.ink, s.width, s.height)
	}
}

// Strokes are filled, also where they are cut off; the edge of a dark area stays where it is.
func TestClosed(t *testing.T) {
	g, want := newGray(60, 40), newGray(60, 40)
	for i := range g.Pix {
		x, y := i%60, i/60
		g.Pix[i] = 200
		if 2*x+y > 90 {
			g.Pix[i] = 120
		}
		want.Pix[i] = g.Pix[i]
		if x >= 10 && x < 14 && y > 5 || y >= 20 && y < 23 && x < 25 || y >= 38 && x < 20 {
			g.Pix[i] = 40
		}
	}
	got := g.closed(12)
	for i, v := range got.Pix {
		if x, y := i%60, i/60; v != want.Pix[i] && y > 6 && y < 34 {
			t.Fatalf("pixel %d, %d is %d, want %d", x, y, v, want.Pix[i])
		}
	}
	if v := got.Pix[38*60+5]; v != 200 {
		t.Errorf("what is cut off at the edge is %d, want 200", v)
	}
}

// Soft noise, whose neighbours are alike, is measured by pixels that are further apart.
func TestNoiseThatIsSoft(t *testing.T) {
	s := blank(300, 200, 200)
	s.noise(12)
	soft := s.smooth() // a third of the deviation
	if n := soft.noise(3); n < 3 || n > 5 {
		t.Errorf("got a deviation of %.1f, want 4", n)
	}
}

// Each pixel is the lightest of its square, whatever the width.
func TestLightest(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for width := 1; width < 40; width++ {
		g := newGray(width, 9)
		for i := range g.Pix {
			g.Pix[i] = uint8(random.IntN(256))
		}
		for n := 1; n <= min(width, g.Height); n++ {
			got := g.lightest(n)
			for y := range got.Height {
				for x := range got.Width {
					want := uint8(0)
					for v := y; v < y+n; v++ {
						for u := x; u < x+n; u++ {
							want = max(want, g.row(v)[u])
						}
					}
					if v := got.row(y)[x]; v != want {
						t.Fatalf("width %d, squares of %d: pixel %d,%d is %d, want %d", width, n, x, y, v, want)
					}
				}
			}
		}
	}
}
