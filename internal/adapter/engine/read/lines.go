package read

import (
	"cmp"
	"math"
	"slices"
)

// rect is a part of an image in pixels; x2 and y2 lie outside of it.
type rect struct{ x1, y1, x2, y2 float64 }

// line is a line of text on a scene, in pixels of the ink. It runs along y = top + slope·x at its upper edge.
type line struct {
	x1, x2      float64 // of its ink
	top, bottom float64 // of its ink, at x = 0
	slope       float64 // of the line: how many pixels it falls for one to the right
	letter      float64 // height of its capital letters
	column      int     // columns are numbered in the order in which they are read
	parts       []int
	blanks      []typed
}

func (l line) height() float64 { return l.bottom - l.top }
func (l line) middle() float64 { return (l.top + l.bottom) / 2 }

// levelled is a part of the ink, or several above one another, where lines are level.
type levelled struct {
	part        int
	next        int // the next one of a stack, or -1
	x1, x2      float64
	top, bottom float64
}

// highest is the height of one letter or syllable, with all that stands above and below, in heights of a capital letter.
const highest = 1.5

// stack takes together what stands above one another within a letter, such as the parts of a syllable or a dot and what is below. The
// part of a stack is the index of its first member, from which next leads to the others. No stack is higher than most: so letters of
// two lines stay apart however narrow the leading is.
func stack(boxes []levelled, most float64) []levelled {
	order := make([]int, len(boxes))
	group := make([]int, len(boxes)) // the stack of each
	stacks := make([]levelled, len(boxes))
	for i := range boxes {
		boxes[i].next = -1
		order[i], group[i] = i, i
		stacks[i] = boxes[i]
		stacks[i].part = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(boxes[a].x1, boxes[b].x1) })
	for again := true; again; {
		again = false
		for n, i := range order {
			a := group[i]
			for _, j := range order[n+1:] {
				b := group[j]
				if boxes[j].x1 >= stacks[a].x2 {
					break
				}
				if a == b {
					continue
				}
				p, q := stacks[a], stacks[b]
				taller := max(p.bottom-p.top, q.bottom-q.top)
				wider := max(p.x2-p.x1, q.x2-q.x1)
				if overlap(p.x1, p.x2, q.x1, q.x2) < 0.6*min(p.x2-p.x1, q.x2-q.x1) ||
					wider > 2.5*max(taller, max(p.bottom, q.bottom)-min(p.top, q.top)) {
					continue
				}
				gap := max(p.top, q.top) - min(p.bottom, q.bottom)
				height := max(p.bottom, q.bottom) - min(p.top, q.top)
				if gap > 0.4*taller || height > most || height > 2.2*taller && height > 1.3*wider {
					continue
				}
				last := p.part
				for boxes[last].next >= 0 {
					last = boxes[last].next
				}
				boxes[last].next = q.part
				stacks[a] = levelled{part: p.part, next: -1, x1: min(p.x1, q.x1), x2: max(p.x2, q.x2), top: min(p.top, q.top),
					bottom: max(p.bottom, q.bottom)}
				for k, g := range group {
					if g == b {
						group[k] = a
					}
				}
				again = true
			}
		}
	}
	var found []levelled
	for i, g := range group {
		if g == i {
			found = append(found, stacks[i])
		}
	}
	return found
}

// alone takes parts together that make up one character, such as a syllable, beside which there is no other one that tells its height:
// what stands above one another is about as wide as it is high.
func alone(boxes []levelled) (one levelled, lonely bool) {
	if len(boxes) < 2 || len(boxes) > 6 {
		return one, false
	}
	stacks := stack(slices.Clone(boxes), math.Inf(1))
	one = stacks[0]
	w, h := one.x2-one.x1, one.bottom-one.top
	return one, len(stacks) == 1 && 0.7*h < w && w < 1.4*h
}

