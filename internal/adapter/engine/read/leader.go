package read

import (
	"cmp"
	"math"
	"slices"
)

// Leaders are rows of dots that lead from a title to a number: see docs/adr/0077-leaders.md. There may be more dots than letters, which are
// then taken for specks of a line of dots, and a recogniser reads the dots as letters.
const (
	leaderLeast  = 5    // dots
	leaderMost   = 2e4  // dots of a region; a page of contents has some thousands, and a screen or dirt more
	leaderDot    = 0.4  // size of a dot at most, in heights of a capital letter
	leaderClose  = 1.15 // the narrowest step, by the size of a dot
	leaderWide   = 9    // the widest one
	leaderFilled = 0.6  // of the box of a dot that is ink
	leaderReach  = 4    // how far above and below there is paper, by the size of a dot
	leaderDirt   = 0.1  // how dark it is there, from the paper to the dots
	leaderAlike  = 1.25 // size of a part that may be a dot at most, by that of a dot
	leaderLetter = 2.5  // height of a letter beside them at least, by the size of a dot
	leaderMiddle = 0.75 // down to where from the top of a line dots stand at its middle, in heights of a capital letter
)

// leaders finds rows of dots and takes them out of the ink. The shades stay, for the layout of pages.
func (s *scene) leaders() (found bool) {
	var dots []part
	for _, p := range s.parts {
		w, h := p.width(), p.height()
		small := float64(max(w, h)) <= leaderDot*s.letter && max(w, h) <= 2*min(w, h)+1
		if p.dark && small && float64(p.area) >= leaderFilled*float64(w*h) && p.y1 > 0 && p.y2 < s.height {
			dots = append(dots, p)
		}
	}
	if len(dots) < leaderLeast || len(dots) > leaderMost {
		return false
	}
	slices.SortFunc(dots, func(a, b part) int { return cmp.Compare(a.x1, b.x1) })
	var small Gray
	used, inner := make([]bool, len(dots)), make([]bool, len(dots))
	for i := range dots {
		if inner[i] {
			continue
		}
		row, steps := s.leader(dots, used, i)
		if len(row) < leaderLeast || steps > len(row)+len(row)/8 {
			continue
		}
		first, last := dots[row[0]], dots[row[len(row)-1]]
		for _, k := range row[leaderLeast:] { // a leader begins before them, or not at all
			inner[k] = true
		}
		var size int
		for _, k := range row {
			size = max(size, dots[k].width(), dots[k].height())
		}
		if !s.besideLetters(first, last, size, float64(last.x1-first.x1)/float64(steps)) {
			continue
		}
		if small.Pix == nil {
			small = s.gray.shrink(s.factor)
		}
		if !s.alongPaper(small, first, last, size) {
			continue
		}
		for _, k := range row {
			p := dots[k]
			used[k] = true
			for r := p.first; r >= 0; r = s.runs[r].next {
				clear(s.ink[int(s.runs[r].y)*s.width+int(s.runs[r].x1) : int(s.runs[r].y)*s.width+int(s.runs[r].x2)])
			}
		}
		f := float64(s.factor)
		s.blanks = append(s.blanks, typed{x1: float64(first.x1) * f, x2: float64(last.x2) * f,
			y: float64(first.y1+first.y2+last.y1+last.y2) * f / 4, count: steps + 1,
			dot: float64(size) * f, fall: float64(last.y1+last.y2-first.y1-first.y2) * f / 2})
		found = true
	}
	return found
}

// leader is the row of dots at equal steps that begins with one, and how many steps it has. One dot in a row may be missing.
func (s *scene) leader(dots []part, used []bool, from int) (row []int, steps int) {
	if used[from] {
		return nil, 0
	}
	row = []int{from}
	step := 0.0
	for k := from + 1; k < len(dots); k++ {
		first, last, p := dots[from], dots[row[len(row)-1]], dots[k]
		size := float64(max(last.width(), last.height()))
		dx, dy := float64(p.x1+p.x2-last.x1-last.x2)/2, float64(p.y1+p.y2-last.y1-last.y2)/2
		if steps == 0 && dx > leaderWide*size || steps > 0 && dx > 2.3*step {
			break
		}
		if used[k] || dx < leaderClose*size || math.Abs(dy) > max(1, 0.5*size) || !alikeDots(last, p) {
			continue
		}
		n := 1
		if steps > 0 {
			n = max(1, int(math.Round(dx/step)))
			if math.Abs(dx-float64(n)*step) > max(1.5, 0.2*step) {
				continue
			}
		}
		row, steps = append(row, k), steps+n
		step = float64(p.x1+p.x2-first.x1-first.x2) / float64(2*steps)
	}
	return row, steps
}

