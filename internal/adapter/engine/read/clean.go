package read

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
)

// kind is what a connected part is taken for.
type kind uint8

const (
	unsorted kind = iota
	ground        // paper, a dark area with light letters, a desk
	ruled         // a frame or a rule
)

// scene is a piece of a page that is looked at: its ink, dark on light, without rules and frames.
type scene struct {
	gray   Gray    // the piece: light where no ink is, whatever it was on the page
	factor int     // pixels of the piece for one of the ink, on each side
	ink    []uint8 // 1 where ink is
	width  int     // of the ink
	height int
	inner  rect    // the region, in pixels of the ink
	letter float64 // height of a capital letter, in pixels of the ink
	paper  uint8   // shade of the paper
	noise  float64 // deviation of the paper's shades
	runs   []run
	parts  []part
	blanks []typed
	pale   bool // it is much lighter than the rules were
}

// lookAt finds the ink of a piece of a page. There is none where found is false. The pixels of the piece are changed. With headlines set,
// letters may hang on lines, which are no rules then.
func lookAt(gray Gray, factor int, inner rect, headlines bool) (s scene, found bool) {
	s, found = inkOf(gray, factor, inner)
	if found && s.evenOut() {
		found = s.findAgain()
	}
	if !found {
		return s, false
	}
	if s.leaders() {
		s.connect()
	}
	s.letter = s.letterHeight(false)
	if s.letter == 0 {
		s.letter = 0.6 * s.tallest() // letters that a rule joins, perhaps
	}
	if s.letter > 0 {
		boxes := s.tickBoxes()
		if s.typedBlanks() || boxes {
			s.connect()
		}
	}
	if s.letter > 0 && s.eraseRules(headlines) {
		s.connect()
		s.letter = s.letterHeight(false)
		if s.pale {
			s.findPale()
		}
	}
	s.paper = s.paperShade()
	return s, s.letter > 0 && s.standsOut()
}

// inkOf finds the ink of a piece of a page as lookAt does, but leaves its rules and its light as they are. It takes a third of the time.
func inkOf(gray Gray, factor int, inner rect) (s scene, found bool) {
	f := float64(factor)
	s = scene{gray: gray, factor: factor, inner: rect{inner.x1 / f, inner.y1 / f, inner.x2 / f, inner.y2 / f}}
	small := gray.shrink(factor)
	s.width, s.height = small.Width, small.Height
	if s.ink, s.noise, found = binarise(small, 0); !found {
		return s, false
	}
	s.connect()
	s.letter = s.letterHeight(true)
	if s.level() {
		found = s.findAgain()
	}
	return s, found
}

// findAgain finds the ink after the shades have changed.
func (s *scene) findAgain() (found bool) {
	if s.ink, s.noise, found = binarise(s.gray.shrink(s.factor), s.letter); found {
		s.connect()
	}
	return found
}

// findPale finds the ink again without the rules, beside which much of it was too pale, unless that gives shadows larger than letters.
func (s *scene) findPale() {
	before := *s
	if s.findAgain() {
		s.letter = s.letterHeight(false)
	}
	if s.ink == nil || s.letter > unlike*before.letter && before.letter > 0 {
		*s = before
	}
}

// clearInk is by how many times the deviation of the paper's shades ink is darker than the paper. Noise that is taken for ink is less.
const clearInk = 4

// standsOut tells whether the ink is more than noise of the paper. Noise is how far the shades of paper lie above their median, as the
// median of all places. Below the median there may be ink that was not found.
func (s *scene) standsOut() bool {
	const side = 2 * tileSide
	small, near := s.gray.shrink(s.factor), nearInk(s.ink, s.width, s.height)
	var deviations []float64
	depth, weight := 0.0, 0.0
	for top := 0; top < s.height; top += side {
		for left := 0; left < s.width; left += side {
			var papers [256]int32
			count, ink, inks := int32(0), 0, 0
			for y := top; y < min(top+side, s.height); y++ {
				from, to := y*s.width+left, y*s.width+min(left+side, s.width)
				row, beside := small.Pix[from:to], near[from:to]
				for x, v := range s.ink[from:to] {
					switch {
					case v != 0:
						ink += int(row[x])
						inks++
					case beside[x] == 0:
						papers[row[x]]++
						count++
					}
				}
			}
			if count < side {
				continue
			}
			paper, below := 0, papers[0] // the median
			for 2*below < count {
				paper++
				below += papers[paper]
			}
			squares, above := 0, papers[paper]/2
			for shade := paper + 1; below < count; shade++ {
				squares += int(papers[shade]) * (shade - paper) * (shade - paper)
				above += papers[shade]
				below += papers[shade]
			}
			deviations = append(deviations, math.Sqrt(float64(squares)/float64(max(1, above))))
			depth += float64(paper*inks - ink)
			weight += float64(inks)
		}
	}
	if weight == 0 {
		return true
	}
	one := func(float64) float64 { return 1 }
	return depth/weight > clearInk*weighted(deviations, 0.5, func(d float64) float64 { return d }, one)
}

