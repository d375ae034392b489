package read

import (
	"cmp"
	"math"
	"slices"
)

// typed is a blank to be filled in that was typed as underscores. A rule that is drawn has no gaps; that is no text.
type typed struct {
	x1, x2, y float64 // on the piece, in its pixels; y is the middle
	count     int     // underscores
}

// Underscores are wide against their thickness, and the gaps between them are narrow.
const (
	underscore = 0.3  // the narrowest one, in heights of a letter
	widest     = 0.9  // the widest one
	between    = 0.35 // the widest gap
	gapShade   = 0.3  // how far the shade of a gap is from that of the ink to that of the paper
)

// typedBlanks finds rows of underscores and takes them out of the ink.
func (s *scene) typedBlanks() (found bool) {
	var bars, rules []part
	for _, p := range s.parts {
		if !p.dark || float64(p.height()) > max(3, ruleThick*s.letter) || float64(p.width()) < underscore*s.letter {
			continue
		}
		if 2*p.area > p.width()*p.height() && p.y1 > 0 && p.y2 < s.height {
			bars = append(bars, p)
		}
		if float64(p.width()) > 3*widest*s.letter {
			rules = append(rules, p)
		}
	}
	slices.SortFunc(bars, func(a, b part) int { return cmp.Compare(a.x1, b.x1) })
	small := s.gray.shrink(s.factor)
	paper := float64(s.paperShade())
	mask := make([]uint8, len(s.ink))
	for len(bars) > 0 {
		row := []part{bars[0]}
		rest := bars[:0]
		for _, p := range bars[1:] {
			last := row[len(row)-1]
			if gap := float64(p.x1 - last.x2); gap >= 0 && gap <= between*s.letter && min(p.y2, last.y2) > max(p.y1, last.y1) {
				row = append(row, p)
			} else {
				rest = append(rest, p)
			}
		}
		bars = rest
		from, to := row[0], row[len(row)-1]
		n := 0
		if s.clear(from.x1, to.x2, from.y1-int(s.letter), from.y1-int(s.letter/4)) {
			n = s.underscores(small, row, paper)
		}
		if slices.ContainsFunc(rules, func(p part) bool { // a piece of a rule
			return !slices.Contains(row, p) && max(p.x1-to.x2, from.x1-p.x2) < int(s.letter) &&
				max(p.y1-max(from.y2, to.y2), min(from.y1, to.y1)-p.y2) <= int(s.letter/4)
		}) {
			n = 0
		}
		if n >= 3 {
			f := float64(s.factor)
			s.blanks = append(s.blanks, typed{float64(from.x1) * f, float64(to.x2) * f, float64(from.y1+from.y2+to.y1+to.y2) * f / 4, n})
		}
		// A rule that is broken, or goes on outside of the piece.
		broken := len(row) >= 3 && float64(to.x2-from.x1) > ruleAcross*s.letter || from.x1 == 0 || to.x2 == s.width
		near := int(s.letter/4) + 1 // where the other strokes of a syllable stand
		if n >= 3 || broken && s.clear(from.x1, to.x2, min(from.y1, to.y1)-near, min(from.y1, to.y1)) &&
			s.clear(from.x1, to.x2, max(from.y2, to.y2), max(from.y2, to.y2)+near) {
			found = true
			for _, p := range row {
				s.markPart(mask, p)
			}
		}
	}
	if found {
		s.wipe(mask)
	}
	return found
}

// clear tells whether there is no ink from x1 to x2 and y1 to y2.
func (s *scene) clear(x1, x2, y1, y2 int) bool {
	for y := max(0, y1); y < min(s.height, y2); y++ {
		if slices.Contains(s.ink[y*s.width+x1:y*s.width+x2], 1) {
			return false
		}
	}
	return true
}

