package read

import (
	"strings"
	"testing"
)

// lettersAt are letters of a text, each at its own place: a letter is as wide as one says, or ten pixels.
func lettersAt(text string, word float64, wide map[int]float64) (line []letter) {
	x, space := 0.0, false
	for i, c := range []rune(text) {
		width := 10.0
		if w, ok := wide[i]; ok {
			width = w
		}
		if c != ' ' {
			line = append(line, letter{text: string(c), space: space, prob: word, word: word, x1: x, x2: x + width})
		}
		x, space = x+width, c == ' '
	}
	return line
}

// A syllable that was read as something else is put in its place where the second recogniser passes over that, or where capitals follow a
// number. What both read stays, and so do digits that are as narrow as digits are.
func TestSyllablesThatWereReadAsLetters(t *testing.T) {
	for _, c := range []struct {
		first, second, korean string
		wide                  map[int]float64 // of letters of the first reading
		sure                  float64
		want                  string
	}{
		{"12,0004", "12,000", "12,000병", map[int]float64{6: 20}, 0.9, "12,000병"},
		{"12,0004", "12,000", "12,000병", nil, 0.9, "12,0004"},
		{"12,0004", "12,000", "12,000병", map[int]float64{6: 20}, 0.5, "12,0004"},
		{"5CH", "5CH", "5대", nil, 0.9, "5대"},
		{"2H", "2H", "개", map[int]float64{0: 5, 1: 5}, 0.9, "2H"},
		{"9H. 5", ". 5", "금액. 5", map[int]float64{0: 20}, 0.9, "금액. 5"},
		{"A4 Paper", "A4 Paper", "시스 사과배감귤", nil, 0.9, "A4 Paper"},
	} {
		first, second := lettersAt(c.first, 0.9, c.wide), lettersAt(c.second, 1, nil)
		korean := lettersAt(c.korean, c.sure, c.wide)
		if strings.HasSuffix(c.first, "CH") { // it is as wide as both
			korean[1].x2 = 30
		}
		strip := strip{letter: 20}
		line := spliced(first, strip.passedOver(first, second), korean)
		if got := textOf(line); got != c.want {
			t.Errorf("%s, and %s in Korean: %s, want %s", c.first, c.korean, got, c.want)
		}
	}
}
