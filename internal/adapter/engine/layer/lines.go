package layer

import (
	"math"
	"slices"
	"unicode"
)

// span is a glyph in the frame of its text, in which lines run to the right and follow one another downwards.
type span struct {
	*Glyph
	u1, v1, u2, v2 float64
}

// segment is a part of a line: glyphs that follow one another in the file and on the page.
type segment struct {
	words          []word
	u1, v1, u2, v2 float64
	rightToLeft    int // letters that run to the left, less the others
}

func (s *segment) height() float64 { return s.v2 - s.v1 }

// order returns the words of each line in the order of reading, and how many degrees most of the text is turned clockwise. Text that is
// turned in other ways comes last, and what stands aslant after that.
func order(glyphs []*Glyph) (lines [][]word, rotation int) {
	byAngle := map[int][]span{}
	for _, g := range glyphs {
		byAngle[g.turn()] = append(byAngle[g.turn()], spanOf(g, g.turn()))
	}
	angles := []int{0, 90, 180, 270, aslant}
	slices.SortStableFunc(angles[:4], func(a, b int) int { return len(byAngle[b]) - len(byAngle[a]) })
	for _, angle := range angles {
		segments := segmentsOf(byAngle[angle])
		if angle == aslant { // lines cross one another here: the order of the file is all there is
			for _, s := range segments {
				lines = append(lines, s.words)
			}
			continue
		}
		for _, line := range ordered(segments, maxCuts) {
			lines = append(lines, joined(line))
		}
	}
	return lines, angles[0]
}

// aslant is the turn of glyphs that are not turned by quarters.
const aslant = 360

// turn returns how many degrees a glyph is turned clockwise: 0, 90, 180, 270 or aslant.
func (g *Glyph) turn() int {
	quarter := math.Round(g.Angle/90) * 90
	if math.Abs(g.Angle-quarter) > 5 {
		return aslant
	}
	return (int(quarter)%360 + 360) % 360
}

// middles returns the middle of each glyph, across its line that of the line.
func middles(glyphs []Glyph) []point {
	at := make([]point, len(glyphs))
	byAngle := map[int][]span{}
	index := map[*Glyph]int{}
	for i := range glyphs {
		g := &glyphs[i]
		at[i], index[g] = point{(g.X1 + g.X2) / 2, (g.Y1 + g.Y2) / 2}, i
		byAngle[g.turn()] = append(byAngle[g.turn()], spanOf(g, g.turn()))
	}
	for angle, spans := range byAngle {
		if angle == aslant {
			continue
		}
		for _, s := range segmentsOf(spans) {
			v := (s.v1 + s.v2) / 2
			for _, w := range s.words {
				for _, g := range w {
					switch angle {
					case 0:
						at[index[g]].y = v
					case 90:
						at[index[g]].x = -v
					case 180:
						at[index[g]].y = -v
					case 270:
						at[index[g]].x = v
					}
				}
			}
		}
	}
	return at
}

func spanOf(g *Glyph, angle int) span {
	switch angle {
	case 90:
		return span{g, g.Y1, -g.X2, g.Y2, -g.X1}
	case 180:
		return span{g, -g.X2, -g.Y2, -g.X1, -g.Y1}
	case 270:
		return span{g, -g.Y2, g.X1, -g.Y1, g.X2}
	}
	return span{g, g.X1, g.Y1, g.X2, g.Y2}
}

// Distances, in heights of a segment.
const (
	farAlong  = 2.0  // between glyphs of two segments
	farAcross = 0.35 // out of the segment, where a glyph is raised or lowered
	touching  = 0.12 // between two segments of one word
)

func segmentsOf(spans []span) (segments []*segment) {
	var at *segment
	for _, g := range spans {
		if at != nil && !g.Breaks {
			em := math.Max(at.height(), 1)
			gap := math.Max(g.u1-at.u2, at.u1-g.u2)
			across := math.Max(g.v1-at.v2, at.v1-g.v2)
			if gap <= farAlong*em && across <= farAcross*em && g.v2-g.v1 <= 3*em {
				at.add(g)
				continue
			}
		}
		at = &segment{u1: g.u1, v1: g.v1, u2: g.u2, v2: g.v2}
		segments = append(segments, at)
		at.add(g)
	}
	return segments
}

func (s *segment) add(g span) {
	for _, r := range g.Text {
		switch {
		case unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana, unicode.Nko):
			s.rightToLeft++
		case unicode.IsLetter(r):
			s.rightToLeft--
		}
	}
	if n := len(s.words); n > 0 && !g.Spaced {
		s.words[n-1] = append(s.words[n-1], g.Glyph)
	} else {
		s.words = append(s.words, word{g.Glyph})
	}
	s.u1, s.v1, s.u2, s.v2 = math.Min(s.u1, g.u1), math.Min(s.v1, g.v1), math.Max(s.u2, g.u2), math.Max(s.v2, g.v2)
}

