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

// won makes ₩ of each W that a sum with its thousands set apart follows, as in W12,500: the recognisers do not know the sign.
func won(line []letter, lang []string, charset string) {
	if !korean(lang) || !OnlyOf("₩", charset) {
		return
	}
	for i := range line {
		if !strings.EqualFold(line[i].text, "W") || i > 0 && !line[i].space && (worded(line[i-1:i]) || isDigit(line[i-1])) {
			continue
		}
		sum := ""
		for n := i + 1; n < len(line) && (!line[n].space || n == i+1) && (isDigit(line[n]) || line[n].text == ","); n++ {
			sum += line[n].text
		}
		if thousands.MatchString(sum) {
			line[i].text = "₩"
		}
	}
}

var thousands = regexp.MustCompile(`^[0-9]{1,3}(,[0-9]{3})+,?$`)
