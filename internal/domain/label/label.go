// Package label cleans the short names that users give to images, regions and keys.
package label

import (
	"strings"
	"unicode/utf8"
)

// Clean removes invisible characters and characters that make one text look like another: direction marks, byte order marks, and spaces
// and hyphens without width. It turns line and paragraph separators into spaces. It returns a text that is not UTF-8 unchanged, so that
// it is refused later.
func Clean(text string) string {
	if !utf8.ValidString(text) {
		return text
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069, r == 0x200E, r == 0x200F, r == 0x061C, r == 0xFEFF,
			r == 0x00AD, r == 0x200B, r >= 0x2060 && r <= 0x2064:
			return -1
		case r == 0x2028, r == 0x2029:
			return ' '
		}
		return r
	}, text)
}
