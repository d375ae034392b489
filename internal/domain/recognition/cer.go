package recognition

import (
	"strings"
	"unicode"
)

// Scoring says which differences between a text and the true text do not count as errors. Runs of white space always count as one
// space, and white space at the ends does not count.
type Scoring struct {
	AnyCase  bool // letter case is ignored
	AnySpace bool // white space is ignored
}

// Errors counts the errors of texts: Edits ÷ Characters is the character error rate.
type Errors struct {
	Edits      int // characters inserted, left out or replaced
	Characters int // of what stands on the page, code points
}

// Add returns the sum of both.
func (e Errors) Add(f Errors) Errors { return Errors{e.Edits + f.Edits, e.Characters + f.Characters} }

// Rate returns the character error rate: 0 if everything is right, above 1 if much was read that is not there, and 0 if the true text
// is empty.
func (e Errors) Rate() float64 {
	if e.Characters == 0 {
		return 0
	}
	return float64(e.Edits) / float64(e.Characters)
}

// Compare counts the errors in a text that was read. Both texts must be in the same Unicode normal form. It takes time in proportion to
// the length and the errors, or in the worst case to the product of both lengths.
func (s Scoring) Compare(read, truth string) Errors {
	a, b := s.reduce(read), s.reduce(truth)
	return Errors{Edits: distance(a, b), Characters: len(b)}
}

// Agreement returns how similar two readings of a region are, from 0 to 1: one minus the edits between them per character of the longer
// one.
func Agreement(a, b string) float64 {
	ab, ba := Scoring{}.Compare(a, b), Scoring{}.Compare(b, a)
	longer := max(ab.Characters, ba.Characters)
	if longer == 0 {
		return 1
	}
	return 1 - float64(ab.Edits)/float64(longer)
}

// reduce keeps the part of a text that the scoring looks at.
func (s Scoring) reduce(text string) []rune {
	between := " "
	if s.AnySpace {
		between = ""
	}
	runes := []rune(strings.Join(strings.Fields(text), between))
	if s.AnyCase {
		for i, r := range runes {
			runes[i] = unicode.ToLower(unicode.ToUpper(r)) // both ways, for letters such as ſ and ς
		}
	}
	return runes
}

// distance is the least number of characters to insert, leave out or replace to make b of a (Levenshtein, 1966).
func distance(a, b []rune) int {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	most := max(len(a), len(b))
	for limit := 8; limit < most; limit *= 4 {
		if d := distanceWithin(a, b, limit); d <= limit {
			return d
		}
	}
	return distanceWithin(a, b, most)
}

// distanceWithin is the distance where that is at most limit, or else some number above limit. It fills in only the band of
// the table that such a distance can pass through (Ukkonen, 1985), one row after the other.
func distanceWithin(a, b []rune, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	row := make([]int, len(b)+1) // row[j] is the distance of a[:i] and b[:j]
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		from, to := max(1, i-limit), min(len(b), i+limit)
		diagonal := row[from-1]
		row[from-1] = limit + 1 // the column before the band
		if from == 1 {
			row[0] = i
		}
		if i+limit <= len(b) {
			row[to] = limit + 1 // is not in the row above
		}
		for j := from; j <= to; j++ {
			d := diagonal
			if a[i-1] != b[j-1] {
				d = 1 + min(diagonal, row[j-1], row[j])
			}
			diagonal, row[j] = row[j], d
		}
	}
	return row[len(b)]
}
