package label_test

import (
	"testing"

	"glyphbox/internal/domain/label"
)

func TestClean(t *testing.T) {
	for text, want := range map[string]string{
		"invoice\u202Egnp.exe":    "invoicegnp.exe",
		"\u2066a\u2069\u200Fb":    "ab",
		"\uFEFF 제목\u061C ":        " 제목 ",
		"a\u2028b\u2029":          "a b ",
		"שלום مرحبا क\u200Dष":     "שלום مرحبا क\u200Dष", // letters of any direction stay, and so do joiners
		"\u202A\u200E\u202C":      "",
		"bad \xff bytes stay\xfe": "bad \xff bytes stay\xfe",
	} {
		if got := label.Clean(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