// alikeDots tells whether two dots are of one size, but for two pixels or a fourth.
func alikeDots(a, b part) bool {
	alike := func(a, b int) bool { return max(a, b)-min(a, b) <= max(2, max(a, b)/4) }
	return alike(a.width(), b.width()) && alike(a.height(), b.height())
}

// besideLetters tells whether letters stand beside a row of dots and are much larger, on both sides where there is something.
func (s *scene) besideLetters(first, last part, size int, step float64) bool {
	left, right := leaderWide*step, leaderWide*step
	large := [2]bool{} // whether what is nearest on the left and on the right is
	found := false
	for _, p := range s.parts {
		most := float64(max(p.width(), p.height()))
		if !p.dark || most <= leaderAlike*float64(size) {
			continue
		}
		if gap := float64(first.x1 - p.x2); gap >= 0 && gap < left && p.y1-size < first.y1 && p.y2+size > first.y2 {
			left, large[0], found = gap, most >= leaderLetter*float64(size), true
		}
		if gap := float64(p.x1 - last.x2); gap >= 0 && gap < right && p.y1-size < last.y1 && p.y2+size > last.y2 {
			right, large[1], found = gap, most >= leaderLetter*float64(size), true
		}
	}
	return found && (large[0] || left == leaderWide*step) && (large[1] || right == leaderWide*step)
}

// alongPaper tells whether there is paper above and below a row of dots of a size: else they are a screen, or an underline.
func (s *scene) alongPaper(small Gray, first, last part, size int) bool {
	var dots, beside [256]int
	for x := first.x1; x < last.x2; x++ {
		at := float64(x-first.x1) / float64(last.x1-first.x1)
		middle := int((1-at)*float64(first.y1+first.y2)/2 + at*float64(last.y1+last.y2)/2)
		for d := -leaderReach * size; d <= leaderReach*size; d++ {
			y := middle + d
			if y < 0 || y >= s.height {
				continue
			}
			switch shade := small.Pix[y*s.width+x]; {
			case 2*max(d, -d) <= size && s.ink[y*s.width+x] != 0:
				dots[shade]++
			case max(d, -d) > size+1:
				beside[shade]++
			}
		}
	}
	light, dark := float64(quantile(beside[:], 0.9)), float64(median(dots[:]))
	depth := 0.0
	for shade, n := range beside {
		depth += float64(n) * (light - float64(shade))
	}
	return depth <= leaderDirt*(light-dark)*float64(sum(beside[:]))
}

// withoutLeaders paints over the leaders of a strip.
func (t *strip) withoutLeaders() {
	for i, b := range t.blanks {
		if b.dot == 0 {
			continue
		}
		t.blanks[i].wiped = true
		reach := b.dot/2 + 2
		for x := max(0, int(b.x1-t.origin.X-2)); x < min(t.gray.Width, int(b.x2-t.origin.X+3)); x++ {
			at := (float64(x)+t.origin.X-b.x1)/(b.x2-b.x1) - 0.5
			y := b.y + at*b.fall - t.origin.Y - t.slope*float64(x)
			for v := max(0, int(y-reach)); v <= min(t.gray.Height-1, int(y+reach)); v++ {
				t.gray.Pix[v*t.gray.Width+x] = t.paper
			}
		}
	}
}

// dots is the sign of the dots of a row on a strip, of which y is from its top.
func (t strip) dots(b typed) string {
	if top := (float64(t.gray.Height) - t.ink) / 2; b.y-top < leaderMiddle*t.letter {
		return "·"
	}
	return "."
}
