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
