package transcript

import (
	"fmt"
	"io"

	"glyphbox/internal/domain/document"
	"glyphbox/internal/domain/recognition"
)

// writeTSV writes the columns of Tesseract's TSV. Rows of pages, blocks, paragraphs and lines have no text and the confidence
// -1. There are no quotes: no word has a tab or a line break in it.
func writeTSV(w io.Writer, t recognition.Transcript) error {
	fmt.Fprintln(w, "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext")
	for p, err := range t.Pages {
		if err != nil {
			return err
		}
		writePageRows(w, p)
	}
	return nil
}

func writePageRows(w io.Writer, p recognition.TranscriptPage) {
	row := func(level, block, par, line, word int, b document.Box, confidence int, text string) {
		fmt.Fprintf(w, "%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n", level, p.Number, block, par, line, word,
			b.X1, b.Y1, b.Width(), b.Height(), confidence, text)
	}
	row(1, 0, 0, 0, 0, p.Image.Box(), -1, "")
	for i, b := range layout(p) {
		row(2, i+1, 0, 0, 0, b.box, -1, "")
		for j, p := range b.paragraphs {
			row(3, i+1, j+1, 0, 0, p.box, -1, "")
			for k, l := range p.lines {
				row(4, i+1, j+1, k+1, 0, l.box, -1, "")
				for n, word := range l.words {
					row(5, i+1, j+1, k+1, n+1, word.box, word.percent(), word.text)
				}
			}
		}
	}
}
