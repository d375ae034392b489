package read

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"glyphbox/internal/domain/recognition"
)

func TestTongues(t *testing.T) {
	for _, c := range []struct{ installed, named, want string }{
		{"eng kor", "auto", "Latin eng, Hangul kor"},
		{"deu eng fra kor", "auto deu fra", "Latin deu+fra, Hangul kor"},
		{"deu kor", "auto", "Latin deu, Hangul kor"},
		{"kor", "auto", "Hangul kor"},
		{"eng script/Hangul", "auto", "Latin eng, Hangul script/Hangul"},
		{"eng kor script/Hangul", "auto script/Hangul", "Latin eng, Hangul script/Hangul"},
		{"chi_tra eng jpn rus ukr", "auto ukr", "Latin eng, Japanese jpn, Han chi_tra, Cyrillic ukr"},
		{"bul eng script/Cyrillic", "", "Latin eng, Cyrillic bul"},
		{"eng", "auto xyz", "Latin eng"},
		{"", "auto", ""},
	} {
		var got []string
		for _, tongue := range Tongues(strings.Fields(c.installed), strings.Fields(c.named)) {
			got = append(got, tongue.Script+" "+strings.Join(tongue.Lang, "+"))
		}
		if got := strings.Join(got, ", "); got != c.want {
			t.Errorf("of %q with %q: got %q, want %q", c.installed, c.named, got, c.want)
		}
	}
}

func TestLangOf(t *testing.T) {
	tongues := Tongues([]string{"eng", "kor", "jpn", "chi_sim", "rus"}, nil)
	for text, want := range map[string]string{
		"Invoice 1742": "eng", "계약서": "kor", "계약서 제3조 A": "kor+eng", "Договор": "rus", "1,234.50": "eng", "": "eng",
		"これは日本": "jpn+chi_sim",
	} {
		if got := strings.Join(LangOf(text, tongues), "+"); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		code, script string
		want         bool
	}{
		{"eng", "Latin", true}, {"deu", "Latin", true}, {"eng", "Hangul", false}, {"kor", "Hangul", true}, {"kor", "Latin", false},
		{"kor_vert", "Hangul", true}, {"script/Hangul", "Latin", true}, {"script/Hangul_vert", "Hangul", true}, {"jpn", "Han", true},
		{"chi_sim", "Japanese", false}, {"script/HanT", "Han", true}, {"script/Cyrillic", "Hangul", false}, {"kmr", "Arabic", true},
	} {
		if got := covers(c.code, c.script); got != c.want {
			t.Errorf("%s, %s: got %v", c.code, c.script, got)
		}
	}
}

// said is what an engine reads at every look, and how sure it is of it.
type said struct {
	text   string
	sure   float64
	hangul float64 // of Korean letters, where it differs
}

// Name is that of all languages.
func (said) Name() string { return "engine" }

// Read reads the same in every image.
func (s said) Read(g Gray, _ Query) (a Answer, err error) {
	a.Text = s.text
	letters := []rune(strings.ReplaceAll(s.text, " ", ""))
	for i, c := range letters {
		x := float64(i*(g.Width-2*borderWidth))/float64(len(letters)) + borderWidth
		sure := s.sure
		if s.hangul > 0 && hangul(string(c)) {
			sure = s.hangul
		}
		a.Symbols = append(a.Symbols, Symbol{Text: string(c), Confidence: sure, Word: sure, X1: x, X2: x + 10, Y1: 10, Y2: 30})
	}
	return a, nil
}

// chars are the characters of a text, read with a probability.
func chars(text string, prob float64) (read []Char) {
	for _, c := range text {
		read = append(read, Char{Text: string(c), Prob: prob})
	}
	return read
}