// nearInk marks with 1 what lies within two pixels of ink, to the sides and up and down: there, soft edges make paper darker.
func nearInk(ink []uint8, width, height int) []uint8 {
	const reach = 2
	wide, near := make([]uint8, len(ink)), make([]uint8, len(ink))
	for y := range height {
		row, out := ink[y*width:(y+1)*width], wide[y*width:(y+1)*width]
		for d := -reach; d <= reach; d++ {
			if from, to := max(0, -d), min(width, width-d); from < to {
				orInto(out[from:to], row[from+d:to+d])
			}
		}
	}
	for y := range height {
		out := near[y*width : (y+1)*width]
		for v := max(0, y-reach); v <= min(height-1, y+reach); v++ {
			orInto(out, wide[v*width:(v+1)*width])
		}
	}
	return near
}

// orInto adds the bits of as many bytes to those of out, eight bytes at a time.
func orInto(out, in []uint8) {
	x := 0
	for ; x+8 <= len(out); x += 8 {
		binary.LittleEndian.PutUint64(out[x:], binary.LittleEndian.Uint64(out[x:])|binary.LittleEndian.Uint64(in[x:]))
	}
	for ; x < len(out); x++ {
		out[x] |= in[x]
	}
}

// Light is uneven where the paper of one place is lighter by unevenLight than that of another; then it is made evenPaper everywhere. It has
// an edge where it changes by sharpLight within five pixels of the scale that it is looked for on.
const (
	unevenLight = 24
	sharpLight  = 16
	evenPaper   = 240
	lightLetter = 18 // height of a capital letter, in pixels, where the light is looked for
)

// evenOut divides the shades by those of the paper around, where the light is uneven.
func (s *scene) evenOut() bool {
	if !s.uneven() {
		return false
	}
	n := max(1, int(s.letter*float64(s.factor)/lightLetter+0.5))
	light := s.light(n)
	for y := range s.gray.Height {
		row, paper := s.gray.row(y), light.row(min(y, light.Height-1))
		for x, shade := range row {
			row[x] = uint8(min(255, uint32(shade)*evenPaper/max(1, uint32(paper[min(x, len(paper)-1)]))))
		}
	}
	return true
}

// light is the shade that the paper of each pixel has. It is looked for on a scale of 1 to n, which takes little time and averages noise,
// but at the edges of shadows pixel by pixel. A region of which more than a tenth is edges is a picture.
func (s *scene) light(n int) Gray {
	coarse := s.gray.shrink(n).smooth().closed(lightLetter)
	light := coarse.resize(n*coarse.Width, n*coarse.Height)
	if n == 1 {
		return light
	}
	edges := coarse.steps()
	if inEdges := bytes.Count(edges.Pix, []byte{1}); inEdges == 0 || 10*inEdges > len(edges.Pix) {
		return light
	}
	fine := s.gray.smooth().closed(n * lightLetter)
	for y := range min(s.gray.Height, light.Height) {
		at, row, exact := edges.row(y/n), light.row(y), fine.row(y)
		for x := range min(len(row), len(exact)) {
			if at[x/n] != 0 {
				row[x] = exact[x]
			}
		}
	}
	return light
}

// steps tells which pixels have shades around them, at most two pixels away, that differ by sharpLight: 1 for those, else 0.
func (g Gray) steps() Gray {
	const around = 2
	wide := g.extended(around)
	lightest, darkest := wide.lightest(2*around+1), wide.inverse().lightest(2*around+1)
	for i, v := range lightest.Pix {
		lightest.Pix[i] = 0
		if int(v)+int(darkest.Pix[i])-255 >= sharpLight {
			lightest.Pix[i] = 1
		}
	}
	return lightest
}

// uneven tells whether the paper of some places is lighter than that of others.
func (s *scene) uneven() bool {
	const side = 2 * tileSide
	var shades [256]int
	small := s.gray.shrink(s.factor)
	for top := 0; top < s.height; top += side {
		for left := 0; left < s.width; left += side {
			sum, count := 0, 0
			for y := top; y < min(top+side, s.height); y++ {
				row, ink := small.row(y), s.ink[y*s.width:(y+1)*s.width]
				for x := left; x < min(left+side, s.width); x++ {
					// Next to ink it is darker.
					if ink[x] == 0 && (x < 2 || ink[x-2] == 0) && (x+2 >= len(ink) || ink[x+2] == 0) {
						sum += int(row[x])
						count++
					}
				}
			}
			if count >= side {
				shades[sum/count]++
			}
		}
	}
	return quantile(shades[:], 0.98)-quantile(shades[:], 0.02) >= unevenLight
}

// connect finds the parts of the ink.
func (s *scene) connect() {
	s.runs, s.parts = parts(s.ink, s.width, s.height)
}

// mostly tells whether more than half of a part lies in the region.
func (s *scene) mostly(p part) bool {
	return overlap(float64(p.x1), float64(p.x2), s.inner.x1, s.inner.x2) >= float64(p.width())/2 &&
		overlap(float64(p.y1), float64(p.y2), s.inner.y1, s.inner.y2) >= float64(p.height())/2
}

