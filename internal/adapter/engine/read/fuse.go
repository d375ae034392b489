package read

import (
	"slices"
	"strings"
	"unicode"
)

// How two readings of a line become one: see docs/adr/0032-fusion.md.
const (
	doubt     = 0.8   // the second recogniser's lowest probability of a stretch below which the first may be right
	trust     = 0.85  // the first one's confidence from which it is
	trustOwn  = 0.7   // the first one's probability of a letter with a mark from which it is, where the second reads none with a mark
	spaceFrom = 0.003 // the second one's probability of a space from which the first one's space counts

	sureOfPart = 0.8 // the first one's confidence from which a part of a Korean syllable by itself is one
)

// stretch is a piece of an alignment: a[a1:a2] stands where b[b1:b2] does.
type stretch struct {
	a1, a2, b1, b2 int
	same           bool
}

// align lays two lines along each other so that as few letters as possible differ, letter case aside (Wagner and Fischer, 1974).
func align(a, b []letter) (found []stretch) {
	fold := func(line []letter) []string {
		s := make([]string, len(line))
		for i, l := range line {
			s[i] = strings.ToUpper(l.text)
		}
		return s
	}
	x, y := fold(a), fold(b)
	width := len(y) + 1
	cost := make([]int32, (len(x)+1)*width)
	for i := len(x); i >= 0; i-- {
		for j := len(y); j >= 0; j-- {
			switch {
			case i == len(x):
				cost[i*width+j] = int32(len(y) - j)
			case j == len(y):
				cost[i*width+j] = int32(len(x) - i)
			case x[i] == y[j]:
				cost[i*width+j] = cost[(i+1)*width+j+1]
			default:
				cost[i*width+j] = 1 + min(cost[(i+1)*width+j+1], cost[(i+1)*width+j], cost[i*width+j+1])
			}
		}
	}
	add := func(di, dj int, same bool, i, j int) {
		if n := len(found); n > 0 && found[n-1].same == same {
			found[n-1].a2, found[n-1].b2 = i+di, j+dj
		} else {
			found = append(found, stretch{i, i + di, j, j + dj, same})
		}
	}
	for i, j := 0, 0; i < len(x) || j < len(y); {
		switch {
		case i < len(x) && j < len(y) && x[i] == y[j]:
			add(1, 1, true, i, j)
			i, j = i+1, j+1
		case i < len(x) && j < len(y) && cost[i*width+j] == 1+cost[(i+1)*width+j+1]:
			add(1, 1, false, i, j)
			i, j = i+1, j+1
		case i < len(x) && (j == len(y) || cost[i*width+j] == 1+cost[(i+1)*width+j]):
			add(1, 0, false, i, j)
			i++
		default:
			add(0, 1, false, i, j)
			j++
		}
	}
	return found
}

