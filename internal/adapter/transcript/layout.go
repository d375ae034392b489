package transcript

import (
	"strings"
	"unicode/utf8"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// block is a region.
type block struct {
	name       string
	lang       string // BCP 47; empty: unknown
	box        document.Box
	rotation   int         // degrees that the text is turned clockwise on the page
	paragraphs []paragraph // none where there is no text
}

// paragraph is lines without a blank one between them.
type paragraph struct {
	box   document.Box
	lines []line
}

// line is at least one word.
type line struct {
	box   document.Box
	words []word
}

type word struct {
	text       string
	box        document.Box
	confidence float64 // 0–1
	confirmed  bool
}

// percent is the confidence as a whole number from 0 to 100.
func (w word) percent() int { return int(min(1, max(0, w.confidence))*100 + 0.5) }

// layout gives the text of a run its places on the page. All boxes lie on the page and have at least one pixel.
func layout(p recognition.TranscriptPage) []block {
	page := p.Image.Box()
	blocks := make([]block, len(p.Run.Contents))
	for i, c := range p.Run.Contents {
		b := block{name: clean(c.Name), lang: firstTag(c.Lang), box: c.ROI.Intersect(page), rotation: c.Rotation}
		if b.box.Empty() {
			b.box = page
		}
		lines := place(linesOf(c, page), b.box)
		begin := 0
		for j := range len(lines) + 1 {
			if j < len(lines) && len(lines[j].words) > 0 {
				continue
			}
			if begin < j {
				b.paragraphs = append(b.paragraphs, newParagraph(lines[begin:j]))
			}
			begin = j + 1
		}
		blocks[i] = b
	}
	return blocks
}

func newParagraph(lines []line) paragraph {
	p := paragraph{lines: lines}
	for _, l := range lines {
		p.box = p.box.Union(l.box)
	}
	return p
}

// linesOf splits a text into lines and words, where a blank line has no words. What has no place on the page has an empty box.
func linesOf(c recognition.Content, page document.Box) (lines []line) {
	known := c.Words
	if len(known) != len(c.Detail()) { // the text is what counts
		known = nil
	}
	n := 0
	for text := range strings.SplitSeq(c.Text, "\n") {
		var l line
		for field := range strings.FieldsSeq(text) {
			w := word{text: clean(field), confidence: c.Confidence, confirmed: c.Confirmed}
			if known != nil {
				w.box, w.confidence = known[n].Box.Intersect(page), known[n].Confidence
				w.confirmed = w.confirmed || known[n].Confirmed
			}
			if n++; w.text != "" {
				l.words = append(l.words, w)
			}
		}
		lines = append(lines, l)
	}
	return lines
}

// place finds boxes for lines and for words that have none, so that the words of a region that could not be read, and that
// somebody typed in, stand side by side in its box: lines share its height, words a line's width or the gap between
// those that have a box.
func place(lines []line, region document.Box) []line {
	for i, l := range lines {
		slot := region
		slot.Y1, slot.Y2 = share(region.Y1, region.Y2, i, i+1, len(lines))
		for _, w := range l.words {
			if !w.box.Empty() {
				l.box = l.box.Union(w.box)
			}
		}
		if !l.box.Empty() {
			slot.Y1, slot.Y2 = l.box.Y1, l.box.Y2
		}
		for from := 0; from < len(l.words); {
			to := from
			for to < len(l.words) && l.words[to].box.Empty() {
				to++
			}
			gap := slot
			if from > 0 {
				gap.X1 = l.words[from-1].box.X2
			}
			if to < len(l.words) {
				gap.X2 = l.words[to].box.X1
			}
			if gap.Empty() {
				gap = slot
			}
			spread(l.words[from:to], gap)
			from = to + 1
		}
		for _, w := range l.words {
			l.box = l.box.Union(w.box)
		}
		lines[i] = l
	}
	return lines
}

// spread puts words side by side into a box, with the width of a character between them.
func spread(words []word, b document.Box) {
	total := len(words) - 1
	for _, w := range words {
		total += utf8.RuneCountInString(w.text)
	}
	at := 0
	for i := range words {
		n := utf8.RuneCountInString(words[i].text)
		words[i].box = b
		words[i].box.X1, words[i].box.X2 = share(b.X1, b.X2, at, at+n, total)
		at += n + 1
	}
}

// share is what lies between the i-th and the j-th of n marks on a stretch, but at least one pixel of it.
func share(from, to, i, j, n int) (int, int) {
	begin, end := from+(to-from)*i/n, from+(to-from)*j/n
	if begin < end {
		return begin, end
	}
	begin = min(begin, to-1)
	return begin, begin + 1
}