// A region is read in the language that it is written in, and where another one was asked for, that is suggested.
func TestLanguageOfALine(t *testing.T) {
	for _, c := range []struct {
		name             string
		eng, kor         said
		both             said // of both at once
		seen             []Char
		deaf             bool // there is no second recogniser
		lang             string
		want, read, tell string // the text, its languages, and what is suggested
		alone            bool   // no other language is asked for
	}{
		{name: "English", lang: "auto", eng: said{text: "Payment due", sure: 0.95}, kor: said{text: "『3006 046", sure: 0.3},
			seen: chars("Payment due", 0.99),
			want: "Payment due", read: "eng"},
		{name: "Korean", lang: "auto", eng: said{text: "AISAY WIZZE", sure: 0.26}, kor: said{text: "계약서 제3조", sure: 0.94},
			want: "계약서 제3조", read: "kor"},
		{name: "Korean, with one recogniser", lang: "auto", deaf: true, eng: said{text: "AISAY WIZZE", sure: 0.26},
			kor:  said{text: "계약서 제3조", sure: 0.94},
			want: "계약서 제3조", read: "kor"},
		{name: "Korean that reads surely in English, which the other does not see", lang: "auto", eng: said{text: "MAH BAS", sure: 0.9},
			kor: said{text: "개정본은", sure: 0.96}, want: "개정본은", read: "kor"},
		{name: "two letters and a date", lang: "auto", eng: said{text: "MA 2009. 12. 31.", sure: 0.91},
			kor:  said{text: "개정 2009. 12. 31.", sure: 0.96},
			seen: chars("2009.12.31.", 0.99), want: "개정 2009.12.31.", read: "kor"},
		{name: "both", lang: "auto", eng: said{text: "Glyphbox AAS Version", sure: 0.7},
			kor:  said{text: "61601160 사용 46510", sure: 0.3, hangul: 0.93},
			both: said{text: "Glyphbox 사용 Version", sure: 0.94}, deaf: true, want: "Glyphbox 사용 Version", read: "kor+eng"},
		{name: "bad print", lang: "auto", eng: said{text: "TAX lNVOlCE", sure: 0.55}, kor: said{text: "108 패001대", sure: 0.43},
			seen: chars("TAX INVOICE", 0.99),
			want: "TAX INVOICE", read: "eng"},
		{name: "bad print that Korean reads more surely", lang: "auto", eng: said{text: "HANDKEHCHlEF 7138", sure: 0.44},
			kor: said{text: "HA써나타다IE타 7138", sure: 0.9, hangul: 0.45}, seen: chars("HANDKERCHIEF 7138", 0.99),
			want: "HANDKERCHIEF 7138", read: "eng"},
		{name: "a number that Korean reads as well", lang: "auto", eng: said{text: "568008", sure: 0.6},
			kor:  said{text: "568008", sure: 0.92},
			seen: chars("568008", 0.99), want: "568008", read: "eng"},
		{name: "one letter that may be either", lang: "auto", eng: said{text: "Q", sure: 0.55}, kor: said{text: "오", sure: 0.82},
			seen: chars("Q", 0.9),
			want: "Q", read: "eng"},
		{name: "one syllable", lang: "auto", eng: said{text: "at", sure: 0.84}, kor: said{text: "장", sure: 0.95}, want: "장", read: "kor"},
		{name: "Korean asked for as English", lang: "eng", deaf: true, eng: said{text: "AISAY WIZZE", sure: 0.4},
			kor:  said{text: "계약서 제3조", sure: 0.94},
			tell: "kor"},
		{name: "so badly that nothing is believed", lang: "eng", eng: said{text: "AISAY WIZZE", sure: 0.1},
			kor:  said{text: "계약서 제3조", sure: 0.94},
			tell: "kor"},
		{name: "English asked for as English", lang: "eng", eng: said{text: "TAX lNVOlCE", sure: 0.55},
			kor:  said{text: "108 패001대", sure: 0.43},
			seen: chars("TAX INVOICE", 0.99), want: "TAX INVOICE", alone: true},
		{name: "English asked for as Korean", lang: "kor", deaf: true, eng: said{text: "Payment due", sure: 0.95},
			kor:  said{text: "『3006 046", sure: 0.4},
			tell: "eng"},
		{name: "a date asked for as Korean", lang: "kor", deaf: true, eng: said{text: "2024. 11. 26.", sure: 0.95},
			kor:  said{text: "2024. 11. 26.", sure: 0.7},
			want: "2024. 11. 26."},
		{name: "both asked for, and Hangul read as Latin letters, which the other does not see", lang: "kor eng",
			both: said{text: "가. SAY 사용", sure: 0.8}, kor: said{text: "가. 대상 사용", sure: 0.85}, want: "가. 대상 사용"},
		{name: "both asked for", lang: "kor eng", both: said{text: "Glyphbox 사용", sure: 0.7}, deaf: true, want: "Glyphbox 사용"},
	} {
		t.Run(c.name, func(t *testing.T) {
			engines := map[string]Engine{"eng": c.eng, "kor": c.kor, "kor eng": c.both}
			others := 0
			s := blank(600, 100, 240)
			b := grown(s.letters(60, 40, 12, 20, 20), 10)
			r := Reader{Engine: engines[c.lang], Tongues: Tongues([]string{"eng", "kor"}, nil),
				In: func(lang []string) (Engine, error) { others++; return engines[strings.Join(lang, " ")], nil }}
			if !c.deaf {
				r.Second = []Scripted{deaf{c.seen}}
			}
			got, err := r.Read(page{s}, recognition.Task{Box: b, Lang: strings.Fields(c.lang), Effort: recognition.EffortAccurate,
				Rotate: recognition.Rotate0})
			if err != nil {
				t.Fatal(err)
			}
			if got.Text != c.want {
				t.Errorf("got %q, want %q", got.Text, c.want)
			}
			if c.alone && others > 0 {
				t.Errorf("%d other languages were asked for", others)
			}
			if read := strings.Join(got.Lang, "+"); read != c.read {
				t.Errorf("read in %q, want %q", read, c.read)
			}
			if told := strings.Join(got.Suggested, "+"); told != c.tell {
				t.Errorf("suggested %q, want %q", told, c.tell)
			}
		})
	}
}

