package recognition

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"glyphbox/internal/domain/fault"
)

// Folded is a text in the form in which texts are compared: Unicode NFC, without letter case, with straight quotes instead of curly
// ones. From and To give, for each of its runes, the first character of the original text and the one after the last.
type Folded struct {
	Runes    []rune
	From, To []int
}

// Span is a part of a text in characters (code points): From is the first one and To the one after the last.
type Span struct{ From, To int }

// Limits of what is sought.
const (
	MaxSought      = 200 // characters
	MaxSoughtWords = 20
)

// longestTerm is how many characters of a word or a number the index looks at.
const longestTerm = 15

// script is a kind of characters. A text is split where it changes, and each piece is found as a whole.
type script uint8

const (
	between  script = iota // white space, punctuation, symbols
	letters                // of scripts that have spaces between words
	digits                 // numbers, with the points and commas between digits
	unbroken               // characters of scripts where words are not told apart by spaces, or not always
)

var unbrokenScripts = []*unicode.RangeTable{unicode.Hangul, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Bopomofo, unicode.Yi,
	unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan}

const prolongedSound = 'ー' // of Katakana, which belongs to no script

func scriptOf(r rune) script {
	switch {
	case 'a' <= r && r <= 'z':
		return letters
	case unicode.IsDigit(r):
		return digits
	case r < utf8.RuneSelf:
		return between
	case unicode.In(r, unbrokenScripts...) || r == prolongedSound:
		return unbroken
	case unicode.IsLetter(r) || unicode.IsMark(r):
		return letters
	}
	return between
}

// piece is a part of a folded text in one script.
type piece struct {
	script   script
	from, to int // runes
}

// pieces splits a text at each change of script and leaves out what is between.
func pieces(text []rune) (all []piece) {
	for i := 0; i < len(text); {
		p := piece{scriptOf(text[i]), i, i + 1}
		for p.to < len(text) && (scriptOf(text[p.to]) == p.script || p.script == digits && isPoint(text, p.to)) {
			p.to++
		}
		if p.script != between {
			all = append(all, p)
		}
		i = p.to
	}
	return all
}

// isPoint tells whether a point or a comma between two digits stands there.
func isPoint(text []rune, at int) bool {
	return (text[at] == '.' || text[at] == ',') && at+1 < len(text) && unicode.IsDigit(text[at+1]) && unicode.IsDigit(text[at-1])
}

// Terms returns the terms of a text, sorted, each once: its words and numbers and, for scripts without spaces, all pairs of adjacent
// characters and the last character of each piece.
func (f Folded) Terms() []string {
	var terms []string
	for _, p := range pieces(f.Runes) {
		if p.script != unbroken {
			terms = append(terms, f.term(p.from, min(p.to, p.from+longestTerm)))
			continue
		}
		for i := p.from; i < p.to; i++ {
			terms = append(terms, f.term(i, min(i+2, p.to)))
		}
	}
	slices.Sort(terms)
	return slices.Compact(terms)
}

func (f Folded) term(from, to int) string { return string(f.Runes[from:to]) }

// Term is a term that every matching text contains.
type Term struct {
	Text   string
	Prefix bool // it has a term that begins with Text
}

// Sought is a query for texts: words, all of which a text must contain.
type Sought struct {
	Terms []Term // each once
	words []soughtWord
}

type soughtWord struct {
	runes  []rune
	begins []int // where its words and numbers begin: that has to be where one of the text's begins
}

// NewSought parses a query and folds it. Hangul, kana and Chinese characters match anywhere; Latin words and numbers match the
// beginnings of words. Invalid, naming the field q, if the query is too long or has neither a letter nor a digit.
func NewSought(q Folded) (Sought, error) {
	var s Sought
	words := strings.FieldsFunc(string(q.Runes), unicode.IsSpace)
	if len(q.Runes) > MaxSought || len(words) > MaxSoughtWords {
		return s, fault.InvalidFields(fault.Field{Field: "q", Detail: fmt.Sprintf("at most %d characters and %d words", MaxSought,
			MaxSoughtWords)})
	}
	for _, word := range words {
		w := Folded{Runes: []rune(word)}
		all := pieces(w.Runes)
		sought := soughtWord{runes: w.Runes}
		for n, p := range all {
			if p.script != unbroken {
				sought.begins = append(sought.begins, p.from)
			}
			s.add(w, p, n == len(all)-1 && strings.Trim(string(w.Runes[p.to:]), ".,") == "")
		}
		s.words = append(s.words, sought)
	}
	if len(s.Terms) == 0 {
		return s, fault.InvalidFields(fault.Field{Field: "q", Detail: "at least a letter or a digit"})
	}
	return s, nil
}

// add adds the terms of a piece of a word; last tells that a text's word or number may go on after it.
func (s *Sought) add(w Folded, p piece, last bool) {
	var terms []Term
	switch {
	case p.script != unbroken:
		to := min(p.to, p.from+longestTerm)
		terms = []Term{{w.term(p.from, to), last && to-p.from < longestTerm}}
	case p.to-p.from == 1:
		terms = []Term{{w.term(p.from, p.to), true}}
	default:
		for i := p.from; i+2 <= p.to; i++ {
			terms = append(terms, Term{Text: w.term(i, i+2)})
		}
	}
	for _, t := range terms {
		if !slices.Contains(s.Terms, t) {
			s.Terms = append(s.Terms, t)
		}
	}
}

// In returns the matches in a text, or in several that belong together: a list of spans for each text, in their order. found tells
// whether each word is in one of them.
func (s Sought) In(texts ...Folded) (spans [][]Span, found bool) {
	spans = make([][]Span, len(texts))
	begins := make([]map[int]bool, len(texts))
	for n, text := range texts {
		begins[n] = map[int]bool{}
		for _, p := range pieces(text.Runes) {
			if p.script != unbroken {
				begins[n][p.from] = true
			}
		}
	}
	for _, w := range s.words {
		found := false
		for n, text := range texts {
			for _, at := range w.in(text.Runes, begins[n]) {
				found = true
				spans[n] = append(spans[n], Span{text.From[at], text.To[at+len(w.runes)-1]})
			}
		}
		if !found {
			return nil, false
		}
	}
	for n := range spans {
		spans[n] = joinedSpans(spans[n])
	}
	return spans, true
}

// in returns where a word stands in a text whose words and numbers begin there.
func (w soughtWord) in(text []rune, begins map[int]bool) (at []int) {
	for i := 0; i+len(w.runes) <= len(text); i++ {
		if text[i] != w.runes[0] || !slices.Equal(text[i:i+len(w.runes)], w.runes) {
			continue
		}
		if !slices.ContainsFunc(w.begins, func(begin int) bool { return !begins[i+begin] }) {
			at = append(at, i)
		}
	}
	return at
}

// joinedSpans sorts spans and makes one of those that touch.
func joinedSpans(spans []Span) (joined []Span) {
	slices.SortFunc(spans, func(a, b Span) int { return a.From - b.From })
	for _, s := range spans {
		if last := len(joined) - 1; last >= 0 && s.From <= joined[last].To {
			joined[last].To = max(joined[last].To, s.To)
			continue
		}
		joined = append(joined, s)
	}
	return joined
}
