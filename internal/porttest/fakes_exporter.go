package porttest

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"image"
	"io"
	"iter"
	"slices"
	"strings"

	"glyphbox/internal/domain/recognition"
)

type fakeExporter struct{ *memory }

// Export writes lines about each page and its texts, whatever the format.
func (f fakeExporter) Export(_ context.Context, w io.Writer, format recognition.Format, t recognition.Transcript) error {
	if !slices.Contains(recognition.Formats, format) {
		f.wrong("an export in %q, which is no format", format)
	}
	start := map[recognition.Format]string{recognition.FormatPDF: "%PDF-", recognition.FormatXLSX: "PK",
		recognition.FormatGroundTruth: "PK"}[format]
	for p, err := range t.Pages {
		if err != nil {
			return err
		}
		if format == recognition.FormatPDF {
			page, err := p.View(0, p.Image.Box(), recognition.ExportWidth)
			if err != nil {
				return err
			}
			if _, _, err := image.DecodeConfig(bytes.NewReader(page.Bytes)); err != nil {
				return err
			}
		}
		var texts []string
		for _, c := range p.Run.Contents {
			if c.Version != p.Run.Version {
				f.wrong("an export of version %d with the content %s of version %d", p.Run.Version, c.ID, c.Version)
			}
			texts = append(texts, c.Text)
		}
		if _, err := fmt.Fprintf(w, "%s %s: %s, page %d, version %d\n%s\n", start, format, t.Name, p.Number, p.Run.Version,
			strings.Join(texts, "\n")); err != nil {
			return err
		}
		start = "then"
	}
	return nil
}

// Archive writes a zip archive.
func (f fakeExporter) Archive(w io.Writer, files iter.Seq[recognition.Export]) error {
	z := zip.NewWriter(w)
	names := map[string]bool{}
	for e := range files {
		if names[e.Name] {
			f.wrong("two files called %q in an archive", e.Name)
		}
		names[e.Name] = true
		entry, err := z.Create(e.Name)
		if err != nil {
			return err
		}
		if err := e.Write(entry); err != nil {
			return err
		}
	}
	return z.Close()
}
