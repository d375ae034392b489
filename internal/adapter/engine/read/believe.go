package read

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"glyphbox/internal/domain/recognition"
)

// How sure a line has to be to be believed to be text. These values separate lines on pages without text from true lines, as the second
// recogniser read both: see docs/adr/0044-what-is-text.md.
const (
	agreeing   = 0.6  // what full agreement of both recognisers counts besides the second one's probability
	sureOfOne  = 0.96 // of one letter, or marks
	sureOfSame = 0.9  // of one mark, or syllable, again and again
	sureOfRow  = 0.8  // of one letter again and again, which both read
	sureOfTwo  = 0.88
	sureOfMore = 0.75
	sureOfTiny = 1.2 // fewer letters than shortest that are less than legible high, in pixels

	sureAround = 0.7 // of few letters that a region is drawn around, by one of them or both

	hairline   = 50 // times as high as their strokes are thick are no letters
	fewestBars = 5  // letters that are all strokes, such as III and ll, have fewer
	fewestRows = 8  // of pixels, without which a stroke is not told from a bar

	legible = 6
	tallest = 64 // letters by themselves, in pixels; what is taller is more often a picture

	// Where only the first one has read it. It is asked for lines with Korean letters; it reads all where there is no second one.
	sureOfShort = 0.85 // fewer letters than shortest
	sureOfLine  = 0.7
	sureOfLong  = 0.45 // of a line of at least long letters
	sureSpelt   = 0.90 // of each Korean letter of a line that is read the same at two looks

	long = 12

	// The least mean probability of the letters of a line that only one recogniser reads.
	clearOfLine   = 0.96  // of at least six letters, where the confidence of its words is below sureOfWords
	clearOfWord   = 0.97  // of shortest and more, where they fill the line and are neither large nor tiny
	clearOfShort  = 0.985 // of others
	clearAround   = 0.95  // of few letters that a region is drawn around
	clearOfPrint  = 0.945 // of more than shortest, where they stand as print does or make a number with a point
	clearOfAnyone = 0.97  // from which a line is taken for text that is the right way up and in its own language

	sureOfWords = 0.65
	sureOfWord  = 0.9 // of fewer letters

	emptier = 4 // times as many letters as were read for which there is room, from which they do not fill a line
)

// clarity is the mean probability of a line's letters. The confidence of a word is that of its least certain letter, or less if no
// dictionary has the word. In bad print it is as low as in pictures, in which no letter is clear.
func clarity(line []letter) float64 {
	sum := 0.0
	for _, l := range line {
		sum += l.prob
	}
	return sum / float64(max(1, len(line)))
}

// surelyRead counts the letters of words that are sure.
func surelyRead(line []letter) (n int) {
	for _, l := range line {
		if l.word >= surely {
			n++
		}
	}
	return n
}

// lettered tells whether the only recogniser that has read a strip sees letters clearly enough. In a picture it may be sure of a few, above
// all of large or tiny ones, or if it skips much.
func (t strip) lettered(line []letter) bool {
	clear, n := clarity(line), len(line)
	switch {
	case n > shortest && clear >= clearOfPrint && (numeric.MatchString(textOf(line)) || t.printed(line)):
		return true
	case n >= 2*shortest:
		return clear >= clearOfLine || sureness(line) >= sureOfWords
	case n >= shortest && t.letter >= smallest && t.letter <= tallest && t.letters > 0 && t.letters <= emptier*n:
		return clear >= clearOfWord || sureness(line) >= sureOfWord
	case n >= shortest:
		return clear >= clearOfShort || sureness(line) >= sureOfWord
	}
	return worded(line) && t.letter <= tallest && clear >= clearOfShort
}

// numeric matches one number of parts, such as an amount, a time or a date. No picture reads like one.
var numeric = regexp.MustCompile(`^[0-9]+([.,:/-][0-9]+)+$`)