// What looks like a script of which no language is installed is said to be missing, once there are letters enough.
func TestMissingLanguage(t *testing.T) {
	for _, c := range []struct {
		script  string
		letters int
		dense   bool
		want    []string
	}{
		{"Hangul", 60, true, []string{"kor"}}, {"Hangul", 60, false, nil}, {"Hangul", 8, true, nil},
		{"Cyrillic", 60, false, []string{"rus"}},
		{"Latin", 60, false, nil}, {"", 60, true, nil}, {"Unheard of", 60, true, nil},
	} {
		s := blank(4000, 160, 240)
		b := grown(s.letters(60, 40, c.letters, 60, 20), 10)
		if c.dense { // strokes above one another
			for i := range c.letters {
				for y := 40; y < 100; y += 22 {
					s.fill(60+60*i, y, 100+60*i, y+10, 20)
				}
			}
		}
		for _, lang := range []string{"eng", recognition.AutoLang} {
			engine := said{text: strings.Repeat("A", c.letters), sure: 0.3}
			r := Reader{Engine: engine, Tongues: Tongues([]string{"eng"}, nil), In: func([]string) (Engine, error) { return engine, nil },
				Script: func(Gray) string { return c.script }}
			got, err := r.Read(page{s}, recognition.Task{Box: b, Lang: []string{lang}, Effort: recognition.EffortFast,
				Rotate: recognition.Rotate0})
			if err != nil || !slices.Equal(got.Missing, c.want) {
				t.Errorf("%+v read as %s: got %v, %v", c, lang, got.Missing, err)
			}
		}
	}
}

func TestSpokenTongues(t *testing.T) {
	j := job{Reader: Reader{Tongues: Tongues([]string{"eng", "kor", "rus"}, nil)}}
	var got [][]string
	for n := range 6 {
		got = append(got, j.spoken(n).Lang)
	}
	want := [][]string{{"eng"}, {"kor"}, {"rus"}, {"eng", "eng"}, {"kor", "eng"}, {"rus", "eng"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
