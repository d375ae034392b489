package transcript

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"glyphbox/internal/domain/recognition"
)

// writeText writes the texts of the regions, with a blank line between them and a form feed between pages. Regions without text leave no
// trace.
func writeText(w io.Writer, t recognition.Transcript) error {
	separator := ""
	for p, err := range t.Pages {
		if err != nil {
			return err
		}
		fmt.Fprint(w, separator)
		writePageText(w, p)
		separator = "\f"
	}
	return nil
}

func writePageText(w io.Writer, p recognition.TranscriptPage) {
	separator := ""
	for _, c := range p.Run.Contents {
		text := plainText(c.Text)
		if text == "" {
			continue
		}
		fmt.Fprint(w, separator, text, "\n")
		separator = "\n"
	}
}

// plainText is a text in lines, without control characters, and without blank lines around it.
func plainText(text string) string {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRightFunc(clean(strings.Map(plainSpace, l)), unicode.IsSpace)
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}

// plainSpace keeps words apart that only a control character parts.
func plainSpace(r rune) rune {
	if unicode.IsControl(r) && unicode.IsSpace(r) {
		return ' '
	}
	return r
}
