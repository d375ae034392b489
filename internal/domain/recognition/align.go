package recognition

import (
	"strings"
	"unicode/utf8"

	"glyphbox/internal/domain/document"
)

// maxAlign bounds the table of the alignment, which grows with the product of both lengths.
const maxAlign = 4_000_000

// alignText gives the words of a corrected text their places on the page, from those that the words of the text had before. Lines that
// were made of one line, which without this would stand side by side, share its height, or that of the region where it was the only one.
func alignText(old []Word, before, text string, region document.Box) []Word {
	words, from := align(old, strings.Fields(text))
	lineOf, boxes := oldLines(old, before)
	if len(boxes) == 1 {
		boxes[0] = region
	}
	// source returns the old line that all words from i to j (not inclusive) come from, or -1 if there is no such line.
	source := func(i, j int) int {
		for k := i; k < j; k++ {
			if from[k] < 0 || from[k] >= len(lineOf) || lineOf[from[k]] != lineOf[from[i]] {
				return -1
			}
		}
		return lineOf[from[i]]
	}
	var lines [][]Word
	var sources []int
	at := 0
	for line := range strings.SplitSeq(text, "\n") {
		if n := len(strings.Fields(line)); n > 0 {
			lines, sources = append(lines, words[at:at+n]), append(sources, source(at, at+n))
			at += n
		}
	}
	for i := 0; i < len(lines); {
		j := i + 1
		for j < len(lines) && sources[i] >= 0 && sources[j] == sources[i] {
			j++
		}
		for k := i; j-i > 1 && k < j; k++ {
			slot := boxes[sources[i]]
			if slot.Empty() {
				break
			}
			top, height := slot.Y1, slot.Height()
			slot.Y1 = top + height*(k-i)/(j-i)
			slot.Y2 = max(slot.Y1+1, top+height*(k-i+1)/(j-i))
			spread(lines[k], slot)
		}
		i = j
	}
	return words
}

// oldLines returns the number of the line of each word of a text, and the box of each line that has words. Both are empty where the words
// are not those of the text.
func oldLines(words []Word, text string) (lineOf []int, boxes []document.Box) {
	for line := range strings.SplitSeq(text, "\n") {
		fields := strings.Fields(line)
		if len(lineOf)+len(fields) > len(words) {
			return nil, nil
		}
		var box document.Box
		for range fields {
			box = box.Union(words[len(lineOf)].Box)
			lineOf = append(lineOf, len(boxes))
		}
		if len(fields) > 0 {
			boxes = append(boxes, box)
		}
	}
	return lineOf, boxes
}

// spread puts words side by side into a box, with the width of a character between them.
func spread(words []Word, b document.Box) {
	lengths, total := characters(words)
	total += len(words) - 1
	at := 0
	for i, n := range lengths {
		words[i].Box = b
		words[i].Box.X1 = min(b.X1+b.Width()*at/total, b.X2-1)
		words[i].Box.X2 = max(words[i].Box.X1+1, b.X1+b.Width()*(at+n)/total)
		at += n + 1
	}
}

// align gives the words of a corrected text their places on the page. Words that stayed, in the longest common
// subsequence, keep box and confidence. Between them, what a person wrote shares out the boxes of what it replaces, in proportion
// to the characters; what replaces nothing shares with the word beside it. It also returns for each word the number of the old word at its
// place, or -1.
func align(old []Word, texts []string) (words []Word, from []int) {
	words, from = make([]Word, len(texts)), make([]int, len(texts))
	for i, t := range texts {
		words[i], from[i] = Word{Text: t, Confidence: 1}, -1
	}
	i, j := 0, 0
	for _, m := range append(commonWords(old, texts), match{len(old), len(texts)}) {
		if m.old < len(old) {
			words[m.new], from[m.new] = old[m.old], m.old
		}
		shareOut(old, words, from, i, m.old, j, m.new)
		i, j = m.old+1, m.new+1
	}
	return words, from
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

// shareOut gives words[j1:j2] the boxes of old[i1:i2] and notes in from where each begins.
func shareOut(old, words []Word, from []int, i1, i2, j1, j2 int) {
	if j1 == j2 {
		return
	}
	if i2-i1 == j2-j1 {
		for k := range j2 - j1 {
			words[j1+k].Box, from[j1+k] = old[i1+k].Box, i1+k
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
	lengths, have := characters(old[i1:i2])
	wanted, want := characters(words[j1:j2])
	if have == 0 || want == 0 {
		return
	}
	left := old[i1:i2] // those that the words to come may lie on
	leftAt, at := 0.0, 0.0
	for k, n := range wanted {
		next := at + float64(n)*float64(have)/float64(want)
		words[j1+k].Box, from[j1+k] = stretch(left, lengths, at-leftAt, next-leftAt), i2-len(left)
		at = next
		for len(left) > 0 && leftAt+float64(lengths[0]) <= at {
			leftAt += float64(lengths[0])
			left, lengths = left[1:], lengths[1:]
		}
	}
}

// characters returns how many characters each word has, and how many all have.
func characters(words []Word) (lengths []int, total int) {
	lengths = make([]int, len(words))
	for i, w := range words {
		lengths[i] = utf8.RuneCountInString(w.Text)
		total += lengths[i]
	}
	return lengths, total
}

// stretch is the box around the characters from and to (not inclusive) of a row of words of those lengths, taking characters as equally
// wide. It does not count characters itself: one long word may share its box with many others.
func stretch(words []Word, lengths []int, from, to float64) (b document.Box) {
	at := 0.0
	for i, w := range words {
		if at >= to {
			break
		}
		n := float64(lengths[i])
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
