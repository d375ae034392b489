package recognition

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"glyphbox/internal/domain/document"

	"github.com/google/go-cmp/cmp"
)

// row makes words of one line: each character is 10 pixels wide, and so is each space.
func row(text string) (words []Word) {
	x := 0
	for _, w := range strings.Fields(text) {
		n := 10 * utf8.RuneCountInString(w)
		words = append(words, Word{Text: w, Box: document.Box{X1: x, Y1: 0, X2: x + n, Y2: 20}, Confidence: 0.5})
		x += n + 10
	}
	return words
}

// Lines that a person made of one line stand one below the other, each in its share of the line or, where it was the only one, of the
// region.
func TestAlignLines(t *testing.T) {
	region := document.Box{X1: 0, Y1: 0, X2: 200, Y2: 60}
	below := func(words []Word, y int) []Word {
		for i := range words {
			words[i].Box.Y1, words[i].Box.Y2 = words[i].Box.Y1+y, words[i].Box.Y2+y
		}
		return words
	}
	two := append(row("aa bb"), below(row("cc dd"), 30)...)
	for name, c := range map[string]struct {
		old          []Word
		before, text string
		want         [][2]int // top and bottom of each word
	}{
		"one line into two":               {row("aa bb"), "aa bb", "aa\nbb", [][2]int{{0, 30}, {30, 60}}},
		"one line into two, other words":  {row("garble"), "garble", "one two\nthree four", [][2]int{{0, 30}, {0, 30}, {30, 60}, {30, 60}}},
		"one line into three, one blank":  {row("aa bb cc"), "aa bb cc", "aa\n\nbb\ncc", [][2]int{{0, 20}, {20, 40}, {40, 60}}},
		"a line more at the end":          {row("aa bb"), "aa bb", "aa bb\ncc dd", [][2]int{{0, 30}, {0, 30}, {30, 60}, {30, 60}}},
		"the second of two lines":         {two, "aa bb\ncc dd", "aa bb\ncc\ndd", [][2]int{{0, 20}, {0, 20}, {30, 40}, {40, 50}}},
		"two lines stay where they are":   {two, "aa bb\ncc dd", "ax bb\ncc dx", [][2]int{{0, 20}, {0, 20}, {30, 50}, {30, 50}}},
		"two lines into one":              {two, "aa bb\ncc dd", "aa bb cc dd", [][2]int{{0, 20}, {0, 20}, {30, 50}, {30, 50}}},
		"a line break at another place":   {two, "aa bb\ncc dd", "aa\nbb cc\ndd", [][2]int{{0, 20}, {0, 20}, {30, 50}, {30, 50}}},
		"columns of one line stay so":     {row("aa bb"), "aa\nbb", "aa\nbx", [][2]int{{0, 20}, {0, 20}}},
		"words that are not of the text":  {row("aa bb"), "aa", "aa\nbb", [][2]int{{0, 20}, {0, 20}}},
		"nothing had a place, nor has it": {nil, "", "aa\nbb", [][2]int{{0, 0}, {0, 0}}},
	} {
		t.Run(name, func(t *testing.T) {
			words := alignText(c.old, c.before, c.text, region)
			var got [][2]int
			for _, w := range words {
				got = append(got, [2]int{w.Box.Y1, w.Box.Y2})
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("top and bottom (-want +got):\n%s", d)
			}
			if got, want := len(words), len(strings.Fields(c.text)); got != want {
				t.Errorf("got %d words, want %d", got, want)
			}
		})
	}
}