// tallest is the height of the tallest part of the region.
func (s *scene) tallest() float64 {
	most := 0
	for _, p := range s.parts {
		if p.dark && p.area >= 6 && 2*p.width() >= p.height() && s.mostly(p) {
			most = max(most, p.height())
		}
	}
	return float64(most)
}

// letterHeight estimates the height of capital letters and of syllables from the parts that lie on much larger ones, those above one
// another taken together. With light set, light parts on dark ones count too. It is 0 where there are none.
func (s *scene) letterHeight(light bool) float64 {
	framed := s.framing()
	carries := make([]bool, len(s.parts)) // whether there are parts on a part
	for _, p := range s.parts {
		if p.around >= 0 && p.area >= 6 {
			carries[p.around] = true
		}
	}
	collect := func(strict bool) (boxes []levelled) {
		for i, p := range s.parts {
			w, h := p.width(), p.height()
			if max(w, h) < 4 || p.area < 6 || p.around < 0 || !p.dark && !light || h > 12*w || h >= s.height || w >= s.width ||
				w > 12*h || !s.mostly(p) || framed[i] {
				continue
			}
			if !p.dark && carries[i] && 10*p.area >= 7*w*h {
				continue // a sheet with dark letters
			}
			if p.dark && light && carries[i] && s.cutOff(p) {
				continue // an area with light letters
			}
			a := s.parts[p.around]
			if strict && a.width()*a.height() < 6*w*h && !s.outer(a) {
				continue
			}
			boxes = append(boxes, s.levelled(i, 0))
		}
		return boxes
	}
	boxes := collect(true)
	if len(boxes) == 0 {
		boxes = collect(false)
	}
	height := func(g levelled) float64 { return g.bottom - g.top }
	if one, lonely := alone(boxes); lonely {
		return height(one)
	}
	boxes = stack(boxes, 1.75*weighted(boxes, 0.9, height, height)) // some syllables have no part that is nearly as high as they are
	if h := sizeOf(boxes); h >= smallestLetter {
		return h
	}
	return 0
}

// framing tells for each dark part whether there is a dark part within it that is not small against it, or several: then it is no letter,
// but a frame or the mesh of a table.
func (s *scene) framing() []bool {
	framed := make([]bool, len(s.parts))
	held := make([]int, len(s.parts)) // dark parts within a part
	for _, p := range s.parts {
		if !p.dark || p.around < 0 || p.area < 6 {
			continue
		}
		hole := s.parts[p.around]
		if hole.around < 0 || hole.dark {
			continue
		}
		f := s.parts[hole.around]
		held[hole.around]++
		large := 10*hole.width() >= 6*f.width() && 2*hole.height() >= f.height() && 4*p.height() >= hole.height()
		if large || held[hole.around] == several {
			framed[hole.around] = true
		}
	}
	return framed
}

// several are more dark parts than a letter has within its holes.
const several = 5

// cutOff tells whether most of a side of a part lies on an edge of the piece, as none of a letter does.
func (s *scene) cutOff(p part) bool {
	along := func(n, from, step int) bool {
		dark := 0
		for k := range n {
			dark += int(s.ink[from+k*step])
		}
		return 10*dark >= 6*n
	}
	left, right := p.y1*s.width, p.y1*s.width+s.width-1
	return p.x1 == 0 && along(p.height(), left, s.width) || p.x2 == s.width && along(p.height(), right, s.width) ||
		p.y1 == 0 && along(p.width(), p.x1, 1) || p.y2 == s.height && along(p.width(), (s.height-1)*s.width+p.x1, 1)
}

// outer tells whether a part reaches two edges of the piece.
func (s *scene) outer(p part) bool {
	n := 0
	for _, touches := range []bool{p.x1 == 0, p.y1 == 0, p.x2 == s.width, p.y2 == s.height} {
		if touches {
			n++
		}
	}
	return n >= 2
}

// solid tells whether there is a square in a dark part that is dark all over and larger than letters: then it is no frame and no rule,
// whatever hangs on it.
func (s *scene) solid(p part) bool {
	side := int(1.2*s.letter) + 1
	squares := make([]int, p.width()+1) // sides of the largest squares that end at the pixels of a row
	for y := p.y1; y < p.y2; y++ {
		before := 0 // of the pixel to the left in the row above
		for k, ink := range s.ink[y*s.width+p.x1 : y*s.width+p.x2] {
			above := squares[k+1]
			if squares[k+1] = 0; ink != 0 {
				squares[k+1] = 1 + min(before, above, squares[k])
			}
			if before = above; squares[k+1] >= side {
				return true
			}
		}
	}
	return false
}

// level makes letters on dark areas dark on light, both in the ink and in the shades.
func (s *scene) level() (changed bool) {
	filled, children := s.families()
	turned := make([]uint8, len(s.ink)) // 1 where light and dark change places
	for i, p := range s.parts {
		if p.dark && s.plate(i, filled[i], children[i], turned) {
			s.parts[i].kind = ground
			changed = true
		}
	}
	if changed {
		s.turn(turned)
	}
	return changed
}