// fuse makes one line of what the first and the second recogniser read. The second one's letters count, but for a stretch of which it
// is in doubt and the first one is not, or in which the first one is sure of a letter that is better known to it. A space is the second
// one's, or the first one's where the second does not rule it out.
func fuse(first, second []letter, lang []string) (line []letter) {
	if len(second) == 0 {
		return first
	}
	if len(first) == 0 {
		return second
	}
	for _, s := range align(first, second) {
		a, b := first[s.a1:s.a2], second[s.b1:s.b2]
		if s.same {
			for i, l := range b {
				l.space = l.space || a[i].space && l.gap >= spaceFrom
				l.y1, l.y2 = a[i].y1, a[i].y2
				l.other, l.otherBy, l.otherProb = a[i].text, a[i].by, a[i].word
				l.word = agreed(a[i].word, l.prob)
				line = append(line, l)
			}
			continue
		}
		sureB := least(second, s.b1, s.b2, ofLetter)
		if len(b) == 0 { // the second one read nothing here: as sure as it is of what is beside it
			left, right := 1.0, 1.0
			if s.b1 > 0 {
				left = second[s.b1-1].prob
			}
			if s.b2 < len(second) {
				right = second[s.b2].prob
			}
			sureB = 0.3*max(left, right) + 0.7*min(left, right)
		}
		sureA := least(first, s.a1, s.a2, ofWord)
		take, left, takeProb, leftProb, leftBy := b, a, sureB, sureA, first[0].by
		byFirst := sureB < doubt && sureA > trust && sureA > sureB
		if marked(a, lang) {
			byFirst = byFirst || sureA > trust || least(a, 0, len(a), ofLetter) > trustOwn && ascii(textOf(b))
		}
		if byFirst {
			take, left, takeProb, leftProb, leftBy = a, b, sureA, sureB, second[0].by
		}
		other := textOf(left)
		if len(left) > 0 && left[0].space && len(line) > 0 {
			other = " " + other
		}
		if len(take) == 0 {
			if len(line) > 0 {
				line[len(line)-1].other += other
				line[len(line)-1].otherBy, line[len(line)-1].otherProb = leftBy, leftProb
				line[len(line)-1].word = min(line[len(line)-1].word, disputed(takeProb, leftProb))
			}
			continue
		}
		for i, l := range take {
			if !byFirst {
				spaced := len(a) == len(b) && a[i].space || len(a) != len(b) && i == 0 && len(a) > 0 && a[0].space
				l.space = l.space || spaced && l.gap >= spaceFrom
				if len(a) == len(b) {
					l.y1, l.y2 = a[i].y1, a[i].y2
				}
			}
			l.other, l.otherBy, l.otherProb = "", leftBy, leftProb
			if i == 0 {
				l.other = other
			}
			l.word = disputed(takeProb, leftProb)
			line = append(line, l)
		}
	}
	if len(line) > 0 {
		line[0].space = false
	}
	return line
}

// marked tells whether letters are beyond ASCII in accented languages. The first recogniser is trained on each language by itself; the
// second one has no Vietnamese letters, and takes rare ones for those without a mark.
func marked(letters []letter, lang []string) bool {
	return accented(lang) && !ascii(textOf(letters))
}

// ascii tells whether a text has only characters of ASCII.
func ascii(text string) bool {
	return !strings.ContainsFunc(text, func(c rune) bool { return c > unicode.MaxASCII })
}

// inCommon is the share of the letters of the longer line that stand in both.
func inCommon(a, b []letter) float64 {
	same := 0
	for _, s := range align(a, b) {
		if s.same {
			same += s.a2 - s.a1
		}
	}
	return float64(same) / float64(max(1, len(a), len(b)))
}

// agreed is the confidence of a letter that both recognisers read.
func agreed(first, second float64) float64 { return 1 - (1-first)*(1-second)*0.5 }

// disputed is the confidence of a letter that one recogniser read and the other did not.
func disputed(taken, left float64) float64 { return max(0, taken*(1-0.5*left)) }

// hangul tells whether a letter is Korean.
func hangul(text string) bool {
	return strings.ContainsFunc(text, func(c rune) bool { return unicode.Is(unicode.Hangul, c) })
}

// hangul tells whether a letter is Korean. The model of Korean takes Latin letters for parts of syllables, and is unsure then.
func (l letter) hangul() bool {
	return hangul(l.text) && (l.word >= sureOfPart || !strings.ContainsFunc(l.text, ofSyllable))
}

// ofSyllable tells whether a letter is a part of a Korean syllable by itself.
func ofSyllable(c rune) bool { return c >= 0x3131 && c <= 0x318e }

// plain tells whether a letter is one that stands in Korean text and is not Korean: Latin, digits, punctuation, symbols.
func plain(text string) bool {
	for _, c := range text {
		if c > unicode.MaxASCII && !strings.ContainsRune("·•°×÷±£¥€–—‘’“”…※○●□■△▲→←ⅠⅡⅢⅣⅤ①②③④⑤⑥⑦⑧⑨⑩「」『』℃㎡㎏", c) {
			return false
		}
	}
	return true
}

// another is what the second recogniser is asked for in a line with Hangul: letters first[from:to], which stand from x1 to x2.
type another struct {
	from, to int
	x1, x2   float64

	left, right bool     // whether Hangul stands beside it
	second      []letter // what the second recogniser reads there, trimmed
}

// circled are numbers of clauses, which the first recogniser takes for the sign @ or for a syllable.
const circled = "①②③④⑤⑥⑦⑧⑨⑩"

