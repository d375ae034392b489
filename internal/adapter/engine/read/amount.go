package read

import (
	"regexp"
	"slices"
	"strings"
)

// An amount whose point has faded, as it does first, is read as two numbers. Such a line counts as one where the second number has two
// digits and is no further away than a point is wide.
const (
	faded      = 0.7 // how sure such a point is
	pointsRoom = 2   // from the middle of the digit before it to that of the one behind it, in heights of a capital letter
)

// amount puts the point into a line that is an amount and nothing else, in languages that write one.
func (t strip) amount(line []letter, lang []string, charset string) []letter {
	at := slices.IndexFunc(line, isDigit)
	if at < 0 || worded(line[:at]) || !OnlyOf(".", charset) || !asInEnglish(lang) {
		return line
	}
	for at++; at < len(line) && !line[at].space; at++ {
		if !isDigit(line[at]) {
			return line
		}
	}
	if at+2 != len(line) || !isDigit(line[at]) || !isDigit(line[at+1]) || line[at+1].space {
		return line
	}
	a, b := line[at-1], &line[at]
	if b.x1+b.x2-a.x1-a.x2 > 2*pointsRoom*t.letter {
		return line
	}
	b.space = false
	return slices.Insert(line, at, letter{text: ".", prob: faded, word: faded, x1: a.x2, x2: max(a.x2, b.x1), y1: a.y1, y2: a.y2, by: a.by})
}

func isDigit(l letter) bool { return len(l.text) == 1 && strings.Contains("0123456789", l.text) }

// won sets sums of Korean text right, which are numbers with their thousands set apart. The recognisers do not know ₩: they read W, or the
// backslash that stands for it in Korean character sets. Where ₩ or 원 tells that it is a sum, its commas are read as points once their
// tails have faded; won have no cents.
func won(line []letter, lang []string, charset string) {
	if !korean(lang) || !OnlyOf("₩,", charset) {
		return
	}
	for from, to := 0, 0; from < len(line); from = max(to, from+1) {
		if to = from; !isDigit(line[from]) {
			continue
		}
		for to++; to < len(line) && !line[to].space && (isDigit(line[to]) || strings.Contains(",.", line[to].text)); to++ {
		}
		if !thousands.MatchString(strings.ReplaceAll(textOf(line[from:to]), ".", ",")) {
			continue
		}
		if from > 0 && strings.Contains(`Ww\`, line[from-1].text) && (from == 1 || line[from-1].space || !inWord(line[from-2])) {
			line[from-1].text = "₩"
		}
		if from > 0 && line[from-1].text == "₩" || to < len(line) && line[to].text == "원" {
			for k := from; k < to-1; k++ {
				if line[k].text == "." {
					line[k].text = ","
				}
			}
		}
	}
}

// inWord tells whether a letter would make a word together with a W behind it.
func inWord(l letter) bool { return isDigit(l) || worded([]letter{l}) && !hangul(l.text) }

var thousands = regexp.MustCompile(`^[0-9]{1,3}(,[0-9]{3})+,?$`)
