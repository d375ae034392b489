package read

import (
	"math"

	"glyphbox/internal/domain/document"
)

// piece is the part of a page that is looked at for a region, turned clockwise by quarters.
type piece struct {
	box      document.Box // of the page
	region   document.Box // of the page
	quarters int
	inner    rect // the region, in pixels of the piece
}

// around is the piece for a region: with a margin, in which letters that the region cuts, and rules, go on.
func around(region document.Box, width, height int) piece {
	return within(region, min(max(min(region.Width(), region.Height())/3, 6), 48), width, height)
}

// within is the piece for a region with a margin of m pixels.
func within(region document.Box, m, width, height int) piece {
	b := document.Box{X1: max(0, region.X1-m), Y1: max(0, region.Y1-m), X2: min(width, region.X2+m), Y2: min(height, region.Y2+m)}
	return piece{box: b, region: region, inner: rect{
		x1: float64(region.X1 - b.X1), y1: float64(region.Y1 - b.Y1), x2: float64(region.X2 - b.X1), y2: float64(region.Y2 - b.Y1),
	}}
}

// turned is the piece turned clockwise by so many quarters, where it is not turned yet.
func (p piece) turned(quarters int) piece {
	w, h, in := float64(p.box.Width()), float64(p.box.Height()), p.inner
	switch p.quarters = quarters; quarters {
	case 1:
		p.inner = rect{h - in.y2, in.x1, h - in.y1, in.x2}
	case 2:
		p.inner = rect{w - in.x2, h - in.y2, w - in.x1, h - in.y1}
	case 3:
		p.inner = rect{in.y1, w - in.x2, in.y2, w - in.x1}
	}
	return p
}

// onPage is the place on the page of one on the piece.
func (p piece) onPage(q Point) Point {
	w, h := float64(p.box.Width()), float64(p.box.Height())
	switch p.quarters {
	case 1:
		q = Point{q.Y, h - q.X}
	case 2:
		q = Point{w - q.X, h - q.Y}
	case 3:
		q = Point{w - q.Y, q.X}
	}
	return Point{q.X + float64(p.box.X1), q.Y + float64(p.box.Y1)}
}

// place is the box on the page around a part of a strip, inside of the region.
func (p piece) place(t strip, r rect) document.Box {
	b := document.Box{X1: math.MaxInt, Y1: math.MaxInt, X2: math.MinInt, Y2: math.MinInt}
	for _, corner := range []Point{{r.x1, r.y1}, {r.x2, r.y1}, {r.x1, r.y2}, {r.x2, r.y2}} {
		q := p.onPage(t.at(corner))
		x, y := int(math.Round(q.X)), int(math.Round(q.Y))
		b.X1, b.Y1, b.X2, b.Y2 = min(b.X1, x), min(b.Y1, y), max(b.X2, x), max(b.Y2, y)
	}
	in := b.Intersect(p.region)
	if in.Empty() { // a speck at the edge
		in = document.Box{X1: min(max(b.X1, p.region.X1), p.region.X2-1), Y1: min(max(b.Y1, p.region.Y1), p.region.Y2-1)}
		in.X2, in.Y2 = in.X1+1, in.Y1+1
	}
	return in
}

// view is a piece and its pixels as they are on the page, but for the quarters.
type view struct {
	piece
	gray      Gray
	headlines bool // letters may hang on lines
}

// viewOf copies the pixels of a region.
func viewOf(page Page, region document.Box) (view, error) {
	width, height := page.Size()
	v := view{piece: around(region, width, height)}
	gray, err := page.Gray(v.box)
	v.gray = gray
	return v, err
}

// in is the view of a region in some languages.
func (v view) in(lang []string) view {
	v.headlines = headlined(lang)
	return v
}

// byItself is the view of the region alone.
func (v view) byItself() view {
	in := v.inner
	v.piece = within(v.region, 0, v.box.X2, v.box.Y2).turned(v.quarters)
	v.gray = v.gray.crop(int(in.x1), int(in.y1), int(in.x2), int(in.y2))
	return v
}

// turn is the view turned clockwise by so many quarters.
func (v view) turn(quarters int) view {
	v.piece, v.gray = v.piece.turned(quarters), v.gray.Turn(quarters)
	return v
}

// scene finds the ink of a view, whose pixels stay as they are. It is nil where there is none.
func (v view) scene() *scene {
	return v.seen(func(gray Gray, factor int, inner rect) (scene, bool) { return lookAt(gray, factor, inner, v.headlines) })
}

// seen is the scene of a view as look finds its ink: softened where there seems to be noise only, or specks.
func (v view) seen(look func(Gray, int, rect) (scene, bool)) *scene {
	factor := 1
	for v.gray.Width*v.gray.Height/(factor*factor) > largest {
		factor++
	}
	s, found := look(v.gray.clone(), factor, v.inner)
	if !found && s.noise > 1 || found && s.speckled() {
		soft := v.gray.smooth().smooth()
		if t, ok := look(soft, factor, v.inner); ok {
			return &t
		}
	}
	if !found {
		return nil
	}
	return &s
}
