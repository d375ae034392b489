// Package transcript writes runs as files for other programs: plain text, JSON, TSV, hOCR, ALTO and PDF.
//
// All but JSON, which tells what is stored, and plain text are made from the same layout (layout.go): regions are blocks,
// blank lines part paragraphs, line breaks part lines, and every word has a box. Characters that XML cannot hold are left out
// of everything but JSON.
package transcript

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode"

	"glyphbox/internal/domain/recognition"
)

// Exporter writes runs in every format of the domain.
type Exporter struct{}

var _ recognition.Exporter = Exporter{}

// Export writes a file of that format.
func (Exporter) Export(w io.Writer, f recognition.Format, t recognition.Transcript) error {
	b := bufio.NewWriter(w) // it remembers its first error, so that the writers need not look at each
	var err error
	switch f {
	case recognition.FormatText:
		writeText(b, t)
	case recognition.FormatJSON:
		err = writeJSON(b, t)
	case recognition.FormatTSV:
		writeTSV(b, t)
	case recognition.FormatHOCR:
		writeHOCR(b, t)
	case recognition.FormatALTO:
		writeALTO(b, t)
	case recognition.FormatPDF:
		err = writePDF(b, t)
	default:
		err = fmt.Errorf("transcript: unknown format %q", f)
	}
	if err != nil {
		return err
	}
	return b.Flush()
}

// clean leaves out control characters and what XML 1.0 forbids.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\uFFFE' || r == '\uFFFF' {
			return -1
		}
		return r
	}, s)
}