// families returns for each part the pixels inside its outline and the parts directly on it.
func (s *scene) families() (filled []int, children [][]int32) {
	filled, children = make([]int, len(s.parts)), make([][]int32, len(s.parts))
	for i := len(s.parts) - 1; i >= 0; i-- {
		p := s.parts[i]
		filled[i] += p.area
		if p.around >= 0 {
			filled[p.around] += filled[i]
			children[p.around] = append(children[p.around], int32(i))
		}
	}
	return filled, children
}

// plate tells whether a dark part is the ground of light letters, and not a letter with holes. If so, it marks the pixels to be turned: all
// of its box if the part fills that, since letters at its edge are open to the outside, otherwise what it surrounds.
func (s *scene) plate(i, filled int, children []int32, turned []uint8) bool {
	p := s.parts[i]
	w, h := p.width(), p.height()
	outer := s.outer(p) && s.solid(p)
	if float64(h) < 0.8*s.letter || w < 6 || h < 8 || 10*p.area < 3*w*h && !outer {
		return false
	}
	full := 0.7
	if w < h { // one letter, perhaps, with thick strokes
		full = 0.85
	}
	if float64(h) < 1.15*s.letter && (w < 5*h && float64(p.area) < full*float64(w*h) || s.joinedWord(p)) {
		return false // a letter, or some that are joined
	}
	if !s.lit(p) && (s.letter == 0 || !s.lettered(p, filled, children, outer)) {
		return false
	}
	inside, x1, y1, x2, y2, dark := s.within(i)
	box := 100*dark >= 88*(x2-x1)*(y2-y1) && x2-x1 >= 4 && y2-y1 >= 8 && 10*(x2-x1)*(y2-y1) >= 7*w*h
	thick := float64(p.area) / float64(max(w, h))
	large := outer || float64(h) > 2*s.letter && thick > s.letter && 10*filled >= 8*w*h
	switch edges := s.edges(p.x1+x1, p.y1+y1, p.x1+x2, p.y1+y2); {
	case large:
	case box && 5*w >= 8*h && edges >= 3, box && edges == 4:
	default:
		return false
	}
	for y := range h {
		for x := range w {
			in := inside[y*w+x] != 0
			if box {
				in = x >= x1 && x < x2 && y >= y1 && y < y2
			}
			if in {
				turned[(y+p.y1)*s.width+x+p.x1] = 1
			}
		}
	}
	return true
}

// joinedWord tells whether a part stands in a row of letters that are as high as it is: then it is a word whose letters are joined, since
// the ground of letters is higher than those beside it.
func (s *scene) joinedWord(p part) bool {
	h := float64(p.height())
	letters := 0
	for _, q := range s.parts {
		w, of := float64(q.width()), float64(q.height())
		if q != p && q.dark && w > 0.3*of && float64(q.area) < 0.85*w*of && math.Abs(of-h) <= 0.25*h &&
			overlap(float64(p.y1), float64(p.y2), float64(q.y1), float64(q.y2)) >= 0.7*h {
			if letters++; letters == 2 {
				return true
			}
		}
	}
	return false
}

// lettered tells whether the light parts on a dark one may be letters.
func (s *scene) lettered(p part, filled int, children []int32, outer bool) bool {
	w, h := p.width(), p.height()
	blobs, blobArea, letters := 0, 0, 0
	for _, c := range children {
		q := s.parts[c]
		if q.area < 4 || 5*q.height() < h && float64(q.height()) < 0.5*s.letter {
			continue
		}
		if 100*q.area >= 60*q.width()*q.height() {
			blobs++
			blobArea += q.area
		} else {
			letters++
		}
	}
	if letters == 0 && 10*blobArea >= 3*filled || 10*p.area < 5*filled && !outer {
		return false // a frame, or a letter like a box
	}
	if letters == 0 && 5*w < 8*h && !outer {
		return false // a letter with holes, or a bullet
	}
	return true
}

// lit tells whether a dark box has something lighter on it that takes up less than half of it, however faint it is against the paper
// around.
func (s *scene) lit(p part) bool {
	w, h := p.width(), p.height()
	inset := max(2, h/10)
	if 10*p.area < 8*w*h || h < 12 || w < h/2 || s.factor*(w-2*inset) < 4 {
		return false
	}
	var shades [256]int
	for y := (p.y1 + inset) * s.factor; y < (p.y2-inset)*s.factor; y += s.factor {
		for x := (p.x1 + inset) * s.factor; x < (p.x2-inset)*s.factor; x += s.factor {
			shades[s.gray.Pix[y*s.gray.Width+x]]++
		}
	}
	ground, bright := quantile(shades[:], 0.5), quantile(shades[:], 0.97)
	return bright-ground >= 3*minContrast && float64(bright-ground) >= noiseFactor*s.noise
}

