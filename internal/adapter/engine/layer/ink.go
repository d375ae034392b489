package layer

import (
	"math"

	"glyphbox/internal/domain/document"
)

// Limits for looking at pixels. Shades are 0 to 255, sizes are in heights of the text of the region.
const (
	seen        = 24  // shades between a glyph and what is around it
	inked       = 48  // shades between ink and the paper of a region
	around      = 2   // pixels about a glyph that are looked at, and that its ink may reach
	smallest    = 0.5 // height of a shape that may be a character
	narrowest   = 0.3 // width of one
	largest     = 6.0 // height and width of one
	thin        = 0.1 // share of its box that is ink: less is lines
	solid       = 0.9 // likewise: more is a bar, a bullet, a cell with a colour
	fewShapes   = 2   // that are no text yet: an ornament, a mark
	pictureSide = 3.0 // of a square with as much ink as a picture has
	pictureInk  = 0.3 // share of its box that is ink: less is a frame or the lines of a table
)

// isBlank tells whether a box is of one shade.
func (p *Page) isBlank(b document.Box) bool {
	low, high := p.shades(b)
	return high-low <= 2
}

// shades returns the darkest and the lightest shade of a box.
func (p *Page) shades(b document.Box) (low, high int) {
	low, high = 255, 0
	for y := b.Y1; y < b.Y2; y++ {
		for _, v := range p.Gray[y*p.Width+b.X1 : y*p.Width+b.X2] {
			low, high = min(low, int(v)), max(high, int(v))
		}
	}
	return low, high
}

// about returns the pixels of a glyph and some around it.
func (p *Page) about(g *Glyph) document.Box {
	b := word{g}.box()
	return document.Box{X1: b.X1 - around, Y1: b.Y1 - around, X2: b.X2 + around, Y2: b.Y2 +
		around}.Intersect(document.Box{X2: p.Width, Y2: p.Height})
}

// contradicted returns why the pixels of a box do not agree with the glyphs in it, or "".
func (p *Page) contradicted(box document.Box, glyphs []*Glyph) string {
	heights := make([]float64, 0, len(glyphs))
	for _, g := range glyphs {
		b := p.about(g)
		if low, high := p.shades(b); b.Empty() || high-low < seen {
			return Hidden
		}
		heights = append(heights, math.Min(g.Y2-g.Y1, 2*(g.X2-g.X1)))
	}
	if p.hasForeignInk(box, math.Max(median(heights), 6)) {
		return Foreign
	}
	return ""
}

// hasForeignInk tells whether something stands in a box, beside the glyphs of the page, that looks like text or a picture. Lines, frames
// and areas of a colour do not.
func (p *Page) hasForeignInk(box document.Box, em float64) bool {
	width, height := box.Width(), box.Height()
	var counts [256]int
	for y := box.Y1; y < box.Y2; y++ {
		for _, v := range p.Gray[y*p.Width+box.X1 : y*p.Width+box.X2] {
			counts[v]++
		}
	}
	paper := 0
	for v, n := range counts {
		if n >= counts[paper] {
			paper = v
		}
	}
	ink := make([]bool, width*height)
	any := false
	for y := range height {
		row := p.Gray[(box.Y1+y)*p.Width+box.X1:][:width]
		for x, v := range row {
			if d := int(v) - paper; d > inked || d < -inked {
				ink[y*width+x], any = true, true
			}
		}
	}
	if !any {
		return false
	}
	for i := range p.Glyphs {
		b := p.about(&p.Glyphs[i]).Intersect(box)
		if b.Empty() {
			continue
		}
		for y := b.Y1 - box.Y1; y < b.Y2-box.Y1; y++ {
			clear(ink[y*width+b.X1-box.X1 : y*width+b.X2-box.X1])
		}
	}
	shapes := 0
	for _, s := range shapesOf(ink, width, height) {
		w, h := float64(s.x2-s.x1), float64(s.y2-s.y1)
		share := float64(s.ink) / (w * h)
		switch {
		case h > largest*em || w > largest*em:
			if share > pictureInk && float64(s.ink) > pictureSide*pictureSide*em*em && p.varies(box, s) {
				return true
			}
		case h >= smallest*em && w >= narrowest*em && share > thin && share < solid && !s.isFrame(ink, width):
			shapes++
		}
	}
	return shapes > fewShapes
}

