package read

import (
	"math"
	"slices"
)

// What tells columns of running text from those of a table, whose rows are read across. In heights of a letter, but for columnFull.
const (
	gutter      = 1.5  // by which columns are apart; spaces between words are narrower
	columnTall  = 6    // height of columns: some three lines
	columnWide  = 10   // width of columns
	columnFull  = 0.75 // of a column's width that half of its lines fill
	lineSpacing = 0.4  // by which letters are extended up and down to join lines

	smallestLetter = 4 // pixels
)

// columns splits glyphs into columns of running text and what is above and below of them, in the order of reading. slope is that of
// the lines, and columns run at a right angle to it.
func columns(glyphs []levelled, slope, letter float64) [][]levelled {
	letter = max(letter, smallestLetter)
	upright := make([]levelled, len(glyphs))
	for i, g := range glyphs {
		shift := slope * (g.top + g.bottom) / 2
		upright[i] = levelled{part: i, x1: g.x1 + shift, x2: g.x2 + shift, top: g.top, bottom: g.bottom}
	}
	var sets [][]levelled
	var split func([]levelled)
	split = func(all []levelled) {
		x, top, bottom, found := longestGutter(all, letter)
		if !found {
			set := make([]levelled, len(all))
			for k, g := range all {
				set[k] = glyphs[g.part]
			}
			sets = append(sets, set)
			return
		}
		var above, left, right, below []levelled
		for _, g := range all {
			switch middle := (g.top + g.bottom) / 2; {
			case middle < top:
				above = append(above, g)
			case middle > bottom:
				below = append(below, g)
			case g.x1+g.x2 < 2*x:
				left = append(left, g)
			default:
				right = append(right, g)
			}
		}
		for _, part := range [][]levelled{above, left, right, below} {
			if len(part) > 0 {
				split(part)
			}
		}
	}
	split(upright)
	return sets
}

// grid is a raster of paper over glyphs; inked cells are true.
type grid struct {
	inked         []bool
	width, height int
	cell          float64
	box           rect
}

// gridOf rasters glyphs, each of them extended by dx to both sides and by dy up and down.
func gridOf(glyphs []levelled, cell, dx, dy float64) grid {
	g := grid{cell: cell, box: extent(glyphs)}
	g.width, g.height = int((g.box.x2-g.box.x1)/cell)+1, int((g.box.y2-g.box.y1)/cell)+1
	g.inked = make([]bool, g.width*g.height)
	for _, l := range glyphs {
		x1, x2 := max(0, int((l.x1-dx-g.box.x1)/cell)), min(g.width-1, int((l.x2+dx-g.box.x1)/cell))
		for y := max(0, int((l.top-dy-g.box.y1)/cell)); y <= min(g.height-1, int((l.bottom+dy-g.box.y1)/cell)); y++ {
			row := g.inked[y*g.width : (y+1)*g.width]
			for x := x1; x <= x2; x++ {
				row[x] = true
			}
		}
	}
	return g
}

// longestGutter finds the longest stripe of paper between two columns of running text.
func longestGutter(glyphs []levelled, letter float64) (x, top, bottom float64, found bool) {
	if letter <= 0 || len(glyphs) < 12 {
		return 0, 0, 0, false
	}
	g := gridOf(glyphs, letter/8, 0, 0)
	if g.box.x2-g.box.x1 < (2*columnWide+gutter)*letter || g.box.y2-g.box.y1 < columnTall*letter {
		return 0, 0, 0, false
	}
	across := int(gutter*letter/g.cell) - 1 // cells that are free for sure
	free := make([]int, g.width)            // rows above in which a cell and those to the right of it are free
	longest := int(columnTall * letter / g.cell)
	for y := range g.height + 1 {
		clear, tried, rows := 0, -1, 0 // the last stripe of this row that was looked at, and its rows
		for k := g.width - 1; k >= 0; k-- {
			if clear++; y == g.height || g.inked[y*g.width+k] {
				clear = 0
			}
			if clear >= across {
				free[k]++
				continue
			}
			same := tried == k+1 && rows == free[k] // it has the same glyphs on both sides
			if tried, rows = k, free[k]; free[k] > longest && !same {
				middle, from, to := g.box.x1+(float64(k)+float64(across)/2)*g.cell, g.box.y1+float64(y-free[k])*g.cell,
					g.box.y1+float64(y)*g.cell
				if flanked(glyphs, middle, from, to, letter) {
					longest, x, top, bottom, found = free[k], middle, from, to, true
				}
			}
			free[k] = 0
		}
	}
	return x, top, bottom, found
}

// flanked tells whether running text stands on both sides of a stripe of paper.
func flanked(glyphs []levelled, x, top, bottom, letter float64) bool {
	var left, right []levelled
	for _, g := range glyphs {
		switch middle := (g.top + g.bottom) / 2; {
		case middle < top || middle > bottom:
		case g.x1+g.x2 < 2*x:
			left = append(left, g)
		default:
			right = append(right, g)
		}
	}
	if !large(left, letter) || !large(right, letter) {
		return false
	}
	l, r := running(left, letter), running(right, letter)
	return l && r || (l || r) && !aligned(left, right, letter)
}

// aligned tells whether the lines of two columns stand beside each other, as those of a table do.
func aligned(left, right []levelled, letter float64) bool {
	middles := func(glyphs []levelled) (found []float64) {
		for _, band := range bands(glyphs, letter) {
			found = append(found, weighted(band, 0.5, func(g levelled) float64 { return g.bottom },
				func(g levelled) float64 { return g.x2 - g.x1 }))
		}
		return found
	}
	few, many := middles(left), middles(right)
	if len(few) > len(many) {
		few, many = many, few
	}
	beside := 0
	for _, y := range few {
		if slices.ContainsFunc(many, func(v float64) bool { return math.Abs(v-y) < 0.25*letter }) {
			beside++
		}
	}
	return 4*beside >= 3*len(few)
}

// extent is the box around glyphs.
func extent(glyphs []levelled) rect {
	box := rect{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, l := range glyphs {
		box = rect{min(box.x1, l.x1), min(box.y1, l.top), max(box.x2, l.x2), max(box.y2, l.bottom)}
	}
	return box
}

// large tells whether glyphs may be a column.
func large(glyphs []levelled, letter float64) bool {
	b := extent(glyphs)
	return b.x2-b.x1 >= columnWide*letter && b.y2-b.y1 >= 0.8*columnTall*letter
}

// running tells whether glyphs are running text: lines that mostly fill the width, without narrow columns such as those of numbers.
func running(glyphs []levelled, letter float64) bool {
	g := gridOf(glyphs, letter/4, 0, lineSpacing*letter)
	spaces := make([]int, g.width) // rows in which a cell is free
	full, rows := 0, 0
	space := int(gutter * letter / g.cell)
	for y := range g.height {
		row := g.inked[y*g.width : (y+1)*g.width]
		filled, last := 0, -1
		for x, ink := range row {
			if !ink {
				spaces[x]++
				continue
			}
			if filled++; last >= 0 && x-last-1 < space {
				filled += x - last - 1
			}
			last = x
		}
		if filled > 0 {
			rows++
		}
		if float64(filled) >= columnFull*float64(g.width) {
			full++
		}
	}
	if 2*full < rows {
		return false
	}
	for from, x := 0, 0; x <= g.width; {
		end := x
		for end < g.width && 20*spaces[end] >= 19*g.height {
			end++
		}
		if x == g.width || end-x >= space-1 {
			if float64(x-from)*g.cell < columnWide*letter {
				return false
			}
			from = end
		}
		x = end + 1
	}
	return true
}