// lines finds the lines whose middle is inside of the region, column by column from the top down.
func (s *scene) lines() []line {
	glyphs, slope := s.glyphs()
	if len(glyphs) == 0 {
		return nil
	}
	var found []line
	stacks := stack(glyphs, highest*s.letter)
	if one, lonely := alone(glyphs); lonely {
		l := line{x1: one.x1, x2: one.x2, top: one.top, bottom: one.bottom, slope: slope, letter: 0.8 * (one.bottom - one.top)}
		for _, g := range glyphs {
			l.parts = append(l.parts, g.part)
		}
		return s.whole([]line{l}, slope)
	}
	for column, stacks := range columns(stacks, slope, s.letter) {
		for _, band := range withMarks(bands(stacks, s.letter), s.letter) {
			if l, ok := s.line(glyphs, band, slope); ok {
				l.column = column
				found = append(found, l)
			}
		}
	}
	return s.whole(found, slope)
}

// unlike is how many times as high as others the letters of a line may be.
const unlike = 2.5

// rows are the lines of some parts, in which no gap is as wide as between columns, those with the most parts first.
func (s *scene) rows(parts []int) (found []line) {
	glyphs := make([]levelled, len(parts))
	for k, i := range parts {
		glyphs[k] = s.levelled(i, 0)
	}
	slices.SortFunc(glyphs, func(a, b levelled) int { return cmp.Compare(a.x1, b.x1) })
	var rows, open [][]levelled // open are those that may go on
	for k, g := range glyphs {
		g.part = k // as of a stack
		open = slices.DeleteFunc(open, func(row []levelled) bool {
			last := row[len(row)-1]
			ended := g.x1-last.x2 >= gutter*unlike*(last.bottom-last.top)
			if ended {
				rows = append(rows, row)
			}
			return ended
		})
		at := slices.IndexFunc(open, func(row []levelled) bool {
			last := row[len(row)-1]
			low, high := min(g.bottom-g.top, last.bottom-last.top), max(g.bottom-g.top, last.bottom-last.top)
			return g.x1-last.x2 < gutter*high && high < unlike*low && overlap(g.top, g.bottom, last.top, last.bottom) > 0.5*low
		})
		if at < 0 {
			open = append(open, []levelled{g})
		} else {
			open[at] = append(open[at], g)
		}
	}
	for _, row := range append(rows, open...) {
		if len(row) >= shortest {
			if l, ok := s.line(glyphs, row, 0); ok {
				found = append(found, l)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b line) int { return cmp.Compare(len(b.parts), len(a.parts)) })
	return found
}

// whole keeps the lines of the region and gives them what else belongs to them.
func (s *scene) whole(found []line, slope float64) []line {
	found = s.inside(found)
	whole := slices.DeleteFunc(slices.Clone(found), func(l line) bool { return s.leaves(l, slope) || s.hangsIn(l) })
	if len(whole) > 0 {
		found = whole
	}
	s.adopt(found, slope)
	s.extend(found)
	free, f := slices.Clone(s.blanks), float64(s.factor)
	for k, l := range found {
		found[k].blanks = s.claim(&free, line{x1: l.x1 * f, x2: l.x2 * f, top: l.top * f, bottom: l.bottom * f, letter: l.letter * f,
			slope: l.slope})
	}
	return found
}

// glyphs are the parts that may be letters, with the slope at which they stand in lines.
func (s *scene) glyphs() ([]levelled, float64) {
	var at []int
	var boxes []part
	for i, p := range s.parts {
		if !p.dark || !s.glyph(p) {
			continue
		}
		if overlap(float64(p.x1), float64(p.x2), s.inner.x1, s.inner.x2) < min(0.4*float64(p.width()), 0.4*s.letter) {
			continue // cut by the region's edge, and most of it lies outside
		}
		if overlap(float64(p.y1), float64(p.y2), s.inner.y1, s.inner.y2) < 0.4*float64(p.height()) {
			continue
		}
		at, boxes = append(at, i), append(boxes, p)
	}
	slope := slope(boxes, s.letter)
	glyphs := make([]levelled, len(at))
	for k, i := range at {
		glyphs[k] = s.levelled(i, slope)
	}
	return glyphs, slope
}

func (s *scene) levelled(i int, slope float64) levelled {
	p := s.parts[i]
	shift := slope * float64(p.x1+p.x2) / 2
	return levelled{part: i, next: -1, x1: float64(p.x1), x2: float64(p.x2), top: float64(p.y1) - shift, bottom: float64(p.y2) - shift}
}

// glyph tells whether a dark part may be a letter or a piece of one that helps to find lines: specks are none, nor is what is much
// larger than letters.
func (s *scene) glyph(p part) bool {
	w, h := float64(p.width()), float64(p.height())
	switch {
	case max(w, h) < 0.3*s.letter || p.area < 3:
		return false
	case h > 4*s.letter, w > 30*s.letter && h < 0.4*s.letter:
		return false
	}
	return true
}

// speckled tells whether the ink is mostly specks: a halftone, or letters that are printed in dots.
func (s *scene) speckled() bool {
	specks, glyphs := 0, 0
	for _, p := range s.parts {
		switch {
		case !p.dark:
		case s.glyph(p):
			glyphs++
		case float64(max(p.width(), p.height())) < 0.3*s.letter:
			specks++
		}
	}
	return specks > 40 && specks > 4*glyphs
}

func overlap(a1, a2, b1, b2 float64) float64 { return min(a2, b2) - max(a1, b1) }

// bands splits glyphs into lines by the gaps between them from top to bottom.
func bands(glyphs []levelled, letter float64) [][]levelled {
	top, end := math.Inf(1), math.Inf(-1)
	for _, g := range glyphs {
		top, end = min(top, g.top), max(end, g.bottom)
	}
	cell := max(0.5, letter/16)
	n := int((end-top)/cell) + 2
	profile := make([]float64, n)
	row := func(y float64) int { return min(n-1, max(0, int((y-top)/cell))) }
	for _, g := range glyphs {
		// The middle of a letter counts, so that what hangs below and stands out above does not join lines.
		cut := 0.0
		if h := g.bottom - g.top; h > 0.6*letter {
			cut = 0.12 * h
		}
		for y := row(g.top + cut); y <= row(g.bottom-cut-cell/2); y++ {
			profile[y] += g.x2 - g.x1
		}
	}
	var cuts []float64 // where a band ends and the next one begins
	var split func(from, to int)
	peak := func(from, to int) (at int) {
		at = from
		for y := from; y < to; y++ {
			if profile[y] > profile[at] {
				at = y
			}
		}
		return at
	}
	split = func(from, to int) {
		// Two lines lie at least so far apart from middle to middle.
		apart := int(0.9 * letter / cell)
		if to-from < apart {
			return
		}
		// The deepest valley between two hills.
		best, depth := -1, 1.0
		left := 0.0
		lefts := make([]float64, to-from)
		for y := from; y < to; y++ {
			left = max(left, profile[y])
			lefts[y-from] = left
		}
		right := 0.0
		for y := to - 1; y >= from; y-- {
			right = max(right, profile[y])
			hill := min(lefts[y-from], right)
			if hill == 0 {
				continue
			}
			if d := profile[y] / hill; d < depth {
				best, depth = y, d
			}
		}
		if best < 0 {
			return
		}
		a, b := best, best+1 // all of the valley's floor
		for a > from && profile[a-1] <= profile[best] {
			a--
		}
		for b < to && profile[b] <= profile[best] {
			b++
		}
		first, second := peak(from, a), peak(b, to)
		switch gap := b - a; {
		case a == from || b == to:
			return
		case profile[best] == 0 && gap >= int(0.4*letter/cell):
		case second-first >= apart && depth < 0.4:
		default:
			return
		}
		split(from, a)
		cuts = append(cuts, top+float64(a+b)/2*cell)
		split(b, to)
	}
	split(0, n)
	sets := make([][]levelled, len(cuts)+1)
	for _, g := range glyphs {
		middle := (g.top + g.bottom) / 2
		k, _ := slices.BinarySearch(cuts, middle)
		sets[k] = append(sets[k], g)
	}
	return sets
}

// The marks below and above letters, such as the vowels of Thai, in heights of a letter.
const (
	highestMark = 0.65
	widestMark  = 1.2
	markGap     = 0.35 // to its letter
)

// withMarks takes bands that have only marks together with the one whose letters these stand below or above. The bands come from the top
// down.
func withMarks(bands [][]levelled, letter float64) (whole [][]levelled) {
	for k, band := range bands {
		switch last := len(whole) - 1; {
		case last >= 0 && marksOf(band, whole[last], letter):
			whole[last] = append(whole[last], band...)
		case k+1 < len(bands) && marksOf(band, bands[k+1], letter):
			bands[k+1] = append(bands[k+1], band...)
		default:
			whole = append(whole, band)
		}
	}
	return whole
}

// marksOf tells whether all glyphs of a band are marks of others, of which there are more.
func marksOf(band, others []levelled, letter float64) bool {
	return 2*len(band) <= len(others) && !slices.ContainsFunc(band, func(m levelled) bool {
		return m.bottom-m.top > highestMark*letter || m.x2-m.x1 > widestMark*letter || !slices.ContainsFunc(others, func(g levelled) bool {
			return min(overlap(m.x1, m.x2, g.x1, g.x2), overlap(m.top, m.bottom, g.top, g.bottom)) >= -markGap*letter
		})
	})
}

// line makes a line of the stacks of a band. It is none where there are only specks.
func (s *scene) line(glyphs, stacks []levelled, slope float64) (line, bool) {
	if len(stacks) == 0 {
		return line{}, false
	}
	members := func(stacks []levelled) (band []levelled) {
		for _, g := range stacks {
			for k := g.part; k >= 0; k = glyphs[k].next {
				band = append(band, glyphs[k])
			}
		}
		return band
	}
	l := line{slope: slope, letter: sizeOf(members(stacks))}
	if l.letter < 0.4*s.letter || l.letter < smallestLetter {
		return line{}, false
	}
	letter := max(l.letter, 0.8*sizeOf(stacks)) // the parts of syllables are lower than they are
	tilt := tilt(members(stacks), l.letter)
	l.slope += tilt
	band := members(s.withoutNeighbours(stacks, slope, tilt, letter))
	if tilt != 0 {
		for i, g := range band {
			band[i] = s.levelled(g.part, l.slope)
		}
	}
	// A piece that stands out far from all others is no letter of the line.
	width := func(g levelled) float64 { return g.x2 - g.x1 }
	top := weighted(band, 0.5, func(g levelled) float64 { return g.top }, width)
	bottom := weighted(band, 0.5, func(g levelled) float64 { return g.bottom }, width)
	l.top, l.bottom, l.x1, l.x2 = top, bottom, math.Inf(1), math.Inf(-1)
	for _, g := range band {
		l.parts = append(l.parts, g.part)
		l.x1, l.x2 = min(l.x1, g.x1), max(l.x2, g.x2)
		l.top = min(l.top, max(g.top, bottom-1.6*l.letter))
		l.bottom = max(l.bottom, min(g.bottom, top+1.6*l.letter))
	}
	l.letter = letter
	return l, true
}

// withoutNeighbours leaves out of the stacks of a line those above and below it that the region cuts. If that would be much, they stay.
func (s *scene) withoutNeighbours(stacks []levelled, slope, tilt, letter float64) []levelled {
	width := func(g levelled) float64 { return g.x2 - g.x1 }
	middle := func(g levelled) float64 { return (g.top+g.bottom)/2 - tilt*(g.x1+g.x2)/2 }
	line := weighted(stacks, 0.5, middle, width)
	all, left := 0.0, 0.0
	kept := make([]levelled, 0, len(stacks))
	for _, g := range stacks {
		shift := slope * (g.x1 + g.x2) / 2
		cut := g.top+shift < s.inner.y1 || g.bottom+shift > s.inner.y2
		all += width(g)
		if cut && math.Abs(middle(g)-line) > 0.8*letter {
			left += width(g)
		} else {
			kept = append(kept, g)
		}
	}
	if left > 0.3*all {
		return stacks
	}
	return kept
}

// tilt is by how much more than the others the glyphs of a line fall, by least squares of their lower edges without those that lie
// off. It is 0 where that is little.
func tilt(band []levelled, letter float64) float64 {
	fit := 0.0
	offset := weighted(band, 0.5, func(g levelled) float64 { return g.bottom }, func(levelled) float64 { return 1 })
	for _, within := range []float64{0.5, 0.25} {
		var n, sx, sy, sxx, sxy float64
		left, right := math.Inf(1), math.Inf(-1)
		for _, g := range band {
			x, y := (g.x1+g.x2)/2, g.bottom
			if h := g.bottom - g.top; h < 0.5*letter || h > 1.6*letter || math.Abs(y-offset-fit*x) > within*letter {
				continue
			}
			n, sx, sy, sxx, sxy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y
			left, right = min(left, x), max(right, x)
		}
		d := n*sxx - sx*sx
		if n < 5 || right-left < 5*letter || d <= 0 {
			return 0
		}
		fit = (n*sxy - sx*sy) / d
		offset = (sy - fit*sx) / n
	}
	little := math.Abs(fit)*(band[len(band)-1].x2-band[0].x1) < 0.05*letter && math.Abs(fit) < 0.002
	if little || onLevel(band, fit, letter) < onLevel(band, 0, letter) {
		return 0
	}
	return fit
}

// onLevel is how many of the glyphs of a line stand on one level where they fall so much.
func onLevel(band []levelled, tilt, letter float64) (most int) {
	feet := make([]float64, 0, len(band))
	for _, g := range band {
		if h := g.bottom - g.top; h > 0.5*letter && h < 1.6*letter {
			feet = append(feet, g.bottom-tilt*(g.x1+g.x2)/2)
		}
	}
	slices.Sort(feet)
	for first, last := 0, 0; last < len(feet); last++ {
		for feet[last]-feet[first] > 0.2*letter {
			first++
		}
		most = max(most, last+1-first)
	}
	return most
}

// inside keeps the lines of the region: those of which more than half lies inside from top to bottom.
func (s *scene) inside(lines []line) []line {
	inner := s.inner
	return slices.DeleteFunc(lines, func(l line) bool {
		at := (max(l.x1, inner.x1) + min(l.x2, inner.x2)) / 2
		shift := l.slope * at
		if beyond := 0.15 * l.height(); len(l.parts) <= 2 && l.top+shift < inner.y1-beyond && l.bottom+shift > inner.y2+beyond {
			return true // it goes on above and below
		}
		return overlap(l.top+shift, l.bottom+shift, inner.y1, inner.y2) < 0.5*l.height()
	})
}

// leaves tells whether a line that slants goes on above or below the region, as neighbours do at the corners of a box around a line.
func (s *scene) leaves(l line, slope float64) bool {
	if math.Abs(slope)*(s.inner.x2-s.inner.x1) < 0.4*l.height() {
		return false
	}
	return slices.ContainsFunc(s.parts, func(p part) bool {
		x, y := float64(p.x1+p.x2)/2, float64(p.y1+p.y2)/2
		end := l.x1
		if x > l.x2 {
			end = l.x2
		}
		off := y - l.middle() - l.slope*end - slope*(x-end)
		return p.dark && s.glyph(p) && (y < s.inner.y1 || y > s.inner.y2) && x > s.inner.x1 && x < s.inner.x2 &&
			math.Abs(off) < 0.5*l.letter && (x < l.x1 && x > l.x1-2*l.letter || x > l.x2 && x < l.x2+2*l.letter)
	})
}

// hangsIn tells whether a line is no more than what reaches into the region of a line above or below it: most letters of that lie outside.
func (s *scene) hangsIn(l line) bool {
	in := 0
	for _, p := range s.parts {
		shift := l.slope * float64(p.x1+p.x2) / 2
		top, bottom := float64(p.y1), float64(p.y2)
		if !p.dark || !s.glyph(p) || overlap(float64(p.x1), float64(p.x2), s.inner.x1, s.inner.x2) <= 0 ||
			overlap(top-shift, bottom-shift, l.top, l.bottom) < 0.5*(bottom-top) || bottom-top < 0.5*l.letter {
			continue
		}
		if overlap(top, bottom, s.inner.y1, s.inner.y2) < 0.4*(bottom-top) {
			in--
		} else {
			in++
		}
	}
	return in < 0
}

// adopt gives the lines the dots and other small parts near their letters.
func (s *scene) adopt(lines []line, slope float64) {
	owned := map[int]bool{}
	for _, l := range lines {
		for _, i := range l.parts {
			owned[i] = true
		}
	}
	for i, p := range s.parts {
		if !p.dark || owned[i] || s.glyph(p) || float64(p.height()) > s.letter || float64(max(p.width(), p.height())) < 0.08*s.letter {
			continue
		}
		g := s.levelled(i, slope)
		middle := (g.top + g.bottom) / 2
		best, nearest := -1, math.Inf(1)
		for k, l := range lines {
			if float64(p.width()) > 3*l.letter && float64(p.height()) < 0.25*l.letter {
				continue
			}
			reach := 0.7 * l.letter
			above, below := l.top-middle, middle-l.bottom
			if above < 0.25*l.letter && below < 0.3*l.letter && g.x2 > l.x1-reach && g.x1 < l.x2+reach && max(above, below) < nearest {
				best, nearest = k, max(above, below)
			}
		}
		if best < 0 {
			continue
		}
		l := &lines[best]
		l.parts = append(l.parts, i)
		l.x1, l.x2 = min(l.x1, g.x1), max(l.x2, g.x2)
		if g.top < l.top && g.top > l.top-0.4*l.letter {
			l.top = g.top
		}
		if g.bottom > l.bottom && g.bottom < l.bottom+0.4*l.letter {
			l.bottom = g.bottom
		}
	}
	slices.SortFunc(lines, func(a, b line) int {
		return cmp.Or(cmp.Compare(a.column, b.column), cmp.Compare(a.middle(), b.middle()))
	})
}

// A mark is a small or faint piece of text, such as a colon, that stands apart from the letters of its line.
const (
	markAway  = 3     // at most so many heights of a letter
	markDark  = 0.2   // contrast of its pixels, of that of the line
	markLeast = 0.012 // ink that it has at least, of the square of a letter's height
)

// extend makes lines longer to where marks begin and end that are too faint or too small to be found as ink.
func (s *scene) extend(lines []line) {
	small := s.gray.shrink(s.factor)
	for k := range lines {
		l := &lines[k]
		sum, n := 0.0, 0.0
		for _, i := range l.parts {
			for r := s.parts[i].first; r >= 0; r = s.runs[r].next {
				for _, v := range small.row(int(s.runs[r].y))[s.runs[r].x1:s.runs[r].x2] {
					sum, n = sum+float64(v), n+1
				}
			}
		}
		depth := float64(s.paper) - sum/n
		least := max(markDark*depth, noiseFactor*s.noise)
		// column is the ink of one column, in dark pixels; ends tells whether it has a letter of another line.
		column := func(x int) (dark float64, ends bool) {
			shift := l.slope * float64(x)
			for y := max(0, int(l.top+shift)); y < min(s.height, int(math.Ceil(l.bottom+shift))); y++ {
				if s.ink[y*s.width+x] != 0 && s.glyph(s.parts[s.owner(x, y)]) {
					return 0, true
				}
				if d := float64(s.paper) - float64(small.Pix[y*s.width+x]); d >= least {
					dark += d / depth
				}
			}
			return dark, false
		}
		for _, step := range []int{-1, 1} {
			x, gap, mark := int(math.Ceil(l.x2)), 0.0, 0.0
			if step < 0 {
				x = int(l.x1) - 1
			}
			for ; x >= int(s.inner.x1) && x < min(s.width, int(s.inner.x2)) && gap <= markAway*l.letter; x += step {
				dark, ends := column(x)
				if ends {
					break
				}
				if gap++; dark > 0 {
					gap = 0
				}
				if mark += dark; gap > l.letter/4 {
					mark = 0
				}
				if mark >= markLeast*l.letter*l.letter && gap == 0 {
					l.x1, l.x2 = min(l.x1, float64(x)), max(l.x2, float64(x+1))
				}
			}
		}
	}
}

// strip is one line cut out: upright and straight, with nothing else on it.
type strip struct {
	gray   Gray
	origin Point // of its upper left corner on the piece, in pixels of the piece
	slope  float64
	paper  uint8
	ink    float64 // height of the line's ink in it, in pixels
	letter float64 // height of a capital letter in it, in pixels
	blanks []typed

	letters int // for about how many it has room, 0 where that is not known
}

// at is the place on the piece of a place on the strip.
func (t strip) at(p Point) Point {
	return Point{t.origin.X + p.X, t.origin.Y + p.Y + t.slope*p.X}
}

// extent is the box around the ink of a strip, on the piece.
func (t strip) extent() rect {
	top, bottom := (float64(t.gray.Height)-t.ink)/2, (float64(t.gray.Height)+t.ink)/2
	a, b := t.at(Point{0, top}), t.at(Point{float64(t.gray.Width), bottom})
	return rect{a.X, a.Y, b.X, b.Y}
}

// cut makes a strip of a line, with a margin of a fraction of its height on each side.
func (s *scene) cut(lines []line, k int, margin float64) strip {
	l := lines[k]
	f := float64(s.factor)
	m := max(1, margin*l.height())
	x1, x2 := max(0, math.Floor((l.x1-m)*f)), min(float64(s.gray.Width), math.Ceil((l.x2+m)*f))
	top, bottom := (l.top-m)*f, (l.bottom+m)*f
	drop1, drop2 := l.slope*x1, l.slope*x2
	t := strip{slope: l.slope, ink: l.height() * f, letter: l.letter * f, blanks: l.blanks, letters: s.lettersOf(l)}
	if math.Abs(drop2-drop1) < 0.12*l.height()*f { // straight enough
		t.slope, drop1, drop2 = 0, (drop1+drop2)/2, (drop1+drop2)/2
	}
	y1 := min(max(0, int(math.Floor(top+min(drop1, drop2)))), s.gray.Height-1)
	y2 := max(y1+1, min(s.gray.Height, int(math.Ceil(bottom+max(drop1, drop2)))))
	t.gray = s.gray.crop(int(x1), y1, int(x2), y2)
	s.isolate(t.gray, int(x1), y1, l)
	t.origin = Point{x1, float64(y1)}
	if t.slope != 0 {
		t.origin.Y = top + drop1
		t.gray = t.gray.warp(Point{0, t.origin.Y - float64(y1)}, Point{1, t.slope}, Point{0, 1}, int(x2-x1), int(math.Ceil(bottom-top)))
	}
	t.develop()
	t.withoutLeaders()
	if m > 1 && y1 > 0 && y2 < s.gray.Height {
		t.withoutSides()
	}
	return t
}

// withoutSides paints over thin strokes that run from the top of a strip to its bottom, where no letters reach: sides of frames.
func (t *strip) withoutSides() {
	g := t.gray
	middle := t.middle(g)
	thick := max(2, int(ruleThick*t.letter))
	dark := func(x, y int) bool { return x >= 0 && x < g.Width && g.Pix[y*g.Width+x] < middle }
	for x := range g.Width {
		if !dark(x, 0) && !dark(x+1, 0) && !dark(x-1, 0) {
			continue
		}
		rows, lone := 0, 0
		for y := range g.Height {
			if dark(x, y) || dark(x-1, y) || dark(x+1, y) {
				rows++
			}
			if !dark(x-1-thick, y) && !dark(x+1+thick, y) {
				lone++
			}
		}
		if 20*rows < 19*g.Height || 10*lone < 7*g.Height {
			continue
		}
		for y := range g.Height {
			for u := max(0, x-2); u <= min(g.Width-1, x+2); u++ {
				g.Pix[y*g.Width+u] = t.paper
			}
		}
	}
}

// lettersOf is for about how many letters a line has room, at the steps of those that it has.
func (s *scene) lettersOf(l line) int {
	boxes := make([]levelled, 0, len(l.parts))
	for _, i := range l.parts {
		if p := s.parts[i]; float64(p.height()) > 0.3*l.letter {
			boxes = append(boxes, levelled{x1: float64(p.x1), x2: float64(p.x2)})
		}
	}
	return roomFor(boxes, l.letter)
}

// roomFor is how many letters would stand between the first and the last one of some, at the step that is in the middle of theirs. Those
// of bad print are several boxes, or one for several. It is 0 where the size of letters is not known.
func roomFor(boxes []levelled, letter float64) int {
	if len(boxes) == 0 || letter <= 0 {
		return 0
	}
	var starts []float64
	end := math.Inf(-1)
	for _, b := range boxes {
		n := max(1, math.Round((b.x2-b.x1)/(0.75*letter)))
		for i := range int(n) {
			starts = append(starts, b.x1+float64(i)*(b.x2-b.x1)/n)
		}
		end = max(end, b.x2)
	}
	slices.Sort(starts)
	first := starts[0]
	for i := range len(starts) - 1 {
		starts[i] = starts[i+1] - starts[i]
	}
	steps := starts[:len(starts)-1]
	if len(steps) == 0 {
		return 1
	}
	slices.Sort(steps)
	return max(len(steps)+1, int(math.Round((end-first)/max(1, steps[len(steps)/2]))))
}

// faint is the contrast of a strip below which it is raised, in shades.
const faint = 90

// develop finds the shade of the paper, and makes faint ink darker.
func (t *strip) develop() {
	t.paper = edgeShade(t.gray)
	ink := t.gray.darkest()
	contrast := int(t.paper) - ink
	if contrast >= faint || contrast < minContrast {
		return
	}
	for i, v := range t.gray.Pix {
		t.gray.Pix[i] = uint8(min(255, max(0, evenPaper-(int(t.paper)-int(v))*(evenPaper-30)/contrast)))
	}
	t.paper = evenPaper
}

// middle is the shade between that of the paper and that of the ink in a part of a strip.
func (t strip) middle(g Gray) uint8 { return uint8((int(t.paper) + g.darkest()) / 2) }

// isolate paints over the ink of a part of the piece that is not of the line.
func (s *scene) isolate(g Gray, left, top int, l line) {
	own := make(map[int32]bool, len(l.parts))
	for _, i := range l.parts {
		own[int32(i)] = true
	}
	f := s.factor
	first, _ := slices.BinarySearchFunc(s.runs, top/f, func(r run, y int) int { return cmp.Compare(int(r.y), y) })
	for _, r := range s.runs[first:] {
		if int(r.y)*f >= top+g.Height {
			break
		}
		if !r.dark || own[r.part] || int(r.x2)*f <= left || int(r.x1)*f >= left+g.Width {
			continue
		}
		if p := s.parts[r.part]; float64(max(p.height(), p.width())) <= 0.3*l.letter {
			shift := l.slope * float64(p.x1)
			if float64(p.y2) > l.top+shift && float64(p.y1) < l.bottom+shift {
				continue // a piece of a faint letter, perhaps
			}
		}
		for y := max(0, int(r.y)-1); y <= min(s.height-1, int(r.y)+1); y++ {
			for x := max(0, int(r.x1)-1); x < min(s.width, int(r.x2)+1); x++ {
				if s.ink[y*s.width+x] != 0 && (y != int(r.y) || x < int(r.x1) || x >= int(r.x2)) {
					continue
				}
				for v := max(0, y*f-top); v < min((y+1)*f-top, g.Height); v++ {
					for u := max(0, x*f-left); u < min((x+1)*f-left, g.Width); u++ {
						g.Pix[v*g.Width+u] = s.paper
					}
				}
			}
		}
	}
}

// edgeShade is the median of the shades along the edges of an image.
func edgeShade(g Gray) uint8 {
	var counts [256]int
	for y := range g.Height {
		row := g.row(y)
		if y == 0 || y == g.Height-1 {
			for _, v := range row {
				counts[v]++
			}
			continue
		}
		counts[row[0]]++
		counts[row[len(row)-1]]++
	}
	return uint8(median(counts[:]))
}
