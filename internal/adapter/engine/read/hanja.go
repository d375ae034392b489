package read

import (
	"math"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// Chinese characters in Korean lines: see docs/adr/0084-chinese-characters-in-korean-lines.md.
const (
	hanSure   = 0.95 // the least probability that the second recogniser gives one of them
	hanLikely = 0.85 // and others beside it, or one between brackets
	hanDoubt  = 0.7  // confidence of the first one's letters below which there may be some
	hanBeside = 0.85 // the same in a line that has some
	hanNone   = 0.9  // confidence from which a letter is none of them

	// In heights of a letter.
	hanApart  = 1.7 // from the middle of one to that of the next one, at most
	hanHalf   = 0.6 // from its middle to letters in doubt that stand in its place
	hanMiddle = 0.3 // to others
)

// hanja puts the Chinese characters of which the second recogniser is sure into a Korean line, where the first one is in doubt of a word.
// They count in how sure the line was heard.
func (j *job) hanja(t strip, line []letter, second Scripted) ([]letter, error) {
	with, err := j.hanjaBelow(hanDoubt, t, line, second)
	if err != nil || countHan(with) == countHan(line) {
		return line, err
	}
	with, err = j.hanjaBelow(hanBeside, t, with, second)
	j.heard.sure = max(j.heard.sure, sureness(with))
	return with, err
}

func (j *job) hanjaBelow(doubt float64, t strip, line []letter, second Scripted) ([]letter, error) {
	doubtful := func(l letter) bool { return l.word < doubt && !isHan(l) }
	for to := len(line); to > 0; {
		from := wordStart(line, to)
		if !slices.ContainsFunc(line[from:to], doubtful) {
			to = from
			continue
		}
		for before := from; before > 0; from = before {
			if before = wordStart(line, before); !slices.ContainsFunc(line[before:from], doubtful) {
				break
			}
		}
		left, right := 0, t.gray.Width
		if from > 0 {
			left = max(0, int((line[from-1].x2+line[from].x1)/2))
		}
		if to < len(line) {
			right = min(right, int((line[to-1].x2+line[to].x1)/2)+1)
		}
		if right-left >= 3 {
			read, err := j.secondBetween(second, t, left, right, to-from)
			if err != nil {
				return nil, err
			}
			line = slices.Concat(line[:from], withHan(line[from:to], read, t.letter, doubtful), line[to:])
		}
		to = from
	}
	return line, nil
}

// wordStart is where the word begins that ends before a letter.
func wordStart(line []letter, end int) int {
	for end--; end > 0 && !line[end].space; end-- {
	}
	return end
}

// withHan is a part of a line with the Chinese characters that are sure in another reading in place of what stands there and is in doubt.
func withHan(line, read []letter, letterHeight float64, doubtful func(letter) bool) []letter {
	for to := len(read); to > 0; {
		from := to
		for from > 0 && likelyBesideHan(read[from-1]) && (from == to || near(read[from-1], read[from], letterHeight)) {
			from--
		}
		if from == to {
			to--
			continue
		}
		run, is := slices.Clone(read[from:to]), certainHan(read, from, to)
		if to = from; !is {
			continue
		}
		first, last := replaced(line, run, letterHeight, doubtful)
		if first >= last {
			continue
		}
		was := line[first:last]
		if !slices.ContainsFunc(was, doubtful) {
			continue
		}
		for i, l := range run {
			run[i].y1, run[i].y2, run[i].word = was[0].y1, was[0].y2, l.prob
			run[i].other, run[i].otherBy, run[i].otherProb = "", was[0].by, was[0].word
		}
		run[0].space, run[0].other = was[0].space, textOf(was)
		line = slices.Concat(line[:first], run, line[last:])
	}
	return line
}

// replaced are the letters line[from:to] in whose place Chinese characters stand: those in doubt that are where a character reaches, and
// all between the middle of the first one and that of the last one. There are none where a sure letter stands between characters.
func replaced(line, run []letter, letterHeight float64, doubtful func(letter) bool) (from, to int) {
	left, right := run[0].middle(), run[len(run)-1].middle()
	for i, l := range line {
		x, reach := l.middle(), 0.0
		switch {
		case doubtful(l):
			reach = hanHalf * letterHeight
		case len(run) > 1:
			reach = hanMiddle * letterHeight
		}
		if x < left-reach || x > right+reach {
			continue
		}
		if l.word >= hanNone && !slices.ContainsFunc(run, func(c letter) bool { return math.Abs(c.middle()-x) <= hanHalf*letterHeight }) {
			return 0, 0
		}
		if to == 0 {
			from = i
		}
		to = i + 1
	}
	return from, to
}

// near tells whether two Chinese characters have nothing between them.
func near(a, b letter, letterHeight float64) bool {
	return b.middle()-a.middle() <= hanApart*letterHeight
}

// certainHan tells whether a run of what is read has Chinese characters: several with a sure one, one that is as sure as what is read
// beside it, or one between brackets. The second recogniser takes Hangul for Chinese characters, and is sometimes sure of one among those.
func certainHan(read []letter, from, to int) bool {
	run := read[from:to]
	switch {
	case bracketed(read, from, to):
		return true
	case !slices.ContainsFunc(run, sureHan):
		return false
	}
	return countHan(run) > 1 || (from == 0 || read[from-1].prob >= hanSure) && (to == len(read) || read[to].prob >= hanSure)
}

// likelyBesideHan tells whether a letter is a Chinese character, or stands among them.
func likelyBesideHan(l letter) bool {
	return isHan(l) && l.prob >= hanLikely || plain(width.Fold.String(l.text)) && l.prob >= hanSure
}

func countHan(line []letter) (n int) {
	for _, l := range line {
		if isHan(l) {
			n++
		}
	}
	return n
}

// bracketed tells whether a likely one in a run stands by itself between brackets, as 株 does in (株).
func bracketed(read []letter, from, to int) bool {
	for at := max(1, from); at < min(to, len(read)-1); at++ {
		around := width.Fold.String(read[at-1].text + read[at+1].text)
		if around == "()" && isHan(read[at]) && read[at].prob >= hanLikely {
			return true
		}
	}
	return false
}

// sureHan tells whether a letter is certainly a Chinese character.
func sureHan(l letter) bool { return isHan(l) && l.prob >= hanSure }

func isHan(l letter) bool {
	return l.text != "" && !strings.ContainsFunc(l.text, func(c rune) bool { return !unicode.Is(unicode.Han, c) })
}
