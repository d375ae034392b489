// Package label cleans the short texts that people give things: names of images, regions and keys.
package label

import (
	"strings"
	"unicode/utf8"
)

// Clean takes out what nobody sees and what makes a text look like another: marks that turn the direction of text, byte order marks, and
// spaces and hyphens without width.
// Line and paragraph separators become spaces. A text that is not UTF-8 stays as it is, to be refused.
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
