package read

import (
	"slices"
	"strings"
	"testing"

	"glyphbox/internal/domain/recognition"
)

// A word that is in no list becomes one that is, where a recogniser held that for possible.
func TestWordsOfLists(t *testing.T) {
	known := []string{"number", "special", "interviews", "nichols", "direct", "sales", "gray", "grey", "brownish", "physical", "to", "a",
		"item", "override"}
	instead := func(chars []Char, at int, guesses ...Guess) []Char {
		chars[at].Prob, chars[at].Instead = 0.9, guesses
		return chars
	}
	behind := func(chars []Char, at int, guesses ...Guess) []Char {
		chars[at].Behind = guesses
		return chars
	}
	for _, c := range []struct {
		name, first string
		second      []Char
		want        string
	}{
		{"a guess", "NUMOER", instead(heard("NUMOER"), 3, Guess{"D", 0.05}, Guess{"B", 0.01}), "NUMBER"},
		{"the likelier of two", "brownish-grzy", instead(heard("brownish-grzy"), 11, Guess{"e", 0.03}, Guess{"a", 0.02}), "brownish-grey"},
		{"a guess in a part", "Brownish-qray", instead(heard("Brownish-qray"), 9, Guess{"g", 0.1}), "Brownish-gray"},
		{"what the first one read", "Interviews", heard("Intervlews"), "Interviews"},
		{"a letter that the first one read besides", "Direct", heard("Diret"), "Direct"},
		{"a letter that was passed over", "SPECIA,", behind(heard("SPECIA,"), 5, Guess{"L", 0.3}), "SPECIAL,"},
		{"a letter too many", "PHIYSICAL", instead(heard("PHIYSICAL"), 2, Guess{"", 0.1}), "PHYSICAL"},
		{"two letters", "Necbols", instead(instead(heard("Necbols"), 1, Guess{"i", 0.4}), 3, Guess{"h", 0.3}), "Nichols"},
		{"a mark between letters", "SP.CIAL", instead(heard("SP.CIAL"), 2, Guess{"E", 0.4}), "SPECIAL"},
		{"one word of several", "to NUMOER a", instead(heard("to NUMOER a"), 5, Guess{"B", 0.2}), "to NUMBER a"},

		{"too unlikely", "NUMOER", instead(heard("NUMOER"), 3, Guess{"B", 0.004}), "NUMOER"},
		{"too unlikely together", "Necbols", instead(instead(heard("Necbols"), 1, Guess{"i", 0.05}), 3, Guess{"h", 0.05}), "Necbols"},
		{"a short word", "qray", instead(heard("qray"), 0, Guess{"g", 0.4}), "qray"},
		{"a word that is known", "Sales", instead(heard("Direct"), 0, Guess{"S", 0.4}), "Direct"},
		{"marks", "item.s)", instead(heard("(special"), 0, Guess{"x", 0.4}), "(special"},
		{"a doubled letter", "Overide", behind(heard("Overide"), 3, Guess{"r", 0.4}), "Overide"},
		{"digits", "10O0", instead(heard("10O0"), 2, Guess{"0", 0.4}), "10O0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := blank(600, 100, 240)
			b := grown(s.letters(60, 40, 10, 20, 20), 10)
			r := Reader{Engine: always(c.first), Second: []Scripted{deaf{c.second}},
				Known: func(word string, lang []string) bool {
					return slices.Contains(known, strings.ToLower(word)) && lang[0] == "eng"
				}}
			task := recognition.Task{Box: b, Lang: []string{"eng"}, Effort: recognition.EffortAccurate, Rotate: recognition.Rotate0}
			got, err := r.Read(page{s}, task)
			if err != nil || got.Text != c.want {
				t.Fatalf("%q, %v, want %q", got.Text, err, c.want)
			}
			r.Known = nil
			was, err := r.Read(page{s}, task)
			if err != nil {
				t.Fatal(err)
			}
			for i, w := range was.Words {
				now := got.Words[i]
				if now.Text != w.Text && (len(now.Candidates) != 1 || now.Candidates[0].Text != w.Text ||
					now.Candidates[0].Confidence >= now.Confidence) {
					t.Errorf("%q was %q, and its candidates are %v", now.Text, w.Text, now.Candidates)
				}
			}
		})
	}
}

