package transcript

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"glyphbox/internal/domain/recognition"
)

// writeText writes the texts of the regions, with a blank line between them. Those without text leave no trace.
func writeText(w io.Writer, t recognition.Transcript) {
	separator := ""
	for _, c := range t.Run.Contents {
		lines := strings.Split(c.Text, "\n")
		for i, l := range lines {
			lines[i] = strings.TrimRightFunc(clean(strings.Map(plainSpace, l)), unicode.IsSpace)
		}
		text := strings.Trim(strings.Join(lines, "\n"), "\n")
		if text == "" {
			continue
		}
		fmt.Fprint(w, separator, text, "\n")
		separator = "\n"
	}
}

// plainSpace keeps words apart that only a control character parts.
func plainSpace(r rune) rune {
	if unicode.IsControl(r) && unicode.IsSpace(r) {
		return ' '
	}
	return r
}