// varies tells whether a shape has many shades, as a picture has and a drawn area has not.
func (p *Page) varies(box document.Box, s shape) bool {
	var n, sum, squares float64
	for y := s.y1; y < s.y2; y++ {
		for _, v := range p.Gray[(box.Y1+y)*p.Width+box.X1+s.x1 : (box.Y1+y)*p.Width+box.X1+s.x2] {
			n, sum, squares = n+1, sum+float64(v), squares+float64(v)*float64(v)
		}
	}
	mean := sum / n
	return squares/n-mean*mean > 20*20
}

// shape is a connected part of the ink.
type shape struct{ x1, y1, x2, y2, ink int }

// shapesOf finds the shapes of ink, by runs of rows that touch one another, corners included.
func shapesOf(ink []bool, width, height int) (found []shape) {
	type run struct{ x1, x2, shape int }
	var shapes []shape
	var parent []int
	root := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	var above, row []run
	for y := range height {
		row = row[:0]
		k := 0
		for x := 0; x < width; x++ {
			if !ink[y*width+x] {
				continue
			}
			r := run{x1: x, shape: -1}
			for x < width && ink[y*width+x] {
				x++
			}
			r.x2 = x
			for k > 0 && k <= len(above) && above[k-1].x2 >= r.x1 { // the run before may reach into this one too
				k--
			}
			for ; k < len(above) && above[k].x1 <= r.x2; k++ {
				if above[k].x2 < r.x1 {
					continue
				}
				other := root(above[k].shape)
				switch {
				case r.shape < 0:
					r.shape = other
				case r.shape != other:
					merge(&shapes[r.shape], shapes[other])
					parent[other] = r.shape
				}
			}
			if r.shape < 0 {
				r.shape = len(shapes)
				parent = append(parent, r.shape)
				shapes = append(shapes, shape{x1: r.x1, y1: y, x2: r.x2, y2: y + 1})
			}
			merge(&shapes[r.shape], shape{r.x1, y, r.x2, y + 1, r.x2 - r.x1})
			row = append(row, r)
		}
		above, row = row, above
	}
	for i, s := range shapes {
		if parent[i] == i {
			found = append(found, s)
		}
	}
	return found
}

// isFrame tells whether ink runs along all four sides of a shape, as it does with a box to tick or the cell of a table.
func (s shape) isFrame(ink []bool, width int) bool {
	const most, share = 4, 0.9 // pixels from a side, and of its length
	side := func(x1, y1, x2, y2, dx, dy int) bool {
		for i := range most {
			n, length := 0, 0
			for y := y1 + i*dy; y < y2+i*dy && y >= s.y1 && y < s.y2; y++ {
				for x := x1 + i*dx; x < x2+i*dx && x >= s.x1 && x < s.x2; x++ {
					length++
					if ink[y*width+x] {
						n++
					}
				}
			}
			if length > 0 && float64(n) >= share*float64(length) {
				return true
			}
		}
		return false
	}
	return side(s.x1, s.y1, s.x2, s.y1+1, 0, 1) && side(s.x1, s.y2-1, s.x2, s.y2, 0, -1) &&
		side(s.x1, s.y1, s.x1+1, s.y2, 1, 0) && side(s.x2-1, s.y1, s.x2, s.y2, -1, 0)
}

func merge(into *shape, s shape) {
	into.x1, into.y1, into.x2, into.y2 = min(into.x1, s.x1), min(into.y1, s.y1), max(into.x2, s.x2), max(into.y2, s.y2)
	into.ink += s.ink
}
