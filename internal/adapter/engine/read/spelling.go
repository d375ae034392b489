package read

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

// A word that no list of words has becomes one that is in a list, where a letter or two may be read so.
const (
	shortestSpelt = 5     // letters of such a word
	leastLikely   = 0.005 // probability of the letters that it has then, by that of those that were read
	mostEdits     = 24    // of a word that are looked at: the likeliest ones
	respelt       = 0.95  // what the confidence of those letters counts as, by how often they were right
	parted        = 0.01  // the second recogniser's probability of a space where one word becomes two
	shortestPart  = 2     // letters of each of those, and of two that become one
)

// edit puts letters in the place of letters from:to of a line.
type edit struct {
	from, to int
	with     []letter
	likely   float64 // by what was read
}

// inKnownWords is a line with words of its languages where it nearly has them. first is what the first recogniser read of it, where that
// was asked.
func (j *job) inKnownWords(first, line []letter) []letter {
	if j.Known == nil || j.task.Charset != "" {
		return line
	}
	line = j.withSpacesOfWords(line)
	var edits []edit // of all words, once one is unknown
	var result []letter
	for from := 0; from < len(line); {
		to := wordEnd(line, from)
		word := line[from:to]
		if unknown, _ := j.unknown(word); unknown > 0 {
			if edits == nil {
				edits = append(guessed(line), readByFirst(first, line)...)
			}
			word = j.nearest(line, from, to, edits)
		}
		result = append(result, word...)
		from = to
	}
	return result
}

// withSpacesOfWords is a line with a space less in a word that was read as two, one of which is in no list, and a space more between two
// that were read as one that is in none.
func (j *job) withSpacesOfWords(line []letter) []letter {
	line = slices.Clone(line)
	for at := 1; at < len(line); at++ {
		if !line[at].space {
			continue
		}
		a, b := latinBefore(line, at), latinBehind(line, at)
		if min(len(a), len(b)) < shortestPart || len(a)+len(b) < shortestSpelt || line[at].x1-line[at-1].x2 >= twoLetters(a, b) {
			continue
		}
		if j.inList(textOf(a)+textOf(b)) && !(j.inList(textOf(a)) && j.inList(textOf(b))) {
			line[at].space = false
		}
	}
	for from := 0; from < len(line); from = wordEnd(line, from) {
		word := latinBehind(line, from)
		if len(word) < shortestSpelt || j.inList(textOf(word)) {
			continue
		}
		best, likeliest := 0, parted
		for at := shortestPart; at <= len(word)-shortestPart; at++ {
			if word[at].gap > likeliest && j.inList(textOf(word[:at])) && j.inList(textOf(word[at:])) {
				best, likeliest = from+at, word[at].gap
			}
		}
		if best > 0 {
			line[best].space = true
		}
	}
	return line
}

// latinBefore are the letters of a word before a place of a line, and latinBehind those behind it, as far as they are Latin.
func latinBefore(line []letter, at int) []letter {
	from := at
	for from > 0 && alphabetic(line[from-1].text) && (from == at || !line[from].space) {
		from--
	}
	return line[from:at]
}

func latinBehind(line []letter, at int) []letter {
	to := at
	for to < len(line) && alphabetic(line[to].text) && (to == at || !line[to].space) {
		to++
	}
	return line[at:to]
}

// twoLetters is the width of two letters of a word.
func twoLetters(a, b []letter) float64 {
	return 2 * (b[len(b)-1].x2 - a[0].x1) / float64(len(a)+len(b))
}

// inList tells whether a word is in a list of the languages.
func (j *job) inList(word string) bool { return j.Known(word, j.task.Lang) }

// unknown is how many parts of a word are in no list, and how many letters the others have that are not short.
func (j *job) unknown(word []letter) (unknown, known int) {
	between := func(c rune) bool { return !unicode.IsLetter(c) && !strings.ContainsRune("'’-", c) }
	for _, part := range strings.FieldsFunc(textOf(word), between) {
		missing, letters := 0, 0
		for piece := range strings.SplitSeq(part, "-") {
			piece = strings.Trim(strings.ReplaceAll(piece, "’", "'"), "'")
			letters += len([]rune(piece))
			if piece != "" && !j.inList(piece) {
				missing++
			}
		}
		if missing > 0 {
			unknown++
		} else if letters >= shortestSpelt {
			known += letters
		}
	}
	return unknown, known
}

