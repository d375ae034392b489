package read

import "testing"

func TestAmountsWhosePointHasFaded(t *testing.T) {
	for _, c := range []struct{ text, lang, charset, want string }{
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
		if c.lang == "" {
			c.lang = "eng"
		}
		strip, line := written(c.text, false, 20)
		if got := textOf(strip.amount(line, []string{c.lang}, c.charset)); got != c.want {
			t.Errorf("%q in %s, of %q: got %q", c.text, c.lang, c.charset, got)
		}
	}
}

func TestWonBeforeSums(t *testing.T) {
	for _, c := range []struct{ text, lang, charset, want string }{
		{text: "W12,500", want: "₩12,500"},
		{text: "w1,234,500", want: "₩1,234,500"},
		{text: "합계 (W 300,000)", want: "합계 (₩ 300,000)"},
		{text: "W300", want: "W300"},
		{text: "W12,50", want: "W12,50"},
		{text: "KRW12,500", want: "KRW12,500"},
		{text: "W12,500", lang: "eng", want: "W12,500"},
		{text: "W12,500", charset: "W0123456789,", want: "W12,500"},
	} {
		if c.lang == "" {
			c.lang = "kor"
		}
		_, line := written(c.text, false, 20)
		if won(line, []string{c.lang}, c.charset); textOf(line) != c.want {
			t.Errorf("%q in %s, of %q: got %q", c.text, c.lang, c.charset, textOf(line))
		}
	}
}
