package read

import (
	"cmp"
	"math"
	"slices"
)

// typed is a blank to be filled in that was typed as underscores, a row of dots, or a box to be ticked. A rule that is drawn has no gaps;
// that is no text.
type typed struct {
	x1, x2, y float64 // on the piece, in its pixels; y is the middle
	count     int     // underscores or dots; 0 for a box
	dot, fall float64 // size of a dot, 0 where there are none, and by how much the last one stands lower than the first
	ticked    bool
	wiped     bool // dots, from the strip
}

// Boxes to be ticked are about as large as the letters beside them.
const (
	boxLeast  = 0.75 // their sides, in heights of a capital letter
	boxMost   = 2.5
	boxSquare = 1.35 // the longer side by the shorter one
	boxSmall  = 9    // pixels of the shorter side, below which a box is not told from a letter
	boxApart  = 0.3  // the narrowest gap to the letters beside it
	boxFaint  = 0.3  // how dark a side is at least, from the paper to the ink
	boxDirt   = 0.05 // ink within a box, by its area
	boxAway   = 4    // the widest gap between one and its line, in heights of a capital letter

	tickSize  = 0.3  // sides of a tick at least, by those of its box
	tickRight = 0.3  // where it ends on the right at most, by its height from the top down
	tickLow   = 0.7  // its lowest place at least, likewise
	tickLeft  = 0.3  // where it begins on the left at least, likewise
	tickTurn  = 0.55 // where it is lowest at most, by its width from the left
	tickBend  = 0.08 // how far it is lowest at least from where it begins, both ways
)

// tickBoxes finds boxes that are empty or ticked and takes them out of the ink.
func (s *scene) tickBoxes() (found bool) {
	var small Gray
	for i, p := range s.parts {
		w, h := float64(p.width()), float64(p.height())
		if !p.dark || min(w, h) < max(boxSmall, boxLeast*s.letter) || max(w, h) > min(boxMost*s.letter, boxSquare*min(w, h)) {
			continue
		}
		apart := int(boxApart * s.letter)
		if !s.clear(p.x1-apart, p.x1, p.y1, p.y2) || !s.clear(p.x2, p.x2+apart, p.y1, p.y2) {
			continue
		}
		if small.Pix == nil {
			small, s.paper = s.gray.shrink(s.factor), s.paperShade()
		}
		box, ticked := s.outline(small, i)
		if !box {
			continue
		}
		f := float64(s.factor)
		s.blanks = append(s.blanks, typed{x1: float64(p.x1) * f, x2: float64(p.x2) * f, y: float64(p.y1+p.y2) * f / 2,
			ticked: ticked})
		found = true
		for y := max(0, p.y1-1); y < min(s.height, p.y2+1); y++ {
			for x := max(0, p.x1-1); x < min(s.width, p.x2+1); x++ {
				s.ink[y*s.width+x] = 0
				s.paint(x, y, s.paper)
			}
		}
	}
	return found
}

// outline tells whether a part is four straight sides around nothing or a tick. A side may be faint; letters are round at a corner.
func (s *scene) outline(small Gray, i int) (box, ticked bool) {
	p := s.parts[i]
	var shades [256]int
	for k := p.first; k >= 0; k = s.runs[k].next {
		for _, v := range small.row(int(s.runs[k].y))[s.runs[k].x1:s.runs[k].x2] {
			shades[v]++
		}
	}
	depth := float64(s.paper) - float64(median(shades[:]))
	if depth <= 0 { // a tick that was taken out with its box
		return false, false
	}
	dark := func(x, y int) float64 {
		if x < 0 || y < 0 || x >= s.width || y >= s.height {
			return 0
		}
		return (float64(s.paper) - float64(small.Pix[y*s.width+x])) / depth
	}
	band := max(2, min(p.width(), p.height())/8)
	side := func(length int, dark func(along, across int) float64) bool {
		for i := range length {
			most := 0.0
			for k := -1; k < band; k++ {
				most = max(most, dark(i, k))
			}
			if most < boxFaint {
				return false
			}
		}
		return true
	}
	if !side(p.width(), func(i, k int) float64 { return dark(p.x1+i, p.y1+k) }) ||
		!side(p.width(), func(i, k int) float64 { return dark(p.x1+i, p.y2-1-k) }) ||
		!side(p.height(), func(i, k int) float64 { return dark(p.x1+k, p.y1+i) }) ||
		!side(p.height(), func(i, k int) float64 { return dark(p.x2-1-k, p.y1+i) }) {
		return false, false
	}
	if s.ticked(i, band, dark) {
		return true, true
	}
	inside, inked, thick := 0, 0, max(band, min(p.width(), p.height())/4)
	for y := p.y1 + thick; y < p.y2-thick; y++ {
		for x := p.x1 + thick; x < p.x2-thick; x++ {
			inside++
			if dark(x, y) > boxFaint {
				inked++
			}
		}
	}
	return inside > 0 && float64(inked) <= boxDirt*float64(inside), false
}

// ticked tells whether there is a tick in a box whose sides are not thicker than band: a part of its own, or joined to a side.
func (s *scene) ticked(i, band int, dark func(x, y int) float64) bool {
	p := s.parts[i]
	within := s.largestWithin(i)
	if within < 0 {
		return tick(p.width()-2*band, p.height()-2*band, func(x, y int) bool { return dark(p.x1+band+x, p.y1+band+y) > 0.5 })
	}
	return tick(p.width(), p.height(), func(x, y int) bool { return int(s.owner(p.x1+x, p.y1+y)) == within })
}

