package worker

import (
	"math"
	"strings"
	"testing"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"

	"github.com/google/go-cmp/cmp"
)

func TestTheLanguageThatLeads(t *testing.T) {
	for lang, want := range map[string]string{
		"eng": "eng", "eng kor": "kor+eng", "kor eng": "kor+eng", "eng deu kor": "kor+deu+eng", "fra deu": "deu+fra", "eng eng": "eng",
		"eng script/Hangul": "script/Hangul+eng", "script/Latin jpn": "jpn+script/Latin",
	} {
		if got := langOrder(strings.Fields(lang)); got != want {
			t.Errorf("%s: got %s, want %s", lang, got, want)
		}
	}
}

// The boxes of a word iterator that takes words apart are laid along the text.
func TestComposingPiecesToWords(t *testing.T) {
	at := func(text string, x1, x2 int, confidence float64) piece {
		return piece{text: text, x1: x1, y1: 0, x2: x2, y2: 10, confidence: confidence}
	}
	word := func(text string, x1, x2 int, confidence float64) recognition.Word {
		return recognition.Word{Text: text, Box: document.Box{X1: x1, X2: x2, Y2: 10}, Confidence: confidence}
	}
	for _, c := range []struct {
		name, text string
		pieces     []piece
		want       string
		words      []recognition.Word
	}{
		{"nothing", " \n", nil, "", nil},
		{"words", "ab cd\n", []piece{at("ab", 0, 20, 0.5), at("cd", 30, 50, 0.7)}, "ab cd", []recognition.Word{word("ab", 0, 20, 0.5), word("cd", 30, 50, 0.7)}},
		{"syllables", "대한 민국\n", []piece{at("대", 0, 10, 0.4), at("한", 10, 20, 0.6), at("민국", 30, 50, 0.9)}, "대한 민국",
			[]recognition.Word{word("대한", 0, 20, 0.5), word("민국", 30, 50, 0.9)}},
		{"a piece over two words", "가 나다\n", []piece{at("가나다", 0, 30, 0.9)}, "가 나다", []recognition.Word{word("가", 0, 10, 0.9), word("나다", 10, 30, 0.9)}},
		{"lines and much space", "  a   b \n\n\n c\n\n", []piece{at("a", 0, 1, 1), at("b", 2, 3, 1), at("c", 0, 1, 1)}, "a b\n\n\nc",
			[]recognition.Word{word("a", 0, 1, 1), word("b", 2, 3, 1), word("c", 0, 1, 1)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, words := compose(c.text, c.pieces, func(p piece) document.Box { return document.Box{X1: p.x1, Y1: p.y1, X2: p.x2, Y2: p.y2} })
			if text != c.want {
				t.Errorf("got the text %q, want %q", text, c.want)
			}
			close := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-9 })
			if diff := cmp.Diff(c.words, words, close); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBoxesComeBackToThePage(t *testing.T) {
	region := document.Box{X1: 100, Y1: 200, X2: 300, Y2: 240}
	for _, c := range []struct{ x1, y1, x2, y2, want1, want2, want3, want4 int }{
		{10, 10, 410, 90, 100, 200, 300, 240}, // all of it
		{30, 20, 50, 40, 110, 205, 120, 215},
		{0, 0, 420, 100, 100, 200, 300, 240},   // the border is not of the page
		{415, 95, 418, 99, 299, 239, 300, 240}, // a speck in the border still has a pixel
	} {
		got := boxToPage(c.x1, c.y1, c.x2, c.y2, region, region, 2, 10)
		if want := (document.Box{X1: c.want1, Y1: c.want2, X2: c.want3, Y2: c.want4}); got != want {
			t.Errorf("%+v: got %v, want %v", c, got, want)
		}
	}
}

func TestShades(t *testing.T) {
	counts := func(pairs ...int) (h [256]int) {
		for i := 0; i < len(pairs); i += 2 {
			h[pairs[i]] = pairs[i+1]
		}
		return h
	}
	for _, c := range []struct {
		name        string
		counts      [256]int
		background  int
		lightOnDark bool
		blank       bool
	}{
		{"black on white", counts(0, 100, 255, 900), 255, false, false},
		{"white on black", counts(0, 900, 255, 100), 0, true, false},
		{"grey on grey", counts(100, 100, 160, 900), 160, false, false},
		{"paper", counts(250, 400, 252, 600), 252, false, true},
		{"one shade", counts(7, 1000), 7, false, true},
	} {
		s := lookAtShades(c.counts)
		if s.background != c.background || s.lightOnDark != c.lightOnDark || (s.contrast() < minContrast) != c.blank {
			t.Errorf("%s: got %+v", c.name, s)
		}
		if i := s.inverted(); i.inverted() != s && s.lightOnDark == i.lightOnDark {
			t.Errorf("%s: inverted twice is not the same", c.name)
		}
	}
}