// rows puts segments that stand side by side together, from the top to the bottom.
func rows(segments []*segment) (lines [][]*segment) {
	sorted := slices.Clone(segments)
	slices.SortStableFunc(sorted, func(a, b *segment) int { return compare(a.v1+a.v2, b.v1+b.v2) })
	var low, high float64
	for _, s := range sorted {
		n := len(lines)
		common := math.Min(high, s.v2) - math.Max(low, s.v1)
		if n > 0 && common > 0.5*math.Min(high-low, s.height()) {
			lines[n-1] = append(lines[n-1], s)
			if s.height() > high-low {
				low, high = s.v1, s.v2
			}
			continue
		}
		lines = append(lines, []*segment{s})
		low, high = s.v1, s.v2
	}
	for _, line := range lines {
		rightToLeft := 0
		for _, s := range line {
			rightToLeft += s.rightToLeft
		}
		slices.SortStableFunc(line, func(a, b *segment) int {
			if rightToLeft > 0 {
				return compare(b.u1, a.u1)
			}
			return compare(a.u1, b.u1)
		})
	}
	return lines
}

func compare(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// joined are the words of the segments of a line.
func joined(line []*segment) (words []word) {
	for i, s := range line {
		rest := s.words
		if i > 0 && len(words) > 0 && !rest[0][0].Spaced {
			before := line[i-1]
			gap := math.Max(s.u1-before.u2, before.u1-s.u2)
			if math.Abs(gap) < touching*math.Max(s.height(), before.height()) {
				words[len(words)-1] = append(words[len(words)-1], rest[0]...)
				rest = rest[1:]
			}
		}
		words = append(words, rest...)
	}
	return words
}

// What makes columns of text: the cells of a table stand side by side too, and are read row by row.
const (
	maxCuts       = 8    // columns within columns
	gutter        = 1.0  // heights of a line
	columnLines   = 3    // at least, on either side
	columnFilled  = 0.55 // of its width, by the middle one of its lines
	columnWidth   = 8.0  // heights of a line
	mostCrossings = 0.34 // of all segments: titles over several columns
)

// ordered returns the lines of segments in the order of reading: columns one after the other.
func ordered(segments []*segment, cuts int) (lines [][]*segment) {
	if len(segments) < 2*columnLines || cuts == 0 {
		return rows(segments)
	}
	at, ok := cutOf(segments)
	if !ok {
		return rows(segments)
	}
	// A segment that crosses the gutter separates those above it from those below.
	var left, right []*segment
	flush := func() {
		lines = append(lines, ordered(left, cuts-1)...)
		lines = append(lines, ordered(right, cuts-1)...)
		left, right = nil, nil
	}
	sorted := slices.Clone(segments)
	slices.SortStableFunc(sorted, func(a, b *segment) int { return compare(a.v1+a.v2, b.v1+b.v2) })
	var crossing []*segment
	for _, s := range sorted {
		if s.u1 < at && s.u2 > at {
			flush()
			crossing = append(crossing, s)
			continue
		}
		lines, crossing = append(lines, rows(crossing)...), nil
		if s.u2 <= at {
			left = append(left, s)
		} else {
			right = append(right, s)
		}
	}
	lines = append(lines, rows(crossing)...)
	flush()
	return lines
}

// cutOf returns the place between two columns of text.
func cutOf(segments []*segment) (at float64, ok bool) {
	heights := make([]float64, len(segments))
	for i, s := range segments {
		heights[i] = s.height()
	}
	em := math.Max(median(heights), 1)
	best := math.MaxInt
	for _, s := range segments {
		x := s.u2 + gutter*em/2
		crossing := 0
		var left, right []*segment
		for _, o := range segments {
			switch {
			case o.u2 <= x-gutter*em/2+0.5:
				left = append(left, o)
			case o.u1 >= x+gutter*em/2:
				right = append(right, o)
			default:
				crossing++
			}
		}
		if crossing < best && float64(crossing) <= mostCrossings*float64(len(segments)) && isColumn(left, em) && isColumn(right, em) {
			at, ok, best = x, true, crossing
		}
	}
	return at, ok
}

// isColumn tells whether segments are lines of running text.
func isColumn(segments []*segment, em float64) bool {
	if len(segments) < columnLines {
		return false
	}
	low, high := math.Inf(1), math.Inf(-1)
	widths := make([]float64, len(segments))
	for i, s := range segments {
		low, high = math.Min(low, s.u1), math.Max(high, s.u2)
		widths[i] = s.u2 - s.u1
	}
	return high-low >= columnWidth*em && median(widths) >= columnFilled*(high-low) && len(rows(segments)) >= columnLines
}
