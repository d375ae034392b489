package read

import (
	"testing"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// at are letters of 20 pixels, one in each place but for spaces, all with one confidence.
func at(x float64, text string, sure float64) (line []letter) {
	space := false
	for _, c := range text {
		if space = c == ' '; !space {
			line = append(line, letter{text: string(c), prob: sure, word: sure, x1: x, x2: x + 18})
		}
		x += 20
	}
	for i := 1; i < len(line); i++ {
		line[i].space = line[i].x1 > line[i-1].x1+30
	}
	return line
}

func join(parts ...[]letter) (line []letter) {
	for _, p := range parts {
		line = append(line, p...)
	}
	return line
}

// Chinese characters of which the second recogniser is sure stand in place of what the first one is not sure of.
func TestWithHan(t *testing.T) {
	for _, c := range []struct {
		name       string
		line, read []letter
		want       string
	}{
		{"a word", join(at(0, "구8", 0.3), at(40, "은", 0.95)), at(0, "三星", 0.99), "三星은"},
		{"a word that is sure", at(0, "가격", 0.95), at(0, "三星", 0.99), "가격"},
		{"not sure", at(0, "구8", 0.3), at(0, "三星", 0.9), "구8"},
		{"sure of one of two", at(0, "구8", 0.3), join(at(0, "三", 0.99), at(20, "星", 0.9)), "三星"},
		{"the first one passes over one", join(at(0, "구", 0.3), at(60, "은", 0.95)), at(0, "三星", 0.99), "三星은"},
		{"the first one is sure of one of two", join(at(0, "구", 0.3), at(20, "가", 0.93)), at(0, "三星", 0.99), "三星"},
		{"Hangul between two", join(at(0, "뼈", 0.3), at(20, "과", 0.95), at(60, "<", 0.3)), join(at(0, "甲", 0.99), at(60, "乙", 0.99)),
			"甲과乙"},
		{"a syllable between two", join(at(0, "그", 0.3), at(17, "년", 0.95), at(40, "+", 0.3)),
			join(at(0, "六", 0.99), at(33, "十", 0.99)), "그년+"},
		{"with a number and brackets", join(at(0, "제", 0.95), at(20, "1@(88)", 0.4)), join(at(0, "刊", 0.4), at(20, "1條(總則)", 0.99)),
			"제1條(總則)"},
		{"one between brackets", at(0, "(#)한국", 0.5), join(at(0, "(", 0.9), at(20, "株", 0.9), at(40, ")", 0.8)), "(株)한국"},
		{"one among what is no Chinese", at(0, "교육주", 0.5), join(at(0, "正", 0.97), at(20, "异本", 0.4)), "교육주"},
	} {
		if got := textOf(withHan(c.line, c.read, 20, func(l letter) bool { return l.word < hanDoubt })); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// A Korean line is read with its Chinese characters, and one without Hangul, too, if the second recogniser is certain.
func TestChineseCharactersOfAKoreanLine(t *testing.T) {
	for _, c := range []struct {
		name, first string
		second      float64
		want        string
	}{
		{"a word of a line", "이것은 구8", 0.99, "이것은 三星"},
		{"a word of a line that is not certain", "이것은 구8", 0.8, "이것은 구8"},
		{"a line", "48", 0.99, "三星"},
		{"a line that is not certain", "48", 0.8, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := blank(300, 100, 240)
			s.letters(40, 40, 5, 20, 20)
			first := said{text: c.first, sure: 0.5}
			r := Reader{Engine: surelyKorean{first}, Second: []Scripted{across{deaf{chars("三星", c.second)}}}}
			got, err := r.Read(page{s}, recognition.Task{Box: document.Box{X1: 30, Y1: 30, X2: 230, Y2: 70}, Lang: []string{"kor"},
				Effort: recognition.EffortAccurate})
			if err != nil || got.Text != c.want {
				t.Fatalf("got %q, %v, want %q", got.Text, err, c.want)
			}
			if n := len(got.Words); c.want == "이것은 三星" && (n != 2 || len(got.Words[1].Candidates) == 0 ||
				got.Words[1].Candidates[0].Text != "구8") {
				t.Errorf("words %+v, want the candidate 구8", got.Words)
			}
		})
	}
}

// surelyKorean is sure of the letters of 이것은 and of no others.
type surelyKorean struct{ said }

func (k surelyKorean) Read(g Gray, q Query) (Answer, error) {
	a, err := k.said.Read(g, q)
	for i, l := range a.Symbols {
		if l.Text == "이" || l.Text == "것" || l.Text == "은" {
			a.Symbols[i].Confidence, a.Symbols[i].Word = 0.98, 0.95
		}
	}
	return a, err
}

// across reads its characters evenly across an image.
type across struct{ deaf }

func (a across) Read(g RGB, _ int, _ string) ([]Char, error) {
	read := append([]Char(nil), a.chars...)
	step := float64(g.Width) / float64(len(read))
	for i := range read {
		read[i].X1, read[i].X2 = float64(i)*step, float64(i+1)*step
	}
	return read, nil
}