func TestAlign(t *testing.T) {
	at := func(text string, x1, x2 int, confidence float64) Word {
		return Word{Text: text, Box: document.Box{X1: x1, Y1: 0, X2: x2, Y2: 20}, Confidence: confidence}
	}
	for name, c := range map[string]struct {
		old, text string
		want      []Word
	}{
		"nothing of nothing": {"", "", []Word{}},
		"all is gone":        {"one two", "", []Word{}},
		"nothing was read":   {"", "one two", []Word{{Text: "one", Confidence: 1}, {Text: "two", Confidence: 1}}},
		"nothing changed":    {"one two", "one two", row("one two")},
		"a word replaced": {"one twa six", "one two six", []Word{at("one", 0, 30, 0.5), at("two", 40, 70, 1),
			at("six", 80, 110, 0.5)}},
		"two replaced by two": {"ab cd ef", "x yyyyy ef", []Word{at("x", 0, 20, 1), at("yyyyy", 30, 50, 1), at("ef", 60, 80, 0.5)}},
		"a word taken out":    {"one bad two", "one two", []Word{at("one", 0, 30, 0.5), at("two", 80, 110, 0.5)}},
		"a word split": {"a onetwo b", "a one two b", []Word{at("a", 0, 10, 0.5), at("one", 20, 50, 1), at("two", 50, 80, 1),
			at("b", 90, 100, 0.5)}},
		"words joined": {"a one two b", "a onetwo b", []Word{at("a", 0, 10, 0.5), at("onetwo", 20, 90, 1),
			at("b", 100, 110, 0.5)}},
		"a word put in":            {"aa bb", "aa xx bb", []Word{at("aa", 0, 10, 0.5), at("xx", 10, 20, 1), at("bb", 30, 50, 0.5)}},
		"a word put at the end":    {"aa", "aa xx", []Word{at("aa", 0, 10, 0.5), at("xx", 10, 20, 1)}},
		"a word put at the start":  {"aa", "xx aa", []Word{at("xx", 0, 10, 1), at("aa", 10, 20, 0.5)}},
		"Hangul counts characters": {"대한민국", "대한 민국", []Word{at("대한", 0, 20, 1), at("민국", 20, 40, 1)}},
		"words that come twice": {"a b a b", "a b x a b", []Word{at("a", 0, 10, 0.5), at("b", 20, 25, 0.5), at("x", 25, 30, 1),
			at("a", 40, 50, 0.5), at("b", 60, 70, 0.5)}},
		"everything else": {"abc", "wx yz", []Word{at("wx", 0, 15, 1), at("yz", 15, 30, 1)}},
		"the longest common row": {"a b c d", "b c x d", []Word{at("b", 20, 30, 0.5), at("c", 40, 45, 0.5), at("x", 45, 50, 1),
			at("d", 60, 70, 0.5)}},
		"order is kept, not sorted": {"a b", "b a", []Word{at("b", 20, 30, 0.5)}},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := align(row(c.old), strings.Fields(c.text))
			if name == "order is kept, not sorted" { // one of both is kept; which one is no matter
				kept := 0
				for _, w := range got {
					if w.Confidence == 0.5 {
						kept++
					}
				}
				if len(got) != 2 || kept != 1 {
					t.Errorf("got %v, want b and a with one of them kept", got)
				}
				return
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("align (-want +got):\n%s", d)
			}
		})
	}
}

func TestAlignKeepsLines(t *testing.T) {
	old := []Word{
		{Text: "top", Box: document.Box{X1: 0, Y1: 0, X2: 30, Y2: 20}, Confidence: 0.5},
		{Text: "down", Box: document.Box{X1: 0, Y1: 50, X2: 40, Y2: 70}, Confidence: 0.5},
	}
	got, _ := align(old, []string{"toppp", "x", "down"})
	want := []Word{
		{Text: "toppp", Box: document.Box{X1: 0, Y1: 0, X2: 25, Y2: 20}, Confidence: 1},
		{Text: "x", Box: document.Box{X1: 25, Y1: 0, X2: 30, Y2: 20}, Confidence: 1},
		old[1],
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("align (-want +got):\n%s", d)
	}
}

// TestAlignOfLongTexts has more words on both sides than the table of the alignment may have room for.
func TestAlignOfLongTexts(t *testing.T) {
	text := strings.Repeat("word ", 3000)
	old := row("same start " + text + "same end")
	got, _ := align(old, strings.Fields("same start "+strings.ReplaceAll(text, "word", "other")+"extra same end"))
	if len(got) != len(old)+1 {
		t.Fatalf("got %d words, want %d", len(got), len(old)+1)
	}
	if d := cmp.Diff(old[:2], got[:2]); d != "" {
		t.Errorf("the start (-want +got):\n%s", d)
	}
	if d := cmp.Diff(old[len(old)-2:], got[len(got)-2:]); d != "" {
		t.Errorf("the end (-want +got):\n%s", d)
	}
	for i, w := range got {
		if w.Box.Empty() {
			t.Fatalf("word %d has no box", i)
		}
	}
}