// So do words in Korean lines, and those of lines that only the second recogniser is asked for.
func TestWordsOfListsElsewhere(t *testing.T) {
	number := heard("NUMOER")
	number[3].Instead = []Guess{{"B", 0.02}}
	sure := slices.Clone(number)
	for i := range sure {
		sure[i].Prob = 0.97
	}
	for _, c := range []struct {
		name, first string
		lang        []string
		second      []Char
		want        string
	}{
		{"Korean line", "천체 NUMOER 이다", []string{"kor", "eng"}, number, "천체 NUMBER 이다"},
		{"second alone", "nothing like it", []string{"eng"}, sure, "NUMBER"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := blank(600, 100, 240)
			b := grown(s.letters(60, 40, 6, 20, 20), 10)
			r := Reader{Engine: always(c.first), Second: []Scripted{deaf{c.second}},
				Known: func(word string, _ []string) bool { return word == "NUMBER" }}
			task := recognition.Task{Box: b, Lang: c.lang, Effort: recognition.EffortAccurate, Rotate: recognition.Rotate0}
			got, err := r.Read(page{s}, task)
			if err != nil || got.Text != c.want {
				t.Errorf("%q, %v, want %q", got.Text, err, c.want)
			}
		})
	}
}

// However much a long row of signs may be else, only the likeliest of that is looked up.
func TestSignsThatMayBeAnything(t *testing.T) {
	signs := heard(strings.Repeat("qx", 150))
	for i := range signs {
		signs[i].Prob, signs[i].Instead, signs[i].Behind = 0.85, []Guess{{"a", 0.2}, {"b", 0.2}, {"c", 0.2}}, []Guess{{"d", 0.4}}
	}
	asked := 0
	s := blank(600, 100, 240)
	b := grown(s.letters(60, 40, 10, 20, 20), 10)
	r := Reader{Engine: always("xy"), Second: []Scripted{deaf{signs}}, Known: func(string, []string) bool { asked++; return false }}
	task := recognition.Task{Box: b, Lang: []string{"eng"}, Effort: recognition.EffortAccurate, Rotate: recognition.Rotate0}
	if _, err := r.Read(page{s}, task); err != nil || asked == 0 || asked > 1000 {
		t.Errorf("%d words were looked up, %v", asked, err)
	}
}

// A word that was read as two becomes one, and one that was read for two becomes two, where only that gives words.
func TestSpacesOfWords(t *testing.T) {
	known := []string{"description", "round", "rounding", "ing", "unit", "am", "amount", "a", "bout", "about", "march"}
	space := func(chars []Char, at int, prob float64) []Char {
		chars[at].Space = prob
		return chars
	}
	for _, c := range []struct {
		read []Char
		want string
	}{
		{heard("Descr iption"), "Description"},
		{space(heard("UnitAmount"), 4, 0.02), "Unit Amount"},
		{space(heard("Unit, UnitAmount"), 9, 0.02), "Unit, Unit Amount"},

		{heard("Round ing"), "Round ing"},
		{heard("A bout"), "A bout"},
		{heard("March S"), "March S"},
		{heard("Descr      iption"), "Descr iption"},
		{space(heard("UnitAmount"), 4, 0.005), "UnitAmount"},
		{space(heard("UnitXmount"), 4, 0.4), "UnitXmount"},
		{space(heard("About"), 1, 0.4), "About"},
	} {
		s := blank(600, 100, 240)
		b := grown(s.letters(60, 40, 10, 20, 20), 10)
		r := Reader{Engine: always(textOf(charsOf(c.read, ""))), Second: []Scripted{deaf{c.read}},
			Known: func(word string, _ []string) bool { return slices.Contains(known, strings.ToLower(word)) }}
		task := recognition.Task{Box: b, Lang: []string{"eng"}, Effort: recognition.EffortAccurate, Rotate: recognition.Rotate0}
		got, err := r.Read(page{s}, task)
		if err != nil || got.Text != c.want {
			t.Errorf("%q, %v, want %q", got.Text, err, c.want)
		}
	}
}

// heard is a text as a recogniser reads it that is sure of it.
func heard(text string) (chars []Char) {
	space := 0.0
	for i, c := range text {
		if c == ' ' {
			space = 1
			continue
		}
		x := float64(20 * i)
		chars = append(chars, Char{Text: string(c), Prob: 0.94, X1: x, X2: x + 15, Space: space})
		space = 0
	}
	return chars
}
