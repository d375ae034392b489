package read

import "testing"

// corrected is a text, and what it becomes in a language and with a charset.
type corrected struct{ text, lang, charset, want string }

func (c corrected) check(t *testing.T, lang string, correct func(s strip, line []letter, lang []string, charset string) []letter) {
	t.Helper()
	if c.lang != "" {
		lang = c.lang
	}
	strip, line := written(c.text, false, 20)
	if got := textOf(correct(strip, line, []string{lang}, c.charset)); got != c.want {
		t.Errorf("%q in %s, of %q: got %q", c.text, lang, c.charset, got)
	}
}

func TestAmountsWhosePointHasFaded(t *testing.T) {
	for _, c := range []corrected{
		{text: "6 00", want: "6.00"},
		{text: "$ 128 90", want: "$ 128.90"},
		{text: "6   00", want: "6 00"}, // two columns
		{text: "6 00 1", want: "6 00 1"},
		{text: "Room 6 00", want: "Room 6 00"},
		{text: "12 345", want: "12 345"},
		{text: "1/2 50", want: "1/2 50"},
		{text: "00", want: "00"},
		{text: "$", want: "$"},
		{text: "6 00", lang: "deu", want: "6 00"},
		{text: "6 00", charset: "0123456789", want: "6 00"},
	} {
		c.check(t, "eng", strip.amount)
	}
}

func TestSumsInWon(t *testing.T) {
	for _, c := range []corrected{
		{text: "W12,500", want: "₩12,500"},
		{text: "w1,234,500", want: "₩1,234,500"},
		{text: "합계 (W 300,000)", want: "합계 (₩ 300,000)"},
		{text: "금액W12,500", want: "금액₩12,500"},
		{text: `금액:\12,500`, want: "금액:₩12,500"},
		{text: `\ 12,500`, want: "₩ 12,500"},
		{text: "W898.600", want: "₩898,600"},
		{text: "1.100.200원", want: "1,100,200원"},
		{text: "총액 100.200 원.", want: "총액 100,200 원."},
		{text: "100.200 kg", want: "100.200 kg"},
		{text: "100.20원", want: "100.20원"},
		{text: "1W12,500", want: "1W12,500"},
		{text: "1 W12,500 W13,000", want: "1 ₩12,500 ₩13,000"},
		{text: "12,500 13.000원", want: "12,500 13,000원"},
		{text: ".W12,500", want: ".₩12,500"},
		{text: "100.200원", lang: "eng", want: "100.200원"},
		{text: "100.200원", charset: "0123456789.원", want: "100.200원"},
		{text: "W300", want: "W300"},
		{text: "W12,50", want: "W12,50"},
		{text: "KRW12,500", want: "KRW12,500"},
		{text: "W12,500", lang: "eng", want: "W12,500"},
		{text: "W12,500", charset: "W0123456789,", want: "W12,500"},
	} {
		c.check(t, "kor", func(_ strip, line []letter, lang []string, charset string) []letter {
			won(line, lang, charset)
			return line
		})
	}
}
