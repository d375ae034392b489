package ppocr

import (
	"fmt"
	"iter"
	"math"
	"slices"

	"glyphbox/internal/adapter/engine/read"
)

const (
	grid = 32 // a side of what the detector takes is a multiple of it

	pixelThreshold = 0.3 // probability above which a pixel is of the middle of a line
	lineThreshold  = 0.5 // mean probability of such a middle, below which there is no line
	minMiddle      = 3   // pixels of its shorter side, below which it is noise
	unclip         = 1.5 // how far the outline of a line lies around its middle, as area of the middle by its circumference

	// MaxDetectPixels are the most pixels of a page that a detector takes. While it works it needs about 250 bytes for each, and
	// about a microsecond: with a page of 1280×960 pixels a worker stays below 450 MB.
	MaxDetectPixels = 4_000_000
)

// Means and deviations of the planes. They are those of red, green and blue in ImageNet, but the model was trained with them on
// blue, green and red.
var (
	planeMean      = [3]float32{0.485, 0.456, 0.406}
	planeDeviation = [3]float32{0.229, 0.224, 0.225}
)

// Detector implements read.Detector. It must not be used concurrently.
type Detector struct {
	name    string
	session Session
	in, out []float32 // memory of the tensors
}

// NewDetector returns a detector.
func NewDetector(name string, session Session) *Detector {
	return &Detector{name: name, session: session}
}

// Name returns the name of the model.
func (d *Detector) Name() string { return d.name }

// Detect implements read.Detector. A corner may be outside the page. It cannot tell at which end a line begins, and assumes the left
// end, or the top of a vertical line.
func (d *Detector) Detect(page read.RGB) ([]read.Quad, error) {
	if err := checkImage(page); err != nil {
		return nil, err
	}
	if page.Width*page.Height > MaxDetectPixels {
		return nil, fmt.Errorf("%s: %d×%d pixels; at most %d are allowed", d.name, page.Width, page.Height, MaxDetectPixels)
	}
	in := d.input(page)
	width, height := int(in.Shape[3]), int(in.Shape[2])
	out := tensor(&d.out, 1, 1, height, width)
	if err := d.session.Run(in, out); err != nil {
		return nil, fmt.Errorf("%s: %w", d.name, err)
	}
	return lines(out.Data, width, height), nil
}

// input returns the input of the model: blue, green and red planes, normalised by means and deviations. The edges are repeated at the right
// and at the bottom up to the grid.
func (d *Detector) input(m read.RGB) Tensor {
	width, height := (m.Width+grid-1)/grid*grid, (m.Height+grid-1)/grid*grid
	in := tensor(&d.in, 1, 3, height, width)
	for c := range 3 {
		var of [256]float32
		for v := range of {
			of[v] = (float32(v)/255 - planeMean[c]) / planeDeviation[c]
		}
		for y := range height {
			source := m.Pix[min(y, m.Height-1)*m.Width*3:][:m.Width*3]
			to := in.Data[(c*height+y)*width:][:width]
			for x := range to {
				to[x] = of[source[min(x, m.Width-1)*3+2-c]]
			}
		}
	}
	return in
}

// lines returns the outlines of the middles of lines, of which each pixel has its probability.
func lines(probs []float32, width, height int) []read.Quad {
	var quads []read.Quad
	seen := make([]bool, len(probs))
	var c component
	for start, p := range probs {
		if p <= pixelThreshold || seen[start] {
			continue
		}
		c.grow(probs, seen, width, height, start)
		if c.sum/float64(c.pixels) < lineThreshold {
			continue
		}
		r := smallestRectangle(hull(c.edge()))
		if min(r.length, r.height) < minMiddle {
			continue
		}
		// Vatti clipping moves each side outwards by area · unclip / circumference.
		grown := 2 * r.length * r.height * unclip / (2 * (r.length + r.height))
		r.length, r.height = r.length+grown, r.height+grown
		quads = append(quads, r.quad())
	}
	return quads
}

// component is a set of pixels that touch, at corners too. It is used again for the next one.
type component struct {
	pixels      int
	sum         float64 // of their probabilities
	top         int
	left, right []int // of each row from the top on
	stack       []int
}

