package transcript

import (
	"bytes"
	"encoding/csv"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"

	"glyphbox/internal/domain/recognition"
)

// columns are the columns of a table of regions. Those of several documents have the name of the document before them.
var columns = []string{"page", "number", "name", "text", "confidence", "confirmed"}

const documentColumn = "document"

// row is a region.
type row struct {
	document   string
	page       int
	number     int // among the regions of the page, from 1
	name       string
	text       string
	confidence float64 // 0–1
	confirmed  bool
}

// rowsOf are the regions of a page.
func rowsOf(p recognition.TranscriptPage) []row {
	rows := make([]row, len(p.Run.Contents))
	for i, c := range p.Run.Contents {
		rows[i] = row{document: clean(p.Image.Name), page: p.Image.Number, number: i + 1, name: clean(c.Name), text: plainText(c.Text),
			confidence: math.Round(min(1, max(0, c.Confidence))*1e4) / 1e4, confirmed: c.Confirmed}
	}
	return rows
}

func heading(t recognition.Transcript) []string {
	if t.Several {
		return append([]string{documentColumn}, columns...)
	}
	return columns
}

// writeCSV writes a table as Excel takes it with a double click, and LibreOffice and Numbers too: UTF-8 with a byte order mark, commas,
// lines that end in CRLF, and line feeds inside texts.
func writeCSV(w io.Writer, t recognition.Transcript) error {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	if err := writeRecord(w, heading(t)); err != nil {
		return err
	}
	for p, err := range t.Pages {
		if err != nil {
			return err
		}
		for _, r := range rowsOf(p) {
			record := []string{strconv.Itoa(r.page), strconv.Itoa(r.number), defused(r.name), defused(r.text),
				strconv.FormatFloat(r.confidence, 'f', -1, 64),
				strconv.FormatBool(r.confirmed)}
			if t.Several {
				record = append([]string{defused(r.document)}, record...)
			}
			if err := writeRecord(w, record); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeRecord writes a record whose line feeds stay what they are, which UseCRLF of csv.Writer would change.
func writeRecord(w io.Writer, record []string) error {
	var b bytes.Buffer
	c := csv.NewWriter(&b)
	if err := c.Write(record); err != nil {
		return err
	}
	c.Flush()
	_, err := w.Write(append(bytes.TrimSuffix(b.Bytes(), []byte("\n")), "\r\n"...))
	return err
}

var plainNumber = regexp.MustCompile(`^[+-]?[0-9][0-9.,]*%?$`)

// defused is a text that no spreadsheet takes for a formula: what begins like one, and is no number, gets an apostrophe before it.
func defused(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", firstRune(text)) && !plainNumber.MatchString(text) {
		return "'" + text
	}
	return text
}

func firstRune(s string) rune {
	for _, r := range s {
		return r
	}
	return 0
}
