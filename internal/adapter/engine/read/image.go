package read

import (
	"encoding/binary"
	"math"
)

// newGray is an image of zeros.
func newGray(width, height int) Gray {
	return Gray{Pix: make([]uint8, width*height), Width: width, Height: height}
}

// row is one row of the pixels.
func (g Gray) row(y int) []uint8 { return g.Pix[y*g.Width : (y+1)*g.Width] }

func (g Gray) clone() Gray {
	return Gray{Pix: append([]uint8(nil), g.Pix...), Width: g.Width, Height: g.Height}
}

// Colour is the image with each shade as a colour.
func (g Gray) Colour() RGB {
	c := RGB{Pix: make([]uint8, 3*len(g.Pix)), Width: g.Width, Height: g.Height}
	for i, v := range g.Pix {
		c.Pix[3*i], c.Pix[3*i+1], c.Pix[3*i+2] = v, v, v
	}
	return c
}

// Turn is the image turned clockwise by quarters of a circle.
func (g Gray) Turn(quarters int) Gray {
	switch quarters & 3 {
	case 1:
		t := newGray(g.Height, g.Width)
		for y := range g.Height {
			x := g.Height - 1 - y
			for i, v := range g.row(y) {
				t.Pix[i*t.Width+x] = v
			}
		}
		return t
	case 2:
		t := newGray(g.Width, g.Height)
		last := len(t.Pix) - 1
		for i, v := range g.Pix {
			t.Pix[last-i] = v
		}
		return t
	case 3:
		t := newGray(g.Height, g.Width)
		for y := range g.Height {
			for x, v := range g.row(y) {
				t.Pix[(g.Width-1-x)*t.Width+y] = v
			}
		}
		return t
	}
	return g
}

// shrink averages squares of n by n pixels into one. What does not fill a square at the right and lower edge is left out.
func (g Gray) shrink(n int) Gray {
	switch {
	case n <= 1:
		return g
	case n == 2 && g.Width > 1 && g.Height > 1:
		return g.halved()
	}
	s := newGray(max(1, g.Width/n), max(1, g.Height/n))
	sums := make([]uint32, s.Width)
	for y := range s.Height {
		clear(sums)
		for dy := range min(n, g.Height) {
			row := g.row(y*n + dy)
			for x := range sums {
				at := x * n
				for _, v := range row[at:min(at+n, len(row))] {
					sums[x] += uint32(v)
				}
			}
		}
		area := uint32(min(n, g.Width) * min(n, g.Height))
		for x, sum := range sums {
			s.Pix[y*s.Width+x] = uint8((sum + area/2) / area)
		}
	}
	return s
}

// halved is the image shrunk by 2, as most pages are.
func (g Gray) halved() Gray {
	s := newGray(g.Width/2, g.Height/2)
	for y := range s.Height {
		out := s.row(y)
		upper, lower := g.row(2 * y)[:2*len(out)], g.row(2*y + 1)[:2*len(out)]
		x := 0
		for ; x+4 <= len(out); x += 4 { // four at a time, in lanes of 16 bits
			const lanes, half = 0x00FF00FF00FF00FF, 0x0002000200020002
			a, b := binary.LittleEndian.Uint64(upper[2*x:]), binary.LittleEndian.Uint64(lower[2*x:])
			sum := (a&lanes + a>>8&lanes + b&lanes + b>>8&lanes + half) >> 2
			out[x], out[x+1], out[x+2], out[x+3] = uint8(sum), uint8(sum>>16), uint8(sum>>32), uint8(sum>>48)
		}
		for ; x < len(out); x++ {
			a, b := upper[2*x:2*x+2:2*x+2], lower[2*x:2*x+2:2*x+2]
			out[x] = uint8((uint32(a[0]) + uint32(a[1]) + uint32(b[0]) + uint32(b[1]) + 2) / 4)
		}
	}
	return s
}

// smooth averages each pixel with its eight neighbours.
func (g Gray) smooth() Gray {
	s := newGray(g.Width, g.Height)
	columns := make([]int, g.Width)
	for y := range g.Height {
		above, here, below := g.row(max(0, y-1)), g.row(y), g.row(min(g.Height-1, y+1))
		for x := range columns {
			columns[x] = int(above[x]) + int(here[x]) + int(below[x])
		}
		out := s.row(y)
		for x := range out {
			out[x] = uint8((columns[max(0, x-1)] + columns[x] + columns[min(g.Width-1, x+1)] + 4) / 9)
		}
	}
	return s
}

// closed fills what is dark and in some direction narrower than n pixels with the lightest shade beside it. The edges of larger dark areas
// stay where they are.
func (g Gray) closed(n int) Gray {
	n = min(n, g.Width, g.Height)
	beyond := n / 2 // to the sides, where areas that reach the edge go on
	closed := g.extended(beyond).lightest(n).inverse().border(n-1, 0).lightest(n).inverse()
	return closed.crop(beyond, beyond, beyond+g.Width, beyond+g.Height)
}

// extended goes on for n pixels beyond each side, with the shades at its edges.
func (g Gray) extended(n int) Gray {
	wide := newGray(g.Width+2*n, g.Height+2*n)
	for y := range wide.Height {
		row, inner := wide.row(y), g.row(min(max(y-n, 0), g.Height-1))
		copy(row[n:], inner)
		for i := range n {
			row[i], row[n+g.Width+i] = inner[0], inner[g.Width-1]
		}
	}
	return wide
}

// lightest has for each square of n by n pixels its lightest shade.
func (g Gray) lightest(n int) Gray {
	g = g.clone()
	for side := 1; side < n; {
		step := min(side, n-side)
		for y := range g.Height {
			row := g.row(y)
			lighten(row[:len(row)-step], row[step:])
			if y >= step {
				lighten(g.row(y-step), row)
			}
		}
		side += step
	}
	return g.crop(0, 0, g.Width-n+1, g.Height-n+1)
}