// printed tells whether the ink of a strip stands as the letters of a line do: most of it in parts of their size that end at one level,
// about as many as were read. Those of a pattern do, too, but they are few letters again and again.
func (t strip) printed(line []letter) bool {
	different := map[string]bool{}
	for _, l := range line {
		different[l.text] = true
	}
	if 5*len(different) < 3*len(line) || t.letter < legible || t.letter > tallest {
		return false
	}
	dark := make([]uint8, len(t.gray.Pix))
	middle := t.middle(t.gray)
	for i, v := range t.gray.Pix {
		if v < middle {
			dark[i] = 1
		}
	}
	_, all := parts(dark, t.gray.Width, t.gray.Height)
	n, specks, area, inLetters := 0.0, 0, 0, 0
	var heights, bottoms []float64
	for _, p := range all {
		if !p.dark {
			continue
		}
		area += p.area
		switch h := float64(p.height()) / t.letter; {
		case h < 0.55:
			specks++
		case h > 1.6 || float64(p.width()) > 3*t.letter:
			return false
		default:
			n++
			inLetters += p.area
			heights, bottoms = append(heights, h), append(bottoms, float64(p.y2)/t.letter)
		}
	}
	letters := float64(len(line))
	return n >= 0.6*letters && n <= 1.6*letters && specks <= 2*len(line) && 20*inLetters >= 11*area &&
		deviation(heights) < 0.17 && deviation(bottoms) < 0.13
}

// deviation is the root of the mean square by which values deviate from their mean.
func deviation(of []float64) float64 {
	sum, squares := 0.0, 0.0
	for _, v := range of {
		sum += v
		squares += v * v
	}
	n := float64(max(1, len(of)))
	return math.Sqrt(max(0, squares/n-sum/n*sum/n))
}

// believable tells whether a line is text at all, and not a rule, a picture or dirt in which a recogniser sees letters: by what both
// recognisers say of it, and how many letters say so.
func (j *job) believable(t strip, line []letter) bool {
	o, n := j.heard, len(line)
	evidence := o.evidence()
	alone := o.letters == notAsked && (j.task.Effort == recognition.EffortFast || len(j.Second) == 0 || !readable(j.task.Lang))
	switch {
	case ruling(line), t.barred(), t.hairlines():
		return false
	case repeated(line) && worded(line) && o.letters != notAsked:
		return o.agreed >= 0.5 && o.sure >= sureOfRow
	case repeated(line) && o.agreed < 0.5:
		return evidence >= sureOfSame
	case alone && (j.drawnAround(t, n) || !j.alike):
		return j.believableAlone(t, line)
	case j.drawnAround(t, n) && worded(line):
		return max(evidence, sureness(line)) >= sureAround
	case o.letters == notAsked && n < shortest:
		return o.sure >= sureOfShort
	case o.letters == notAsked && j.alike:
		return true
	case o.letters == notAsked:
		return o.sure >= sureOfLine || n >= long && o.sure >= sureOfLong && 4*surelyRead(line) >= n
	case j.drawnAround(t, n):
		return evidence >= sureAround
	case n < shortest && (t.letter < legible || t.letter > tallest):
		return evidence >= sureOfTiny
	case n == 1 || !worded(line):
		return evidence >= sureOfOne
	case n == 2:
		return evidence >= sureOfTwo
	}
	return evidence >= sureOfMore
}

// believableAlone tells whether a line is text that one recogniser has read and no other one is to.
func (j *job) believableAlone(t strip, line []letter) bool {
	if j.drawnAround(t, len(line)) {
		return clarity(line) >= clearAround
	}
	return t.lettered(line)
}

// drawnAround tells whether a region is so tight around so many letters of a line that a person has most likely drawn it for them.
func (j *job) drawnAround(t strip, letters int) bool {
	width, height := j.inner.x2-j.inner.x1, j.inner.y2-j.inner.y1
	alone := letters <= shortest && len(j.lines) == 1 && !j.page
	return alone && t.ink <= tallest && height <= 2.2*t.ink && width <= (float64(letters)+0.5)*height
}

