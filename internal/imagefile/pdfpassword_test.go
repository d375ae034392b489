package imagefile

import (
	"slices"
	"strings"
	"testing"
)

func TestPDFPasswords(t *testing.T) {
	for password, want := range map[string][]string{
		"":               nil,
		"plain":          nil,
		"two  words":     nil,
		"비밀":             nil,
		"a\x00b":         {"a"},
		"€ü":             {"\xa0\xfc"},
		"é":              {"\xe9"},
		"e\u0301":        {"é", "\xe9"},
		"a\u3000\u200bb": {"a b"},
		"\u0085":         {"\x85"},
	} {
		got := PDFPasswords(password)
		if cut, _, zero := strings.Cut(password, "\x00"); got[0] != cut || zero && len(got) > 1 {
			t.Errorf("%q: got %q", password, got)
		}
		for _, w := range want {
			if !slices.Contains(got, w) {
				t.Errorf("%q: got %q without %q", password, got, w)
			}
		}
		for n, p := range got {
			if slices.Contains(got[:n], p) {
				t.Errorf("%q: %q is there twice", password, p)
			}
		}
	}
	if got := PDFPasswords(strings.Repeat("가", 50)); !slices.Contains(got, strings.Repeat("가", 50)[:127]) {
		t.Errorf("no password is as short as counts: %q", got)
	}
}

// Whatever the file, it keeps its length, and what it was is not changed.
func FuzzPDFUnlocked(f *testing.F) {
	for _, file := range []string{"/Encrypt 1 0 R 1 0 obj <</R 6/U(", "/Encrypt<</R 5/U<00>/O(\\(\\777)/CF<</X(1)>>%", "/Encrypt<</R 4>>",
		"/Encrypt<</R 6 /O(" + strings.Repeat("o", 48) + ")/U<" + strings.Repeat("0a ", 48) + ">/OE(" +
			strings.Repeat("(e)", 11) + ")/UE(" + strings.Repeat("\\1", 32) + ")>>", "/Encrypt 1 0 R 11 0 obj<<>>"} {
		f.Add([]byte(file), "pass")
	}
	f.Fuzz(func(t *testing.T, file []byte, password string) {
		was := string(file)
		got, passwords := PDFUnlocked(file, password)
		if len(got) != len(file) || string(file) != was || len(passwords) == 0 {
			t.Errorf("got %d of %d bytes, passwords %q", len(got), len(file), passwords)
		}
	})
}
