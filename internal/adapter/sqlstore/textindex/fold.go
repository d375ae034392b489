package textindex

import (
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"glyphbox/internal/domain/recognition"
)

// Fold implements recognition.Index.
func (x *Index) Fold(text string) recognition.Folded { return fold(text) }

// fold goes from one character that people see to the next, so that each rune is known to be part of one of them.
func fold(text string) (f recognition.Folded) {
	var seen norm.Iter
	seen.InitString(norm.NFC, text)
	for at := 0; !seen.Done(); {
		start := seen.Pos()
		composed := seen.Next()
		to := at + utf8.RuneCountInString(text[start:seen.Pos()])
		for _, r := range withoutCase(composed) {
			f.Runes, f.From, f.To = append(f.Runes, r), append(f.From, at), append(f.To, to)
		}
		at = to
	}
	return f
}

// straight are the quotes that a keyboard has, for those that are printed.
var straight = map[rune]string{'‘': "'", '’': "'", '“': `"`, '”': `"`}

func withoutCase(composed []byte) string {
	const firstKana, lastSyllable = 0x3041, 0xd7a3 // between them no letter has a case
	switch r, size := utf8.DecodeRune(composed); {
	case size < len(composed):
	case 'A' <= r && r <= 'Z':
		return string(r - 'A' + 'a')
	case r < utf8.RuneSelf || firstKana <= r && r <= lastSyllable && !(0xa640 <= r && r <= 0xabff):
		return string(composed)
	case straight[r] != "":
		return straight[r]
	}
	return norm.NFC.String(cases.Fold().String(norm.NFD.String(string(composed))))
}
