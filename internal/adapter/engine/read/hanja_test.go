package read

import "testing"

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