// edges counts the sides of a box along which it is dark, a little inside.
func (s *scene) edges(x1, y1, x2, y2 int) (n int) {
	inset := 1
	if y2-y1 > 24 {
		inset = 2
	}
	across := func(y int) {
		dark := 0
		for _, v := range s.ink[y*s.width+x1 : y*s.width+x2] {
			dark += int(v)
		}
		if 10*dark >= 8*(x2-x1) {
			n++
		}
	}
	along := func(x int) {
		dark := 0
		for y := y1; y < y2; y++ {
			dark += int(s.ink[y*s.width+x])
		}
		if 10*dark >= 6*(y2-y1) {
			n++
		}
	}
	if y2-y1 > 2*inset && x2-x1 > 2*inset {
		across(y1 + inset)
		across(y2 - 1 - inset)
		along(x1 + inset)
		along(x2 - 1 - inset)
	}
	return n
}

// within marks the pixels of a part's box that it surrounds, and returns the part of the box of which rows and columns are mostly
// marked, and how many pixels are marked there.
func (s *scene) within(i int) (inside []uint8, x1, y1, x2, y2, full int) {
	p := s.parts[i]
	inside = make([]uint8, p.width()*p.height())
	member := make([]bool, len(s.parts))
	member[i] = true
	for k := i + 1; k < len(s.parts); k++ { // parts come after what surrounds them
		// A light ground on a dark one, such as a sheet on a desk, stays as it is.
		q := s.parts[k]
		member[k] = q.around >= 0 && member[q.around] && (q.dark || !s.sheet(q))
	}
	columns, rows := make([]int, p.width()), make([]int, p.height())
	for _, r := range s.runs {
		if !member[r.part] || int(r.y) < p.y1 || int(r.y) >= p.y2 {
			continue
		}
		y := int(r.y) - p.y1
		for x := max(int(r.x1), p.x1); x < min(int(r.x2), p.x2); x++ {
			inside[y*p.width()+x-p.x1] = 1
			columns[x-p.x1]++
			rows[y]++
		}
	}
	x2, y2 = p.width(), p.height()
	for y1 < y2-1 && 10*rows[y1] < 5*p.width() {
		y1++
	}
	for y1 < y2-1 && 10*rows[y2-1] < 5*p.width() {
		y2--
	}
	for x1 < x2-1 && 10*columns[x1] < 7*(y2-y1) {
		x1++
	}
	for x1 < x2-1 && 10*columns[x2-1] < 7*(y2-y1) {
		x2--
	}
	for y1 < y2-1 && 10*rows[y1] < 7*(x2-x1) {
		y1++
	}
	for y1 < y2-1 && 10*rows[y2-1] < 7*(x2-x1) {
		y2--
	}
	for y := y1; y < y2; y++ {
		for _, v := range inside[y*p.width()+x1 : y*p.width()+x2] {
			full += int(v)
		}
	}
	return inside, x1, y1, x2, y2, full
}

// sheet tells whether a light part on a dark one is paper with text of its own: large, with dark parts on it.
func (s *scene) sheet(p part) bool {
	return float64(p.height()) > 1.5*s.letter && float64(p.width()) > 3*s.letter && float64(p.area) > 6*s.letter*s.letter
}

// turn changes light and dark where turned is set, and clears the edges of such places.
func (s *scene) turn(turned []uint8) {
	small := s.gray.shrink(s.factor)
	var shades, papers [256]int
	for i, v := range small.Pix {
		switch {
		case turned[i] != 0 && s.ink[i] != 0:
			shades[v]++
		case turned[i] == 0 && s.ink[i] == 0:
			papers[v]++
		}
	}
	plate, paper := median(shades[:]), 235
	if n := sum(papers[:]); 50*n > len(small.Pix) {
		paper = median(papers[:])
	}
	paper = max(paper, plate+60)
	edge := func(x, y int) bool {
		v := turned[y*s.width+x]
		return x > 0 && turned[y*s.width+x-1] != v || x < s.width-1 && turned[y*s.width+x+1] != v ||
			y > 0 && turned[(y-1)*s.width+x] != v || y < s.height-1 && turned[(y+1)*s.width+x] != v
	}
	shade := uint8(min(255, paper))
	for y := range s.height {
		for x := range s.width {
			i := y*s.width + x
			cleared := edge(x, y)
			if !cleared && turned[i] == 0 {
				continue
			}
			for v := y * s.factor; v < min((y+1)*s.factor, s.gray.Height); v++ {
				row := s.gray.row(v)
				for u := x * s.factor; u < min((x+1)*s.factor, s.gray.Width); u++ {
					if cleared {
						row[u] = shade
					} else {
						row[u] = uint8(min(255, max(0, paper+plate-int(row[u]))))
					}
				}
			}
		}
	}
}