// guessed are the edits that the second recogniser held for possible.
func guessed(line []letter) (edits []edit) {
	for i, l := range line {
		with := letter{space: l.space, word: respelt, x1: l.x1, x2: l.x2, y1: l.y1, y2: l.y2, by: l.by}
		for _, g := range l.instead {
			with.text, with.prob = g.Text, g.Prob
			if g.Text == "" {
				edits = append(edits, edit{i, i + 1, nil, g.Prob / l.prob})
			} else if alphabetic(g.Text) {
				edits = append(edits, edit{i, i + 1, []letter{with}, g.Prob / l.prob})
			}
		}
		with.space, with.x1 = false, l.x2
		for _, g := range l.behind {
			with.text, with.prob = g.Text, g.Prob
			if alphabetic(g.Text) && g.Text != l.text && (i+1 == len(line) || g.Text != line[i+1].text) {
				edits = append(edits, edit{i + 1, i + 1, []letter{with}, g.Prob / (1 - g.Prob)})
			}
		}
	}
	return edits
}

// readByFirst are the edits that make a line what the first recogniser read.
func readByFirst(first, line []letter) (edits []edit) {
	if len(first) == 0 {
		return nil
	}
	for _, s := range align(first, line) {
		with := slices.Clone(first[s.a1:s.a2])
		if s.same || len(with) > 0 && !alphabetic(textOf(with)) {
			continue
		}
		likely := least(first, s.a1, s.a2, ofWord) / max(least(line, s.b1, s.b2, ofLetter), 0.01)
		for i := range with {
			with[i].word = respelt
		}
		edits = append(edits, edit{s.b1, s.b2, with, likely})
	}
	return edits
}

func alphabetic(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(c rune) bool { return !unicode.Is(unicode.Latin, c) })
}

// nearest is the word line[from:to] with the likeliest edit after which fewer parts of it are unknown, or with two edits where no single
// one does that; the word as it is where none do.
func (j *job) nearest(line []letter, from, to int, edits []edit) (best []letter) {
	edits = slices.DeleteFunc(slices.Clone(edits), func(e edit) bool {
		return e.from < from || e.to > to || e.from == e.to && e.from == from || !inside(line[from:to], e.from-from, e.to-from, len(e.with))
	})
	slices.SortStableFunc(edits, func(a, b edit) int { return cmp.Compare(b.likely, a.likely) })
	edits = edits[:min(mostEdits, len(edits))]
	unknown, known := j.unknown(line[from:to])
	likeliest := leastLikely
	try := func(of ...edit) {
		likely, at := 1.0, from
		var word []letter
		for _, e := range of {
			likely *= e.likely
			word = append(append(word, line[at:e.from]...), e.with...)
			at = e.to
		}
		word = append(word, line[at:to]...)
		if likely <= likeliest || len(word) == 0 {
			return
		}
		if u, k := j.unknown(word); u < unknown && k > known {
			word[0].space = line[from].space
			best, likeliest = word, likely
		}
	}
	for _, e := range edits {
		try(e)
	}
	if best == nil {
		for _, e := range edits {
			for _, f := range edits {
				if e.to <= f.from {
					try(e, f)
				}
			}
		}
	}
	if best == nil {
		return line[from:to]
	}
	for i := range best { // as it was it is a candidate
		best[i].other, best[i].otherBy, best[i].otherProb = "", line[from].by, 1-respelt
	}
	best[0].other = textOf(line[from:to])
	return best
}

// inside tells whether an edit of letters from:to of a word leaves its marks alone, but for those between letters that become letters.
func inside(word []letter, from, to, with int) bool {
	for i := from; i < to; i++ {
		if !alphabetic(word[i].text) &&
			(with == 0 || i == 0 || i == len(word)-1 || !alphabetic(word[i-1].text) || !alphabetic(word[i+1].text)) {
			return false
		}
	}
	return true
}
