package read

import (
	"slices"
	"strings"
)

// How sure the first recogniser is, in Korean alone, of a syllable in the place of other letters, and how wide a digit is in place of one.
const (
	syllableSure = 0.8
	wideDigit    = 0.7 // width of what is read as a digit and may be a syllable, in heights of a capital letter
)

// syllables puts into a line the syllables that the first recogniser has read as Latin letters or digits, such as the counters and the sign
// of won behind numbers. It reads a line in Korean alone where there may be some.
func (j *job) syllables(t strip, line []letter, maybe []bool) ([]letter, error) {
	if !slices.Contains(maybe, true) {
		return line, nil
	}
	other, err := j.koreanAlone(t)
	if err != nil {
		return nil, err
	}
	return spliced(line, maybe, other), nil
}

// spliced is a line with the syllables of another reading in place of the letters that may be such.
func spliced(line []letter, maybe []bool, other []letter) []letter {
	for from := 0; from < len(other); {
		to := from
		for to < len(other) && sureSyllable(other[to]) && (to == from || !other[to].space) {
			to++
		}
		if to == from {
			from++
			continue
		}
		line, maybe = splice(line, maybe, other[from:to])
		from = to
	}
	return line
}

// sureSyllable tells whether a letter is certainly a whole syllable.
func sureSyllable(l letter) bool {
	return hangul(l.text) && !strings.ContainsFunc(l.text, ofSyllable) && l.word >= syllableSure
}

// splice puts syllables into a line in place of the letters that may be such, all together or, where some stand there already, one by one.
func splice(line []letter, maybe []bool, syllables []letter) ([]letter, []bool) {
	x1, x2 := syllables[0].x1, syllables[len(syllables)-1].x2
	inside := func(l letter) bool { return l.middle() > x1 && l.middle() < x2 }
	from := slices.IndexFunc(line, inside)
	if from < 0 {
		return line, maybe
	}
	to, doubtful, known := from, false, false
	for ; to < len(line) && inside(line[to]); to++ {
		doubtful, known = doubtful || maybe[to], known || hangul(line[to].text)
	}
	for to > from && strings.Contains(".,:", line[to-1].text) {
		to--
	}
	alone := isDigit(line[from]) && !maybe[from] && (from == 0 || line[from].space || !isDigit(line[from-1])) // a number is left
	switch {
	case to == from, !doubtful, alone, known && len(syllables) == 1:
		return line, maybe
	case known:
		for i := range syllables {
			line, maybe = splice(line, maybe, syllables[i:i+1])
		}
		return line, maybe
	}
	put := slices.Clone(syllables)
	put[0].space = line[from].space
	put[0].other, put[0].otherBy, put[0].otherProb = textOf(line[from:to]), line[from].by, line[from].word
	return slices.Replace(slices.Clone(line), from, to, put...), slices.Replace(maybe, from, to, make([]bool, len(put))...)
}

// passedOver tells which letters of a line may be syllables: those in place of which the second recogniser reads fewer, and up to two
// capitals at the end of a number.
func (t strip) passedOver(line, second []letter) []bool {
	maybe := make([]bool, len(line))
	for _, s := range align(line, second) {
		if !s.same && s.a2-s.a1 > s.b2-s.b1 {
			for i := s.a1; i < s.a2; i++ {
				l := line[i]
				maybe[i] = worded(line[i:i+1]) && !l.hangul() && (!isDigit(l) || l.x2-l.x1 > wideDigit*t.letter)
			}
		}
	}
	for i, l := range line {
		to := i + 1
		for to < len(line) && to < i+3 && !line[to].space && line[to].text >= "A" && line[to].text <= "Z" {
			to++
		}
		if isDigit(l) && (to == len(line) || line[to].space || !worded(line[to:to+1])) {
			for k := i + 1; k < to; k++ {
				maybe[k] = true
			}
		}
	}
	return maybe
}
