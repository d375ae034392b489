package porttest

import (
	"bytes"
	"fmt"
	"image"
	"io"
	"slices"
	"strings"

	"glyphbox/internal/domain/recognition"
)

type fakeExporter struct{ *memory }

// Export writes a line about the run and the texts, whatever the format.
func (f fakeExporter) Export(w io.Writer, format recognition.Format, t recognition.Transcript) error {
	if !slices.Contains(recognition.Formats, format) {
		f.wrong("an export in %q, which is no format", format)
	}
	start := "text"
	if format == recognition.FormatPDF {
		start = "%PDF-"
		if _, _, err := image.DecodeConfig(bytes.NewReader(t.Page.Bytes)); err != nil {
			return err
		}
	}
	var texts []string
	for _, c := range t.Run.Contents {
		if c.Version != t.Run.Version {
			f.wrong("an export of version %d with the content %s of version %d", t.Run.Version, c.ID, c.Version)
		}
		texts = append(texts, c.Text)
	}
	_, err := fmt.Fprintf(w, "%s %s: %s, version %d\n%s\n", start, format, t.Image.Name, t.Run.Version, strings.Join(texts, "\n"))
	return err
}