// grow makes c the component of a pixel.
func (c *component) grow(probs []float32, seen []bool, width, height, start int) {
	c.pixels, c.sum, c.top = 0, 0, start/width // rows are looked through from above, so that start is in the topmost
	c.left, c.right = c.left[:0], c.right[:0]
	seen[start] = true
	c.stack = append(c.stack[:0], start)
	for len(c.stack) > 0 {
		at := c.stack[len(c.stack)-1]
		c.stack = c.stack[:len(c.stack)-1]
		x, y := at%width, at/width
		c.pixels++
		c.sum += float64(probs[at])
		for len(c.left) <= y-c.top {
			c.left, c.right = append(c.left, width), append(c.right, -1)
		}
		c.left[y-c.top], c.right[y-c.top] = min(c.left[y-c.top], x), max(c.right[y-c.top], x)
		for ny := max(y-1, 0); ny <= min(y+1, height-1); ny++ {
			for nx := max(x-1, 0); nx <= min(x+1, width-1); nx++ {
				if next := ny*width + nx; !seen[next] && probs[next] > pixelThreshold {
					seen[next] = true
					c.stack = append(c.stack, next)
				}
			}
		}
	}
}

// edge returns the centres of the first and last pixels of all rows, by rows.
func (c *component) edge() []read.Point {
	points := make([]read.Point, 0, 2*len(c.left))
	for i := range c.left {
		y := float64(c.top+i) + 0.5
		points = append(points, read.Point{X: float64(c.left[i]) + 0.5, Y: y})
		if c.right[i] > c.left[i] {
			points = append(points, read.Point{X: float64(c.right[i]) + 0.5, Y: y})
		}
	}
	return points
}

// hull returns the convex hull of points that are sorted by Y, then X (Andrew's monotone chain).
func hull(points []read.Point) []read.Point {
	if len(points) < 3 {
		return points
	}
	half := func(points iter.Seq2[int, read.Point]) (chain []read.Point) {
		for _, p := range points {
			for len(chain) > 1 && cross(chain[len(chain)-2], chain[len(chain)-1], p) <= 0 {
				chain = chain[:len(chain)-1]
			}
			chain = append(chain, p)
		}
		return chain[:len(chain)-1]
	}
	return append(half(slices.All(points)), half(slices.Backward(points))...)
}

// cross is positive where the way from a by b to c turns to the right, as seen on the image.
func cross(a, b, c read.Point) float64 { return (b.X-a.X)*(c.Y-a.Y) - (b.Y-a.Y)*(c.X-a.X) }

// rectangle lies around its centre; its length runs in the direction of angle, clockwise from the right, in radians.
type rectangle struct {
	centre         read.Point
	length, height float64
	angle          float64
}

// smallestRectangle returns the rectangle of the smallest area around a convex hull, one of whose sides it shares (Freeman
// and Shapira 1975). Its length is its longer side, or the more horizontal one where they differ by less than half.
func smallestRectangle(hull []read.Point) rectangle {
	if len(hull) == 0 {
		return rectangle{}
	}
	best, bestArea := rectangle{centre: hull[0]}, math.Inf(1)
	for i, p := range hull {
		q := hull[(i+1)%len(hull)]
		angle := math.Atan2(q.Y-p.Y, q.X-p.X)
		sin, cos := math.Sincos(angle)
		low, high := read.Point{X: math.Inf(1), Y: math.Inf(1)}, read.Point{X: math.Inf(-1), Y: math.Inf(-1)}
		for _, r := range hull {
			along, across := r.X*cos+r.Y*sin, r.Y*cos-r.X*sin
			low.X, high.X = min(low.X, along), max(high.X, along)
			low.Y, high.Y = min(low.Y, across), max(high.Y, across)
		}
		if area := (high.X - low.X) * (high.Y - low.Y); area < bestArea {
			bestArea = area
			along, across := (low.X+high.X)/2, (low.Y+high.Y)/2
			best = rectangle{read.Point{X: along*cos - across*sin, Y: along*sin + across*cos}, high.X - low.X, high.Y - low.Y, angle}
		}
	}
	turn := func() {
		best.length, best.height = best.height, best.length
		best.angle += math.Pi / 2
	}
	if best.height >= 1.5*best.length || best.length < 1.5*best.height && math.Abs(math.Cos(best.angle)) < math.Sqrt2/2 {
		turn()
	}
	// From the left to the right; straight downwards where it is upright.
	best.angle = math.Remainder(best.angle, math.Pi)
	if best.angle < -math.Pi/2+1e-9 {
		best.angle += math.Pi
	}
	return best
}

func (r rectangle) quad() read.Quad {
	sin, cos := math.Sincos(r.angle)
	at := func(along, across float64) read.Point {
		return read.Point{X: r.centre.X + along*cos - across*sin, Y: r.centre.Y + along*sin + across*cos}
	}
	l, h := r.length/2, r.height/2
	return read.Quad{at(-l, -h), at(l, -h), at(l, h), at(-l, h)}
}
