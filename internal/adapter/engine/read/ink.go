package read

import "slices"

const (
	tileSide    = 8    // of a tile of the threshold, in pixels of the halved image
	minContrast = 8    // shades between paper and ink
	noiseFactor = 8    // by how much the contrast exceeds the noise of the paper
	faintest    = 0.18 // contrast against the best one of the image; less is noise beside the text
	noisy       = 4    // deviation of the paper's shades above which an image is smoothed before it is looked at
	unknown     = -1   // of a tile without contrast
)

// halve averages squares of two by two pixels, the last ones of an odd size included.
func (g Gray) halve() Gray {
	h := newGray((g.Width+1)/2, (g.Height+1)/2)
	for y := range h.Height {
		upper, lower, out := g.row(2*y), g.row(min(2*y+1, g.Height-1)), h.row(y)
		for x := range g.Width / 2 {
			out[x] = uint8((int(upper[2*x]) + int(upper[2*x+1]) + int(lower[2*x]) + int(lower[2*x+1]) + 2) / 4)
		}
		if g.Width%2 != 0 {
			last := g.Width - 1
			out[last/2] = uint8((int(upper[last]) + int(lower[last]) + 1) / 2)
		}
	}
	return h
}

// noise is the standard deviation of the shades of even paper, from the lower quartile of the differences of pixels so far apart, since
// letters may take up more than half of an image. Neighbours are alike where noise is soft, as that of photos is.
func (g Gray) noise(apart int) float64 {
	var counts [256]int
	total := 0
	for y := range g.Height {
		row := g.row(y)
		for x := apart; x < len(row); x++ {
			d := int(row[x]) - int(row[x-apart])
			counts[max(d, -d)]++
		}
		total += max(0, len(row)-apart)
	}
	// Between the shades, so that 0 and 1 are not all there is.
	below := 0
	for d, n := range counts {
		if 4*(below+n) >= total && n > 0 {
			return max(0, float64(d)-0.5+(float64(total)/4-float64(below))/float64(n)) / 0.4506
		}
		below += n
	}
	return 0
}

// binarise tells which pixels are darker than the middle between the lightest and the darkest shade around them; dark is 1. Where all
// shades around are alike, the middle of the nearest place counts at which they differ: so neither uneven light nor a large dark
// area is taken for ink or hides it. noise is the deviation of the halved image's paper. found is false where no place has contrast.
// letter is the height of capital letters, 0 where it is not known.
func binarise(g Gray, letter float64) (dark []uint8, noise float64, found bool) {
	half := g.halve()
	sigma := half.noise(min(3, max(1, int(letter/12))))
	contrast := max(minContrast, int(noiseFactor*sigma))
	across, along := (half.Width+tileSide-1)/tileSide, (half.Height+tileSide-1)/tileSide
	lowest, highest := make([]uint8, across*along), make([]uint8, across*along)
	sums := make([]int32, across*along)
	for i := range lowest {
		lowest[i] = 255
	}
	for y := range half.Height {
		row := half.row(y)
		base := y / tileSide * across
		for x, v := range row {
			i := base + x/tileSide
			lowest[i], highest[i] = min(lowest[i], v), max(highest[i], v)
			sums[i] += int32(v)
		}
	}
	middle, depth := make([]int32, across*along), make([]int, across*along)
	deepest := 0
	for ty := range along {
		for tx := range across {
			low, high := uint8(255), uint8(0)
			for y := max(0, ty-1); y <= min(along-1, ty+1); y++ {
				for x := max(0, tx-1); x <= min(across-1, tx+1); x++ {
					low, high = min(low, lowest[y*across+x]), max(high, highest[y*across+x])
				}
			}
			// Thin strokes are nearer to their ground than the darkest or lightest spot is.
			i := ty*across + tx
			area := int32(min(tileSide, half.Width-tx*tileSide) * min(tileSide, half.Height-ty*tileSide))
			if 2*sums[i] < area*(int32(low)+int32(high)) {
				middle[i] = (3*int32(low) + 2*int32(high)) / 5
			} else {
				middle[i] = (2*int32(low) + 3*int32(high)) / 5
			}
			depth[i] = int(high) - int(low)
			deepest = max(deepest, depth[i])
		}
	}
	contrast = max(contrast, int(faintest*float64(deepest)))
	for i, d := range depth {
		if d < contrast {
			middle[i] = unknown
		} else {
			found = true
		}
	}
	if !found {
		return nil, sigma, false
	}
	spread(middle, across, along)
	if sigma > noisy {
		g = g.smooth()
	}
	return below(g, middle, across, along), sigma, true
}

// spread gives tiles without a value the mean of their neighbours that have one, from near to far.
func spread(middle []int32, across, along int) {
	var open []int
	for i, m := range middle {
		if m == unknown {
			open = append(open, i)
		}
	}
	next := make([]int32, len(middle))
	for len(open) > 0 {
		copy(next, middle)
		left := open[:0]
		for _, i := range open {
			sum, n := int32(0), int32(0)
			for y := max(0, i/across-1); y <= min(along-1, i/across+1); y++ {
				for x := max(0, i%across-1); x <= min(across-1, i%across+1); x++ {
					if m := middle[y*across+x]; m != unknown {
						sum, n = sum+m, n+1
					}
				}
			}
			if n == 0 {
				left = append(left, i)
			} else {
				next[i] = sum / n
			}
		}
		copy(middle, next)
		open = left
	}
}

