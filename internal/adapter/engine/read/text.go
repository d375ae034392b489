package read

import (
	"maps"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// letter is a character of a line as it was read.
type letter struct {
	text   string
	space  bool    // one comes before it
	prob   float64 // of the character, by its recogniser
	word   float64 // of the word, by its recogniser; prob where it does not tell
	gap    float64 // probability of a space before it
	x1, x2 float64 // on the strip
	y1, y2 float64 // on the strip; 0 where the recogniser does not tell
	by     string  // who read it

	instead, behind []Guess // as of a Char

	other     string  // what the other recogniser read in its place
	otherBy   string  // who that is
	otherProb float64 // 0 where no other one was asked
}

// middle is where a letter stands on its strip.
func (l letter) middle() float64 { return (l.x1 + l.x2) / 2 }

// middleDot is what a text has where the model of Korean reads a letter that is no longer written.
var middleDot = strings.NewReplacer("ㆍ", "·")

// lettersOf brings the text of an answer and its symbols together: the text has the order and the spaces, the symbols places and
// probabilities. Each line of the text is a line of letters.
func lettersOf(a Answer, by string) [][]letter {
	a.Text = middleDot.Replace(a.Text)
	var flat []letter // a letter for each character of the symbols
	for _, s := range a.Symbols {
		n := utf8.RuneCountInString(s.Text)
		width := (s.X2 - s.X1) / float64(max(1, n))
		i := 0
		for _, c := range middleDot.Replace(s.Text) {
			if unicode.IsSpace(c) {
				continue
			}
			x := s.X1 + float64(i)*width
			flat = append(flat, letter{text: string(c), prob: s.Confidence, word: s.Word, x1: x, x2: x + width, y1: s.Y1, y2: s.Y2, by: by})
			i++
		}
	}
	var lines [][]letter
	var want []letter
	for text := range strings.Lines(a.Text) {
		space := false
		var line []letter
		for _, c := range strings.TrimSpace(text) {
			if unicode.IsSpace(c) {
				space = true
				continue
			}
			line = append(line, letter{text: string(c), space: space, by: by})
			space = false
		}
		if len(line) > 0 {
			lines = append(lines, line)
			want = append(want, line...)
		}
	}
	same := len(want) == len(flat)
	for i := range want {
		same = same && want[i].text == flat[i].text
	}
	place := func(to *letter, from letter) {
		from.text, from.space = to.text, to.space
		*to = from
	}
	if same || len(flat) == 0 {
		i := 0
		for _, line := range lines {
			for k := range line {
				if len(flat) > 0 {
					place(&line[k], flat[i])
				}
				i++
			}
		}
		return lines
	}
	// The library contradicts itself: the characters are laid along the symbols.
	perLetter := float64(len(flat)) / float64(len(want))
	i := 0
	for _, line := range lines {
		for k := range line {
			place(&line[k], flat[min(len(flat)-1, int((float64(i)+0.5)*perLetter))])
			i++
		}
	}
	return lines
}

// charsOf makes letters of what a recogniser of lines read.
func charsOf(chars []Char, by string) (line []letter) {
	for _, c := range chars {
		line = append(line, letter{text: c.Text, space: len(line) > 0 && c.Space >= 0.5, gap: c.Space, prob: c.Prob, word: c.Prob, x1: c.X1,
			x2: c.X2, by: by, instead: c.Instead, behind: c.Behind})
	}
	return line
}

// textOf is the text of a line.
func textOf(line []letter) string {
	var b strings.Builder
	for i, l := range line {
		if l.space && i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(l.text)
	}
	return b.String()
}

// sureness is the mean probability of the words of a line, by their length.
func sureness(line []letter) float64 {
	if len(line) == 0 {
		return 0
	}
	sum := 0.0
	for _, l := range line {
		sum += l.word
	}
	return sum / float64(len(line))
}

// wordEnd is where the word ends whose first letter is line[from].
func wordEnd(line []letter, from int) int {
	to := from + 1
	for to < len(line) && !line[to].space {
		to++
	}
	return to
}

// words are the words of a line. place gives the box on the page of a part of the strip.
func words(line []letter, strip rect, confidence func([]letter) float64, place func(rect) document.Box) (found []recognition.Word) {
	for from := 0; from < len(line); {
		to := wordEnd(line, from)
		part := line[from:to]
		box := rect{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
		by, others, candidate, other := map[string]int{}, map[string]bool{}, "", 0.0
		for i, l := range part {
			top, bottom := l.y1, l.y2
			if bottom <= top {
				top, bottom = strip.y1, strip.y2
			}
			box = rect{min(box.x1, l.x1), min(box.y1, top), max(box.x2, l.x2), max(box.y2, bottom)}
			by[l.by]++
			others[l.by], others[l.otherBy] = true, true
			candidate += l.other
			if i == 0 || l.otherProb < other {
				other = l.otherProb
			}
		}
		w := recognition.Word{Text: textOf(part), Box: place(box), Confidence: confidence(part)}
		for name, n := range by {
			if n > by[w.Engine] || w.Engine == "" || n == by[w.Engine] && name < w.Engine {
				w.Engine = name
			}
		}
		if candidate = strings.TrimSpace(candidate); candidate != w.Text && candidate != "" && other > 0 {
			delete(others, w.Engine) // a word may have letters of both
			delete(others, "")
			if len(others) == 0 {
				others[w.Engine] = true
			}
			w.Candidates = []recognition.Candidate{{Engine: strings.Join(slices.Sorted(maps.Keys(others)), ", "), Text: candidate,
				Confidence: min(1, other)}}
		}
		found = append(found, w)
		from = to
	}
	return found
}

func meanConfidence(words []recognition.Word) float64 {
	letters := 0
	for _, w := range words {
		letters += utf8.RuneCountInString(w.Text)
	}
	return worth(words) / float64(max(1, letters))
}

// worth is how many letters were read, weighted by how sure they are.
func worth(words []recognition.Word) (sum float64) {
	for _, w := range words {
		sum += w.Confidence * float64(utf8.RuneCountInString(w.Text))
	}
	return sum
}

// OnlyOf tells whether a text has only characters of a charset, and white space. An empty charset has all characters.
func OnlyOf(text, charset string) bool {
	return charset == "" || !strings.ContainsFunc(text, func(c rune) bool {
		return !unicode.IsSpace(c) && !strings.ContainsRune(charset, c)
	})
}
