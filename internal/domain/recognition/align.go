package recognition

import (
	"unicode/utf8"

	"glyphbox/internal/domain/document"
)

// maxAlign bounds the table of the alignment, which grows with the product of both lengths.
const maxAlign = 4_000_000

// align gives the words of a corrected text their places on the page. Words that stayed, in the longest common
// subsequence, keep box and confidence. Between them, what a person wrote shares out the boxes of what it replaces, in proportion
// to the characters; what replaces nothing shares with the word beside it.
func align(old []Word, texts []string) []Word {
	words := make([]Word, len(texts))
	for i, t := range texts {
		words[i] = Word{Text: t, Confidence: 1}
	}
	i, j := 0, 0
	for _, m := range append(commonWords(old, texts), match{len(old), len(texts)}) {
		if m.old < len(old) {
			words[m.new] = old[m.old]
		}
		shareOut(old, words, i, m.old, j, m.new)
		i, j = m.old+1, m.new+1
	}
	return words
}

type match struct{ old, new int }

// commonWords returns a longest common subsequence (dynamic programming after Wagner and Fischer, 1974).
func commonWords(old []Word, texts []string) (matches []match) {
	head := 0
	for head < len(old) && head < len(texts) && old[head].Text == texts[head] {
		matches = append(matches, match{head, head})
		head++
	}
	tail := 0
	for tail < len(old)-head && tail < len(texts)-head && old[len(old)-1-tail].Text == texts[len(texts)-1-tail] {
		tail++
	}
	a, b := old[head:len(old)-tail], texts[head:len(texts)-tail]
	if len(a)*len(b) <= maxAlign {
		width := len(b) + 1
		best := make([]int32, (len(a)+1)*width) // best[i*width+j]: length for a[i:], b[j:]
		for i := len(a) - 1; i >= 0; i-- {
			for j := len(b) - 1; j >= 0; j-- {
				if a[i].Text == b[j] {
					best[i*width+j] = best[(i+1)*width+j+1] + 1
				} else {
					best[i*width+j] = max(best[(i+1)*width+j], best[i*width+j+1])
				}
			}
		}
		for i, j := 0, 0; i < len(a) && j < len(b); {
			switch {
			case a[i].Text == b[j]:
				matches = append(matches, match{head + i, head + j})
				i++
				j++
			case best[(i+1)*width+j] >= best[i*width+j+1]:
				i++
			default:
				j++
			}
		}
	}
	for ; tail > 0; tail-- {
		matches = append(matches, match{len(old) - tail, len(texts) - tail})
	}
	return matches
}

// shareOut gives words[j1:j2] the boxes of old[i1:i2].
func shareOut(old, words []Word, i1, i2, j1, j2 int) {
	if j1 == j2 {
		return
	}
	if i2-i1 == j2-j1 {
		for k := range j2 - j1 {
			words[j1+k].Box = old[i1+k].Box
		}
		return
	}
	if i1 == i2 { // inserted: beside the word before, or else the one after
		switch {
		case i1 > 0 && j1 > 0:
			i1, j1 = i1-1, j1-1
		case i2 < len(old) && j2 < len(words):
			i2, j2 = i2+1, j2+1
		default:
			return // nothing was read, so nothing is known
		}
	}
	have, want := 0, 0
	for _, w := range old[i1:i2] {
		have += utf8.RuneCountInString(w.Text)
	}
	for _, w := range words[j1:j2] {
		want += utf8.RuneCountInString(w.Text)
	}
	if have == 0 || want == 0 {
		return
	}
	left := old[i1:i2] // those that the words to come may lie on
	leftAt, at := 0.0, 0.0
	for k := j1; k < j2; k++ {
		next := at + float64(utf8.RuneCountInString(words[k].Text))*float64(have)/float64(want)
		words[k].Box = stretch(left, at-leftAt, next-leftAt)
		at = next
		for len(left) > 0 {
			n := float64(utf8.RuneCountInString(left[0].Text))
			if leftAt+n > at {
				break
			}
			left, leftAt = left[1:], leftAt+n
		}
	}
}

// stretch is the box around the characters from and to (not inclusive) of a row of words, taking characters as equally wide.
func stretch(words []Word, from, to float64) (b document.Box) {
	at := 0.0
	for _, w := range words {
		if at >= to {
			break
		}
		n := float64(utf8.RuneCountInString(w.Text))
		if left, right := max(from, at), min(to, at+n); left < right && !w.Box.Empty() {
			part := w.Box
			part.X1 = min(w.Box.X1+int((left-at)/n*float64(w.Box.Width())+0.5), w.Box.X2-1)
			part.X2 = max(part.X1+1, w.Box.X1+int((right-at)/n*float64(w.Box.Width())+0.5))
			b = b.Union(part)
		}
		at += n
	}
	return b
}