// below compares each pixel with the thresholds of the tiles, interpolated between their centres.
func below(g Gray, middle []int32, across, along int) []uint8 {
	const side = 2 * tileSide
	dark := make([]uint8, len(g.Pix))
	edges := make([]int32, across)   // threshold at the centre of each tile column, in 1/256
	limits := make([]uint8, g.Width) // threshold of each pixel of the row
	for y := range g.Height {
		at := y - side/2
		upper := min(max(at/side, 0), along-1)
		if at < 0 {
			upper = 0
		}
		lower := min(upper+1, along-1)
		f := int32(0)
		if at >= 0 {
			f = int32(at%side) * 256 / side
		}
		for x := range edges {
			edges[x] = middle[upper*across+x]*(256-f) + middle[lower*across+x]*f
		}
		for x := 0; x < min(side/2, g.Width); x++ {
			limits[x] = uint8(edges[0] >> 8)
		}
		for t := range across {
			right := edges[min(t+1, across-1)]
			v, step := edges[t], (right-edges[t])/side
			from := t*side + side/2
			for x := from; x < min(from+side, g.Width); x++ {
				limits[x] = uint8(v >> 8)
				v += step
			}
		}
		row, out := g.row(y), dark[y*g.Width:(y+1)*g.Width]
		for x, v := range row {
			if v < limits[x] {
				out[x] = 1
			}
		}
	}
	return dark
}

// run is a row of neighbouring pixels that are all dark or all light.
type run struct {
	y, x1, x2 int32
	part      int32 // what it belongs to
	next      int32 // the next run of its part, or -1
	dark      bool
}

// part is a connected part of the dark or of the light pixels.
type part struct {
	x1, y1, x2, y2 int
	area           int
	dark           bool
	around         int32 // the part that surrounds it, or -1
	first          int32 // run
	kind           kind
}

func (p part) width() int  { return p.x2 - p.x1 }
func (p part) height() int { return p.y2 - p.y1 }

// parts connects dark pixels in eight directions and light ones in four. A part comes after the one that surrounds it.
func parts(dark []uint8, width, height int) ([]run, []part) {
	runs := make([]run, 0, 16*height)
	root := make([]int32, 0, 16*height)
	find := func(i int32) int32 {
		for root[i] != i {
			root[i] = root[root[i]]
			i = root[i]
		}
		return i
	}
	above, aboveEnd := 0, 0
	starts := make([]int32, height+1)
	for y := range height {
		row := dark[y*width : (y+1)*width]
		from := len(runs)
		starts[y] = int32(from)
		for x := 0; x < width; {
			end, v := x+1, row[x]
			for end < width && row[end] == v {
				end++
			}
			runs = append(runs, run{y: int32(y), x1: int32(x), x2: int32(end), next: -1, dark: v != 0})
			root = append(root, int32(len(root)))
			x = end
		}
		for i, k := from, above; i < len(runs); i++ {
			r := runs[i]
			touch := int32(0) // how far apart dark runs may lie
			if r.dark {
				touch = 1
			}
			for k < aboveEnd && runs[k].x2 < r.x1 {
				k++
			}
			for j := k; j < aboveEnd && runs[j].x1 < r.x2+touch; j++ {
				if u := runs[j]; u.dark == r.dark && u.x2+touch > r.x1 {
					a, b := find(int32(j)), find(int32(i))
					root[max(a, b)] = min(a, b)
				}
			}
		}
		above, aboveEnd = from, len(runs)
	}
	starts[height] = int32(len(runs))
	var found []part
	last := make([]int32, 0, 64)
	for i := range runs {
		r := &runs[i]
		if top := find(int32(i)); top == int32(i) {
			r.part = int32(len(found))
			p := part{x1: int(r.x1), y1: int(r.y), x2: int(r.x2), y2: int(r.y) + 1, dark: r.dark, around: -1, first: int32(i)}
			switch {
			case r.x1 > 0:
				p.around = runs[i-1].part
			case r.y > 0:
				p.around = runs[starts[r.y-1]].part
			}
			found, last = append(found, p), append(last, int32(i))
		} else {
			r.part = runs[top].part
			runs[last[r.part]].next = int32(i)
			last[r.part] = int32(i)
		}
		p := &found[r.part]
		p.x1, p.x2, p.y2 = min(p.x1, int(r.x1)), max(p.x2, int(r.x2)), int(r.y)+1
		p.area += int(r.x2 - r.x1)
	}
	return runs, found
}

// weighted is the value below which a fraction of the weight lies.
func weighted[T any](items []T, fraction float64, value func(T) float64, weight func(T) float64) float64 {
	if len(items) == 0 {
		return 0
	}
	sorted := slices.SortedFunc(slices.Values(items), func(a, b T) int {
		switch x, y := value(a), value(b); {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	total := 0.0
	for _, i := range sorted {
		total += weight(i)
	}
	below := 0.0
	for _, i := range sorted {
		if below += weight(i); below >= fraction*total {
			return value(i)
		}
	}
	return value(sorted[len(sorted)-1])
}
