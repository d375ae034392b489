package read

import (
	"math"
	"slices"
	"strings"
)

// The second recogniser reads curly quotes as straight ones at times. A straight one is its own mirror image, a curly one is not.
const (
	curly        = 0.42 // share of the ink of a curly quote that does not lie where its mirror image does, at least
	curlyByOther = 0.3  // the same where a recogniser reads one as curly
	quoteLetter  = 16   // height of capital letters from which the shape of a quote shows, in pixels
	quoteHeight  = 0.15 // of the smallest one, in heights of a capital letter
	quoteBottom  = 0.6  // where it ends below the top of the line
	aroundQuote  = 0.6  // how far beside its letter it is looked for
)

const (
	straightQuotes = "'`´\""
	curlyQuotes    = "’‘“”"
	beforeOpening  = "([{<“‘\"'「『《〈-–—/="
)

// quotes makes curly ones of the straight quotes of a line, where those that show are printed so. In languages that open and close quotes
// in other ways than English and Korean only the apostrophe within a word becomes one.
func (t strip) quotes(line []letter, lang []string, charset string) {
	if t.letter < quoteLetter {
		return
	}
	var at []int
	sum, limit := 0.0, curly
	for i, l := range line {
		if !strings.Contains(straightQuotes+curlyQuotes, l.text) {
			continue
		}
		share, found := t.skewed(line, i)
		if !found {
			continue
		}
		at, sum = append(at, i), sum+share
		if strings.Contains(curlyQuotes, l.text) || l.other != "" && strings.Contains(curlyQuotes, l.other) {
			limit = curlyByOther
		}
	}
	if sum < limit*float64(len(at)) {
		return
	}
	open := false // a double one
	for _, i := range at {
		l := &line[i]
		single, last := l.text != "\"", i == len(line)-1
		opens := !last && !line[i+1].space && (i == 0 || l.space || strings.Contains(beforeOpening, line[i-1].text) || !single && !open)
		text := "’"
		switch {
		case !asInEnglish(lang) && (i == 0 || last || l.space || line[i+1].space || !worded(line[i-1:i]) || !worded(line[i+1:i+2])):
			continue
		case strings.Contains(curlyQuotes, l.text):
			text, single, opens = l.text, l.text == "’" || l.text == "‘", l.text == "“"
		case !single && opens:
			text = "“"
		case !single:
			text = "”"
		case opens && !strings.Contains("0123456789", line[i+1].text): // not as in ’90
			text = "‘"
		}
		if !single {
			open = opens
		}
		if OnlyOf(text, charset) {
			l.text = text
		}
	}
}

// asInEnglish tells whether a language is English or Korean, whose signs for quotes and amounts are the same.
func asInEnglish(lang []string) bool {
	return slices.Contains(lang, "eng") || korean(lang)
}

// skewed is the share of the ink of a quote, or of one of its two strokes, that does not lie where its mirror image does.
func (t strip) skewed(line []letter, i int) (share float64, found bool) {
	l := line[i]
	left, right := max(0, l.x1-aroundQuote*t.letter), min(float64(t.gray.Width), l.x2+aroundQuote*t.letter)
	if i > 0 {
		left = max(left, (line[i-1].x1+line[i-1].x2)/2)
	}
	if i < len(line)-1 {
		right = min(right, (line[i+1].x1+line[i+1].x2)/2)
	}
	x1, x2 := int(left), int(math.Ceil(right))
	if x2-x1 < 2 {
		return 0, false
	}
	g := t.gray.crop(x1, 0, x2, t.gray.Height)
	ink, _, found := binarise(g, 0)
	if !found {
		return 0, false
	}
	runs, all := parts(ink, g.Width, g.Height)
	bottom := (float64(t.gray.Height)-t.ink)/2 + quoteBottom*t.letter
	nearest, away := -1, math.Inf(1)
	for k, p := range all {
		if !p.dark || float64(p.y2) > bottom || float64(p.height()) < quoteHeight*t.letter || x1 > 0 && p.x1 == 0 ||
			x2 < t.gray.Width && p.x2 == g.Width {
			continue
		}
		if d := math.Abs(float64(x1) + float64(p.x1+p.x2)/2 - l.middle()); d < away {
			nearest, away = k, d
		}
	}
	if nearest < 0 {
		return 0, false
	}
	return mirrored(g, t.paper, runs, all, nearest), true
}

// mirrored is the share of the ink of a part that does not lie where its mirror image does.
func mirrored(g Gray, paper uint8, runs []run, all []part, k int) float64 {
	const soft = 1 // pixels around it, of its soft edge
	p := all[k]
	width, height := p.width()+2*soft, p.height()+2*soft
	depth := make([]float64, width*height)
	for y := range height {
		for x := range width {
			if u, v := p.x1-soft+x, p.y1-soft+y; u >= 0 && v >= 0 && u < g.Width && v < g.Height {
				depth[y*width+x] = max(0, float64(paper)-float64(g.Pix[v*g.Width+u])-minContrast)
			}
		}
	}
	for _, r := range runs { // of parts beside it
		if y := int(r.y) - p.y1 + soft; r.dark && int(r.part) != k && y >= 0 && y < height {
			for x := max(0, int(r.x1)-p.x1+soft); x < min(width, int(r.x2)-p.x1+soft); x++ {
				depth[y*width+x] = 0
			}
		}
	}
	total, middle := 0.0, 0.0
	for i, d := range depth {
		total += d
		middle += d * float64(i%width)
	}
	if total == 0 {
		return 0
	}
	middle /= total
	differs := 0.0
	for y := range height {
		at := func(x int) float64 {
			if x < 0 || x >= width {
				return 0
			}
			return depth[y*width+x]
		}
		for x := range width {
			whole, part := math.Modf(2*middle - float64(x))
			differs += math.Abs(at(x) - at(int(whole))*(1-part) - at(int(whole)+1)*part)
		}
	}
	return differs / total
}
