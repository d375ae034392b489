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