func sum(counts []int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

// median is the index below which half of what is counted lies.
func median(counts []int) int { return quantile(counts, 0.5) }

// quantile is the index below which a fraction of what is counted lies.
func quantile(counts []int, fraction float64) int {
	total, below := float64(sum(counts)), 0
	for v, n := range counts {
		if below += n; float64(below) >= fraction*total {
			return v
		}
	}
	return 0
}

// paperShade is the median of the shades where no ink is.
func (s *scene) paperShade() uint8 {
	var counts [256]int
	var odd [256]int // neighbours are often alike, and a count waits for the one before it
	for y := 0; y < s.height; y++ {
		row := s.gray.row(min(y*s.factor, s.gray.Height-1))
		for x, v := range s.ink[y*s.width : (y+1)*s.width] {
			switch shade := row[min(x*s.factor, len(row)-1)]; {
			case v != 0:
			case x&1 != 0:
				odd[shade]++
			default:
				counts[shade]++
			}
		}
	}
	for shade, n := range odd {
		counts[shade] += n
	}
	return uint8(median(counts[:]))
}

// Rules are long against letters and thin.
const (
	ruleAcross = 3.0  // letter heights that a horizontal rule is longer than
	ruleAlong  = 1.8  // and a vertical one
	ruleThick  = 0.25 // letter heights that rules are thinner than
	sideThick  = 0.4  // and the sides of frames
)

// eraseRules takes rules and frames out of the ink and the shades. Strokes that cross a rule stay.
func (s *scene) eraseRules(headlines bool) bool {
	thick := max(3, int(ruleThick*s.letter+0.5))
	erased := false
	mask := make([]uint8, len(s.ink)) // 1 where a rule is
	at := func(x, y int) uint8 {
		if x < 0 || y < 0 || x >= s.width || y >= s.height {
			return 0
		}
		return s.ink[y*s.width+x]
	}
	longest := int(max(ruleAcross*s.letter, 24))
	for _, r := range s.runs {
		if !r.dark || int(r.x2-r.x1) < longest {
			continue
		}
		var counts [256]int
		for x := int(r.x1); x < int(r.x2); x++ {
			up, down := 0, 0
			for up <= thick && at(x, int(r.y)-up-1) != 0 {
				up++
			}
			for down <= thick && at(x, int(r.y)+down+1) != 0 {
				down++
			}
			counts[min(255, up+down+1)]++
		}
		if median(counts[:]) > thick || headlines && s.headline(r, thick) {
			continue
		}
		erased = true
		for x := int(r.x1); x < int(r.x2); x++ {
			mask[int(r.y)*s.width+x] = 1
		}
	}
	if tall := int(max(ruleAlong*s.letter, 12)); slices.ContainsFunc(s.parts, func(p part) bool { return p.dark && p.height() >= tall }) {
		erased = s.eraseUpright(mask, tall, thick) || erased
	}
	erased = s.eraseFrames(mask) || erased
	if erased {
		s.wipe(mask)
	}
	return erased
}

// eraseUpright marks vertical rules.
func (s *scene) eraseUpright(mask []uint8, tall, thick int) (erased bool) {
	for x := range s.width {
		for y := 0; y < s.height; {
			if s.ink[y*s.width+x] == 0 {
				y++
				continue
			}
			end := y
			for end < s.height && s.ink[end*s.width+x] != 0 {
				end++
			}
			if end-y >= tall {
				var counts [256]int
				for v := y; v < end; v++ {
					left, right := 0, 0
					for left <= thick && x-left-1 >= 0 && s.ink[v*s.width+x-left-1] != 0 {
						left++
					}
					for right <= thick && x+right+1 < s.width && s.ink[v*s.width+x+right+1] != 0 {
						right++
					}
					counts[min(255, left+right+1)]++
				}
				if median(counts[:]) <= thick {
					erased = true
					for v := y; v < end; v++ {
						mask[v*s.width+x] = 1
					}
				}
			}
			y = end
		}
	}
	return erased
}

// owner is the part of a pixel.
func (s *scene) owner(x, y int) int32 {
	lo, hi := 0, len(s.runs)
	for lo+1 < hi {
		mid := (lo + hi) / 2
		if r := s.runs[mid]; int(r.y) < y || int(r.y) == y && int(r.x1) <= x {
			lo = mid
		} else {
			hi = mid
		}
	}
	return s.runs[lo].part
}

// eraseFrames marks frames, however their sides stand: thin parts around a large light one that has letters on it. Letters that hang on
// them stay.
func (s *scene) eraseFrames(mask []uint8) (erased bool) {
	framed := s.framing()
	var sides []uint8
	for _, p := range s.parts {
		if p.dark || p.around < 0 || !framed[p.around] || float64(p.height()) < s.letter || float64(p.width()) < s.letter {
			continue
		}
		if sides == nil {
			sides = make([]uint8, len(mask))
		}
		s.markSides(sides, p)
	}
	for i, p := range s.parts {
		if !framed[i] || float64(p.width()) < 1.2*s.letter || float64(p.height()) < 1.2*s.letter || sides == nil {
			continue
		}
		erased = s.markFrame(mask, sides, p) || erased
	}
	return erased
}

// markFrame marks the sides of a frame, and what is left of it but for letters.
func (s *scene) markFrame(mask, sides []uint8, p part) (erased bool) {
	rest := make([]uint8, p.width()*p.height())
	for k := p.first; k >= 0; k = s.runs[k].next {
		r := s.runs[k]
		for x := int(r.x1); x < int(r.x2); x++ {
			switch i := int(r.y)*s.width + x; {
			case sides[i] != 0:
				mask[i], erased = 1, true
			case mask[i] == 0:
				rest[(int(r.y)-p.y1)*p.width()+x-p.x1] = 1
			}
		}
	}
	runs, pieces := parts(rest, p.width(), p.height())
	var letters []part
	for _, q := range pieces {
		w, h := float64(q.width()), float64(q.height())
		if q.dark && max(w, h) >= 0.5*s.letter &&
			(h > 0.5*s.letter && h < 1.7*s.letter && w < 2*s.letter || float64(q.area) > max(2, ruleThick*s.letter)*(w+h)) {
			letters = append(letters, q)
		}
	}
	thick := int(sideThick*s.letter) + 1
	for _, q := range pieces {
		if !q.dark || slices.ContainsFunc(letters, func(l part) bool { // or a tail of one, below a rule
			return l.x1 < q.x2 && q.x1 < l.x2 && max(l.y1, q.y1)-min(l.y2, q.y2) < thick
		}) {
			continue
		}
		erased = true
		for k := q.first; k >= 0; k = runs[k].next {
			for x := runs[k].x1; x < runs[k].x2; x++ {
				mask[(int(runs[k].y)+p.y1)*s.width+int(x)+p.x1] = 1
			}
		}
	}
	return erased
}

// markSides marks the sides of the frame around a light part where they are straight and thin.
func (s *scene) markSides(mask []uint8, hole part) {
	w, h := hole.width(), hole.height()
	left, right, top, bottom := make([]int, h), make([]int, h), make([]int, w), make([]int, w) // where it begins, from its box inwards
	for k := range h {
		left[k], right[k] = w, w
	}
	for k := range w {
		top[k], bottom[k] = h, h
	}
	for k := hole.first; k >= 0; k = s.runs[k].next {
		r := s.runs[k]
		x1, x2, y := int(r.x1)-hole.x1, int(r.x2)-hole.x1, int(r.y)-hole.y1
		left[y], right[y] = min(left[y], x1), min(right[y], w-x2)
		for x := x1; x < x2; x++ {
			top[x], bottom[x] = min(top[x], y), min(bottom[x], h-1-y)
		}
	}
	s.markSide(mask, left, func(k, in int) (int, int) { return hole.x1 + in, hole.y1 + k })
	s.markSide(mask, right, func(k, in int) (int, int) { return hole.x2 - 1 - in, hole.y1 + k })
	s.markSide(mask, top, func(k, in int) (int, int) { return hole.x1 + k, hole.y1 + in })
	s.markSide(mask, bottom, func(k, in int) (int, int) { return hole.x1 + k, hole.y2 - 1 - in })
}

// markSide marks a side of a frame, which ends inwards at the depths of inner. at is the place of a depth.
func (s *scene) markSide(mask []uint8, inner []int, at func(k, in int) (x, y int)) {
	const farthest = 40 // pixels
	n := len(inner)
	falls := min(n/10, farthest)
	counts := make([]int, slices.Max(inner)+2*falls+2)
	most, slope, offset := 0, 0.0, 0
	for step := range 2*falls + 1 { // the least first
		clear(counts)
		sl := float64((step+1)/2) / float64(n)
		if step%2 != 0 {
			sl = -sl
		}
		for k, in := range inner {
			counts[falls+in-int(math.Round(sl*float64(k)))]++
		}
		for o := len(counts) - 2; o >= 0; o-- {
			if c := counts[o] + counts[o+1]; c > most {
				most, slope, offset = c, sl, o-falls
			}
		}
	}
	if 5*most < 2*n {
		return
	}
	limit := max(4, int(sideThick*s.letter))
	ink := func(k, in int) bool {
		x, y := at(k, in)
		return x >= 0 && y >= 0 && x < s.width && y < s.height && s.ink[y*s.width+x] != 0
	}
	var counted [256]int
	for k := range n {
		edge := offset + int(math.Round(slope*float64(k)))
		if inner[k] != edge && inner[k] != edge+1 {
			continue
		}
		thick := 0
		for thick <= min(limit, 254) && ink(k, inner[k]-1-thick) {
			thick++
		}
		counted[thick]++
	}
	thick := median(counted[:])
	if thick == 0 || thick > limit {
		return
	}
	for k := -limit; k < n+limit; k++ {
		edge := offset + int(math.Round(slope*float64(k)))
		from := edge - 1
		if k >= 0 && k < n && (inner[k] == edge || inner[k] == edge+1) {
			from = inner[k] - 1
		}
		to := from - thick
		if !ink(k, to-1) {
			to-- // it ends there, and nothing hangs on it
		}
		for in := from; in > to; in-- {
			if ink(k, in) {
				x, y := at(k, in)
				mask[y*s.width+x] = 1
			}
		}
	}
}

// markPart sets the pixels of a part.
func (s *scene) markPart(mask []uint8, p part) {
	for k := p.first; k >= 0; k = s.runs[k].next {
		r := s.runs[k]
		for x := r.x1; x < r.x2; x++ {
			mask[int(r.y)*s.width+int(x)] = 1
		}
	}
}

// wipe makes paper of what a mask marks and of the soft edge of it, but for strokes that go across.
func (s *scene) wipe(mask []uint8) {
	// A stroke that crosses a rule has ink on both sides of it that is no rule.
	stroke := func(x, y int) bool {
		return y >= 0 && y < s.height && x >= 0 && x < s.width && s.ink[y*s.width+x] != 0 && mask[y*s.width+x] == 0
	}
	keep := make([]uint8, len(mask))
	for y := range s.height {
		for x, m := range mask[y*s.width : (y+1)*s.width] {
			if m == 0 || y > 0 && mask[(y-1)*s.width+x] != 0 { // not the upper edge of a rule
				continue
			}
			end := y
			for end < s.height && mask[end*s.width+x] != 0 {
				end++
			}
			if (stroke(x, y-1) || stroke(x-1, y-1) || stroke(x+1, y-1)) && (stroke(x, end) || stroke(x-1, end) || stroke(x+1, end)) {
				for v := y; v < end; v++ {
					keep[v*s.width+x] = 1
				}
			}
		}
	}
	for y := range s.height {
		for x := 0; x < s.width; {
			if mask[y*s.width+x] == 0 {
				x++
				continue
			}
			end := x
			for end < s.width && mask[y*s.width+end] != 0 {
				end++
			}
			if float64(end-x) < s.letter && (stroke(x-1, y) || stroke(x-1, y-1) || stroke(x-1, y+1)) &&
				(stroke(end, y) || stroke(end, y-1) || stroke(end, y+1)) {
				for v := x; v < end; v++ {
					keep[y*s.width+v] = 1
				}
			}
			x = end
		}
	}
	shade := s.paperShade()
	reach := 1
	if s.pale = s.lighter(mask, shade); s.pale {
		reach = 2
	}
	for y := range s.height {
		for x := range s.width {
			i := y*s.width + x
			if mask[i] == 0 || keep[i] != 0 {
				continue
			}
			for v := max(0, y-reach); v <= min(s.height-1, y+reach); v++ {
				for u := max(0, x-reach); u <= min(s.width-1, x+reach); u++ {
					k := v*s.width + u
					if mask[k] == 0 && s.ink[k] != 0 || keep[k] != 0 {
						continue
					}
					s.paint(u, v, shade)
				}
			}
			s.ink[i] = 0
		}
	}
}

// lighter tells whether ink has less than half of the contrast of what a mask marks.
func (s *scene) lighter(mask []uint8, paper uint8) bool {
	var rules, letters [256]int
	small := s.gray.shrink(s.factor)
	for i, v := range small.Pix {
		switch {
		case mask[i] != 0:
			rules[v]++
		case s.ink[i] != 0:
			letters[v]++
		}
	}
	return 2*(int(paper)-median(letters[:])) < int(paper)-median(rules[:])
}

// paint gives a pixel of the ink a shade on the piece.
func (s *scene) paint(x, y int, shade uint8) {
	for v := y * s.factor; v < min((y+1)*s.factor, s.gray.Height); v++ {
		row := s.gray.row(v)
		for u := x * s.factor; u < min((x+1)*s.factor, s.gray.Width); u++ {
			row[u] = shade
		}
	}
}

// slope is the slope of the lines: how many pixels they fall for one to the right. It is 0 unless another slope is clearly better.
func slope(boxes []part, letter float64) float64 {
	left, right := math.Inf(1), math.Inf(-1)
	boxes = slices.DeleteFunc(slices.Clone(boxes), func(p part) bool {
		h := float64(p.height())
		return h < 0.5*letter || h > 1.7*letter
	})
	for _, p := range boxes {
		left, right = min(left, float64(p.x1)), max(right, float64(p.x2))
	}
	if len(boxes) < 5 || right-left < 5*letter {
		return 0
	}
	bin := max(1, letter/6)
	reach := right * steepest
	lowest, highest := math.Inf(1), math.Inf(-1)
	for _, p := range boxes {
		lowest, highest = min(lowest, float64(p.y1)), max(highest, float64(p.y2))
	}
	lowest -= reach
	counts := make([]float64, 2*(int((highest+reach-lowest)/bin)+2))
	score := func(slope float64) (total float64) {
		clear(counts)
		for _, p := range boxes {
			shift, w := slope*float64(p.x1+p.x2)/2+lowest, float64(p.width())
			counts[2*int((float64(p.y2)-shift)/bin)] += w
			counts[2*int((float64(p.y1)-shift)/bin)+1] += w
		}
		for _, n := range counts {
			total += n * n
		}
		return total
	}
	best, bestScore := 0.0, 1.2*score(0)
	step := min(0.02, 1.2*bin/(right-left))
	for sl := step; sl <= steepest; sl += step {
		for _, sl := range []float64{sl, -sl} {
			if v := score(sl); v > bestScore {
				best, bestScore = sl, v
			}
		}
	}
	if best != 0 {
		for _, sl := range []float64{best - step/2, best + step/2} {
			if v := score(sl); v > bestScore {
				best, bestScore = sl, v
			}
		}
	}
	return best
}

// steepest is the steepest slope of lines that is looked for: some 14 degrees.
const steepest = 0.25