// foreign are the runs of a line that are not Hangul and that the second recogniser may know better, with their places on a strip of
// that width and height. A syllable by itself at the beginning is one if it is unsure: it may be a circled number.
func foreign(first []letter, width, height float64) (runs []another) {
	for from := 0; from < len(first); {
		lone := from == 0 && len(first) > 1 && hangul(first[0].text) && first[1].space && first[0].word < 0.9
		if first[from].hangul() && !lone {
			from++
			continue
		}
		to := from
		x1, x2, surest, letters := first[from].x1, first[from].x2, 1.0, false
		for ; to < len(first) && (lone && to == 0 || !lone && !first[to].hangul()); to++ {
			l := first[to]
			x1, x2, surest = min(x1, l.x1), max(x2, l.x2), min(surest, l.prob)
			letters = letters || strings.ContainsFunc(l.text, func(c rune) bool {
				return unicode.IsLetter(c) || unicode.IsDigit(c) || c == '@' || c > 0x2fff
			})
		}
		if letters || surest <= 0.9 {
			left, right := 0.0, width
			if from > 0 {
				left = (first[from-1].x2 + x1) / 2
			}
			if to < len(first) {
				right = (first[to].x1 + x2) / 2
			}
			run := another{from: from, to: to, x1: max(0, left, x1-height/4), x2: min(width, right, x2+height/4), left: from > 0,
				right: to < len(first)}
			if run.x2-run.x1 >= 3 {
				runs = append(runs, run)
			}
		}
		from = to
	}
	return runs
}

// colon tells whether a letter is a colon, which is read as a semicolon at times.
func colon(l letter) bool { return l.text == ":" || l.text == ";" }

// trimmed is what the second recogniser read of a run. Where Hangul is beside that, it takes a piece of a syllable for a letter at times,
// and passes over marks at the edge.
func (r another) trimmed(run, second []letter) []letter {
	for len(second) > 0 && !plain(second[len(second)-1].text) {
		second = second[:len(second)-1]
	}
	for len(second) > 0 && !plain(second[0].text) {
		second = second[1:]
	}
	stretches := align(run, second)
	if len(second) == 0 || len(stretches) < 2 {
		return second
	}
	var before, behind []letter
	head, tail := stretches[0], stretches[len(stretches)-1]
	if r.left && !head.same {
		if head.a1 == head.a2 {
			second = second[head.b2:]
		} else if marks := run[:head.a2]; head.b1 == head.b2 && !worded(marks) {
			before = marks
		} else if head.a2 > head.b2 && colon(run[0]) && !colon(second[0]) {
			before = run[:1]
		}
	}
	if r.right && !tail.same {
		if tail.a1 == tail.a2 {
			second = second[:len(second)-(tail.b2-tail.b1)]
		} else if marks := run[tail.a1:]; tail.b1 == tail.b2 && !worded(marks) {
			behind = marks
		}
	}
	return slices.Concat(before, second, behind)
}

// replace puts what the second recogniser read of a run into a line, where that is to be believed.
func replace(run, second []letter) ([]letter, bool) {
	if len(second) == 0 || run[0].hangul() && (len(second) > 1 || !strings.Contains(circled, second[0].text)) {
		return run, false
	}
	sum, latin := 0.0, false
	for _, l := range second {
		if !plain(l.text) {
			return run, false
		}
		sum += l.prob
		latin = latin || l.text >= "A" && l.text <= "Z" || l.text >= "a" && l.text <= "z"
	}

	digits, surest := true, 1.0
	for _, l := range run {
		digits = digits && strings.Contains("0123456789.,%()-/:~", l.text)
		surest = min(surest, l.prob)
	}
	if sum/float64(len(second)) < 0.6 || digits && surest > 0.97 && !latin {
		return run, false
	}
	out := make([]letter, len(second))
	for i, l := range second {
		l.y1, l.y2 = run[0].y1, run[0].y2
		l.word = l.prob
		l.other, l.otherBy, l.otherProb = "", run[0].by, run[0].word
		if i == 0 {
			l.other, l.space = textOf(run), run[0].space
		}
		if len(run) == len(second) {
			l.other = run[i].text
			if l.other == l.text {
				l.word = agreed(run[i].word, l.prob)
			} else {
				l.word = disputed(l.prob, run[i].word)
			}
		}
		out[i] = l
	}
	return out, true
}