// underscores counts the underscores of a row by the gaps, which come at equal steps; 0 where they do not.
func (s *scene) underscores(small Gray, row []part, paper float64) int {
	x1, x2 := row[0].x1, row[len(row)-1].x2
	if float64(x2-x1) < 3*underscore*s.letter {
		return 0
	}
	dark := make([]float64, x2-x1) // the darkest shade of each column
	var shades [256]int
	p := 0
	for x := range dark {
		for p+1 < len(row) && x+x1 >= row[p+1].x1 {
			p++
		}
		shade := uint8(255)
		for y := row[p].y1; y < row[p].y2; y++ {
			shade = min(shade, small.Pix[y*s.width+x+x1])
		}
		dark[x] = float64(shade)
		shades[shade]++
	}
	ink := float64(median(shades[:]))
	var gaps []float64 // their middles
	for x := 0; x < len(dark); x++ {
		from := x
		for x < len(dark) && dark[x] > ink+gapShade*(paper-ink) {
			x++
		}
		if x > from && from > 0 && x < len(dark) {
			gaps = append(gaps, float64(from+x)/2)
		}
	}
	if len(gaps) < 2 {
		return 0
	}
	var steps []float64
	before := -0.5
	for _, at := range append(gaps, float64(len(dark))+0.5) {
		steps = append(steps, at-before)
		before = at
	}
	slices.Sort(steps)
	step := steps[len(steps)/2]
	if step < underscore*s.letter || step > widest*s.letter {
		return 0
	}
	odd := 0
	for _, d := range steps { // one gap in many may not show
		if n := max(1, math.Round(d/step)); math.Abs(d-n*step) > max(1.5, 0.15*step) {
			odd++
		}
	}
	if 4*odd > len(steps) {
		return 0
	}
	return int(float64(len(dark))/step + 0.5)
}

// claim takes out of free the blanks at the foot of a line, one after another from where it begins and ends, and returns them from left to
// right. All is in pixels of the piece.
func (s *scene) claim(free *[]typed, l line) (found []typed) {
	f := float64(s.factor)
	for again := true; again; {
		again = false
		*free = slices.DeleteFunc(*free, func(b typed) bool {
			y, half := b.y-l.slope*(b.x1+b.x2)/2-l.bottom, (b.x2-b.x1)/float64(2*b.count)
			if y < -0.25*l.letter || y > 0.4*l.letter || b.x1 > l.x2+2*l.letter || b.x2 < l.x1-2*l.letter ||
				b.x1 < s.inner.x1*f-half || b.x2 > s.inner.x2*f+half {
				return false
			}
			again = true
			l.x1, l.x2 = min(l.x1, b.x1), max(l.x2, b.x2)
			found = append(found, b)
			return true
		})
	}
	slices.SortFunc(found, func(a, b typed) int { return cmp.Compare(a.x1, b.x1) })
	return found
}

// fill puts the underscores of a strip among the letters that were read of it.
func (t strip) fill(line []letter, by string) []letter {
	for _, b := range t.blanks {
		b.x1, b.x2, b.y = b.x1-t.origin.X, b.x2-t.origin.X, b.y-t.origin.Y-t.slope*((b.x1+b.x2)/2-t.origin.X)
		at := slices.IndexFunc(line, func(l letter) bool { return (l.x1+l.x2)/2 > (b.x1+b.x2)/2 })
		if at < 0 {
			at = len(line)
		}
		width := (b.x2 - b.x1) / float64(b.count)
		blank := make([]letter, b.count)
		for i := range blank {
			x := b.x1 + float64(i)*width
			blank[i] = letter{text: "_", prob: 1, word: 1, x1: x, x2: x + width, y1: b.y - width/4, y2: b.y + width/4, by: by}
		}
		blank[0].space = at > 0 && b.x1-line[at-1].x2 > width/2
		if at < len(line) {
			line[at].space = line[at].x1-b.x2 > width/2
		}
		line = slices.Insert(line, at, blank...)
	}
	return line
}