// barred tells whether the ink of a strip is bars that run from its top to its bottom, as those of a barcode do.
func (t strip) barred() bool {
	top, bottom := int((float64(t.gray.Height)-t.ink)/2), int((float64(t.gray.Height)+t.ink)/2)
	inset := (bottom - top) / 10
	top, bottom = max(0, top+inset), min(t.gray.Height, bottom-inset)
	if bottom-top < fewestRows {
		return false
	}
	rows := t.gray.crop(0, top, t.gray.Width, bottom)
	middle := t.middle(rows)
	if rows = rows.withoutMargins(middle); rows.Height < fewestRows {
		return false
	}
	bars, inked, solid := 0, 0, 0
	before := false
	for x := range rows.Width {
		dark := 0
		for i := x; i < len(rows.Pix); i += rows.Width {
			if rows.Pix[i] < middle {
				dark++
			}
		}
		is := 10*dark >= 9*rows.Height
		if is && !before {
			bars++
		}
		if before = is; is {
			solid++
		}
		if 10*dark >= rows.Height {
			inked++
		}
	}
	return bars >= fewestBars && 5*solid >= 4*inked
}

// hairlines tells whether large letters would be made of much finer strokes than those of any print, as rules are. The area of a stroke by
// the number of its pixels below and beside lighter ones is 0.7 to 1 times its thickness.
func (t strip) hairlines() bool {
	if t.letter <= tallest {
		return false
	}
	middle := t.middle(t.gray)
	area, edges := 0, 0
	for y := range t.gray.Height {
		row, above := t.gray.row(y), t.gray.row(max(0, y-1))
		for x, v := range row {
			if v >= middle {
				continue
			}
			area++
			if x == 0 || row[x-1] >= middle {
				edges++
			}
			if y == 0 || above[x] >= middle {
				edges++
			}
		}
	}
	return hairline*float64(area) < t.letter*float64(edges)
}

// withoutMargins is an image without the rows above and below that have nothing darker than a shade.
func (g Gray) withoutMargins(shade uint8) Gray {
	light := func(y int) bool { return slices.Min(g.row(y)) >= shade }
	top, bottom := 0, g.Height
	for top < bottom && light(top) {
		top++
	}
	for top < bottom && light(bottom-1) {
		bottom--
	}
	return g.crop(0, top, g.Width, bottom)
}

// repeated tells whether a line is mostly one letter, as strokes at equal steps are read. Numbers with marks in them are not read so.
func repeated(line []letter) bool {
	if numeric.MatchString(textOf(line)) {
		return false
	}
	counts, most := map[string]int{}, 0
	for _, l := range line {
		counts[l.text]++
		most = max(most, counts[l.text])
	}
	return len(line) >= 5 && 3*most >= 2*len(line)
}

// worded tells whether a line has a letter or a digit.
func worded(line []letter) bool {
	return slices.ContainsFunc(line, func(l letter) bool {
		return strings.ContainsFunc(l.text, func(c rune) bool { return unicode.IsLetter(c) || unicode.IsDigit(c) })
	})
}

// ruling tells whether a line is a row of dashes, dots or the like, which is a rule and no text.
func ruling(line []letter) bool {
	most := "|_~…ㅣㅡ¦"
	if len(line) > 1 {
		most += "-=.·•‐‑–—―ー一二三"
	}
	return !slices.ContainsFunc(line, func(l letter) bool { return !strings.Contains(most, l.text) })
}

// withoutRemains leaves out what is left of rules: underscores by themselves that do not join letters.
func withoutRemains(line []letter) []letter {
	is := func(k int, what func(letter) bool) bool { return k >= 0 && k < len(line) && what(line[k]) }
	under := func(l letter) bool { return l.text == "_" }
	joined := func(l letter) bool { return l.text < "\u0080" && worded([]letter{l}) }
	kept := make([]letter, 0, len(line))
	space := false
	for k, l := range line {
		if under(l) && !is(k-1, under) && !is(k+1, under) &&
			!(is(k-1, joined) && !l.space && is(k+1, joined) && !line[k+1].space) {
			space = space || l.space
			continue
		}
		l.space = (l.space || space) && len(kept) > 0
		kept, space = append(kept, l), false
	}
	return kept
}