// lighten gives each pixel of a row the lighter shade of it and of that in another one as long, which may begin further on in the same
// row. It takes eight at a time.
func lighten(row, other []uint8) {
	x := 0
	for ; x+8 <= len(row); x += 8 {
		const top = 0x8080808080808080
		a, b := binary.LittleEndian.Uint64(row[x:]), binary.LittleEndian.Uint64(other[x:])
		low := (a | top) - b&^top // the top bit of a byte tells whether the lower bits of a are not less
		is := (a&^b | ^(a^b)&low) & top >> 7 * 255
		binary.LittleEndian.PutUint64(row[x:], a&is|b&^is)
	}
	for ; x < len(row); x++ {
		row[x] = max(row[x], other[x])
	}
}

// inverse is light where the image is dark.
func (g Gray) inverse() Gray {
	g = g.clone()
	for i, v := range g.Pix {
		g.Pix[i] = 255 - v
	}
	return g
}

// tap is what the pixels of one axis contribute to one pixel of a resized image.
type tap struct {
	from    int
	weights []float32
}

// taps weighs the pixels by a tent as wide as a pixel of the larger of both scales.
func taps(from, to int) []tap {
	scale := float64(from) / float64(to)
	reach := max(1, scale)
	t := make([]tap, to)
	all := make([]float32, 0, to*(int(2*reach)+2))
	for i := range t {
		centre := (float64(i) + 0.5) * scale
		first, last := max(0, int(math.Floor(centre-reach+0.5))), min(from-1, int(math.Ceil(centre+reach-0.5)))
		at, sum := len(all), float32(0)
		for k := first; k <= last; k++ {
			w := float32(max(0, 1-math.Abs(float64(k)+0.5-centre)/reach))
			all = append(all, w)
			sum += w
		}
		for k := range all[at:] {
			all[at+k] /= sum
		}
		t[i] = tap{first, all[at:]}
	}
	return t
}

// resize scales to a size. Pixels are interpolated where the image grows and averaged where it shrinks.
func (g Gray) resize(width, height int) Gray {
	width, height = max(1, width), max(1, height)
	if width == g.Width && height == g.Height {
		return g
	}
	horizontal, vertical := taps(g.Width, width), taps(g.Height, height)
	wide := make([]float32, width*g.Height)
	for y := range g.Height {
		row, out := g.row(y), wide[y*width:(y+1)*width]
		for x, t := range horizontal {
			sum := float32(0)
			pixels := row[t.from : t.from+len(t.weights)]
			for k, w := range t.weights {
				sum += w * float32(pixels[k])
			}
			out[x] = sum
		}
	}
	r := newGray(width, height)
	sums := make([]float32, width)
	for y, t := range vertical {
		clear(sums)
		for k, w := range t.weights {
			for x, v := range wide[(t.from+k)*width : (t.from+k+1)*width] {
				sums[x] += w * v
			}
		}
		out := r.row(y)
		for x, v := range sums {
			out[x] = uint8(min(255, max(0, v+0.5)))
		}
	}
	return r
}

// warp is an image of width by height whose pixel (u, v) is the one of g at origin + u·right + v·down. Outside of g the nearest pixel
// counts.
func (g Gray) warp(origin, right, down Point, width, height int) Gray {
	w := newGray(max(1, width), max(1, height))
	at := func(x, y int) uint8 { return g.Pix[min(max(y, 0), g.Height-1)*g.Width+min(max(x, 0), g.Width-1)] }
	for v := range w.Height {
		out := w.row(v)
		for u := range out {
			du, dv := float64(u)+0.5, float64(v)+0.5
			x := origin.X + du*right.X + dv*down.X - 0.5
			y := origin.Y + du*right.Y + dv*down.Y - 0.5
			fx, fy := math.Floor(x), math.Floor(y)
			ix, iy := int(fx), int(fy)
			x, y = x-fx, y-fy
			var a, b, c, d uint8                                         // the four pixels around the place, by rows
			if ix >= 0 && iy >= 0 && ix+1 < g.Width && iy+1 < g.Height { // as nearly all are
				upper, lower := g.Pix[iy*g.Width+ix:][:2], g.Pix[(iy+1)*g.Width+ix:][:2]
				a, b, c, d = upper[0], upper[1], lower[0], lower[1]
			} else {
				a, b, c, d = at(ix, iy), at(ix+1, iy), at(ix, iy+1), at(ix+1, iy+1)
			}
			top := float64(a)*(1-x) + float64(b)*x
			bottom := float64(c)*(1-x) + float64(d)*x
			out[u] = uint8(top*(1-y) + bottom*y + 0.5)
		}
	}
	return w
}

// crop is a part of the image, copied. The part lies inside it.
func (g Gray) crop(x1, y1, x2, y2 int) Gray {
	c := newGray(x2-x1, y2-y1)
	for y := range c.Height {
		copy(c.row(y), g.row(y1 + y)[x1:x2])
	}
	return c
}

// border adds n pixels of a shade on each side.
func (g Gray) border(n int, shade uint8) Gray {
	b := newGray(g.Width+2*n, g.Height+2*n)
	for i := range b.Pix {
		b.Pix[i] = shade
	}
	for y := range g.Height {
		copy(b.row(y + n)[n:], g.row(y))
	}
	return b
}

// contrast is the difference of the lightest and the darkest shade.
func (g Gray) contrast() int {
	low, high := uint8(255), uint8(0)
	for _, v := range g.Pix {
		low, high = min(low, v), max(high, v)
	}
	return max(0, int(high)-int(low))
}
