package read

import "slices"

// How far the ink of a word goes, in heights of a capital letter.
const (
	wordGap   = 0.35 // blank columns within a word, at most
	wordReach = 1.3  // from the place of its first or last letter to where that begins or ends, at most
	wordEdge  = 0.5  // from an edge of the ink inwards, within which the darkest place tells how soft the edge is

	paperNoise = 5 // times the standard deviation of the shades of paper are no ink
)

// bound gives the letters of each word the ends of its ink: a recogniser tells about where a letter stands, but not how wide it is. Words
// end in the widest blank between their letters. Those of which no ink is found stay as they are.
func (t strip) bound(line []letter) {
	if len(line) == 0 || t.gray.Width == 0 || t.letter <= 0 {
		return
	}
	depths := t.depths()
	columns := make([]uint8, depths.Width)
	for y := range depths.Height {
		for x, d := range depths.row(y) {
			columns[x] = max(columns[x], d)
		}
	}
	at := func(l letter) int { return min(depths.Width-1, max(0, int(l.middle()))) }
	left := 0
	for from := 0; from < len(line); {
		to := wordEnd(line, from)
		right := depths.Width
		if to < len(line) {
			right = blankest(columns, at(line[to-1]), at(line[to]))
		}
		first, last := t.reach(columns, at(line[from]), left, right, -1), t.reach(columns, at(line[to-1]), left, right, 1)
		if first >= 0 && first <= last {
			x1, x2 := t.sharp(columns, first, last+1)
			rows := make([]uint8, depths.Height)
			for y := range rows {
				rows[y] = slices.Max(depths.row(y)[x1:x2])
			}
			y1, y2 := t.sharp(rows, 0, len(rows))
			fit(line[from:to], rect{float64(x1), float64(y1), float64(x2), float64(y2)})
		}
		from, left = to, right
	}
}

// depths are by how many shades the pixels of a strip are darker than its paper. They are 0 where that is less than a quarter of the
// contrast, or on noisy paper than up to half of it.
func (t strip) depths() Gray {
	g := t.gray.clone()
	contrast := float64(t.paper) - float64(g.darkest())
	least := max(minContrast, int(max(contrast/4, min(contrast/2, paperNoise*g.noise(2)))))
	for i, v := range g.Pix {
		g.Pix[i] = 0
		if d := int(t.paper) - int(v); d > least {
			g.Pix[i] = uint8(d)
		}
	}
	return g
}

// reach is the last column with ink of a word on one side of a place in it, between left, inclusive, and right, exclusive: the nearest one
// on the other side where there is none. It is -1 where the word has no ink near that place.
func (t strip) reach(columns []uint8, place, left, right, step int) int {
	end, blank := -1, 0.0
	for x := place; x >= left && x < right && float64((x-place)*step) < wordReach*t.letter && blank < wordGap*t.letter; x += step {
		if blank++; columns[x] > 0 {
			end, blank = x, 0
		}
	}
	for x := place; end < 0 && x >= left && x < right && float64((place-x)*step) < wordReach*t.letter; x -= step {
		if columns[x] > 0 {
			end = x
		}
	}
	return end
}

// blankest is the middle of the widest run of those columns between two places that have the least ink.
func blankest(columns []uint8, from, to int) int {
	from, to = min(from, to), max(from, to)
	least := slices.Min(columns[from : to+1])
	at, widest := from, 0
	for x := from; x <= to; x++ {
		end := x
		for end <= to && columns[end] == least {
			end++
		}
		if end-x > widest {
			at, widest = (x+end)/2, end-x
		}
		x = max(x, end)
	}
	return at
}

// sharp is the part of some rows or columns, of which the depth of the darkest pixel is given, that lies between the middles of the soft
// edges of its ink; to is exclusive. Some of it has ink.
func (t strip) sharp(depths []uint8, from, to int) (first, end int) {
	span := max(1, int(wordEdge*t.letter))
	for depths[from] == 0 {
		from++
	}
	for depths[to-1] == 0 {
		to--
	}
	dark, darkEnd := slices.Max(depths[from:min(to, from+span)]), slices.Max(depths[max(from, to-span):to])
	for 2*int(depths[from]) < int(dark) {
		from++
	}
	for 2*int(depths[to-1]) < int(darkEnd) {
		to--
	}
	return from, to
}

// fit gives the letters of a word the box of its ink.
func fit(word []letter, ink rect) {
	for i := range word {
		l := &word[i]
		l.x1, l.x2 = min(max(l.x1, ink.x1), ink.x2), min(max(l.x2, ink.x1), ink.x2)
		l.y1, l.y2 = ink.y1, ink.y2
	}
	word[0].x1, word[len(word)-1].x2 = ink.x1, ink.x2
}
