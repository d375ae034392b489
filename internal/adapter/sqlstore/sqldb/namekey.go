package sqldb

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

// maxNameKey is how many bytes of a key column name_key keeps. Only strange names of 200 characters have a longer key.
const maxNameKey = 1000

// NameKey returns the key by which documents are sorted by name, byte by byte: numbers by their value, letters without case and
// accents, in Unicode order, which for Hangul is that of dictionaries. Names that differ only in accents are adjacent.
func NameKey(name string) []byte {
	folded := Fold(name)
	plain := withoutAccents(folded)
	key := byValue(plain)
	if plain != folded {
		key = append(append(key, 0), folded...)
	}
	return key[:min(len(key), maxNameKey)]
}

func withoutAccents(s string) string {
	const first, last = '\u0300', '\u036f' // of the combining marks of alphabets
	return norm.NFC.String(strings.Map(func(r rune) rune {
		if first <= r && r <= last {
			return -1
		}
		return r
	}, norm.NFD.String(s)))
}

// byValue puts before each number how many digits it has, without zeros at its beginning.
func byValue(s string) (key []byte) {
	for s != "" {
		digits := s[:len(s)-len(strings.TrimLeft(s, "0123456789"))]
		if digits == "" {
			end := strings.IndexAny(s, "0123456789")
			if end < 0 {
				end = len(s)
			}
			key, s = append(key, s[:end]...), s[end:]
			continue
		}
		s = s[len(digits):]
		digits = strings.TrimLeft(digits, "0")
		key = append(key, '0', byte(len(digits))) //nolint:gosec // a name has 200 characters
		key = append(key, digits...)
	}
	return key
}