// largestWithin is the largest dark part that lies in a hole of a part, -1 where there is none.
func (s *scene) largestWithin(i int) int {
	within, area := -1, 0
	for k, q := range s.parts {
		if q.dark && q.around >= 0 && int(s.parts[q.around].around) == i && q.area > area {
			within, area = k, q.area
		}
	}
	return within
}

// tick tells whether the ink of a box is one stroke that goes down a little from the left and then up higher to the right, as neither V
// nor a slanting stroke does.
func tick(width, height int, dark func(x, y int) bool) bool {
	x1, x2, top, bottom := width, 0, height, 0
	middles := make([]float64, width) // of the ink of columns
	for x := range width {
		from, to, inked := height, 0, 0
		for y := range height {
			if dark(x, y) {
				from, to = min(from, y), y+1
				inked++
			}
		}
		if inked == 0 {
			continue
		}
		if inked < to-from { // two strokes above one another
			return false
		}
		middles[x] = float64(from+to) / 2
		x1, x2, top, bottom = min(x1, x), x+1, min(top, from), max(bottom, to)
	}
	w, h := float64(x2-x1), float64(bottom-top)
	if w < tickSize*float64(width) || h < tickSize*float64(height) || w < 5 || h < 5 {
		return false
	}
	low := x1
	for x := x1; x < x2; x++ {
		if middles[x] == 0 {
			return false
		}
		if middles[x] > middles[low] {
			low = x
		}
	}
	left, right := (middles[x1]-float64(top))/h, (middles[x2-1]-float64(top))/h
	lowest, turn := (middles[low]-float64(top))/h, float64(low-x1)/w
	return right < tickRight && lowest > tickLow && left > tickLeft && left < lowest-tickBend && turn > tickBend && turn < tickTurn
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
	if len(bars) == 0 {
		return false
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
			s.blanks = append(s.blanks, typed{x1: float64(from.x1) * f, x2: float64(to.x2) * f,
				y: float64(from.y1+from.y2+to.y1+to.y2) * f / 4, count: n})
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
	x1, x2 = max(0, x1), min(s.width, x2)
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

// claim takes out of free the blanks at the foot of a line, and the boxes at its middle, one after another from where it begins and ends,
// and returns them from left to right. All is in pixels of the piece.
func (s *scene) claim(free *[]typed, l line) (found []typed) {
	f := float64(s.factor)
	for again := true; again; {
		again = false
		*free = slices.DeleteFunc(*free, func(b typed) bool {
			below, reach := b.y-l.slope*(b.x1+b.x2)/2-l.bottom, 2*l.letter
			if b.count == 0 {
				below, reach = below+l.height()/2, boxAway*l.letter
			}
			if b.dot > 0 && below > -0.9*l.height() && below < 0 { // at the middle, or above what hangs below
				below = 0
			}
			half := (b.x2 - b.x1) / float64(2*max(1, b.count))
			if below < -0.25*l.letter || below > 0.4*l.letter || b.x1 > l.x2+reach || b.x2 < l.x1-reach ||
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

// filled is the line of a reading with the blanks of a strip among its letters, where the charset has them.
func (j *job) filled(t strip, r reading) []letter {
	line := r.line
	for _, b := range t.blanks {
		b.x1, b.x2, b.y = b.x1-t.origin.X, b.x2-t.origin.X, b.y-t.origin.Y-t.slope*((b.x1+b.x2)/2-t.origin.X)
		text, n := "_", b.count
		switch {
		case n == 0:
			text, n = b.box(line, r.lang), 1
		case b.dot > 0:
			text = t.dots(b)
			line = slices.DeleteFunc(line, func(l letter) bool { return !b.wiped && l.middle() > b.x1 && l.middle() < b.x2 })
		}
		if !OnlyOf(text, j.task.Charset) {
			continue
		}
		at := slices.IndexFunc(line, func(l letter) bool { return l.middle() > (b.x1+b.x2)/2 })
		if at < 0 {
			at = len(line)
		}
		width := (b.x2 - b.x1) / float64(n)
		height, apart := width/2, width/2 // of a character, and of a space
		if b.count == 0 {
			height, apart = width, 0
		}
		blank := make([]letter, n)
		for i := range blank {
			x := b.x1 + float64(i)*width
			blank[i] = letter{text: text, prob: 1, word: 1, x1: x, x2: x + width, y1: b.y - height/2, y2: b.y + height/2,
				by: j.Engine.Name()}
		}
		blank[0].space = at > 0 && b.x1-line[at-1].x2 > apart
		if at < len(line) {
			line[at].space = line[at].x1-b.x2 > apart
		}
		line = slices.Insert(line, at, blank...)
	}
	return line
}

// box is how a square beside a line is written: ticked as a character of its own; empty in Korean as it is typed there, and where Chinese
// is read as that character.
func (b typed) box(line []letter, lang []string) string {
	switch {
	case b.ticked:
		return "☑"
	case han(lang):
		return "口"
	case slices.ContainsFunc(line, func(l letter) bool { return hangul(l.text) }):
		return "□"
	}
	return "☐"
}