// TestAlignManyWordsWithALongOne would not end if the characters of the long word were counted for each of the others.
func TestAlignManyWordsWithALongOne(t *testing.T) {
	const many = 1_000_000
	long := Word{Text: "a" + strings.Repeat("\u0301", 8_000_000), Box: document.Box{X2: many, Y2: 20}, Confidence: 0.5}
	texts := slices.Repeat([]string{"b"}, many)
	got, from := align([]Word{long}, texts)
	for i, w := range got {
		if want := (document.Box{X1: i, X2: i + 1, Y2: 20}); from[i] != 0 || w.Box != want {
			t.Fatalf("word %d: got the box %v from word %d, want %v from 0", i, w.Box, from[i], want)
		}
	}
}

// FuzzAlign checks what holds for whatever a person writes.
func FuzzAlign(f *testing.F) {
	f.Add("one two three", "one two three", 0, uint8(10))
	f.Add("one two three", "onetwo 3", 5, uint8(1))
	f.Add("", "new", 5, uint8(3))
	f.Add("대한 민국", "대한민국 만세", -7, uint8(0))
	f.Add("a b c d e f g h", "x a y c z h", 100, uint8(2))
	f.Fuzz(func(t *testing.T, before, after string, x int, width uint8) {
		if len(before) > 2000 || len(after) > 2000 {
			return // the table grows with the product
		}
		x %= 100_000
		var old []Word
		var all document.Box
		for i, text := range strings.Fields(before) {
			b := document.Box{X1: x, Y1: 10 * i, X2: x + int(width), Y2: 10*i + int(width)%7}
			old, all = append(old, Word{Text: text, Box: b, Confidence: 0.25}), all.Union(b)
			x += int(width) + i%3
		}
		texts := strings.Fields(after)
		got, _ := align(old, texts)
		if len(got) != len(texts) {
			t.Fatalf("got %d words of %d texts", len(got), len(texts))
		}
		for i, w := range got {
			if w.Text != texts[i] {
				t.Errorf("got the word %q, want %q", w.Text, texts[i])
			}
			if !w.Box.Empty() && w.Box.Intersect(all) != w.Box {
				t.Errorf("the box %v of %q is not inside %v", w.Box, w.Text, all)
			}
			if w.Confidence != 1 && w.Confidence != 0.25 {
				t.Errorf("got the confidence %v", w.Confidence)
			}
		}
		if before == after {
			if d := cmp.Diff(old, got); len(old) > 0 && d != "" {
				t.Errorf("unchanged (-want +got):\n%s", d)
			}
		}
	})
}

func TestReplaceWords(t *testing.T) {
	for _, c := range []struct{ text, words, want string }{
		{"one two\nthree", "1 2 3", "1 2\n3"},
		{"one  two\n\nthree", "1 2 3", "1  2\n\n3"},
		{"한 글\n줄", "가 나 다", "가 나\n다"},
		{"one two\nthree", "1 2", "1 2"},
		{"one", "1 2 3", "1 2 3"},
		{"", "1 2", "1 2"},
		{"one two", "", ""},
		{"", "", ""},
		{"\tone", "1", "\t1"},
	} {
		if got := replaceWords(c.text, strings.Fields(c.words)); got != c.want {
			t.Errorf("replaceWords(%q, %q): got %q, want %q", c.text, c.words, got, c.want)
		}
	}
	if got, want := replaceWords("a b", []string{"New York", "City "}), "New York City"; got != want {
		t.Errorf("words with spaces: got %q, want %q", got, want)
	}
}

func FuzzReplaceWords(f *testing.F) {
	f.Add("one two\nthree", "1 2 3")
	f.Add("a\u2003b\u0085c\n\n", "x")
	f.Fuzz(func(t *testing.T, text, words string) {
		want := strings.Fields(words)
		got := replaceWords(text, want)
		if d := cmp.Diff(want, strings.Fields(got)); len(want) > 0 && d != "" {
			t.Errorf("words of %q (-want +got):\n%s", got, d)
		}
		if again := tidy(got); again != got {
			t.Errorf("got %q, which is not tidy: %q", got, again)
		}
	})
}

func TestTidy(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "",
		" \n\t\n":                  "",
		"one":                      "one",
		"one \r\ntwo\t\r\n":        "one\ntwo",
		"\n\n one\n\n\ntwo \n\n":   " one\n\n\ntwo",
		"ideographic\u3000\nspace": "ideographic\nspace",
	} {
		if got := tidy(text); got != want {
			t.Errorf("tidy(%q): got %q, want %q", text, got, want)
		}
	}
}
